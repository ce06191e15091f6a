"""From headers and body to a message."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest

from hop.models import (
    AvroBlob,
    Blob,
    ExternalMessage,
    GCNCircular,
    GCNTextNotice,
    JSONBlob,
    MessageModel,
    VOEvent,
    decode,
    format_name,
    is_test,
    message_models,
)
from hop.plugins import register

MESSAGES: list[MessageModel] = [
    VOEvent("ivo://a/b#c", What={"Param": [{"name": "a"}]}),
    GCNCircular({"title": "GCN CIRCULAR"}, "body"),
    GCNTextNotice("TITLE: GCN NOTICE\n"),
    JSONBlob({"a": [1, None]}),
    AvroBlob([{"a": b"\x00"}]),
    Blob(b"\x00\xff"),
    ExternalMessage("https://example.org/msg/1"),
]


@pytest.mark.parametrize("message", MESSAGES, ids=format_name)  # type: ignore[arg-type]
def test_what_is_serialized_is_decoded(message: MessageModel) -> None:
    serialized = message.serialize()
    headers = [
        ("_id", b"0123456789abcdef"),
        ("_format", serialized["format"].encode()),
        ("_sender", b"me"),
    ]
    decoded = decode(headers, serialized["content"])
    assert type(decoded) is type(message)
    assert decoded == message


def test_formats_have_their_names() -> None:
    names = ["voevent", "circular", "blob", "json", "avro", "gcntextnotice", "external"]
    assert [name for name in message_models() if name in names] == names
    assert [format_name(message_models()[name]) for name in names] == names
    with pytest.raises(TypeError):
        message_models()["json"] = Blob  # type: ignore[index]


def test_the_first_format_counts_in_any_case() -> None:
    assert decode([("_format", b"json"), ("_format", b"blob")], b"1") == JSONBlob(1)
    assert decode([("_format", b"JSON")], b"1") == JSONBlob(1)
    assert decode([("_format", b" json\n")], b"1") == JSONBlob(1)
    assert decode((("format", b"blob"), ("_format", b"json")), b"1") == JSONBlob(1)


@pytest.mark.parametrize(
    "headers", [None, [], [("_format", None)], [("_format", b"")], [("_id", b"x"), ("k", None)]]
)
@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (b'{"format": "blob", "content": [1, 2]}', JSONBlob([1, 2])),
        (b'{"content": "x", "format": "blob"}', JSONBlob("x")),
        (b'{"format": "json", "content": {"a": 1}}', JSONBlob({"a": 1})),
        (
            b'{"format": "circular", "content": {"header": {"title": "T"}, "body": "B"}}',
            GCNCircular({"title": "T"}, "B"),
        ),
        (
            b'{"format": "voevent", "content": {"ivorn": "ivo://a/b#c", "Who": {}}}',
            VOEvent("ivo://a/b#c"),
        ),
        (
            b'{"format": "blob", "content": 1, "more": 2}',
            JSONBlob({"format": "blob", "content": 1, "more": 2}),
        ),
        (b'{"format": "blob"}', JSONBlob({"format": "blob"})),
        (b'{"format": 5, "content": 1}', JSONBlob({"format": 5, "content": 1})),
        (b'{"format": null, "content": 1}', JSONBlob({"format": None, "content": 1})),
        (b'["format", "content"]', JSONBlob(["format", "content"])),
        (b"5", JSONBlob(5)),
        (b"null", JSONBlob(None)),
        (b"\x00\xff", Blob(b"\x00\xff")),
        (b"TITLE: text", Blob(b"TITLE: text")),
        (b'<VOEvent ivorn="a"/>', Blob(b'<VOEvent ivorn="a"/>')),
        (b"", Blob(b"")),
        (None, Blob(b"")),
    ],
)
def test_without_a_format(headers: Any, body: bytes | None, expected: MessageModel) -> None:
    assert decode(headers, body) == expected


@pytest.mark.parametrize(
    ("declared", "body", "reason"),
    [
        (b"voevent", b"", "VOEvent: empty, as hop-client 0.12 and 0.13 send"),
        (b"voevent", None, "VOEvent: empty"),
        (b"voevent", b"{}", "VOEvent: the JSON object has no text 'ivorn'"),
        (b"circular", b"TITLE: text", "GCNCircular: Expecting value"),
        (b"json", b"{", "JSONBlob: Expecting property name"),
        (b"json", b"\xff", "JSONBlob: not text"),
        (b"json", None, "JSONBlob: Expecting value"),
        (b"avro", b"Obj", "AvroBlob: not an Avro container: it begins with b'Obj'"),
        (b"gcntextnotice", b"\xff", "GCNTextNotice: no line"),
        (b"external", b"{}", "ExternalMessage: the JSON object has no text 'url'"),
        (b"nonsense", b"x", "the format 'nonsense' is not known here"),
        (b"\xff\x00", b"x", r"the format '\\xff' is not known here"),
    ],
)
def test_what_does_not_decode_is_a_blob_with_the_reason(
    declared: bytes, body: bytes | None, reason: str
) -> None:
    message = decode([("_format", declared)], body)
    assert isinstance(message, Blob)
    assert message.content == (body or b"")
    assert message.declared_format == declared.decode("utf-8", "backslashreplace")
    assert message.reason is not None
    assert message.reason.startswith(reason)
    assert message.serialize() == {"format": "blob", "content": body or b""}
    assert message == Blob.deserialize(message.serialize()["content"])
    assert message.to_json_object()["reason"] == message.reason


@pytest.mark.parametrize(
    ("body", "declared"),
    [
        (b'{"format": "circular", "content": {"header": 5}}', "circular"),
        (b'{"format": "voevent", "content": null}', "voevent"),
        (b'{"format": "avro", "content": [1]}', "avro"),
        (b'{"format": "text/plain", "content": "x"}', "text/plain"),
    ],
)
def test_envelopes_that_do_not_decode_are_blobs_of_all_of_it(body: bytes, declared: str) -> None:
    message = decode(None, body)
    assert isinstance(message, Blob)
    assert (message.content, message.declared_format) == (body, declared)
    assert message.reason


def test_an_ordinary_blob_has_no_reason() -> None:
    for message in (
        decode([("_format", b"blob")], b"x"),
        decode(None, b"x"),
        decode([("_format", b"blob")], None),
    ):
        assert isinstance(message, Blob)
        assert (message.declared_format, message.reason) == (None, None)


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ([("_test", b"true")], True),
        ([("_test", b"false")], True),
        ([("_test", b"")], True),
        ([("_test", None)], True),
        ([("_format", b"json"), ("_test", b"true")], True),
        ([("test", b"true")], False),
        ([("_format", b"json")], False),
        ([], False),
        (None, False),
    ],
)
def test_any_test_header_marks_a_test(headers: Any, expected: bool) -> None:
    assert is_test(headers) is expected
    assert (decode(headers, b"1", ignoretest=True) is None) is expected
    assert decode(headers, b"1") is not None


def test_the_format_before_a_test_header_and_after_it() -> None:
    test = ("_test", b"")
    assert decode([("_format", b"json"), test], b"1", ignoretest=True) is None
    assert decode([test, ("_format", b"json")], b"1") == JSONBlob(1)
    assert decode([("_format", None), ("_format", b"blob")], b"1", ignoretest=True) == JSONBlob(1)


@dataclass
class Unruly(MessageModel):
    """A plugin's model that does what it is told."""

    order: str

    @classmethod
    def load(cls, input_: Any) -> Any:
        return cls(input_)

    @classmethod
    def deserialize(cls, data: bytes) -> Any:
        class SilentError(Exception):
            def __str__(self) -> str:
                raise RuntimeError("not even this")

        order = json.loads(data)
        if order == "recurse":
            return cls.deserialize(data)
        if order == "nothing":
            return None
        if order == "silent":
            raise SilentError
        if order == "multiline":
            raise OSError("one\ntwo " + "long " * 1000)
        return cls(order)


@register
def unruly_models() -> dict[str, type[MessageModel]]:
    return {format_name(Unruly): Unruly}


@pytest.mark.parametrize(
    ("order", "reason"),
    [
        ("recurse", "RecursionError: maximum recursion depth exceeded"),
        ("nothing", "Unruly.deserialize gave a NoneType, not a message"),
        ("silent", "SilentError"),
        ("multiline", "OSError: one two long long"),
    ],
)
def test_whatever_a_plugin_does_reading_goes_on(order: str, reason: str) -> None:
    assert decode([("_format", b"unruly")], b'"well"') == Unruly("well")
    message = decode([("_format", b"unruly")], json.dumps(order).encode())
    assert isinstance(message, Blob)
    assert message.reason is not None
    assert message.reason.startswith(reason)
    assert len(message.reason) <= 300
    assert "\n" not in message.reason
