"""Classic GCN notices: `KEY: value` lines."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from hop.models._exceptions import DecodeError
from hop.models._input import read_text
from hop.models._marks import marks_of_text
from hop.models._model import MessageModel
from hop.models._text import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from os import PathLike
    from typing import Any

    from typing_extensions import Self

    from hop.models._input import Input

# A key is one word at the start of its line; `http://…` is none, and neither is an indented line.
_KEY = r"([A-Za-z][\w()/.#-]*)[ \t]*:(?!//)"
_MARKS = {"RETRACT": "RETRACTION", "TEST": "TEST", "MOCK": "MOCK", "INJECTION": "MOCK"}


@dataclass(repr=False)
class GCNTextNotice(MessageModel):
    """A GCN notice in its classic text form.

    `raw` is the text as it came. `fields` has the value of each key, the key in lower case: a line without a key
    continues the value before it, a repeated key appends a line. `notice["SRC_RA"]` looks a key up in any case.
    """

    raw: str
    fields: dict[str, str] = field(init=False, compare=False)

    format_name = "gcntextnotice"

    def __post_init__(self) -> None:
        self.fields = _parse(self.raw)

    @classmethod
    def load(cls, input_: Input) -> Self:
        """Create a notice from its text. Raises ValueError when no line of it is `KEY: value`."""
        return cls(read_text(input_, cls.__name__))

    @classmethod
    def load_file(cls, filename: str | PathLike[str]) -> Self:
        """Create a notice from a text file, in UTF-8 or Latin-1."""
        from pathlib import Path

        return cls.load(Path(filename).read_bytes())

    def serialize(self) -> dict[str, Any]:
        """`{"format": "gcntextnotice", "content": the raw text as UTF-8}`."""
        return {"format": self.format_name, "content": self.raw.encode()}

    @classmethod
    def deserialize(cls, data: bytes) -> Self:
        return cls(read_text(data, cls.__name__))

    def __getitem__(self, key: str) -> str:
        return self.fields[key.lower()]

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and key.lower() in self.fields

    def get(self, key: str, default: str | None = None) -> str | None:
        """The value of a key in any case, or `default` when the notice does not have it."""
        return self.fields.get(key.lower(), default)

    def __str__(self) -> str:
        """The raw text."""
        return printable(self.raw)

    def _fields(self) -> dict[str, Any]:
        return {"fields": self.fields, "raw": self.raw}

    def _marks(self) -> list[str]:
        kind = f"{self.fields.get('notice_type', '')} {self.fields.get('title', '')}".upper()
        return [mark for word, mark in _MARKS.items() if word in kind] + marks_of_text(
            " ".join(self.fields.get(key, "") for key in ("trigger_num", "event_num", "graceid"))
        )

    def _headline(self) -> str:
        keys = ("notice_type", "trigger_num", "event_num", "notice_date")
        return ", ".join(value for key in keys if (value := self.fields.get(key))) or self.raw


def _parse(text: str) -> dict[str, str]:
    key = re.compile(_KEY)
    fields: dict[str, list[str]] = {}
    current: list[str] | None = None
    for line in text.splitlines():
        match = key.match(line)
        if match:
            current = fields.setdefault(match.group(1).lower(), [])
            value = line[match.end() :].strip()
        else:
            value = line.strip()
            if not value:
                continue
        if current is not None:
            current.append(value)
    if not fields:
        raise DecodeError("GCNTextNotice: no line of the text is 'KEY: value'")
    return {name: "\n".join(lines) for name, lines in fields.items()}
