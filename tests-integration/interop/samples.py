"""The messages that go back and forth, and where a release is known to see one differently."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from interop.releases import VERSIONS

HERE = Path(__file__).parent
DATA = HERE.parent / "data"
OURS = (1,)
BARE_RECORD = "Avro, a record without a list"
BYTES = {"base64": "AAH/"}


@dataclass(frozen=True)
class Sample:
    """A message.

    Attributes:
        row: what it is called in the tables.
        spec: how `peer.py` makes it.
        since: the first release that can write it; ours alone can write some.
        name: the model that it is read as by ours.
    """

    row: str
    spec: Mapping[str, Any]
    since: tuple[int, ...] = (0, 5)
    name: str = "JSONBlob"


def _file(model: str, path: Path) -> dict[str, Any]:
    return {"model": model, "file": str(path)}


def _fields(model: str, **fields: Any) -> dict[str, Any]:
    return {"model": model, "fields": fields}


def _avro(content: Any) -> dict[str, Any]:
    return {"model": "AvroBlob", "content": content}


SAMPLES = (
    Sample("VOEvent from XML", _file("VOEvent", DATA / "example_voevent.xml"), name="VOEvent"),
    Sample(
        "VOEvent made in code",
        _fields("VOEvent", ivorn="ivo://org.example/interop#1", role="test", Who={"Author": None}),
        name="VOEvent",
    ),
    Sample("circular from text", _file("GCNCircular", DATA / "example.gcn3"), name="GCNCircular"),
    Sample(
        "circular made in code",
        _fields("GCNCircular", header={"title": "GCN CIRCULAR", "number": "1"}, body="é\n"),
        name="GCNCircular",
    ),
    Sample("dictionary", {"content": {"a": [1, 2.5, None, "é", True], "": {}}}),
    Sample("list", {"content": [1, {"b": None}]}),
    Sample("text", {"content": "é, and a line\n"}),
    Sample("number", {"content": 1.5}),
    Sample("null", {"content": None}),
    Sample("`JSONBlob`", {"model": "JSONBlob", "content": {"a": 1}}, (0, 8)),
    Sample("bytes", {"content": BYTES}, (0, 8), "Blob"),
    Sample("`Blob`", {"model": "Blob", "content": BYTES}, (0, 8), "Blob"),
    Sample("Avro, one record", _avro([{"n": 1, "data": BYTES}]), (0, 8), "AvroBlob"),
    Sample("Avro, two records", _avro([{"n": 1}, {"n": 2}]), (0, 8), "AvroBlob"),
    Sample(BARE_RECORD, _avro({"n": 1}), (0, 11), "AvroBlob"),
    Sample(
        "Avro file of three records", _file("AvroBlob", DATA / "example.avro"), (0, 8), "AvroBlob"
    ),
    Sample(
        "Avro, `single_record=True` [2]",
        _fields("AvroBlob", content=[{"n": 1}, {"n": 2}], single_record=True),
        OURS,
        "AvroBlob",
    ),
    Sample(
        "GCN text notice", _file("GCNTextNotice", HERE / "notice.txt"), (0, 11), "GCNTextNotice"
    ),
    Sample(
        "headers, a dictionary",
        {"content": 1, "options": {"headers": {"priority": "1", "é": BYTES}}},
    ),
    Sample(
        "headers, a list with a key twice",
        {"content": 2, "options": {"headers": [["priority", "1"], ["priority", BYTES]]}},
    ),
    Sample(
        "envelope of a circular [3]",
        {"content": {"format": "circular", "content": {"header": {"title": "t"}, "body": "b"}}},
    ),
    Sample("envelope of JSON [3]", {"content": {"format": "blob", "content": {"a": [1]}}}),
    Sample("test mark", {"content": "test", "options": {"test": True}}, (0, 5, 1)),
)

YES, NOT_THERE = "yes", "n/a"
# What differs from "read as it was written", and only that: by table, row, release.
DIFFERENCES = {
    ("read-by-ours", "VOEvent made in code", "0.13.0"): "empty [1]",
    ("read-by-ours", "Avro file of three records", "0.13.0"): "cannot be written [2]",
    ("read-by-ours", "Avro file of three records", "0.11.0"): "cannot be written [2]",
    ("read-by-ours", BARE_RECORD, "0.13.0"): "in a list [2]",
    ("read-by-ours", BARE_RECORD, "0.11.0"): "in a list [2]",
    ("read-by-theirs", "Avro, one record", "0.13.0"): "the record, without a list [2]",
    ("read-by-theirs", "Avro, one record", "0.11.0"): "the record, without a list [2]",
    ("read-by-theirs", "Avro, two records", "0.13.0"): "stops [2]",
    ("read-by-theirs", "Avro, two records", "0.11.0"): "stops [2]",
    ("read-by-theirs", "Avro file of three records", "0.13.0"): "stops [2]",
    ("read-by-theirs", "Avro file of three records", "0.11.0"): "stops [2]",
    ("read-by-theirs", "Avro, `single_record=True` [2]", "0.9.0"): "in one more list",
    ("read-by-theirs", "Avro, `single_record=True` [2]", "0.8.0"): "in one more list",
    ("read-by-theirs", "GCN text notice", "0.9.0"): "its bytes, as a `Blob`",
    ("read-by-theirs", "GCN text notice", "0.8.0"): "its bytes, as a `Blob`",
    **{
        ("read-by-theirs", sample.row, "0.5.0"): "what is in it"
        if sample.row.startswith("envelope")
        else "stops [3]"
        for sample in SAMPLES
    },
    # Last, because it is so whoever would read it.
    **{("read-by-theirs", BARE_RECORD, version): "cannot be written [2]" for version in VERSIONS},
}


def expected(table: str, sample: Sample, version: str) -> str:
    return DIFFERENCES.get((table, sample.row, version), YES)
