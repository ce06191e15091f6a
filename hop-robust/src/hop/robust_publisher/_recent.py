"""The youngest messages, which are kept in memory as well."""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from hop.robust_publisher._message import Letter

# Their bodies take so much, at most, in bytes.
_MAX_BYTES = 8 << 20


class Recent:
    """Who takes messages soon after they were written need not read them from the disk.

    There are those from one number on, without a gap; what is not here is read from the disk.
    """

    def __init__(self) -> None:
        self._first = 0
        self._letters: deque[Letter] = deque()
        self._bytes = 0

    def add(self, first: int, letters: Sequence[Letter]) -> None:
        """Keep messages, the first of which has this number, if there is room and they follow those that are here."""
        kept = self._letters
        if not kept:
            self._first = first
        elif first != self._first + len(kept):
            return
        size = self._bytes
        for letter in letters:
            size += len(letter[0])
        if size <= _MAX_BYTES:
            kept.extend(letters)
            self._bytes = size

    def has(self, sequence: int) -> bool:
        """Whether the message with this number is here."""
        return 0 <= sequence - self._first < len(self._letters)

    def take(self, sequence: int, count: int, size: int) -> list[Letter]:
        """The messages from this number on, which are forgotten, and those before them.

        Args:
            sequence: the number of the first.
            count: how many at most.
            size: the number of bytes in their bodies after which no more are taken.
        """
        letters = self._letters
        while self._first < sequence:
            self._bytes -= len(letters.popleft()[0])
            self._first += 1
        taken: list[Letter] = []
        before = size
        while letters and len(taken) < count and size > 0:
            letter = letters.popleft()
            taken.append(letter)
            size -= len(letter[0])
        self._first += len(taken)
        self._bytes -= before - size
        return taken

    def clear(self) -> None:
        """Forget them all."""
        self._letters.clear()
        self._bytes = 0
