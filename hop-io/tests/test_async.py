"""Streams on asyncio: the same promises, and nothing that blocks the event loop."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import pytest

from hop.io import ConnectError, DeliveryError, StartPosition, Stream, StreamClosedError
from hop.sandbox import MemoryBroker

Write = Callable[..., None]
GROUP = {"session.timeout.ms": 1200, "heartbeat.interval.ms": 200}

EVERYTHING = Stream(auth=False, start_at=StartPosition.EARLIEST, until_eos=True)


def test_what_is_written_is_read(url: str) -> None:
    async def main() -> list[Any]:
        async with Stream(auth=False).open_async(url, "w") as s:
            for number in range(1000):
                await s.write(number, headers={"n": str(number)})
            assert await s.flush() == 0
            assert s.pending() == 0
        async with EVERYTHING.open_async(url) as s:
            return [(m.content, about.offset) async for m, about in s.read(metadata=True)]

    assert asyncio.run(main()) == [(number, number) for number in range(1000)]


def test_the_event_loop_goes_on_while_a_stream_is_quiet(url: str) -> None:
    async def main() -> int:
        ticks = 0
        async with Stream(auth=False).open_async(url) as s:

            async def tick() -> None:
                nonlocal ticks
                for _ in range(20):
                    await asyncio.sleep(0.02)
                    ticks += 1
                s.stop()

            ticking = asyncio.create_task(tick())
            assert [message async for message in s] == []
            await ticking
        return ticks

    assert asyncio.run(main()) == 20


def test_cancelling_loses_no_message(url: str, write: Write) -> None:
    async def main() -> list[Any]:
        read = []
        async with Stream(auth=False).open_async(url) as s:
            for number in range(20):
                messages = s.read()
                waiting = asyncio.ensure_future(anext(messages))
                # Cancelled at all sorts of moments, while messages arrive.
                await asyncio.sleep(0.01 * (number % 5))
                await asyncio.to_thread(write, [number])
                waiting.cancel()
                with suppress(asyncio.CancelledError):
                    read.append((await waiting).content)
                await messages.aclose()
            async for message in s:
                read.append(message.content)
                if len(read) == 20:
                    break
        return read

    assert asyncio.run(asyncio.wait_for(main(), 30)) == list(range(20))


def test_a_message_whose_processing_fails_comes_again(url: str, write: Write) -> None:
    write(range(3))

    async def read(fail_at: int) -> list[Any]:
        seen = []
        async with EVERYTHING.open_async(url, "r", "async-group", **GROUP) as s:
            async for message in s:
                if message.content == fail_at:
                    raise ZeroDivisionError
                seen.append(message.content)
        return seen

    with pytest.raises(ZeroDivisionError):
        asyncio.run(read(1))
    assert asyncio.run(read(-1)) == [1, 2]


def test_marking_by_hand_and_lag(url: str, write: Write) -> None:
    write(range(5))

    async def main() -> None:
        async with EVERYTHING.open_async(url, "r", "async-marks", **GROUP) as s:
            async for message, metadata in s.read(metadata=True, autocommit=False):
                if message.content == 2:
                    assert set((await s.lag()).values()) == {2}
                    s.mark_done(metadata)
                    break
        async with EVERYTHING.open_async(url, "r", "async-marks", **GROUP) as s:
            assert [message.content async for message in s] == [3, 4]

    asyncio.run(main())


def test_a_broker_that_is_not_there() -> None:
    async def main() -> None:
        async with Stream(auth=False).open_async("kafka://127.0.0.1:9/gcn", "w", timeout=1):
            pass

    with pytest.raises(ConnectError, match="Connection refused"):
        asyncio.run(main())


def test_cancelling_while_opening_leaves_nothing_open(hop_broker: MemoryBroker, url: str) -> None:
    async def main() -> None:
        opening = asyncio.ensure_future(Stream(auth=False).open_async(url).__aenter__())
        await asyncio.sleep(0.001)
        opening.cancel()
        with pytest.raises(asyncio.CancelledError):
            await opening
        await asyncio.sleep(0.5)

    # A stream that is forgotten is a ResourceWarning, and that is an error here.
    asyncio.run(main())


def test_what_was_not_delivered_is_raised_at_the_end(hop_broker: MemoryBroker) -> None:
    async def main() -> None:
        async with Stream(auth=False).open_async(hop_broker.url("small"), "w") as s:
            await s.write(b"x" * 2_000_000)

    with pytest.raises(DeliveryError, match="size"):
        asyncio.run(main())


def test_an_exception_in_the_block_goes_on_and_what_was_written_is_delivered(
    url: str, read: Callable[..., list[Any]]
) -> None:
    async def main() -> None:
        async with Stream(auth=False).open_async(url, "w") as s:
            await s.write("written")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        asyncio.run(main())
    assert [message.content for message in read()] == ["written"]


def test_a_closed_stream_says_so(url: str) -> None:
    async def main() -> None:
        async with Stream(auth=False).open_async(url, "w") as s:
            await s.close()
            await s.close()
        with pytest.raises(StreamClosedError):
            await s.write("x")
        async with Stream(auth=False).open_async(url) as reading:
            await reading.close()
            with pytest.raises(StreamClosedError):
                await anext(reading.read())

    asyncio.run(main())


def test_flush_gives_up_after_its_time() -> None:
    async def main() -> int:
        stream = Stream(auth=False)
        async with stream.open_async("kafka://127.0.0.1:9/gcn", "w", timeout=None) as s:
            await s.write("nowhere")
            start = time.monotonic()
            remaining = await s.flush(0.5)
            assert time.monotonic() - start < 5
            await s.close(0)
            return remaining

    assert asyncio.run(main()) == 1
