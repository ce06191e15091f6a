"""Which partitions are read, where each starts and where each had its end."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import confluent_kafka
from confluent_kafka import OFFSET_BEGINNING, Message, TopicPartition
from confluent_kafka.admin import TopicMetadata

from hop.io._start import StartPosition

Partition = tuple[str, int]


class Positions:
    """The partitions as they were when the stream was opened, and what is still to be read of them.

    Args:
        client: the consumer, to ask the broker.
        topics: the topics' metadata.
        start_at: where to start in a partition without a committed offset.
        timeout: how long to wait for an answer, in seconds.
    """

    def __init__(
        self,
        client: confluent_kafka.Consumer,
        topics: Mapping[str, TopicMetadata],
        start_at: StartPosition,
        timeout: float,
    ) -> None:
        self._client = client
        self._start_at = start_at
        self._timeout = timeout
        self._bounds: dict[Partition, tuple[int, int]] = {}
        for topic, about in topics.items():
            for partition in about.partitions:
                bounds = client.get_watermark_offsets(TopicPartition(topic, partition), timeout)
                assert bounds is not None
                self._bounds[topic, partition] = bounds
        # The partitions that are being read and whose end has not been seen yet; None before any is assigned.
        self._unfinished: set[Partition] | None = None

    @property
    def at_end(self) -> bool:
        """Whether every assigned partition has been read up to the end that it had."""
        return self._unfinished is not None and not self._unfinished

    def assign_all(self) -> list[TopicPartition]:
        """Every partition, and where to start in it."""
        return self._starting(TopicPartition(*partition) for partition in self._bounds)

    def assign(self, partitions: Iterable[TopicPartition]) -> list[TopicPartition]:
        """The partitions that the group assigned to this member, and where to start in each."""
        new = list(partitions)
        return self._starting(self._client.committed(new, self._timeout) if new else new)

    def revoke(self, partitions: Iterable[TopicPartition]) -> None:
        if self._unfinished is not None:
            self._unfinished.difference_update((one.topic, one.partition) for one in partitions)

    def reached(self, topic: str | None, partition: int | None, offset: int | None) -> None:
        """The broker says that there is nothing after `offset` just now."""
        assert topic is not None
        assert partition is not None
        assert offset is not None
        # It may say so before it has told of the messages that were there at the start.
        if offset >= self._bounds.get((topic, partition), (0, 0))[1]:
            self._finish((topic, partition))

    def is_past_end(self, message: Message) -> bool:
        """Whether a message came after the end that its partition had; notes which is the last."""
        topic, partition, offset = message.topic(), message.partition(), message.offset()
        assert topic is not None
        assert partition is not None
        assert offset is not None
        end = self._bounds.get((topic, partition), (0, 0))[1]
        if offset >= end - 1:
            self._finish((topic, partition))
        return offset >= end

    def _finish(self, partition: Partition) -> None:
        if self._unfinished is not None and partition in self._unfinished:
            self._unfinished.remove(partition)
            self._client.pause([TopicPartition(*partition)])

    def _starting(self, partitions: Iterable[TopicPartition]) -> list[TopicPartition]:
        unfinished = self._unfinished = self._unfinished or set()
        starting = list(partitions)
        for one in starting:
            bounds = self._bounds.get((one.topic, one.partition))
            if bounds is None:
                # It was not there when the stream was opened: everything in it is new.
                one.offset = one.offset if one.offset >= 0 else OFFSET_BEGINNING
                continue
            low, high = bounds
            if one.offset < 0:
                one.offset = low if self._start_at is StartPosition.EARLIEST else high
            if one.offset < high:
                unfinished.add((one.topic, one.partition))
        return starting
