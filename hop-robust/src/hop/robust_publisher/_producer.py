"""`RobustProducer`: what it has accepted arrives."""

from __future__ import annotations

import atexit
import logging
import os
import threading
import time
from collections.abc import Iterable, Mapping
from types import TracebackType
from typing import Any

from hop.auth import Auth
from hop.io import Producer
from hop.robust_publisher._connect import Connector
from hop.robust_publisher._errors import PublisherError
from hop.robust_publisher._message import Letter, as_bytes
from hop.robust_publisher._refusals import OnRefused
from hop.robust_publisher._sender import Sender
from hop.robust_publisher._stencil import Stencil
from hop.robust_publisher._store import OnCorruption, Store, WhenFull
from hop.robust_publisher._worker import Worker

RequestedHeaders = Mapping[str, str | bytes] | Iterable[tuple[str, str | bytes]]

logger = logging.getLogger("hop.robust_publisher")

# How long an exception in the `with` block waits for what was written before it, in seconds.
_LAST_WAIT = 5.0
# A thread that is waited for is looked at again after this time (seconds), so that Ctrl-C takes effect.
_SLICE = 0.2
# How long to stand aside at a time, in seconds, and how often.
_MOMENT = 0.0005
_MOMENTS = 10
# How long to wait for the thread once it has been told to end at once, in seconds.
_END = 5.0


class RobustProducer(threading.Thread):
    """A producer that sends what it has accepted, through outages, crashes and restarts.

    A message is in the journal, a file, before `write` returns, and stays there until the broker has confirmed it.
    It is sent at least once: readers drop duplicates by the header `_id`, which all copies share.

    Use it in a `with` block, or call `start` before the first `write` and `stop` after the last. Any thread may
    write.

    Args:
        url: `kafka://[user@]host[:port]/topic`; without a topic, each `write` names one.
        auth: True for the stored credentials, False for none, or one or several `Auth`.
        journal_path: the file that keeps the messages until they have arrived. Others, whose names begin with this
            one's, are made beside it.
        poll_wait: how long to look for confirmations after sending, in seconds.
        durable: whether `write` returns only when the message is on disk, so that it survives a power failure. By
            default it survives the end of the program, and is on disk 50 ms later.
        on_corruption: what to do about damaged parts of the journal: "continue" with everything else, which is the
            default, or "raise".
        max_journal_bytes: how large the journal may become, in bytes; None for as large as the disk allows.
        when_full: what `write` does when it would become larger: "block" until messages have been sent, or "raise".
        on_refused: called, in the background thread, with each message (a `QueuedMessage`) that no broker will take,
            and the reason. Such messages are kept in a file whose name is the journal's with `.dead`.
        kwargs: options of librdkafka, see `hop.io.librdkafka_options`; others are ignored, as by
            `hop.io.Stream.open`.

    Raises:
        OSError: the journal can't be opened or read.
        JournalCorruptError: (a RuntimeError) the journal is damaged and `on_corruption` is "raise", or it is none.
        JournalInUseError: (a RuntimeError) the journal is in use.
        ValueError: the URL is malformed.
        FileNotFoundError, KeyError, RuntimeError: there is no credential to use, see `hop.auth`.
        hop.io.StreamError: librdkafka has no such option, or the option no such value.
    """

    _stopping = True  # until everything is open

    def __init__(
        self,
        url: str,
        auth: bool | Auth | Iterable[Auth] = True,
        journal_path: str | os.PathLike[str] = "publisher.journal",
        poll_wait: float = 0.0001,
        *,
        durable: bool = False,
        on_corruption: OnCorruption = "continue",
        max_journal_bytes: int | None = None,
        when_full: WhenFull = "block",
        on_refused: OnRefused | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(name=f"hop: {url}", daemon=True)
        self._connector = Connector(url, auth, kwargs)
        self._stencil = Stencil()
        self._store = Store(
            journal_path,
            durable=durable,
            on_corruption=on_corruption,
            max_bytes=max_journal_bytes,
            when_full=when_full,
        )
        try:
            self._sender = Sender(self._store, self._connector, poll_wait, on_refused)
            self._worker = Worker(self._store, self._sender)
        except BaseException:
            self._store.close()
            raise
        self._stopping = False

    def start(self) -> None:
        """Start sending, first what the journal holds from before.

        Raises:
            PublisherError: (a RuntimeError) the publisher was started before, or has been stopped.
        """
        if self._stopping or self.ident is not None:
            raise PublisherError("cannot start: a publisher starts once; make a new one")
        super().start()
        # A program that ends without `stop` leaves the journal in order.
        atexit.register(self._stop_at_exit)

    def write(
        self,
        message: Any,
        headers: RequestedHeaders | None = None,
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
            ValueError: a header's name is reserved, or there is no topic.
            JournalWriteError: (a RuntimeError) it could not be written to the journal, and will not be sent.
            PublisherError: (a RuntimeError) the publisher was not started, or has been stopped, or can't go on.
        """
        target, pairs, its_key = self._prepare(headers, topic, key)
        packed: Any  # as `pairs`, with values of bytes alone
        body, packed = Producer.pack(message, pairs, test, self._connector.auth)
        letter = body, packed, target, its_key
        self._store.append((self._stencil.encode(letter),), self._check, (letter,))
        self._worker.wake.set()

    def write_many(
        self,
        messages: Iterable[Any],
        headers: RequestedHeaders | None = None,
        *,
        test: bool = False,
        topic: str | None = None,
        key: str | bytes | None = None,
    ) -> None:
        """Queue several messages, which is faster than one by one, above all with `durable=True`.

        All of them are in the journal when this returns, or none if it raises. Arguments and exceptions are those
        of `write`.
        """
        target, pairs, its_key = self._prepare(headers, topic, key)
        auth, encode = self._connector.auth, self._stencil.encode
        letters: list[Letter] = []
        pack = Producer.pack
        packed: Any  # as `pairs`, with values of bytes alone
        for message in messages:
            body, packed = pack(message, pairs, test, auth)
            letters.append((body, packed, target, its_key))
        if letters:
            self._store.append([encode(letter) for letter in letters], self._check, letters)
            self._worker.wake.set()

    def stop(self, timeout: float | None = None) -> int:
        """Wait until everything has been sent, and end. What has not been sent stays in the journal.

        A publisher that was stopped can't be started again. Ctrl-C ends the waiting.

        Args:
            timeout: how long to wait, in seconds; None, the default, waits as long as it takes.

        Returns:
            How many messages are left in the journal.

        Raises:
            PublisherError: (a RuntimeError) sending has failed; messages may be left.
            JournalWriteError: (a RuntimeError) what is left could not be brought to disk.
        """
        if self._store.foreign:
            raise PublisherError(
                "cannot stop: the publisher belongs to the process that this one was forked from"
            )
        self._stopping = True
        self._worker.end(timeout)
        try:
            self._await(None)
        finally:
            self._worker.end(0)
            self._await(_END)
            remaining = self._store.log.live
            if self.is_alive():
                logger.error(
                    "the thread that sends from the journal %s does not end", self._store.path
                )
            else:
                self._worker.close()
                self._store.close()
            atexit.unregister(self._stop_at_exit)
        self._worker.check()
        return remaining

    def run(self) -> None:
        """What the background thread does; not to be called."""
        self._worker.run()

    def __enter__(self) -> RobustProducer:
        self.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if exc is None:
            self.stop()
            return
        # What was written before the exception is sent if the broker is there; the exception goes on.
        try:
            remaining = self.stop(_LAST_WAIT)
        except RuntimeError as failed:
            logger.error("%s", failed)
        else:
            if remaining:
                logger.warning(
                    "%d messages are left in the journal %s", remaining, self._store.path
                )

    def __del__(self) -> None:
        # One that was never started holds the journal; one that runs can't get here.
        if not self._stopping and not self._store.foreign:
            self.stop(0)

    def __repr__(self) -> str:
        return f"<RobustProducer to {self._connector.broker}, journal {self._store.path}>"

    def _prepare(
        self, headers: RequestedHeaders | None, topic: str | None, key: str | bytes | None
    ) -> tuple[str, list[tuple[str, str | bytes]] | None, bytes | None]:
        """What the messages of one call have in common: topic, headers and key."""
        self._check()
        if self._sender.taking:
            self._stand_aside()
        pairs = None
        if headers:
            items = headers.items() if isinstance(headers, Mapping) else headers
            pairs = [(n, v.encode() if isinstance(v, str) else v) for n, v in items]
        return self._connector.target(topic), pairs, None if key is None else as_bytes(key)

    def _check(self) -> None:
        # Whether the thread is alive takes a while to ask, and there is an answer before it has begun to run.
        if (self._worker.running or self.is_alive()) and not self._stopping:
            return
        if self._store.foreign:
            self._store.check()
        self._worker.check()
        raise PublisherError(
            "cannot write: the publisher has been stopped"
            if self._stopping
            else "cannot write: the publisher is not running; call start() first"
        )

    def _stand_aside(self) -> None:
        """Let the thread that sends take confirmations; a moment, not longer, should it be held up with them."""
        for _ in range(_MOMENTS):
            time.sleep(_MOMENT)
            if not self._sender.taking:
                return

    def _await(self, timeout: float | None) -> None:
        end = None if timeout is None else time.monotonic() + timeout
        while self.is_alive() and (end is None or time.monotonic() < end):
            self._worker.wake.set()
            self.join(_SLICE)

    def _stop_at_exit(self) -> None:
        if self._store.foreign:
            return
        remaining = self.stop(0)
        if remaining:
            logger.warning(
                "the program ends without stop(): %d messages are left in the journal %s",
                remaining,
                self._store.path,
            )
