"""What records may cost before fastavro reads them.

With most schemas a value takes at least a byte, and nests as deep as the schema: nothing to check. The others nest
without end, or have values that take no bytes (nulls, records of nothing else), whose number is only a claim.
"""

from __future__ import annotations

from hop.models._exceptions import DecodeError
from hop.models._limits import limits
from hop.models._varint import Cursor

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_WIDTHS = {
    "null": 0,
    "boolean": 1,
    "int": 1,
    "long": 1,
    "float": 4,
    "double": 8,
    "bytes": 1,
    "string": 1,
    "enum": 1,
}
_RECORDS = ("record", "error")
# How many more values than bytes a record, or an item of an array, may have and still be trusted.
_GIVEN_AWAY = 8


def is_trusted(schema: Any, named: dict[str, Any], depth: int) -> bool:
    """Whether records of that schema, parsed by fastavro, hold hardly more values than bytes, nested as it is.

    `named` has the schema's named types. Raises DecodeError when the schema itself is nested deeper than `depth`.
    """
    return _Scales(named, depth).item(schema, 1)


class _Scales:
    """Weighs the types of a schema: how many values of it there may be for a byte."""

    def __init__(self, named: dict[str, Any], deepest: int) -> None:
        self.named = named
        self.deepest = deepest
        self.weighed: dict[str, tuple[int, int] | None] = {}
        self.trusted = True

    def item(self, schema: Any, depth: int) -> bool:
        """Whether any number of values of that type, one after the other, can be trusted."""
        least, excess = self.weigh(schema, depth)
        if least == 0 or excess > _GIVEN_AWAY:
            self.trusted = False
        return self.trusted

    def weigh(self, schema: Any, depth: int) -> tuple[int, int]:
        """The least bytes that a value takes, and by how many the values in it may outnumber the bytes."""
        if depth > self.deepest:
            raise DecodeError(f"AvroBlob: the schema is nested deeper than {self.deepest} levels")
        schema = resolve(schema, self.named)
        if isinstance(schema, list):
            branches = [self.weigh(branch, depth) for branch in schema]
            return 1, max((excess for _, excess in branches), default=0) - 1
        kind = schema if isinstance(schema, str) else schema["type"]
        if kind in _RECORDS:
            return self.weigh_record(schema, depth)
        if kind == "array":
            self.item(schema["items"], depth + 1)
        elif kind == "map":
            self.weigh(schema["values"], depth + 1)
        elif kind == "fixed":
            return max(schema["size"], 0), 1 - max(schema["size"], 0)
        width = _WIDTHS.get(kind, 1)
        return width, 1 - width

    def weigh_record(self, schema: Any, depth: int) -> tuple[int, int]:
        name = schema["name"]
        if name not in self.weighed:
            self.weighed[name] = None
            fields = [self.weigh(field["type"], depth + 1) for field in schema["fields"]]
            self.weighed[name] = (
                sum(least for least, _ in fields),
                1 + sum(excess for _, excess in fields),
            )
        weight = self.weighed[name]
        if weight is None:  # a record inside itself
            self.trusted = False
            return 1, 0
        return weight


class BlockCheck:
    """A walk through a block of records. Raises DecodeError when they nest too deep or are too many values."""

    def __init__(self, named: dict[str, Any], block: bytes) -> None:
        self.named = named
        self.cursor = Cursor(block)
        self.left = limits.avro_values

    def records(self, schema: Any, number: int) -> None:
        self.claim(number)
        for _ in range(number):
            self.value(schema, limits.avro_depth)

    def value(self, schema: Any, depth: int) -> None:
        if depth < 0:
            raise DecodeError(
                f"AvroBlob: a record is nested deeper than {limits.avro_depth} levels"
            )
        self.claim(1)
        self.left -= 1
        schema = resolve(schema, self.named)
        if isinstance(schema, list):
            branch = self.cursor.long()
            if not 0 <= branch < len(schema):
                raise DecodeError(
                    "AvroBlob: a record chooses a branch that its union does not have"
                )
            self.value(schema[branch], depth)
            return
        kind = schema if isinstance(schema, str) else schema["type"]
        if kind in ("int", "long", "enum"):
            self.cursor.long()
        elif kind in ("bytes", "string"):
            self.cursor.skip(self.cursor.long())
        elif kind in _WIDTHS:
            self.cursor.skip(_WIDTHS[kind])
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
            self.claim(number)
            for _ in range(number):
                if keys:
                    self.cursor.skip(self.cursor.long())
                self.value(schema, depth)

    def claim(self, number: int) -> None:
        if number > self.left:
            most = limits.avro_values
            raise DecodeError(
                f"AvroBlob: the records claim more than the {most} values of limits.avro_values"
            )


def resolve(schema: Any, named: dict[str, Any]) -> Any:
    """What a name stands for; a type in braces only, `{"type": "string"}`, as it is."""
    if isinstance(schema, str):
        return named.get(schema, schema)
    if isinstance(schema, dict) and not isinstance(schema["type"], str):
        return resolve(schema["type"], named)
    return schema
