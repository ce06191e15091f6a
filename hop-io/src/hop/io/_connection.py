"""The one seam to librdkafka's errors and log: what comes through here becomes hop's exceptions and `logging`."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable
from typing import Any, Protocol, TypeVar

from confluent_kafka import KafkaError, KafkaException
from confluent_kafka.admin import ClusterMetadata, TopicMetadata

from hop.auth import Auth
from hop.io._errors import (
    AuthenticationError,
    AuthorizationError,
    ConnectError,
    StreamError,
    UnknownTopicError,
)

logger = logging.getLogger("hop.io")

# How long to wait for a broker when a stream is opened, in seconds.
DEFAULT_TIMEOUT = 10.0

# An address that refuses connections, or a name that nobody knows, is tried again for this long (seconds):
# longer than a hiccup, shorter than anybody likes to wait for a typing error.
_REFUSED = 3.0
# librdkafka repeats a line for as long as its cause lasts; each kind is passed on once in so many seconds.
_LOG_INTERVAL = 10.0
_SLICE = 0.25

_AUTHENTICATION = {KafkaError._AUTHENTICATION, KafkaError.SASL_AUTHENTICATION_FAILED}
_AUTHORIZATION = {
    KafkaError.TOPIC_AUTHORIZATION_FAILED,
    KafkaError.GROUP_AUTHORIZATION_FAILED,
    KafkaError.CLUSTER_AUTHORIZATION_FAILED,
    KafkaError.TRANSACTIONAL_ID_AUTHORIZATION_FAILED,
}
_UNKNOWN_TOPIC = {
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError._UNKNOWN_TOPIC,
    KafkaError._UNKNOWN_PARTITION,
}
_UNREACHABLE = {KafkaError._TRANSPORT, KafkaError._RESOLVE, KafkaError._SSL}
_SAYS_LITTLE = {KafkaError._ALL_BROKERS_DOWN, KafkaError._TIMED_OUT}

# "host:9092/bootstrap: Connect to ipv4#10.0.0.1:9092 failed: Connection refused (after 0ms in state CONNECT)"
_NAMES_AND_TIMES = re.compile(
    r"^\S+/(?:bootstrap|\d+): (?:Connect to \S+ failed: )?| \(after \d+ms in state \w+.*\)$"
)


class Client(Protocol):
    """What a confluent-kafka consumer, producer and administrative client have in common."""

    def list_topics(self, topic: str = ..., timeout: float = ...) -> ClusterMetadata: ...
    def poll(self, timeout: float = ...) -> Any: ...


C = TypeVar("C", bound=Client)


class Connection:
    """The connection to one broker as librdkafka reports it.

    Args:
        broker: `host:port`.
        auth: the credential to use, None for none.
        options: further options of librdkafka.
    """

    def __init__(self, broker: str, auth: Auth | None, options: dict[str, Any]) -> None:
        self.broker = broker
        self.error: KafkaError | None = None
        self._logged: dict[str, float] = {}
        self._config: dict[str, Any] = {
            "bootstrap.servers": broker,
            "client.id": "hop",
            "error_cb": self._on_error,
            "logger": self,
            **(auth() if auth else {}),
            **options,
        }

    def client(self, kind: Callable[[dict[str, Any]], C]) -> C:
        """A confluent-kafka consumer, producer or administrative client of this connection.

        Raises:
            StreamError: librdkafka has no such option, or the option no such value.
        """
        try:
            return kind(self._config)
        except (KafkaException, SystemError) as exc:
            # Who waits for a token in vain is not told why, and confluent-kafka's consumer raises no proper exception.
            if reason := getattr(self._config.get("oauth_cb"), "error", None):
                raise reason from exc
            if isinstance(exc, SystemError):
                raise
            raise self.translate(exc.args[0], "cannot set up the connection to the broker") from exc

    def metadata(
        self, client: Client, topics: tuple[str, ...], timeout: float
    ) -> dict[str, TopicMetadata]:
        """Connect and ask for topics; for all topics that there are when none is named.

        Raises:
            StreamError: no broker answers within `timeout` seconds, or it refuses.
        """
        found: dict[str, TopicMetadata] = {}
        for topic in topics or (None,):
            found.update(self._ask(client, topic, timeout).topics)
        for topic in topics:
            if error := found[topic].error:
                raise self.translate(error, f"cannot open topic {topic}")
        return found

    def translate(self, error: KafkaError, doing: str) -> StreamError:
        """hop's exception for an error of librdkafka, `doing` being what it ended."""
        code = error.code()
        at = f"{doing} at {self.broker}"
        if code in _AUTHENTICATION:
            return AuthenticationError(
                error,
                f"{at}: the broker does not accept the credential ({_reason(error)}); "
                "check it with `hop auth list`, replace it with `hop auth add --force`",
            )
        if code in _AUTHORIZATION:
            return AuthorizationError(
                error,
                f"{at}: not authorised ({_reason(error)}); ask the topic's owner for permission, "
                "and let a consumer group's name start with your user name",
            )
        if code in _UNKNOWN_TOPIC:
            return UnknownTopicError(
                error, f"{at}: no such topic; `hop list-topics` shows those you may use"
            )
        if code in _UNREACHABLE or code in _SAYS_LITTLE:
            return ConnectError(
                error,
                f"{at}: {_reason(error)}; check host and port, and that the broker is running",
            )
        return StreamError(error, f"{at}: {_reason(error)} ({error.name()})")

    def log(self, level: int, pattern: str, *args: object) -> None:
        """A line of librdkafka's log. What matters of it also arrives as an error; the line is for debugging."""
        line = pattern % args if args else pattern
        kind = f"{level} {line.split(' ', 1)[0]}"
        now = time.monotonic()
        if now - self._logged.get(kind, -_LOG_INTERVAL) >= _LOG_INTERVAL:
            self._logged[kind] = now
            logger.debug("librdkafka: %s", line)

    def _ask(self, client: Client, topic: str | None, timeout: float) -> ClusterMetadata:
        start = time.monotonic()
        while True:
            try:
                if topic is None:
                    return client.list_topics(timeout=_SLICE)
                return client.list_topics(topic, timeout=_SLICE)
            except KafkaException as exc:
                # The exception says that there is no answer; why not arrives through the callback.
                client.poll(0)
                error = self.error or exc.args[0]
            waited = time.monotonic() - start
            refused = self.error is not None and self.error.code() in _UNREACHABLE
            if (
                waited >= timeout
                or error.code() in _AUTHENTICATION | {KafkaError._SSL}
                or (refused and waited >= _REFUSED)
            ):
                raise self.translate(error, "cannot connect to the broker") from None

    def _on_error(self, error: KafkaError) -> None:
        if self.error is None or error.code() not in _SAYS_LITTLE:
            self.error = error
        logger.debug("%s: %s", self.broker, error)


def _reason(error: KafkaError) -> str:
    """librdkafka's own words, without the names of its threads and its counts of milliseconds."""
    return _NAMES_AND_TIMES.sub("", error.str()).rstrip(".") or error.name()
