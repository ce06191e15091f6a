"""Journals that earlier releases wrote, also when taking them over is interrupted."""

from __future__ import annotations

import logging
import random
from pathlib import Path

import pytest
from faults import earlier
from faults.disk import Disk, found, keeping
from faults.publisher import Publisher
from faults.reader import Reader, count
from faults.report import Row
from faults.scale import Scale
from faults.watcher import Call, Decision, Kill

COUNT, SENT = 300, 100
LEFT = range(SENT, COUNT)


def test_taken_over(publisher: Publisher, topic: str, reader: Reader, row: Row) -> None:
    row.case = "a journal of an earlier release"
    publisher.journal.write_bytes(earlier.journal(topic, COUNT, SENT))
    publishing = publisher.run(first=1000, count=10)
    assert publishing.left == 0
    arrivals = reader.arrivals()
    assert [arrival.number for arrival in arrivals] == [*LEFT, *range(1000, 1010)]
    counted = count(arrivals, [*LEFT, *publishing.accepted])
    row.written, row.delivered = len(LEFT) + 10, counted.delivered
    row.duplicates = counted.duplicates
    row.note = f"{SENT} of {COUNT} had been sent"


def test_killed_at_each_call(
    publisher: Publisher, topic: str, reader: Reader, row: Row, scale: Scale
) -> None:
    row.case = "a journal of an earlier release, killed at each system call of taking it over"
    row.case += scale.some
    runs, last, copies = 0, 0, 0
    killed = True
    while killed:
        earlier_journal = earlier.journal(topic, COUNT, SENT)
        for file in publisher.journal.parent.iterdir():
            file.unlink()
        publisher.journal.write_bytes(earlier_journal)

        def decide(call: Call, last: int = last) -> Decision:
            return Kill() if call.number == last else None

        before = reader.end()
        publishing, watcher = publisher.watched(decide)
        # Messages are on their way some calls after it was taken over.
        killed = watcher.killed and publishing.opened is None
        publisher.drain()
        numbers = [arrival.number for arrival in reader.arrivals()[before:]]
        assert sorted(set(numbers)) == [*LEFT]
        copies += len(numbers) - len(LEFT)
        runs += 1
        last += min(scale.stride, 4)
    assert runs > 3
    row.written = row.delivered = runs * len(LEFT)
    row.duplicates = copies
    row.note = f"{runs} programs"


def test_power_loss(
    publisher: Publisher,
    topic: str,
    memory: Path,
    row: Row,
    scale: Scale,
    caplog: pytest.LogCaptureFixture,
) -> None:
    row.case = "a journal of an earlier release, power lost after any call of taking it over"
    caplog.set_level(logging.CRITICAL)
    content = earlier.journal(topic, COUNT, SENT)
    publisher.journal.write_bytes(content)
    disk, chance = Disk({publisher.journal.name: content}), random.Random(1)
    calls: list[Call] = []

    def note(call: Call) -> Decision:
        calls.append(call)
        return _after(call)

    _, watcher = publisher.watched(note)
    assert watcher.killed
    states = 0
    for call in calls:
        for keep in keeping(chance, scale.states):
            states += 1
            assert found(memory, disk.state(keep)) == {*LEFT}
        disk.note(call)
    row.written = len(LEFT)
    row.note = f"{states} states of the disk: all open, nothing is lost"


def _after(call: Call) -> Decision:
    """Kill it when messages have been sent, and the new journal is to say so."""
    changing = call.name in ("pwrite", "ftruncate")
    return Kill() if changing and call.path.suffix == ".journal" else None
