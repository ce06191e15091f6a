"""The files of a journal, in their order."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator, Sequence
from pathlib import Path

from hop.robust_publisher._disk import open_file, sync_folder
from hop.robust_publisher._segment import Segment, overlapping, sealed_ordinal, sealed_path

# Files that are read are kept open, so many at a time.
_MAX_OPEN = 4


class Segments:
    """All segments, oldest first. Only the last may be the active one, to which is written.

    Args:
        path: the active segment's file; the sealed ones lie beside it.
        segments: those that there are.

    Attributes:
        used: how many bytes all files take.
    """

    def __init__(self, path: Path, segments: Sequence[Segment]) -> None:
        self.used = sum(segment.size for segment in segments)
        self._path = path
        self._all = list(segments)
        self._ordinal = max((sealed_ordinal(s.path) for s in segments), default=0)
        self._recent: Segment | None = None
        self._opened: deque[Segment] = deque()

    def __iter__(self) -> Iterator[Segment]:
        return iter(self._all)

    @property
    def last(self) -> Segment:
        """The youngest."""
        return self._all[-1]

    @property
    def active(self) -> Segment | None:
        """The one that is written to, if there is any at the moment."""
        if not self._all:
            return None
        last = self._all[-1]
        return None if last.sealed else last

    def open_active(self, first: int) -> Segment:
        """Begin a file for messages from the number `first`.

        Raises:
            OSError: that is not possible.
        """
        self.enter()
        segment = Segment(self._path, first)
        segment.descriptor = open_file(self._path, os.O_RDWR | os.O_CREAT | os.O_EXCL)
        self._all.append(segment)
        return segment

    def add(self, segment: Segment) -> None:
        """Let another one be the active one."""
        self._all.append(segment)
        self.used += segment.size

    def seal(self, segment: Segment) -> None:
        """Let nothing more be written to a segment."""
        segment.seal(sealed_path(self._path, self._ordinal + 1))
        segment.entered = False
        self._ordinal += 1
        if segment.descriptor >= 0:
            self._keep_open(segment)

    def enter(self) -> None:
        """Bring the files' names to disk.

        A file may take another's former name only then: after a power failure there might be the new one alone.

        Raises:
            OSError: that is not possible.
        """
        new = [segment for segment in self._all if not segment.entered]
        if new:
            sync_folder(self._path.parent)
            for segment in new:
                segment.entered = True

    def remove(self, segment: Segment) -> None:
        """Forget a segment whose file is gone."""
        self._all.remove(segment)
        self.used -= segment.size

    def empty(self) -> None:
        """Cut the active segment, the only one, to nothing; the next message in it has the number 1."""
        fresh = Segment(self._path, 1)
        for active in self._all:
            os.ftruncate(active.descriptor, 0)
            fresh.descriptor, active.descriptor = active.descriptor, -1
            fresh.entered = active.entered
            self._all = [fresh]
        self._recent = None
        self.used = 0

    def overlapping(self, first: int, end: int) -> Iterator[Segment]:
        """Those that have messages from `first` to before `end`."""
        return overlapping(self._all, first, end)

    def find(self, sequence: int) -> Segment | None:
        """The segment that has a message of this number."""
        # It is nearly always the one that was asked for last.
        recent = self._recent
        if recent is None or not recent.first <= sequence < recent.end:
            recent = self._recent = next(self.overlapping(sequence, sequence + 1), None)
        return recent

    def next_live(self, sequence: int) -> tuple[Segment, int] | None:
        """The first message from `sequence` that is still to be sent: its segment and its number."""
        segment = self.find(sequence)
        if segment is not None and (found := segment.next_live(sequence)) is not None:
            return segment, found
        for segment in self.overlapping(sequence, self._all[-1].end if self._all else 0):
            if segment.live and (found := segment.next_live(sequence)) is not None:
                return segment, found
        return None

    def descriptor(self, segment: Segment) -> int:
        """A segment's open file.

        Raises:
            OSError: it can't be opened.
        """
        if segment.descriptor < 0:
            segment.descriptor = open_file(segment.path, os.O_RDONLY)
            self._keep_open(segment)
        return segment.descriptor

    def close(self) -> None:
        """Close all files."""
        for segment in self._all:
            segment.give_back()
            segment.close()

    def _keep_open(self, segment: Segment) -> None:
        self._opened.append(segment)
        if len(self._opened) > _MAX_OPEN:
            self._opened.popleft().close()
