"""How much of each case is done: in the whole matrix, and in its short form."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """How much of each case is done.

    Attributes:
        kills: how often the producer is killed.
        outage: how long the broker is away, in seconds.
        waiting: how many messages wait.
        stride: of cases that are numbered, every how manieth is tried.
        states: how many states of the disk are tried after each moment at which power may fail.
        each: how many messages a thread writes.
    """

    kills: int
    outage: float
    waiting: int
    stride: int
    states: int
    each: int

    @property
    def some(self) -> str:
        """What to say of a case that is numbered and not tried in full."""
        return "" if self.stride == 1 else " (some of them)"


SHORT = Scale(kills=3, outage=3, waiting=40_000, stride=13, states=2, each=500)
FULL = Scale(kills=20, outage=80, waiting=200_000, stride=1, states=12, each=5000)
