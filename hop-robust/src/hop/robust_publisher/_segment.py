"""One file of the journal, and what is known of the messages in it."""

from __future__ import annotations

import os
import secrets
from array import array
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

from hop.robust_publisher._disk import write_at
from hop.robust_publisher._frame import HEAD_SIZE, MARK_SIZE, head

# Kinds of records.
START = 1
MESSAGE = 2
SETTLED = 3

VERSION = b"\x01"

# So many bytes are reserved with the first record, then twice as many each time, up to a limit.
_FIRST_RESERVE = 4 << 10
_ZEROS = memoryview(bytes(128 << 10))

_ALIVE = 1
_GONE = 0


# A record that is to be written: its kind, the sequence number, its body.
Entry = tuple[int, int, bytes]


class Segment:
    """A file of records, whose messages are numbered without gaps from `first`.

    For each message nine bytes are kept in memory: where it lies in the file, and whether it is still to be sent.

    Attributes:
        path: the file.
        mark: what each record in it repeats.
        first: the number of its first message.
        end: the number after that of its last message.
        size: the length of what is sound in the file, in bytes.
        reserved: the length up to which it has been filled with zeros, if that is more.
        live: how many of its messages are still to be sent.
        sealed: whether nothing is added to it any more.
        stuck: whether it could not be deleted.
        entered: whether the file's name is known to be on disk.
        recorded_in: the segments whose records say which of its messages are settled.
        descriptor: the open file, -1 while it is closed.
    """

    def __init__(self, path: Path, first: int, mark: bytes | None = None) -> None:
        self.path = path
        self.mark = secrets.token_bytes(MARK_SIZE) if mark is None else mark
        self.first = first
        self.size = 0
        self.reserved = 0
        self.live = 0
        self.sealed = False
        self.stuck = False
        self.entered = False
        self.recorded_in: set[Segment] = set()
        self.descriptor = -1
        self._alive = bytearray()
        self._offsets = array("Q")

    @property
    def finished(self) -> bool:
        """Whether the file can be deleted."""
        return self.sealed and not self.live and not self.stuck

    @property
    def end(self) -> int:
        return self.first + len(self._alive)

    def write(self, entries: Sequence[Entry], *, reserve: bool = False) -> None:
        """Add records to the file, all of them or none, in one write.

        Args:
            entries: the records.
            reserve: whether to fill the file with zeros ahead of them. What takes their place is written and brought
                to disk in two thirds of the time that it takes where the file becomes longer each time.

        Raises:
            OSError: they could not be written.
        """
        parts: list[bytes] = []
        mark, offset = self.mark, self.size
        if not offset:
            parts = [head(mark, START, self.first, VERSION), VERSION]
            offset = HEAD_SIZE + len(VERSION)
        numbers: list[int] = []
        offsets: list[int] = []
        for kind, sequence, body in entries:
            parts += head(mark, kind, sequence, body), body
            if kind == MESSAGE:
                numbers.append(sequence)
                offsets.append(offset)
            offset += HEAD_SIZE + len(body)
        if reserve and offset > self.reserved and offset - self.size < len(_ZEROS):
            self._reserve()
        try:
            write_at(self.descriptor, b"".join(parts), self.size)
        except BaseException:
            self.reserved = 0  # what was ahead was cut off as well
            raise
        self.size = offset
        if numbers:
            self.add(numbers, offsets)

    def add(self, numbers: Sequence[int], offsets: Sequence[int]) -> None:
        """Take note of messages in the file, by their numbers and offsets; numbers that were left out count as settled.

        A signal's handler may raise anywhere in here: the messages are there when `_alive` has them, all at once.
        """
        known = len(self._alive)
        if len(self._offsets) > known:
            del self._offsets[known:]
        missing = numbers[-1] + 1 - self.first - known
        if missing == len(numbers):
            self._offsets.extend(offsets)
            self._alive.extend(b"\1" * missing)
        else:
            alive = bytearray(missing)
            places = array("Q", bytes(8 * missing))
            for number, offset in zip(numbers, offsets, strict=True):
                alive[number - self.first - known] = _ALIVE
                places[number - self.first - known] = offset
            self._offsets.extend(places)
            self._alive.extend(alive)
        self.live += len(numbers)

    def offset(self, sequence: int) -> int:
        """Where a message lies in the file."""
        return self._offsets[sequence - self.first]

    def is_live(self, sequence: int) -> bool:
        """Whether a message is here and still to be sent."""
        index = sequence - self.first
        return 0 <= index < len(self._alive) and self._alive[index] == _ALIVE

    def live_run(self, sequence: int, most: int) -> int:
        """How many messages from `sequence`, which is still to be sent, are so without a gap, `most` at most."""
        index = sequence - self.first
        end = min(index + most, len(self._alive))
        gone = self._alive.find(_GONE, index, end)
        return (end if gone < 0 else gone) - index

    def next_live(self, sequence: int) -> int | None:
        """The number of the first message from `sequence` that is still to be sent."""
        index = self._alive.find(_ALIVE, max(0, sequence - self.first))
        return None if index < 0 else self.first + index

    def settle(self, first: int, end: int) -> int:
        """Take note that the messages from `first` to before `end` need not be sent, those that are here.

        Returns:
            How many of them were still to be sent.
        """
        start, stop = max(0, first - self.first), min(len(self._alive), end - self.first)
        if start >= stop:
            return 0
        count = self._alive.count(_ALIVE, start, stop)
        self._alive[start:stop] = bytes(stop - start)
        self.live = self._alive.count(_ALIVE)
        return count

    def settled(self) -> Iterator[tuple[int, int]]:
        """The ranges (first, after last) of messages that need not be sent."""
        index, size = 0, len(self._alive)
        while (start := self._alive.find(_GONE, index)) >= 0:
            index = self._alive.find(_ALIVE, start)
            if index < 0:
                index = size
            yield self.first + start, self.first + index

    def trim(self, end: int) -> None:
        """Forget the messages from `end` on: a later segment has them."""
        keep = max(0, end - self.first)
        del self._alive[keep:]
        del self._offsets[keep:]
        self.live = self._alive.count(_ALIVE)

    def give_back(self) -> None:
        """Cut off what was reserved. Where that is not possible, it is cut off when the journal is opened again."""
        if self.reserved > self.size and self.descriptor >= 0:
            with suppress(OSError):
                os.ftruncate(self.descriptor, self.size)
        self.reserved = 0

    def seal(self, path: Path) -> None:
        """Give the file the name that it keeps, now that nothing is added to it."""
        self.give_back()
        self.path.rename(path)
        self.path, self.sealed = path, True

    def close(self) -> None:
        if self.descriptor >= 0:
            os.close(self.descriptor)
            self.descriptor = -1

    def _reserve(self) -> None:
        start = max(self.size, self.reserved)
        zeros = _ZEROS[: max(self.reserved, _FIRST_RESERVE)]
        # Without it all goes on as well.
        with suppress(OSError):
            write_at(self.descriptor, zeros, start)
            self.reserved = start + len(zeros)


def ranges(sequences: Iterable[int]) -> Iterator[tuple[int, int]]:
    """The numbers as ranges (first, after last)."""
    first = end = None
    for sequence in sorted(sequences):
        if first is None or end is None:
            first, end = sequence, sequence + 1
        elif sequence == end:
            end += 1
        elif sequence > end:
            yield first, end
            first, end = sequence, sequence + 1
    if first is not None and end is not None:
        yield first, end


def overlapping(segments: Sequence[Segment], first: int, end: int) -> Iterator[Segment]:
    """Those of some segments, in their order, that have messages from `first` to before `end`."""
    index = max(0, bisect_right(segments, first, key=_first) - 1)
    while index < len(segments) and segments[index].first < end:
        if first < segments[index].end:
            yield segments[index]
        index += 1


def sealed_path(path: Path, ordinal: int) -> Path:
    """The name of a journal's sealed segment."""
    return path.with_name(f"{path.name}.{ordinal:08d}.sealed")


def sealed_ordinal(path: Path) -> int:
    """The number in a sealed segment's name, 0 for the active one."""
    return int(path.suffixes[-2][1:]) if path.suffix == ".sealed" else 0


def _first(segment: Segment) -> int:
    return segment.first
