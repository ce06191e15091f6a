"""Counting what has arrived, with a plain confluent-kafka reader."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import confluent_kafka
from confluent_kafka import TopicPartition

from hop.sandbox import KafkaBroker

_NUMBER = re.compile(rb"(\d+) ")
_PATIENCE = 30.0


@dataclass(frozen=True)
class Arrival:
    """A message at the reader; `number` is what the publishing program calls it."""

    number: int
    id: bytes
    size: int


class Reader:
    """Reads a topic with one partition from its beginning to its end.

    Args:
        broker: where.
        topic: which.
    """

    def __init__(self, broker: KafkaBroker, topic: str) -> None:
        self._config: dict[str, Any] = {
            **broker.admin_config,
            "group.id": f"faults-{uuid4().hex}",
            "enable.auto.commit": False,
            "reconnect.backoff.max.ms": 500,
            "log_level": 0,
        }
        self._partition = TopicPartition(topic, 0, 0)

    def arrivals(self) -> list[Arrival]:
        """All messages in the order in which they arrived."""
        return list(self._arrivals())

    def end(self) -> int:
        """How many messages there are."""
        consumer = confluent_kafka.Consumer(self._config)
        try:
            return int(consumer.get_watermark_offsets(self._partition, timeout=_PATIENCE)[1])
        finally:
            consumer.close()

    def _arrivals(self) -> Iterator[Arrival]:
        consumer = confluent_kafka.Consumer(self._config)
        try:
            end = consumer.get_watermark_offsets(self._partition, timeout=_PATIENCE)[1]
            consumer.assign([self._partition])
            position = 0
            while position < end:
                message = consumer.poll(_PATIENCE)
                assert message is not None, f"offset {position} of {end} did not come"
                assert message.error() is None, message.error()
                position = message.offset() + 1
                body = message.value()
                found = _NUMBER.match(body)
                assert found is not None, body[:40]
                headers = dict(message.headers())
                yield Arrival(int(found[1]), headers["_id"], len(body))
        finally:
            consumer.close()


@dataclass(frozen=True)
class Count:
    """What a reader found of what was written."""

    delivered: int
    duplicates: int


def count(
    arrivals: Collection[Arrival], written: Collection[int], allowed: Collection[int] = ()
) -> Count:
    """Compare what arrived with what was written, and check that nothing is missing or strange.

    Args:
        arrivals: what the reader found.
        written: the messages that `write` returned for: all have to be there.
        allowed: those that may be there: their `write` had not returned when its program ended.
    """
    ids: dict[int, bytes] = {}
    duplicates = 0
    for arrival in arrivals:
        if arrival.number in ids:
            duplicates += 1
            assert ids[arrival.number] == arrival.id, f"another _id in a copy of {arrival.number}"
        ids[arrival.number] = arrival.id
    assert len(set(ids.values())) == len(ids), "different messages with the same _id"
    missing = sorted(set(written) - set(ids))
    assert not missing, f"{len(missing)} messages are lost: {missing[:20]}"
    strange = sorted(set(ids) - set(written) - set(allowed))
    assert not strange, f"{len(strange)} messages were not accepted and came: {strange[:20]}"
    return Count(len(set(ids) & set(written)), duplicates)
