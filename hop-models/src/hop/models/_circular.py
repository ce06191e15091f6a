"""GCN circulars: mail-like text that astronomers write."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from hop.models._exceptions import DecodeError
from hop.models._input import read_any, read_text
from hop.models._json import parse_json_object
from hop.models._marks import RETRACTION, TEST, marks_of_text
from hop.models._model import MessageModel

if TYPE_CHECKING:
    from datetime import datetime
    from os import PathLike
    from typing import Any

    from typing_extensions import Self

    from hop.models._input import Input

_COLUMN = 9
_HEADER = re.compile(r"([^\s:][^:]*?)[ \t]*:([ \t]*)(.*)")
_RETRACTION = re.compile(r"\bretract(ion|ed|s)?\b", re.IGNORECASE)
_TEST = re.compile(r"\btest\b", re.IGNORECASE)


@dataclass(repr=False)
class GCNCircular(MessageModel):
    """A GCN circular: its header as a dictionary of lower-case names, and its body.

    {"title": "GCN CIRCULAR", "number": "26936", "subject": …, "date": …, "from": …}
    """

    header: dict[str, Any]
    body: str

    format_name = "circular"

    @classmethod
    def load(cls, email_input: Input) -> Self:
        """Create a circular from RFC 822 text: text, bytes, an open file, or lines.

        Folded header lines are joined by a space, of a repeated name the first counts, CRLF becomes LF. Bytes are UTF-8
        or else Latin-1. Raises ValueError when the text does not begin with a header line.
        """
        return cls(*_parse(read_text(email_input, cls.__name__)))

    @classmethod
    def load_file(cls, filename: str | PathLike[str]) -> Self:
        """Create a circular from a file of RFC 822 text, in UTF-8 or Latin-1."""
        from pathlib import Path

        return cls.load(Path(filename).read_bytes())

    @classmethod
    def deserialize(cls, data: bytes) -> Self:
        content = parse_json_object(data, cls.__name__)
        header, body = content.get("header"), content.get("body")
        if not isinstance(header, dict) or not isinstance(body, str):
            raise DecodeError(
                f"{cls.__name__}: the JSON object needs 'header', an object, and 'body', a text"
            )
        return cls(header, body)

    @classmethod
    def from_gcn_json(cls, circular: dict[str, Any] | Input) -> Self:
        """Create a circular from the JSON that GCN sends on the Kafka topic `gcn.circulars`, as object or text.

        Raises ValueError when it has no `subject` or no `body`. The time it was created on (milliseconds since 1970)
        becomes the date in the form of the archive, `24/06/12 17:17:09 GMT`. The `eventId` is kept as a header of its
        own only when the subject does not name the same event.
        """
        from hop.models._circular_facts import header_from_gcn

        if not isinstance(circular, dict):
            circular = parse_json_object(read_any(circular, cls.__name__), "GCN circular")
        body = circular.get("body")
        if not isinstance(body, str):
            raise DecodeError("GCN circular: the JSON object has no text 'body'")
        return cls(header_from_gcn(circular), body)

    @property
    def number(self) -> int | None:
        """The number of the circular, None when it has none yet."""
        text = self._text("number")
        return int(text) if text.isascii() and text.isdigit() and len(text) < 20 else None

    @property
    def subject(self) -> str:
        """The subject on one line, encoded words decoded; empty when there is none."""
        return self._readable("subject")

    @property
    def sender(self) -> str:
        """Who sent it, `name at institute <address>`, encoded words decoded; empty when that is not said."""
        return self._readable("from")

    @property
    def date(self) -> datetime | None:
        """When it was sent, in UTC: from `20/01/29 17:07:21 GMT`, a mail date or an ISO date; None for anything else."""
        from hop.models._circular_facts import parse_date

        return parse_date(self._text("date"))

    @property
    def event(self) -> str | None:
        """The name of the event in the subject, in GCN's spelling, such as `GRB 230410A` or `S200129m`."""
        from hop.models._circular_facts import find_event

        return self._text("eventid") or find_event(self.subject)

    def __str__(self) -> str:
        """The circular as RFC 822 text."""
        lines = []
        for name, value in self.header.items():
            label = f"{name.upper()}:"
            # A line break in a value is folded: it must not start a header or the body.
            folded = f"\n{' ' * _COLUMN}".join(str(value).splitlines()) if value is not None else ""
            lines.append(f"{label:<{_COLUMN}}{folded}\n")
        return f"{''.join(lines)}\n{self.body}"

    def _text(self, name: str) -> str:
        value = self.header.get(name)
        return "" if value is None else str(value).strip()

    def _readable(self, name: str) -> str:
        text = " ".join(self._text(name).split())
        if "=?" not in text:
            return text
        from hop.models._circular_facts import decode_words

        return decode_words(text)

    def _marks(self) -> list[str]:
        subject = self.subject
        marks = marks_of_text(subject)
        if _TEST.search(subject):
            marks.append(TEST)
        if _RETRACTION.search(subject):
            marks.append(RETRACTION)
        return marks

    def _headline(self) -> str:
        number = self._text("number")
        return f"{number + ' ' if number else ''}{self.subject or self.body}"


def _parse(text: str) -> tuple[dict[str, Any], str]:
    lines = text.replace("\r\n", "\n").lstrip("\n").split("\n")
    header: dict[str, Any] = {}
    name = None
    end = len(lines)
    for number, line in enumerate(lines):
        if not line.strip():
            end = number + 1
            break
        match = _HEADER.fullmatch(line)
        if line[0] in " \t" and name is not None:
            value = f"{header[name]} {line.strip()}"
            header[name] = value.strip()
        elif match:
            name = match.group(1).lower()
            header.setdefault(name, match.group(3).rstrip())
        elif name is not None:  # mail software takes such a line for the start of the body, too
            end = number
            break
        elif not line.startswith("From "):  # the first line of a mail in a mailbox file
            raise DecodeError(
                f"GCNCircular: line {number + 1} is not a header line such as 'TITLE:   GCN CIRCULAR'"
            )
    if not header:
        raise DecodeError("GCNCircular: the text is empty")
    return header, "\n".join(lines[end:])
