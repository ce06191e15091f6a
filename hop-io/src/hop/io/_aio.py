"""Streams for programs on asyncio: the same ones, waited for in a thread of their own.

confluent-kafka's own asyncio classes hand every call to a thread, and its producer's batches know no headers. Here only
waiting does: for the broker, for messages, for deliveries. What has arrived is given out by the event loop's thread.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from types import TracebackType
from typing import Any, Generic, TypeVar

from hop.io._consumer import Consumer
from hop.io._large import ALWAYS_FITS
from hop.io._made import Later
from hop.io._metadata import Metadata
from hop.io._pack import RequestedHeaders, pack
from hop.io._producer import DeliveryCallback, Producer, raise_delivery_errors
from hop.io._reading import BATCH_SIZE
from hop.models import MessageModel

# How long a thread waits at a time (seconds): what is cancelled ends that soon.
_SLICE = 0.2
# So many messages may wait to be sent before `write` does.
_MANY = 10_000

T = TypeVar("T")
S = TypeVar("S", bound="AsyncConsumer | AsyncProducer")


class _Thread:
    """One thread, in which the blocking calls of one stream follow each other."""

    def __init__(self) -> None:
        self._executor = ThreadPoolExecutor(1, "hop-io")

    async def run(self, function: Callable[..., T], *args: Any) -> T:
        return await asyncio.get_running_loop().run_in_executor(self._executor, function, *args)

    def end(self) -> None:
        self._executor.shutdown(wait=False)


class AsyncConsumer:
    """A `Consumer` for asyncio; made by `Stream.open_async`.

    Cancelling what waits for a message loses none: it comes with the next one that is asked for.
    """

    def __init__(self, consumer: Consumer, thread: _Thread) -> None:
        self._consumer = consumer
        self._thread = thread
        # What is being fetched, also for somebody who did not wait for it to the end.
        self._fetching: asyncio.Future[Any] | None = None

    def __aiter__(self) -> AsyncIterator[MessageModel]:
        return self.read()

    async def read(
        self,
        metadata: bool = False,
        autocommit: bool = True,
        *,
        batch_size: int = BATCH_SIZE,
        batch_timeout: timedelta | None = None,
    ) -> AsyncIterator[Any]:
        """As `Consumer.read`, for `async for`."""
        if self._fetching is not None:
            yield await self._fetched()
        async for item in self._consumer._read_async(
            self._thread.run, metadata, autocommit, batch_size, batch_timeout
        ):
            if type(item) is Later:
                self._fetching = asyncio.ensure_future(self._thread.run(item.fetch))
                item = await self._fetched()
            yield item

    async def _fetched(self) -> Any:
        assert self._fetching is not None
        item = await asyncio.shield(self._fetching)
        self._fetching = None
        return item

    def mark_done(self, metadata: Metadata, *, rewind: bool = False) -> None:
        """As `Consumer.mark_done`; the broker is told in the background."""
        self._consumer.mark_done(metadata, rewind=rewind)

    async def lag(self) -> dict[tuple[str, int], int]:
        """As `Consumer.lag`."""
        return await self._thread.run(self._consumer.lag)

    def stop(self) -> None:
        """As `Consumer.stop`."""
        self._consumer.stop()

    async def close(self) -> None:
        """As `Consumer.close`."""
        await self._thread.run(self._consumer.close)

    async def _exit(self, *exc: Any) -> None:
        await self._thread.run(self._consumer.__exit__, *exc)


class AsyncProducer:
    """A `Producer` for asyncio; made by `Stream.open_async`."""

    def __init__(self, producer: Producer, thread: _Thread) -> None:
        self._producer = producer
        self._thread = thread

    async def write(
        self,
        message: Any,
        headers: RequestedHeaders | None = None,
        delivery_callback: DeliveryCallback | None = raise_delivery_errors,
        test: bool = False,
        *,
        topic: str | None = None,
        key: str | bytes | None = None,
    ) -> None:
        """As `Producer.write`; waits while very many messages have not been sent, and while one is uploaded."""
        while self._producer.pending() > _MANY:
            await self._thread.run(self._producer.poll, _SLICE)
        body, packed = pack(message, headers, test, self._producer._sent_by)
        write = partial(
            self._producer.write_raw, body, packed, delivery_callback, topic=topic, key=key
        )
        if len(body) > ALWAYS_FITS:
            await self._thread.run(write)
        else:
            write()

    def pending(self) -> int:
        """As `Producer.pending`."""
        return self._producer.pending()

    async def flush(self, timeout: float | None = None) -> int:
        """As `Producer.flush`."""
        end = None if timeout is None else asyncio.get_running_loop().time() + timeout
        while True:
            left = _SLICE if end is None else end - asyncio.get_running_loop().time()
            remaining = await self._thread.run(self._producer.flush, max(0.0, min(_SLICE, left)))
            if not remaining or (end is not None and left <= _SLICE):
                return remaining

    async def close(self, timeout: float | None = None) -> int:
        """As `Producer.close`."""
        if not self._producer.closed:
            await self.flush(timeout)
        return await self._thread.run(self._producer.close, 0)

    async def _exit(self, exc_type: Any, exc: Any, traceback: Any) -> None:
        if exc is None:
            await self.close()
        else:
            await self._thread.run(self._producer.__exit__, exc_type, exc, traceback)


class Opening(Generic[S]):
    """What `Stream.open_async` returns, for `async with`."""

    def __init__(self, open_: Callable[[], Consumer | Producer]) -> None:
        self._open = open_
        self._thread = _Thread()

    async def __aenter__(self) -> S:
        opening = asyncio.ensure_future(self._thread.run(self._open))
        try:
            opened = await asyncio.shield(opening)
        except asyncio.CancelledError:
            # It may be open when nobody wants it any more.
            opening.add_done_callback(self._close_unwanted)
            raise
        except BaseException:
            self._thread.end()
            raise
        kind = AsyncConsumer if isinstance(opened, Consumer) else AsyncProducer
        stream: Any = kind(opened, self._thread)  # type: ignore[arg-type]
        self._stream = stream
        return stream  # type: ignore[no-any-return]

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        try:
            await self._stream._exit(exc_type, exc, traceback)
        finally:
            self._thread.end()

    def _close_unwanted(self, opening: asyncio.Future[Consumer | Producer]) -> None:
        if not opening.cancelled() and opening.exception() is None:
            self._thread._executor.submit(opening.result().close)
        self._thread.end()
