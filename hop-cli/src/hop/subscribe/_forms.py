"""The forms in which a message is printed, as bytes."""

from __future__ import annotations

from hop.cli import _json
from hop.cli._times import rfc3339
from hop.io import Metadata
from hop.models import JSONBlob, MessageModel, is_test


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
            return _json.line({"format": "json", "content": message.content})
        except ValueError:
            pass
    return _json.line(message.to_json_object())


def as_json_with_metadata(message: MessageModel, metadata: Metadata) -> bytes:
    """The message and all that the broker knows of it on one line."""
    described = message.to_json_object()
    return _json.line(
        {
            "topic": metadata.topic,
            "partition": metadata.partition,
            "offset": metadata.offset,
            "timestamp": rfc3339(metadata.timestamp),
            "key": _json.text_or_base64(metadata.key),
            "headers": _json.header_pairs(metadata.headers),
            "format": described.pop("format"),
            "message": described.pop("content"),
            **described,
        }
    )


def as_summary(message: MessageModel, metadata: Metadata) -> bytes:
    """One line with the time at which the message was written."""
    when = rfc3339(metadata.timestamp) or "-"
    summary = message.summary(test=is_test(metadata.headers))
    return _json.text_line(f"{when} {metadata.topic} {summary}")
