"""How cost grows: 1, 2 and 4 readers of a group over 8 partitions, and reading and writing of more and more messages.

Readers are processes, each with a core as far as there are any; the broker is on the same machine. With two cores,
which the broker shares, more readers than one are no faster: what has to be seen is that they are not slower.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from uuid import uuid4

from benchmarks._harness import Row
from hop.sandbox import KafkaBroker, kafka_broker

PARTITIONS = 8
SMALLEST = 10_000
GROUP_MESSAGES = 2_000_000
ROUNDS = 3
# Ten times the messages may take so many times the time, and a share of what is fixed.
GROWTH = 12.0
WORKER = Path(__file__).with_name("_scaling_worker.py")


def measure(largest: str = "1000000") -> Iterator[Row]:
    with kafka_broker() as broker:
        yield from _readers(broker)
        yield from _sizes(broker, int(largest))


def _given(broker: KafkaBroker, topic: str, count: int) -> str:
    user = broker.users["hop"]
    where = {
        "address": broker.address,
        "user": user.username,
        "password": user.password,
        "ca": str(broker.ca_file),
        "topic": topic,
        "group": f"{user.username}-{uuid4().hex}",
        "count": count,
    }
    return json.dumps(where) + "\n"


def _topic(broker: KafkaBroker, partitions: int) -> str:
    name = f"bench-{uuid4().hex}"
    broker.create_topic(name, partitions)
    return name


def _work(task: str, given: str) -> float:
    done = subprocess.run(
        [sys.executable, WORKER, task], input=given, stdout=subprocess.PIPE, text=True, check=True
    )
    return float(done.stdout)


def _readers(broker: KafkaBroker) -> Iterator[Row]:
    topic = _topic(broker, PARTITIONS)
    _work("write", _given(broker, topic, GROUP_MESSAGES))
    found: dict[int, list[float]] = {1: [], 2: [], 4: []}
    for turn in range(ROUNDS + 1):
        for count, times in found.items():
            took = _group(broker, topic, count)
            if turn:
                times.append(took)
    alone = found.pop(1)
    for count, times in found.items():
        ratio = median(x / y for x, y in zip(times, alone, strict=True))
        name = f"{count} readers of a group, {PARTITIONS} partitions, {GROUP_MESSAGES:,} messages"
        yield Row(name, "1 reader", median(times), median(alone), ratio, 1.5)


def _group(broker: KafkaBroker, topic: str, count: int) -> float:
    """From the moment when all may join the group until all messages have been read; sharing the partitions counts."""
    given = _given(broker, topic, GROUP_MESSAGES)
    with ExitStack() as stack:
        readers = [
            stack.enter_context(
                subprocess.Popen(
                    [sys.executable, str(WORKER), "member"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    text=True,
                )
            )
            for _ in range(count)
        ]
        for reader in readers:
            assert reader.stdin is not None
            reader.stdin.write(given)
            reader.stdin.flush()
        for reader in readers:
            assert reader.stdout is not None
            assert reader.stdout.readline() == "open\n"
        start = time.time()
        for reader in readers:
            assert reader.stdin is not None
            reader.stdin.write("go\n")
            reader.stdin.flush()
        ends = [json.loads(reader.communicate()[0]) for reader in readers]
    assert sum(seen for seen, _ in ends) >= GROUP_MESSAGES
    return float(max(end for _, end in ends)) - start


def _sizes(broker: KafkaBroker, largest: int) -> Iterator[Row]:
    before: dict[str, float] = {}
    size = SMALLEST
    while size <= largest:
        topic = _topic(broker, 1)
        given = _given(broker, topic, size)
        for task in ("write", "read"):
            # What is written once is read in rounds; the middle one counts.
            took = median(_work(task, given) for _ in range(1 if task == "write" else ROUNDS))
            if task in before:
                ratio = took / before[task]
                yield Row(f"{task} {size:,}", f"{size // 10:,}", took, before[task], ratio, GROWTH)
            before[task] = took
        size *= 10
