"""What `load` takes: text, bytes, an open file of either kind, or lines of either kind."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping

from hop.models._exceptions import DecodeError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    class Readable(Protocol):
        def read(self) -> Any: ...

    Input = str | bytes | bytearray | memoryview | Readable | Iterable[str] | Iterable[bytes]


def read_any(source: Input, what: str) -> str | bytes:
    """All of the input, as text or bytes, whichever it holds. `what` names the model in errors."""
    if isinstance(source, (str, bytes)):
        return source
    if isinstance(source, (bytearray, memoryview)):
        return bytes(source)
    try:
        if hasattr(source, "read"):
            return read_any(source.read(), what)
        if isinstance(source, Iterable) and not isinstance(source, (Mapping, os.PathLike)):
            return _join(list(source), what)
    except UnicodeDecodeError as exc:
        raise DecodeError(
            f"{what}: the text file is not {exc.encoding}; open it in binary mode ('rb')"
        ) from exc
    hint = "; use load_file for a path" if isinstance(source, os.PathLike) else ""
    raise TypeError(
        f"{what}: cannot read a {type(source).__name__}, only text, bytes, an open file or lines{hint}"
    )


def read_bytes(source: Input, what: str) -> bytes:
    """All of the input as bytes; text becomes UTF-8."""
    data = read_any(source, what)
    return data.encode() if isinstance(data, str) else data


def read_text(source: Input, what: str) -> str:
    """All of the input as text; bytes are UTF-8, or else Latin-1, as in old mail. A byte order mark is dropped."""
    data = read_any(source, what)
    if isinstance(data, str):
        text = data
    else:
        try:
            text = data.decode()
        except UnicodeDecodeError:
            text = data.decode("latin-1")
    return text.removeprefix("\ufeff")


def _join(lines: list[Any], what: str) -> str | bytes:
    if all(isinstance(line, str) for line in lines):
        return "".join(lines)
    if all(isinstance(line, (bytes, bytearray, memoryview)) for line in lines):
        return b"".join(lines)
    raise TypeError(f"{what}: lines must be all text or all bytes")
