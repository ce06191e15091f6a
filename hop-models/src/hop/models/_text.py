"""Text that fits: on one line, and into a log."""

from __future__ import annotations

from reprlib import Repr

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

SUMMARY_WIDTH = 120
_REPR_LENGTH = 600


def one_line(text: str, width: int = SUMMARY_WIDTH) -> str:
    """The text on one line of at most `width` characters, without control characters, what is cut marked by `…`."""
    # More than the width is cut away first: the text may be megabytes, white space can only make it shorter.
    head = text if len(text) <= 8 * width else text[: 8 * width]
    line = "".join(c if c.isprintable() else " " for c in head)
    line = " ".join(line.split())
    return line if len(line) <= width and head is text else f"{line[: width - 1]}…"


class _ShortRepr(Repr):
    def __init__(self) -> None:
        super().__init__()
        self.maxdict = self.maxlist = self.maxtuple = 6
        self.maxlevel = 4
        self.maxstring = self.maxother = 80
        self.maxlong = 40

    def repr_bytes(self, value: bytes, level: int) -> str:
        limit = self.maxstring
        return (
            repr(value)
            if len(value) <= limit
            else f"<{len(value)} bytes: {value[: limit // 2]!r}…>"
        )

    def repr_int(self, value: int, level: int) -> str:
        # An integer of very many digits is one that Python refuses to print.
        return repr(value) if value.bit_length() <= 128 else f"<int of {value.bit_length()} bits>"


_short = _ShortRepr()


def printable(text: str) -> str:
    """The text with lone surrogates, which JSON can hold and no terminal takes, as escapes."""
    return text.encode("utf-8", "backslashreplace").decode("utf-8")


def short_repr(value: Any) -> str:
    """The value's repr, cut so that no message prints megabytes."""
    text = _short.repr(value)
    return text if len(text) <= _REPR_LENGTH else f"{text[: _REPR_LENGTH - 1]}…"
