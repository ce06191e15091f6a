"""One file a message."""

from __future__ import annotations

import os
import re
from itertools import count
from pathlib import Path

from hop.cli import CommandError
from hop.cli._times import rfc3339
from hop.io import Metadata
from hop.models import MessageModel, VOEvent, format_name

_SUFFIXES = {
    "avro": "avro",
    "blob": "bin",
    "circular": "gcn3",
    "external": "json",
    "gcntextnotice": "txt",
    "json": "json",
    "voevent": "xml",
}


class Folder:
    """A folder to save messages in; it is made if it does not exist.

    Names are `TIME-TOPIC-PARTITION-OFFSET.SUFFIX`, which sort by the time at which messages were written. A file that
    is there stays: the same message is not saved twice, and another one of that name gets a number.
    """

    def __init__(self, path: str) -> None:
        self._path = Path(path)
        try:
            self._path.mkdir(parents=True, exist_ok=True)
        except OSError as exc:
            raise CommandError(f"cannot save messages in {path}: {exc.strerror}") from exc
        if not os.access(self._path, os.W_OK | os.X_OK):
            raise CommandError(f"cannot save messages in {path}: it is not writable")

    def save(self, message: MessageModel, metadata: Metadata) -> Path:
        """Save a message; returns the file that it is in.

        Raises:
            CommandError: it cannot be written; nothing of it is left.
        """
        format = format_name(type(message))
        content = _content(message)
        when = re.sub("[-:]", "", rfc3339(metadata.timestamp) or "00000000T000000.000Z")
        stem = f"{when}-{metadata.topic}-{metadata.partition}-{metadata.offset:010}"
        suffix = _SUFFIXES.get(format) or re.sub(r"[^a-z0-9_-]", "_", format)
        for number in count(1):
            more = "" if number == 1 else f"-{number}"
            path = self._path / f"{stem}{more}.{suffix}"
            try:
                if _write_new(path, content) or path.read_bytes() == content:
                    return path
            except OSError as exc:
                raise CommandError(f"cannot save a message to {path}: {exc.strerror}") from exc
        raise AssertionError("count() does not end")


def _write_new(path: Path, content: bytes) -> bool:
    """Write a file that is not there; False if it is."""
    try:
        file = path.open("xb")
    except FileExistsError:
        return False
    try:
        with file:
            file.write(content)
    except BaseException:
        path.unlink(missing_ok=True)
        raise
    return True


def _content(message: MessageModel) -> bytes:
    """What the model's `load_file` reads."""
    if isinstance(message, VOEvent):
        return message.to_xml() if message.xml is None else message.xml
    if format_name(type(message)) in ("circular", "gcntextnotice"):
        return bytes(message)
    content: bytes = message.serialize()["content"]
    return content
