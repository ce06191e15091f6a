"""What is on its way to the broker, and what waits to be sent again."""

from __future__ import annotations

import heapq
import time
from collections.abc import Iterator
from typing import NamedTuple

# So much is with librdkafka at a time; everything else stays on disk.
_WINDOW = 10_000
_WINDOW_BYTES = 16 << 20
# A message that failed for a reason that may pass is sent again after this time (seconds), then after twice that, …
_FIRST_PAUSE = 0.1
_LAST_PAUSE = 30.0
_MAX_ATTEMPTS = 30


class Flight(NamedTuple):
    """A message on its way.

    Attributes:
        topic: where to.
        size: of its body, in bytes.
        attempts: how often it has failed.
        alone: whether it can't have been refused because of another.
    """

    topic: str
    size: int
    attempts: int
    alone: bool


class Flights:
    """The messages that are on their way, by number, and those that wait for their next attempt."""

    def __init__(self) -> None:
        # What a Flight has, without the time that it takes to make one.
        self._flying: dict[int, tuple[str, int, int, bool]] = {}
        self._bytes = 0
        self._attempts: dict[int, int] = {}
        self._delayed: list[tuple[float, int, str]] = []

    def __bool__(self) -> bool:
        return bool(self._flying)

    @property
    def room(self) -> bool:
        """Whether more may be sent."""
        return len(self._flying) + len(self._delayed) < _WINDOW and self._bytes < _WINDOW_BYTES

    def begin(self, sequence: int, topic: str, size: int, alone: bool) -> None:
        attempts = self._attempts.pop(sequence, 0) if self._attempts else 0
        self._flying[sequence] = topic, size, attempts, alone
        self._bytes += size

    def land(self, sequence: int) -> str | None:
        """End one that has arrived, and return its topic; None if it is not on its way."""
        found = self._flying.pop(sequence, None)
        if found is None:
            return None
        self._bytes -= found[1]
        return found[0]

    def end(self, sequence: int) -> Flight | None:
        """End one that has not; None if it is not on its way."""
        found = self._flying.pop(sequence, None)
        if found is None:
            return None
        self._bytes -= found[1]
        return Flight(*found)

    def end_all(self) -> Iterator[tuple[int, str]]:
        """End them all; the number and topic of each."""
        flying, self._flying, self._bytes = self._flying, {}, 0
        for sequence, (topic, *_) in flying.items():
            yield sequence, topic

    def later(self, sequence: int, flight: Flight) -> None:
        """Let a message that failed wait."""
        pause = min(_FIRST_PAUSE * 2**flight.attempts, _LAST_PAUSE)
        self._attempts[sequence] = min(flight.attempts + 1, _MAX_ATTEMPTS)
        heapq.heappush(self._delayed, (time.monotonic() + pause, sequence, flight.topic))

    def due(self) -> Iterator[tuple[int, str]]:
        """Those that have waited long enough; the number and topic of each."""
        while self._delayed and self._delayed[0][0] <= time.monotonic():
            _, sequence, topic = heapq.heappop(self._delayed)
            yield sequence, topic

    def next_due(self) -> float | None:
        """When the next of them has (monotonic seconds)."""
        return self._delayed[0][0] if self._delayed else None
