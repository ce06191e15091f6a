"""Writing to a stream."""

from __future__ import annotations

import logging
import time
import uuid
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import TracebackType
from typing import Any

import confluent_kafka
from confluent_kafka import KafkaError, KafkaException, Message

from hop.auth import Auth
from hop.io._connection import DEFAULT_TIMEOUT, Connection
from hop.io._errors import DeliveryError, StreamClosedError
from hop.models import Blob, JSONBlob, MessageModel

logger = logging.getLogger("hop.io")

RequestedHeaders = Mapping[str, str | bytes] | Iterable[tuple[str, str | bytes]]
DeliveryCallback = Callable[[KafkaError | None, Message], Any]

# While something is waited for, how long at a time (seconds), so that Ctrl-C takes effect.
_SLICE = 0.2
# Deliveries are looked at once in so many writes, since each look has a cost.
_POLL_EVERY = 256
# How long an exception in the `with` block waits for what was written before it, in seconds.
_LAST_WAIT = 10.0


def raise_delivery_errors(error: KafkaError | None, message: Message) -> None:
    """The delivery callback that `Producer.write` has by default: a failed delivery is raised.

    It is raised from the next `write`, `flush` or `close`, or where the `with` block ends. Called by hand,
    it raises at once.

    Raises:
        DeliveryError: `error` is not None.
    """
    if error is not None:
        raise DeliveryError(error, f"cannot write to {message.topic()}: {error.str()}", 1)


class Producer:
    """An event stream opened for writing to a topic.

    Instances should be obtained from `Stream.open`. Writing is asynchronous: a message has arrived when
    `flush` or `close` has returned without an error. A context manager: leaving the `with` block closes
    the stream, also when an exception ended it.

    Args:
        broker_addresses: `host:port` of a broker of the cluster, a string or a list of one.
        topic: the topic to write to, or None if each `write` names one.
        auth: the credential, None for none.
        timeout: how long to wait for the broker when opening, in seconds; None does not wait for it, and
            what is written is sent when there is one.
        kwargs: further options of librdkafka, by their names.

    Raises:
        StreamError: the broker does not answer, refuses, or has no such topic and makes none.
    """

    def __init__(
        self,
        broker_addresses: str | Sequence[str],
        topic: str | None,
        *,
        auth: Auth | None = None,
        timeout: float | None = DEFAULT_TIMEOUT,
        **kwargs: Any,
    ) -> None:
        self._closed = True  # until it is open
        self._topic = topic
        self._auth = auth
        self._written = 0
        self._failures: list[tuple[str | None, KafkaError]] = []
        brokers = (
            broker_addresses if isinstance(broker_addresses, str) else ",".join(broker_addresses)
        )
        self._connection = Connection(brokers, auth, {"acks": "all", **kwargs})
        self._client = self._connection.client(confluent_kafka.Producer)
        if timeout is not None:
            self._connection.metadata(self._client, () if topic is None else (topic,), timeout)
        self._closed = False

    def write(
        self,
        message: Any,
        headers: RequestedHeaders | None = None,
        delivery_callback: DeliveryCallback | None = raise_delivery_errors,
        test: bool = False,
        *,
        topic: str | None = None,
        key: str | bytes | None = None,
    ) -> None:
        """Write a message to the stream.

        Args:
            message: a message model, or bytes, which are sent as they are, or anything that JSON can hold.
            headers: headers to attach, a mapping or (name, value) pairs; values are text or bytes.
                Names that start with an underscore are reserved.
            delivery_callback: called with (error or None, message) when the message is delivered or given up.
                By default a failed delivery is raised from the next `write`, `flush` or `close`.
            test: whether to mark it as a test message, which readers pass over unless they ask for them.
            topic: the topic to write to, instead of the one that the stream was opened for.
            key: the message's key; messages with the same key go to the same partition.

        Raises:
            TypeError: the message or a header is of a kind that can't be sent.
            ValueError: a header's name is reserved, or there is no topic.
            DeliveryError: messages written before were not delivered.
        """
        body, packed = self.pack(message, headers, test, self._auth)
        self.write_raw(body, packed, delivery_callback, topic=topic, key=key)

    def write_raw(
        self,
        packed_message: bytes,
        headers: RequestedHeaders | None = None,
        delivery_callback: DeliveryCallback | None = raise_delivery_errors,
        *,
        topic: str | None = None,
        key: str | bytes | None = None,
    ) -> None:
        """Write a message that `pack` has encoded, with the headers that `pack` gave.

        The arguments are those of `write`, but nothing is added to them.
        """
        self._check_open()
        self._raise_failures()
        target = topic or self._topic
        if target is None:
            raise ValueError("cannot write: neither the stream's URL nor the call names a topic")
        on_delivery = (
            self._delivered if delivery_callback is raise_delivery_errors else delivery_callback
        )
        pairs = list(headers.items() if isinstance(headers, Mapping) else headers or ())
        while True:
            try:
                self._client.produce(
                    target, packed_message, key, headers=pairs, on_delivery=on_delivery
                )
                break
            except KafkaException as exc:
                error = exc.args[0]
                raise DeliveryError(error, self._not_delivered(1, target, error), 1) from exc
            except BufferError:
                # The local queue is full: wait until something has been sent.
                self._client.poll(_SLICE)
        self._written += 1
        if self._written % _POLL_EVERY == 0:
            self._client.poll(0)

    @staticmethod
    def pack(
        message: Any,
        headers: RequestedHeaders | None = None,
        test: bool = False,
        auth: Auth | None = None,
    ) -> tuple[bytes, list[tuple[str, str | bytes]]]:
        """Encode a message and make the headers that belong to it.

        Args:
            message: a message model, or bytes, or anything that JSON can hold.
            headers: the headers to attach, a mapping or (name, value) pairs.
            test: whether to mark it as a test message.
            auth: the credential whose user is named as the sender.

        Returns:
            The body, and the headers: `_id` (16 random bytes), `_format`, `_sender` if there is a
            credential, `_test` if it is a test, then the ones asked for.

        Raises:
            TypeError: the message or a header is of a kind that can't be sent.
            ValueError: a header's name is reserved.
        """
        packed: list[tuple[str, str | bytes]] = [("_id", uuid.uuid4().bytes)]
        if not isinstance(message, MessageModel):
            message = Blob(bytes(message)) if _is_bytes(message) else JSONBlob(message)
        serialized = message.serialize()
        packed.append(("_format", serialized["format"].encode()))
        if auth:
            packed.append(("_sender", auth.username.encode()))
        if test:
            packed.append(("_test", b"true"))
        packed.extend(_checked(headers))
        return serialized["content"], packed

    def poll(self, timeout: float = 0) -> None:
        """Call the delivery callbacks of messages that have been delivered or given up.

        `write` does so now and then, `flush` and `close` do.

        Args:
            timeout: how long to wait for the first one, in seconds.
        """
        self._client.poll(timeout)

    def flush(self, timeout: float | None = None) -> int:
        """Wait until everything written has been delivered or given up.

        Args:
            timeout: how long to wait, in seconds; None, the default, waits as long as it takes.

        Returns:
            How many messages are still waiting; 0 unless the time was over.

        Raises:
            DeliveryError: messages were not delivered.
        """
        self._check_open()
        remaining = self._wait(timeout)
        self._raise_failures()
        return remaining

    def close(self, timeout: float | None = None) -> int:
        """Wait for messages to be delivered and shut down. Closing twice is harmless.

        Args:
            timeout: how long to wait, in seconds; None, the default, waits as long as it takes.

        Returns:
            How many messages were not delivered because the time was over.

        Raises:
            DeliveryError: messages were not delivered.
        """
        if self._closed:
            return 0
        try:
            remaining = self._wait(timeout)
        finally:
            self._closed = True
        if remaining:
            self._client.purge()
            self._client.poll(0)
            self._failures = [f for f in self._failures if f[1].code() not in _PURGED]
        self._raise_failures()
        return remaining

    def __enter__(self) -> Producer:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if exc is None:
            self.close()
            return
        # What was written before the exception is delivered; the exception goes on.
        try:
            remaining = self.close(_LAST_WAIT)
        except DeliveryError as failed:
            logger.error("%s", failed)
        else:
            if remaining:
                logger.error("%d messages to %s were not delivered", remaining, self._topic)

    def __del__(self) -> None:
        if not self._closed:
            warnings.warn(f"unclosed stream {self!r}", ResourceWarning, source=self, stacklevel=2)

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        if error is not None:
            self._failures.append((message.topic(), error))

    def _wait(self, timeout: float | None) -> int:
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            left = _SLICE if end is None else min(_SLICE, max(0.0, end - time.monotonic()))
            remaining = self._client.flush(left)
            if not remaining or (end is not None and time.monotonic() >= end):
                return remaining

    def _raise_failures(self) -> None:
        if not self._failures:
            return
        failures, self._failures = self._failures, []
        topic, error = failures[0]
        count = len(failures)
        raise DeliveryError(error, self._not_delivered(count, topic, error), count)

    def _not_delivered(self, count: int, topic: str | None, error: KafkaError) -> str:
        what = "a message was" if count == 1 else f"{count} messages were"
        return f"{what} not delivered to {topic} at {self._connection.broker}: {error.str()}"

    def _check_open(self) -> None:
        if self._closed:
            raise StreamClosedError("the stream is closed; open it again to go on writing")


_PURGED = {KafkaError._PURGE_QUEUE, KafkaError._PURGE_INFLIGHT}


def _is_bytes(message: object) -> bool:
    return isinstance(message, (bytes, bytearray, memoryview))


def _checked(headers: RequestedHeaders | None) -> list[tuple[str, str | bytes]]:
    pairs = list(headers.items() if isinstance(headers, Mapping) else headers or ())
    for name, value in pairs:
        if not isinstance(name, str):
            raise TypeError(f"header name {name!r} is not text")
        if name.startswith("_"):
            raise ValueError(f"header name {name!r} is reserved: it starts with an underscore")
        if not isinstance(value, (str, bytes)):
            raise TypeError(f"the value of header {name!r} is {value!r}, neither text nor bytes")
    return pairs
