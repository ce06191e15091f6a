"""Where reading starts: every way to say it that needs no time from the broker (for those see tests-integration)."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import Any

import pytest

from hop.io import StartPosition, Stream
from hop.sandbox import MemoryBroker

Write = Callable[..., None]


def contents(messages: Iterable[Any]) -> list[Any]:
    return [message.content for message in messages]


@pytest.mark.parametrize(
    ("start_at", "expected"),
    [
        (StartPosition.EARLIEST, [0, 1, 2, 3, 4]),
        (StartPosition.LATEST, []),
        (-1, [4]),
        (-3, [2, 3, 4]),
        (-100, [0, 1, 2, 3, 4]),
    ],
)
def test_positions_and_counts_from_the_end(
    write: Write, url: str, start_at: Any, expected: list[int]
) -> None:
    write(range(5))
    with Stream(auth=False, start_at=start_at, until_eos=True).open(url) as s:
        assert contents(s) == expected


@pytest.mark.parametrize(
    ("offset", "expected"), [(0, [0, 1, 2]), (2, [2]), (3, []), (99, []), (-2, [1, 2])]
)
def test_offsets(write: Write, url: str, hop_topic: str, offset: int, expected: list[int]) -> None:
    write(range(3))
    with Stream(auth=False, until_eos=True).open(url, start_at={(hop_topic, 0): offset}) as s:
        assert contents(s) == expected


def test_a_partition_that_is_not_named_starts_at_its_end(write: Write, url: str) -> None:
    write(range(3))
    with Stream(auth=False, until_eos=True).open(url, start_at={("other", 0): 0}) as s:
        assert contents(s) == []


@pytest.mark.parametrize(
    ("start_at", "error", "reason"),
    [
        (datetime(2026, 1, 1), ValueError, "without a time zone"),
        (timedelta(hours=-1), ValueError, "goes back from now"),
        (0, ValueError, "counts back from the end"),
        (5, ValueError, "counts back from the end"),
        (True, TypeError, "start_at is True"),
        ("earliest", TypeError, "start_at is 'earliest'"),
        (None, TypeError, "start_at is None"),
        (1.5, TypeError, "start_at is 1.5"),
    ],
)
def test_what_is_no_start_is_refused(start_at: Any, error: type[Exception], reason: str) -> None:
    with pytest.raises(error, match=reason):
        Stream(auth=False, start_at=start_at)


def test_looking_for_partitions_costs_no_message(write: Write, url: str) -> None:
    # The broker answers a question about partitions when it has done with the fetch before, which waits for messages.
    with Stream(auth=False).open(url, **{"topic.metadata.refresh.interval.ms": 20}) as s:

        def trickle() -> None:
            for number in range(60):
                write([number])
                time.sleep(0.03)
            time.sleep(1)
            s.stop()

        writer = threading.Thread(target=trickle)
        writer.start()
        assert contents(s) == list(range(60))
        writer.join()


def test_a_topic_that_comes_into_being_is_read(
    hop_broker: MemoryBroker, hop_topic: str, write: Write, caplog: pytest.LogCaptureFixture
) -> None:
    later = f"{hop_topic}-later"
    options = {"topic.metadata.refresh.interval.ms": 300}
    with Stream(auth=False).open(hop_broker.url(hop_topic, later), **options) as s:
        assert f"topic {later} is read once it exists" in caplog.text
        write(["first"])
        messages = iter(s)
        assert next(messages).content == "first"
        with Stream(auth=False).open(hop_broker.url(later), "w") as stream:
            stream.write("from the new topic")
        assert next(messages).content == "from the new topic"
