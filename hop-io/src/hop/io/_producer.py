"""Writing to a stream."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Callable, Sequence
from datetime import timedelta
from types import TracebackType
from typing import Any

import confluent_kafka
from confluent_kafka import KafkaError, Message

from hop.auth import Auth
from hop.io._connection import DEFAULT_TIMEOUT
from hop.io._errors import DeliveryError
from hop.io._large import Large
from hop.io._pack import PackedHeaders, RequestedHeaders, pack, pairs, sent_by
from hop.io._sender import Sender
from hop.io._service import Service
from hop.io._transfer import DEFAULT_TRANSFER_TIMEOUT

logger = logging.getLogger("hop.io")

DeliveryCallback = Callable[[KafkaError | None, Message], Any]

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
        raise DeliveryError.of(1, message.topic(), None, error)


class Producer:
    """An event stream opened for writing to a topic.

    Instances should be obtained from `Stream.open`. Writing is asynchronous: a message has arrived when
    `flush` or `close` has returned without an error. A context manager: leaving the `with` block closes
    the stream, also when an exception ended it. Several threads may write at once.

    Args:
        broker_addresses: `host:port` of a broker of the cluster, a string or a list of one.
        topic: the topic to write to, or None if each `write` names one.
        auth: the credential, None for none.
        timeout: how long to wait for the broker when opening, in seconds; None does not wait for it, and
            what is written is sent when there is one.
        produce_timeout: how long to go on trying to deliver a message before it is given up; by default
            five minutes.
        idempotent: whether a message that has to be sent again after a failure of the network arrives once and
            in order. A broker that does not allow it is written to without, which is logged.
        automatic_offload: whether messages too large for the topic are uploaded; None for what the settings say.
        transfer_timeout: how long one of them may take, in seconds.
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
        produce_timeout: timedelta | None = None,
        idempotent: bool = True,
        automatic_offload: bool | None = None,
        transfer_timeout: float = DEFAULT_TRANSFER_TIMEOUT,
        **kwargs: Any,
    ) -> None:
        self._topic = topic
        self._sent_by = sent_by(auth)
        brokers = (
            broker_addresses if isinstance(broker_addresses, str) else ",".join(broker_addresses)
        )
        options: dict[str, Any] = {"acks": "all", "linger.ms": 0, "enable.idempotence": idempotent}
        if produce_timeout is not None:
            options["message.timeout.ms"] = max(1, round(produce_timeout.total_seconds() * 1000))
        # Who sets librdkafka's own option gets what it says.
        fallback = idempotent and "enable.idempotence" not in kwargs
        service = Service(brokers, auth, kwargs, transfer_timeout)
        large = Large(service, auth, kwargs, automatic_offload)
        sender = Sender(brokers, auth, {**options, **kwargs}, fallback, large)
        if timeout is not None:
            try:
                sender.connect(topic, timeout)
            except BaseException:
                sender.close()
                raise
        self._sender = sender

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

        Where the local queue is full this waits until something has been sent. A message that is larger than its topic
        takes is uploaded before this returns, where the broker announces a service for that.

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
            DeliveryError: messages written before were not delivered, or this one is larger than a message may be
                and was not uploaded.
        """
        body, packed = pack(message, headers, test, self._sent_by)
        if delivery_callback is raise_delivery_errors:
            delivery_callback = None
        self._sender.send(topic or self._topic, body, key, packed, delivery_callback)

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
        if delivery_callback is raise_delivery_errors:
            delivery_callback = None
        if type(headers) is not list:
            headers = pairs(headers)
        self._sender.send(topic or self._topic, packed_message, key, headers, delivery_callback)

    @staticmethod
    def pack(
        message: Any,
        headers: RequestedHeaders | None = None,
        test: bool = False,
        auth: Auth | None = None,
    ) -> tuple[bytes, PackedHeaders]:
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
        return pack(message, headers, test, sent_by(auth))

    def poll(self, timeout: float = 0) -> None:
        """Call the delivery callbacks of messages that have been delivered or given up.

        `write` does so now and then, `flush` and `close` do.

        Args:
            timeout: how long to wait for the first one, in seconds.
        """
        self._sender.check_usable()
        self._sender.poll(timeout)

    def pending(self) -> int:
        """How many messages have been written and neither delivered nor given up."""
        self._sender.check_usable()
        return self._sender.pending()

    @property
    def librdkafka(self) -> confluent_kafka.Producer:
        """confluent-kafka's own producer, for what has no name here, and for programs that count microseconds.

        What is given to its `produce` goes the shortest way: nothing is added, nobody waits for room in the local
        queue, and nothing is uploaded, which is for messages of more than `ALWAYS_FITS` bytes. A stream that fell back
        from an idempotent producer has another one from then on.
        """
        return self._sender.client

    @property
    def closed(self) -> bool:
        """Whether the stream has been closed."""
        return self._sender.closed

    def flush(self, timeout: float | None = None) -> int:
        """Wait until everything written has been delivered or given up.

        Args:
            timeout: how long to wait, in seconds; None, the default, waits as long as it takes.

        Returns:
            How many messages are still waiting; 0 unless the time was over.

        Raises:
            DeliveryError: messages were not delivered.
        """
        self._sender.check_usable()
        remaining = self._sender.flush(timeout)
        self._sender.raise_failures()
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
        if self._sender.closed:
            return 0
        try:
            remaining = 0 if self._sender.origin.forked else self._sender.flush(timeout)
            self._sender.raise_failures()
            return remaining
        finally:
            self._sender.close()

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
        sender = getattr(self, "_sender", None)  # there is none when opening failed
        if sender is not None and not sender.closed:
            if not sender.origin.forked:
                warnings.warn(
                    f"unclosed stream {self!r}", ResourceWarning, stacklevel=2, source=self
                )
                if remaining := sender.flush(_LAST_WAIT):
                    logger.error("%d messages to %s were not delivered", remaining, self._topic)
            sender.close()
