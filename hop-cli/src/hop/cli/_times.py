"""Times as people write them."""

from __future__ import annotations

import argparse
import re
from datetime import datetime, timedelta, timezone

_UNITS = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_AGO = re.compile(r"(\d{1,9})([smhdw])")
_RFC3339 = re.compile(
    r"(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d(?::\d\d)?)(\.\d{1,9})?(Z|[+-]\d\d:\d\d)?)?", re.IGNORECASE
)


def time(text: str) -> datetime:
    """A time, as an argument of a command: RFC 3339, `2h` for two hours ago, `now`, `today`, `yesterday`.

    Without an offset it is UTC, and so are days. Units are s, m, h, d and w.
    """
    now = datetime.now(timezone.utc)
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    words = {"now": now, "today": midnight, "yesterday": midnight - timedelta(days=1)}
    word = text.strip().lower()
    try:
        if word in words:
            return words[word]
        if ago := _AGO.fullmatch(word):
            return now - timedelta(**{_UNITS[ago[2]]: int(ago[1])})
        if match := _RFC3339.fullmatch(text.strip()):
            day, clock, fraction, offset = match.groups()
            zone = "+00:00" if offset in (None, "Z", "z") else offset
            # Python 3.10 reads microseconds and nothing else after the point.
            micro = f".{(fraction or '.')[1:7]:0<6}"
            clock = f"{clock or '00:00'}:00"[:8]
            return datetime.fromisoformat(f"{day}T{clock}{micro}{zone}")
    except (ValueError, OverflowError):
        pass
    raise argparse.ArgumentTypeError(
        f"{text!r} is no time; give one like 2026-11-24T18:05:00Z, 2026-11-24, 2h (ago) or yesterday"
    )


def rfc3339(milliseconds: int) -> str | None:
    """A Kafka timestamp as RFC 3339 in UTC; None where there is none, or none that a calendar has."""
    if milliseconds < 0:
        return None
    try:
        moment = datetime.fromtimestamp(milliseconds // 1000, timezone.utc)
    except (ValueError, OverflowError, OSError):
        return None
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{milliseconds % 1000:03}Z"
