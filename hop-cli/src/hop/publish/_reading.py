"""From files and standard input to messages, one at a time and never more in memory than one."""

from __future__ import annotations

import json
import stat
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO

from hop.cli import CommandError
from hop.cli._errors import explain
from hop.models import JSONBlob, MessageModel, limits, message_models

LIMIT = 32 << 20
"""Bytes that one message may have on disk: many times what a broker takes, few enough to have in memory."""

_STANDARD_INPUT = "standard input"
# formats of which standard input holds many messages, one a line
_LINES = ("BLOB", "JSON")

_scan = json.JSONDecoder().raw_decode

Located = tuple[MessageModel, str]


class AsRead(JSONBlob):
    """A JSON value that is sent as it was read, which has to be plain ASCII, as JSON on the wire is."""

    def __init__(self, content: Any, text: bytes) -> None:
        self.content = content
        self._text = text

    def serialize(self) -> dict[str, Any]:
        return {"format": "json", "content": self._text}


def read(format_name: str, names: Sequence[str]) -> Iterator[Located]:
    """The messages, and with each where it was found, in words.

    Raises:
        CommandError: something can't be read or parsed; names it, with line and column where it has some.
    """
    for name in names or ["-"]:
        where = _STANDARD_INPUT if name == "-" else name
        with _explained(where, format_name):
            if name == "-":
                yield from _standard_input(format_name)
            elif format_name == "JSON":
                _check(Path(name))
                with Path(name).open("rb") as file:
                    yield from _json(file, where)
            else:
                _check(Path(name))
                model = message_models()[format_name.lower()]
                yield model.load_file(name), where


@contextmanager
def _explained(where: str, format_name: str) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        raise CommandError(f"cannot publish {where}: {exc.strerror or exc}") from exc
    except (CommandError, GeneratorExit):
        raise
    # A plugin's model may raise anything.
    except Exception as exc:
        reason = explain(exc).removeprefix(f"{where}: ")
        if isinstance(exc, UnicodeDecodeError):
            reason = f"it is not text in UTF-8: {exc.reason} at byte {exc.start}"
        raise CommandError(f"cannot publish {where} as {format_name}: {reason}") from exc


def _check(path: Path) -> None:
    """Refuse what would never end or not fit into memory, before it is read."""
    status = path.stat()
    if stat.S_ISCHR(status.st_mode) or stat.S_ISBLK(status.st_mode):
        raise ValueError("it is a device; for standard input, give - instead")
    if stat.S_ISSOCK(status.st_mode):
        raise ValueError("it is a socket, not a file")


def _standard_input(format_name: str) -> Iterator[Located]:
    if sys.stdin is None:
        raise ValueError("it is closed; name a file, or pipe something in")
    file = sys.stdin.buffer
    if format_name in _LINES:
        try:
            yield from _json_lines(file, _STANDARD_INPUT)
        except ValueError as exc:
            if format_name == "JSON":
                raise
            raise ValueError(
                f"{exc}; it has to be JSON, one value a line; other blobs go into files"
            ) from exc
        return
    content = _limited(file.read(LIMIT + 1), "it")
    if content.strip():
        yield message_models()[format_name.lower()].load(content), _STANDARD_INPUT


def _json(file: BinaryIO, where: str) -> Iterator[Located]:
    """One JSON value, or, where the first line is one by itself, one a line."""
    skipped = 0
    line = file.readline(LIMIT + 1)
    while line and not line.strip():
        skipped += 1
        line = file.readline(LIMIT + 1)
    if not line:
        raise ValueError("it is empty")
    try:
        first = _parse(_limited(line, f"line {skipped + 1}").rstrip(b"\r\n"))
    except ValueError:
        content = _limited(line + file.read(max(0, LIMIT + 1 - len(line))), "it")
        yield _load_json(content, skipped), where
        return
    yield first, f"{where}, line {skipped + 1}"
    yield from _json_lines(file, where, skipped + 1)


def _json_lines(file: BinaryIO, where: str, before: int = 0) -> Iterator[Located]:
    number = before
    while line := file.readline(LIMIT + 1):
        number += 1
        if line.isspace():
            continue
        if len(line) > LIMIT:
            _limited(line, f"line {number}")
        yield _load_json(line.rstrip(b"\r\n"), number - 1), f"{where}, line {number}"


def _parse(content: bytes) -> JSONBlob:
    if not content.isascii():
        return JSONBlob.deserialize(content)
    text = content.decode()
    # Nearly every line is one value and nothing else, which takes half as long to see as to decode it with all the
    # exceptions that there may be.
    try:
        value, end = _scan(text)
        if end == len(text) and text.count("[") + text.count("{") <= limits.json_depth:
            return AsRead(value, content)
    except (ValueError, RecursionError):
        pass
    message = JSONBlob.deserialize(content)
    # UTF-16 is full of zeros.
    return message if "\0" in text else AsRead(message.content, content)


def _load_json(content: bytes, lines_before: int) -> JSONBlob:
    try:
        return _parse(content)
    except ValueError as exc:
        reason = str(exc).removeprefix("JSONBlob: ")
        cause = exc.__cause__
        if isinstance(cause, json.JSONDecodeError):
            line = lines_before + cause.lineno
            raise ValueError(f"line {line}, column {cause.colno}: {cause.msg}") from exc
        place = f"line {lines_before + 1}: " if b"\n" not in content[:-1] else ""
        raise ValueError(f"{place}{reason}") from exc


def _limited(content: bytes, what: str) -> bytes:
    if len(content) > LIMIT:
        raise ValueError(
            f"{what} is longer than {LIMIT >> 20} MB, the most that a message may have here"
        )
    return content
