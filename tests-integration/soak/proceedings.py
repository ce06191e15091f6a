"""The soak: start everything, let it be killed for some time, let it come to rest, and account for every message."""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from soak import accounting
from soak.accounting import Arrival, Row
from soak.job import Job
from soak.nodes import Nodes
from soak.topic import PARTITIONS, TOPIC, held
from soak.workers import Publisher, Reader, Worker, together

from hop.sandbox import KafkaBroker, kafka_broker

# Messages a second, of each publisher.
_RATE = 40.0
# Seconds: between two things done to processes, on average; how long one is away, at most.
_INTERVAL = 2.5
_AWAY = 4.0
_KILL = 0.75
_LOOK = 0.1
# How long readers may get nothing new, while there is something, before it counts as lost, in seconds.
_PATIENCE = 90.0

Progress = Callable[[float, str], None]
"""Called with the seconds that are left, and what has been done."""


class Soak:
    """One soak.

    Args:
        seconds: how long things are killed.
        seed: what is done, and with whom, follows from it; when exactly does not.
        folder: where ledgers, logs and journals are kept.
        progress: is told about it.

    Attributes:
        rows: what became of the messages, once `run` has returned.
        shaken: for how many seconds things were killed.
        early: whether Ctrl-C ended that before its time.
        done: how often each thing was done.
        troubles: what went wrong otherwise.
    """

    def __init__(self, seconds: float, seed: str, folder: Path, progress: Progress) -> None:
        self._seconds = seconds
        self._seed = seed
        self._folder = folder
        self._progress = progress
        self._chance = random.Random(f"{seed} processes")
        self.rows: list[Row] = []
        self.shaken = 0.0
        self.early = False
        self.done: Counter[str] = Counter()
        self.troubles: list[str] = []

    @property
    def kept(self) -> bool:
        return not self.troubles and all(row.kept for row in self.rows)

    def run(self) -> None:
        """Do it all.

        Ctrl-C while things are killed is the end of that, and what was written by then is accounted for. At any other
        time, and the second time, it is a KeyboardInterrupt as everywhere. However this ends, no process is left.
        """
        with kafka_broker(brokers=3) as broker:
            broker.create_topic(TOPIC, PARTITIONS)
            self._hire(broker)
            workers: list[Worker] = [*self._streams, *self._robust, *self._readers]
            try:
                self._shake(broker, workers)
                self._settle(broker)
            finally:
                for worker in workers:
                    worker.abandon()
                    self.troubles += worker.troubles

    def _hire(self, broker: KafkaBroker) -> None:
        user = broker.users["hop"]

        def job(name: str, way: str, **more: object) -> Job:
            return Job(
                name=name,
                way=way,
                addresses=broker.bootstrap_servers.split(","),
                topic=TOPIC,
                user=user.username,
                password=user.password,
                ca=str(broker.ca_file),
                seed=self._seed,
                rate=_RATE,
                **more,  # type: ignore[arg-type]
            )

        def publisher(way: str, number: int) -> Publisher:
            name = f"{way}-{number}"
            journals = self._folder / name
            journals.mkdir()
            journal = str(journals / "publisher.journal")
            return Publisher(job(name, way, journal=journal), self._folder)

        def members(way: str, count: int) -> list[Reader]:
            names = [f"{way}-{number}" for number in range(1, count + 1)]
            group = f"{user.username}-{way}"
            return [Reader(job(name, way, group=group), self._folder) for name in names]

        beginning = {str(partition): 0 for partition in range(PARTITIONS)}
        self._streams = [publisher("stream", number) for number in (1, 2)]
        self._robust = [publisher("robust", number) for number in (1, 2)]
        self._groups = {way: members(way, 3) for way in ("marks", "autocommit")}
        self._direct = [
            Reader(job(f"direct-{number}", "direct", offsets=beginning), self._folder)
            for number in (1, 2)
        ]
        self._readers = [*self._groups["marks"], *self._groups["autocommit"], *self._direct]

    def _shake(self, broker: KafkaBroker, workers: Sequence[Worker]) -> None:
        """Publish and read, and kill who does, and the brokers."""
        nodes = Nodes(broker, random.Random(f"{self._seed} brokers"))
        nodes.start()
        start = now = time.monotonic()
        end = start + self._seconds
        next_at = start + 2 * _INTERVAL
        interrupt = signal.getsignal(signal.SIGINT)

        def remember(*_: object) -> None:
            self.early = True
            signal.signal(signal.SIGINT, interrupt)

        # An exception in the middle of a ledger would cost what it says.
        signal.signal(signal.SIGINT, remember)
        try:
            while (now := time.monotonic()) < end and not self.early:
                nodes.check()
                for worker in workers:
                    worker.look()
                if now > next_at:
                    self._end_one(workers)
                    next_at = now + self._chance.expovariate(1 / _INTERVAL)
                self._progress(end - now, self._said(nodes.done))
                time.sleep(_LOOK)
        finally:
            signal.signal(signal.SIGINT, interrupt)
            self.shaken = now - start
            nodes.finish()
            self.done += nodes.done

    def _end_one(self, workers: Sequence[Worker]) -> None:
        # Whether it happens to run must not change what is drawn next.
        worker, away = self._chance.choice(workers), self._chance.uniform(0, _AWAY)
        killing = self._chance.random() < _KILL
        if not worker.running or worker.ending:
            return
        worker.rest(away)
        kind = "publisher" if isinstance(worker, Publisher) else "reader"
        if killing:
            worker.kill()
            self.done[f"{kind} killed"] += 1
        else:
            worker.tell()
            self.done[f"{kind} stopped"] += 1

    def _settle(self, broker: KafkaBroker) -> None:
        """Let everything arrive, and account for it."""
        publishers = [*self._streams, *self._robust]
        # Whoever is dead is needed once more: its journal holds messages.
        self._until(lambda: all(worker.running for worker in publishers), publishers)
        self._stop(publishers)
        arrivals = held(broker)
        self._catch_up(arrivals)
        self._stop(self._readers)
        self._account(arrivals)

    def _stop(self, workers: Sequence[Worker]) -> None:
        for worker in workers:
            worker.rest(float("inf"))
            if worker.running and not worker.ending:
                worker.tell()
        self._until(lambda: not any(worker.running for worker in workers), workers)

    def _catch_up(self, arrivals: Sequence[Arrival]) -> None:
        """Wait until the readers have got all there is, or get nothing more."""
        sets = [*self._groups.values(), *([reader] for reader in self._direct)]
        count, since = -1, time.monotonic()
        while time.monotonic() < since + _PATIENCE:
            for reader in self._readers:
                reader.look()
            found = [len(together(members)) for members in sets]
            if all(number >= len(arrivals) for number in found):
                return
            if sum(found) != count:
                count, since = sum(found), time.monotonic()
            self._progress(0, f"{len(arrivals):,} messages arrived; readers are catching up")
            time.sleep(5 * _LOOK)

    def _until(self, reached: Callable[[], bool], workers: Iterable[Worker]) -> None:
        # Each of the workers ends in a bounded time.
        while not reached():
            for worker in workers:
                worker.look()
            self._progress(0, "waiting for publishers and readers to end")
            time.sleep(_LOOK)

    def _account(self, arrivals: Sequence[Arrival]) -> None:
        known = {worker.job.name for worker in (*self._streams, *self._robust)}
        self.troubles += [
            f"{arrival.name} {arrival.number} is nobody's"
            for arrival in arrivals
            if arrival.name not in known
        ]
        for what, group, copies in (
            ("Stream.open(…, 'w'), flushed", self._streams, False),
            ("RobustProducer, write returned", self._robust, True),
        ):
            said = {one.job.name: one.said for one in group}
            who = f"{what}, {len(group)} of them"
            self.rows.append(accounting.published(who, said, arrivals, copies_allowed=copies))
        for way, members in self._groups.items():
            who = f"group of {len(members)} readers, {way}"
            seen = together(members)
            self.rows.append(accounting.read(who, seen, arrivals, copies_allowed=True))
        for reader in self._direct:
            who = f"reader without a group, {reader.job.name}"
            self.rows.append(accounting.read(who, reader.seen, arrivals, copies_allowed=False))
        self.done["messages given up"] = sum(one.failed for one in (*self._streams, *self._robust))

    def _said(self, more: Counter[str]) -> str:
        written = sum(len(one.said.written) for one in (*self._streams, *self._robust))
        return f"{written:,} written; {summary(self.done + more)}"


def summary(done: Counter[str]) -> str:
    return ", ".join(f"{what} {times}" for what, times in sorted(done.items())) or "nothing yet"
