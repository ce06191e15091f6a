"""What is made of a message that has been read: its model, its body, either with its metadata."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, TypeVar

from confluent_kafka import Message

from hop.io._metadata import Headers, Metadata
from hop.models import Blob, MessageModel, decode, message_models

logger = logging.getLogger("hop.io")

T = TypeVar("T")

Make = Callable[[Message, "Headers | None"], T]


class Models:
    """The models of one stream's messages: a warning for each that does not decode, one for each unknown format."""

    def __init__(self) -> None:
        self._unknown_formats: set[str | None] = set()

    def make(self, metadata: bool) -> Make[Any]:
        return self._pair if metadata else self._model

    def _model(self, message: Message, headers: Headers | None) -> MessageModel:
        model = decode(headers, message.value())
        if type(model) is Blob and model.reason is not None:
            self._warn(message, model)
        return model

    def _pair(self, message: Message, headers: Headers | None) -> tuple[MessageModel, Metadata]:
        return self._model(message, headers), Metadata.from_message(message, headers)

    def _warn(self, message: Message, blob: Blob) -> None:
        if blob.declared_format not in message_models():
            if blob.declared_format in self._unknown_formats:
                return
            self._unknown_formats.add(blob.declared_format)
        logger.warning(
            "message %d of partition %d of topic %s is given as a blob: %s",
            message.offset(),
            message.partition(),
            message.topic(),
            blob.reason,
        )


def make_raw(metadata: bool) -> Make[Any]:
    """The body as it is; a null body is empty."""
    return _body_and_metadata if metadata else _body


def _body(message: Message, headers: Headers | None) -> bytes:
    return message.value() or b""


def _body_and_metadata(message: Message, headers: Headers | None) -> tuple[bytes, Metadata]:
    return message.value() or b"", Metadata.from_message(message, headers)
