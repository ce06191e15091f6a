"""Measuring in pairs: two things in turn, A B A B …, and the median of the pairs' ratios.

These figures are ratios in one run, never absolute seconds: the speed of a machine drifts, that of two things
measured beside each other drifts together.
"""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass
from statistics import median

HEAD = (
    "| measured | against | ours (s) | reference (s) | ratio | at most | |\n"
    "|---|---|--:|--:|--:|--:|---|"
)


@dataclass(frozen=True)
class Row:
    """One line of the table: what was measured against what, and the bound that it has to keep.

    `ratio` is ours divided by the reference in seconds, so smaller is faster; `bound` is the largest that
    is accepted. `ours` and `reference` are medians in seconds.
    """

    name: str
    against: str
    ours: float
    reference: float
    ratio: float
    bound: float

    @property
    def kept(self) -> bool:
        return self.ratio <= self.bound

    @property
    def line(self) -> str:
        """The row of a Markdown table, below `HEAD`."""
        return (
            f"| {self.name} | {self.against} | {self.ours:.4f} | {self.reference:.4f} "
            f"| {self.ratio:.2f} | {self.bound:.2f} | {'kept' if self.kept else 'MISSED'} |"
        )


def seconds(action: Callable[[], object]) -> float:
    start = time.perf_counter()
    action()
    return time.perf_counter() - start


def paired(
    name: str,
    ours: Callable[[], object],
    against: str,
    reference: Callable[[], object],
    *,
    bound: float,
    pairs: int = 5,
) -> Row:
    """Time `ours` and `reference` in turn, after one run of each that is not counted."""
    return compared(
        name,
        lambda: seconds(ours),
        against,
        lambda: seconds(reference),
        bound=bound,
        pairs=pairs,
    )


def compared(
    name: str,
    ours: Callable[[], float],
    against: str,
    reference: Callable[[], float],
    *,
    bound: float,
    pairs: int = 5,
) -> Row:
    """As `paired`, for actions that measure themselves and return the seconds."""
    ours()
    reference()
    a, b = [], []
    for _ in range(pairs):
        a.append(ours())
        b.append(reference())
    ratio = median(x / y for x, y in zip(a, b, strict=True))
    return Row(name, against, median(a), median(b), ratio, bound)


def process(*command: str) -> Callable[[], object]:
    """An action that runs a command as a whole process, its output thrown away."""
    return lambda: subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
