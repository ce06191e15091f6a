"""Journals as earlier releases wrote them."""

from __future__ import annotations

import struct
import uuid
from zlib import crc32

from faults.publish import body

_SENT, _WITH_TOPIC = 1, 2


def journal(topic: str, written: int, sent: int, size: int = 1000) -> bytes:
    """A journal of so many messages, the first of which have been sent."""
    messages = (_message(topic, number, size) for number in range(written))
    return b"".join((*messages, *(_record(_SENT, _number(n)) for n in range(sent))))


def _message(topic: str, number: int, size: int) -> bytes:
    headers = [(b"_id", uuid.uuid4().bytes), (b"_format", b"blob")]
    parts = [_number(number), _text(topic.encode()), _text(body(number, size)), _text(b"")]
    parts.append(_number(len(headers)))
    parts += [_text(name) + _text(value) for name, value in headers]
    return _record(_WITH_TOPIC, b"".join(parts))


def _record(kind: int, content: bytes) -> bytes:
    head = struct.pack(">QQI", kind, len(content), crc32(content))
    return head + struct.pack(">I", crc32(head)) + content


def _number(value: int) -> bytes:
    return struct.pack(">Q", value)


def _text(value: bytes) -> bytes:
    return _number(len(value)) + value
