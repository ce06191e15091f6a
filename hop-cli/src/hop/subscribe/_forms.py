"""The forms in which a message is printed, as bytes."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any, TextIO

from hop.cli._text import escaped, is_terminal
from hop.cli._times import rfc3339
from hop.io import Metadata
from hop.models import JSONBlob, MessageModel, is_test

_encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


def as_text(message: MessageModel, end: bytes | None = None) -> bytes:
    """The form that the model has as text, a blob the bytes that it is; a line end unless it has one."""
    text = bytes(message)
    if end is not None:
        return text + end
    return text if text.endswith(b"\n") else text + b"\n"


def as_json(message: MessageModel, metadata: object = None) -> bytes:
    """`{"format": …, "content": …}` on one line."""
    if type(message) is JSONBlob:
        # What came as JSON nearly always is strict JSON; looking through it would take longer than encoding it.
        try:
            return _line(_encode({"format": "json", "content": message.content}))
        except ValueError:
            pass
    return _line(_encode(message.to_json_object()))


def as_json_with_metadata(message: MessageModel, metadata: Metadata) -> bytes:
    """The message and all that the broker knows of it on one line."""
    described = message.to_json_object()
    headers = metadata.headers or ()
    return _line(
        _encode(
            {
                "topic": metadata.topic,
                "partition": metadata.partition,
                "offset": metadata.offset,
                "timestamp": rfc3339(metadata.timestamp),
                "key": _text_or_base64(metadata.key),
                # Sixteen random bytes are text now and then.
                "headers": [
                    [name, _base64(value) if name == "_id" and value else _text_or_base64(value)]
                    for name, value in headers
                ],
                "format": described.pop("format"),
                "message": described.pop("content"),
                **described,
            }
        )
    )


def as_summary(message: MessageModel, metadata: Metadata) -> bytes:
    """One line with the time at which the message was written."""
    when = rfc3339(metadata.timestamp) or "-"
    summary = message.summary(test=is_test(metadata.headers))
    return _line(f"{when} {metadata.topic} {summary}")


def printable(data: bytes, stream: TextIO) -> bytes:
    """What to write to a stream: as it is, or, on a terminal, with nothing in it that a terminal would obey."""
    if not is_terminal(stream):
        return data
    text = escaped(data.decode("utf-8", "backslashreplace"))
    return text.encode(stream.encoding or "utf-8", "backslashreplace")


def _line(text: str) -> bytes:
    # Lone surrogates become the escapes that they are in JSON.
    return text.encode("utf-8", "backslashreplace") + b"\n"


def _text_or_base64(value: str | bytes | None) -> Any:
    if not isinstance(value, bytes):
        return value
    try:
        return value.decode()
    except UnicodeDecodeError:
        return _base64(value)


def _base64(value: bytes) -> dict[str, str]:
    return {"base64": b64encode(value).decode("ascii")}
