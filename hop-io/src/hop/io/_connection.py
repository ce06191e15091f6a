"""The one seam to librdkafka's errors and log: what comes through becomes exceptions and `logging`."""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterable
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
_ASK = "ask the broker's operator for permission"
_PERMISSION = {
    KafkaError.TOPIC_AUTHORIZATION_FAILED: "there is no such topic, or its owner has to give you permission",
    KafkaError.GROUP_AUTHORIZATION_FAILED: "a consumer group's name has to start with your user name",
}
_UNKNOWN_TOPIC = {
    KafkaError.UNKNOWN_TOPIC_OR_PART,
    KafkaError._UNKNOWN_TOPIC,
    KafkaError._UNKNOWN_PARTITION,
}
_UNREACHABLE = {
    KafkaError._TRANSPORT,
    KafkaError._RESOLVE,
    KafkaError._SSL,
    KafkaError._BAD_MSG,
}
_SAYS_LITTLE = {KafkaError._ALL_BROKERS_DOWN, KafkaError._TIMED_OUT}

# "host:9092/bootstrap: Connect to ipv4#10.0.0.1:9092 failed: Connection refused (after 0ms in state CONNECT)"
_NAMES_AND_TIMES = re.compile(
    r"^\S+/(?:bootstrap|\d+): (?:Connect to \S+ failed: )?|error:[0-9A-F]+:SSL routines::?"
    r"|: probably due to broker version < 0\.10 \(see api\.version\.request configuration\)"
    r"|, verify that ssl.ca.location is correctly configured or root CA certificates are installed \(.*?\)"
    r"| \(after \d+ms in state \w+.*\)$"
)
# What to do about it, where librdkafka's words say more than its code.
_REMEDIES = {
    "PLAINTEXT broker listener": "the port is one without TLS, for which a credential's protocol is SASL_PLAINTEXT",
    "ApiVersionRequest failed": "what listens there may be no Kafka broker, or one with TLS, which needs a credential"
    " of protocol SASL_SSL",
    "Invalid response size": "what answers there is no Kafka broker",
    "wrong version number": "the port is one without TLS, for which a credential's protocol is SASL_PLAINTEXT, or no"
    " Kafka broker's",
    # What answers the first request by hanging up is waiting for a TLS handshake.
    "in state APIVERSION_QUERY": "the port may be one with TLS, which needs a credential of protocol SASL_SSL",
    "certificate verify failed": "the host name has to be one that is in the certificate, which must not have expired,"
    " and the file of the certificate's authority named as ssl_ca_location in the credential; `hop doctor` tells which"
    " of these it is",
    "ssl.ca.location failed": "check the file that the credential names as ssl_ca_location",
    "supported mechanisms": "change the credential's mechanism, or its protocol",
}


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

    Attributes:
        down: since when no broker answers (seconds of `time.monotonic`), None while one does.
    """

    def __init__(self, broker: str, auth: Auth | None, options: dict[str, Any]) -> None:
        self.broker = broker
        self._error: KafkaError | None = None
        self._failure: str | None = None
        self._logged: dict[str, float] = {}
        self._opened = False
        self.down: float | None = None
        # A program that wants to be told of errors is told, and not its log.
        self._tell: Callable[[KafkaError], Any] | None = options.get("error_cb")
        self._config: dict[str, Any] = {
            "bootstrap.servers": broker,
            "client.id": "hop",
            "logger": self,
            **(auth() if auth else {}),
            **options,
            "error_cb": self._on_error,
        }

    def client(self, kind: Callable[[dict[str, Any]], C]) -> C:
        """A confluent-kafka consumer, producer or administrative client of this connection.

        Raises:
            StreamError: librdkafka has no such option, or the option no such value.
            RuntimeError: a token for OAUTHBEARER can't be had.
        """
        config = _with_first_token(self._config)
        try:
            return kind(config)
        except KafkaException as exc:
            doing = "cannot set up the connection to the broker"
            if "ssl.ca.location failed" in str(exc):
                doing = f"cannot use the certificates in {config['ssl.ca.location']} for the broker"
            raise self.translate(exc.args[0], doing) from exc

    def metadata(
        self, client: Client, topics: Iterable[str], timeout: float
    ) -> dict[str, TopicMetadata]:
        """Connect and ask for topics; for all topics that there are when none is named.

        A topic that does not exist is among the answers, with its error. Not for a consumer that has partitions:
        waiting for the connection would cost it messages.

        Raises:
            StreamError: no broker answers within `timeout` seconds, or it refuses.
        """
        found: dict[str, TopicMetadata] = {}
        for topic in tuple(topics) or (None,):
            found.update(self._ask(client, topic, timeout).topics)
        self._opened = True
        return found

    def news(
        self, client: Client, topics: Iterable[str], timeout: float
    ) -> dict[str, TopicMetadata]:
        """Ask for topics on a connection that there has been.

        Returns:
            As `metadata`; nothing where no broker answers in time.
        """
        found: dict[str, TopicMetadata] = {}
        try:
            for topic in topics:
                found.update(client.list_topics(topic, timeout=timeout).topics)
        except KafkaException as exc:
            logger.debug("no news of partitions from %s: %s", self.broker, exc)
            return {}
        self.answered()
        return found

    def check_topic(self, topic: TopicMetadata) -> None:
        """Raise the error that a topic's metadata has.

        Raises:
            UnknownTopicError: there is no such topic.
            AuthorizationError: there may be, but not for this credential.
        """
        if topic.error is not None:
            raise self.translate(topic.error, f"cannot open topic {topic.topic}")

    def answered(self) -> None:
        """Note that the broker has been heard of."""
        if self.down is not None:
            seconds, self.down = time.monotonic() - self.down, None
            logger.warning("the broker at %s answers again, after %.0f s", self.broker, seconds)

    def translate(self, error: KafkaError, doing: str) -> StreamError:
        """hop's exception for an error of librdkafka, `doing` being what it ended."""
        code = error.code()
        if code == KafkaError._FATAL and not error.fatal():
            error = KafkaError(code, error.str(), fatal=True)  # as programs ask for it
        text = self._words(error)
        reason = _short(text)
        at = f"{doing} at {self.broker}"
        remedy = next((do for words, do in _REMEDIES.items() if words in text), None)
        if code in _AUTHENTICATION:
            return AuthenticationError(
                error,
                f"{at}: the broker does not accept the credential ({reason}); "
                + (
                    remedy
                    or "check it with `hop auth list`, replace it with `hop auth add --force`"
                ),
            )
        if code in _AUTHORIZATION:
            return AuthorizationError(
                error,
                f"{at}: not authorised ({reason}); " + _PERMISSION.get(code, _ASK),
            )
        if code in _UNKNOWN_TOPIC:
            return UnknownTopicError(
                error, f"{at}: no such topic; `hop list-topics` shows those you may use"
            )
        if code in _UNREACHABLE or code in _SAYS_LITTLE:
            what = remedy or "check host and port, and that the broker is running"
            return ConnectError(error, f"{at}: {reason}; {what}")
        return StreamError(
            error, f"{at}: {reason} ({error.name()})" + (f"; {remedy}" if remedy else "")
        )

    def log(self, level: int, pattern: str, *args: object) -> None:
        """A line of librdkafka's log. What matters of it also arrives as an error; the line is for debugging."""
        line = pattern % args if args else pattern
        kind, _, rest = line.partition(" ")
        if kind == "FAIL":
            self._failure = rest.rpartition("]: ")[2]
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
                # The exception says that there is no answer; why not arrives through the callbacks.
                client.poll(0)
                error = self._error or exc.args[0]
            waited = time.monotonic() - start
            refused = error.code() in _UNREACHABLE and self._error is not None
            if (
                waited >= timeout
                or error.code() in _AUTHENTICATION | {KafkaError._SSL}
                or (refused and waited >= _REFUSED)
            ):
                raise self.translate(error, "cannot connect to the broker") from None

    def _on_error(self, error: KafkaError) -> None:
        logger.debug("%s: %s", self.broker, error)
        if self._error is None or error.code() not in _SAYS_LITTLE:
            self._error = error
        if self._tell is not None:
            self._tell(error)
        elif error.code() == KafkaError._ALL_BROKERS_DOWN and self._opened and self.down is None:
            self.down = time.monotonic()
            reason = _short(self._words(error))
            logger.warning("no broker answers at %s (%s); waiting for it", self.broker, reason)

    def _words(self, error: KafkaError) -> str:
        """What librdkafka says of an error; of why there is no connection its log says more."""
        text = error.str() or error.name()
        if error.code() in _SAYS_LITTLE or text.startswith("Failed to get metadata"):
            text = self._failure or text
        return text


def _with_first_token(config: dict[str, Any]) -> dict[str, Any]:
    """The options, with a token for OAUTHBEARER at hand.

    librdkafka would wait ten seconds for one that can't be had and not tell why, and confluent-kafka's consumer then
    raises what is no exception.
    """
    fetch = config.get("oauth_cb")
    if fetch is None:
        return config
    first = [fetch(config.get("sasl.oauthbearer.config", ""))]
    return {**config, "oauth_cb": lambda options: first.pop() if first else fetch(options)}


def _short(text: str) -> str:
    """librdkafka's words without the names of its threads and its counts of milliseconds."""
    return _NAMES_AND_TIMES.sub("", text).rstrip(".")
