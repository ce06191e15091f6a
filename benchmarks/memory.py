"""Memory of a reader: that it does not grow with what has been read, nor beyond its bound where the program is slow.

Megabytes in the columns for seconds. Messages of 20 bytes, which are the worst case of the first, and of 1 kB.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks._harness import Row

MESSAGES = 5_000_000
GROWTH = 20.0
# Of 1 kB, more than may wait.
WAITING = 400_000
# `queued.max.messages.kbytes` of hop.io, and the fetch that is on its way when it is reached.
QUEUE, FETCH = 64.0, 8.0
# What librdkafka needs for itself beside each message, and Python for the connection.
OVERHEAD = 1.5
WORKER = Path(__file__).with_name("_memory_worker.py")


def measure() -> Iterator[Row]:
    from hop.sandbox import kafka_broker

    with kafka_broker(["small", "fast"]) as broker:
        user = broker.users["hop"]

        def worker(task: str, topic: str, count: int, size: int) -> float:
            where = {
                "admin": broker.admin_config,
                "address": broker.address,
                "user": user.username,
                "password": user.password,
                "ca": str(broker.ca_file),
                "topic": topic,
                "count": count,
                "size": size,
            }
            done = subprocess.run(
                [sys.executable, WORKER, task],
                input=json.dumps(where),
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            )
            return float(done.stdout)

        worker("fill", "small", MESSAGES, 20)
        growth = worker("growth", "small", MESSAGES, 20)
        name = f"growth from message 100,000 to {MESSAGES:,} (MB)"
        yield Row(name, f"{GROWTH:.0f} MB", growth, GROWTH, growth / GROWTH, 1.0)
        worker("fill", "fast", WAITING, 1000)
        waiting = worker("waiting", "fast", WAITING, 1000)
        bound = QUEUE + FETCH
        name = f"what {WAITING:,} messages of 1 kB add beside a slow program (MB)"
        yield Row(
            name,
            f"64 MiB and one fetch ({bound:.0f} MB)",
            waiting,
            bound,
            waiting / bound,
            OVERHEAD,
        )
