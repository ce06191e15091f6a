"""The end of the journal: records are written to it, and brought to disk."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Sequence
from pathlib import Path

from hop.robust_publisher._disk import open_file, sync, sync_folder
from hop.robust_publisher._errors import JournalWriteError
from hop.robust_publisher._frame import HEAD_SIZE
from hop.robust_publisher._segment import MESSAGE, Entry, Segment
from hop.robust_publisher._segments import Segments
from hop.robust_publisher._wake import Wake

logger = logging.getLogger("hop.robust_publisher")

# A file that is longer is sealed and another begun, so that disk space is given back as messages arrive.
SEGMENT_SIZE = 16 << 20
# What is not on disk yet is also kept in memory, in case the disk fails; at most so much of it.
_MAX_UNSYNCED = 16 << 20


class Tail:
    """Writes to the active segment, and sees to it that what was written gets to disk.

    Args:
        path: the active segment's file.
        segments: the journal's files.
        segment_size: how large a file becomes, in bytes, before the next is begun.
        reserve: whether to write ahead of the records, see `Segment.write`.

    Attributes:
        lock: guards everything in memory and the order of writes.
        syncing: held while a file is brought to disk, and always taken before `lock`, so that nobody waits for the
            disk who only wants to write.
        written: how many records have been written since the journal was opened.
        dirty: set when something has been written that is not on disk.
    """

    def __init__(self, path: Path, segments: Segments, segment_size: int, reserve: bool) -> None:
        self.lock = threading.RLock()
        self.syncing = threading.RLock()
        self.written = 0
        self.dirty = Wake()
        self._path = path
        self._segments = segments
        self._segment_size = segment_size
        self._reserve = reserve
        self._unsynced: list[Entry] = []
        self._unsynced_bytes = 0
        self._synced = 0
        self._suspect = False
        self._full = True  # for all that is known

    def prepare(self) -> None:
        """Before messages are written: begin another file if this one is full, or may not be trusted.

        Raises:
            JournalWriteError: that is not possible.
        """
        if not (self._full or self._suspect):
            return
        self._full = False
        if self._suspect or self._unsynced_bytes > _MAX_UNSYNCED:
            self.sync()
        active = self._segments.active
        if active is not None and active.size >= self._segment_size:
            with self.syncing:
                self.sync()
                with self.lock:
                    active = self._segments.active
                    if active is not None and active.size >= self._segment_size:
                        try:
                            self._segments.seal(active)
                        except OSError as exc:
                            raise self._failed("begin another file of", exc) from exc

    def write(self, entries: Sequence[Entry]) -> None:
        """Write records, all of them or none; `lock` is held.

        Raises:
            JournalWriteError: they could not be written.
        """
        if self._suspect:
            raise JournalWriteError(f"cannot bring to disk the journal {self._path}")
        try:
            active = self._segments.active or self._segments.open_active(entries[0][1])
            before = active.size
            active.write(entries, reserve=self._reserve)
        except OSError as exc:
            raise self._failed("write to", exc) from exc
        grown = active.size - before
        self._segments.used += grown
        self._unsynced.extend(entries)
        self._unsynced_bytes += grown
        if active.size >= self._segment_size or self._unsynced_bytes > _MAX_UNSYNCED:
            self._full = True
        self.written += len(entries)
        self.dirty.set()

    def sync(self, upto: int | None = None) -> None:
        """Return when what has been written is on disk.

        When the disk reports a failure, what it may have lost is written again, to another file: asked again
        about the same file, the system would claim success.

        Args:
            upto: how many records, from the first, have to be; None for all. One thread waits for the disk for
                all that wait at the same time.

        Raises:
            JournalWriteError: it could not be brought to disk.
        """
        with self.syncing:
            with self.lock:
                target = self.written
                if self._synced >= (target if upto is None else upto):
                    return
                if self._suspect:
                    self._rescue()
                    return
                active = self._segments.last
                try:
                    # The file may be sealed and closed by others while the disk works.
                    descriptor = os.dup(active.descriptor)
                except OSError as exc:
                    raise self._failed("bring to disk", exc) from exc
            try:
                sync(descriptor)
                self._segments.enter()
            except OSError as exc:
                logger.warning("%s; it is written again", self._failed("bring to disk", exc))
                with self.lock:
                    self._suspect = True
                    self._rescue()
            else:
                with self.lock:
                    self._on_disk(target)
            finally:
                os.close(descriptor)

    def begin_again(self) -> None:
        """The active segment has been emptied: what was written need not get to disk any more; `lock` is held."""
        self._suspect = False
        self._on_disk(self.written)

    def _failed(self, what: str, exc: OSError) -> JournalWriteError:
        return JournalWriteError(f"cannot {what} the journal {self._path}: {exc.strerror or exc}")

    def _rescue(self) -> None:
        """Write what may not have got to disk to a new file; both locks are held.

        Raises:
            JournalWriteError: that is not possible either. It is tried again with the next `sync`.
        """
        active = self._segments.last
        entries = [e for e in self._unsynced if e[0] != MESSAGE or active.is_live(e[1])]
        first = next((number for kind, number, _ in entries if kind == MESSAGE), active.end)
        fresh = Segment(self._path, first)
        unfinished = self._path.with_name(self._path.name + ".new")
        try:
            fresh.descriptor = open_file(unfinished, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
            fresh.write(entries)
            sync(fresh.descriptor)
            # What the disk has kept of the old file is read through a new descriptor.
            active.close()
            if not active.sealed:
                self._segments.seal(active)
            self._segments.enter()
            unfinished.rename(self._path)
            sync_folder(self._path.parent)
        except OSError as exc:
            fresh.close()
            raise self._failed("bring to disk", exc) from exc
        active.trim(first)
        fresh.entered = True
        self._segments.add(fresh)
        self._suspect = False
        self._on_disk(self.written)

    def _on_disk(self, target: int) -> None:
        count = target - self._synced
        if count > 0:
            synced = sum([len(body) for _, _, body in self._unsynced[:count]])
            del self._unsynced[:count]
            self._unsynced_bytes -= synced + HEAD_SIZE * count
            if not self._unsynced:
                self._unsynced_bytes = 0  # a file has records of its own, too
            self._synced = target
