"""hop-robust beside a raw idempotent producer on Apache Kafka, and beside a bare loop that writes to disk.

Each figure is taken in a process of its own, which connects first and then measures; messages of 1 kB, one partition.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks._harness import Row, compared

COUNT = 200_000
SYNCS = 1_000
RECORDS = 300_000
RECOVERY_RATE = 300_000
WORKER = Path(__file__).with_name("_robust_worker.py")
TOPIC = "alerts"


def measure() -> Iterator[Row]:
    from hop.sandbox import kafka_broker

    # Beside the program, where journals are by default: a folder for temporary files may be in memory.
    with kafka_broker([TOPIC]) as broker, tempfile.TemporaryDirectory(dir=Path.cwd()) as folder:
        user = broker.users["hop"]
        where = json.dumps(
            {
                "address": broker.address,
                "topic": TOPIC,
                "user": user.username,
                "password": user.password,
                "ca": str(broker.ca_file),
                "folder": folder,
                "count": COUNT,
                "syncs": SYNCS,
                "records": RECORDS,
            }
        )

        def worker(task: str) -> Callable[[], float]:
            def run() -> float:
                result = subprocess.run(
                    [sys.executable, WORKER, task],
                    input=where,
                    stdout=subprocess.PIPE,
                    text=True,
                    check=True,
                )
                return float(result.stdout)

            return run

        def row(
            name: str, task: str, against: str, reference: str, at_least: float, pairs: int = 5
        ) -> Row:
            ours, theirs = worker(task), worker(reference)
            return compared(name, ours, against, theirs, bound=1 / at_least, pairs=pairs)

        raw = "raw idempotent producer"
        yield row("write, end to end", "write", raw, "raw", 0.45)
        yield row("write_many(100), end to end", "write-100", raw, "raw", 0.7)
        yield row("durable write", "durable", "write and fdatasync", "bare", 0.8, pairs=9)
        yield row("durable write_many(1000)", "durable-1000", raw, "raw", 0.6)
        worker("fill")()
        yield compared(
            f"opening a journal of {RECORDS:,} records",
            worker("open"),
            f"{RECOVERY_RATE:,} records a second",
            lambda: RECORDS / RECOVERY_RATE,
            bound=1.0,
        )
