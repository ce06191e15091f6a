"""Reading a stream."""

from __future__ import annotations

import logging
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from types import TracebackType
from typing import Any, Literal, TypeVar, overload

from confluent_kafka import Message

from hop.auth import Auth
from hop.io._connection import DEFAULT_TIMEOUT
from hop.io._external import External
from hop.io._made import Make, Models, make_raw
from hop.io._metadata import Metadata, headers_of
from hop.io._reader import Reader
from hop.io._reading import BATCH_SIZE, Reading
from hop.io._service import Service
from hop.io._start import StartAt, StartPosition, check_start
from hop.io._transfer import DEFAULT_FETCH_LIMIT, DEFAULT_TRANSFER_TIMEOUT
from hop.models import MessageModel, is_test

logger = logging.getLogger("hop.io")

T = TypeVar("T")


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
        fetch_external: whether messages too large for the broker are fetched; None for what the settings say.
        transfer_timeout: how long one of them may take, in seconds.
        fetch_limit: how many bytes one of them may have.
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
        start_at: StartAt = StartPosition.LATEST,
        until_eos: bool = False,
        timeout: float = DEFAULT_TIMEOUT,
        fetch_external: bool | None = None,
        transfer_timeout: float = DEFAULT_TRANSFER_TIMEOUT,
        fetch_limit: int = DEFAULT_FETCH_LIMIT,
        **kwargs: Any,
    ) -> None:
        names = (topics,) if isinstance(topics, str) else tuple(dict.fromkeys(topics))
        if not names:
            raise ValueError(
                "cannot open a stream for reading without a topic; name one in the URL"
            )
        brokers = (
            broker_addresses if isinstance(broker_addresses, str) else ",".join(broker_addresses)
        )
        self._reader = Reader(
            group_id, brokers, names, auth, check_start(start_at), until_eos, timeout, kwargs
        )
        self._reading = Reading(self._reader, until_eos)
        self._ignoretest = ignoretest
        service = Service(brokers, auth, kwargs, transfer_timeout, fetch_limit)
        self._models = Models(External(service, fetch_external))

    @overload
    def read(
        self,
        metadata: Literal[False] = False,
        autocommit: bool = True,
        *,
        batch_size: int = BATCH_SIZE,
        batch_timeout: timedelta | None = None,
        **kwargs: Any,
    ) -> Iterator[MessageModel]: ...

    @overload
    def read(
        self,
        metadata: Literal[True],
        autocommit: bool = True,
        *,
        batch_size: int = BATCH_SIZE,
        batch_timeout: timedelta | None = None,
        **kwargs: Any,
    ) -> Iterator[tuple[MessageModel, Metadata]]: ...

    def read(
        self,
        metadata: bool = False,
        autocommit: bool = True,
        *,
        batch_size: int = BATCH_SIZE,
        batch_timeout: timedelta | None = None,
        **kwargs: Any,
    ) -> Iterator[MessageModel] | Iterator[tuple[MessageModel, Metadata]]:
        """Read messages, one after the other, as they come.

        A message whose body does not decode as its format is given as a `Blob` that says why. One that was too large
        for the broker is fetched from where it is; if it is not to be had, an `ExternalMessage` says why.

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
        return self._read(
            self._models.make(metadata, self._ignoretest),
            autocommit,
            batch_size,
            batch_timeout,
            kwargs,
        )

    def read_raw(
        self,
        metadata: bool = False,
        autocommit: bool = True,
        *,
        batch_size: int = BATCH_SIZE,
        batch_timeout: timedelta | None = None,
        **kwargs: Any,
    ) -> Iterator[bytes] | Iterator[tuple[bytes, Metadata]]:
        """As `read`, but give the messages' bodies as they are; a null body is empty.

        Nothing is decoded, and nothing fetched.
        """
        return self._read(
            make_raw(metadata, self._ignoretest), autocommit, batch_size, batch_timeout, kwargs
        )

    def read_batches(
        self,
        metadata: bool = False,
        autocommit: bool = True,
        *,
        batch_size: int = 1000,
        batch_timeout: timedelta | None = None,
    ) -> Iterator[list[Any]]:
        """As `read`, but give lists of what has arrived, of up to `batch_size` messages, for loading archives.

        The messages of a list count as done when the next list is asked for or the stream is closed.
        """
        give = self._reading.in_lists(
            self._models.make(metadata, self._ignoretest), autocommit, batch_size
        )
        return self._reading.run(give, batch_size, batch_timeout, self)

    def __iter__(self) -> Iterator[MessageModel]:
        return self.read()

    def mark_done(
        self, metadata: Metadata, asynchronous: bool = True, *, rewind: bool = False
    ) -> None:
        """Mark a message as fully processed, and with it all before it in its partition.

        Messages may be marked in any order; of one partition, the last one in its order counts.

        Args:
            metadata: the message's metadata, as `read(metadata=True)` gave it.
            asynchronous: whether the broker is told in the background (the default), or before this returns.
            rewind: whether marking an earlier message than before goes back to it. Otherwise it has no effect.

        Raises:
            StreamClosedError: the stream is closed.
        """
        self._reader.check_usable()
        self._reader.done.mark(
            metadata.topic,
            metadata.partition,
            metadata.offset,
            asynchronous=asynchronous,
            rewind=rewind,
        )

    def lag(self) -> dict[tuple[str, int], int]:
        """How many messages there are behind the one in hand, for each (topic, partition) that is read.

        Raises:
            StreamError: the broker does not answer.
            StreamClosedError: the stream is closed.
        """
        return self._reader.lag()

    def stop(self) -> None:
        """End the iteration; from another thread or a signal handler, too. The stream stays open."""
        self._reading.stop()

    @property
    def _consumer(self) -> Consumer:
        # Programs written for releases before 1.0 say `consumer._consumer.stop()`.
        return self

    def close(self) -> None:
        """End all subscriptions and shut down. Closing twice is harmless."""
        if not self._reader.closed:
            self._reading.settle()
            self._reader.close()

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
            self._reading.drop()
        self.close()

    def __del__(self) -> None:
        reader = getattr(self, "_reader", None)  # there is none when opening failed
        if reader is not None and not reader.closed:
            if not reader.forked:
                warnings.warn(
                    f"unclosed stream {self!r}", ResourceWarning, stacklevel=2, source=self
                )
            reader.close()

    def _read(
        self,
        make: Make[T],
        autocommit: bool,
        batch_size: int,
        batch_timeout: timedelta | None,
        ignored: dict[str, Any],
    ) -> Iterator[T]:
        if ignored:
            logger.debug("read: ignored unknown options: %s", ", ".join(sorted(ignored)))
        give = self._reading.singly(make, autocommit)
        return self._reading.run(give, batch_size, batch_timeout, self)

    def _read_async(
        self,
        thread: Callable[..., Awaitable[bool]],
        metadata: bool,
        autocommit: bool,
        batch_size: int,
        batch_timeout: timedelta | None,
    ) -> AsyncIterator[Any]:
        """As `read`, for a program that has something wait in another thread; what is to be fetched is `Later`."""
        self._models.wait = False
        give = self._reading.singly(self._models.make(metadata, self._ignoretest), autocommit)
        return self._reading.run_async(thread, give, batch_size, batch_timeout)
