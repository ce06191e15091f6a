"""A journal on disk, opened: its lock, its files, and the thread that brings them to disk."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from hop.robust_publisher._earlier import take_over
from hop.robust_publisher._errors import JournalError, JournalWriteError
from hop.robust_publisher._load import Loader
from hop.robust_publisher._lock import Lock
from hop.robust_publisher._log import Log

logger = logging.getLogger("hop.robust_publisher")

OnCorruption = Literal["continue", "raise"]

# What was written is on disk after this time, in seconds, and what the disk itself takes. It is less than the 50 ms
# that are promised.
_SYNC_DELAY = 0.03
# After a failure to bring it to disk, how long to wait for the next try, in seconds.
_RETRY_DELAY = 1.0


class Store:
    """A journal that this process works on.

    Args:
        path: the journal.
        durable: whether `append` returns only when the messages are on disk.
        on_corruption: what to do about damaged parts, "continue" without them or "raise".

    Raises:
        OSError: the journal can't be opened or read.
        JournalCorruptError: the file is damaged and `on_corruption` is "raise", or it is no journal.
        JournalInUseError: the journal is in use.
        ValueError: `on_corruption` is something else.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        durable: bool = False,
        on_corruption: OnCorruption = "continue",
    ) -> None:
        if on_corruption not in ("continue", "raise"):
            raise ValueError(
                f"on_corruption is {on_corruption!r}; it has to be 'continue' or 'raise'"
            )
        # Whatever the name under which a journal is opened, there is one lock, and the files lie together.
        self.path = Path(os.path.realpath(path))
        self._lock = Lock(self.path)
        self._closed = False
        try:
            _finish(self.path)
            strict = on_corruption == "raise"
            take_over(self.path, strict=strict)
            loaded = Loader(self.path, strict=strict)
            self.log = Log(self.path, loaded.segments, loaded.next_sequence, durable=durable)
        except BaseException:
            self._closed = True
            self._lock.release()
            raise
        self._syncer = _Syncer(self.log)
        self._syncer.start()

    def append(self, bodies: Sequence[bytes]) -> int:
        """Write messages to the journal, all of them or none, and return the number of the first.

        Raises:
            JournalError: the journal is closed, or was opened by another process.
            JournalWriteError: they could not be written.
        """
        self.check()
        return self.log.append(bodies)

    def check(self) -> None:
        """Raise `JournalError` if the journal can't be worked on from here."""
        if os.getpid() != self._lock.pid:
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
        if self._closed or os.getpid() != self._lock.pid:
            return
        self._closed = True
        self._syncer.stop()
        try:
            self.log.sync()
        finally:
            self.log.close()
            self._lock.release()


class _Syncer(threading.Thread):
    """Brings a journal to disk soon after it has been written to."""

    def __init__(self, log: Log) -> None:
        super().__init__(name=f"hop: {log.path.name} to disk", daemon=True)
        self._log = log
        self._stopped = threading.Event()

    def run(self) -> None:
        delay = _SYNC_DELAY
        while not self._stopped.is_set():
            self._log.dirty.wait()
            if self._stopped.wait(delay):
                return
            # Only here, so that a call to stop in the meantime is seen above.
            self._log.dirty.clear()
            try:
                self._log.sync()
            except JournalWriteError as exc:
                if delay == _SYNC_DELAY:
                    logger.error("%s; the next write will raise unless that changes", exc)
                delay = _RETRY_DELAY
                self._log.dirty.set()
            else:
                delay = _SYNC_DELAY

    def stop(self) -> None:
        self._stopped.set()
        self._log.dirty.set()
        self.join()


def _finish(path: Path) -> None:
    """Finish what was interrupted between writing a new file for the journal and giving it the journal's name."""
    unfinished = path.with_name(path.name + ".new")
    if path.exists():
        unfinished.unlink(missing_ok=True)
    elif unfinished.exists():
        # The old one is given another name only when the new one is complete and on disk.
        unfinished.rename(path)
