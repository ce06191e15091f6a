"""What a record may cost before fastavro reads it.

With most schemas every value takes at least a byte, and values nest as deep as the schema: nothing to check. The others
are those that nest without end, and arrays of items that take no bytes, whose number is then only a claim.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from hop.models._exceptions import DecodeError
from hop.models._limits import limits
from hop.models._varint import Cursor

if TYPE_CHECKING:
    from typing import Any

_FIXED_WIDTH = {"null": 0, "boolean": 1, "float": 4, "double": 8}
_RECORDS = ("record", "error")


def is_trusted(schema: Any, named: dict[str, Any]) -> bool:
    """Whether records of that (parsed) schema can only hold as much as they are long, nested as deep as it is."""
    return _is_trusted(schema, named, (), limits.avro_depth)


def _is_trusted(schema: Any, named: dict[str, Any], inside: tuple[str, ...], depth: int) -> bool:
    if not depth:
        return False
    schema = _resolved(schema, named)
    if isinstance(schema, list):
        return all(_is_trusted(branch, named, inside, depth - 1) for branch in schema)
    if isinstance(schema, str):
        return True
    kind = schema["type"]
    if kind in _RECORDS:
        name = schema["name"]
        inside_this = (*inside, name)
        return name not in inside and all(
            _is_trusted(field["type"], named, inside_this, depth - 1) for field in schema["fields"]
        )
    if kind == "array":
        return not takes_no_bytes(schema["items"], named) and _is_trusted(
            schema["items"], named, inside, depth - 1
        )
    if kind == "map":
        return _is_trusted(schema["values"], named, inside, depth - 1)
    return True


def takes_no_bytes(schema: Any, named: dict[str, Any], inside: tuple[str, ...] = ()) -> bool:
    """Whether values of that (parsed) schema may take no bytes at all."""
    schema = _resolved(schema, named)
    if isinstance(schema, list):
        return False
    if isinstance(schema, str):
        return schema == "null"
    if schema["type"] in _RECORDS:
        name = schema["name"]
        return name in inside or all(
            takes_no_bytes(field["type"], named, (*inside, name)) for field in schema["fields"]
        )
    return bool(schema["type"] == "null" or (schema["type"] == "fixed" and schema["size"] < 1))


def check_block(schema: Any, named: dict[str, Any], block: bytes, number: int) -> None:
    """Walk through a block of that many records. Raises DecodeError when it nests too deep or holds too many values."""
    check = _Check(named, block)
    for _ in range(number):
        check.value(schema, limits.avro_depth)


class _Check:
    def __init__(self, named: dict[str, Any], block: bytes) -> None:
        self.named = named
        self.cursor = Cursor(block)
        self.left = limits.avro_values

    def value(self, schema: Any, depth: int) -> None:
        if not depth:
            raise DecodeError(
                f"AvroBlob: a record is nested deeper than {limits.avro_depth} levels"
            )
        self.count(1)
        schema = _resolved(schema, self.named)
        if isinstance(schema, list):
            branch = self.cursor.long()
            if not 0 <= branch < len(schema):
                raise DecodeError(
                    "AvroBlob: a record chooses a branch that its union does not have"
                )
            self.value(schema[branch], depth - 1)
            return
        kind = schema if isinstance(schema, str) else schema["type"]
        if kind in _FIXED_WIDTH:
            self.cursor.skip(_FIXED_WIDTH[kind])
        elif kind in ("int", "long", "enum"):
            self.cursor.long()
        elif kind in ("bytes", "string"):
            self.cursor.skip(self.cursor.long())
        elif kind == "fixed":
            self.cursor.skip(schema["size"])
        elif kind == "array":
            self.items(schema["items"], depth - 1, keys=False)
        elif kind == "map":
            self.items(schema["values"], depth - 1, keys=True)
        else:
            for field in schema["fields"]:
                self.value(field["type"], depth - 1)

    def items(self, schema: Any, depth: int, keys: bool) -> None:
        while number := self.cursor.long():
            if number < 0:
                number = -number
                self.cursor.long()
            self.count(number)
            for _ in range(number):
                if keys:
                    self.cursor.skip(self.cursor.long())
                self.value(schema, depth)

    def count(self, number: int) -> None:
        self.left -= number
        if self.left < 0:
            raise DecodeError(
                f"AvroBlob: the records claim more than the {limits.avro_values} values of limits.avro_values"
            )


def _resolved(schema: Any, named: dict[str, Any]) -> Any:
    """What a name stands for; a type in braces only, `{"type": "string"}`, as it is."""
    if isinstance(schema, str):
        return named.get(schema, schema)
    if isinstance(schema, dict) and not isinstance(schema["type"], str):
        return _resolved(schema["type"], named)
    return schema
