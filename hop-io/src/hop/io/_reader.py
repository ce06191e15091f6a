"""What is between librdkafka and a `Consumer`: partitions assigned, messages fetched, the end noticed."""

from __future__ import annotations

import logging
import time
from collections import deque
from typing import Any

import confluent_kafka
from confluent_kafka import KafkaError, KafkaException, Message, TopicPartition

from hop.auth import Auth
from hop.io._connection import Connection
from hop.io._done import Done
from hop.io._errors import StreamClosedError, StreamError
from hop.io._fork import Origin, keep_for_ever
from hop.io._group import generate_group_id
from hop.io._positions import Positions
from hop.io._start import StartAt
from hop.io._turns import Turns

logger = logging.getLogger("hop.io")

# A quiet stream is looked after at least this often (seconds), so that Ctrl-C and stop() take effect.
_WAIT = 0.2
# How long to wait for news of partitions, in seconds.
_REFRESH_WAIT = 1.0
# How long the members of a group take to share the partitions anew, beside their heartbeats, in seconds.
_REBALANCE = 3.0

DEFAULTS: dict[str, Any] = {
    "partition.assignment.strategy": "cooperative-sticky",
    "heartbeat.interval.ms": 3000,
    "enable.auto.commit": True,
    "enable.auto.offset.store": False,
    # What may lie ready for a reader who is slower than the broker, as `Stream.open` documents. Both bounds are needed:
    # a message takes some hundred bytes beside its own. Where it is full, look soon whether there is room again:
    # librdkafka's second is more than a fast reader needs to have read it all.
    "queued.min.messages": 100_000,
    "queued.max.messages.kbytes": 65_536,
    "fetch.queue.backoff.ms": 10,
    # How often to look for new partitions and topics.
    "topic.metadata.refresh.interval.ms": 10_000,
}

# What a message of the consumer reports that librdkafka goes on from by itself.
_PASSING = {KafkaError._MAX_POLL_EXCEEDED, KafkaError._ALL_BROKERS_DOWN, KafkaError._TRANSPORT}


class Reader:
    """An open consumer of librdkafka.

    Args:
        group_id: the consumer group, or None to assign all partitions directly.
        broker: `host:port` of a broker.
        topics: the topics to read.
        auth: the credential, None for none.
        start_at: where to start in partitions for which the group has no committed offset.
        until_eos: whether to end where the partitions had their ends.
        timeout: how long to wait for the broker when opening, in seconds.
        options: further options of librdkafka.

    Attributes:
        buffer: messages that were fetched and are to be given out.
        done: what counts as read.
        positions: where the partitions start and end.
        in_group: whether there is a group, which remembers what is done.
        closed: whether it can't be used any more.

    Raises:
        StreamError: the broker does not answer, refuses, or has no such topic.
    """

    def __init__(
        self,
        group_id: str | None,
        broker: str,
        topics: tuple[str, ...],
        auth: Auth | None,
        start_at: StartAt,
        until_eos: bool,
        timeout: float,
        options: dict[str, Any],
    ) -> None:
        self.closed = False
        self.buffer: deque[Message] = deque()
        self.in_group = group_id is not None
        self._topics = topics
        self._until_eos = until_eos
        self._origin = Origin()
        settings = {**DEFAULTS, **options}
        self._connection = Connection(
            broker,
            auth,
            {
                "group.id": group_id or generate_group_id(auth),
                # Where to start is told by its offset. This is for offsets that are gone: nothing that is left is lost.
                "auto.offset.reset": "earliest",
                "enable.partition.eof": until_eos,
                # The end of a partition is announced when a fetch comes back empty.
                **({"fetch.wait.max.ms": 10} if until_eos else {}),
                **settings,
            },
        )
        # The others in a group learn with a heartbeat that somebody has joined, and then give partitions up.
        self._patience = _REBALANCE + 2 * settings["heartbeat.interval.ms"] / 1000
        self._refresh_every = settings["topic.metadata.refresh.interval.ms"] / 1000
        self._client = self._connection.client(confluent_kafka.Consumer)
        self._turns = Turns()
        self.done = Done(self._client, self._turns)
        try:
            self._open(start_at, timeout)
        except KafkaException as exc:
            self.close()
            if isinstance(exc, StreamError):
                raise
            raise self._connection.translate(exc.args[0], "cannot open the stream") from exc
        except BaseException:
            self.close()
            raise

    @property
    def forked(self) -> bool:
        """Whether this is a child of the process that opened it."""
        return self._origin.forked

    def check_usable(self) -> None:
        """Raise what is to be raised where a stream is used that can't be.

        Raises:
            StreamClosedError: it is closed.
            ForkedStreamError: it was opened in another process.
        """
        self._origin.check()
        if self.closed:
            raise StreamClosedError("the stream is closed; open it again to go on reading")

    def fetch(self, batch_size: int, wait: float | None) -> bool:
        """Fill the buffer with what has arrived, or wait a moment for the next message.

        Args:
            batch_size: how many messages to take at most.
            wait: how long to wait until there are so many, in seconds; None not to wait for more than one.

        Returns:
            False at the end of the stream.

        Raises:
            StreamError: the broker ends the stream.
        """
        self.check_usable()
        if self._until_eos and self.positions.at_end:
            return False
        with self._turns.turn():
            self.done.store()
            try:
                messages = self._client.consume(batch_size, 0 if wait is None else wait)
                if not messages:
                    message = self._client.poll(_WAIT)
                    messages = [] if message is None else [message]
            except KafkaException as exc:
                raise self._connection.translate(exc.args[0], "the stream has ended") from exc
            if messages:
                self._connection.answered()
            failed = [message for message in messages if message.error() is not None]
            self.buffer.extend(
                [message for message in messages if message.error() is None] if failed else messages
            )
            for message in failed:
                self._on_error(message)
            if not self.in_group and time.monotonic() >= self._refresh_at:
                self._refresh()
        self.done.store_left()
        return True

    def lag(self) -> dict[tuple[str, int], int]:
        """How many messages there are after those that were given out, for each partition.

        Raises:
            StreamError: the broker does not answer.
        """
        self.check_usable()
        try:
            with self._turns.turn():
                behind = self.positions.behind()
        except KafkaException as exc:
            raise self._connection.translate(exc.args[0], "cannot tell the lag") from exc
        for message in self.buffer:
            where = message.topic(), message.partition()
            if where in behind:
                behind[where] += 1
        return behind

    def close(self) -> None:
        """Have what is done committed, leave the group, and shut down."""
        if self.closed:
            return
        self.closed = True
        self.buffer.clear()
        if self._origin.forked:
            keep_for_ever(self._client)
        else:
            with self._turns.turn():
                self.done.store()
                if self.in_group and self._group_answers():
                    # Who leaves while others join is told of the new shares no more, and then may not commit.
                    self.done.commit(self._patience)
                self._client.close()

    def _group_answers(self) -> bool:
        """Whether the group's broker is there: where it is not, a commit would wait for it for most of a minute."""
        try:
            self._client.committed([TopicPartition(self._topics[0], 0)], _REFRESH_WAIT)
        except KafkaException as exc:
            logger.debug("no news of the group from %s: %s", self._connection.broker, exc)
            return False
        return True

    def _open(self, start_at: StartAt, timeout: float) -> None:
        found = self._connection.metadata(self._client, self._topics, timeout)
        missing = [topic for topic in found.values() if topic.error is not None]
        if len(missing) == len(found):
            self._connection.check_topic(missing[0])
        for topic in missing:
            logger.warning("topic %s is read once it exists (%s)", topic.topic, topic.error)
        self.positions = Positions(
            self._client, found, start_at, self._until_eos, timeout, self._patience
        )
        if self.in_group:
            self._client.subscribe(
                list(self._topics), on_assign=self._on_assign, on_revoke=self._on_revoke
            )
        else:
            self._client.assign(self.positions.assign_all())
        self._refresh_at = time.monotonic() + self._refresh_every

    def _on_error(self, message: Message) -> None:
        error: Any = message.error()
        if error.code() == KafkaError._PARTITION_EOF:
            self.positions.reached(message)
        elif not error.retriable() and error.code() not in _PASSING:
            what = message.topic() or ", ".join(self._topics)  # a group's error has no topic
            raise self._connection.translate(error, f"cannot go on reading {what}")

    def _refresh(self) -> None:
        """Read partitions, and topics, that have come into being."""
        self._refresh_at = time.monotonic() + self._refresh_every
        # A broker answers when it has done with the fetch before, which waits for messages.
        found = self._connection.news(self._client, self._topics, _REFRESH_WAIT)
        if new := self.positions.assign_new(found):
            self._client.incremental_assign(new)

    def _on_assign(self, client: confluent_kafka.Consumer, new: list[TopicPartition]) -> None:
        # While it closes, nothing can be asked about the group any more.
        if not self.closed:
            client.incremental_assign(self.positions.assign(new))

    def _on_revoke(self, client: confluent_kafka.Consumer, lost: list[TopicPartition]) -> None:
        self.positions.revoke(lost)
        self.done.commit()
        self.done.forget(lost)
        gone = {(one.topic, one.partition) for one in lost}
        kept = [m for m in self.buffer if (m.topic(), m.partition()) not in gone]
        self.buffer.clear()
        self.buffer.extend(kept)
        client.incremental_unassign(lost)
