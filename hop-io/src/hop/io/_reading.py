"""The loop over a stream: what has arrived is given out, and is done when more is asked for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator
from datetime import timedelta
from typing import TypeVar

from confluent_kafka import Message

from hop.io._made import Make
from hop.io._reader import Reader

# How many messages to take from librdkafka at a time: more than 200 of 1 kB leave the processor's cache.
BATCH_SIZE = 200

T = TypeVar("T")

Give = Callable[[], Iterator[T]]


class Reading:
    """The messages of a reader, as a program asks for them.

    Args:
        reader: where they come from.
        until_eos: whether what comes after the end is passed over.
    """

    def __init__(self, reader: Reader, until_eos: bool) -> None:
        self._reader = reader
        self._until_eos = until_eos
        self._stopped = False
        # What the program has and is not done with, as far as the group is to know of it.
        self._in_hand: Iterable[Message] = ()

    def stop(self) -> None:
        """End the loop that is running, or else the next one."""
        self._stopped = True

    def settle(self) -> None:
        """What is in hand is done."""
        for message in self._in_hand:
            self._reader.done.message(message)
        self._in_hand = ()

    def drop(self) -> None:
        """What is in hand was not dealt with: it comes again."""
        self._in_hand = ()

    def singly(self, make: Make[T], autocommit: bool) -> Give[T]:
        """To give what has been fetched one by one; with `autocommit` each is done when the next is taken."""
        track = autocommit and self._reader.in_group

        def give() -> Iterator[T]:
            reader, buffer = self._reader, self._reader.buffer
            until_eos = self._until_eos
            while buffer and not self._stopped:
                if self._in_hand:
                    self.settle()
                message = buffer.popleft()
                if until_eos and reader.positions.is_past_end(message):
                    continue
                if track:
                    self._in_hand = (message,)
                item = make(message)
                if item is not None:
                    yield item

        return give

    def in_lists(self, make: Make[T], autocommit: bool, size: int) -> Give[list[T]]:
        """As `singly`, in lists of up to `size`."""
        track = autocommit and self._reader.in_group

        def give() -> Iterator[list[T]]:
            reader, buffer = self._reader, self._reader.buffer
            while buffer and not self._stopped:
                self.settle()
                taken = [buffer.popleft() for _ in range(min(size, len(buffer)))]
                if self._until_eos:
                    taken = [m for m in taken if not reader.positions.is_past_end(m)]
                if track:
                    last = {(message.topic(), message.partition()): message for message in taken}
                    self._in_hand = list(last.values())
                items = [item for message in taken if (item := make(message)) is not None]
                if items:
                    yield items

        return give

    def run(
        self, give: Give[T], batch_size: int, batch_timeout: timedelta | None, owner: object
    ) -> Iterator[T]:
        """Give what there is, and fetch more, until the stream ends or `stop` is called.

        `owner` is what must not be collected as garbage, which would close the stream, before that.

        Raises:
            StreamError: the broker ends the stream.
            StreamClosedError: the stream is closed.
        """
        self._reader.check_usable()
        return self._run(give, batch_size, _seconds(batch_size, batch_timeout), owner)

    def _run(
        self, give: Give[T], batch_size: int, wait: float | None, owner: object
    ) -> Iterator[T]:
        while not self._stopped:
            yield from give()
            self.settle()
            if not self._stopped and not self._reader.fetch(batch_size, wait):
                return
        self._stopped = False

    async def run_async(
        self,
        thread: Callable[..., Awaitable[bool]],
        give: Give[T],
        batch_size: int,
        batch_timeout: timedelta | None,
    ) -> AsyncIterator[T]:
        """As `run`, for a program that has something wait in another thread."""
        self._reader.check_usable()
        wait = _seconds(batch_size, batch_timeout)
        while not self._stopped:
            for item in give():
                yield item
            self.settle()
            if not self._stopped and not await thread(self._reader.fetch, batch_size, wait):
                return
        self._stopped = False


def _seconds(batch_size: int, batch_timeout: timedelta | None) -> float | None:
    if batch_size < 1:
        raise ValueError(f"batch_size is {batch_size}; it has to be 1 or more")
    return None if batch_timeout is None else batch_timeout.total_seconds()
