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


def as_json(message: MessageModel, metadata: Metadata | None = None) -> bytes:
    """`{"format": …, "content": …}` on one line; JSON as it was sent, where it is fit for that."""
    if type(message) is JSONBlob:
        if metadata is not None and (body := _as_sent(metadata)) is not None:
            return b'{"format": "json", "content": ' + body + b"}\n"
        # What came as JSON nearly always is strict JSON; looking through it would take longer than encoding it.
        try:
            return _json.line({"format": "json", "content": message.content})
        except ValueError:
            pass
    return _json.line(message.to_json_object())


def _as_sent(metadata: Metadata) -> bytes | None:
    """The body of a message that is JSON, unless it is to be shown differently from how it was sent.

    That is what is on several lines, or has letters as escapes, NaN or infinities, or is in UTF-16, or is the
    envelope of clients before 0.6. To look for what each of them has takes a fraction of encoding it again.
    """
    body = None if metadata._raw is None else metadata._raw.value()
    if body is None or not body.isascii():
        return None
    text = body.decode()
    if (
        "\\" in text
        or "\n" in text
        or "\r" in text
        or "\0" in text
        or "NaN" in text
        or "Infinity" in text
        or ('"format"' in text and '"content"' in text)
    ):
        return None
    return body


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
