"""A journal on disk, opened: its lock, its files, and the thread that brings them to disk."""

from __future__ import annotations

import atexit
import logging
import os
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from hop.robust_publisher._earlier import take_over
from hop.robust_publisher._errors import JournalError, JournalFullError, JournalWriteError
from hop.robust_publisher._frame import HEAD_SIZE
from hop.robust_publisher._load import Loader
from hop.robust_publisher._lock import Lock
from hop.robust_publisher._log import Log
from hop.robust_publisher._message import Letter
from hop.robust_publisher._tail import SEGMENT_SIZE, Tail

logger = logging.getLogger("hop.robust_publisher")

OnCorruption = Literal["continue", "raise"]
WhenFull = Literal["block", "raise"]

# What was written is on disk after this time, in seconds, and what the disk itself takes. It is less than the 50 ms
# that are promised.
_SYNC_DELAY = 0.03
# After a failure to bring it to disk, how long to wait for the next try, in seconds.
_RETRY_DELAY = 1.0
# While there is no room, how long to wait at a time, in seconds, so that Ctrl-C takes effect.
_SLICE = 0.2
# A smaller journal would hardly hold one message.
_MIN_MAX_BYTES = 1 << 16


class Store:
    """A journal that this process works on.

    Args:
        path: the journal.
        durable: whether `append` returns only when the messages are on disk.
        on_corruption: what to do about damaged parts, "continue" without them or "raise".
        max_bytes: how large its files may become together, None for no limit.
        when_full: what `append` does then, "block" or "raise".

    Raises:
        OSError: the journal can't be opened or read.
        JournalCorruptError: the file is damaged and `on_corruption` is "raise", or it is no journal.
        JournalInUseError: the journal is in use.
        ValueError: an option has a value that it can't have.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        durable: bool = False,
        on_corruption: OnCorruption = "continue",
        max_bytes: int | None = None,
        when_full: WhenFull = "block",
    ) -> None:
        if on_corruption not in ("continue", "raise"):
            raise ValueError(
                f"on_corruption is {on_corruption!r}; it has to be 'continue' or 'raise'"
            )
        if when_full not in ("block", "raise"):
            raise ValueError(f"when_full is {when_full!r}; it has to be 'block' or 'raise'")
        if max_bytes is not None and max_bytes < _MIN_MAX_BYTES:
            raise ValueError(
                f"max_journal_bytes is {max_bytes}; at least {_MIN_MAX_BYTES} are needed"
            )
        self._max_bytes = max_bytes
        self._when_full = when_full
        # Whatever the name under which a journal is opened, there is one lock, and the files lie together.
        self.path = Path(os.path.realpath(path))
        self._lock = Lock(self.path)
        self._closed = False
        try:
            _finish(self.path)
            strict = on_corruption == "raise"
            take_over(self.path, strict=strict)
            loaded = Loader(self.path, strict=strict)
            self.log = Log(
                self.path,
                loaded.segments,
                loaded.next_sequence,
                durable=durable,
                reserve=max_bytes is None,
                # Whole files are given back, so there have to be several.
                segment_size=SEGMENT_SIZE
                if max_bytes is None
                else min(SEGMENT_SIZE, max_bytes // 4),
            )
            # What was about to be deleted when the last one that worked on it was killed.
            self.log.settle(())
        except BaseException:
            self._closed = True
            self._lock.release()
            raise
        self._syncer = _Syncer(self.path, self.log.tail)
        self._syncer.start()
        # Later in the end of a program, its threads stand still and can't be waited for.
        atexit.register(self.close)

    def append(
        self,
        bodies: Sequence[bytes],
        still_sending: Callable[[], None],
        letters: Sequence[Letter] = (),
    ) -> int:
        """Write messages to the journal, all of them or none, and return the number of the first.

        Args:
            bodies: the messages, encoded.
            still_sending: raises when nothing is sent any more, so that waiting for room would be in vain.
            letters: the same messages, if they are likely to be taken soon.

        Raises:
            JournalError: the journal is closed, or was opened by another process.
            JournalWriteError: they could not be written.
            JournalFullError: the journal would become too large.
        """
        if self._closed or self._lock.foreign:
            self.check()
        if self._max_bytes is not None:
            size = sum(map(len, bodies)) + HEAD_SIZE * (len(bodies) + 1)
            self._make_room(size, self._max_bytes, still_sending)
        return self.log.append(bodies, letters)

    @property
    def foreign(self) -> bool:
        """Whether this process was forked from the one that opened the journal."""
        return self._lock.foreign

    def check(self) -> None:
        """Raise `JournalError` if the journal can't be worked on from here."""
        if self.foreign:
            raise JournalError(
                f"the journal {self.path} belongs to the process with pid {self._lock.pid}, from which this one"
                f" (pid {os.getpid()}) was forked; open another in here, or fork first"
            )
        if self._closed:
            raise JournalError(f"the journal {self.path} is closed")

    def close(self) -> None:
        """Bring everything to disk and close the files. Closing twice is harmless.

        Raises:
            JournalWriteError: it could not be brought to disk.
        """
        # A forked child leaves its parent's files alone.
        if self._closed or self.foreign:
            return
        self._closed = True
        atexit.unregister(self.close)
        self._syncer.stop()
        try:
            self.log.tail.sync()
        finally:
            self.log.close()
            self._lock.release()

    def _make_room(self, size: int, limit: int, still_sending: Callable[[], None]) -> None:
        log = self.log
        while log.segments.used + size > limit:
            # When everything has been sent, whoever sent it is about to delete it, or could not and may now.
            sent = not log.live
            if sent:
                log.settle(())
            with log.lock:
                if log.segments.used + size <= limit:
                    return
                if self._when_full == "raise" or size > limit or (sent and not log.live):
                    raise JournalFullError(
                        f"cannot write {size} bytes to the journal {self.path}: it would become larger than"
                        f" max_journal_bytes ({limit}); {log.live} messages in it wait to be sent"
                    )
                log.freed.wait(_SLICE)
            still_sending()


class _Syncer(threading.Thread):
    """Brings a journal to disk soon after it has been written to."""

    def __init__(self, path: Path, tail: Tail) -> None:
        super().__init__(name=f"hop: {path.name} to disk", daemon=True)
        self._tail = tail
        self._stopped = threading.Event()

    def run(self) -> None:
        delay = _SYNC_DELAY
        while not self._stopped.is_set():
            self._tail.dirty.wait()
            if self._stopped.wait(delay):
                return
            # Only here, so that a call to stop in the meantime is seen above.
            self._tail.dirty.clear()
            try:
                self._tail.sync()
            except JournalWriteError as exc:
                if delay == _SYNC_DELAY:
                    logger.error("%s; the next write will raise unless that changes", exc)
                delay = _RETRY_DELAY
                self._tail.dirty.set()
            else:
                delay = _SYNC_DELAY

    def stop(self) -> None:
        self._stopped.set()
        self._tail.dirty.set()
        self.join()


def _finish(path: Path) -> None:
    """Finish what was interrupted between writing a new file for the journal and giving it the journal's name."""
    unfinished = path.with_name(path.name + ".new")
    if path.exists():
        unfinished.unlink(missing_ok=True)
    elif unfinished.exists():
        # The old one is given another name only when the new one is complete and on disk.
        unfinished.rename(path)
