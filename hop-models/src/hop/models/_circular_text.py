"""A circular's form as mail."""

from __future__ import annotations

import re

from hop.models._exceptions import DecodeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

COLUMN = 9

# Mail has no spaces in names; GCN has `EDITED ON`. With more words than that it is a sentence with a colon in it.
_HEADER = re.compile(r"([!-9;-~]+(?: [!-9;-~]+){0,2})[ \t]*:([ \t]*)(.*)")


def parse_circular(text: str) -> tuple[dict[str, Any], str, dict[str, str]]:
    """The header, the body, and the space after those names that are too long for the column. Raises DecodeError."""
    lines = text.replace("\r\n", "\n").lstrip("\n").split("\n")
    header: dict[str, list[str]] = {}
    gaps: dict[str, str] = {}
    value: list[str] | None = None
    end = len(lines)
    for number, line in enumerate(lines):
        if not line.strip():
            end = number + 1
            break
        if number == 0 and line.startswith("From "):  # the line before a mail in a mailbox file
            continue
        match = _HEADER.fullmatch(line)
        if value is not None and line[0] in " \t":
            value.append(line.strip())
        elif match:
            name = match[1].lower()
            value = [match[3]] if match[3] else []
            if name not in header:
                header[name] = value
                if len(name) + 1 >= COLUMN:
                    gaps[name] = match[2]
        elif value is not None:  # mail software takes such a line for the start of the body, too
            end = number
            break
        else:
            raise DecodeError(
                f"GCNCircular: line {number + 1} is no header line such as 'TITLE:   GCN CIRCULAR'"
            )
    if not header:
        raise DecodeError("GCNCircular: the text is empty")
    return {name: " ".join(parts) for name, parts in header.items()}, "\n".join(lines[end:]), gaps


def print_circular(header: dict[str, Any], body: str, gaps: dict[str, str]) -> str:
    """The circular as text, for `parse_circular` to read."""
    lines = []
    for name, value in header.items():
        # A line break in a value is folded: it must not start another header, or the body.
        text = "" if value is None else str(value).replace("\n", f"\n{' ' * COLUMN}")
        lines.append(f"{f'{name.upper()}:':<{COLUMN}}{gaps.get(name, '')}{text}\n")
    return f"{''.join(lines)}\n{body}"
