"""One process at a time works on a journal."""

from __future__ import annotations

import contextlib
import fcntl
import os
import struct
import sys
import threading
from pathlib import Path
from weakref import WeakSet

from hop.robust_publisher._disk import open_file, open_if_there
from hop.robust_publisher._errors import JournalInUseError

# A lock of the system's does not keep a process from taking it twice.
_held: dict[Path, int] = {}
_held_lock = threading.Lock()
_locks: WeakSet[Lock] = WeakSet()
# `struct flock` of the system: where in it are the kind of lock and the process id.
_FLOCK = ("qqihh", 3, 2) if sys.platform == "darwin" else ("hhqqi4x", 0, 4)


class Lock:
    """The lock beside a journal, which goes when the process does, however it ends.

    It belongs to the process and not to the open file, so that a child that was forked off does not keep it when
    its parent is gone.

    Attributes:
        pid: the process that has it.
        foreign: whether this is another one, a child of that. It is asked with every message.

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
        self.foreign = False
        _locks.add(self)
        # The number only tells others who it is: a full disk must not keep what is in the journal from being sent.
        with contextlib.suppress(OSError):
            os.ftruncate(self._descriptor, 0)
            os.pwrite(self._descriptor, b"%d\n" % self.pid, 0)

    def release(self) -> None:
        with _held_lock:
            del _held[self._path]
            os.close(self._descriptor)


def _in_child() -> None:
    for lock in _locks:
        lock.foreign = True


os.register_at_fork(after_in_child=_in_child)


def holder(journal: Path) -> int | None:
    """The process that holds the journal's lock."""
    path = journal.with_name(journal.name + ".lock")
    # To close the lock's file, here, would be to give up the lock, were it ours.
    if _held.get(path) == os.getpid():
        return os.getpid()
    descriptor = open_if_there(path)
    if descriptor is None:
        return None
    layout, kind, pid = _FLOCK
    wanted = [0] * 5
    wanted[kind] = fcntl.F_WRLCK
    try:
        found = fcntl.fcntl(descriptor, fcntl.F_GETLK, struct.pack(layout, *wanted))
        answer = struct.unpack(layout, found)
        return None if answer[kind] == fcntl.F_UNLCK else int(answer[pid])
    finally:
        os.close(descriptor)
