"""JSON in and out, with the few things that the json module leaves to its caller."""

from __future__ import annotations

import json

from hop.models._exceptions import DecodeError
from hop.models._limits import limits
from hop.models._text import printable

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_decoder = json.JSONDecoder()
_decode, _scan = _decoder.decode, _decoder.raw_decode


def parse_json(data: str | bytes, what: str = "JSON", depth: int | None = None) -> Any:
    """The value that `data` holds, nested up to `limits.json_depth` or the depth given.

    Raises DecodeError, also where the json module raises RecursionError, UnicodeDecodeError or a ValueError about the
    number of digits. `NaN` and `Infinity` are read, since clients in Python send them.
    """
    try:
        text = data if isinstance(data, str) else data.decode()
        # Without the search for blanks around the value, of which there are hardly ever any.
        value, end = _scan(text)
        if end != len(text):
            value = _decode(text)
    except (ValueError, RecursionError):
        text, value = _parse_slowly(data, what)
    # Whatever is nested that deep has as many brackets: counting them costs nothing, walking the value does.
    most = limits.json_depth if depth is None else depth
    if text.count("[") + text.count("{") > most and _deeper_than(value, most):
        raise DecodeError(f"{what}: nested deeper than {most} levels")
    return value


def _parse_slowly(data: str | bytes, what: str) -> tuple[str, Any]:
    """The text and its value where it is UTF-16, UTF-32 or has a byte order mark; otherwise what is wrong with it."""
    try:
        text = (
            data
            if isinstance(data, str)
            else data.decode(json.detect_encoding(data), "surrogatepass")
        )
        return text, _decode(text.removeprefix("\ufeff"))
    except json.JSONDecodeError as exc:
        raise DecodeError(f"{what}: {exc}") from exc
    except UnicodeDecodeError as exc:
        raise DecodeError(f"{what}: not text: {exc.reason} at byte {exc.start}") from exc
    except RecursionError as exc:
        raise DecodeError(f"{what}: nested too deep") from exc
    except ValueError as exc:  # an integer of more digits than Python converts
        raise DecodeError(f"{what}: {exc}") from exc


def parse_json_object(data: str | bytes, what: str) -> dict[str, Any]:
    """The object that `data` holds; DecodeError for any other value."""
    value = parse_json(data, what)
    if not isinstance(value, dict):
        names = {list: "an array", str: "a string", bool: "a boolean", type(None): "null"}
        raise DecodeError(
            f"{what}: a JSON object is expected, not {names.get(type(value), 'a number')}"
        )
    return value


def dump_json(value: Any) -> bytes:
    """The value as JSON for the wire: plain ASCII, so that no reader can get the encoding wrong."""
    return json.dumps(value).encode("ascii")


def print_json(value: Any, indent: int | None = None) -> str:
    """The value as JSON for people: letters as they are."""
    return printable(json.dumps(value, ensure_ascii=False, indent=indent))


def plain(value: Any) -> Any:
    """The value with nothing in it that strict JSON has no form for.

    Bytes become `{"base64": "…"}`, NaN and infinities null, a date or time its ISO form, anything else its text.
    """
    if value is None or isinstance(value, (str, bool, int)):
        return value
    if isinstance(value, float):
        return value if value - value == 0 else None  # only of a finite number
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (bytes, bytearray, memoryview)):
        from binascii import b2a_base64

        return {"base64": b2a_base64(value, newline=False).decode("ascii")}
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _deeper_than(value: Any, depth: int) -> bool:
    """Whether lists and dicts are nested deeper than that, level by level: no recursion."""
    level = [value] if isinstance(value, (dict, list)) else []
    for _ in range(depth):
        if not level:
            return False
        level = [
            child
            for parent in level
            for child in (parent.values() if isinstance(parent, dict) else parent)
            if isinstance(child, (dict, list))
        ]
    return bool(level)
