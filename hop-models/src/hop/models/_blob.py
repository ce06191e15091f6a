"""Messages without a structure of their own: bytes, and any JSON value."""

from __future__ import annotations

from dataclasses import dataclass, field

from hop.models._input import read_any, read_bytes
from hop.models._json import dump_json, parse_json, plain, print_json
from hop.models._marks import find_marks, headline
from hop.models._model import MessageModel
from hop.models._text import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from os import PathLike
    from typing import Any

    from typing_extensions import Self

    from hop.models._input import Input


@dataclass(repr=False)
class Blob(MessageModel):
    """An opaque message: bytes, sent and received as they are.

    It is also what a message becomes that does not decode: then `reason` says why, in one line, and `declared_format`
    is the format that it was said to have, if any. On an ordinary blob both are None. Blobs of equal bytes are equal.
    """

    content: bytes
    declared_format: str | None = field(default=None, compare=False)
    reason: str | None = field(default=None, compare=False)

    format_name = "blob"

    def __post_init__(self) -> None:
        if type(self.content) is not bytes:
            if not isinstance(self.content, (bytes, bytearray, memoryview)):
                kind = type(self.content).__name__
                raise TypeError(
                    f"a Blob holds bytes, not {kind}; encode it, or use JSONBlob for text and JSON values"
                )
            self.content = bytes(self.content)

    @classmethod
    def load(cls, blob_input: Input) -> Self:
        """Create a blob from bytes or an open file; text becomes UTF-8."""
        return cls(read_bytes(blob_input, cls.__name__))

    @classmethod
    def load_file(cls, filename: str | PathLike[str]) -> Self:
        """Create a blob from all bytes of a file."""
        from pathlib import Path

        return cls(Path(filename).read_bytes())

    def serialize(self) -> dict[str, Any]:
        """`{"format": "blob", "content": the bytes}`, whatever format they were declared to be."""
        return {"format": self.format_name, "content": self.content}

    @classmethod
    def deserialize(cls, data: bytes) -> Self:
        # Most of what is read: without __init__, since bytes need no check and the other fields have their defaults.
        blob = object.__new__(cls)
        blob.content = data
        return blob

    def to_json_object(self) -> dict[str, Any]:
        """As for any model, with `declared_format` and `reason` beside the content when it did not decode."""
        described = {"format": self.format_name, "content": plain(self.content)}
        if self.reason is not None:
            described |= {"declared_format": self.declared_format, "reason": self.reason}
        return described

    def __str__(self) -> str:
        """The bytes read as UTF-8, others than that as escapes."""
        return self.content.decode("utf-8", "backslashreplace")

    def __bytes__(self) -> bytes:
        return self.content

    def _shown(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if value is not None}

    def _headline(self) -> str:
        if self.reason is not None:
            return f"{len(self.content)} bytes that are not {self.declared_format or 'a message'}: {self.reason}"
        start = one_line(self.content[:200].decode("utf-8", "replace"))
        return f"{len(self.content)} bytes: {start}"


@dataclass(repr=False)
class JSONBlob(MessageModel):
    """Any value that JSON can hold."""

    content: Any

    format_name = "json"

    @classmethod
    def load(cls, blob_input: Input) -> Self:
        """Create the message from JSON text, or an open file of it. Raises ValueError when it is no JSON."""
        return cls(parse_json(read_any(blob_input, cls.__name__), cls.__name__))

    @classmethod
    def load_file(cls, filename: str | PathLike[str]) -> Self:
        """Create the message from a file of JSON text, in UTF-8, UTF-16 or UTF-32."""
        from pathlib import Path

        return cls.load(Path(filename).read_bytes())

    def serialize(self) -> dict[str, Any]:
        """`{"format": "json", "content": JSON text}`. Raises TypeError for a value that JSON has no form for."""
        return {"format": self.format_name, "content": dump_json(self.content)}

    @classmethod
    def deserialize(cls, data: bytes) -> Self:
        return cls(parse_json(data, cls.__name__))

    def to_json_object(self) -> dict[str, Any]:
        return {"format": self.format_name, "content": plain(self.content)}

    def __str__(self) -> str:
        """The value as JSON text on one line."""
        return print_json(self.content)

    def _marks(self) -> list[str]:
        return find_marks(self.content)

    def _headline(self) -> str:
        return headline(self.content)
