"""What goes wrong with a stream.

confluent_kafka.KafkaException
└── StreamError             what the broker or librdkafka reports; `args[0]` is its KafkaError
    ├── ConnectError        no broker answers as it should      (also a ConnectionError)
    ├── AuthenticationError the broker refuses the credential   (also a PermissionError)
    ├── AuthorizationError  the credential may not do this      (also a PermissionError)
    ├── UnknownTopicError   there is no such topic              (also a LookupError)
    └── DeliveryError       messages did not get to the broker  (also a RuntimeError)
RuntimeError
├── StreamClosedError       a stream was used after it was closed
└── ForkedStreamError       a stream was used in a child of the process that opened it

A malformed URL or argument is a plain ValueError or TypeError.
"""

from __future__ import annotations

from confluent_kafka import KafkaError, KafkaException


class StreamError(KafkaException):
    """Something that the broker or librdkafka reports.

    `args[0]` is the `confluent_kafka.KafkaError`; `str()` is a sentence that says what was being done,
    what went wrong and what to do.
    """

    def __init__(self, error: KafkaError, message: str) -> None:
        super().__init__(error)
        self.message = message

    def __str__(self) -> str:
        return self.message


class ConnectError(StreamError, ConnectionError):
    """No broker answers at the address, or not as a broker should."""


class AuthenticationError(StreamError, PermissionError):
    """The broker does not accept the credential."""


class AuthorizationError(StreamError, PermissionError):
    """The broker accepts the credential, but not for this topic, group or operation."""


class UnknownTopicError(StreamError, LookupError):
    """There is no such topic on the broker, or none that the credential may see."""


class DeliveryError(StreamError, RuntimeError):
    """Messages were given up without the broker having confirmed them.

    Attributes:
        count: how many messages failed since the last time this was raised.
    """

    def __init__(self, error: KafkaError, message: str, count: int) -> None:
        super().__init__(error, message)
        self.count = count

    @classmethod
    def of(
        cls, count: int, topic: str | None, broker: str | None, error: KafkaError
    ) -> DeliveryError:
        """The error for so many messages to a topic, of which the first was given up for that reason."""
        what = "a message was" if count == 1 else f"{count} messages were"
        where = f"{topic} at {broker}" if broker else topic
        return cls(error, f"{what} not delivered to {where}: {error.str()}", count)


class StreamClosedError(RuntimeError):
    """A stream was used after it was closed."""


class ForkedStreamError(RuntimeError):
    """A stream was used in a forked child of the process that opened it."""
