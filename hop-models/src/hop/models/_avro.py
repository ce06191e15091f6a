"""Avro object containers."""

from __future__ import annotations

from dataclasses import dataclass, field

from hop.models._exceptions import DecodeError
from hop.models._input import read_any
from hop.models._json import plain, print_json
from hop.models._marks import find_marks, headline
from hop.models._model import MessageModel

TYPE_CHECKING = False
if TYPE_CHECKING:
    from os import PathLike
    from typing import Any

    from typing_extensions import Self

    from hop.models._input import Input


@dataclass(repr=False, eq=False)
class AvroBlob(MessageModel):
    """Records as an Avro object container.

    `content` is the list of records, each of any type that Avro has. `schema` is the schema that they are sent with. A
    message that was read has the one that it came with; None is for one that is made to fit the records: objects that
    have the same keys everywhere become a record, others a map, values of several types a union.

    `single_record` sends `content` as one record, of any type: releases of hop-client since 0.11 read only that, and
    send a list so. When such a list is read, `content` is the list and `single_record` is True.

    Two are equal when their containers hold equal records.
    """

    content: Any
    schema: Any = None
    single_record: bool = field(default=False, kw_only=True)

    format_name = "avro"

    def __post_init__(self) -> None:
        if not self.single_record and not isinstance(self.content, (list, tuple)):
            kind = type(self.content).__name__
            raise TypeError(
                f"AvroBlob: a list of records is expected, not {kind}; put it in a list, or use single_record=True"
            )

    @classmethod
    def load(cls, blob_input: Input) -> Self:
        """Create the message from an Avro container: bytes, or a file opened in binary mode.

        Raises ValueError for anything else, a container that ends too early, and one that unpacks to more than the
        bounds in `hop.models.limits`. Read are the codecs null, deflate, bzip2 and xz.
        """
        data = read_any(blob_input, cls.__name__)
        if isinstance(data, str):
            raise DecodeError(
                "AvroBlob: Avro is bytes, not text; open the file in binary mode ('rb')"
            )
        return cls.deserialize(data)

    @classmethod
    def load_file(cls, filename: str | PathLike[str]) -> Self:
        """Create the message from a file that is an Avro container."""
        from pathlib import Path

        return cls.deserialize(Path(filename).read_bytes())

    def serialize(self) -> dict[str, Any]:
        """`{"format": "avro", "content": the container}`, not compressed.

        Raises TypeError for a value that Avro has no type for (an integer of more than 64 bits, a key that is not
        text), and ValueError when a record does not fit the given schema.
        """
        from hop.models._avro_write import write_container

        return {
            "format": self.format_name,
            "content": write_container(self._records(), self.schema),
        }

    @classmethod
    def deserialize(cls, data: bytes) -> Self:
        from hop.models._avro_read import read_container

        records, schema = read_container(data)
        if len(records) == 1 and isinstance(schema, dict) and schema.get("type") == "array":
            return cls(records[0], schema, single_record=True)
        return cls(records, schema)

    def to_json_object(self) -> dict[str, Any]:
        return {"format": self.format_name, "content": plain(self.content)}

    def __eq__(self, other: object) -> bool:
        return (
            self._records() == other._records() if isinstance(other, AvroBlob) else NotImplemented
        )

    def __str__(self) -> str:
        """The content as JSON on one line, bytes as `{"base64": …}`."""
        return print_json(plain(self.content))

    def _records(self) -> list[Any]:
        return [self.content] if self.single_record else list(self.content)

    def _marks(self) -> list[str]:
        return find_marks(self.content)

    def _headline(self) -> str:
        records = self._records()
        count = "1 record" if len(records) == 1 else f"{len(records)} records"
        return f"{count}: {headline(records[0])}" if records else count
