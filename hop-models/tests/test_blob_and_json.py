"""Bytes, and JSON values."""

from __future__ import annotations

import json
import math
import sys
from typing import Any

import pytest

from hop.models import Blob, DecodeError, ExternalMessage, JSONBlob, limits


def test_a_blob_is_its_bytes() -> None:
    blob = Blob(b"\x02Binary data\xff\x03")
    assert blob.serialize() == {"format": "blob", "content": b"\x02Binary data\xff\x03"}
    assert Blob.deserialize(b"\x02") == Blob(b"\x02")
    assert bytes(blob) == b"\x02Binary data\xff\x03"
    assert str(blob) == "\x02Binary data\\xff\x03"
    assert (blob.declared_format, blob.reason) == (None, None)
    assert repr(blob) == r"Blob(content=b'\x02Binary data\xff\x03')"


def test_other_bytes_become_bytes_and_text_is_refused() -> None:
    assert Blob(bytearray(b"a")) == Blob(b"a") == Blob(memoryview(b"a"))  # type: ignore[arg-type]
    assert type(Blob(bytearray(b"a")).content) is bytes  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="a Blob holds bytes, not str; encode it, or use JSONBlob"):
        Blob("text")  # type: ignore[arg-type]


def test_no_repr_is_megabytes_long() -> None:
    assert len(repr(Blob(b"x" * 10**7))) < 200
    assert len(repr(JSONBlob({f"key {i}": ["x" * 10**6] * 5 for i in range(20)}))) < 700
    assert len(repr(JSONBlob([[["deep"] * 1000] * 1000]))) < 700
    assert len(repr(JSONBlob(10**10_000))) < 100


@pytest.mark.parametrize(
    "value", ["text", 5, 1.5, True, None, [1, [2]], {"a": {"b": None}}, "Ü ☃ \U0001f600"]
)
def test_any_json_value_is_a_message(value: Any) -> None:
    message = JSONBlob(value)
    serialized = message.serialize()
    assert serialized["format"] == "json"
    assert json.loads(serialized["content"]) == value
    assert JSONBlob.deserialize(serialized["content"]) == message
    assert json.loads(str(message)) == value
    assert bytes(message) == str(message).encode()
    assert message.to_json_object() == {"format": "json", "content": value}


def test_json_is_printed_for_people() -> None:
    assert str(JSONBlob({"name": "Ünïcode"})) == '{"name": "Ünïcode"}'
    assert str(JSONBlob(["\ud800"])) == '["\\ud800"]', (
        "a lone surrogate would end the program that prints it"
    )
    assert json.loads(bytes(JSONBlob(["\ud800"]))) == ["\ud800"]


def test_what_json_cannot_hold_is_a_type_error() -> None:
    with pytest.raises(TypeError, match="bytes is not JSON serializable"):
        JSONBlob({"a": b"bytes"}).serialize()


def test_numbers_that_are_none_are_read_and_shown_as_null() -> None:
    message = JSONBlob.load('{"far": NaN, "snr": -Infinity}')
    assert math.isnan(message.content["far"])
    assert message.to_json_object()["content"] == {"far": None, "snr": None}


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", r"Expecting value: line 1 column 1"),
        (b"{", r"line 1 column 2"),
        (b'{"a": 1} trailing', r"Extra data"),
        (b'"\xff"', r"not text"),
        (b"[" * 10**6, r"nested too deep|Expecting value"),
        (b"[" * 300 + b"]" * 300, r"nested deeper than 200 levels"),
        (b'{"a":' * 300 + b"1" + b"}" * 300, r"nested deeper than 200 levels"),
        (b"1" * 5000, r"[Ee]xceeds the limit"),
    ],
)
def test_bad_json_is_one_line_of_value_error(data: bytes, problem: str) -> None:
    with pytest.raises(DecodeError, match=problem) as caught:
        JSONBlob.load(data)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 300


def test_the_depth_of_json_can_be_changed(restored_limits: None) -> None:
    limits.json_depth = 3
    assert JSONBlob.load("[[[1, 2], [3]]]").content == [[[1, 2], [3]]]
    with pytest.raises(DecodeError, match="nested deeper than 3 levels"):
        JSONBlob.load("[[[1, [2]]]]")
    assert JSONBlob.load('"[[[[[["').content == "[[[[[[", "brackets in text are no depth"


def test_what_is_read_can_be_printed() -> None:
    deep = JSONBlob.load("[" * limits.json_depth + "]" * limits.json_depth)
    assert json.loads(str(deep)) == deep.content
    assert deep.summary()
    assert deep.to_json_object()["content"] == deep.content
    assert sys.getrecursionlimit() >= 1000


def test_an_external_message_is_its_address() -> None:
    message = ExternalMessage("https://example.org/msg/1")
    assert message.serialize() == {
        "format": "external",
        "content": b'{"url": "https://example.org/msg/1"}',
    }
    assert ExternalMessage.deserialize(message.serialize()["content"]) == message
    assert ExternalMessage.deserialize(b'{"url": "u", "size": 5}').url == "u"
    for data in (b"{}", b'{"url": 5}', b"[]", b"", b"https://example.org"):
        with pytest.raises(DecodeError, match="ExternalMessage"):
            ExternalMessage.deserialize(data)


def test_an_external_message_may_say_why_it_was_not_fetched() -> None:
    message = ExternalMessage("https://example.org/msg/1", "nobody answers")
    assert message == ExternalMessage("https://example.org/msg/1")
    assert message.serialize()["content"] == b'{"url": "https://example.org/msg/1"}'
    assert message.content == {"url": "https://example.org/msg/1"}
    assert message.to_json_object() == {
        "format": "external",
        "content": {"url": "https://example.org/msg/1"},
        "reason": "nobody answers",
    }
    assert message.summary() == "external: https://example.org/msg/1 (nobody answers)"
    assert "reason='nobody answers'" in repr(message)
    bare = ExternalMessage("https://example.org/msg/1")
    assert "reason" not in repr(bare) + str(bare.to_json_object()) + bare.summary()
