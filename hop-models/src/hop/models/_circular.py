"""GCN circulars: mail-like text that astronomers write."""

from __future__ import annotations

from dataclasses import dataclass

from hop.models._exceptions import DecodeError
from hop.models._input import read_any, read_text
from hop.models._json import parse_json_object
from hop.models._model import MessageModel
from hop.models._text import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from datetime import datetime
    from os import PathLike
    from typing import Any

    from typing_extensions import Self

    from hop.models._input import Input


# No header that means something is longer; the mail package takes its time for one that is.
_LONG = 2000


@dataclass(repr=False)
class GCNCircular(MessageModel):
    """A GCN circular: its header as a dictionary of lower-case names, and its body.

    {"title": "GCN CIRCULAR", "number": "26936", "subject": …, "date": …, "from": …}
    """

    header: dict[str, Any]
    body: str

    format_name = "circular"

    def __post_init__(self) -> None:
        self._gaps: dict[str, str] = {}

    @classmethod
    def load(cls, email_input: Input) -> Self:
        """Create a circular from RFC 822 text: text, bytes, an open file, or lines.

        Folded header lines are joined by a space, of a repeated name the first counts, CRLF becomes LF. Bytes are UTF-8
        or else Latin-1. Raises ValueError when the text does not begin with a header line.
        """
        from hop.models._circular_text import parse_circular

        header, body, gaps = parse_circular(read_text(email_input, cls.__name__))
        circular = cls(header, body)
        circular._gaps = gaps
        return circular

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
        """When it was sent, in UTC: from `20/01/29 17:07:21 GMT`, a mail date or an ISO date. None for others."""
        from hop.models._circular_facts import parse_date

        return parse_date(self._text("date")[:_LONG])

    @property
    def event(self) -> str | None:
        """The name of the event in the subject, in GCN's spelling, such as `GRB 230410A` or `S200129m`."""
        from hop.models._circular_facts import find_event

        return self._text("eventid") or find_event(self.subject[:_LONG])

    def __str__(self) -> str:
        """The circular as RFC 822 text."""
        from hop.models._circular_text import print_circular

        return printable(print_circular(self.header, self.body, self._gaps))

    def _fields(self) -> dict[str, Any]:
        return {"header": self.header, "body": self.body}

    def _text(self, name: str) -> str:
        value = self.header.get(name)
        return "" if value is None else str(value).strip()

    def _readable(self, name: str) -> str:
        text = " ".join(self._text(name).split())
        if "=?" not in text or len(text) > _LONG:
            return text
        from hop.models._circular_facts import decode_words

        return decode_words(text)

    def _marks(self) -> list[str]:
        from hop.models._circular_facts import marks_of_subject

        return marks_of_subject(self.subject[:_LONG])

    def _headline(self) -> str:
        number = self._text("number")
        return f"{number + ' ' if number else ''}{self.subject or self.body}"
