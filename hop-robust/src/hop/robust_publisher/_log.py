"""The journal as a sequence of messages over several files."""

from __future__ import annotations

import logging
import struct
import threading
from collections.abc import Iterable, Sequence
from pathlib import Path

from hop.robust_publisher._disk import sync_folder
from hop.robust_publisher._errors import JournalWriteError
from hop.robust_publisher._message import Letter
from hop.robust_publisher._recent import Recent
from hop.robust_publisher._segment import MESSAGE, SETTLED, Segment, ranges
from hop.robust_publisher._segments import Segments
from hop.robust_publisher._tail import SEGMENT_SIZE, Tail

logger = logging.getLogger("hop.robust_publisher")

RANGE = struct.Struct(">QQ")


class Log:
    """The messages in all segments, and which of them are still to be sent.

    Args:
        path: the active segment's file; the sealed ones lie beside it.
        segments: those that there are, oldest first; the active one, if there is any, is the last.
        next_sequence: the number of the next message.
        durable: whether `append` returns only when the messages are on disk.
        segment_size: how large a file becomes, in bytes, before the next is begun.
        reserve: whether files may be longer than what is in them, so that `append` takes less time.

    Attributes:
        live: how many messages are still to be sent.
        next_sequence: the number of the next message.
        visible: the number before which messages may be sent.
        lost: how many messages were found damaged after the journal was opened.
        epoch: how often numbering has begun again.
        segments: the files.
        tail: where they are written to.
        recent: the youngest messages.
        lock: guards all of this.
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
        reserve: bool = False,
    ) -> None:
        self.path = path
        self.segments = Segments(path, segments)
        self.tail = Tail(path, self.segments, segment_size, reserve)
        self.recent = Recent()
        self.lock = self.tail.lock
        self.freed = threading.Condition(self.lock)
        self.next_sequence = self.visible = next_sequence
        self.epoch = self.lost = 0
        self.live = sum(segment.live for segment in segments)
        self._durable = durable
        self._unrecorded: list[tuple[int, int]] = []
        if not segments:
            # What is wrong with the place is found out now, and not when the first alert comes.
            self.segments.open_active(next_sequence)

    def append(self, bodies: Sequence[bytes], letters: Sequence[Letter] = ()) -> int:
        """Write messages, all of them or none, and return the number of the first.

        Args:
            bodies: the messages, encoded.
            letters: the same messages, for those who take them soon.

        Raises:
            JournalWriteError: they could not be written.
        """
        self.tail.prepare()
        with self.lock:
            first = self.next_sequence
            # Taken before anything can go wrong: a number is never given to two messages.
            self.next_sequence += len(bodies)
            self.tail.write([(MESSAGE, number, body) for number, body in enumerate(bodies, first)])
            self.live += len(bodies)
            self.recent.add(first, letters)
            end, written = self.next_sequence, self.tail.written
            if not self._durable:
                self.visible = end
        if self._durable:
            try:
                self.tail.sync(written)
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

    def close(self) -> None:
        with self.lock:
            self.segments.close()

    def _settle(self, first: int, end: int) -> None:
        for segment in self.segments.overlapping(first, end):
            self.live -= segment.settle(first, end)
        self._unrecorded.append((first, end))

    def _record(self, more: Iterable[tuple[int, int]] = ()) -> bool:
        """Write which messages are settled, and return whether that was possible; `lock` is held."""
        pairs = [*self._unrecorded, *more]
        body = b"".join(RANGE.pack(*pair) for pair in pairs)
        try:
            self.tail.write([(SETTLED, self.next_sequence, body)])
        except JournalWriteError as exc:
            logger.warning("%s; messages that have been sent may be sent again", exc)
            return False
        for pair in pairs:
            for segment in self.segments.overlapping(*pair):
                segment.recorded_in.add(self.segments.last)
        self._unrecorded.clear()
        return True

    def _clean(self) -> None:
        """Delete segments of which nothing is to be sent; empty the active one if that goes for all."""
        with self.tail.syncing, self.lock:
            done = [segment for segment in self.segments if segment.finished]
            if done and self._bury(done):
                self._delete(done)
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
            self.tail.sync()
        except JournalWriteError as exc:
            logger.warning("%s; files of which all has been sent stay", exc)
            return False
        for segment in kept:
            segment.recorded_in.difference_update(done)
        return True

    def _delete(self, segments: Sequence[Segment]) -> None:
        for segment in segments:
            segment.close()
            try:
                segment.path.unlink(missing_ok=True)
            except OSError as exc:
                # It stays, with what is known of it, until the journal is opened again.
                segment.stuck = True
                logger.error(
                    "cannot delete %s, all of which has been sent: %s", segment.path, exc.strerror
                )
            else:
                self.segments.remove(segment)
        try:
            sync_folder(self.path.parent)
        except OSError as exc:
            # Should they come back in a power failure, what was in them is known to have been sent.
            logger.warning(
                "cannot bring to disk that files of the journal %s are deleted: %s",
                self.path,
                exc.strerror,
            )

    def _empty(self) -> None:
        try:
            self.segments.empty()
        except OSError as exc:
            logger.warning("cannot empty the journal %s: %s", self.path, exc.strerror)
            # It is tried again when more has been sent; until then the file says that it has.
            if self._unrecorded:
                self._record()
            return
        self.next_sequence = self.visible = 1
        self.epoch += 1
        self._unrecorded.clear()
        self.recent.clear()
        self.tail.begin_again()
