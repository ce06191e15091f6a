"""Reading a stream."""

from __future__ import annotations

import logging
import warnings
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from datetime import timedelta
from types import TracebackType
from typing import Any, Literal, overload

import confluent_kafka
from confluent_kafka import KafkaError, KafkaException, Message, TopicPartition

from hop.auth import Auth
from hop.io._connection import DEFAULT_TIMEOUT, Connection
from hop.io._errors import StreamClosedError, StreamError
from hop.io._group import generate_group_id
from hop.io._metadata import Metadata, headers_of
from hop.io._positions import Positions
from hop.io._start import StartPosition
from hop.models import Blob, MessageModel, decode, is_test, message_models

logger = logging.getLogger("hop.io")

# How many messages to take from librdkafka at a time.
_BATCH_SIZE = 200
# A quiet stream is looked after at least this often (seconds), so that Ctrl-C and stop() take effect.
_WAIT = 0.2


class Consumer:
    """An event stream opened for reading one or more topics.

    Instances should be obtained from `Stream.open`. Iterating gives message models; `read` can give
    metadata with them. A context manager: leaving the `with` block closes the stream.

    With a consumer group (`group_id`) the members of the group share the partitions, and reading goes on
    where the group left off. Without, every partition is read from `start_at` and nothing is remembered.

    Args:
        group_id: the consumer group, or None to belong to no group.
        broker_addresses: `host:port` of a broker of the cluster, a string or a list of one.
        topics: the topics to read.
        ignoretest: whether test messages are passed over.
        auth: the credential, None for none.
        start_at: where to start in partitions for which the group has no committed offset.
        until_eos: whether to end when everything that was there has been read.
        timeout: how long to wait for the broker when opening, in seconds.
        kwargs: further options of librdkafka, by their names.

    Raises:
        StreamError: the broker does not answer, refuses, or has no such topic.
    """

    def __init__(
        self,
        group_id: str | None,
        broker_addresses: str | Sequence[str],
        topics: str | Iterable[str],
        ignoretest: bool = True,
        *,
        auth: Auth | None = None,
        start_at: StartPosition = StartPosition.LATEST,
        until_eos: bool = False,
        timeout: float = DEFAULT_TIMEOUT,
        **kwargs: Any,
    ) -> None:
        self._closed = True  # until it is open
        self._ignoretest = ignoretest
        self._until_eos = until_eos
        self._stopped = False
        self._buffer: deque[Message] = deque()
        self._current: Message | None = None
        self._unknown_formats: set[str] = set()
        names = (topics,) if isinstance(topics, str) else tuple(topics)
        if not names:
            raise ValueError(
                "cannot open a stream for reading without a topic; name one in the URL"
            )
        brokers = (
            broker_addresses if isinstance(broker_addresses, str) else ",".join(broker_addresses)
        )
        self._connection = Connection(
            brokers,
            auth,
            {
                "group.id": group_id or generate_group_id(auth),
                "partition.assignment.strategy": "cooperative-sticky",
                "enable.auto.commit": True,
                "enable.auto.offset.store": False,
                "auto.offset.reset": str(start_at),
                "enable.partition.eof": until_eos,
                # The end of a partition is announced when a fetch comes back empty.
                **({"fetch.wait.max.ms": 10} if until_eos else {}),
                **kwargs,
            },
        )
        self._in_group = group_id is not None
        self._client = self._connection.client(confluent_kafka.Consumer)
        self._closed = False
        try:
            found = self._connection.metadata(self._client, names, timeout)
            self._positions = Positions(self._client, found, start_at, timeout)
            if self._in_group:
                self._client.subscribe(
                    list(names), on_assign=self._on_assign, on_revoke=self._on_revoke
                )
            else:
                self._client.assign(self._positions.assign_all())
        except KafkaException as exc:
            self._abandon()
            if isinstance(exc, StreamError):
                raise
            raise self._connection.translate(exc.args[0], "cannot open the stream") from exc
        except BaseException:
            self._abandon()
            raise

    @overload
    def read(
        self,
        metadata: Literal[False] = False,
        autocommit: bool = True,
        *,
        batch_size: int = _BATCH_SIZE,
        batch_timeout: timedelta | None = None,
        **kwargs: Any,
    ) -> Iterator[MessageModel]: ...

    @overload
    def read(
        self,
        metadata: Literal[True],
        autocommit: bool = True,
        *,
        batch_size: int = _BATCH_SIZE,
        batch_timeout: timedelta | None = None,
        **kwargs: Any,
    ) -> Iterator[tuple[MessageModel, Metadata]]: ...

    def read(
        self,
        metadata: bool = False,
        autocommit: bool = True,
        *,
        batch_size: int = _BATCH_SIZE,
        batch_timeout: timedelta | None = None,
        **kwargs: Any,
    ) -> Iterator[MessageModel] | Iterator[tuple[MessageModel, Metadata]]:
        """Read messages, one after the other, as they come.

        A message whose body does not decode as its format is given as a `Blob` that says why.

        Args:
            metadata: whether to give pairs of message and `Metadata`.
            autocommit: whether a message counts as done when the next one is asked for or the stream is
                closed. If not, only what `mark_done` names is done. Only with a consumer group is what is
                done remembered.
            batch_size: how many messages to request from librdkafka at a time.
            batch_timeout: how long to wait for a batch to be full. By default nothing waits: whatever
                has arrived is given at once.

        Raises:
            StreamError: the broker ends the stream.
            StreamClosedError: the stream is closed.
        """
        self._check_open()
        if batch_size < 1:
            raise ValueError(f"batch_size is {batch_size}; it has to be 1 or more")
        if kwargs:
            logger.debug("read: ignored unknown options: %s", ", ".join(sorted(kwargs)))
        return self._read(metadata, autocommit, batch_size, batch_timeout)

    def __iter__(self) -> Iterator[MessageModel]:
        return self.read()

    def mark_done(self, metadata: Metadata) -> None:
        """Mark a message as fully processed, and with it all before it in its partition.

        Args:
            metadata: the message's metadata, as `read(metadata=True)` gave it.

        Raises:
            StreamClosedError: the stream is closed.
        """
        self._check_open()
        self._store(metadata.topic, metadata.partition, metadata.offset)

    def stop(self) -> None:
        """End the iteration; from another thread or a signal handler, too. The stream stays open."""
        self._stopped = True

    def close(self) -> None:
        """End all subscriptions and shut down. Closing twice is harmless."""
        if self._closed:
            return
        self._done_with_current()
        self._abandon()

    @staticmethod
    def is_test(message: Message) -> bool:
        """Whether a message is a test message, that is, has a header `_test`."""
        return is_test(headers_of(message))

    def __enter__(self) -> Consumer:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if exc is not None:
            # The message in hand was not dealt with: it comes again.
            self._current = None
        self.close()

    def __del__(self) -> None:
        if not self._closed:
            warnings.warn(f"unclosed stream {self!r}", ResourceWarning, source=self, stacklevel=2)
            self._abandon()

    def _read(
        self, metadata: bool, autocommit: bool, batch_size: int, batch_timeout: timedelta | None
    ) -> Iterator[Any]:
        wait = None if batch_timeout is None else batch_timeout.total_seconds()
        while not self._stopped:
            self._check_open()
            if autocommit:
                self._done_with_current()
            if not self._buffer:
                if self._until_eos and self._positions.at_end:
                    return
                self._fetch(batch_size, wait)
                continue
            message = self._buffer.popleft()
            if self._until_eos and self._positions.is_past_end(message):
                continue
            headers = headers_of(message)
            self._current = message if autocommit else None
            if self._ignoretest and is_test(headers):
                continue
            model = decode(headers, message.value())
            if isinstance(model, Blob) and model.reason is not None:
                self._warn(message, model)
            yield (model, Metadata.from_message(message)) if metadata else model
        self._stopped = False

    def _warn(self, message: Message, blob: Blob) -> None:
        """One warning for what did not decode; for a format that nobody knows, one a format."""
        if blob.declared_format not in message_models():
            if blob.declared_format in self._unknown_formats:
                return
            self._unknown_formats.add(str(blob.declared_format))
        logger.warning(
            "message %d of partition %d of topic %s is given as a blob: %s",
            message.offset(),
            message.partition(),
            message.topic(),
            blob.reason,
        )

    def _fetch(self, batch_size: int, wait: float | None) -> None:
        """Fill the buffer with what has arrived, or wait a moment for the next message."""
        messages = self._client.consume(batch_size, 0 if wait is None else wait)
        if not messages:
            message = self._client.poll(_WAIT)
            messages = [] if message is None else [message]
        for message in messages:
            error = message.error()
            if error is None:
                self._buffer.append(message)
            elif error.code() == KafkaError._PARTITION_EOF:
                self._positions.reached(message.topic(), message.partition(), message.offset())
            elif not error.retriable():
                raise self._connection.translate(error, f"cannot go on reading {message.topic()}")

    def _done_with_current(self) -> None:
        message, self._current = self._current, None
        if message is not None and self._in_group:
            self._store(message.topic(), message.partition(), message.offset())

    def _store(self, topic: str | None, partition: int | None, offset: int | None) -> None:
        assert topic is not None
        assert partition is not None
        assert offset is not None
        try:
            self._client.store_offsets(offsets=[TopicPartition(topic, partition, offset + 1)])
        except KafkaException as exc:
            # The partition belongs to another member of the group by now, and so does the message.
            logger.info("partition %d of %s is not ours any more: %s", partition, topic, exc)

    def _on_assign(self, client: confluent_kafka.Consumer, new: list[TopicPartition]) -> None:
        client.incremental_assign(self._positions.assign(new))

    def _on_revoke(self, client: confluent_kafka.Consumer, lost: list[TopicPartition]) -> None:
        self._positions.revoke(lost)
        gone = {(one.topic, one.partition) for one in lost}
        kept = [m for m in self._buffer if (m.topic(), m.partition()) not in gone]
        self._buffer = deque(kept)
        with suppress(KafkaException):  # nothing is stored, or the group has gone on without us
            client.commit(asynchronous=False)
        client.incremental_unassign(lost)

    def _check_open(self) -> None:
        if self._closed:
            raise StreamClosedError("the stream is closed; open it again to go on reading")

    def _abandon(self) -> None:
        self._closed = True
        self._client.close()
