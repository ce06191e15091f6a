"""What is between librdkafka and a `Producer`: the local queue, and whether the producer is idempotent."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import confluent_kafka
from confluent_kafka import KafkaError, KafkaException, Message

from hop.auth import Auth
from hop.io._connection import Connection
from hop.io._errors import DeliveryError, StreamClosedError
from hop.io._fork import Origin, keep_for_ever
from hop.io._large import ALWAYS_FITS, Large
from hop.io._pack import PackedHeaders, pairs

logger = logging.getLogger("hop.io")

OnDelivery = Callable[[KafkaError | None, Message], Any]

# While something is waited for, how long at a time (seconds), so that Ctrl-C takes effect.
_SLICE = 0.2
# Deliveries are looked at once in so many messages, since each look has a cost.
_POLL_EVERY = 256

_PURGED = {KafkaError._PURGE_QUEUE, KafkaError._PURGE_INFLIGHT}
# Why a broker does not let a producer be idempotent.
_REFUSED = {
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
    KafkaError.UNSUPPORTED_VERSION,
    KafkaError._UNSUPPORTED_FEATURE,
}


class Sender:
    """A producer of librdkafka, and a second one in its place if the broker does not let the first be idempotent.

    Args:
        broker: `host:port` of a broker.
        auth: the credential, None for none.
        options: librdkafka's options.
        fallback: whether to go on with a producer that is not idempotent where the broker refuses one that is.
        large: what becomes of messages that are larger than their topic takes.

    Attributes:
        origin: the process that made it.
        client: confluent-kafka's producer.
        closed: whether it can't be used any more.
    """

    def __init__(
        self, broker: str, auth: Auth | None, options: dict[str, Any], fallback: bool, large: Large
    ) -> None:
        self.broker = broker
        self._fallback = fallback
        self._auth = auth
        self._options = options
        self.origin = Origin()
        self.closed = False
        self._large = large
        self._sent = 0
        # Topic and error of what could not be delivered and has no callback of its own.
        self._failures: list[tuple[str | None, KafkaError]] = []
        # Made once: a message has no closure of its own.
        self._on_delivery = self._delivered
        # Whether there is something to do for a message with a callback of its own, other than to call it.
        self._watched = fallback or "error_cb" not in options
        self._lock = threading.Lock()
        self._connection = Connection(broker, auth, options)
        self.client = self._connection.client(confluent_kafka.Producer)
        self._refused: confluent_kafka.Producer | None = None

    def connect(self, topic: str | None, timeout: float) -> None:
        """Wait for the broker, and see that it has the topic.

        Raises:
            StreamError: it does not answer, refuses, or has no such topic and makes none.
        """
        topics = () if topic is None else (topic,)
        found = self._connection.metadata(self.client, topics, timeout)
        for name in topics:
            self._connection.check_topic(found[name])

    def send(
        self,
        topic: str | None,
        body: bytes | None,
        key: str | bytes | None,
        headers: PackedHeaders,
        on_delivery: OnDelivery | None,
    ) -> None:
        """Put a message into the local queue, waiting for room in it; a failure without a callback is kept.

        Every message that is written takes this way, so that it has few calls.

        Raises:
            ValueError: there is no topic.
            DeliveryError: messages before were not delivered, or this one can never be.
            StreamClosedError, ForkedStreamError: it can't be used.
        """
        if self.closed or self.origin.forked:
            self.check_usable()
        if self._failures:
            self.raise_failures()
        if topic is None:
            raise ValueError("cannot write: neither the stream's URL nor the call names a topic")
        if body and len(body) > ALWAYS_FITS:
            body, headers = self._large.fit(topic, body, headers, key)
        if on_delivery is None:
            on_delivery = self._on_delivery
        elif self._watched:
            on_delivery = partial(self._tell, on_delivery)
        try:
            self.client.produce(topic, body, key, headers=headers, on_delivery=on_delivery)
        except (BufferError, KafkaException):
            self._send(topic, body, key, headers, on_delivery)
        self._sent += 1
        if self._sent % _POLL_EVERY == 0:
            self.poll(0)

    def check_usable(self) -> None:
        """Raise what is to be raised where a stream is used that can't be.

        Raises:
            StreamClosedError: it is closed.
            ForkedStreamError: it was opened in another process.
        """
        self.origin.check()
        if self.closed:
            raise StreamClosedError("the stream is closed; open it again to go on writing")

    def raise_failures(self) -> None:
        """Raise that messages were not delivered, if so, once.

        Raises:
            DeliveryError: they were not.
        """
        with self._lock:
            failures, self._failures = self._failures, []
        if failures:
            topic, error = failures[0]
            raise DeliveryError.of(len(failures), topic, self.broker, error)

    def poll(self, timeout: float) -> None:
        """Call the callbacks of messages that have been delivered or given up."""
        if self._refused is not None:
            self._refused.poll(0)
        self._serve(timeout)

    def pending(self) -> int:
        """How many messages are neither delivered nor given up."""
        return len(self.client) + (len(self._refused) if self._refused is not None else 0)

    def flush(self, timeout: float | None) -> int:
        """Wait until there is none, for `timeout` seconds or as long as it takes; how many there still are."""
        # Not with librdkafka's flush: confluent-kafka's raises what is no exception where the broker refuses a
        # producer, and loses the callbacks of what was refused.
        end = None if timeout is None else time.monotonic() + timeout
        self.poll(0)
        while remaining := self.pending():
            left = _SLICE if end is None else min(_SLICE, end - time.monotonic())
            if left <= 0:
                break
            self.poll(left)
        return remaining

    def close(self) -> None:
        """Give up what has not been delivered."""
        self.closed = True
        if self.origin.forked:
            keep_for_ever(self.client)
        elif self.pending():
            self._fallback = False
            self.client.purge()
            self.client.poll(0)

    def _send(
        self,
        topic: str,
        body: bytes | None,
        key: str | bytes | None,
        headers: PackedHeaders,
        on_delivery: OnDelivery,
    ) -> None:
        """As `send`, whatever stands in the way."""
        while True:
            client = self.client
            try:
                client.produce(topic, body, key, headers=headers, on_delivery=on_delivery)
                return
            except BufferError:
                self._serve(_SLICE)
            except KafkaException as exc:
                if exc.args[0].code() == KafkaError._FATAL and client is self.client:
                    self._serve(0)  # what it was
                if client is self.client:
                    raise DeliveryError.of(1, topic, self.broker, exc.args[0]) from exc

    def _serve(self, timeout: float) -> None:
        """Have callbacks called; an error that has stopped the client is raised there, too."""
        try:
            self.client.poll(timeout)
        except KafkaException as exc:
            if not self._go_on_without(exc.args[0]):
                raise self._connection.translate(exc.args[0], "cannot go on writing") from exc

    def _delivered(self, error: KafkaError | None, message: Message) -> None:
        if error is None:
            if self._connection.down is not None:
                self._connection.answered()
        elif not self._send_again(error, message, None):
            self._failures.append((message.topic(), error))

    def _tell(self, on_delivery: OnDelivery, error: KafkaError | None, message: Message) -> None:
        if error is None:
            self._connection.answered()
        elif self._send_again(error, message, on_delivery):
            return
        on_delivery(error, message)

    def _send_again(
        self, error: KafkaError, message: Message, on_delivery: OnDelivery | None
    ) -> bool:
        """Whether it was the first producer that had the message and gave up what it had."""
        if self._refused is None or error.code() not in _PURGED or not self._fallback:
            return False
        headers = pairs(message.headers())
        tell = self._on_delivery if on_delivery is None else partial(self._tell, on_delivery)
        self._send(str(message.topic()), message.value(), message.key(), headers, tell)
        return True

    def _go_on_without(self, error: KafkaError) -> bool:
        """Whether one can go on, if it is the producer's being idempotent that is refused and has stopped it."""
        if not self._fallback or error.code() not in _REFUSED:
            return False
        with self._lock:
            if self._refused is None:
                logger.warning(
                    "the broker at %s does not allow idempotent producers (%s); going on without",
                    self.broker,
                    error.str(),
                )
                self._connection = Connection(
                    self.broker, self._auth, {**self._options, "enable.idempotence": False}
                )
                self._refused, self.client = (
                    self.client,
                    self._connection.client(confluent_kafka.Producer),
                )
        # What the first one had comes back, and is sent before what is written next.
        self._refused.poll(0)
        return True
