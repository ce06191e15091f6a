"""The youngest messages, which are kept in memory as well."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable

from hop.robust_publisher._message import Letter, QueuedMessage

# Their bodies take so much, at most, in bytes.
_MAX_BYTES = 4 << 20


class Recent:
    """Who takes messages soon after they were written need not read them from the disk.

    Taken they are in the order of their numbers, each once; what is not here is read from the disk.
    """

    def __init__(self) -> None:
        self._messages: deque[QueuedMessage] = deque()
        self._bytes = 0

    def add(self, first: int, letters: Iterable[Letter]) -> None:
        """Keep messages, the first of which has this number, as far as there is room."""
        for sequence, (message, headers, topic, key) in enumerate(letters, first):
            if self._bytes > _MAX_BYTES:
                return
            self._messages.append(QueuedMessage(sequence, message, headers, topic, key))
            self._bytes += len(message)

    def take(self, sequence: int) -> QueuedMessage | None:
        """The message with this number, and forget it and those before it."""
        while self._messages and self._messages[0].sequence <= sequence:
            message = self._messages.popleft()
            self._bytes -= len(message.message)
            if message.sequence == sequence:
                return message
        return None

    def clear(self) -> None:
        """Forget them all."""
        self._messages.clear()
        self._bytes = 0
