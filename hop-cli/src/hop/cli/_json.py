"""How what is not text is shown in JSON."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

encode = json.JSONEncoder(ensure_ascii=False, allow_nan=False).encode


def line(value: Any) -> bytes:
    """A value as one line of JSON."""
    return text_line(encode(value))


def text_line(text: str) -> bytes:
    """A text as a line; lone surrogates become the escapes that they are in JSON."""
    return text.encode("utf-8", "backslashreplace") + b"\n"


def text_or_base64(value: str | bytes | None) -> Any:
    """Text as it is, bytes that are no text as `{"base64": …}`."""
    if not isinstance(value, bytes):
        return value
    try:
        return value.decode()
    except UnicodeDecodeError:
        return _base64(value)


def header_pairs(headers: Iterable[tuple[str, str | bytes | None]] | None) -> list[list[Any]]:
    """A message's headers as a list of pairs."""
    # Sixteen random bytes are text now and then.
    return [
        [
            name,
            _base64(value)
            if name == "_id" and isinstance(value, bytes) and value
            else text_or_base64(value),
        ]
        for name, value in headers or ()
    ]


def _base64(value: bytes) -> dict[str, str]:
    return {"base64": b64encode(value).decode("ascii")}
