"""From what a program wants to send to a message's body and headers."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from typing import Any

from hop.auth import Auth
from hop.models import Blob, JSONBlob, MessageModel

RequestedHeaders = Mapping[str, str | bytes] | Iterable[tuple[str, str | bytes | None]]
PackedHeaders = list[tuple[str, str | bytes | None]]

# Reading random bytes from the system costs more than the rest of packing; many messages' worth are read at once.
_POOL = 256
_ids: list[tuple[str, bytes]] = []

if hasattr(os, "register_at_fork"):
    # A child must not use its parent's identities.
    os.register_at_fork(after_in_child=_ids.clear)


# The bytes 6 and 8 of a random UUID, made of random ones.
_VERSION = bytes(byte & 0x0F | 0x40 for byte in range(256))
_VARIANT = bytes(byte & 0x3F | 0x80 for byte in range(256))

_last_sender: tuple[Auth | None, PackedHeaders] = (None, [])

_BLOB = ("_format", b"blob")


def _new_id() -> tuple[str, bytes]:
    """The header with a message's identity: 16 bytes, a random UUID (version 4)."""
    chance = bytearray(os.urandom(16 * _POOL))
    chance[6::16] = chance[6::16].translate(_VERSION)
    chance[8::16] = chance[8::16].translate(_VARIANT)
    made = bytes(chance)
    _ids.extend([("_id", made[start : start + 16]) for start in range(16, len(made), 16)])
    return "_id", made[:16]


def sent_by(auth: Auth | None) -> PackedHeaders:
    """The headers that say who sends: one, or without authentication none."""
    global _last_sender
    last = _last_sender
    if auth is not last[0]:
        last = _last_sender = auth, [] if auth is None else [("_sender", auth.username.encode())]
    return last[1]


def pack(
    message: Any, headers: RequestedHeaders | None, test: bool, sender: PackedHeaders
) -> tuple[bytes, PackedHeaders]:
    """See `Producer.pack`; `sender` as of `sent_by`."""
    try:
        identity = _ids.pop()
    except IndexError:
        identity = _new_id()
    packed: PackedHeaders
    if type(message) is bytes:
        body, packed = message, [identity, _BLOB, *sender]
    else:
        if not isinstance(message, MessageModel):
            raw = isinstance(message, (bytes, bytearray, memoryview))
            message = Blob(bytes(message)) if raw else JSONBlob(message)
        serialized = message.serialize()
        body = serialized["content"]
        packed = [identity, ("_format", serialized["format"].lower().encode()), *sender]
    if test:
        packed.append(("_test", b"true"))
    if headers:
        packed.extend(_checked(headers))
    return body, packed


def pairs(headers: Any) -> PackedHeaders:
    """Headers, in any of the ways to give them, as a list of pairs."""
    if type(headers) is list:
        return headers
    return list(headers.items() if isinstance(headers, Mapping) else headers or ())


def _checked(headers: RequestedHeaders) -> PackedHeaders:
    requested = pairs(headers)
    for name, value in requested:
        if not isinstance(name, str):
            raise TypeError(f"header name {name!r} is not text")
        if name.startswith("_"):
            raise ValueError(f"header name {name!r} is reserved: it starts with an underscore")
        if not isinstance(value, (str, bytes)):
            raise TypeError(f"the value of header {name!r} is {value!r}, neither text nor bytes")
    return requested
