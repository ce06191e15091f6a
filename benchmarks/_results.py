"""What the benchmarks found: rows of their tables, as Markdown and as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks._harness import HEAD, Row

# In the order of the columns.
CLIENTS = ("confluent-kafka", "hop 1", "hop-client 0.13.0", "kcat")
OURS = "hop 1"
COMPARED = (
    f"| measured | {' | '.join(CLIENTS)} | hop 1 : confluent-kafka | hop 1 : hop-client 0.13.0 |\n"
    f"|---|{'--:|' * (len(CLIENTS) + 2)}"
)


@dataclass(frozen=True)
class Compared:
    """One thing measured with several clients in turn.

    Attributes:
        area: the part of the table that it belongs to: reading, writing, …
        name: what was measured.
        unit: of the values.
        more: whether more is better.
        values: the median of each client; one that is missing has no such thing.
        ratios: how many times as good as each of the others ours is: the median of the rounds' ratios.
    """

    area: str
    name: str
    unit: str
    more: bool
    values: dict[str, float]
    ratios: dict[str, float]

    kept = True

    @property
    def line(self) -> str:
        """The row of a Markdown table, below `COMPARED`."""
        values = [number(self.values[one]) if one in self.values else "" for one in CLIENTS]
        ratios = [
            f"{number(self.ratios[one])}" if one in self.ratios else ""
            for one in (CLIENTS[0], CLIENTS[2])
        ]
        return f"| {self.name} ({self.unit}) | {' | '.join([*values, *ratios])} |"


def number(value: float) -> str:
    """Three digits that count, as people write them."""
    if value >= 100:
        digits = len(str(int(value)))
        return f"{round(value, 3 - digits):,.0f}"
    return f"{value:.3g}"


Result = Row | Compared


@dataclass
class Results:
    """The results of some benchmarks, by their names.

    Attributes:
        machine: what they were measured with: Python, confluent-kafka, …
        benchmarks: the rows of each.
    """

    machine: dict[str, str]
    benchmarks: dict[str, list[Result]] = field(default_factory=dict)

    @property
    def kept(self) -> bool:
        return all(row.kept for rows in self.benchmarks.values() for row in rows)

    def write(self, path: Path) -> None:
        text = json.dumps(
            {
                "machine": self.machine,
                "benchmarks": {
                    name: [asdict(row) for row in rows] for name, rows in self.benchmarks.items()
                },
            },
            indent=1,
        )
        path.write_text(text + "\n", encoding="utf-8")

    @classmethod
    def read(cls, path: Path) -> Results:
        """What `write` wrote.

        Raises:
            OSError: the file can't be read.
            ValueError: it is none that `write` wrote.
        """
        try:
            found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
            return cls(
                found["machine"],
                {name: [_row(row) for row in rows] for name, rows in found["benchmarks"].items()},
            )
        except (KeyError, TypeError, AttributeError, json.JSONDecodeError) as exc:
            raise ValueError(f"{path} does not hold results of benchmarks: {exc}") from exc


def _row(row: dict[str, Any]) -> Result:
    return Compared(**row) if "area" in row else Row(**row)


def tables(rows: Sequence[Result]) -> str:
    """The rows of one benchmark as Markdown."""
    bounds = [row.line for row in rows if isinstance(row, Row)]
    compared = [row.line for row in rows if isinstance(row, Compared)]
    parts = [[HEAD, *bounds], [COMPARED, *compared]]
    return "\n\n".join("\n".join(part) for part in parts if len(part) > 1)
