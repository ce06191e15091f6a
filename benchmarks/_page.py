"""docs/benchmarks.md and its charts, from results."""

from __future__ import annotations

from pathlib import Path

from benchmarks._chart import chart
from benchmarks._results import Compared, Results, tables

_HEAD = """\
# Benchmarks

What hop 1 costs beside confluent-kafka alone, the published hop-client 0.13.0 and kcat. This page is made by

```console
$ hatch run bench --json results.json --page
```

from a real run: {machine}. The broker is Apache Kafka 4.3 on the same machine, with TLS and a password (kcat has a
certificate instead); messages have 1 kB, one partition. The clients take turns, and each figure is the median of three
or nine rounds. **Compare, and don't quote**: the machine has two cores, which the broker and other programs share. The
ratios are the medians of the rounds' ratios: how many times as good hop 1 is, so that more than 1 is in its favour. hop
and hop-client run the same program, by the documentation of both, on the same Python and the same confluent-kafka.

An empty cell: that client has no such thing. `hop publish` of lines ends with an error in hop-client 0.13.0.
"""
_BOUNDS = """\
## Bounds

What must not become worse: each line compares two things that were measured in turn, in seconds unless it says
otherwise, and has a bound for their ratio. `hatch run bench` ends with exit code 1 when one of them is missed.
"""
_TITLES = {
    "startup": "Start-up",
    "models": "Models",
    "io": "Reading and writing",
    "robust": "RobustProducer",
    "cli": "Command line",
    "memory": "Memory",
    "scaling": "Scaling",
}


def write_page(results: Results, docs: Path) -> None:
    """Write the page and its charts; charts that it has no more are deleted."""
    folder = docs / "benchmarks"
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.svg"):
        old.unlink()
    machine = ", ".join(f"{what} {which}" for what, which in results.machine.items())
    parts = [_HEAD.format(machine=machine)]
    for area, rows in _areas(results).items():
        title = area.capitalize()
        name = f"{area.replace(' ', '-')}.svg"
        (folder / name).write_text(chart(f"{title}: the clients compared", rows), encoding="utf-8")
        alternative = f"Bar chart of the table below: {', '.join(row.name for row in rows)}"
        parts += [f"## {title}\n", f"![{alternative}](benchmarks/{name})\n", tables(rows) + "\n"]
    bounds = {
        name: found for name, found in results.benchmarks.items() if name in _TITLES and found
    }
    if bounds:
        parts.append(_BOUNDS)
        for name, found in bounds.items():
            parts += [f"### {_TITLES[name]}\n", tables(found) + "\n"]
    (docs / "benchmarks.md").write_text("\n".join(parts), encoding="utf-8")


def _areas(results: Results) -> dict[str, list[Compared]]:
    areas: dict[str, list[Compared]] = {}
    for found in results.benchmarks.values():
        for row in found:
            if isinstance(row, Compared):
                areas.setdefault(row.area, []).append(row)
    return areas
