"""Taking messages out of the journal, in their order."""

from __future__ import annotations

import heapq
import os
from collections.abc import Callable

from hop.robust_publisher._damage import put_aside
from hop.robust_publisher._frame import HEAD_SIZE, Damage, read
from hop.robust_publisher._log import Log
from hop.robust_publisher._message import Letter, QueuedMessage
from hop.robust_publisher._segment import Segment
from hop.robust_publisher._stencil import Stencil

# So much of a file is read at a time, in bytes.
_CHUNK = 256 << 10


class Lane:
    """Takes messages one after another, first those that were put back, then from the files.

    Args:
        log: the journal.
        start: the number to begin at.
    """

    def __init__(self, log: Log, start: int = 0) -> None:
        self._log = log
        self._epoch = log.epoch
        self._next = start
        self._again: list[int] = []
        self._segment: Segment | None = None
        self._base = 0
        self._data = b""
        self._stencil = Stencil()

    @property
    def next(self) -> int:
        """The number up to which messages have been taken."""
        with self._log.lock:
            self._follow()
            return self._next

    @property
    def again(self) -> bool:
        """Whether messages were put back, and not taken again."""
        return bool(self._again)

    def put_back(self, sequence: int) -> None:
        """Let a message that was taken be taken again."""
        with self._log.lock:
            self._follow()
            heapq.heappush(self._again, sequence)

    def get(self, sequence: int) -> QueuedMessage | None:
        """A message that has been taken, once more; None if it need not be sent any more."""
        with self._log.lock:
            segment = self._log.segments.find(sequence)
            if segment is None or not segment.is_live(sequence):
                return None
            body = self._read(segment, sequence)
            return None if body is None else self._decode(sequence, body)

    def take(
        self, end: int | None = None, accept: Callable[[str | None], bool] | None = None
    ) -> QueuedMessage | None:
        """The next message that is still to be sent, or None.

        Args:
            end: the number before which to stop.
            accept: tells by its topic whether a message is taken or passed over.
        """
        lost = self._log.lost
        try:
            return self._take(end, accept)
        finally:
            if self._log.lost != lost:
                self._log.settle(())

    def _take(
        self, end: int | None, accept: Callable[[str | None], bool] | None
    ) -> QueuedMessage | None:
        while True:
            # Those who write get their turn between two messages, however many are passed over.
            with self._log.lock:
                self._follow()
                found = self._following(end)
                if found is None:
                    return None
                segment, sequence = found
                try:
                    body = self._read(segment, sequence)
                except OSError:
                    self.put_back(sequence)
                    raise
            if body is not None:
                message = self._decode(sequence, body)
                if accept is None or accept(message.topic):
                    return message

    def take_many(self, count: int, size: int) -> list[tuple[int, Letter]]:
        """The next messages, by number: so many at most, and no more when their bodies have so many bytes."""
        lost = self._log.lost
        taken: list[tuple[int, Letter]] = []
        try:
            with self._log.lock:
                self._follow()
                while len(taken) < count and size > 0:
                    left = count - len(taken)
                    found = self._young(left, size) or self._old(left, size)
                    if not found:
                        break
                    taken += found
                    size -= sum([len(letter[0]) for _, letter in found])
        except OSError:
            if not taken:
                raise
        finally:
            if self._log.lost != lost:
                self._log.settle(())
        return taken

    def _follow(self) -> None:
        """Begin again if numbering has: nothing that was taken or put back is to be sent any more."""
        if self._epoch != self._log.epoch:
            self._epoch, self._next = self._log.epoch, 0
            self._again.clear()

    def _following(self, end: int | None) -> tuple[Segment, int] | None:
        while self._again:
            sequence = heapq.heappop(self._again)
            segment = self._log.segments.find(sequence)
            if segment is not None and segment.is_live(sequence):
                return segment, sequence
        found = self._log.segments.next_live(self._next)
        if found is None or found[1] >= (self._log.visible if end is None else end):
            return None
        self._next = found[1] + 1
        return found

    def _young(self, count: int, size: int) -> list[tuple[int, Letter]]:
        """The next messages, if they are still in memory and come one after another."""
        recent = self._log.recent
        if self._again or not recent.has(self._next):
            return []
        segment = self._log.segments.find(self._next)
        if segment is None or not segment.is_live(self._next):
            return []
        first = self._next
        letters = recent.take(
            first, segment.live_run(first, min(count, self._log.visible - first)), size
        )
        self._next += len(letters)
        return list(zip(range(first, self._next), letters, strict=True))

    def _old(self, count: int, size: int) -> list[tuple[int, Letter]]:
        """The next messages, from the disk; some of them, but at least one if there is one."""
        taken: list[tuple[int, Letter]] = []
        while not taken and (found := self._following(None)) is not None:
            segment, first = found
            run = 1
            if first == self._next - 1:
                run = segment.live_run(first, min(count, self._log.visible - first))
            for sequence in range(first, first + run):
                if self._next <= sequence:
                    self._next = sequence + 1
                try:
                    body = self._read(segment, sequence)
                except OSError:
                    self.put_back(sequence)
                    if taken:
                        break
                    raise
                if body is None:
                    # What is still to be sent is another question now.
                    break
                letter = self._stencil.decode(body)
                taken.append((sequence, letter))
                size -= len(letter[0])
                if size <= 0:
                    break
        return taken

    def _decode(self, sequence: int, body: bytes) -> QueuedMessage:
        return QueuedMessage(sequence, *self._stencil.decode(body))

    def _read(self, segment: Segment, sequence: int) -> bytes | None:
        offset = segment.offset(sequence)
        at = offset - self._base
        if segment is not self._segment or not 0 <= at <= len(self._data) - HEAD_SIZE:
            try:
                self._load(segment, offset, _CHUNK)
            except FileNotFoundError:
                self._log.lose_all(segment)
                return None
            at = 0
        found = read(self._data, at, segment.mark, sequence)
        if isinstance(found, bytes):
            return found
        if isinstance(found, int):
            # The record is longer than what was loaded.
            self._load(segment, offset, found)
            found = read(self._data, 0, segment.mark, sequence)
        if isinstance(found, bytes):
            return found
        self._lose(segment, sequence, offset)
        return None

    def _load(self, segment: Segment, offset: int, size: int) -> None:
        wanted = min(size, segment.size - offset)
        self._data = os.pread(self._log.segments.descriptor(segment), wanted, offset)
        self._segment, self._base = segment, offset

    def _lose(self, segment: Segment, sequence: int, offset: int) -> None:
        """Give up a message that was sound when the journal was opened and is not now."""
        following = segment.next_live(sequence + 1)
        end = segment.size if following is None else segment.offset(following)
        put_aside(
            self._log.path,
            self._log.segments.descriptor(segment),
            segment.mark,
            [Damage(offset, end - offset, torn=False)],
        )
        self._log.lose(sequence)
