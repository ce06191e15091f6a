"""Taking turns at a consumer of confluent-kafka, which one thread at a time may use."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Turns:
    """A lock that goes to who has waited longest.

    confluent-kafka's own guard is not fair: who reads a quiet stream asks again as soon as it has waited, and another
    thread that wants to commit an offset never has its turn.
    """

    def __init__(self) -> None:
        self._next = threading.Lock()
        self._now = threading.Lock()

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for one's turn and take it."""
        self.take()
        try:
            yield
        finally:
            self.give()

    def take(self) -> None:
        with self._next:
            self._now.acquire()

    def take_if_free(self) -> bool:
        """Take a turn if that needs no waiting."""
        if not self._next.acquire(blocking=False):
            return False
        try:
            return self._now.acquire(blocking=False)
        finally:
            self._next.release()

    def give(self) -> None:
        self._now.release()
