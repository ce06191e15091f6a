"""For any input at all: nothing raises that must not, and what was written is read."""

from __future__ import annotations

import json
import string
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

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
)

WHOLE = {
    "voevent": b'<?xml version="1.0"?><VOEvent ivorn="ivo://a/b#c"><What><a b="c">x &amp; y</a></What></VOEvent>',
    "circular": GCNCircular({"title": "T", "number": "5"}, "body").serialize()["content"],
    "gcntextnotice": b"TITLE: T\nCOMMENTS: c\n  more\n",
    "json": b'{"a": [1, 2.5, null, "text\\u00e9"], "b": {"c": true}}',
    "avro": AvroBlob([{"a": 1, "b": ["x", None, b"y"]}, {"c": 1.5}]).serialize()["content"],
    "blob": b"bytes",
    "external": b'{"url": "https://example.org"}',
}
FORMATS = sorted(WHOLE)

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=15,
)
avro_values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False)
    | st.text(st.characters(exclude_categories=["Cs"]))
    | st.binary(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), inner, max_size=4)
        | st.fixed_dictionaries({"name": inner, "value": inner})
    ),
    max_leaves=15,
)
headers = st.none() | st.lists(
    st.tuples(
        st.sampled_from(["_format", "_test", "_id", "x"]),
        st.none() | st.binary() | st.sampled_from(FORMATS).map(str.encode),
    ),
    max_size=4,
)


def _use(message: MessageModel) -> None:
    """Everything that a reader does with a message, whatever is in it."""
    for text in (str(message), repr(message), message.summary(), message.summary(test=True)):
        text.encode("utf-8")
    assert len(message.summary(test=True)) <= 120
    assert len(repr(message)) < 12 * 700
    assert isinstance(bytes(message), bytes)
    json.dumps(message.to_json_object(), allow_nan=False)
    if isinstance(message, VOEvent):
        message.params()
        message.params(by_group=True)
        _ = (message.position, message.event_time)
    if isinstance(message, GCNCircular):
        _ = (message.number, message.subject, message.sender, message.date, message.event)


@given(headers, st.none() | st.binary())
@example([("_format", b"voevent")], b"\xff\xfe<\x00")
@example([("_format", b"avro")], b"Obj\x01")
@example([("_format", b"json")], b'"\\ud800"')
@example([("_format", b"circular")], b'{"header": {"\\ud800": "\\udfff"}, "body": "\\ud800"}')
def test_any_bytes_decode_or_become_a_blob(given_headers: Any, body: bytes | None) -> None:
    message = decode(given_headers, body)
    assert isinstance(message, MessageModel)
    _use(message)
    if isinstance(message, Blob):
        assert message.content == (body or b"")


@given(st.sampled_from(FORMATS), json_values)
@settings(suppress_health_check=[HealthCheck.too_slow])
def test_any_json_decodes_or_becomes_a_blob(name: str, value: Any) -> None:
    for body in (
        value,
        {"header": value, "body": "x"},
        {"ivorn": "x", "What": value, "WhereWhen": value},
        {"url": value},
    ):
        _use(decode([("_format", name.encode())], json.dumps(body).encode()))
        _use(decode(None, json.dumps({"format": name, "content": body}).encode()))


_SECTION_NAMES = [
    "ObsDataLocation",
    "ObservationLocation",
    "AstroCoords",
    "Position2D",
    "Value2",
    "C1",
    "C2",
    "Time",
]
sections = st.recursive(
    st.none() | st.text() | st.integers(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    *_SECTION_NAMES,
                    "TimeInstant",
                    "ISOTime",
                    "Param",
                    "Group",
                    "EventIVORN",
                    "name",
                    "unit",
                    "#text",
                ]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(sections, sections, sections)
def test_what_a_voevent_says_is_found_or_not(what: Any, where: Any, citations: Any) -> None:
    _use(VOEvent("ivo://a/b#c", What=what, WhereWhen=where, Citations=citations))


@given(json_values)
def test_json_comes_back(value: Any) -> None:
    message = JSONBlob(value)
    assert JSONBlob.deserialize(message.serialize()["content"]) == message
    assert json.loads(str(message)) == value
    assert decode(None, json.dumps({"format": "blob", "content": value}).encode()) == message


@given(st.binary())
def test_bytes_come_back(content: bytes) -> None:
    assert Blob.deserialize(Blob(content).serialize()["content"]) == Blob(content)


@given(st.lists(avro_values, max_size=5))
def test_avro_comes_back(records: list[Any]) -> None:
    message = AvroBlob(records)
    assert AvroBlob.deserialize(message.serialize()["content"]) == message


@given(avro_values)
def test_a_single_avro_record_comes_back(record: Any) -> None:
    message = AvroBlob(record, single_record=True)
    assert AvroBlob.deserialize(message.serialize()["content"]) == message


@given(st.text())
def test_an_address_comes_back(url: str) -> None:
    message = ExternalMessage(url)
    assert ExternalMessage.deserialize(message.serialize()["content"]) == message


@given(st.dictionaries(st.text(), st.none() | st.text() | st.integers()), st.text())
def test_a_circular_comes_back(header: dict[str, Any], body: str) -> None:
    message = GCNCircular(header, body)
    assert GCNCircular.deserialize(message.serialize()["content"]) == message


_names = st.lists(
    st.text(string.ascii_uppercase + string.digits + "-_", min_size=1, max_size=12),
    min_size=1,
    max_size=3,
)
_line = st.text(st.characters(exclude_characters="\n\r", exclude_categories=["Cs"]))


@given(
    st.dictionaries(_names.map(" ".join), _line.map(str.lstrip), min_size=1),
    st.text(st.characters(exclude_characters="\r", exclude_categories=["Cs"])),
)
def test_the_text_of_a_circular_comes_back_byte_for_byte(header: dict[str, str], body: str) -> None:
    text = "".join(f"{name + ':':<9}{value}\n" for name, value in header.items()) + "\n" + body
    circular = GCNCircular.load(text)
    assert circular.header == {name.lower(): value for name, value in header.items()}
    assert circular.body == body
    assert str(circular) == text
    assert bytes(GCNCircular.load(text.encode())) == text.encode()


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_notice_comes_back(text: str) -> None:
    notice = GCNTextNotice.load(f"TITLE: x\n{text}")
    assert notice.fields["title"].startswith("x")
    assert notice.raw == str(notice) == f"TITLE: x\n{text}"
    assert GCNTextNotice.deserialize(notice.serialize()["content"]) == notice


xml_text = st.text(
    st.characters(
        codec="utf-8",
        exclude_categories=["Cs", "Cc", "Cn"],
        include_characters="\t\n",
        exclude_characters="\ufffe\uffff",
    )
)
_element_names = st.sampled_from(["Param", "Group", "Author", "title", "Value", "name", "A", "b-c"])
packets = st.recursive(
    st.none() | xml_text.map(str.strip).map(lambda text: text or None),
    lambda inner: st.dictionaries(
        _element_names, inner | st.lists(inner, min_size=2, max_size=3), min_size=1, max_size=3
    ),
    max_leaves=12,
)


@given(packets.filter(lambda value: value != {}), xml_text)
def test_a_voevent_comes_back_as_json_and_as_xml(section: Any, ivorn: str) -> None:
    event = VOEvent(ivorn, What=section, Description="d")  # type: ignore[arg-type]
    assert VOEvent.deserialize(event.serialize()["content"]) == event
    assert VOEvent.load(event.to_xml()) == event


@given(st.text())
def test_no_text_breaks_load(text: str) -> None:
    for model in (VOEvent, GCNCircular, GCNTextNotice, JSONBlob, ExternalMessage):
        try:
            _use(model.load(text))
        except ValueError as exc:
            assert "\n" not in str(exc)  # noqa: PT017


@pytest.mark.parametrize("name", FORMATS)
@given(data=st.data())
@settings(max_examples=60)
def test_damaged_messages_decode_or_become_a_blob(name: str, data: st.DataObject) -> None:
    body = bytearray(WHOLE[name])
    for _ in range(data.draw(st.integers(1, 4))):
        place = data.draw(st.integers(0, len(body) - 1))
        body[place : place + data.draw(st.integers(0, 2))] = data.draw(st.binary(max_size=3))
        if not body:
            break
    _use(decode([("_format", name.encode())], bytes(body)))
