"""The topic, and all that it holds, read with confluent-kafka alone."""

from __future__ import annotations

import confluent_kafka
from confluent_kafka import Message, TopicPartition
from soak.accounting import Arrival

from hop.sandbox import KafkaBroker

TOPIC = "soak"
PARTITIONS = 4


def held(broker: KafkaBroker) -> list[Arrival]:
    """Every message of the topic, partition by partition."""
    consumer = confluent_kafka.Consumer(
        {**broker.admin_config, "group.id": "accountant", "enable.auto.commit": False}
    )
    arrivals: list[Arrival] = []
    try:
        for partition in range(PARTITIONS):
            _, end = consumer.get_watermark_offsets(TopicPartition(TOPIC, partition), timeout=60)
            consumer.assign([TopicPartition(TOPIC, partition, 0)])
            offset = 0
            while offset < end:
                for message in consumer.consume(1000, 1.0):
                    if message.error() is None:
                        arrivals.append(arrival(message))
                        offset = arrivals[-1].place[1] + 1
    finally:
        consumer.close()
    return arrivals


def arrival(message: Message) -> Arrival:
    partition, offset, body = message.partition(), message.offset(), message.value()
    assert partition is not None
    assert offset is not None
    assert isinstance(body, bytes)
    name, number, _ = body.split(b" ")
    identity = dict(message.headers() or ()).get("_id")
    assert isinstance(identity, bytes)
    return Arrival((partition, offset), name.decode(), int(number), identity)
