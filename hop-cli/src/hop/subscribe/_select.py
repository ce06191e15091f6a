"""Which messages are shown."""

from __future__ import annotations

import argparse
import logging
from datetime import datetime
from typing import Any

from hop.io import Metadata, list_topics
from hop.models import MessageModel

logger = logging.getLogger("hop.subscribe")


class Selection:
    """What `--where` and `--until` let through.

    Args:
        past: whether the time of `--until` has come, so that nothing before it can still be written.

    Attributes:
        everything: whether nothing is kept back.
        finished: whether nothing more is to come.
    """

    def __init__(self, args: argparse.Namespace, past: bool) -> None:
        self._where = args.where
        self._until = _milliseconds(args.until)
        # Messages are in the order of their times, nearly: a partition that has come to that time has no more.
        self._partitions = _count_partitions(args) if past else 0
        self._passed: set[tuple[str, int]] = set()
        self.everything = self._where is None and self._until is None
        self.finished = False

    def accepts(self, message: MessageModel, metadata: Metadata | None) -> bool:
        if metadata is not None and self._until is not None and metadata.timestamp >= self._until:
            self._passed.add((metadata.topic, metadata.partition))
            self.finished = 0 < self._partitions == len(self._passed)
            return False
        return self._where is None or _is_true(self._where, message)


def _is_true(expression: Any, message: MessageModel) -> bool:
    try:
        value = expression.search(message.to_json_object()["content"])
    # Numbers are compared and functions called with whatever the message has there: jmespath raises its own errors
    # and lets Python's through.
    except Exception as exc:
        logger.debug("--where does not fit a message: %s", exc)
        return False
    # JMESPath's own notion of what is false
    return value is not None and value is not False and value not in ("", [], {})


def _milliseconds(time: datetime | None) -> int | None:
    return None if time is None else int(time.timestamp() * 1000)


def _count_partitions(args: argparse.Namespace) -> int:
    return sum(len(topic.partitions) for topic in list_topics(args.url, not args.no_auth).values())
