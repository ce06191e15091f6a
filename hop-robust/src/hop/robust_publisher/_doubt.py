"""What may have been lost with bytes that are not what was written."""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass

from hop.robust_publisher._frame import HEAD_SIZE, MAGIC, Damage, scan
from hop.robust_publisher._message import encode
from hop.robust_publisher._report import JournalDamage

# The size of the smallest message's record.
_LEAST = HEAD_SIZE + len(encode(b""))


@dataclass
class Doubt:
    """Damage, or an end that is torn off, and the numbers that messages there had: from `first` to before `end`."""

    damage: JournalDamage
    torn: bool
    first: int
    end: int = sys.maxsize


def most(descriptor: int, damage: Damage) -> int:
    """How many messages may have been in damaged bytes."""
    count = damage.size // _LEAST
    if count > 1 and os.pread(descriptor, len(MAGIC), damage.offset) == MAGIC:
        # With a sound head it is one record, which would be unfinished if it were shorter by a byte.
        cut = next(scan(descriptor, damage.offset, damage.offset + damage.size - 1))
        return 1 if isinstance(cut, Damage) and cut.torn else count
    return count


def uncovered(first: int, end: int, pairs: list[tuple[int, int]]) -> int:
    """How many numbers from `first` to before `end` none of the pairs has."""
    count, at = 0, first
    for start, stop in sorted(pairs):
        count += max(0, min(start, end) - at)
        at = max(at, min(stop, end))
    return count + max(0, end - at)
