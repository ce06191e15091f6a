"""`PublicationJournal`: the messages that are to be sent, on disk."""

from __future__ import annotations

import logging
import os
import secrets
import threading
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from pathlib import Path
from types import TracebackType
from typing import Any

from confluent_kafka import KafkaError, Message

from hop.robust_publisher._disk import open_file, write_at
from hop.robust_publisher._errors import JournalCorruptError, JournalError, JournalWriteError
from hop.robust_publisher._frame import MARK_SIZE, Damage, frame, scan
from hop.robust_publisher._message import QueuedMessage, decode, encode

logger = logging.getLogger("hop.robust_publisher")

_MESSAGE = 1
_SENT = 2


class PublicationJournal:
    """The messages that are to be sent, kept on disk until they are known to have arrived.

    It may be used from several threads. A context manager: leaving the `with` block closes it.

    Args:
        journal_path: the file to keep them in; what it holds from an earlier run is to be sent again.

    Raises:
        PermissionError: the file may not be read and written.
        OSError: the file can't be opened or read.
        JournalCorruptError: (a RuntimeError) the file is damaged, or is no journal.
    """

    class NullLock(AbstractContextManager[None]):
        """Stands for a lock where none is needed."""

        def __exit__(
            self,
            exc_type: type[BaseException] | None,
            exc: BaseException | None,
            traceback: TracebackType | None,
        ) -> None:
            return None

    def __init__(self, journal_path: str | os.PathLike[str] = "publisher.journal") -> None:
        self.path = Path(journal_path)
        self._lock = threading.RLock()
        self._waiting: deque[int] = deque()
        self._places: dict[int, tuple[int, int]] = {}
        self._in_flight: set[int] = set()
        self._closed = True
        self._file = open_file(self.path)
        self._mark = secrets.token_bytes(MARK_SIZE)
        self._next = 1
        self._closed = False
        try:
            self._size = self._load(os.fstat(self._file).st_size)
        except BaseException:
            self.close()
            raise

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
            JournalWriteError: (a RuntimeError) it could not be written to disk, and is not in the journal.
        """
        body = encode(message, headers or (), topic, key)
        with self._lock:
            self._check_open()
            sequence = self._next
            offset, size = self._append(_MESSAGE, sequence, body)
            self._next += 1
            self._places[sequence] = offset, size
            self._waiting.append(sequence)
            return sequence

    def get_next_message_to_send(self) -> QueuedMessage | None:
        """The next message to send, which is then in flight, or None if there is none.

        Returns:
            The tuple (sequence number, message, headers), which also has `topic` and `key`.
        """
        with self._lock:
            self._check_open()
            if not self._waiting:
                return None
            sequence = self._waiting.popleft()
            offset, size = self._places[sequence]
            for record in scan(self._file, offset, offset + size, self._mark):
                if isinstance(record, Damage):
                    raise JournalCorruptError(f"cannot read {self.path}: damaged at byte {offset}")
                self._in_flight.add(sequence)
                return decode(sequence, record.body)
            raise JournalCorruptError(f"cannot read {self.path}: nothing at byte {offset}")

    def has_messages_to_send(self) -> bool:
        """Whether messages are waiting, new ones or such as have been queued again."""
        return bool(self._waiting)

    def has_messages_in_flight(self) -> bool:
        """Whether there are messages whose sending has begun, and neither succeeded nor failed."""
        return bool(self._in_flight)

    def mark_message_sent(self, sequence_number: int) -> None:
        """Record that a message has arrived. When it was the last, the file is emptied.

        Raises:
            JournalError: (a RuntimeError) no such message is in flight.
        """
        with self._lock:
            self._take_from_flight(sequence_number)
            del self._places[sequence_number]
            if self._places:
                self._append(_SENT, sequence_number, b"")
            else:
                os.ftruncate(self._file, 0)
                self._size = 0
                self._next = 1

    def requeue_message(self, sequence_number: int) -> None:
        """Put a message that could not be sent back among the waiting, in its old place.

        Raises:
            JournalError: (a RuntimeError) no such message is in flight.
        """
        with self._lock:
            self._take_from_flight(sequence_number)
            self._waiting.append(sequence_number)
            if len(self._waiting) > 1 and sequence_number < self._waiting[-2]:
                self._waiting = deque(sorted(self._waiting))

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
        """Close the file. Closing twice is harmless."""
        if not self._closed:
            self._closed = True
            os.close(self._file)

    def __enter__(self) -> PublicationJournal:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    def _load(self, size: int) -> int:
        for found in scan(self._file, 0, size):
            if isinstance(found, Damage):
                if not found.torn:
                    raise JournalCorruptError(
                        f"cannot read {self.path}: bytes {found.offset} to {found.offset + found.size}"
                        " are no journal's; move the file away to start with an empty one"
                    )
                os.ftruncate(self._file, found.offset)
                size = found.offset
                break
            if found.kind == _MESSAGE:
                self._places[found.sequence] = found.offset, found.size
                self._next = found.sequence + 1
            elif found.kind == _SENT:
                self._places.pop(found.sequence, None)
        if size:
            self._mark = os.pread(self._file, MARK_SIZE, 4)
        self._waiting.extend(self._places)
        return size

    def _append(self, kind: int, sequence: int, body: bytes) -> tuple[int, int]:
        data = frame(self._mark, kind, sequence, body)
        try:
            write_at(self._file, data, self._size)
        except OSError as exc:
            raise JournalWriteError(f"cannot write to the journal {self.path}: {exc}") from exc
        offset = self._size
        self._size += len(data)
        return offset, len(data)

    def _take_from_flight(self, sequence: int) -> None:
        self._check_open()
        if sequence not in self._in_flight:
            raise JournalError(f"message {sequence} of the journal {self.path} is not in flight")
        self._in_flight.remove(sequence)

    def _check_open(self) -> None:
        if self._closed:
            raise JournalError(f"the journal {self.path} is closed")
