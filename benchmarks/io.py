"""hop-io beside plain confluent-kafka loops, on Apache Kafka with TLS, as users have it.

Each figure is taken in a process of its own, which connects first and then measures; 1 kB messages, one partition.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks._harness import Row, compared

COUNT = 150_000
WRITES = 30_000
WORKER = Path(__file__).with_name("_io_worker.py")
BLOBS, OBJECTS, SCRATCH, ALERTS = "blobs", "objects", "scratch", "alerts"


def measure() -> list[Row]:
    from hop.sandbox import kafka_broker

    with kafka_broker() as broker:
        user = broker.users["hop"]
        where = json.dumps(
            {
                "address": broker.address,
                "user": user.username,
                "password": user.password,
                "ca": str(broker.ca_file),
                "count": COUNT,
                "writes": WRITES,
            }
        )
        for topic in (BLOBS, OBJECTS, SCRATCH, ALERTS):
            broker.create_topic(topic)

        def worker(task: str, topic: str, part: int = 0) -> Callable[[], float]:
            def run() -> float:
                result = subprocess.run(
                    [sys.executable, WORKER, task, topic],
                    input=where,
                    stdout=subprocess.PIPE,
                    text=True,
                    check=True,
                )
                return float(result.stdout.split()[part])

            return run

        worker("fill", BLOBS)()
        worker("fill-json", OBJECTS)()
        return [
            compared(
                "for message in stream",
                worker("read", BLOBS),
                "plain loop, its defaults",
                worker("raw-read-defaults", BLOBS),
                bound=1 / 1.2,
            ),
            compared(
                "for message in stream",
                worker("read", BLOBS),
                "plain loop, our settings",
                worker("raw-read", BLOBS),
                bound=1 / 0.9,
            ),
            compared(
                "read(metadata=True)",
                worker("read-metadata", BLOBS),
                "plain loop, our settings",
                worker("raw-read", BLOBS),
                bound=1 / 0.8,
            ),
            compared(
                "JSON messages",
                worker("read", OBJECTS),
                "plain loop and json.loads",
                worker("raw-read-json", OBJECTS),
                bound=1 / 0.75,
            ),
            compared(
                "write, idempotent",
                worker("write", SCRATCH),
                "raw produce, same settings",
                worker("raw-write", SCRATCH),
                bound=1 / 0.85,
            ),
            compared(
                "write, not idempotent",
                worker("write-plain", SCRATCH),
                "raw produce, same settings",
                worker("raw-write-plain", SCRATCH),
                bound=1 / 0.85,
            ),
            compared(
                "first message after open",
                worker("first", BLOBS),
                "raw assign and poll",
                worker("raw-first", BLOBS),
                bound=1.5,
            ),
            compared(
                "one message, until_eos, open to close",
                worker("one", ALERTS),
                "raw assign, poll to the end, close",
                worker("raw-one", ALERTS),
                bound=1.5,
            ),
            compared(
                "write to reader, median",
                worker("latency", SCRATCH, 0),
                "raw, linger.ms=0",
                worker("raw-latency", SCRATCH, 0),
                bound=1.3,
            ),
            compared(
                "write to reader, 99 of 100",
                worker("latency", SCRATCH, 1),
                "raw, linger.ms=0",
                worker("raw-latency", SCRATCH, 1),
                bound=1.3,
            ),
        ]
