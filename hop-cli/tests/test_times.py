"""Times as people write them, on the command line and in what is printed."""

from __future__ import annotations

import argparse
from contextlib import suppress
from datetime import datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hop.cli._times import rfc3339, time

UTC = timezone.utc


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-11-24T18:05:00Z", datetime(2026, 11, 24, 18, 5, tzinfo=UTC)),
        ("2026-11-24t18:05:00z", datetime(2026, 11, 24, 18, 5, tzinfo=UTC)),
        ("2026-11-24 18:05", datetime(2026, 11, 24, 18, 5, tzinfo=UTC)),
        ("2026-11-24", datetime(2026, 11, 24, tzinfo=UTC)),
        ("2026-11-24T18:05:00+02:00", datetime(2026, 11, 24, 16, 5, tzinfo=UTC)),
        ("2026-11-24T18:05:00.5Z", datetime(2026, 11, 24, 18, 5, 0, 500_000, tzinfo=UTC)),
        ("2026-11-24T18:05:00.123456789Z", datetime(2026, 11, 24, 18, 5, 0, 123_456, tzinfo=UTC)),
    ],
)
def test_points_in_time(text: str, expected: datetime) -> None:
    assert time(text) == expected


@pytest.mark.parametrize(
    ("text", "ago"),
    [
        ("now", timedelta()),
        ("45s", timedelta(seconds=45)),
        ("30m", timedelta(minutes=30)),
        ("2h", timedelta(hours=2)),
        ("3D", timedelta(days=3)),
        ("1w", timedelta(weeks=1)),
    ],
)
def test_times_ago(text: str, ago: timedelta) -> None:
    assert abs(datetime.now(UTC) - ago - time(text)) < timedelta(seconds=10)


def test_days() -> None:
    assert time("today") - time("yesterday") == timedelta(days=1)
    assert time("today").isoformat().endswith("T00:00:00+00:00")


@given(st.text(max_size=30))
def test_anything_else_is_an_error_of_usage(text: str) -> None:
    with suppress(argparse.ArgumentTypeError):
        assert time(text).tzinfo is not None


@given(st.integers(0, 253_402_300_799_999))
def test_timestamps_keep_their_milliseconds(milliseconds: int) -> None:
    text = rfc3339(milliseconds)
    assert text is not None
    assert round(time(text).timestamp() * 1000) == milliseconds


@pytest.mark.parametrize("milliseconds", [-1, -5, 10**18])
def test_timestamps_that_are_none(milliseconds: int) -> None:
    assert rfc3339(milliseconds) is None
