"""Where in a stream reading starts."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from enum import Enum


class StartPosition(Enum):
    """Where to start in a topic that has no committed offset.

    `EARLIEST` is the oldest message that the broker still has, `LATEST` the first one written after the
    stream was opened.
    """

    EARLIEST = "earliest"
    LATEST = "latest"

    def __str__(self) -> str:
        return self.value


Offsets = Mapping[tuple[str, int], int]

StartAt = StartPosition | datetime | timedelta | int | Offsets
"""Where reading starts: a `StartPosition`; or a time, when the first message that is read was written, or after it (a
`datetime` with a time zone, or a `timedelta` back from now); or the last messages of each partition (a negative
number); or, for each (topic, partition), an offset, where a negative one counts from the end and a partition that is
not named starts with what is written after the stream was opened."""


def check_start(start_at: object) -> StartAt:
    """Return `start_at` if it is one of the ways to say where to start.

    Raises:
        ValueError: a time without a time zone, a time span that is negative, a number that is not.
        TypeError: anything else.
    """
    match start_at:
        case StartPosition():
            return start_at
        case datetime() if start_at.tzinfo is None:
            raise ValueError(f"start_at is {start_at}, a time without a time zone")
        case datetime():
            return start_at
        case timedelta() if start_at < timedelta():
            raise ValueError(
                f"start_at is {start_at}; a time span goes back from now and is positive"
            )
        case timedelta():
            return start_at
        case bool():
            pass
        case int() if start_at >= 0:
            raise ValueError(
                f"start_at is {start_at}; a number is negative and counts back from the end"
            )
        case int():
            return start_at
        case Mapping():
            return start_at
    raise TypeError(
        f"start_at is {start_at!r}; it has to be a StartPosition, datetime, timedelta, negative number, "
        "or mapping from (topic, partition) to offset"
    )
