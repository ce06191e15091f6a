"""From a message's headers and body to its model: the one function, without the network, that never raises."""

from __future__ import annotations

from hop.models._blob import Blob, JSONBlob
from hop.models._exceptions import DecodeError
from hop.models._json import dump_json, parse_json
from hop.models._model import MessageModel
from hop.models._registry import BUILT_IN, message_models
from hop.models._text import one_line

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Literal, overload

    Headers = Sequence[tuple[str, bytes | None]] | None

# Nearly every header is one of these, byte for byte.
_BY_HEADER = {name.encode(): (name, model.deserialize) for name, model in BUILT_IN.items()}


def is_test(headers: Headers) -> bool:
    """Whether the headers mark a test message: any `_test` does, whatever its value."""
    if headers:
        for key, _ in headers:
            if key == "_test":
                return True
    return False


if TYPE_CHECKING:

    @overload
    def decode(
        headers: Headers, body: bytes | None, ignoretest: Literal[False] = False
    ) -> MessageModel: ...

    @overload
    def decode(headers: Headers, body: bytes | None, ignoretest: bool) -> MessageModel | None: ...


def decode(headers: Headers, body: bytes | None, ignoretest: bool = False) -> MessageModel | None:
    """The message that the headers and the body are; with `ignoretest`, None for a test message.

    Nothing is raised and nothing logged, for any bytes. What does not decode is a `Blob` whose `reason` says why: a
    body that is not what its `_format` says, and a format that is not known. Of several `_format` the first counts;
    with none, or an empty one, the body is JSON, the envelope of clients before 0.6, or else an ordinary Blob. A body
    of None, which deletes a key from a compacted topic, reads as an empty one.
    """
    data = b"" if body is None else body
    declared = None
    if headers:
        first = True
        for key, value in headers:
            if key == "_format":
                if first:
                    declared, first = value, False
            elif ignoretest and key == "_test":
                return None
    if not declared:
        return _without_format(data)
    known = _BY_HEADER.get(declared)
    if known is None:
        return _with_format(
            declared.decode("utf-8", "backslashreplace").strip().lower(), data, data
        )
    name, deserialize = known
    try:
        return deserialize(data)
    except Exception as exc:
        return Blob(data, name, _reason(exc))


def _with_format(name: str, content: bytes, body: bytes) -> MessageModel:
    """The content as that format says; where that fails, the body as a Blob."""
    try:
        model = BUILT_IN.get(name) or message_models().get(name)
        if model is None:
            return Blob(body, name, f"the format {one_line(name, 60)!r} is not known here")
        message = model.deserialize(content)
    # A plugin's model may raise anything, and so may a library below ours: reading goes on.
    except Exception as exc:
        return Blob(body, name, _reason(exc))
    if not isinstance(message, MessageModel):
        return Blob(
            body,
            name,
            f"{model.__name__}.deserialize gave a {type(message).__name__}, not a message",
        )
    return message


def _reason(exc: Exception) -> str:
    try:
        return one_line(
            str(exc) if isinstance(exc, DecodeError) else f"{type(exc).__name__}: {exc}", 300
        )
    except Exception:  # a plugin's exception whose text cannot be made either
        return type(exc).__name__


def _without_format(body: bytes) -> MessageModel:
    try:
        value = parse_json(body)
    except DecodeError:
        return Blob(body)
    if not (
        type(value) is dict
        and value.keys() == {"format", "content"}
        and isinstance(value["format"], str)
    ):
        return JSONBlob(value)
    name, content = value["format"].strip().lower(), value["content"]
    if name in ("blob", "json"):
        return JSONBlob(content)
    return _with_format(name, dump_json(content), body)
