"""Messages that no broker will ever take, in a file beside the journal."""

from __future__ import annotations

import os
import struct
from pathlib import Path

from hop.robust_publisher._disk import open_file, sync, sync_folder
from hop.robust_publisher._frame import MAGIC, MARK_SIZE, Record, scan
from hop.robust_publisher._message import QueuedMessage, encode
from hop.robust_publisher._segment import Segment

# Kind of record: why a message was refused, and the message.
REFUSED = 4
_LENGTH = struct.Struct(">I")


class DeadLetters:
    """The file for what was refused, which comes into being with the first such message.

    Args:
        journal: the journal's path.
    """

    def __init__(self, journal: Path) -> None:
        self.path = journal.with_name(journal.name + ".dead")

    def add(self, message: QueuedMessage, reason: str) -> None:
        """Add a message; it is on disk when this returns.

        Raises:
            OSError: it could not be written.
        """
        said = reason.encode(errors="replace")
        body = encode(message.message, message.headers, message.topic, message.key)
        segment = Segment(self.path, message.sequence)
        segment.descriptor = open_file(self.path, os.O_RDWR | os.O_CREAT)
        try:
            self._find_end(segment)
            entry = REFUSED, message.sequence, _LENGTH.pack(len(said)) + said + body
            segment.write([entry])
            sync(segment.descriptor)
            sync_folder(self.path.parent)
        finally:
            segment.close()

    def _find_end(self, segment: Segment) -> None:
        """Where to go on in a file that has records already: after the last sound one."""
        descriptor = segment.descriptor
        for found in scan(descriptor, 0, os.fstat(descriptor).st_size):
            if isinstance(found, Record):
                if not segment.size:
                    segment.mark = os.pread(descriptor, MARK_SIZE, found.offset + len(MAGIC))
                segment.size = found.offset + found.size
            elif not found.torn:
                segment.size = found.offset + found.size


def apart(body: memoryview) -> tuple[str, bytes]:
    """Why a message was refused, and the message."""
    end = _LENGTH.size + _LENGTH.unpack_from(body)[0]
    return str(body[_LENGTH.size : end], "utf-8", "replace"), bytes(body[end:])
