"""BSON, as far as the service for large messages speaks it (bsonspec.org, version 1.1).

pymongo's codec would be a database driver of 5 MB, and makes a Python object of everything before one can look at
any of it: of a quarter of a gigabyte of empty documents, several gigabytes. This one copies nothing but what it is
asked for, and refuses what has more elements, or is nested deeper, than a message with headers can be.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from typing import Any

# More than Kafka has headers in a message of a megabyte.
MOST_ELEMENTS = 100_000
_DEEPEST = 16
_LONGEST_NAME = 1 << 16
_LARGEST = 2**31 - 1

_int32 = struct.Struct("<i")
_int64 = struct.Struct("<q")
_double = struct.Struct("<d")


class BSONError(ValueError):
    """What was read is not BSON, or more than it should be."""


def dump(document: Mapping[str, Any]) -> bytes:
    """A document of text, bytes, numbers, None, and documents and lists of these.

    Raises:
        BSONError: it would be larger than BSON can be.
        TypeError: it holds something else.
    """
    parts: list[bytes] = []
    _write(parts, document.items())
    return b"".join(parts)


def load(data: bytes | bytearray) -> dict[str, Any]:
    """The document that the bytes are; binary values are views of them.

    Raises:
        BSONError: they are none, or one that is beyond the bounds.
    """
    reader = _Reader(data)
    try:
        document = dict(reader.document(0))
    except (struct.error, UnicodeDecodeError) as exc:
        raise BSONError(f"{exc} at byte {reader.at}") from exc
    if reader.at != len(data):
        raise BSONError(f"{len(data) - reader.at} bytes after its end")
    return document


def _write(parts: list[bytes], elements: Any) -> int:
    """Append a document; its length."""
    start = len(parts)
    parts.append(b"")  # its length
    length = 5
    for name, value in elements:
        kind, encoded, size = _encoded(value)
        head = kind + name.encode() + b"\0"
        parts.append(head)
        parts.extend(encoded)
        length += len(head) + size
    parts.append(b"\0")
    if length > _LARGEST:
        raise BSONError(f"a document of {length} bytes, of which BSON takes {_LARGEST}")
    parts[start] = _int32.pack(length)
    return length


def _encoded(value: Any) -> tuple[bytes, list[bytes], int]:
    match value:
        case bytes():
            # Not joined: it is a copy less of something large.
            if len(value) > _LARGEST:
                raise BSONError(f"{len(value)} bytes, of which BSON takes {_LARGEST}")
            return b"\x05", [_int32.pack(len(value)) + b"\0", value], 5 + len(value)
        case str():
            text = value.encode() + b"\0"
            return b"\x02", [_int32.pack(len(text)), text], 4 + len(text)
        case None:
            return b"\x0a", [], 0
        case int() if not isinstance(value, bool):
            return b"\x12", [_int64.pack(value)], 8
        case Mapping():
            parts: list[bytes] = []
            return b"\x03", parts, _write(parts, value.items())
        case Sequence():
            parts = []
            return b"\x04", parts, _write(parts, ((str(i), v) for i, v in enumerate(value)))
    raise TypeError(f"cannot write a {type(value).__name__} as BSON")


class _Reader:
    """Goes through the bytes once, from their start to their end."""

    def __init__(self, data: bytes | bytearray) -> None:
        self._whole = data
        self._data = memoryview(data)
        self.at = 0
        self._elements = 0

    def document(self, depth: int) -> list[tuple[str, Any]]:
        start = self.at
        (length,) = self._number(_int32)
        if not 5 <= length <= len(self._data) - start:
            raise BSONError(f"a document of {length} bytes at byte {start}")
        if depth > _DEEPEST:
            raise BSONError(f"nested deeper than {_DEEPEST} levels")
        elements = []
        while kind := self._bytes(1)[0]:
            self._elements += 1
            if self._elements > MOST_ELEMENTS:
                raise BSONError(f"more than {MOST_ELEMENTS} elements")
            elements.append((self._name(), self._value(kind, depth)))
        if self.at != start + length:
            raise BSONError(f"a document of {self.at - start} bytes that says it has {length}")
        return elements

    def _value(self, kind: int, depth: int) -> Any:
        match kind:
            case 0x01:
                return self._number(_double)[0]
            case 0x02:
                (length,) = self._number(_int32)
                text = self._bytes(length)
                if not length or text[-1]:
                    raise BSONError(f"text without an end at byte {self.at}")
                return str(text[:-1], "utf-8")
            case 0x03:
                return dict(self.document(depth + 1))
            case 0x04:
                return [value for _, value in self.document(depth + 1)]
            case 0x05:
                (length,) = self._number(_int32)
                self._bytes(1)  # the kind of binary
                return self._bytes(length)
            case 0x08:
                return self._bytes(1)[0] != 0
            case 0x09 | 0x12:  # a time is milliseconds since 1970, too
                return self._number(_int64)[0]
            case 0x0A:
                return None
            case 0x10:
                return self._number(_int32)[0]
        raise BSONError(f"an element of type {kind:#04x} at byte {self.at}")

    def _name(self) -> str:
        start = self.at
        end = self._whole.find(0, start, start + _LONGEST_NAME)
        if end < 0:
            raise BSONError(f"a name without an end at byte {start}")
        self.at = end + 1
        return str(self._data[start:end], "utf-8")

    def _number(self, form: struct.Struct) -> tuple[Any, ...]:
        return form.unpack(self._bytes(form.size))

    def _bytes(self, length: int) -> memoryview:
        taken = self._data[self.at : self.at + max(length, 0)]
        if len(taken) != length:
            raise BSONError(f"{length} bytes are to follow byte {self.at}, and {len(taken)} do")
        self.at += length
        return taken
