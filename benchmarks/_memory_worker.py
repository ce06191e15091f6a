"""One measurement of benchmarks/memory.py in its own process: `_memory_worker.py TASK`, the rest as JSON on stdin.

It prints megabytes.
"""

from __future__ import annotations

import json
import re
import sys
import time
from pathlib import Path

import confluent_kafka

from hop.auth import Auth
from hop.io import StartPosition, Stream

WHERE = json.load(sys.stdin)
COUNT, TOPIC = WHERE["count"], WHERE["topic"]
AUTH = Auth(WHERE["user"], WHERE["password"], ssl_ca_location=WHERE["ca"])
URL = f"kafka://{WHERE['address']}/{TOPIC}"
EVERYTHING = Stream(auth=AUTH, start_at=StartPosition.EARLIEST)
# From here on what is allocated once is there.
WARM = 100_000
# A program that takes a message so seldom, for so long, in seconds.
PAUSE, SLOW = 0.1, 15


def memory(what: str) -> float:
    found = re.search(rf"{what}:\s*(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    return int(found[1]) / 1024


def fill() -> float:
    # Not compressed: a fetch of 8 MB is to be 8 MB of messages.
    settings = {"linger.ms": 50, "queue.buffering.max.messages": 1_000_000}
    producer = confluent_kafka.Producer({**WHERE["admin"], **settings})
    body = b"x" * WHERE["size"]
    for number in range(COUNT):
        while True:
            try:
                producer.produce(TOPIC, body)
                break
            except BufferError:
                producer.poll(0.1)
        if number % 10_000 == 0:
            producer.poll(0)
    assert producer.flush(120) == 0
    return 0.0


def growth() -> float:
    before = 0.0
    with EVERYTHING.open(URL) as stream:
        for seen, _ in enumerate(stream, 1):
            if seen == WARM:
                before = memory("VmRSS")
            elif seen == COUNT:
                break
        return memory("VmRSS") - before


def waiting() -> float:
    with EVERYTHING.open(URL) as stream:
        before = memory("VmRSS")
        end = time.monotonic() + SLOW
        for _ in stream:
            time.sleep(PAUSE)
            if time.monotonic() > end:
                break
        return memory("VmHWM") - before


if __name__ == "__main__":
    print({"fill": fill, "growth": growth, "waiting": waiting}[sys.argv[1]]())
