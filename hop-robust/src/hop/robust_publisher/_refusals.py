"""What no broker will ever take is put aside, and the program is told."""

from __future__ import annotations

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hop.robust_publisher._dead import DeadLetters
from hop.robust_publisher._message import QueuedMessage

logger = logging.getLogger("hop.robust_publisher")

OnRefused = Callable[[QueuedMessage, str], Any]


class Refusals:
    """Puts refused messages aside.

    Args:
        journal: the journal's path.
        on_refused: called with the message and the reason.
    """

    def __init__(self, journal: Path, on_refused: OnRefused | None) -> None:
        self._letters = DeadLetters(journal)
        self._on_refused = on_refused

    def add(self, message: QueuedMessage, topic: str, reason: str) -> bool:
        """Put a message aside; returns whether it could be, and need not be kept in the journal."""
        addressed = QueuedMessage(
            message.sequence, message.message, message.headers, topic or None, message.key
        )
        try:
            self._letters.add(addressed, reason)
        except OSError as exc:
            logger.error(
                "a message to %s was refused (%s), and stays in the journal, because it can't be put aside in %s: %s",
                topic,
                reason,
                self._letters.path,
                exc.strerror or exc,
            )
            return False
        logger.error(
            "a message to %s (%d bytes) was refused and will not be sent: %s; it is kept in %s",
            topic,
            len(message.message),
            reason,
            self._letters.path,
        )
        if self._on_refused is not None:
            try:
                self._on_refused(addressed, reason)
            except Exception:
                logger.exception("on_refused failed")
        return True
