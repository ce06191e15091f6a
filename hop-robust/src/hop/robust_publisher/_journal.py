"""`PublicationJournal`: the messages that are to be sent, on disk."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any

from confluent_kafka import KafkaError, Message

from hop.robust_publisher._errors import JournalError
from hop.robust_publisher._lane import Lane
from hop.robust_publisher._message import QueuedMessage, encode
from hop.robust_publisher._store import OnCorruption, Store

logger = logging.getLogger("hop.robust_publisher")


class PublicationJournal:
    """The messages that are to be sent, kept on disk until they are known to have arrived.

    It may be used from several threads. A context manager: leaving the `with` block closes it.

    Args:
        journal_path: the file to keep them in; what it holds from an earlier run is to be sent. Further files,
            whose names begin with this one's, are made beside it.
        durable: whether `queue_message` returns only when the message is on disk, so that it survives a power
            failure. By default it survives the end of the program, and is on disk 50 ms later.
        on_corruption: what to do about parts that are damaged: "continue" with everything else, which is the
            default, or "raise".
        max_journal_bytes: how large the journal may become, in bytes; None for as large as the disk allows.

    Raises:
        PermissionError: the file may not be read and written.
        OSError: the file can't be opened or read.
        JournalCorruptError: (a RuntimeError) the file is damaged and `on_corruption` is "raise", or it is no
            journal at all.
        JournalInUseError: (a RuntimeError) another process works on the journal, or another object in this one.
    """

    _closed = True  # until it is open

    class NullLock(AbstractContextManager[None]):
        """Stands for a lock where none is needed."""

        def __exit__(
            self,
            exc_type: type[BaseException] | None,
            exc: BaseException | None,
            traceback: TracebackType | None,
        ) -> None:
            return None

    def __init__(
        self,
        journal_path: str | os.PathLike[str] = "publisher.journal",
        *,
        durable: bool = False,
        on_corruption: OnCorruption = "continue",
        max_journal_bytes: int | None = None,
    ) -> None:
        self._store = Store(
            journal_path,
            durable=durable,
            on_corruption=on_corruption,
            max_bytes=max_journal_bytes,
            # The one who would make room is the one who writes.
            when_full="raise",
        )
        self._closed = False
        self._lane = Lane(self._store.log)
        self._in_flight: set[int] = set()
        self._lock = threading.Lock()

    @property
    def path(self) -> Path:
        """The journal's file."""
        return self._store.path

    def queue_message(
        self,
        message: bytes | bytearray | memoryview,
        headers: Iterable[tuple[str | bytes, str | bytes | None]] | None = None,
        *,
        topic: str | None = None,
        key: str | bytes | None = None,
    ) -> int:
        """Record a message that is to be sent.

        Args:
            message: its body.
            headers: (name, value) pairs to send with it.
            topic: the topic it is for; None for the one that the publisher is opened for.
            key: its key; an empty one is not the same as none.

        Returns:
            The message's sequence number, unique among those that have not been sent.

        Raises:
            TypeError: the message is not bytes, or a header is of a kind that can't be sent.
            JournalWriteError: (a RuntimeError) it could not be written to disk, and is not in the journal; as
                JournalFullError because the journal would become too large.
        """
        return self._store.append([encode(message, headers or (), topic, key)], self._store.check)

    def get_next_message_to_send(self) -> QueuedMessage | None:
        """The next message to send, which is then in flight, or None if there is none.

        Returns:
            The tuple (sequence number, message, headers), which also has `topic` and `key`.
        """
        self._store.check()
        with self._lock:
            message = self._lane.take()
            if message is not None:
                self._in_flight.add(message.sequence)
            return message

    def has_messages_to_send(self) -> bool:
        """Whether messages are waiting, new ones or such as have been queued again."""
        return self._store.log.live > len(self._in_flight)

    def has_messages_in_flight(self) -> bool:
        """Whether there are messages whose sending has begun, and neither succeeded nor failed."""
        return bool(self._in_flight)

    def mark_message_sent(self, sequence_number: int) -> None:
        """Record that a message has arrived. When it was the last, the file is emptied.

        Raises:
            JournalError: (a RuntimeError) no such message is in flight.
        """
        self._take_from_flight(sequence_number)
        self._store.log.settle([sequence_number])

    def requeue_message(self, sequence_number: int) -> None:
        """Put a message that could not be sent back among the waiting, in its old place.

        Raises:
            JournalError: (a RuntimeError) no such message is in flight.
        """
        with self._lock:
            self._take_from_flight(sequence_number)
            self._lane.put_back(sequence_number)

    def get_delivery_callback(
        self,
        seq_num: int,
        lock: AbstractContextManager[Any] = NullLock(),  # noqa: B008 - it has no state
    ) -> Callable[[KafkaError | None, Message], None]:
        """A delivery callback for one message: it marks it as sent, or queues it again.

        Args:
            seq_num: the number that `get_next_message_to_send` gave.
            lock: held while the callback runs.
        """

        def delivered(error: KafkaError | None, message: Message) -> None:
            with lock:
                if error is None:
                    self.mark_message_sent(seq_num)
                else:
                    self.requeue_message(seq_num)

        return delivered

    @staticmethod
    def error_callback(kafka_error: KafkaError) -> None:
        """Write an error that librdkafka reports to the log."""
        logger.warning("Kafka reports: %s", kafka_error.str() or kafka_error.name())

    def close(self) -> None:
        """Bring everything to disk and close the file. Closing twice is harmless.

        Raises:
            JournalWriteError: (a RuntimeError) it could not be brought to disk.
        """
        if not self._closed:
            self._closed = True
            self._store.close()

    def __del__(self) -> None:
        self.close()

    def __enter__(self) -> PublicationJournal:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _take_from_flight(self, sequence: int) -> None:
        self._store.check()
        try:
            self._in_flight.remove(sequence)
        except KeyError:
            raise JournalError(
                f"message {sequence} of the journal {self.path} is not in flight"
            ) from None
