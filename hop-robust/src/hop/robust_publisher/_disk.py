"""Files: created for their owner only, written in full or not at all, and brought to disk."""

from __future__ import annotations

import fcntl
import os
import stat
from pathlib import Path

from hop.robust_publisher._errors import JournalCorruptError

_PRIVATE = 0o600
_CHUNK = 1 << 20

# macOS returns from fsync before the drive has written; only this waits for it.
_FULL_SYNC: int | None = getattr(fcntl, "F_FULLFSYNC", None)


def open_file(path: Path, flags: int) -> int:
    """Open a file, which nobody but its owner may read if it comes into being here."""
    return os.open(path, flags | os.O_CLOEXEC, _PRIVATE)


def write_at(descriptor: int, data: bytes | memoryview, offset: int) -> None:
    """Write at the end of a file, which is at `offset`. What can't be written in full is taken back.

    Raises:
        OSError: the data was not written. Unless even cutting failed, the file is as long as it was.
    """
    try:
        written = os.pwrite(descriptor, data, offset)
        while written < len(data):
            written += os.pwrite(descriptor, memoryview(data)[written:], offset + written)
    except BaseException:
        os.ftruncate(descriptor, offset)
        raise


def sync(descriptor: int) -> None:
    """Return when what was written to a file is on disk."""
    if _FULL_SYNC is not None:
        fcntl.fcntl(descriptor, _FULL_SYNC)
    else:
        os.fdatasync(descriptor)


def sync_folder(folder: Path) -> None:
    """Return when the names of the files in a folder are on disk."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def copy_part(source: int, offset: int, size: int, target: Path) -> None:
    """Copy a part of an open file to a new file, which has its name only when it is complete.

    Raises:
        OSError: it could not be copied; there is no such file.
    """
    unfinished = target.with_name(target.name + ".part")
    descriptor = open_file(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    try:
        done = 0
        while done < size and (part := os.pread(source, min(_CHUNK, size - done), offset + done)):
            write_at(descriptor, part, done)
            done += len(part)
        sync(descriptor)
        unfinished.rename(target)
    except BaseException:
        unfinished.unlink()
        raise
    finally:
        os.close(descriptor)
    sync_folder(target.parent)


def open_if_there(path: Path) -> int | None:
    """Open a file for reading, if it is there, without waiting for one who writes to a pipe."""
    try:
        descriptor = open_file(path, os.O_RDONLY | os.O_NONBLOCK)
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise JournalCorruptError(f"{path} is no journal: it is not a regular file")
    return descriptor
