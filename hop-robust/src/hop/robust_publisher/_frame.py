"""How records are framed in a file, and how they are found again in one that is damaged.

The format is specified in JOURNAL.md. Each record says how long it is and carries two checksums, one of its head and
one of its body: a damaged body costs that record alone, a damaged head is jumped over by searching for the next head.
Each file has a random mark that every head repeats, so that a message which is itself a journal's content is never
mistaken for records of the journal that it lies in.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from typing import NamedTuple
from zlib import crc32

MAGIC = b"\x89hJ1"
MARK_SIZE = 4
# magic, mark, length of the body, kind, sequence number; then the checksums of this and of the body
_HEAD = struct.Struct(f">4s{MARK_SIZE}sIB3xQ")
_SUMS = struct.Struct(">II")
_BOTH = struct.Struct(f">4s{MARK_SIZE}sIB3xQII")
HEAD_SIZE = _BOTH.size

_CHUNK = 1 << 20


class Record(NamedTuple):
    """A record that is as it was written; `offset` and `size` are those of its frame in the file."""

    offset: int
    size: int
    kind: int
    sequence: int
    body: memoryview


class Damage(NamedTuple):
    """Bytes of a file that are not what was written.

    `torn` is true of the end of a file that stops within a record, or in zeros that begin within a record or after one:
    what is left of a write that was interrupted, in a file that may have been filled with zeros before. Those zeros are
    not counted, so that `size` is 0 where nothing was written to them.
    """

    offset: int
    size: int
    torn: bool


def head(mark: bytes, kind: int, sequence: int, body: bytes) -> bytes:
    """What a record has before its body."""
    start = _HEAD.pack(MAGIC, mark, len(body), kind, sequence)
    return start + _SUMS.pack(crc32(start), crc32(body))


def read(data: bytes, at: int, mark: bytes, sequence: int) -> bytes | int | None:
    """The body of the record at a place in memory.

    Returns:
        The body; or how many bytes the record takes, if not all of them are there; or None, if it is not the
        record with this mark and number as it was written.
    """
    if len(data) - at < HEAD_SIZE:
        return None
    length: int
    found, its_mark, length, _, its_sequence, head_sum, body_sum = _BOTH.unpack_from(data, at)
    if (
        found != MAGIC
        or its_mark != mark
        or its_sequence != sequence
        or crc32(data[at : at + _HEAD.size]) != head_sum
    ):
        return None
    start = at + HEAD_SIZE
    if start + length > len(data):
        return HEAD_SIZE + length
    body = data[start : start + length]
    return body if crc32(body) == body_sum else None


class _Window:
    """The part of a file that is looked at, in memory."""

    def __init__(self, descriptor: int, end: int) -> None:
        self._descriptor = descriptor
        self._end = end
        self.base = 0
        self.data = b""

    def load(self, offset: int, size: int) -> None:
        """See to it that `size` bytes from `offset` are in `data`, or as many as there are."""
        if self.base <= offset and offset + size <= self.base + len(self.data):
            return
        parts: list[bytes] = []
        self.base, missing = offset, min(max(size, _CHUNK), self._end - offset)
        while missing > 0 and (part := os.pread(self._descriptor, missing, offset)):
            parts.append(part)
            offset += len(part)
            missing -= len(part)
        self.data = b"".join(parts)


def scan(
    descriptor: int, start: int, end: int, mark: bytes | None = None
) -> Iterator[Record | Damage]:
    """Go through the records of an open file.

    Args:
        descriptor: the file.
        start: where a record begins.
        end: where the file ends, or is to be taken to end.
        mark: the file's mark; None takes it from the first record that is sound.
    """
    window = _Window(descriptor, end)
    position = start
    blank: int | None = None
    while position < end:
        window.load(position, HEAD_SIZE)
        for found in _sound(window, position, mark):
            if mark is None:
                start = found.offset - window.base + len(MAGIC)
                mark = window.data[start : start + MARK_SIZE]
            yield found
            position = found.offset + found.size
        if position == end:
            return
        # What comes now is damaged, or not in memory as a whole.
        window.load(position, HEAD_SIZE)
        size = _record_size(window, position, mark)
        if size is not None and position + size <= end:
            window.load(position, size)
            if next(_sound(window, position, mark), None) is not None:
                continue
        if blank is None:
            blank = _blank_from(descriptor, end)
        written = max(position, blank)
        if size is None:
            following = _search(window, position + 1, end, mark)
            if following < end:
                yield Damage(position, following - position, torn=False)
            elif _is_part_of_head(descriptor, position, written, mark):
                yield Damage(position, written - position, torn=True)
            else:
                yield Damage(position, written - position, torn=False)
                following = written
            position = following
        elif position + size > end or written < position + size < end:
            yield Damage(position, written - position, torn=True)
            return
        else:
            yield Damage(position, size, torn=False)
            position += size


def _sound(window: _Window, position: int, mark: bytes | None) -> Iterator[Record]:
    """The records from a place on, up to the first that is damaged or not in memory as a whole."""
    # Whoever waits for a journal to be opened waits for this: no call that can be done without.
    data, base = window.data, window.base
    at, end, last = position - base, len(data), len(data) - HEAD_SIZE
    view, unpack, checksum, new = memoryview(data), _BOTH.unpack_from, crc32, tuple.__new__
    magic, summed, head_size = MAGIC, _HEAD.size, HEAD_SIZE
    while at <= last:
        found, its_mark, length, kind, sequence, head_sum, body_sum = unpack(data, at)
        size = head_size + length
        if (
            found != magic
            or at + size > end
            or (mark is not None and its_mark != mark)
            or checksum(view[at : at + summed]) != head_sum
        ):
            return
        body = view[at + head_size : at + size]
        if checksum(body) != body_sum:
            return
        mark = its_mark
        yield new(Record, (base + at, size, kind, sequence, body))
        at += size


def _record_size(window: _Window, position: int, mark: bytes | None) -> int | None:
    """How long a record is, if its head is sound."""
    at = position - window.base
    if len(window.data) - at < HEAD_SIZE:
        return None
    length: int
    found, its_mark, length, _, _, head_sum, _ = _BOTH.unpack_from(window.data, at)
    if found != MAGIC or (mark is not None and its_mark != mark):
        return None
    sound = crc32(window.data[at : at + _HEAD.size]) == head_sum
    return HEAD_SIZE + length if sound else None


def _search(window: _Window, position: int, end: int, mark: bytes | None) -> int:
    """Where the next sound head begins, or `end`."""
    wanted = MAGIC + (mark or b"")
    while end - position >= HEAD_SIZE:
        window.load(position, HEAD_SIZE)
        at = window.data.find(wanted, position - window.base)
        if at < 0:
            seen = window.base + len(window.data) - len(wanted) + 1
            position = max(position + 1, seen)
            continue
        position = window.base + at
        window.load(position, HEAD_SIZE)
        at = position - window.base
        if len(window.data) - at < HEAD_SIZE:
            break
        if crc32(window.data[at : at + _HEAD.size]) == _BOTH.unpack_from(window.data, at)[5]:
            return position
        position += 1
    return end


def _blank_from(descriptor: int, end: int) -> int:
    """Where the zeros at the end of a file begin."""
    while end > 0:
        start = max(0, end - _CHUNK)
        part = os.pread(descriptor, end - start, start).rstrip(b"\0")
        if part:
            return start + len(part)
        end = start
    return 0


def _is_part_of_head(descriptor: int, position: int, end: int, mark: bytes | None) -> bool:
    """Whether a head may have begun to be written there, or nothing at all."""
    if end - position >= HEAD_SIZE:
        return False
    start = MAGIC + (mark or b"")
    left = os.pread(descriptor, min(len(start), end - position), position)
    return start.startswith(left)
