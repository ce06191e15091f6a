"""What a broker knows of a message beside its body."""

from __future__ import annotations

from collections.abc import Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from confluent_kafka import Message

Headers = Sequence[tuple[str, bytes | None]]


def headers_of(message: Message) -> Headers | None:
    """The headers of a consumed message. (confluent-kafka's types also allow what only `produce` takes.)"""
    return message.headers()  # type: ignore[return-value]


class Metadata(tuple[Any, ...]):
    """Broker-specific metadata that accompanies a consumed message: an immutable tuple with names.

    Attributes:
        topic: the topic.
        partition: the number of the partition.
        offset: the message's place in the partition.
        timestamp: when it was written, in milliseconds since 1970-01-01 UTC; -1 if the broker does not say.
        key: the key, or None.
        headers: (name, value) pairs in the order of the message, duplicates included, or None.
        _raw: the `confluent_kafka.Message` itself, or None.
    """

    __slots__ = ()
    __match_args__ = ("topic", "partition", "offset", "timestamp", "key", "headers")

    def __new__(
        cls,
        topic: str,
        partition: int,
        offset: int,
        timestamp: int,
        key: str | bytes | None,
        headers: Headers | None,
        _raw: Message | None = None,
    ) -> Metadata:
        return tuple.__new__(cls, (topic, partition, offset, timestamp, key, headers, _raw))

    topic: str = property(itemgetter(0))  # type: ignore[assignment]
    partition: int = property(itemgetter(1))  # type: ignore[assignment]
    offset: int = property(itemgetter(2))  # type: ignore[assignment]
    timestamp: int = property(itemgetter(3))  # type: ignore[assignment]
    key: str | bytes | None = property(itemgetter(4))  # type: ignore[assignment]
    headers: Headers | None = property(itemgetter(5))  # type: ignore[assignment]
    _raw: Message | None = property(itemgetter(6))  # type: ignore[assignment]

    @classmethod
    def from_message(cls, message: Message, headers: Headers | None) -> Metadata:
        """The metadata of a message as confluent-kafka gives it, its headers being known already."""
        return tuple.__new__(
            cls,
            (
                message.topic(),
                message.partition(),
                message.offset(),
                message.timestamp()[1],
                message.key(),
                headers,
                message,
            ),
        )

    def __getnewargs__(self) -> tuple[Any, ...]:
        return (*self[:6], None)

    def __repr__(self) -> str:
        return (
            f"Metadata(topic={self.topic!r}, partition={self.partition}, offset={self.offset}, "
            f"timestamp={self.timestamp}, key={self.key!r}, headers={self.headers!r})"
        )
