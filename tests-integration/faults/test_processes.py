"""Several processes and threads, and a journal in which very much waits."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

import pytest
from faults.publisher import Publisher, Publishing, nowhere
from faults.reader import Reader, count
from faults.report import Row
from faults.scale import Scale

PROGRAMS = Path(__file__).parent
THREADS = 8
MEGABYTE = 1 << 20

# The child writes to its parent's publisher, and then to one of its own.
FORKING = """
import json, os, sys
sys.path.insert(0, sys.argv[1])
from publish import Job, body
from hop.auth import Auth
from hop.robust_publisher import RobustProducer

job = Job(**json.loads(sys.argv[2]))
auth = Auth(job.user, job.password, ssl_ca_location=job.ca)
with RobustProducer(job.url, auth=auth, journal_path=job.journal) as publisher:
    for number in range(100):
        publisher.write(body(number, 1000))
    child = os.fork()
    if not child:
        try:
            publisher.write(body(999, 1000))
        except RuntimeError as exc:
            print(exc, flush=True)
        with RobustProducer(job.url, auth=auth, journal_path=job.journal + "-2") as own:
            for number in range(200, 300):
                own.write(body(number, 1000))
        os._exit(0)
    for number in range(100, 200):
        publisher.write(body(number, 1000))
    print(os.waitpid(child, 0)[1], flush=True)
"""


def test_second_process(publisher: Publisher, reader: Reader, row: Row) -> None:
    row.case = "a second process with the same journal"
    first = publisher.start(count=100, hold=True)
    first.wait_for("ok")
    second = publisher.run(first=1000, count=100)
    assert second.raised is not None
    assert "JournalInUseError" in second.raised
    assert str(publisher.journal) in second.raised
    assert f"pid {first.process.pid}" in second.raised
    first.finish()
    found = count(reader.arrivals(), first.accepted)
    row.written, row.delivered, row.duplicates = 100, found.delivered, found.duplicates
    row.note = "the second raises, naming the first"
    assert found.duplicates == 0


def test_fork(publisher: Publisher, reader: Reader, row: Row) -> None:
    row.case = "a forked child writes"
    command = [sys.executable, "-c", FORKING, str(PROGRAMS), json.dumps(asdict(publisher.job()))]
    # From 3.12 on Python warns of forking beside threads; that is what is tried here.
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    said, status = done.stdout.splitlines()
    assert "was forked" in said
    assert status == "0"
    found = count(reader.arrivals(), range(300))
    row.written, row.delivered, row.duplicates = 300, found.delivered, found.duplicates
    row.note = "raises with the parent's publisher, publishes with one of its own"
    assert found.duplicates == 0


@pytest.mark.parametrize("durable", [False, True], ids=["default", "durable"])
def test_threads(
    publisher: Publisher, reader: Reader, row: Row, scale: Scale, durable: bool
) -> None:
    row.case = f"{THREADS} threads" + (", durable=True" if durable else "")
    each = scale.each // 5 if durable else scale.each
    publishing = publisher.run(threads=THREADS, count=each, options={"durable": durable})
    assert publishing.left == 0
    assert len(publishing.accepted) == THREADS * each
    arrivals = reader.arrivals()
    found = count(arrivals, publishing.accepted)
    for thread in range(THREADS):
        mine = [a.number for a in arrivals if a.number // 1_000_000 == thread]
        assert mine == sorted(mine)
    row.written, row.delivered = len(publishing.accepted), found.delivered
    row.duplicates = found.duplicates
    row.note = "in each thread's order"
    assert found.duplicates == 0


def memory(publishing: Publishing) -> int:
    """What a process has in memory, in bytes."""
    status = Path(f"/proc/{publishing.process.pid}/status").read_text()
    found = re.search(r"VmRSS:\s*(\d+) kB", status)
    assert found is not None, status
    return int(found[1]) << 10


def disk(journal: Path) -> int:
    return sum(file.stat().st_size for file in journal.parent.iterdir())


def test_many_waiting(
    publisher: Publisher, topic: str, reader: Reader, row: Row, scale: Scale
) -> None:
    row.case = f"{scale.waiting:,} messages of 1 kB wait"
    # Everything that a first message needs is there before it is measured.
    first = publisher.start(url=nowhere() + topic, first=0, count=1, hold=True)
    first.wait_for("ok")
    time.sleep(1)
    empty = memory(first)
    first.kill()
    first.finish()

    filling = publisher.start(
        url=nowhere() + topic, first=1, count=scale.waiting - 1, hold=True, stop=0
    )
    while len(filling.accepted) < scale.waiting - 1:
        time.sleep(0.1)
        assert filling.process.poll() is None, filling.log
    time.sleep(1)
    growth = memory(filling) - empty
    filling.finish()
    assert filling.left == scale.waiting
    full = disk(publisher.journal)
    assert full > scale.waiting * 1000

    # The best of several: what is measured is the program, not what else the machine is doing.
    opened = min(float(publisher.wait().opened or 0) for _ in range(3))
    publisher.drain()
    left = disk(publisher.journal)
    written = [*first.accepted, *filling.accepted]
    found = count(reader.arrivals(), written)
    row.written, row.delivered, row.duplicates = len(written), found.delivered, found.duplicates
    row.note = (
        f"memory grew by {growth / MEGABYTE:.0f} MB, opened again in {opened:.2f} s, "
        f"disk {full / MEGABYTE:.0f} MB, then {left} bytes"
    )
    assert growth < 64 * MEGABYTE
    assert 0 < opened < 2
    assert left < 1000
    assert found.duplicates == 0
