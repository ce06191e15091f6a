"""Finding out what a journal's files hold when it is opened."""

from __future__ import annotations

import logging
import mmap
import os
import re
import stat
from collections.abc import Iterable
from pathlib import Path

from hop.robust_publisher._damage import put_aside
from hop.robust_publisher._disk import open_file
from hop.robust_publisher._errors import JournalCorruptError
from hop.robust_publisher._frame import HEAD_SIZE, MAGIC, MARK_SIZE, Damage, Record, scan
from hop.robust_publisher._log import RANGE
from hop.robust_publisher._segment import (
    MESSAGE,
    SETTLED,
    START,
    VERSION,
    Segment,
    overlapping,
    sealed_ordinal,
    sealed_path,
)

logger = logging.getLogger("hop.robust_publisher")

# A disk writes so much at a time at least, in bytes.
_SECTOR = 512


class Loader:
    """Reads all segments of a journal.

    Args:
        path: the journal's path.
        strict: whether damage is an error.

    Attributes:
        segments: what was found, oldest first; the active one, if its file exists, is the last.
        next_sequence: the number of the next message.

    Raises:
        OSError: a file can't be opened or read.
        JournalCorruptError: a file is damaged and that is an error, or it is no journal, or a later release's.
    """

    def __init__(self, path: Path, *, strict: bool) -> None:
        self._path = path
        self._strict = strict
        self.segments: list[Segment] = []
        self.next_sequence = 1
        try:
            for file in sealed(path):
                self._load(file, is_active=False)
            if path.exists():
                self._load(path, is_active=True)
        except BaseException:
            for segment in self.segments:
                segment.close()
            raise

    def _load(self, file: Path, *, is_active: bool) -> None:
        segment = Segment(file, self.next_sequence)
        segment.sealed = not is_active
        self.segments.append(segment)
        segment.descriptor = open_file(file, os.O_RDWR if is_active else os.O_RDONLY)
        status = os.fstat(segment.descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise JournalCorruptError(f"{file} is no journal: it is not a regular file")
        segment.size = status.st_size
        if not segment.size:
            return
        damages: list[Damage] = []
        mark: bytes | None = None
        # Those that have been found since messages were last added to the segment, which is done for many at once.
        numbers: list[int] = []
        offsets: list[int] = []
        end = 0
        # Between two messages of one file there is no room for more than these.
        room = segment.size // HEAD_SIZE
        for found in scan(segment.descriptor, 0, segment.size):
            if isinstance(found, Damage):
                damages.append(found)
                continue
            if mark is None:
                mark = os.pread(segment.descriptor, MARK_SIZE, found.offset + len(MAGIC))
                self._begin(segment, found)
                end = segment.end
            if found.kind == MESSAGE:
                if end <= found.sequence <= end + room:
                    numbers.append(found.sequence)
                    offsets.append(found.offset)
                    end = found.sequence + 1
            elif found.kind == SETTLED:
                self._add(segment, numbers, offsets)
                self._settle(found)
        self._add(segment, numbers, offsets)
        if mark is not None:
            segment.mark = mark
        self._judge(segment, mark, damages, is_active=is_active)
        if segment.sealed:
            segment.close()

    def _begin(self, segment: Segment, found: Record) -> None:
        if found.kind == START and bytes(found.body[: len(VERSION)]) != VERSION:
            raise JournalCorruptError(
                f"the journal {segment.path} was written by a later release; use that to send what is in it"
            )
        segment.first = found.sequence
        for earlier in self.segments[:-1]:
            # What was written again after the disk failed is taken from where it was written last.
            earlier.trim(segment.first)
        self.next_sequence = max(self.next_sequence, found.sequence)

    def _add(self, segment: Segment, numbers: list[int], offsets: list[int]) -> None:
        if numbers:
            segment.add(numbers, offsets)
            numbers.clear()
            offsets.clear()
            self.next_sequence = max(self.next_sequence, segment.end)

    def _settle(self, found: Record) -> None:
        self.next_sequence = max(self.next_sequence, found.sequence)
        body = found.body[: len(found.body) - len(found.body) % RANGE.size]
        for first, end in RANGE.iter_unpack(body):
            for segment in overlapping(self.segments, first, end):
                segment.settle(first, end)
                segment.recorded_in.add(self.segments[-1])

    def _judge(
        self, segment: Segment, mark: bytes | None, damages: list[Damage], *, is_active: bool
    ) -> None:
        torn = damages.pop() if damages and damages[-1].torn else None
        sound = mark is not None or (torn is not None and not damages)
        if is_active and not sound and is_foreign(segment.descriptor):
            raise JournalCorruptError(
                f"{segment.path} is no journal; move it away, or name another file as journal_path"
            )
        if damages and self._strict:
            raise JournalCorruptError(
                f"the journal {self._path} is damaged: {segment.path.name} at byte {damages[0].offset};"
                " with on_corruption='continue' everything else in it is sent"
            )
        if damages:
            put_aside(self._path, segment.descriptor, mark, damages)
            if is_active:
                last = max(sealed_ordinal(s.path) for s in self.segments)
                segment.seal(sealed_path(self._path, last + 1))
        if torn is not None:
            if torn.size:
                logger.warning(
                    "the journal %s ends within a record, %d bytes of which are cut off: a write had not finished",
                    segment.path,
                    torn.size,
                )
            segment.size = torn.offset
            if not segment.sealed:
                os.ftruncate(segment.descriptor, torn.offset)


def sealed(path: Path) -> Iterable[Path]:
    """The sealed segments of a journal, oldest first."""
    pattern = re.compile(re.escape(path.name) + r"\.\d{8,}\.sealed")
    folder = path.parent
    return sorted((f for f in folder.iterdir() if pattern.fullmatch(f.name)), key=sealed_ordinal)


def is_foreign(descriptor: int) -> bool:
    """Whether a file without a sound record has never been a journal."""
    # Zeros are what a power failure leaves of a file whose first part did not get to disk.
    if not os.pread(descriptor, _SECTOR, 0).strip(b"\0"):
        return False
    with mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ) as data:
        return data.find(MAGIC) < 0
