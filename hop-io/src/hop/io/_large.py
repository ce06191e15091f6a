"""Writing messages that are larger than their topic takes: uploaded, and a placeholder sent in their place."""

from __future__ import annotations

import logging
import threading
import time
from typing import Any
from urllib.parse import quote
from uuid import UUID, uuid4

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import AdminClient, ConfigResource, ResourceType

from hop.auth import Auth
from hop.io._bson import BSONError, dump
from hop.io._choice import choice
from hop.io._connection import Connection
from hop.io._errors import DeliveryError
from hop.io._pack import PackedHeaders
from hop.io._service import Service, connection_options
from hop.io._transfer import TransferError
from hop.models import ExternalMessage

logger = logging.getLogger("hop.io")

ALWAYS_FITS = 1 << 16
"""Bytes of a message up to which its topic's limit is not asked for: what is so small never costs a question."""

# What librdkafka lets out when it is not told otherwise, and a broker takes.
_USUAL = 1_000_000
# What the protocol puts around a message, and around each header.
_AROUND = 100
_AROUND_HEADER = 12
_PATIENCE = 5.0
_PAUSE = 60.0


class Large:
    """The large messages of one stream that is written.

    Args:
        service: the broker's service.
        auth: the credential, None for none.
        options: librdkafka's options of the stream.
        wanted: whether to upload, None for what the user's settings say.
    """

    def __init__(
        self, service: Service, auth: Auth | None, options: dict[str, Any], wanted: bool | None
    ) -> None:
        self._service = service
        self._auth = auth
        self._options = connection_options(options)
        self._most = int(options.get("message.max.bytes", _USUAL))
        self._wanted = wanted
        self._lock = threading.Lock()
        self._limits: dict[str, int] = {}
        self._ask_at = 0.0

    def fit(
        self, topic: str, body: bytes, headers: PackedHeaders, key: str | bytes | None
    ) -> tuple[bytes, PackedHeaders]:
        """The message as it is to be sent: itself, or a placeholder for it once it has been uploaded.

        Raises:
            DeliveryError: it is too large, and can't be uploaded.
        """
        size = _size(body, headers, key)
        limit = self._limit(topic)
        if size <= limit:
            return body, headers
        try:
            return self._upload(topic, body, headers, key)
        except (TransferError, BSONError) as exc:
            text = (
                f"its size is too large ({size} bytes, of at most {limit}), "
                f"and it was not uploaded: {exc}"
            )
            # For who sends it again: a service that does not answer may do so later.
            passing = isinstance(exc, TransferError) and exc.passing
            code = KafkaError._TRANSPORT if passing else KafkaError.MSG_SIZE_TOO_LARGE
            error = KafkaError(code, text)
            raise DeliveryError.of(1, topic, self._service.broker, error) from exc

    def _upload(
        self, topic: str, body: bytes, headers: PackedHeaders, key: str | bytes | None
    ) -> tuple[bytes, PackedHeaders]:
        if self._wanted is None:
            self._wanted = choice("automatic_offload", None)
        if not self._wanted:
            raise TransferError("automatic_offload is off; switch it on, or send it in parts")
        endpoint = self._service.endpoint()
        if endpoint is None:
            raise TransferError(
                "the broker announces no service for large messages; send it in parts, or ask the topic's"
                " owner for a higher max.message.bytes, and set message.max.bytes to it"
            )
        identity = next((value for name, value in headers if name == "_id"), None)
        if not (isinstance(identity, bytes) and len(identity) == 16):
            identity = uuid4().bytes
            headers = [("_id", identity), *headers]
        document: dict[str, Any] = {
            "message": body,
            "headers": [[name, _bytes(value)] for name, value in headers],
        }
        if key is not None:
            document["key"] = _bytes(key)
        self._service.post(f"{endpoint}/topic/{quote(topic, safe='')}+oversized", dump(document))
        url = f"{endpoint}/msg/{UUID(bytes=identity)}"
        logger.debug("a message of %d bytes to %s is at %s", len(body), topic, url)
        copied = [header for header in headers if header[0] in ("_sender", "_test")]
        placeholder: PackedHeaders = [("_id", uuid4().bytes), ("_format", b"external"), *copied]
        return ExternalMessage(url).serialize()["content"], placeholder

    def _limit(self, topic: str) -> int:
        """How large a message may be: as the topic has it, where one may know, and as the client has it."""
        with self._lock:
            if topic not in self._limits and time.monotonic() >= self._ask_at:
                try:
                    self._limits[topic] = min(self._most, self._ask(topic))
                except KafkaException as exc:
                    logger.debug("the limit of topic %s is not to be known: %s", topic, exc)
                    if exc.args[0].code() in _PASSING:
                        self._ask_at = time.monotonic() + _PAUSE
                    else:
                        self._limits[topic] = self._most
            return self._limits.get(topic, self._most)

    def _ask(self, topic: str) -> int:
        client = Connection(self._service.broker, self._auth, self._options).client(_admin)
        cluster = client.list_topics(topic, timeout=_PATIENCE)
        if cluster.controller_id not in cluster.brokers:
            # The one who answers; librdkafka would wait for it.
            return self._most
        resource = ConfigResource(ResourceType.TOPIC, topic)
        answer = client.describe_configs([resource], request_timeout=_PATIENCE)[resource]
        try:
            return int(answer.result(_PATIENCE + 1)["max.message.bytes"].value)
        except (KeyError, TypeError, ValueError, TimeoutError):
            return self._most


# What says nothing of the topic: it can be asked again.
_PASSING = {
    KafkaError._TIMED_OUT,
    KafkaError._TRANSPORT,
    KafkaError._ALL_BROKERS_DOWN,
    KafkaError.UNKNOWN_TOPIC_OR_PART,
}


def _admin(config: dict[str, Any]) -> AdminClient:
    return AdminClient(config)


def _size(body: bytes, headers: PackedHeaders, key: str | bytes | None) -> int:
    size = _AROUND + len(body) + len(_bytes(key) or b"")
    return size + sum(
        _AROUND_HEADER + len(name) + len(_bytes(value) or b"") for name, value in headers
    )


def _bytes(value: str | bytes | None) -> bytes | None:
    return value.encode() if isinstance(value, str) else value
