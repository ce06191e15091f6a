"""What is made of a message that has been read: its model, its body, either with its metadata."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from confluent_kafka import Message

from hop.io._external import External
from hop.io._metadata import Headers, Metadata
from hop.models import Blob, ExternalMessage, MessageModel, decode, message_models

logger = logging.getLogger("hop.io")

T = TypeVar("T")

Make = Callable[[Message, "Headers | None"], T]


class Later:
    """What is to be fetched before it can be given: `fetch` gives it."""

    def __init__(self, fetch: Callable[[], Any]) -> None:
        self.fetch = fetch


class Models:
    """The models of one stream's messages: a warning for each that does not decode, one for each unknown format.

    Args:
        external: fetches what placeholders stand for.

    Attributes:
        wait: whether what is to be fetched is, or given as `Later`.
    """

    def __init__(self, external: External) -> None:
        self._external = external
        self._unknown_formats: set[str | None] = set()
        self.wait = True

    def make(self, metadata: bool) -> Make[Any]:
        return self._pair if metadata else self._model

    def _model(self, message: Message, headers: Headers | None) -> Any:
        model = decode(headers, message.value())
        kind = type(model)
        if kind is Blob:
            self._look(message, model)
        elif kind is ExternalMessage and self._external.wanted:
            return self._real(message, headers, model, False)
        return model

    def _pair(self, message: Message, headers: Headers | None) -> Any:
        model = decode(headers, message.value())
        kind = type(model)
        if kind is Blob:
            self._look(message, model)
        elif kind is ExternalMessage and self._external.wanted:
            return self._real(message, headers, model, True)
        return model, Metadata.from_message(message, headers)

    def _real(
        self, message: Message, headers: Headers | None, model: MessageModel, metadata: bool
    ) -> Any:
        fetch = partial(self._fetch, message, headers, model, metadata)
        return fetch() if self.wait else Later(fetch)

    def _fetch(
        self, message: Message, headers: Headers | None, placeholder: Any, metadata: bool
    ) -> Any:
        model, described = self._external.fetch(message, headers, placeholder)
        self._look(message, model)
        return (model, described) if metadata else model

    def _look(self, message: Message, model: MessageModel) -> None:
        if type(model) is Blob and model.reason is not None:
            self._warn(message, model)

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
