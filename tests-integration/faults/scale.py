"""How much of each case is done: in the whole matrix, and in its short form."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Scale:
    """How much of each case is done.

    Attributes:
        kills: how often the producer is killed.
        outages: how long the broker is away, in seconds, one time after another.
        frozen: how long it does not answer, in seconds.
        waiting: how many messages wait.
        stride: of cases that are numbered, every how manieth is tried.
        states: how many states of the disk are tried after each moment at which power may fail.
        each: how many messages a thread writes.
    """

    kills: int
    outages: tuple[int, ...]
    frozen: int
    waiting: int
    stride: int
    states: int
    each: int

    @property
    def some(self) -> str:
        """What to say of a case that is numbered and not tried in full."""
        return "" if self.stride == 1 else " (some of them)"


SHORT = Scale(kills=3, outages=(2,), frozen=3, waiting=20_000, stride=29, states=2, each=500)
FULL = Scale(kills=20, outages=(0, 80), frozen=80, waiting=200_000, stride=1, states=12, each=5000)
