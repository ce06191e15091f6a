"""What counts as read: the offsets that a consumer group comes back to."""

from __future__ import annotations

import logging

import confluent_kafka
from confluent_kafka import KafkaException, Message, TopicPartition

logger = logging.getLogger("hop.io")


class Done:
    """The offsets of a consumer. librdkafka commits what is stored in the background, and when it closes."""

    def __init__(self, client: confluent_kafka.Consumer) -> None:
        self._client = client
        self._marked: dict[tuple[str, int], int] = {}

    def message(self, message: Message) -> None:
        """A message, and all before it in its partition, is done."""
        try:
            self._client.store_offsets(message=message)
        except KafkaException as exc:
            self._not_ours(message.topic(), message.partition(), exc)

    def mark(
        self, topic: str, partition: int, offset: int, *, asynchronous: bool, rewind: bool
    ) -> None:
        """As `message`, by where the message is; what is marked stays so unless `rewind` says otherwise."""
        where, position = (topic, partition), offset + 1
        if position <= self._marked.get(where, 0) and not rewind:
            return
        self._marked[where] = position
        place = TopicPartition(topic, partition, position)
        try:
            if asynchronous and not rewind:
                self._client.store_offsets(offsets=[place])
            else:
                self._client.commit(offsets=[place], asynchronous=False)
        except KafkaException as exc:
            self._not_ours(topic, partition, exc)

    def commit(self) -> None:
        """Have the broker know what is done, now."""
        try:
            self._client.commit(asynchronous=False)
        except KafkaException as exc:
            # Nothing is stored, or the group has gone on without us.
            logger.debug("commit: %s", exc)

    def forget(self, partitions: list[TopicPartition]) -> None:
        """These partitions belong to another member of the group from now on."""
        for one in partitions:
            self._marked.pop((one.topic, one.partition), None)

    @staticmethod
    def _not_ours(topic: str | None, partition: int | None, exc: KafkaException) -> None:
        # The partition belongs to another member of the group by now, and so does the message.
        logger.info("partition %s of topic %s is not ours any more: %s", partition, topic, exc)
