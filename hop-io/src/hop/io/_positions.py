"""Which partitions there are, where reading each starts and where each had its end."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta, timezone
from typing import cast

import confluent_kafka
from confluent_kafka import (
    OFFSET_BEGINNING,
    KafkaError,
    KafkaException,
    Message,
    TopicPartition,
)
from confluent_kafka.admin import TopicMetadata

from hop.io._start import StartAt, StartPosition

Partition = tuple[str, int]

# What the protocol asks for an offset with instead of a time (milliseconds).
_LATEST, _EARLIEST = -1, -2

# How long to wait for an answer about the group at a time, in seconds, and what says that there is none yet.
_ANSWER = 1.0
_PASSING = {KafkaError._TIMED_OUT, KafkaError._TRANSPORT, KafkaError._WAIT_COORD}


class Positions:
    """The partitions as they were when the stream was opened, and what is still to be read of them.

    Args:
        client: the consumer, to ask the broker.
        topics: the topics' metadata.
        start_at: where to start in a partition without a committed offset.
        until_eos: whether it is of interest where the partitions end.
        timeout: how long to wait for an answer, in seconds.
        patience: how long a member of a group may have been assigned nothing until there is nothing to come for it,
            in seconds.
    """

    def __init__(
        self,
        client: confluent_kafka.Consumer,
        topics: Mapping[str, TopicMetadata],
        start_at: StartAt,
        until_eos: bool,
        timeout: float,
        patience: float,
    ) -> None:
        self._client = client
        self._timeout = timeout
        self._patience = patience
        self._patient_until = 0.0
        known = partitions_of(topics)
        self._known = set(known)
        # Who reads everything for ever need not ask, and has the first message a round trip or two sooner.
        self._everything = start_at is StartPosition.EARLIEST and not until_eos
        self._ends = {} if self._everything else self._ask(known, _LATEST)
        self._starts = {} if self._everything else self._where(known, start_at)
        # Where reading of those that are assigned began; it may be a logical offset, as the beginning is.
        self._begun: dict[Partition, int] = {}
        self._had_some = False
        # The partitions that are being read and whose end has not been seen; None before any is assigned.
        self._unfinished: set[Partition] | None = None

    @property
    def at_end(self) -> bool:
        """Whether every assigned partition has been read up to the end that it had."""
        if self._unfinished is None or self._unfinished:
            return False
        # Who joins a group gets nothing until the others have given something up.
        return self._had_some or time.monotonic() >= self._patient_until

    def assign_all(self) -> list[TopicPartition]:
        """Every partition, and where to start in it."""
        return self._starting(TopicPartition(*partition) for partition in self._known)

    def assign_new(self, topics: Mapping[str, TopicMetadata]) -> list[TopicPartition]:
        """The partitions that were not there before. Everything in them is new."""
        new = [partition for partition in partitions_of(topics) if partition not in self._known]
        self._known.update(new)
        self._begun.update(dict.fromkeys(new, OFFSET_BEGINNING))
        return [TopicPartition(*partition, OFFSET_BEGINNING) for partition in new]

    def assign(self, partitions: Iterable[TopicPartition]) -> list[TopicPartition]:
        """The partitions that the group assigned to this member, and where to start in each."""
        new = list(partitions)
        self._patient_until = time.monotonic() + self._patience
        return self._starting(self._committed(new) if new else new)

    def revoke(self, partitions: Iterable[TopicPartition]) -> None:
        lost = {(one.topic, one.partition) for one in partitions}
        for partition in lost:
            self._begun.pop(partition, None)
        if self._unfinished is not None:
            self._unfinished -= lost

    def reached(self, message: Message) -> None:
        """The broker says that there is nothing at a message's offset or after it just now."""
        partition, offset = _place(message)
        # It may say so before it has told of the messages that were there at the start.
        if offset >= self._ends.get(partition, 0):
            self._finish(partition)

    def is_past_end(self, message: Message) -> bool:
        """Whether a message came after the end that its partition had; notes which is the last."""
        partition, offset = _place(message)
        end = self._ends.get(partition, 0)
        if offset >= end - 1:
            self._finish(partition)
        return offset >= end

    def behind(self) -> dict[Partition, int]:
        """How far the end of each assigned partition is from what the client has given out."""
        # The client is not asked what is assigned: confluent-kafka waits for the answer with the interpreter locked,
        # and for ever while another thread is reading.
        positions = dict(self._begun)
        ends = self._ask(list(positions), _LATEST)
        assigned = [TopicPartition(*partition) for partition in positions]
        for one in self._client.position(assigned):
            if one.offset >= 0:
                positions[one.topic, one.partition] = one.offset
        at_start = [partition for partition, offset in positions.items() if offset < 0]
        positions.update(self._ask(at_start, _EARLIEST))
        return {partition: max(0, ends[partition] - positions[partition]) for partition in ends}

    def _committed(self, partitions: list[TopicPartition]) -> list[TopicPartition]:
        """What the group remembers. A broker that has gone away is waited for, as everywhere."""
        while True:
            try:
                return self._client.committed(partitions, _ANSWER)
            except KafkaException as exc:
                if exc.args[0].code() not in _PASSING:
                    raise

    def _finish(self, partition: Partition) -> None:
        if self._unfinished is not None and partition in self._unfinished:
            self._unfinished.remove(partition)
            self._client.pause([TopicPartition(*partition)])

    def _starting(self, partitions: Iterable[TopicPartition]) -> list[TopicPartition]:
        unfinished = self._unfinished = self._unfinished or set()
        starting = list(partitions)
        for one in starting:
            partition = one.topic, one.partition
            if one.offset < 0:
                # One that was not there when the stream was opened: everything in it is new.
                one.offset = self._starts.get(partition, OFFSET_BEGINNING)
            if one.offset < self._ends.get(partition, 0):
                unfinished.add(partition)
            self._begun[partition] = one.offset
            self._had_some = True
            if self._everything and one.offset == OFFSET_BEGINNING:
                # Most often it is there; where it is not any more, librdkafka goes to the earliest that is.
                one.offset = 0
        return starting

    def _where(self, known: list[Partition], start_at: StartAt) -> dict[Partition, int]:
        match start_at:
            case StartPosition.LATEST:
                return dict(self._ends)
            case StartPosition.EARLIEST:
                return self._ask(known, _EARLIEST)
            case timedelta():
                return self._where(known, datetime.now(timezone.utc) - start_at)
            case datetime():
                return self._ask(known, max(0, round(start_at.timestamp() * 1000)))
            case int():
                wanted = dict.fromkeys(known, start_at)
            case _:
                wanted = dict(start_at)
        first = self._ask(known, _EARLIEST)
        return {
            partition: self._offset(wanted.get(partition, end), first[partition], end)
            for partition, end in self._ends.items()
        }

    @staticmethod
    def _offset(wanted: int, first: int, end: int) -> int:
        """An offset that there is, for one that is asked for and may count from the end."""
        return min(max(wanted if wanted >= 0 else end + wanted, first), end)

    def _ask(self, partitions: list[Partition], time: int) -> dict[Partition, int]:
        """The first offset from a time (milliseconds since 1970) on; the end if there is none."""
        asked = [TopicPartition(*partition, time) for partition in partitions]
        found = self._client.offsets_for_times(asked, timeout=self._timeout) if asked else []
        answers = {}
        for one in found:
            if one.error is not None:
                raise KafkaException(one.error)
            partition = one.topic, one.partition
            answers[partition] = one.offset if one.offset >= 0 else self._ends[partition]
        return answers


def partitions_of(topics: Mapping[str, TopicMetadata]) -> list[Partition]:
    """Every partition of the topics that exist."""
    return [(name, number) for name, about in topics.items() for number in about.partitions]


def _place(message: Message) -> tuple[Partition, int]:
    """Where a consumed message is. (confluent-kafka's types also allow for one that was not sent.)"""
    return cast("tuple[Partition, int]", ((message.topic(), message.partition()), message.offset()))
