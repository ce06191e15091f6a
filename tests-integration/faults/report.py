"""The fault matrix as a table: what was done to a publisher, and what became of its messages."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass
class Row:
    """One case.

    Attributes:
        case: what happened.
        written: how many messages `write` returned for.
        delivered: how many of them a reader found.
        duplicates: how many further copies of them the reader found.
        dead: how many are in the `.dead` file.
        note: what else was measured.
        seconds: how long the test took.
        verdict: whether what is promised was kept.
    """

    case: str
    written: int | None = None
    delivered: int | None = None
    duplicates: int | None = None
    dead: int | None = None
    note: str = ""
    seconds: float = 0.0
    verdict: str = ""


def table(rows: Sequence[Row]) -> str:
    """The rows in Markdown."""
    lines = [
        "| case | written | delivered | copies | in .dead | also | time (s) | |",
        "|---|--:|--:|--:|--:|---|--:|---|",
    ]
    for row in rows:
        counts = (row.written, row.delivered, row.duplicates, row.dead)
        cells = ["" if count is None else f"{count:,}" for count in counts]
        lines.append(
            f"| {row.case} | {' | '.join(cells)} | {row.note} | {row.seconds:.0f} | {row.verdict} |"
        )
    return "\n".join(lines)
