"""Reading Avro containers that may come from anyone.

fastavro trusts what it reads: it unpacks a block to whatever size it has, believes any count of items that take no
bytes, and follows a recursive schema until the stack of the process ends. So the container is taken apart and looked
at here first, and fastavro is given what is left: blocks that are not compressed and hold about as much as they are
long.
"""

from __future__ import annotations

import bz2
import io
import json
import lzma
import zlib
from functools import lru_cache

import fastavro

from hop.models._avro_check import BlockCheck, is_trusted
from hop.models._exceptions import DecodeError
from hop.models._json import parse_json
from hop.models._limits import limits
from hop.models._varint import Cursor, encode_long

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_MAGIC = b"Obj\x01"
_XZ_MEMORY = 128 * 1024 * 1024
# A record in a record takes three levels of the schema's JSON.
_SCHEMA_DEPTH = 4
# What is packed better than that may be a bomb: a byte of it can become an object in memory.
_BELIEVED_GROWTH = 8.0


def read_container(data: bytes) -> tuple[list[Any], Any]:
    """The records of a container and its schema. Raises DecodeError."""
    if not data.startswith(_MAGIC):
        raise DecodeError(f"AvroBlob: not an Avro container: {_what_else(data)}")
    try:
        return _read(data)
    except DecodeError:
        raise
    except EOFError as exc:
        raise DecodeError("AvroBlob: the container ends in the middle of a record") from exc
    except Exception as exc:  # fastavro raises whatever a damaged record makes of its values
        raise DecodeError(f"AvroBlob: a record is damaged: {_text(exc)}") from exc


def _read(data: bytes) -> tuple[list[Any], Any]:
    cursor = Cursor(data, len(_MAGIC))
    metadata = _metadata(cursor)
    sync = cursor.take(16)
    schema_text = metadata.get("avro.schema")
    if schema_text is None:
        raise DecodeError("AvroBlob: the container has no schema")
    schema = parse_json(schema_text, "AvroBlob: the schema", _SCHEMA_DEPTH * limits.avro_depth)
    parsed, named, trusted = _understand(schema_text, limits.avro_depth)
    # The same container without compression.
    plain = [
        _MAGIC,
        encode_long(1),
        _string(b"avro.schema"),
        _string(schema_text),
        encode_long(0),
        sync,
    ]
    for number, block, growth in _blocks(
        cursor, metadata.get("avro.codec", b"null").decode("ascii", "replace"), sync
    ):
        if number < 0:
            raise DecodeError(f"AvroBlob: a block claims {number} records")
        if not trusted or growth > _BELIEVED_GROWTH:
            BlockCheck(named, block).records(parsed, number)
        plain += [encode_long(number), _string(block), sync]
    return list(fastavro.reader(io.BytesIO(b"".join(plain)))), schema


@lru_cache(maxsize=16)
def _understand(schema_text: bytes, depth: int) -> tuple[Any, dict[str, Any], bool]:
    """The schema as fastavro has it, its named types, and whether its records can be trusted up to that depth.

    All messages of a stream have one schema, and this takes longer than reading one of them.
    """
    named: dict[str, Any] = {}
    try:
        parsed = fastavro.parse_schema(json.loads(schema_text), named)
    except Exception as exc:  # fastavro expects some schema, and raises whatever it finds instead
        raise DecodeError(f"AvroBlob: the schema is no Avro schema: {_text(exc)}") from exc
    return parsed, named, is_trusted(parsed, named, depth)


def _metadata(cursor: Cursor) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    while number := cursor.long():
        if number < 0:
            cursor.long()
        for _ in range(abs(number)):
            key = cursor.take(cursor.long()).decode("utf-8", "replace")
            found[key] = cursor.take(cursor.long())
    return found


def _blocks(cursor: Cursor, codec: str, sync: bytes) -> Iterator[tuple[int, bytes, float]]:
    """The number of records and the unpacked bytes of each block, and how many times they were packed."""
    left = limits.avro_bytes
    while not cursor.at_end:
        number = cursor.long()
        block = cursor.take(cursor.long())
        if cursor.take(16) != sync:
            raise DecodeError(
                "AvroBlob: the container is damaged: a block does not end with the sync marker"
            )
        if codec == "null":
            yield number, block, 1.0
        else:
            unpacked = _unpack(codec, block, left)
            left -= len(unpacked)
            yield number, unpacked, len(unpacked) / max(len(block), 1)


def _unpack(codec: str, block: bytes, most: int) -> bytes:
    decompressor: Any
    if codec == "deflate":
        decompressor = zlib.decompressobj(-15)
    elif codec == "bzip2":
        decompressor = bz2.BZ2Decompressor()
    elif codec == "xz":
        decompressor = lzma.LZMADecompressor(memlimit=_XZ_MEMORY)
    else:
        raise DecodeError(
            f"AvroBlob: the codec {codec[:40]!r} is not read here, only null, deflate, bzip2 and xz"
        )
    unpacked: bytes = decompressor.decompress(block, most + 1)
    if len(unpacked) > most:
        raise DecodeError(
            f"AvroBlob: the container unpacks to more than the {limits.avro_bytes} bytes of limits.avro_bytes"
        )
    if not decompressor.eof:
        raise DecodeError(f"AvroBlob: a block is not {codec}, or not all of it")
    return unpacked


def _string(data: bytes) -> bytes:
    return encode_long(len(data)) + data


def _text(exc: Exception) -> str:
    return f"{type(exc).__name__}: {' '.join(str(exc).split())[:200]}"


def _what_else(data: bytes) -> str:
    if not data:
        return "it is empty"
    if data[0] == 0 and len(data) > 5:
        number = int.from_bytes(data[1:5], "big")
        return f"it begins like a record without a schema, which is number {number} in a schema registry"
    return f"it begins with {data[:8]!r}"
