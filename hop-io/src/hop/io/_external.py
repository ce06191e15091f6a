"""Reading large messages: a placeholder, and the message that it stands for."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import Any

from confluent_kafka import Message

from hop.io._bson import BSONError, load
from hop.io._choice import choice
from hop.io._metadata import Headers, Metadata
from hop.io._service import Service
from hop.io._transfer import TransferError
from hop.models import ExternalMessage, MessageModel, decode

logger = logging.getLogger("hop.io")


class External:
    """Fetches what placeholders stand for.

    Args:
        service: the broker's service.
        wanted: whether to, None for what the user's settings say.
    """

    def __init__(self, service: Service, wanted: bool | None) -> None:
        self._service = service
        self._wanted = wanted

    @property
    def wanted(self) -> bool:
        """Whether messages are to be fetched; the settings are looked at once, when there is a first one."""
        if self._wanted is None:
            self._wanted = choice("fetch_external", None)
        return self._wanted

    def fetch(
        self, message: Message, headers: Headers | None, placeholder: ExternalMessage
    ) -> tuple[MessageModel, Metadata]:
        """The message and its metadata; where it is not to be had, the placeholder with the reason, and a warning."""
        try:
            body, metadata = self._read(message, self._service.get(placeholder.url))
        except TransferError as exc:
            return self._kept(message, headers, placeholder, str(exc))
        except BSONError as exc:
            return self._kept(
                message, headers, placeholder, f"what is there is no large message: {exc}"
            )
        model = decode(metadata.headers, body)
        if type(model) is ExternalMessage:
            return self._kept(message, headers, placeholder, f"it points to another, {model.url}")
        return model, metadata

    def _read(self, message: Message, answer: bytearray) -> tuple[bytes, Metadata]:
        document = load(answer)
        described = document.get("metadata")
        if not isinstance(described, dict):
            raise BSONError("it has no metadata")
        body, key = document.get("message"), described.get("key")
        timestamp = described.get("timestamp")
        if not isinstance(body, memoryview):
            raise BSONError("its message is not binary")
        if not isinstance(key, (memoryview, str, type(None))):
            raise BSONError("its key is not binary")
        if not isinstance(timestamp, int):
            raise BSONError("its timestamp is not an integer")
        return bytes(body), Metadata(
            message.topic() or "",
            message.partition() or 0,
            message.offset() or 0,
            timestamp,
            _bytes(key),
            _headers(described.get("headers")),
            message,
        )

    def _kept(
        self, message: Message, headers: Headers | None, placeholder: ExternalMessage, reason: str
    ) -> tuple[MessageModel, Metadata]:
        logger.warning(
            "%s was not fetched from %s: %s", _name(message), placeholder.url[:200], reason
        )
        return replace(placeholder, reason=reason), Metadata.from_message(message, headers)


def _name(message: Message) -> str:
    return (
        f"message {message.offset()} of partition {message.partition()} of topic {message.topic()}"
    )


def _headers(value: Any) -> Headers:
    if not isinstance(value, list):
        raise BSONError("its headers are not a list")
    for pair in value:
        if not (
            isinstance(pair, list)
            and len(pair) == 2
            and isinstance(pair[0], str)
            and isinstance(pair[1], (memoryview, str, type(None)))
        ):
            raise BSONError("its headers are not pairs of a name and a value")
    return [(name, _bytes(content)) for name, content in value]


def _bytes(value: memoryview | str | None) -> bytes | None:
    if isinstance(value, str):
        return value.encode()
    return None if value is None else bytes(value)
