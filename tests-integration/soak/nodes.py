"""Killing and freezing the brokers, one at a time: two are enough to go on."""

from __future__ import annotations

import random
import threading
from collections import Counter

from hop.sandbox import KafkaBroker

# In seconds: how long all of them run, how long one is dead, and how long frozen.
_ALL_WELL = 4.0, 25.0
_DEAD = 0.5, 12.0
_FROZEN = 0.5, 8.0
_FREEZE = 0.25


class Nodes(threading.Thread):
    """Does it until `finish` is called, and leaves all of them running.

    Attributes:
        done: how often each thing was done.
    """

    def __init__(self, broker: KafkaBroker, chance: random.Random) -> None:
        super().__init__(name="nodes", daemon=True)
        self._broker = broker
        self._chance = chance
        self._finishing = threading.Event()
        self._error: Exception | None = None
        self.done: Counter[str] = Counter()

    def run(self) -> None:
        try:
            while not self._wait(_ALL_WELL):
                node = self._chance.choice([1, 2, 3])
                if self._chance.random() < _FREEZE:
                    self.done["broker frozen"] += 1
                    self._broker.pause(node)
                    self._wait(_FROZEN)
                    self._broker.resume(node)
                else:
                    self.done["broker killed"] += 1
                    self._broker.kill(node)
                    self._wait(_DEAD)
                    self._broker.restart(node)
        except Exception as exc:
            self._error = exc

    def check(self) -> None:
        """Raise what went wrong with the brokers themselves."""
        if self._error is not None:
            raise self._error

    def finish(self) -> None:
        self._finishing.set()
        self.join()
        self.check()

    def _wait(self, between: tuple[float, float]) -> bool:
        return self._finishing.wait(self._chance.uniform(*between))
