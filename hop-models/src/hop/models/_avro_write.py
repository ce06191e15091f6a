"""Writing Avro containers, with a schema made for the records where none is given."""

from __future__ import annotations

import io
import re
from itertools import count

import fastavro

from hop.models._limits import limits

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from typing import Any

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_PRIMITIVES = {
    type(None): "null",
    bool: "boolean",
    int: "long",
    float: "double",
    str: "string",
    bytes: "bytes",
    bytearray: "bytes",
}
_ORDER = ("null", "boolean", "long", "double", "string", "bytes")


def write_container(records: list[Any], schema: Any = None) -> bytes:
    """The records as an uncompressed container."""
    ad_hoc = schema is None
    if ad_hoc:
        schema = infer_schema(records)
    buffer = io.BytesIO()
    try:
        # In ad-hoc schemas a tuple is a list; in a schema of the user's own it can choose a branch of a union.
        fastavro.writer(buffer, schema, records, disable_tuple_notation=ad_hoc)
    except Exception as exc:  # fastavro raises whatever its walk through the record runs into
        what = (
            "the records cannot be written"
            if ad_hoc
            else "the records do not fit the schema, or it is no Avro schema"
        )
        raise ValueError(
            f"AvroBlob: {what}: {type(exc).__name__}: {' '.join(str(exc).split())[:300]}"
        ) from exc
    return buffer.getvalue()


def infer_schema(records: list[Any]) -> Any:
    """A schema that all the records fit, and come back from unchanged.

    Objects that have the same keys everywhere, each of them a name in Avro, become a record; others a map, whose keys
    may be any text. Values of several types become a union. Raises TypeError for a value that Avro has no type for.
    """
    return _schema(
        records, "content[]", (f"Record{number}" for number in count(1)), limits.avro_depth
    )


def _schema(values: list[Any], path: str, names: Iterator[str], depth: int) -> Any:
    """The type of all the values that occur at one place of the records."""
    if not depth:
        raise TypeError(
            f"AvroBlob: {_shorten(path)} is nested deeper than {limits.avro_depth} levels, or contains itself"
        )
    primitives: set[str] = set()
    # By identity: what is shared is looked at once, so that a list that contains itself ends at the depth.
    lists: dict[int, Any] = {}
    dicts: dict[int, dict[Any, Any]] = {}
    for value in values:
        primitive = _PRIMITIVES.get(type(value)) or _primitive(value)
        if primitive:
            if primitive == "long" and not -(2**63) <= value < 2**63:
                raise TypeError(
                    f"AvroBlob: {_shorten(path)} is an integer of {value.bit_length()} bits, Avro has 64 with the sign"
                )
            primitives.add(primitive)
        elif isinstance(value, dict):
            dicts[id(value)] = value
        elif isinstance(value, (list, tuple)):
            lists[id(value)] = value
        else:
            raise TypeError(
                f"AvroBlob: {_shorten(path)} is a {type(value).__name__}, which Avro has no type for"
            )
    branches: list[Any] = [name for name in _ORDER if name in primitives]
    if lists:
        items = [item for value in lists.values() for item in value]
        branches.append({"type": "array", "items": _schema(items, f"{path}[]", names, depth - 1)})
    if dicts:
        branches.append(_schema_of_dicts(list(dicts.values()), path, names, depth - 1))
    if not branches:
        return "null"
    return branches[0] if len(branches) == 1 else branches


def _schema_of_dicts(
    values: list[dict[Any, Any]], path: str, names: Iterator[str], depth: int
) -> dict[str, Any]:
    keys = values[0].keys()
    for value in values:
        for key in value:
            if not isinstance(key, str):
                raise TypeError(
                    f"AvroBlob: {_shorten(path)} has a key that is a {type(key).__name__}: keys are text in Avro"
                )
    if all(value.keys() == keys for value in values) and all(_NAME.fullmatch(key) for key in keys):
        name = next(names)
        fields = [
            {
                "name": key,
                "type": _schema([value[key] for value in values], f"{path}.{key}", names, depth),
            }
            for key in keys
        ]
        return {"type": "record", "name": name, "fields": fields}
    items = [item for value in values for item in value.values()]
    return {"type": "map", "values": _schema(items, f"{path}.*", names, depth)}


def _primitive(value: Any) -> str | None:
    """The type of a value of a class derived from a primitive one, such as an IntEnum."""
    return next((name for kind, name in _PRIMITIVES.items() if isinstance(value, kind)), None)


def _shorten(path: str) -> str:
    return path if len(path) <= 100 else f"{path[:40]}…{path[-40:]}"
