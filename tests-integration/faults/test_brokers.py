"""The broker goes and comes back, refuses, or forgets."""

from __future__ import annotations

import time
from pathlib import Path

from faults.publisher import Publisher, Publishing
from faults.reader import Reader, count
from faults.report import Row
from faults.scale import Scale

from hop.sandbox import KafkaBroker

LARGE = 57


def finish(publishing: Publishing, reader: Reader, row: Row) -> None:
    """Everything has to arrive once, without any help."""
    publishing.finish()
    assert publishing.left == 0, publishing.log
    assert not publishing.refused
    found = count(reader.arrivals(), publishing.accepted)
    row.written, row.delivered = len(publishing.accepted), found.delivered
    row.duplicates = found.duplicates
    assert found.duplicates == 0


def test_broker_killed(
    publisher: Publisher, hop_kafka: KafkaBroker, reader: Reader, row: Row, outage: int
) -> None:
    row.case = "broker killed (kill -9), back " + (f"after {outage} s" if outage else "at once")
    # Some are written before, most of them meanwhile, some after.
    publishing = publisher.start(count=300 * (outage + 10), pause=1 / 300)
    publishing.wait_for("ok")
    time.sleep(1)
    hop_kafka.kill()
    time.sleep(outage)
    hop_kafka.restart()
    finish(publishing, reader, row)
    assert publishing.log.count("is out of reach") == 1
    assert publishing.log.count("is back after") == 1


def test_frozen_broker(
    publisher: Publisher, hop_kafka: KafkaBroker, reader: Reader, row: Row, scale: Scale
) -> None:
    row.case = f"broker frozen for {scale.frozen} s: connected, and silent"
    publishing = publisher.start(count=300 * (scale.frozen + 3), pause=1 / 300)
    publishing.wait_for("ok")
    time.sleep(1)
    hop_kafka.pause()
    time.sleep(scale.frozen)
    hop_kafka.resume()
    finish(publishing, reader, row)


def test_dead_at_start(
    publisher: Publisher, hop_kafka: KafkaBroker, reader: Reader, row: Row
) -> None:
    row.case = "broker dead at the start"
    hop_kafka.kill()
    publishing = publisher.start(count=1000)
    publishing.wait_for("open")
    assert publishing.opened is not None
    row.note = f"open after {publishing.opened:.2f} s"
    assert publishing.opened < 1
    time.sleep(1)
    hop_kafka.restart()
    finish(publishing, reader, row)


def test_oversized(publisher: Publisher, reader: Reader, row: Row) -> None:
    row.case = "one message of 100 too large"
    publishing = publisher.run(count=100, large=LARGE)
    assert publishing.left == 0
    assert len(publishing.accepted) == 100
    assert list(publishing.dead) == [LARGE]
    found = count(reader.arrivals(), sorted({*publishing.accepted} - {LARGE}))
    dead = publisher.journal.with_name("publisher.journal.dead").read_bytes()
    row.written, row.delivered, row.duplicates = 100, found.delivered, found.duplicates
    row.dead = dead.count(b"%d xxx" % LARGE)
    assert (found.delivered, found.duplicates, row.dead) == (99, 0, 1)
    assert b"too large" in dead.lower()


def test_unauthorised_topic(
    publisher: Publisher, hop_kafka: KafkaBroker, topic: str, reader: Reader, row: Row
) -> None:
    row.case = "a topic that may not be written to beside a good one; permission granted later"
    closed = topic + "-closed"
    hop_kafka.create_topic(closed, write=[])
    publishing = publisher.start(count=2000, topics=[topic, closed], hold=True)
    while reader.end() < 1000:
        time.sleep(0.1)
    hidden = Reader(hop_kafka, closed)
    assert hidden.end() == 0
    hop_kafka.grant("hop", closed, write=True)
    publishing.finish()
    assert publishing.left == 0, publishing.log
    assert publishing.log.count("does not take messages") == 1
    good, bad = reader.arrivals(), hidden.arrivals()
    # Each in the order in which they were written.
    assert [arrival.number for arrival in good] == list(range(0, 2000, 2))
    assert [arrival.number for arrival in bad] == list(range(1, 2000, 2))
    found = count([*good, *bad], publishing.accepted)
    row.written, row.delivered, row.duplicates = 2000, found.delivered, found.duplicates


def last_batch(log: Path) -> int:
    """Where the last batch of a partition's file begins."""
    data, position, last = log.read_bytes(), 0, 0
    while position + 12 <= len(data):
        size = 12 + int.from_bytes(data[position + 8 : position + 12], "big")
        if size == 12:
            break
        last, position = position, position + size
    return last


def test_broker_that_forgets(
    publisher: Publisher, hop_kafka: KafkaBroker, topic: str, reader: Reader, row: Row
) -> None:
    row.case = "broker that lost what it had confirmed: a fatal error for an idempotent producer"
    publishing = publisher.start(count=50, pause=0.1, options={"reconnect.backoff.max.ms": 500})
    while len(publishing.accepted) < 20:
        time.sleep(0.01)
    hop_kafka.kill()
    [log] = hop_kafka.folder.glob(f"broker-1/data/{topic}-0/*.log")
    # As a power failure does: what was confirmed is not on its disk.
    for _ in range(3):
        with log.open("r+b") as file:
            file.truncate(last_batch(log))
    hop_kafka.restart()
    publishing.finish()
    assert publishing.left == 0, publishing.log
    assert "can't go on" in publishing.log
    there = {arrival.number for arrival in reader.arrivals()}
    forgotten = set(publishing.accepted) - there
    # It had confirmed them, and nothing else is missing.
    assert 0 < len(forgotten) <= 3
    assert max(forgotten) < 25
    found = count(reader.arrivals(), sorted(there & set(publishing.accepted)))
    row.written, row.delivered = len(publishing.accepted), found.delivered
    row.duplicates = found.duplicates
    row.note = f"{len(forgotten)} forgotten by the broker"
