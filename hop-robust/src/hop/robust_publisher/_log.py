"""The journal as a sequence of messages over several files."""

from __future__ import annotations

import logging
import os
import struct
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

from hop.robust_publisher._disk import open_file, sync, sync_folder
from hop.robust_publisher._errors import JournalWriteError
from hop.robust_publisher._segment import MESSAGE, SETTLED, Entry, Segment, ranges
from hop.robust_publisher._segments import Segments
from hop.robust_publisher._wake import Wake

logger = logging.getLogger("hop.robust_publisher")

RANGE = struct.Struct(">QQ")

# A file that is longer is sealed and another begun, so that disk space is given back as messages arrive.
SEGMENT_SIZE = 16 << 20
# What is not on disk yet is also kept in memory, in case the disk fails; at most so much of it.
_MAX_UNSYNCED = 16 << 20


class Log:
    """The segments in their order, the last of which is written to.

    Two locks: `lock` guards everything in memory and the order of writes; `_syncing` is held while a file is
    brought to disk, and always taken first, so that nobody waits for the disk who only wants to write.

    Args:
        path: the active segment's file; the sealed ones lie beside it.
        segments: those that there are, oldest first; the active one, if there is any, is the last.
        next_sequence: the number of the next message.
        durable: whether `append` returns only when the messages are on disk.
        segment_size: how large a file becomes, in bytes, before the next is begun.

    Attributes:
        live: how many messages are still to be sent.
        used: how many bytes all files take.
        next_sequence: the number of the next message.
        visible: the number before which messages may be sent.
        lost: how many messages were found damaged after the journal was opened.
        segments: the files.
        epoch: how often numbering has begun again.
        dirty: set when something has been written that is not on disk.
        freed: notified when files have been deleted.
    """

    def __init__(
        self,
        path: Path,
        segments: Sequence[Segment],
        next_sequence: int,
        *,
        durable: bool = False,
        segment_size: int = SEGMENT_SIZE,
    ) -> None:
        self.path = path
        self.lock = threading.RLock()
        self.freed = threading.Condition(self.lock)
        self.dirty = Wake()
        self.next_sequence = self.visible = next_sequence
        self.epoch = self.lost = 0
        self.live = sum(segment.live for segment in segments)
        self.used = sum(segment.size for segment in segments)
        self._syncing = threading.RLock()
        self.segments = Segments(path, segments)
        self._durable = durable
        self._segment_size = segment_size
        self._unrecorded: list[tuple[int, int]] = []
        self._unsynced: list[Entry] = []
        self._unsynced_bytes = 0
        self._written = 0  # records, since the log was opened
        self._synced = 0
        self._suspect = False
        if not segments:
            # What is wrong with the place is found out now, and not when the first alert comes.
            self.segments.open_active(next_sequence)

    def append(self, bodies: Sequence[bytes]) -> int:
        """Write messages, all of them or none, and return the number of the first.

        Raises:
            JournalWriteError: they could not be written.
        """
        if self._suspect or self._unsynced_bytes > _MAX_UNSYNCED:
            self.sync()
        with self.lock:
            active = self.segments.active
            full = active is not None and active.size >= self._segment_size
        if full:
            self._rotate()
        with self.lock:
            first = self.next_sequence
            # Taken before anything can go wrong: a number is never given to two messages.
            self.next_sequence += len(bodies)
            self._write([Entry(MESSAGE, first + i, body) for i, body in enumerate(bodies)])
            self.live += len(bodies)
            end, written = self.next_sequence, self._written
            if not self._durable:
                self.visible = end
        if self._durable:
            try:
                self.sync(written)
            except JournalWriteError:
                self.settle(range(first, end))
                raise
            with self.lock:
                self.visible = max(self.visible, end)
        return first

    def settle(self, sequences: Iterable[int]) -> None:
        """Take note that messages need not be sent any more, and delete what is not needed for the others.

        The note that can't be written to disk now is written later: without it, messages may be sent twice.
        """
        with self.lock:
            for first, end in ranges(sequences):
                self._settle(first, end)
            self.live = sum(segment.live for segment in self.segments)
            if self._unrecorded and (self.live or any(s.sealed for s in self.segments)):
                self._record()
            finished = not self.live or any(s.finished for s in self.segments)
        if finished:
            self._clean()

    def lose(self, sequence: int) -> None:
        """Take note that a message can't be read any more; `settle` has to be called soon."""
        self.lost += 1
        self._settle(sequence, sequence + 1)

    def lose_all(self, segment: Segment) -> None:
        """Take note that a file is gone; `settle` has to be called soon."""
        logger.error(
            "the file %s of the journal is gone, and with it %d messages that were to be sent;"
            " everything else is sent",
            segment.path,
            segment.live,
        )
        self.lost += segment.live
        self.live -= segment.settle(segment.first, segment.end)

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
        with self._syncing:
            with self.lock:
                target = self._written
                if self._synced >= (target if upto is None else upto):
                    return
                if self._suspect:
                    self._rescue()
                    return
                active = self.segments.last
                try:
                    # The file may be sealed and closed by others while the disk works.
                    descriptor = os.dup(active.descriptor)
                except OSError as exc:
                    raise self._failed("bring to disk", exc) from exc
            try:
                sync(descriptor)
                if not active.entered:
                    sync_folder(self.path.parent)
            except OSError as exc:
                logger.warning("%s; it is written again", self._failed("bring to disk", exc))
                with self.lock:
                    self._suspect = True
                    self._rescue()
            else:
                with self.lock:
                    active.entered = True
                    self._on_disk(target)
            finally:
                os.close(descriptor)

    def close(self) -> None:
        with self.lock:
            self.segments.close()

    def _failed(self, what: str, exc: OSError) -> JournalWriteError:
        return JournalWriteError(f"cannot {what} the journal {self.path}: {exc.strerror or exc}")

    def _settle(self, first: int, end: int) -> None:
        for segment in self.segments.overlapping(first, end):
            self.live -= segment.settle(first, end)
        self._unrecorded.append((first, end))

    def _write(self, entries: Sequence[Entry]) -> None:
        if self._suspect:
            raise JournalWriteError(f"cannot bring to disk the journal {self.path}")
        try:
            active = self.segments.active or self.segments.open_active(entries[0].sequence)
            before = active.size
            active.write(entries)
        except OSError as exc:
            raise self._failed("write to", exc) from exc
        self.used += active.size - before
        self._unsynced.extend(entries)
        self._unsynced_bytes += active.size - before
        self._written += len(entries)
        self.dirty.set()

    def _record(self, more: Iterable[tuple[int, int]] = ()) -> bool:
        """Write which messages are settled, and return whether that was possible; `lock` is held."""
        pairs = [*self._unrecorded, *more]
        body = b"".join(RANGE.pack(*pair) for pair in pairs)
        try:
            self._write([Entry(SETTLED, self.next_sequence, body)])
        except JournalWriteError as exc:
            logger.warning("%s; messages that have been sent may be sent again", exc)
            return False
        for pair in pairs:
            for segment in self.segments.overlapping(*pair):
                segment.recorded_in.add(self.segments.last)
        self._unrecorded.clear()
        return True

    def _rotate(self) -> None:
        with self._syncing:
            self.sync()
            with self.lock:
                active = self.segments.active
                if active is not None and active.size >= self._segment_size:
                    try:
                        self.segments.seal(active)
                    except OSError as exc:
                        raise self._failed("begin another file of", exc) from exc

    def _clean(self) -> None:
        """Delete segments of which nothing is to be sent; empty the active one if that goes for all."""
        with self._syncing, self.lock:
            done = [segment for segment in self.segments if segment.finished]
            if done and self._bury(done):
                for segment in done:
                    self._delete(segment)
                sync_folder(self.path.parent)
            if not self.live and not any(segment.sealed for segment in self.segments):
                self._empty()
            self.freed.notify_all()

    def _bury(self, done: Sequence[Segment]) -> bool:
        """Bring to disk that nothing of these is to be sent, and what they say about those that stay."""
        kept = [s for s in self.segments if s not in done and not s.recorded_in.isdisjoint(done)]
        pairs = [(segment.first, segment.end) for segment in done]
        for segment in kept:
            pairs += segment.settled()
        if not self._record(pairs):
            # On a full disk, what others don't need makes room.
            return not kept
        try:
            self.sync()
        except JournalWriteError as exc:
            logger.warning("%s; files of which all has been sent stay", exc)
            return False
        for segment in kept:
            segment.recorded_in.difference_update(done)
        return True

    def _delete(self, segment: Segment) -> None:
        segment.close()
        try:
            segment.path.unlink(missing_ok=True)
        except OSError as exc:
            # It stays, with what is known of it, until the journal is opened again.
            segment.stuck = True
            logger.error(
                "cannot delete %s, all of which has been sent: %s", segment.path, exc.strerror
            )
            return
        self.segments.remove(segment)
        self.used -= segment.size

    def _empty(self) -> None:
        self.segments.empty()
        self.used = 0
        self.next_sequence = self.visible = 1
        self.epoch += 1
        self._unrecorded.clear()
        self._suspect = False
        self._on_disk(self._written)

    def _rescue(self) -> None:
        """Write what may not have got to disk to a new file; both locks are held.

        Raises:
            JournalWriteError: that is not possible either. It is tried again with the next `sync`.
        """
        active = self.segments.last
        entries = [e for e in self._unsynced if e.kind != MESSAGE or active.is_live(e.sequence)]
        first = next((e.sequence for e in entries if e.kind == MESSAGE), self.next_sequence)
        fresh = Segment(self.path, first)
        unfinished = self.path.with_name(self.path.name + ".new")
        try:
            fresh.descriptor = open_file(unfinished, os.O_RDWR | os.O_CREAT | os.O_TRUNC)
            fresh.write(entries)
            sync(fresh.descriptor)
            # What the disk has kept of the old file is read through a new descriptor.
            active.close()
            if not active.sealed:
                self.segments.seal(active)
            unfinished.rename(self.path)
            sync_folder(self.path.parent)
        except OSError as exc:
            fresh.close()
            raise self._failed("bring to disk", exc) from exc
        active.trim(first)
        fresh.entered = True
        self.used += fresh.size
        self.segments.add(fresh)
        self._suspect = False
        self._on_disk(self._written)

    def _on_disk(self, target: int) -> None:
        count = target - self._synced
        if count > 0:
            del self._unsynced[:count]
            self._synced = target
            self._unsynced_bytes = sum(len(entry.body) for entry in self._unsynced)
