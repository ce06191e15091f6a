"""Files: created for their owner only, written in full or not at all, and brought to disk."""

from __future__ import annotations

import os
from pathlib import Path

_PRIVATE = 0o600


def open_file(path: Path, flags: int = os.O_RDWR | os.O_CREAT) -> int:
    """Open a file that nobody but its owner may read if it comes into being here."""
    return os.open(path, flags | os.O_CLOEXEC, _PRIVATE)


def write_at(descriptor: int, data: bytes, offset: int) -> None:
    """Write at the end of a file, which is at `offset`. What can't be written in full is taken back.

    Raises:
        OSError: the data was not written, and the file is as long as it was; unless even that is impossible.
    """
    try:
        written = 0
        while written < len(data):
            count = os.pwrite(descriptor, memoryview(data)[written:], offset + written)
            if count == 0:
                raise OSError("nothing was written")
            written += count
    except BaseException:
        os.ftruncate(descriptor, offset)
        raise
