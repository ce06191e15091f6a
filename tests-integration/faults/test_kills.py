"""The producer is killed, or told to end."""

from __future__ import annotations

import random
import signal
import time

import pytest
from faults.publisher import Publisher
from faults.reader import Reader, count
from faults.report import Row
from faults.scale import Scale

from hop.sandbox import KafkaBroker


@pytest.mark.parametrize(
    ("size", "pause", "label"), [(1000, 0.0, "1 kB"), (1_000_000, 0.01, "1 MB")], ids=["1kB", "1MB"]
)
def test_killed_at_random(
    publisher: Publisher,
    reader: Reader,
    row: Row,
    scale: Scale,
    size: int,
    pause: float,
    label: str,
) -> None:
    row.case = f"producer killed (kill -9) {scale.kills} times, messages of {label}"
    chance = random.Random(size)
    accepted: list[int] = []
    underway: set[int] = set()
    first = 0
    for _ in range(scale.kills):
        publishing = publisher.start(first=first, count=1_000_000, size=size, pause=pause)
        publishing.wait_for("ok")
        time.sleep(chance.uniform(0, 0.5))
        publishing.kill()
        publishing.finish()
        accepted += publishing.accepted
        # That one may have been written, and the program killed before it could say so.
        first = publishing.accepted[-1] + 1
        underway.add(first)
        first += 1
    publisher.drain()
    found = count(reader.arrivals(), accepted, underway)
    row.written, row.delivered, row.duplicates = len(accepted), found.delivered, found.duplicates
    assert not list(publisher.journal.parent.glob("*.bad"))


ENDINGS = [
    ("Ctrl-C", signal.SIGINT, -signal.SIGINT),
    ("SIGTERM", signal.SIGTERM, -signal.SIGTERM),
    ("stop(5)", None, 0),
]


@pytest.mark.parametrize(("how", "number", "code"), ENDINGS, ids=["ctrl-c", "sigterm", "stop"])
def test_ended_while_the_broker_is_away(
    publisher: Publisher,
    hop_kafka: KafkaBroker,
    reader: Reader,
    row: Row,
    how: str,
    number: signal.Signals | None,
    code: int,
) -> None:
    row.case = f"{how} while the broker is away"
    hop_kafka.kill()
    publishing = publisher.start(count=100, stop=None if number else 5, hold=True)
    publishing.wait_for("open")
    # Until it holds still, and is about to stop.
    while len(publishing.accepted) < 100:
        time.sleep(0.01)
    begin = time.monotonic()
    assert publishing.process.stdin is not None
    publishing.process.stdin.close()
    if number is not None:
        time.sleep(0.5)
        publishing.process.send_signal(number)
    publishing.finish()
    seconds = time.monotonic() - begin
    row.note = f"out after {seconds:.1f} s"
    assert seconds < 6
    assert publishing.process.returncode == code, publishing.log
    if number is None:
        assert publishing.left == 100
    hop_kafka.restart()
    publisher.drain()
    found = count(reader.arrivals(), publishing.accepted)
    row.written, row.delivered, row.duplicates = 100, found.delivered, found.duplicates
    assert found.duplicates == 0
