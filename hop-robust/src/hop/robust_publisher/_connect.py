"""Opening the producers that messages are sent with."""

from __future__ import annotations

import logging
import re
from collections.abc import Callable, Iterable
from typing import Any

from confluent_kafka import KafkaError

from hop.auth import Auth
from hop.io import Producer, credential_for, librdkafka_options, parse_url

logger = logging.getLogger("hop.robust_publisher")

# librdkafka gives no message up by itself, and sends none twice as long as one producer lives.
_OPTIONS: dict[str, Any] = {
    "acks": "all",
    "enable.idempotence": True,
    "message.timeout.ms": 0,
    # So long, in milliseconds, more is waited for that can go along: fewer requests cost both ends half as much.
    "linger.ms": 5,
    # The topic's own limit decides; this is what a broker takes at all, 100 MB with some room.
    "message.max.bytes": 100_000_000,
    # A topic that does not exist is found out after this time; until then its messages take up room.
    "topic.metadata.propagation.max.ms": 5000,
}
_TOPIC = re.compile(r"[A-Za-z0-9._-]{1,249}")
# Where the broker does not let us have what keeps order and drops duplicates, one request at a time keeps the order.
_WITHOUT_IDEMPOTENCE: dict[str, Any] = {
    "enable.idempotence": False,
    "max.in.flight.requests.per.connection": 1,
}


class Connector:
    """Where messages are sent and how.

    Args:
        url: `kafka://[user@]host[:port][/topic]`.
        auth: as of `hop.io.Stream`.
        options: librdkafka's are passed on to it, as `hop.io.librdkafka_options` picks them; others are ignored.

    Attributes:
        broker: `host:port`.
        topic: the URL's topic, or None.
        auth: the credential, or None.
        idempotent: whether the broker drops what it gets twice.

    Raises:
        ValueError: the URL is malformed or names several topics.
        FileNotFoundError, KeyError, RuntimeError: there is no credential to use, see `hop.auth`.
    """

    def __init__(
        self, url: str, auth: bool | Auth | Iterable[Auth], options: dict[str, Any]
    ) -> None:
        target = parse_url(url)
        if len(target.topics) > 1:
            raise ValueError(
                f"cannot publish to {url}: it names more than one topic; name one, or none and then one with each write"
            )
        self.broker = target.broker
        self.topic = target.topics[0] if target.topics else None
        self.auth = credential_for(auth, target)
        self.idempotent = True
        self._target: str | None = None  # the last good one
        self._options = librdkafka_options(options)
        # Ours is needed, too.
        self._error_cb = self._options.pop("error_cb", None)

    def target(self, topic: str | None) -> str:
        """The topic that a message is for, `topic` or else the URL's.

        Raises:
            ValueError: there is none, or it is none that Kafka could have.
        """
        target = topic or self.topic
        if target is None:
            raise ValueError("cannot write: neither the publisher's URL nor the call names a topic")
        if target != self._target and not _TOPIC.fullmatch(target):
            raise ValueError(
                f"cannot write to topic {target!r}: a name has 1 to 249 letters, digits, '.', '_' or '-'"
            )
        self._target = target
        return target

    def open(self, on_error: Callable[[KafkaError], None], **options: Any) -> Producer:
        """Open a producer, which does not wait for the broker.

        Args:
            on_error: called, from the producer's `poll`, with errors that are no message's.
            options: further options of librdkafka.

        Raises:
            hop.io.StreamError: librdkafka has no such option, or the option no such value.
        """

        def error_cb(error: KafkaError) -> None:
            on_error(error)
            if self._error_cb is not None:
                try:
                    self._error_cb(error)
                except Exception:
                    logger.exception("error_cb failed")

        chosen = {**_OPTIONS, **({} if self.idempotent else _WITHOUT_IDEMPOTENCE)}
        return Producer(
            self.broker,
            self.topic,
            auth=self.auth,
            timeout=None,
            **{"error_cb": error_cb, **chosen, **self._options, **options},
        )
