"""What is made of a message that has been read: its model, its body, either with its metadata."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import Any, TypeVar

from confluent_kafka import Message

from hop.io._external import External
from hop.io._metadata import Headers, Metadata, headers_of
from hop.models import Blob, ExternalMessage, MessageModel, decode, is_test, message_models

logger = logging.getLogger("hop.io")

T = TypeVar("T")

# Makes of a message what is given out, or None where it is passed over.
Make = Callable[[Message], "T | None"]


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

    def make(self, metadata: bool, ignoretest: bool) -> Make[Any]:
        """What makes a message's model, or the pair of model and metadata; every message read goes through it."""
        external, real, warn = self._external, self._real, self._warn
        described = Metadata.from_message

        def make(message: Message) -> Any:
            headers: Any = message.headers()  # as headers_of gives them, a call a message less
            model: Any = decode(headers, message.value(), ignoretest)
            if model is None:
                return None
            kind = type(model)
            if kind is Blob:
                if model.reason is not None:
                    warn(message, model)
            elif kind is ExternalMessage and external.wanted:
                return real(message, headers, model, metadata)
            return (model, described(message, headers)) if metadata else model

        return make

    def _real(
        self, message: Message, headers: Headers | None, model: MessageModel, metadata: bool
    ) -> Any:
        fetch = partial(self._fetch, message, headers, model, metadata)
        return fetch() if self.wait else Later(fetch)

    def _fetch(
        self, message: Message, headers: Headers | None, placeholder: Any, metadata: bool
    ) -> Any:
        model, described = self._external.fetch(message, headers, placeholder)
        if type(model) is Blob and model.reason is not None:
            self._warn(message, model)
        return (model, described) if metadata else model

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


def make_raw(metadata: bool, ignoretest: bool) -> Make[Any]:
    """The body as it is; a null body is empty."""

    def make(message: Message) -> Any:
        headers = headers_of(message)
        if ignoretest and is_test(headers):
            return None
        body = message.value() or b""
        return (body, Metadata.from_message(message, headers)) if metadata else body

    return make
