"""The producer is killed, or told to end."""

from __future__ import annotations

import random
import signal
import time

import pytest
from faults.publisher import Publisher, Publishing
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


# How it is ended, and the code that its process has then.
ENDINGS = {"Ctrl-C": (signal.SIGINT, -2), "SIGTERM": (signal.SIGTERM, -15), "stop(5)": (None, 0)}


def test_ended_while_the_broker_is_away(
    publisher: Publisher, hop_kafka: KafkaBroker, reader: Reader, row: Row
) -> None:
    row.case = f"{', '.join(ENDINGS)} while the broker is away"
    hop_kafka.kill()
    running: list[tuple[Publisher, Publishing, int]] = []
    for first, (number, code) in enumerate(ENDINGS.values()):
        own = publisher.beside(str(first))
        publishing = own.start(
            first=1000 * first, count=100, stop=None if number else 5, hold=number is None
        )
        running.append((own, publishing, code))
    for _, publishing, _ in running:
        while len(publishing.accepted) < 100:
            time.sleep(0.01)
    times = []
    for (number, _), (_, publishing, code) in zip(ENDINGS.values(), running, strict=True):
        begin = time.monotonic()
        if number is None:
            # That it has heard the end of its input makes it stop.
            publishing.finish()
            assert publishing.left == 100
        else:
            # Until it waits for the broker.
            time.sleep(0.5)
            publishing.process.send_signal(number)
            publishing.finish()
        times.append(time.monotonic() - begin)
        assert publishing.process.returncode == code, publishing.log
    row.note = "out after " + ", ".join(f"{seconds:.1f}" for seconds in times) + " s"
    assert max(times) < 6
    hop_kafka.restart()
    for own, _, _ in running:
        own.drain()
    accepted = [number for _, publishing, _ in running for number in publishing.accepted]
    found = count(reader.arrivals(), accepted)
    row.written, row.delivered, row.duplicates = len(accepted), found.delivered, found.duplicates
    assert (len(accepted), found.duplicates) == (300, 0)
