"""The files of a journal as they are, read without touching them."""

from __future__ import annotations

import errno
import mmap
import os
import sys
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path

from hop.robust_publisher._dead import REFUSED, DeadLetters, apart
from hop.robust_publisher._disk import open_if_there
from hop.robust_publisher._doubt import Doubt, most, uncovered
from hop.robust_publisher._earlier import live, next_head
from hop.robust_publisher._errors import JournalCorruptError
from hop.robust_publisher._frame import HEAD_SIZE, MAGIC, MARK_SIZE, Damage, Record, scan
from hop.robust_publisher._load import is_foreign, sealed
from hop.robust_publisher._log import RANGE
from hop.robust_publisher._message import QueuedMessage, decode
from hop.robust_publisher._report import JournalDamage
from hop.robust_publisher._segment import MESSAGE, SETTLED, START, VERSION, Segment, overlapping

# The size of the smallest message's record in earlier releases.
_LEAST_EARLIER = 48


class View:
    """A journal's files, read from beginning to end.

    Attributes:
        path: the journal.
        earlier: its content, where a release before 1.0 wrote it.
        written: when each of its files was last written to.
        size: the size of all of them.
        damages, unfinished: as of `JournalReport`.
        steady: whether it has not changed in the meantime.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.earlier: mmap.mmap | None = None
        self.written: list[datetime] = []
        self.size = self.unfinished = 0
        self.damages: list[JournalDamage] = []
        self.steady = True
        self._segments: list[Segment] = []
        self._settled: list[tuple[int, int]] = []
        self._doubts: list[Doubt] = []
        self._next = 1
        self._active: int | None = None
        self._dead: int | None = None
        try:
            self._read()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        for descriptor in (self._active, self._dead):
            if descriptor is not None:
                os.close(descriptor)
        if self.earlier is not None:
            self.earlier.close()

    def messages(self) -> Iterator[tuple[QueuedMessage, datetime]]:
        """What is to be sent, and when its file was last written to."""
        if self.earlier is not None:
            for number, body in enumerate(live(self.earlier)[0], start=1):
                yield _queued(number, body), self.written[-1]
        for segment, written in zip(self._segments, self.written, strict=False):
            if not segment.live:
                continue
            descriptor = self._open_again(segment)
            if descriptor is None:
                continue
            try:
                for found in scan(descriptor, 0, segment.size, segment.mark):
                    if (
                        isinstance(found, Record)
                        and segment.is_live(found.sequence)
                        and segment.offset(found.sequence) == found.offset
                    ):
                        yield _queued(found.sequence, found.body), written
            finally:
                os.close(descriptor)

    def refused(self) -> Iterator[tuple[QueuedMessage, str]]:
        """What no broker will take, and why."""
        if self._dead is not None:
            for found in scan(self._dead, 0, os.fstat(self._dead).st_size):
                if isinstance(found, Record) and found.kind == REFUSED:
                    reason, body = apart(found.body)
                    yield _queued(found.sequence, body), reason

    def _read(self) -> None:
        # What is complete and has not got its name yet counts where there is no other.
        names = (self.path, self.path.with_name(self.path.name + ".new"))
        self._active = next(filter(None, map(open_if_there, names)), None)
        files: list[Path] = []
        with suppress(FileNotFoundError):
            files.extend(sealed(self.path))
        dead = DeadLetters(self.path).path
        self._dead = open_if_there(dead)
        if self._active is None and self._dead is None and not files:
            raise FileNotFoundError(errno.ENOENT, "there is no journal", str(self.path))
        for file in files:
            descriptor = open_if_there(file)
            if descriptor is None:  # all of it has been sent
                self.steady = False
                continue
            try:
                self._load(file, descriptor)
            finally:
                os.close(descriptor)
        if self._active is None:
            self.steady = self.steady and not any(map(os.path.exists, names))
        else:
            self._load_active(self._active)
            # Who works on it gives this file another name, or cuts it, or makes another.
            self.steady = self.steady and any(_is_named(self._active, name) for name in names)
        self._judge()
        if self._dead is not None:
            for found in scan(self._dead, 0, os.fstat(self._dead).st_size):
                if isinstance(found, Damage) and not found.torn:
                    lost = most(self._dead, found)
                    self.damages.append(JournalDamage(dead, found.offset, found.size, lost))

    def _load_active(self, descriptor: int) -> None:
        start = os.pread(descriptor, len(MAGIC) + MARK_SIZE, 0)
        size = os.fstat(descriptor).st_size
        if start.startswith(MAGIC) or not self._load_earlier(descriptor, size):
            sound = self._load(self.path, descriptor)
            if not sound and not self._doubts[-1].torn and is_foreign(descriptor):
                raise JournalCorruptError(f"{self.path} is no journal")
        after = os.pread(descriptor, len(start), 0)
        self.steady = self.steady and after == start and os.fstat(descriptor).st_size >= size

    def _load_earlier(self, descriptor: int, size: int) -> bool:
        """Read the file if an earlier release wrote it; a copy, since that cuts it while it is in use."""
        if not size:
            return False
        data = mmap.mmap(-1, size)
        with open(descriptor, "rb", closefd=False) as file:
            file.seek(0)
            file.readinto(data)
        if next_head(data, 0) is None:
            data.close()
            return False
        self.earlier = data
        self.size += size
        self.written.append(_written(descriptor))
        for found in live(data)[1]:
            lost = max(1, found.size // _LEAST_EARLIER)
            self.damages.append(JournalDamage(self.path, found.offset, found.size, lost))
        return True

    def _load(self, file: Path, descriptor: int) -> bool:
        """Read a file; returns whether there is any sound record in it, or nothing at all."""
        segment = Segment(file, self._next)
        segment.size = os.fstat(descriptor).st_size
        self.size += segment.size
        self.written.append(_written(descriptor))
        self._segments.append(segment)
        empty = True
        for found in self._records(file, descriptor, segment.size):
            if empty:
                empty = False
                if found.kind == START and bytes(found.body[: len(VERSION)]) != VERSION:
                    raise JournalCorruptError(f"the journal {file} was written by a later release")
                segment.mark = os.pread(descriptor, MARK_SIZE, found.offset + len(MAGIC))
                segment.first = found.sequence
                for before in self._segments[:-1]:
                    # What was written again after the disk failed is taken from where it was written last.
                    before.trim(segment.first)
            if found.kind == SETTLED:
                self._settle(found.body)
            elif found.kind == MESSAGE:
                # Between two messages of one file there is no room for more than these.
                if segment.end <= found.sequence <= segment.end + segment.size // HEAD_SIZE:
                    segment.add([found.sequence], [found.offset])
                self._next = max(self._next, found.sequence + 1)
            self._next = max(self._next, found.sequence)
        return not empty or not segment.size

    def _records(self, file: Path, descriptor: int, size: int) -> Iterator[Record]:
        for found in scan(descriptor, 0, size):
            if isinstance(found, Record):
                for doubt in reversed(self._doubts):
                    if doubt.end < sys.maxsize:
                        break
                    doubt.end = found.sequence
                yield found
                continue
            damage = JournalDamage(file, found.offset, found.size, most(descriptor, found))
            last = self._doubts[-1].damage if self._doubts else None
            if last is not None and last.file == file and last.offset + last.size == found.offset:
                self._doubts[-1].damage = replace(
                    last, size=last.size + damage.size, lost=last.lost + damage.lost
                )
            else:
                self._doubts.append(Doubt(damage, found.torn, self._next))

    def _settle(self, body: memoryview) -> None:
        for first, end in RANGE.iter_unpack(body[: len(body) - len(body) % RANGE.size]):
            for segment in overlapping(self._segments, first, end):
                segment.settle(first, end)
            if self._settled and self._settled[-1][1] == first:
                first = self._settled.pop()[0]
            self._settled.append((first, end))

    def _judge(self) -> None:
        for doubt in self._doubts:
            damage = doubt.damage
            elsewhere = [(s.first, s.end) for s in self._segments if s.path != damage.file]
            missing = uncovered(doubt.first, doubt.end, [*self._settled, *elsewhere])
            lost = min(damage.lost, missing)
            if doubt.torn and (not lost or doubt.end == sys.maxsize):
                self.unfinished += damage.size
            else:
                self.damages.append(replace(damage, lost=lost))

    def _open_again(self, segment: Segment) -> int | None:
        if self._active is not None and segment.path == self.path:
            return os.dup(self._active)
        return open_if_there(segment.path)


def _written(descriptor: int) -> datetime:
    return datetime.fromtimestamp(os.fstat(descriptor).st_mtime, timezone.utc)


def _is_named(descriptor: int, path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(descriptor), path.stat())
    except FileNotFoundError:
        return False


def _queued(sequence: int, body: bytes | memoryview) -> QueuedMessage:
    return QueuedMessage(sequence, *decode(bytes(body)))
