"""Each system call that the journal makes fails, or is not made because the program is killed instead."""

from __future__ import annotations

import errno
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest
from faults.publisher import Publisher, Publishing
from faults.reader import Count, Reader, count
from faults.report import Row
from faults.scale import Scale
from faults.watcher import Call, Decide, Decision, Fail, Kill, Short

# So small that the journal has several files, which are deleted as messages arrive.
SMALL = {"max_journal_bytes": 1 << 16}
COUNT = 40
# A program takes its time to start and to connect, so several are run at the same time.
LANES = 4


@dataclass
class Lane:
    """Programs that are run one after another, each with another of its calls treated in some way."""

    publisher: Publisher
    next: int
    waiting: int = 0
    accepted: list[int] = field(default_factory=list)
    uncertain: set[int] = field(default_factory=set)
    raised: int = 0
    runs: int = 0

    @property
    def empty(self) -> bool:
        """Whether nothing is left but what a journal is when it is empty."""
        journal = self.publisher.journal
        names = {file.name for file in journal.parent.iterdir()}
        return names == {journal.name, f"{journal.name}.lock"} and not journal.stat().st_size

    def run(self, decide: Decide, **changes: object) -> tuple[Publishing, list[Call]]:
        """Run the program, and then, untouched, what empties the journal if it didn't; the calls that it made."""
        if self.waiting:
            self.accepted += self.publisher.wait(first=self.next, count=self.waiting).accepted
            self.next += self.waiting
        made: list[Call] = []

        def watch(call: Call) -> Decision:
            made.append(call)
            return decide(call)

        numbers = range(self.next, self.next + COUNT)
        publishing, watcher = self.publisher.watched(
            watch, **{"first": self.next, "count": COUNT, **changes}
        )
        self.next += COUNT
        self.runs += 1
        self.accepted += publishing.accepted
        self.raised += len(publishing.refused) + (publishing.raised is not None)
        if watcher.killed:
            self.uncertain |= {*numbers} - {*publishing.accepted} - {*publishing.refused}
        # What could not be done before it ended is done when the journal is opened again.
        if publishing.left != 0 or not self.empty:
            self.publisher.drain()
            assert self.empty, publishing.log
        return publishing, made


def run(
    publisher: Publisher,
    reader: Reader,
    row: Row,
    cases: Callable[[Sequence[Call]], Sequence[Decide]],
    *,
    waiting: int = 0,
    **changes: object,
) -> Count:
    """Run the program once to see what calls it makes, and then once for each case that this gives.

    Each finds so many messages that wait in its journal.
    """
    lanes = [Lane(publisher.beside(str(n)), (n + 1) * 100_000, waiting) for n in range(LANES)]
    _, calls = lanes[0].run(lambda _: None, **changes)
    decisions = cases(calls)

    def work(lane: Lane, mine: Sequence[Decide]) -> None:
        for decide in mine:
            lane.run(decide, **changes)

    with ThreadPoolExecutor(LANES) as pool:
        done = [
            pool.submit(work, lane, decisions[number::LANES]) for number, lane in enumerate(lanes)
        ]
        for future in done:
            future.result()
    accepted = [number for lane in lanes for number in lane.accepted]
    uncertain = {number for lane in lanes for number in lane.uncertain}
    found = count(reader.arrivals(), accepted, uncertain)
    row.written, row.delivered, row.duplicates = len(accepted), found.delivered, found.duplicates
    row.note = f"{len(decisions)} programs; {sum(lane.raised for lane in lanes)} times it raised"
    return found


def at(number: int, decision: Decision, name: str = "") -> Decide:
    """Decide so about one call: the `number`th, or the `number`th of that name."""
    seen = 0

    def decide(call: Call) -> Decision:
        nonlocal seen
        if name not in ("", call.name):
            return None
        seen += 1
        return decision if seen == number + 1 else None

    return decide


def some(scale: Scale, numbers: Sequence[int]) -> Sequence[int]:
    return numbers[:: scale.stride]


@pytest.mark.parametrize("durable", [False, True], ids=["default", "durable"])
@pytest.mark.parametrize("name", ["EIO", "EINTR", "short"])
def test_one_call_fails(
    publisher: Publisher, reader: Reader, row: Row, scale: Scale, name: str, durable: bool
) -> None:
    what = "a short write" if name == "short" else f"{name} at each system call"
    row.case = f"{what}, one in each program" + (", durable" if durable else "") + scale.some
    decision = Short(7) if name == "short" else Fail(getattr(errno, name))

    def cases(calls: Sequence[Call]) -> Sequence[Decide]:
        only = "pwrite" if name == "short" else ""
        fitting = range(sum(only in ("", call.name) for call in calls))
        return [at(number, decision, only) for number in some(scale, fitting)]

    options = {**publisher.job().options, **SMALL, "durable": durable}
    found = run(publisher, reader, row, cases, options=options, pause=0.002)
    assert not found.duplicates


@pytest.mark.parametrize("durable", [False, True], ids=["default", "durable"])
def test_killed_at_each_call(
    publisher: Publisher, reader: Reader, row: Row, scale: Scale, durable: bool
) -> None:
    row.case = "killed at each system call, also between deleting a file and noting it"
    row.case += (", durable" if durable else "") + scale.some

    def cases(calls: Sequence[Call]) -> Sequence[Decide]:
        return [at(number, Kill()) for number in some(scale, range(len(calls)))]

    options = {**publisher.job().options, **SMALL, "durable": durable}
    run(publisher, reader, row, cases, options=options, pause=0.002)


@pytest.mark.parametrize(
    "name", ["openat", "pread", "pwrite", "fdatasync", "fsync", "ftruncate", "rename", "unlink"]
)
def test_calls_go_on_failing(
    publisher: Publisher, reader: Reader, row: Row, scale: Scale, name: str
) -> None:
    row.case = f"{name} fails (EIO) from one call on" + scale.some

    def cases(calls: Sequence[Call]) -> Sequence[Decide]:
        def from_on(first: int) -> Decide:
            seen = 0

            def decide(call: Call) -> Decision:
                nonlocal seen
                seen += call.name == name
                return Fail(errno.EIO) if call.name == name and seen > first else None

            return decide

        count = sum(call.name == name for call in calls)
        assert count
        return [from_on(number) for number in some(scale, range(0, count, max(1, count // 15)))]

    options = {**publisher.job().options, **SMALL}
    # What was written just now is not read from the disk.
    waiting = 20 if name == "pread" else 0
    run(publisher, reader, row, cases, waiting=waiting, options=options, pause=0.002, stop=5)
