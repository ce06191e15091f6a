"""hop-io beside plain confluent-kafka loops, on Apache Kafka with TLS, as users have it.

Each figure is taken in a process of its own, which connects first and then measures; 1 kB messages, one partition.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

from benchmarks._harness import Row, compared

COUNT = 500_000
WRITES = 200_000
WORKER = Path(__file__).with_name("_io_worker.py")
# Open to close, in seconds: the one figure with a bound of its own.
ONE_MESSAGE = 0.15
BLOBS, OBJECTS, SCRATCH, ALERTS = "blobs", "objects", "scratch", "alerts"


def measure() -> Iterator[Row]:
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

        def row(
            name: str,
            task: str,
            against: str,
            reference: str,
            topic: str,
            bound: float,
            part: int = 0,
        ) -> Row:
            ours, theirs = worker(task, topic, part), worker(reference, topic, part)
            return compared(name, ours, against, theirs, bound=bound)

        worker("fill", BLOBS)()
        worker("fill-json", OBJECTS)()
        loop, plain, settings = "for message in stream", "plain loop", "plain loop, our settings"
        yield row(loop, "read", plain, "raw-read-defaults", BLOBS, 1 / 1.2)
        yield row(loop, "read", settings, "raw-read", BLOBS, 1 / 0.9)
        yield row("read(metadata=True)", "read-metadata", settings, "raw-read", BLOBS, 1 / 0.8)
        yield row("JSON", "read", f"{settings}, json.loads", "raw-read-json", OBJECTS, 1 / 0.75)
        same = "raw produce, same settings"
        yield row("write, idempotent", "write", same, "raw-write", SCRATCH, 1 / 0.85)
        yield row(
            "write, not idempotent", "write-plain", same, "raw-write-plain", SCRATCH, 1 / 0.85
        )
        yield row("open to first message", "first", "raw assign, poll", "raw-first", BLOBS, 1.5)
        one = row("one message, until_eos", "one", "raw, to the end, close", "raw-one", ALERTS, 1)
        yield replace(one, bound=ONE_MESSAGE / one.reference)
        linger = "raw, linger.ms=0"
        yield row("write to reader, median", "latency", linger, "raw-latency", SCRATCH, 1.3)
        yield row("write to reader, 99 of 100", "latency", linger, "raw-latency", SCRATCH, 1.3, 1)
