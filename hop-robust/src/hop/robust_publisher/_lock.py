"""One process at a time works on a journal."""

from __future__ import annotations

import contextlib
import fcntl
import os
import threading
from pathlib import Path

from hop.robust_publisher._disk import open_file
from hop.robust_publisher._errors import JournalInUseError

# A lock of the system's does not keep a process from taking it twice.
_held: dict[Path, int] = {}
_held_lock = threading.Lock()


class Lock:
    """The lock beside a journal, which goes when the process does, however it ends.

    It belongs to the process and not to the open file, so that a child that was forked off does not keep it when
    its parent is gone.

    Raises:
        OSError: the lock's file can't be opened.
        JournalInUseError: the journal is in use.
    """

    def __init__(self, journal: Path) -> None:
        self._path = journal.with_name(journal.name + ".lock")
        self.pid = os.getpid()
        with _held_lock:
            if _held.get(self._path) == self.pid:
                raise JournalInUseError(
                    f"the journal {journal} is in use by this process (pid {self.pid}); use one publisher,"
                    " or give each its own journal_path"
                )
            self._descriptor = open_file(self._path, os.O_RDWR | os.O_CREAT)
            try:
                fcntl.lockf(self._descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as exc:
                holder = os.pread(self._descriptor, 32, 0).decode("ascii", "replace").strip()
                os.close(self._descriptor)
                if not isinstance(exc, (BlockingIOError, PermissionError)):
                    raise
                raise JournalInUseError(
                    f"the journal {journal} is in use by the process with pid {holder or 'unknown'};"
                    " wait for it to end, or give each process its own journal_path"
                ) from exc
            _held[self._path] = self.pid
        # The number only tells others who it is: a full disk must not keep what is in the journal from being sent.
        with contextlib.suppress(OSError):
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, b"%d\n" % self.pid, 0)

    def release(self) -> None:
        with _held_lock:
            del _held[self._path]
            os.close(self._descriptor)
