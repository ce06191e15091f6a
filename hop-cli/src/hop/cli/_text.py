"""Text that does not disturb a terminal, and what kind of terminal there is."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import TextIO

# Control and format characters (the ones that reverse text among them), line and paragraph separators.
_DISTURBING = {"Cc", "Cf", "Cs", "Zl", "Zp"}
_KEPT = "\n\t"


def escaped(text: str) -> str:
    r"""The text with control characters as escapes (`\x1b`, `\u202e`): what a terminal shows and does not obey."""
    if text.isprintable():
        return text
    from unicodedata import category

    return "".join(
        _escape(char) if category(char) in _DISTURBING and char not in _KEPT else char
        for char in text.replace("\r\n", "\n")
    )


def is_terminal(stream: TextIO | None) -> bool:
    """Whether somebody is looking at it."""
    return stream is not None and not stream.closed and stream.isatty()


def printable(data: bytes, stream: TextIO) -> bytes:
    """What to write to a stream: as it is, or, on a terminal, with nothing in it that a terminal would obey."""
    if not is_terminal(stream):
        return data
    text = escaped(data.decode("utf-8", "backslashreplace"))
    return text.encode(stream.encoding or "utf-8", "backslashreplace")


def say_interrupted(text: str = "") -> None:
    """Say on stderr what an interruption has ended; on a terminal, ^C is in the line already."""
    if is_terminal(sys.stderr):
        text = f"\n{text}"
    if text:
        print(text, end="" if text.endswith("\n") else "\n", file=sys.stderr)


def colour(text: str, code: int) -> str:
    """The text in a colour (an ANSI code) where stdout is a terminal that has some and NO_COLOR is not set."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb":
        return text
    return f"\x1b[{code}m{text}\x1b[0m" if is_terminal(sys.stdout) else text


def _escape(char: str) -> str:
    number = ord(char)
    if number < 0x80:
        return f"\\x{number:02x}"
    if number <= 0xFFFF:
        return f"\\u{number:04x}"
    # Two halves, as JSON writes it, so that JSON stays JSON.
    number -= 0x10000
    return f"\\u{0xD800 + (number >> 10):04x}\\u{0xDC00 + (number & 0x3FF):04x}"
