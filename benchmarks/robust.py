"""hop-robust beside a raw idempotent producer on Apache Kafka, and beside a bare loop that writes to disk.

Each figure is taken in a process of its own, which connects first and then measures; messages of 1 kB, one partition.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from benchmarks._harness import Row, compared

COUNT = 40_000
SYNCS = 1_000
RECORDS = 300_000
RECOVERY_RATE = 300_000
WORKER = Path(__file__).with_name("_robust_worker.py")
TOPIC = "alerts"


def measure() -> list[Row]:
    from hop.sandbox import kafka_broker

    rows: list[Row] = []

    def add(
        name: str,
        ours: Callable[[], float],
        against: str,
        reference: Callable[[], float],
        at_least: float,
        pairs: int = 5,
    ) -> None:
        row = compared(name, ours, against, reference, bound=1 / at_least, pairs=pairs)
        print(f"{name}: {1 / row.ratio:.2f} of {against}; at least {at_least}", flush=True)
        rows.append(row)

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

        raw, bare = worker("raw"), worker("bare")
        raw_name = "raw idempotent producer"
        add("write, end to end", worker("write"), raw_name, raw, 0.45)
        add("write_many(100), end to end", worker("write-100"), raw_name, raw, 0.7)
        add("durable write", worker("durable"), "write and fdatasync", bare, 0.8, pairs=9)
        add("durable write_many(1000)", worker("durable-1000"), raw_name, raw, 0.6)
        worker("fill")()
        add(
            f"opening a journal of {RECORDS:,} records",
            worker("open"),
            f"{RECOVERY_RATE:,} records a second",
            lambda: RECORDS / RECOVERY_RATE,
            1.0,
        )
    return rows
