"""`RobustProducer`: what it has accepted arrives."""

from __future__ import annotations

import logging
import os
import threading
from functools import partial
from types import TracebackType
from typing import Any

from confluent_kafka import KafkaError, Message

from hop.auth import Auth
from hop.io import DeliveryError, Producer, Stream
from hop.robust_publisher._errors import PublisherError
from hop.robust_publisher._journal import PublicationJournal

logger = logging.getLogger("hop.robust_publisher")

# librdkafka never gives a message up by itself, and sends none twice while one connection lasts.
_OPTIONS: dict[str, Any] = {
    "acks": "all",
    "enable.idempotence": True,
    "message.timeout.ms": 0,
}
# How many messages are with librdkafka at a time.
_WINDOW = 10_000
# While there is nothing to send, how long to wait for confirmations at a time, in seconds.
_WAIT = 0.05


class RobustProducer(threading.Thread):
    """A producer that sends what it has accepted, through outages, crashes and restarts.

    A message is on disk, in the journal, before `write` returns, and stays there until the broker has confirmed it.
    It is sent at least once: readers drop duplicates by the header `_id`, which all copies share.

    Use it in a `with` block, or call `start` before the first `write` and `stop` after the last.

    Args:
        url: `kafka://[user@]host[:port]/topic`.
        auth: True for the stored credentials, False for none, or an `Auth`.
        journal_path: the file that keeps the messages until they have arrived.
        poll_wait: how long to look for confirmations after each message that was sent, in seconds.
        kwargs: further options of `hop.io.Stream.open`.

    Raises:
        OSError: the journal can't be opened or read.
        JournalCorruptError: (a RuntimeError) the journal is damaged.
        ValueError: the URL is malformed.
    """

    def __init__(
        self,
        url: str,
        auth: bool | Auth = True,
        journal_path: str | os.PathLike[str] = "publisher.journal",
        poll_wait: float = 0.0001,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=f"hop: {url}", daemon=True)
        self._poll_wait = poll_wait
        self._wake = threading.Condition()
        self._stopping = False
        self._flying = 0
        self._producer: Producer = Stream(auth).open(
            url, "w", **{"timeout": None, **_OPTIONS, **kwargs}
        )
        try:
            self._journal = PublicationJournal(journal_path)
        except BaseException:
            self._producer.close(0)
            raise

    def write(
        self,
        message: Any,
        headers: Any = None,
        *,
        test: bool = False,
        topic: str | None = None,
        key: str | bytes | None = None,
    ) -> None:
        """Queue a message to be sent. Returns when it is in the journal.

        Args:
            message: a message model, or bytes, or anything that JSON can hold.
            headers: headers to attach, a mapping or (name, value) pairs.
            test: whether to mark it as a test message.
            topic: the topic to write to, instead of the URL's.
            key: the message's key.

        Raises:
            TypeError: the message or a header is of a kind that can't be sent.
            ValueError: a header's name is reserved.
            JournalWriteError: (a RuntimeError) it could not be written to the journal, and will not be sent.
            PublisherError: (a RuntimeError) the publisher was not started, or has been stopped.
        """
        if not self.is_alive() or self._stopping:
            raise PublisherError(
                "cannot write: the publisher has been stopped"
                if self._stopping
                else "cannot write: the publisher is not running; call start() first"
            )
        body, packed = Producer.pack(message, headers, test)
        with self._wake:
            self._journal.queue_message(body, packed, topic=topic, key=key)
            self._wake.notify()

    def stop(self) -> None:
        """Wait until everything has been sent, and end."""
        with self._wake:
            self._stopping = True
            self._wake.notify()
        if self.is_alive():
            self.join()
        self._producer.close(0)
        self._journal.close()

    def run(self) -> None:
        """What the background thread does; not to be called."""
        while True:
            with self._wake:
                while not (self._flying or self._journal.has_messages_to_send() or self._stopping):
                    self._wake.wait()
            if not self._flying and not self._journal.has_messages_to_send():
                return
            sent = self._flying < _WINDOW and self._send_next()
            self._producer.poll(self._poll_wait if sent else _WAIT)

    def __enter__(self) -> RobustProducer:
        self.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _send_next(self) -> bool:
        queued = self._journal.get_next_message_to_send()
        if queued is None:
            return False
        self._flying += 1
        delivered = partial(self._delivered, self._journal.get_delivery_callback(queued.sequence))
        try:
            self._producer.write_raw(
                queued.message,
                queued.headers,  # type: ignore[arg-type]
                delivered,
                topic=queued.topic,
                key=queued.key,
            )
        except DeliveryError as exc:
            logger.warning("%s; it is tried again", exc)
            self._flying -= 1
            self._journal.requeue_message(queued.sequence)
            return False
        return True

    def _delivered(self, settle: Any, error: KafkaError | None, message: Message) -> None:
        self._flying -= 1
        settle(error, message)
