"""Avro from anyone: nothing that fastavro would follow to the end of time, memory or stack.

The cases run in a process of their own with a bound on its memory: some would end it.
"""

from __future__ import annotations

import bz2
import json
import lzma
import subprocess
import sys
import zlib
from pathlib import Path
from typing import Any

import pytest

from hop.models import AvroBlob, DecodeError, limits

SYNC = b"sixteen bytes..."


def _long(value: int) -> bytes:
    value = (value << 1) ^ (value >> 63)
    encoded = b""
    while value > 127:
        encoded += bytes([value & 127 | 128])
        value >>= 7
    return encoded + bytes([value])


def _string(data: bytes) -> bytes:
    return _long(len(data)) + data


def _container(schema: Any, *blocks: tuple[int, bytes], codec: bytes | None = None) -> bytes:
    metadata = {
        b"avro.schema": schema if isinstance(schema, bytes) else json.dumps(schema).encode()
    }
    if codec is not None:
        metadata[b"avro.codec"] = codec
    start = (
        b"Obj\x01"
        + _long(len(metadata))
        + b"".join(_string(k) + _string(v) for k, v in metadata.items())
    )
    return (
        start
        + _long(0)
        + SYNC
        + b"".join(_long(number) + _string(block) + SYNC for number, block in blocks)
    )


def _deflate(data: bytes) -> bytes:
    compressor = zlib.compressobj(9, zlib.DEFLATED, -15)
    return compressor.compress(data) + compressor.flush()


def _array_of(items: Any) -> dict[str, Any]:
    return {"type": "array", "items": items}


def _record(name: str, *types: Any) -> dict[str, Any]:
    return {
        "type": "record",
        "name": name,
        "fields": [{"name": f"f{i}", "type": t} for i, t in enumerate(types)],
    }


def _branching() -> dict[str, Any]:
    schema = _record("R0", "null")
    for level in range(1, 12):
        schema = _record(f"R{level}", schema, *[schema["name"]] * 9)
    return schema


ZEROS = 200 * 1024 * 1024
LISTED = {"type": "record", "name": "List", "fields": [{"name": "next", "type": ["null", "List"]}]}
ENDLESS = {"type": "record", "name": "Endless", "fields": [{"name": "next", "type": "Endless"}]}
NOTHING = {"type": "fixed", "name": "nothing", "size": 0}
HUGE = 2**40
CASES = {
    "deflate bomb": _container(
        "bytes", (1, _deflate(_long(ZEROS) + bytes(ZEROS))), codec=b"deflate"
    ),
    "bzip2 bomb": _container(
        "bytes", (1, bz2.compress(_long(ZEROS) + bytes(ZEROS))), codec=b"bzip2"
    ),
    "xz bomb": _container(
        "bytes", (1, lzma.compress(_long(ZEROS) + bytes(ZEROS), preset=0)), codec=b"xz"
    ),
    "many blocks": _container(
        "bytes", *[(1, _deflate(_long(10**6) + bytes(10**6)))] * 100, codec=b"deflate"
    ),
    "packed lists": _container(
        _array_of(_array_of("long")),
        (1, _deflate(_long(3 * 10**7) + bytes(3 * 10**7 + 1))),
        codec=b"deflate",
    ),
    "records that take no bytes": _container("null", (HUGE, b"")),
    "empty records": _container(_record("r"), (HUGE, b"")),
    "items that take no bytes": _container(_array_of("null"), (1, _long(HUGE) + _long(0))),
    "empty fixed items": _container(_array_of(NOTHING), (1, _long(HUGE) + _long(0))),
    "items in a block with a size": _container(
        _array_of("null"), (1, _long(-HUGE) + _long(0) + _long(0))
    ),
    "items that are not there": _container(_array_of("long"), (1, _long(HUGE) + _long(0))),
    "records that are not there": _container("long", (HUGE, _long(1))),
    "fewer than no records": _container("long", (-1, _long(1))),
    "wide records": _container(_record("w", *[_record(f"r{i}") for i in range(5000)]), (HUGE, b"")),
    "wide for a byte": _container(_record("w", "boolean", *["null"] * 5000), (10**5, bytes(10**5))),
    "branching schema": _container(_branching(), (1, b"")),
    "endless list": _container(LISTED, (1, b"\x02" * 10**6 + b"\x00")),
    "endless record": _container(ENDLESS, (1, b"")),
    "deep schema": _container(b'{"type":"array","items":' * 10**5 + b'"long"' + b"}" * 10**5),
    "schema deeper than values may be": _container(
        b'{"type":"array","items":' * 150 + b'"long"' + b"}" * 150
    ),
    "bytes that are not there": _container("bytes", (1, _long(2**60))),
    "fewer than no bytes": _container("bytes", (1, _long(-5) + b"abc")),
    "a huge fixed": _container({"type": "fixed", "name": "f", "size": 2**50}, (1, b"abc")),
    "a branch that is not there": _container(["null", "long"], (1, _long(7))),
    "a symbol that is not there": _container(
        {"type": "enum", "name": "e", "symbols": ["a"]}, (1, _long(7))
    ),
    "text that is no text": _container("string", (1, _string(b"\xff"))),
    "a time out of the calendar": _container(
        {"type": "long", "logicalType": "timestamp-millis"}, (1, _long(2**62))
    ),
    "an endless number": _container("long", (1, b"\xff" * 1000)),
    "metadata that is not there": b"Obj\x01" + _long(HUGE),
    "an endless header": b"Obj\x01" + b"\xff" * 1000,
    "no schema": b"Obj\x01" + _long(0) + SYNC,
    "a schema that is no JSON": _container(b"{"),
    "a schema that is a number": _container(b"5"),
    "an unknown type": _container("nonsense", (1, b"a")),
    "no type": _container(b"[]", (1, b"\x00")),
    "another sync marker": _container("long", (1, _long(1)))[:-1] + b"!",
    "snappy": _container("long", (1, b"\x01"), codec=b"snappy"),
    "not deflate": _container("long", (1, b"\xff\xff"), codec=b"deflate"),
    "half of deflate": _container(
        "bytes", (1, _deflate(_long(999) + bytes(999))[:-3]), codec=b"deflate"
    ),
    "magic only": b"Obj\x01",
    "nothing": b"",
    "a record of a schema registry": b"\x00\x00\x00\x02\x9a\x02a",
    "text": b"Hello",
}
CHILD = """
import resource, sys
from pathlib import Path
resource.setrlimit(resource.RLIMIT_AS, (2**30, 2**30))
from hop.models import decode
message = decode([("_format", b"avro")], Path(sys.argv[1]).read_bytes())
print(type(message).__name__, message.reason)
"""


@pytest.mark.parametrize("case", CASES)
def test_it_becomes_a_blob_at_little_cost(case: str, tmp_path: Path) -> None:
    path = tmp_path / "message.avro"
    path.write_bytes(CASES[case])
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(path)],
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("Blob AvroBlob: ")
    assert len(done.stdout.splitlines()) == 1
    assert "MemoryError" not in done.stdout


def test_every_truncation_is_a_value_error() -> None:
    whole = AvroBlob([{"a": 1, "b": [1.5, None, "x", b"y"], "c": {"d-e": [{}]}}] * 3).serialize()[
        "content"
    ]
    for end in range(len(whole)):
        try:
            message = AvroBlob.deserialize(whole[:end])
        except DecodeError as exc:
            assert "\n" not in str(exc)  # noqa: PT017
        else:
            # The one place to cut that no reader can see: after the header, before the only block.
            assert message.content == []


def test_honest_containers_with_such_schemas_are_read() -> None:
    linked = {"next": {"next": {"next": None}}}
    assert AvroBlob.deserialize(_container(LISTED, (1, b"\x02\x02\x00"))).content == [linked]
    assert AvroBlob.deserialize(_container("null", (3, b""))).content == [None] * 3
    assert (
        AvroBlob.deserialize(_container(_array_of("null"), (1, _long(5) + _long(0)))).content
        == [None] * 5
    )
    zeros = _container("bytes", (1, _deflate(_long(10**7) + bytes(10**7))), codec=b"deflate")
    assert AvroBlob.deserialize(zeros).content == [bytes(10**7)]


def test_the_bounds_are_adjustable(restored_limits: None) -> None:
    packed = _container("bytes", (1, _deflate(_long(1000) + bytes(1000))), codec=b"deflate")
    claimed = _container(_array_of("null"), (1, _long(100) + _long(0)))
    nested = _container(LISTED, (1, b"\x02" * 20 + b"\x00"))
    for message in (packed, claimed, nested):
        assert AvroBlob.deserialize(message)
    limits.avro_bytes = 1001
    with pytest.raises(DecodeError, match=r"more than the 1001 bytes of limits\.avro_bytes"):
        AvroBlob.deserialize(packed)
    limits.avro_values = 100
    with pytest.raises(DecodeError, match=r"more than the 100 values of limits\.avro_values"):
        AvroBlob.deserialize(claimed)
    limits.avro_depth = 20
    with pytest.raises(DecodeError, match="nested deeper than 20 levels"):
        AvroBlob.deserialize(nested)
