"""What counts as read: the offsets that a consumer group comes back to."""

from __future__ import annotations

import logging
import time
from collections import deque

import confluent_kafka
from confluent_kafka import KafkaError, KafkaException, Message, TopicPartition

from hop.io._turns import Turns

logger = logging.getLogger("hop.io")

# What the broker answers while the members of a group share the partitions anew; how long to wait then, in seconds.
_SHARING = {KafkaError.ILLEGAL_GENERATION, KafkaError.REBALANCE_IN_PROGRESS}
_PAUSE = 0.05


class Done:
    """The offsets of a consumer. librdkafka commits what is stored in the background, and when it closes.

    Args:
        client: the consumer.
        turns: who may use it. The thread that reads has its turn while it waits for messages, so that others leave
            what they mark for it to store.
    """

    def __init__(self, client: confluent_kafka.Consumer, turns: Turns) -> None:
        self._client = client
        self._turns = turns
        self._marked: dict[tuple[str, int], int] = {}
        self._left: deque[tuple[str, int, int]] = deque()

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
        if asynchronous and not rewind:
            self._left.append((topic, partition, offset))
            self.store_left()
            return
        with self._turns.turn():
            self.store()
            self._mark(topic, partition, offset, commit=True, rewind=rewind)

    def store_left(self) -> None:
        """Store what has been left, unless somebody else has the turn, who does so afterwards."""
        while self._left and self._turns.take_if_free():
            try:
                self.store()
            finally:
                self._turns.give()

    def store(self) -> None:
        """Store what has been left; for whoever has the turn."""
        while self._left:
            topic, partition, offset = self._left.popleft()
            self._mark(topic, partition, offset, commit=False, rewind=False)

    def commit(self, patience: float = 0.0) -> None:
        """Have the broker know what is done, now; for whoever has the turn.

        Args:
            patience: how long to try while the group shares the partitions anew, in seconds.
        """
        self.store()
        end = time.monotonic() + patience
        while True:
            try:
                self._client.commit(asynchronous=False)
                return
            except KafkaException as exc:
                # Nothing is stored, or the group has gone on without us.
                logger.debug("commit: %s", exc)
                if exc.args[0].code() not in _SHARING or time.monotonic() >= end:
                    return
            time.sleep(_PAUSE)

    def forget(self, partitions: list[TopicPartition]) -> None:
        """These partitions belong to another member of the group from now on."""
        for one in partitions:
            self._marked.pop((one.topic, one.partition), None)

    def _mark(self, topic: str, partition: int, offset: int, *, commit: bool, rewind: bool) -> None:
        where, position = (topic, partition), offset + 1
        if not rewind and position <= (last := self._marked.get(where, 0)):
            if not commit:
                return
            position = last  # of which the broker may not know yet
        self._marked[where] = position
        place = TopicPartition(topic, partition, position)
        try:
            # Stored in any case: what is stored is committed at the end, even where it is behind.
            self._client.store_offsets(offsets=[place])
            if commit:
                self._client.commit(offsets=[place], asynchronous=False)
        except KafkaException as exc:
            self._not_ours(topic, partition, exc)

    @staticmethod
    def _not_ours(topic: str | None, partition: int | None, exc: KafkaException) -> None:
        # The partition belongs to another member of the group by now, and so does the message.
        logger.info("partition %s of topic %s is not ours any more: %s", partition, topic, exc)
