"""A message as it lies in the journal."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import NamedTuple

HeaderValue = bytes | None
Headers = list[tuple[str, HeaderValue]]

# which of topic and key there are, length of the topic, length of the key, number of headers
FIXED = struct.Struct(">BHIH")
HEADER = struct.Struct(">HI")
_HAS_TOPIC = 1
_HAS_KEY = 2
_NULL = 0xFFFFFFFF
_MAX_SHORT = 0xFFFF
# What Kafka can transport at all lies far below; the limit keeps a record's length inside its four bytes.
MAX_SIZE = 1 << 30


# A message's body, headers, topic and key, as they are sent.
Letter = tuple[bytes, Headers, str | None, bytes | None]


class _Three(NamedTuple):
    sequence: int
    message: bytes
    headers: Headers


class QueuedMessage(_Three):
    """A message that is to be sent: the tuple (sequence number, message, headers).

    Attributes:
        sequence: its number in the journal.
        message: its body.
        headers: (name, value) pairs; names are text, values bytes or None.
        topic: the topic it is for; None for the producer's own.
        key: its key, or None.
    """

    topic: str | None
    key: bytes | None

    def __new__(
        cls,
        sequence: int,
        message: bytes,
        headers: Headers,
        topic: str | None = None,
        key: bytes | None = None,
    ) -> QueuedMessage:
        self = tuple.__new__(cls, (sequence, message, headers))
        self.topic = topic
        self.key = key
        return self

    @property
    def letter(self) -> Letter:
        """The message without its number."""
        return self.message, self.headers, self.topic, self.key


def encode(
    message: bytes | bytearray | memoryview,
    headers: Iterable[tuple[str | bytes, str | bytes | None]] = (),
    topic: str | None = None,
    key: str | bytes | None = None,
) -> bytes:
    """A record's body.

    Raises:
        TypeError: the message is not bytes, or a header, the topic or the key is of a kind that can't be sent.
        ValueError: they are larger than a record can hold.
    """
    if not isinstance(message, (bytes, bytearray, memoryview)):
        raise TypeError(f"a message in a journal is bytes, not {type(message).__name__}")
    if topic is not None and not isinstance(topic, str):
        raise TypeError(f"a topic is text, not {type(topic).__name__}")
    its_topic = b"" if topic is None else topic.encode()
    its_key = b"" if key is None else as_bytes(key)
    parts: list[bytes | bytearray | memoryview] = [b"", its_topic, its_key]
    count = 0
    for name, value in headers:
        its_name = name.encode() if isinstance(name, str) else _name(name)
        if len(its_name) > _MAX_SHORT:
            raise ValueError(
                f"a header's name is {len(its_name)} bytes long; {_MAX_SHORT} are possible"
            )
        if value is None:
            parts += HEADER.pack(len(its_name), _NULL), its_name
        else:
            if not isinstance(value, bytes):
                value = as_bytes(value)
            parts += HEADER.pack(len(its_name), len(value)), its_name, value
        count += 1
    if len(its_topic) > _MAX_SHORT or count > _MAX_SHORT:
        raise ValueError(f"a topic's name and the number of headers are at most {_MAX_SHORT}")
    flags = (0 if topic is None else _HAS_TOPIC) | (0 if key is None else _HAS_KEY)
    parts[0] = FIXED.pack(flags, len(its_topic), len(its_key), count)
    parts.append(message)
    body = b"".join(parts)
    if len(body) > MAX_SIZE:
        raise ValueError(
            f"the message with its headers is {len(body)} bytes long; {MAX_SIZE} are possible"
        )
    return body


def decode(body: bytes) -> Letter:
    """The message in a record's body."""
    flags, topic_size, key_size, count = FIXED.unpack_from(body)
    at = FIXED.size
    topic = body[at : at + topic_size].decode() if flags & _HAS_TOPIC else None
    at += topic_size
    key = body[at : at + key_size] if flags & _HAS_KEY else None
    at += key_size
    headers: Headers = []
    for _ in range(count):
        name_size, value_size = HEADER.unpack_from(body, at)
        at += HEADER.size
        name = body[at : at + name_size].decode()
        at += name_size
        if value_size == _NULL:
            headers.append((name, None))
            continue
        headers.append((name, body[at : at + value_size]))
        at += value_size
    return body[at:], headers, topic, key


def as_bytes(value: object) -> bytes:
    """A key, or a header's name or value, as it is sent."""
    if isinstance(value, bytes):
        return value
    if isinstance(value, str):
        return value.encode()
    if isinstance(value, (bytearray, memoryview)):
        return bytes(value)
    raise TypeError(f"a key and a header's name and value are text or bytes, not {value!r}")


def _name(name: object) -> bytes:
    packed = as_bytes(name)
    # Kafka's names of headers are text: what is not would be found out only when it is sent.
    packed.decode()
    return packed
