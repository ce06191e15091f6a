"""BSON as other programs write and read it, and bytes that are none."""

from __future__ import annotations

import struct
import time
from contextlib import suppress
from datetime import datetime, timezone
from typing import Any

import bson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hop.io._bson import MOST_ELEMENTS, BSONError, dump, load

NAMES = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
VALUES = st.recursive(
    st.none() | st.integers(-(2**63), 2**63 - 1) | TEXT | st.binary(max_size=50),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(NAMES, inner, max_size=5),
    max_leaves=20,
)
DOCUMENTS = st.dictionaries(NAMES, VALUES, max_size=5)


def plain(value: Any) -> Any:
    """With bytes for what is a view of them."""
    if isinstance(value, dict):
        return {name: plain(inner) for name, inner in value.items()}
    if isinstance(value, list):
        return [plain(inner) for inner in value]
    return bytes(value) if isinstance(value, memoryview) else value


@given(DOCUMENTS)
def test_pymongo_reads_what_we_write(document: dict[str, Any]) -> None:
    assert bson.decode(dump(document)) == document


@given(DOCUMENTS)
def test_we_read_what_pymongo_writes(document: dict[str, Any]) -> None:
    assert plain(load(bson.encode(document))) == document


def test_other_types_are_read() -> None:
    when = datetime(2026, 11, 24, tzinfo=timezone.utc)
    document = {"a": 1.5, "b": True, "c": False, "d": when, "e": bson.Binary(b"x", 4), "f": 7}
    milliseconds = int(when.timestamp() * 1000)
    expected = {"a": 1.5, "b": True, "c": False, "d": milliseconds, "e": b"x", "f": 7}
    assert plain(load(bson.encode(document))) == expected


@given(st.binary(max_size=100))
def test_any_bytes_are_bson_or_an_error(data: bytes) -> None:
    with suppress(BSONError):
        load(data)


@given(DOCUMENTS, st.data())
def test_damaged_documents_are_read_or_an_error(document: dict[str, Any], data: Any) -> None:
    damaged = bytearray(dump(document))
    at = data.draw(st.integers(0, len(damaged) - 1))
    damaged[at] = data.draw(st.integers(0, 255))
    with suppress(BSONError):
        load(damaged)
    with pytest.raises(BSONError):
        load(damaged[:at])


def nested(depth: int) -> bytes:
    data = b"\x05\0\0\0\0"
    for _ in range(depth):
        data = struct.pack("<i", len(data) + 8) + b"\x03x\0" + data + b"\0"
    return data


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (nested(17), "nested deeper than 16"),
        (nested(2000), "nested deeper than 16"),
        (dump({"x": [None] * (MOST_ELEMENTS + 1)}), "more than 100000 elements"),
        (b"\x09\0\0\0\x0ax\0\0\0"[:9], "1 bytes|that says it has"),
        (b"\x08\0\0\0\x0bx\0\0", "type 0x0b"),
        (b"\x05\0\0\0\0\0", "1 bytes after its end"),
        (b"\xff\xff\xff\x7f", "a document of 2147483647 bytes"),
        (b"\xff\xff\xff\xff", "a document of -1 bytes"),
        (b"\x10\0\0\0\x05x\0\xff\xff\xff\xff\0abc\0", "-1 bytes are to follow"),
        (b"\x10\0\0\0\x05" + b"x" * 70_000, "."),
    ],
)
def test_what_is_beyond_the_bounds_is_refused(data: bytes, reason: str) -> None:
    with pytest.raises(BSONError, match=reason):
        load(data)


def test_refusing_takes_no_time() -> None:
    empty = b"\x03x\0\x05\0\0\0\0" * 2_000_000
    name = b"\x0a" + b"n" * 60_000 + b"\0"
    start = time.monotonic()
    for data in (empty, name * 1000):
        with pytest.raises(BSONError):
            load(struct.pack("<i", len(data) + 5) + data + b"\0\0")
    assert time.monotonic() - start < 5


@pytest.mark.parametrize("value", [1.5, True, {1}, object()])
def test_what_has_no_form_is_a_type_error(value: Any) -> None:
    with pytest.raises(TypeError, match="as BSON"):
        dump({"x": value})
