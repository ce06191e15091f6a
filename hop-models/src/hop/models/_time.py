"""Times as alerts write them."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

_ISO = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d+))?)?)?\s*(?:(?:Z|UTC?|GMT)|([+-])(\d\d):?(\d\d))?"
)

# When UTC fell behind TAI by one more second (year, month); by ten before that, by 37 since the last.
_LEAP_SECONDS = (
    *(
        (1972, 7),
        (1973, 1),
        (1974, 1),
        (1975, 1),
        (1976, 1),
        (1977, 1),
        (1978, 1),
        (1979, 1),
        (1980, 1),
    ),
    *(
        (1981, 7),
        (1982, 7),
        (1983, 7),
        (1985, 7),
        (1988, 1),
        (1990, 1),
        (1991, 1),
        (1992, 7),
        (1993, 7),
    ),
    *(
        (1994, 7),
        (1996, 1),
        (1997, 7),
        (1999, 1),
        (2006, 1),
        (2009, 1),
        (2012, 7),
        (2015, 7),
        (2017, 1),
    ),
)

# What is added to a time of that scale for TAI, in seconds. TDB stays within 2 ms of TT.
_TO_TAI = {
    "TT": -32.184,
    "TDT": -32.184,
    "ET": -32.184,
    "TDB": -32.184,
    "TAI": 0.0,
    "IAT": 0.0,
    "GPS": 19.0,
}


def parse_iso(text: str) -> datetime | None:
    """The time, in UTC unless the text gives an offset; None for what is no ISO time. Second 60 is the next 0."""
    match = _ISO.fullmatch(text.strip())
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(number or 0) for number in match.groups()[:6])
    fraction = int((match[7] or "0")[:6].ljust(6, "0"))
    try:
        time = datetime(year, month, day, hour, minute, min(second, 59), fraction, timezone.utc)
        time += timedelta(seconds=max(second - 59, 0))
        if match[8]:
            offset = timedelta(hours=int(match[9]), minutes=int(match[10]))
            time += -offset if match[8] == "+" else offset
    except (ValueError, OverflowError):
        return None
    return time if second <= 60 else None


def to_utc(time: datetime, scale: str) -> datetime:
    """A time of the scale as UTC. A scale that is not known is taken for UTC."""
    offset = _TO_TAI.get(scale.upper())
    if offset is None:
        return time
    tai = time + timedelta(seconds=offset)
    behind = 10 + len(_LEAP_SECONDS)
    for year, month in reversed(_LEAP_SECONDS):
        utc = tai - timedelta(seconds=behind)
        if utc >= datetime(year, month, 1, tzinfo=timezone.utc):
            return utc
        behind -= 1
    return tai - timedelta(seconds=behind)
