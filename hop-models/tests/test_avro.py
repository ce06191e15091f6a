"""Avro containers: what is written, with which schema, and what other releases write and read."""

from __future__ import annotations

import io
import json
from enum import IntEnum
from pathlib import Path
from typing import Any

import fastavro
import pytest

from hop.models import AvroBlob, DecodeError

SCHEMA = {
    "type": "record",
    "name": "alert",
    "namespace": "example.survey",
    "fields": [
        {"name": "id", "type": "long"},
        {"name": "mag", "type": "float"},
        {"name": "cutout", "type": ["null", "bytes"], "default": None},
    ],
}
RECORDS = [{"id": 1, "mag": 17.5, "cutout": b"\x00\xff"}, {"id": 2, "mag": 18.0, "cutout": None}]


def _container(schema: Any, records: list[Any], **options: Any) -> bytes:
    buffer = io.BytesIO()
    fastavro.writer(buffer, schema, records, **options)
    return buffer.getvalue()


def _round_trip(message: AvroBlob) -> AvroBlob:
    return AvroBlob.deserialize(message.serialize()["content"])


@pytest.mark.parametrize(
    "records",
    [
        [],
        [{"priority": 1, "payload": b"\x02Binary data\x03"}],
        [{"a": 1}, {"a": 2}],
        [
            {"a": None},
            {"a": True},
            {"a": 5},
            {"a": 1.5},
            {"a": "text"},
            {"a": b"bytes"},
            {"a": [1]},
            {"a": {"b": 1}},
        ],
        [{"a": 1}, {"b": 2}, {}],
        [{}, {}],
        [None, None, None],
        [True, 1, 1.0, "1", b"1", [1], {"one": 1}],
        [1, 2.5, 3],
        [2**63 - 1, -(2**63)],
        ["text", "Ünïcode"],
        [[1, 2], [3]],
        [[], [None], [[None]]],
        [{"list": []}, {"list": [{"x": 1}, {"x": None}]}, {"list": [{"y": [b""]}]}],
        [{"not a name": 1, "2": 2, "": 3, "-type": 4, "Ü": 5}],
        [{"-type": "long"}, None],
        [
            {
                "tree": {
                    "value": 1,
                    "children": [{"value": 2, "children": [{"value": 3, "children": []}]}],
                }
            }
        ],
        [{"deep": {"a": {"b": {"c": {"d": [[[[{"e": 1}]]]]}}}}}],
        [{"same": {"x": 1}, "other": {"x": "text"}}],
        [float("inf"), -0.0, 1e-300],
    ],
)
def test_any_mix_of_values_comes_back(records: list[Any]) -> None:
    read = _round_trip(AvroBlob(records))
    assert read == AvroBlob(records)
    assert [repr(record) for record in read.content] == [repr(record) for record in records]
    assert list(fastavro.reader(io.BytesIO(AvroBlob(records).serialize()["content"]))) == records


def test_the_schema_made_for_records() -> None:
    assert _round_trip(AvroBlob([{"priority": 1, "payload": b"", "tags": ["a"]}])).schema == {
        "type": "record",
        "name": "Record1",
        "fields": [
            {"name": "priority", "type": "long"},
            {"name": "payload", "type": "bytes"},
            {"name": "tags", "type": {"type": "array", "items": "string"}},
        ],
    }
    assert _round_trip(AvroBlob([{"a": 1}, {"a": None}])).schema["fields"] == [
        {"name": "a", "type": ["null", "long"]}
    ]
    assert _round_trip(AvroBlob([{"a": 1}, {"b": "x"}])).schema == {
        "type": "map",
        "values": ["long", "string"],
    }


def test_values_that_are_nearly_of_a_type() -> None:
    class Kind(IntEnum):
        BURST = 3

    read = _round_trip(AvroBlob([{"kind": Kind.BURST, "pair": (1, 2), "raw": bytearray(b"x")}]))
    assert read.content == [{"kind": 3, "pair": [1, 2], "raw": b"x"}]
    assert _round_trip(AvroBlob([("long", 2), None])).content == [["long", 2], None], (
        "a tuple chooses no branch"
    )


def _contains_itself() -> list[Any]:
    value: list[Any] = []
    value += [value, value]
    return value


@pytest.mark.parametrize(
    ("record", "problem"),
    [
        ({"a": {"b": 2**63}}, r"content\[\]\.a\.b is an integer of 64 bits"),
        ({"a": [-(2**63) - 1]}, r"content\[\]\.a\[\] is an integer of 64 bits"),
        ({"a": {1: 2}}, r"content\[\]\.a has a key that is a int"),
        ({"a": {1, 2}}, r"content\[\]\.a is a set, which Avro has no type for"),
        ({"a": 1j}, r"content\[\]\.a is a complex"),
        (_contains_itself(), r"nested deeper than 100 levels, or contains itself"),
    ],
)
def test_what_avro_has_no_type_for_is_a_type_error_that_says_where(
    record: Any, problem: str
) -> None:
    with pytest.raises(TypeError, match=problem) as caught:
        AvroBlob([record]).serialize()
    assert "\n" not in str(caught.value)


def test_text_that_is_no_unicode_is_a_value_error() -> None:
    with pytest.raises(
        ValueError, match="AvroBlob: the records cannot be written: UnicodeEncodeError"
    ):
        AvroBlob([{"a": "\ud800"}]).serialize()


def test_content_is_a_list() -> None:
    for content in ({"a": 1}, "text", 5, None):
        with pytest.raises(TypeError, match="a list of records is expected, not"):
            AvroBlob(content)


def test_depth_that_can_be_written_can_be_read() -> None:
    deep: Any = 1
    for _ in range(49):
        deep = [{"a": deep}]
    assert _round_trip(AvroBlob([deep])) == AvroBlob([deep])


def test_a_given_schema_is_kept() -> None:
    message = AvroBlob(RECORDS, schema=SCHEMA)
    read = _round_trip(message)
    assert read.content == RECORDS
    assert read.schema["name"].endswith("alert")
    assert [field["name"] for field in read.schema["fields"]] == ["id", "mag", "cutout"]
    assert _round_trip(read) == read


def test_a_schema_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "my_schema.avsc"
    path.write_text(json.dumps(SCHEMA))
    schema = fastavro.schema.load_schema(str(path))
    assert _round_trip(AvroBlob(RECORDS, schema=schema)).content == RECORDS


@pytest.mark.parametrize(
    ("schema", "records"),
    [
        (SCHEMA, [{"id": "text", "mag": 1.0}]),
        (SCHEMA, [{"mag": 1.0}]),
        (SCHEMA, [5]),
        ("long", [2**63]),
        ({"type": "nonsense"}, [1]),
        ({"type": "record"}, [1]),
        (5, [1]),
    ],
)
def test_records_that_do_not_fit_are_a_value_error(schema: Any, records: list[Any]) -> None:
    with pytest.raises(
        ValueError, match="AvroBlob: the records do not fit the schema, or it is no Avro schema"
    ):
        AvroBlob(records, schema=schema).serialize()


@pytest.mark.parametrize("codec", ["null", "deflate", "bzip2", "xz"])
def test_codecs_that_need_no_package_are_read(codec: str) -> None:
    many = [{"id": i, "mag": i / 7, "cutout": bytes([i % 256]) * 50} for i in range(2000)]
    message = AvroBlob.load(_container(SCHEMA, many, codec=codec))
    assert [record["id"] for record in message.content] == list(range(2000))
    assert message.content[7]["mag"] == pytest.approx(1.0)


def test_files_and_bytes(tmp_path: Path) -> None:
    path = tmp_path / "alerts.avro"
    path.write_bytes(_container(SCHEMA, RECORDS))
    assert (
        AvroBlob.load_file(path)
        == AvroBlob.load_file(str(path))
        == AvroBlob.load(path.read_bytes())
    )
    with path.open("rb") as file:
        assert AvroBlob.load(file).content == RECORDS
    with pytest.raises(DecodeError, match=r"not text; open the file in binary mode"):
        AvroBlob.load("Obj\x01")


@pytest.mark.parametrize(
    "content", [[1, 2], ["a"], [], [[1], [2]], [{"a": 1}], {"a": 1}, "text", 5, None, b"bytes"]
)
def test_a_single_record_for_newer_releases(content: Any) -> None:
    message = AvroBlob(content, single_record=True)
    data = message.serialize()["content"]
    assert list(fastavro.reader(io.BytesIO(data))) == [content], (
        "they read only containers of exactly one record"
    )
    read = AvroBlob.deserialize(data)
    assert read == message
    assert read.content == (content if isinstance(content, list) else [content])
    assert _round_trip(read) == read


def test_a_list_from_newer_releases() -> None:
    data = _container({"type": "array", "items": "long"}, [[1, 2, 3]])
    message = AvroBlob.deserialize(data)
    assert (message.content, message.single_record) == ([1, 2, 3], True)
    two = AvroBlob.deserialize(_container({"type": "array", "items": "long"}, [[1], [2]]))
    assert (two.content, two.single_record) == ([[1], [2]], False)


def test_how_it_is_printed() -> None:
    message = AvroBlob([{"id": 1, "raw": b"\x00\xff", "nan": float("nan"), "name": "Ü"}])
    assert str(message) == '[{"id": 1, "raw": {"base64": "AP8="}, "nan": null, "name": "Ü"}]'
    assert bytes(message) == str(message).encode()
    assert message.to_json_object() == {"format": "avro", "content": json.loads(str(message))}
    assert repr(AvroBlob([{"raw": b"x" * 10**6}])).count("x") < 100
    assert AvroBlob([1]) != [1]


def test_logical_types_are_shown_as_text() -> None:
    schema = {"type": "long", "logicalType": "timestamp-millis"}
    message = AvroBlob.deserialize(_container(schema, [1767270896789]))
    assert str(message) == '["2026-01-01T12:34:56.789000+00:00"]'
