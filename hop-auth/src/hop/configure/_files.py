"""Small files with configuration: read them whole, replace them whole, one process at a time."""

from __future__ import annotations

import errno
import os
import stat
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

MAX_SIZE = 1 << 20
"""Bytes that a configuration file may have; what is larger was not written by or for hop."""

LOCK_TIMEOUT = 5.0
"""Seconds to wait for another process that is changing the same file."""


def read_file(path: Path) -> tuple[bytes, int]:
    """Return the content of a file and its permission bits, both from one and the same file.

    Raises:
        OSError: there is no such file, it is not a plain file, it is too large, …
    """
    # without O_NONBLOCK, opening a named pipe would wait for someone to write to it
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0))
    try:
        status = os.fstat(descriptor)
        if not stat.S_ISREG(status.st_mode):
            raise OSError(errno.EINVAL, "it is not a plain file", str(path))
        with os.fdopen(descriptor, "rb", closefd=False) as file:
            content = file.read(MAX_SIZE + 1)
    finally:
        os.close(descriptor)
    _check_size(content, path)
    return content, stat.S_IMODE(status.st_mode)


def replace_file(path: Path, content: bytes, mode: int = 0o600) -> None:
    """Write a file so that at any time, a crash included, it has the old content or the new one.

    Nobody else can read the new content before the file has the permissions `mode`. A symbolic
    link stays, and the file that it points to is replaced.

    Raises:
        OSError: the file cannot be written; the old one is untouched.
    """
    import tempfile

    _check_size(content, path)
    target = _follow_links(path)
    _make_folders(target.parent)
    # its mode is 0600
    descriptor, name = tempfile.mkstemp(".tmp", f".{target.name}.", target.parent)
    temporary = Path(name)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            if mode != 0o600:
                temporary.chmod(mode)
            os.fsync(descriptor)
        temporary.replace(target)
    except BaseException:
        with suppress(OSError):
            temporary.unlink()
        raise
    _sync_folder(target.parent)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Keep other processes and threads that ask for the lock of this file waiting meanwhile.

    The lock is on a file next to it, `.NAME.lock`, because the file itself is replaced by each
    write. That file is empty and stays: removing it would let two processes in. Where the system
    (Windows) or the file system has no such locks, there is no protection.

    Raises:
        OSError: the lock file cannot be opened.
        TimeoutError: another process held the lock for `LOCK_TIMEOUT` seconds.
    """
    target = _follow_links(path)
    _make_folders(target.parent)
    lock = target.with_name(f".{target.name}.lock")
    # writable, because locks on NFS need it
    descriptor = os.open(lock, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if _acquire(descriptor, lock):
            _remove_leftovers(target)
        yield
    finally:
        os.close(descriptor)


def _acquire(descriptor: int, lock: Path) -> bool:
    try:
        import fcntl
    except ImportError:  # Windows
        return False
    deadline = time.monotonic() + LOCK_TIMEOUT
    while True:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        except BlockingIOError:
            if time.monotonic() > deadline:
                message = f"another process has held {lock} for {LOCK_TIMEOUT:.0f} s"
                raise TimeoutError(errno.ETIMEDOUT, message, str(lock)) from None
            time.sleep(0.02)
        except OSError as exc:
            # Lustre and some network file systems are mounted without locks
            if exc.errno in (errno.ENOSYS, errno.ENOLCK, errno.EOPNOTSUPP):
                return False
            raise


def _remove_leftovers(target: Path) -> None:
    """Remove what a process has left that was killed while it wrote: it may hold secrets."""
    for path in target.parent.iterdir():
        if path.name.startswith(f".{target.name}.") and path.name.endswith(".tmp"):
            path.unlink()


def _check_size(content: bytes, path: Path) -> None:
    if len(content) > MAX_SIZE:
        raise OSError(errno.EFBIG, f"it is larger than {MAX_SIZE >> 10} KiB", str(path))


def _follow_links(path: Path) -> Path:
    try:
        return path.resolve()
    except RuntimeError as exc:  # Python before 3.13
        raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(path)) from exc


def _make_folders(folder: Path) -> None:
    if not folder.is_dir():
        _make_folders(folder.parent)
        with suppress(FileExistsError):
            folder.mkdir(mode=0o700)


def _sync_folder(folder: Path) -> None:
    # not every system or file system can do it, and the file has been replaced by now
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
