"""One measurement of benchmarks/clients.py in its own process: `_client_worker.py TASK`, the rest as JSON on stdin.

The tasks whose names begin with `raw-` are loops around confluent-kafka; the others are programs by the documentation
of hop, which run with every release of it: ours and the published one run the same lines. What was measured is printed
as JSON.
"""

from __future__ import annotations

import json
import os
import re
import struct
import sys
import time
from collections.abc import Callable
from itertools import islice
from pathlib import Path
from statistics import quantiles
from typing import Any

TASK = sys.argv[1]
GIVEN: dict[str, Any] = json.loads(sys.stdin.readline())
# Its log goes to standard error, where the table is looked at.
RAW: dict[str, Any] = {**GIVEN["raw"], "log_level": 2}
URL, TOPIC, COUNT = GIVEN["url"], GIVEN["topic"], GIVEN["count"]
BODY = os.urandom(1000)
HEADERS = [("_id", BODY[:16]), ("_format", b"blob")]
RATE = 200


def raw_consumer(offset: int) -> Any:
    from confluent_kafka import Consumer, TopicPartition

    consumer = Consumer({**RAW, "group.id": "hop-bench", "enable.auto.commit": False})
    consumer.assign([TopicPartition(TOPIC, 0, offset)])
    return consumer


def raw_bodies(consumer: Any) -> Any:
    """The loop for the lowest latency: what there is, as soon as there is something."""
    while True:
        message = consumer.poll(1)
        if message is not None and message.error() is None:
            message.headers()
            yield message.value()


def raw_many(consumer: Any) -> Any:
    """The loop for the highest rate."""
    while True:
        for message in consumer.consume(1000, 1.0):
            if message.error() is None:
                message.headers()
                yield message.value()


def opened(mode: str, earliest: bool = True) -> Any:
    from hop.io import StartPosition, Stream

    start = StartPosition.EARLIEST if earliest else StartPosition.LATEST
    # The published one knows no types.
    stream: Any = Stream(auth=True, start_at=start)
    return stream.open(URL, mode)


def rate(messages: Any) -> float:
    """Messages a second, after the first one."""
    iterator = iter(messages)
    next(iterator)
    start = time.perf_counter()
    for _ in islice(iterator, COUNT - 1):
        pass
    return float((COUNT - 1) / (time.perf_counter() - start))


def raw_read() -> float:
    return rate(raw_many(raw_consumer(0)))


def read() -> float:
    with opened("r") as stream:
        return rate(stream)


def raw_first() -> float:
    import confluent_kafka  # noqa: F401  # importing is measured elsewhere

    start = time.perf_counter()
    next(raw_bodies(raw_consumer(0)))
    return time.perf_counter() - start


def first() -> float:
    import hop.io  # noqa: F401

    start = time.perf_counter()
    with opened("r") as stream:
        next(iter(stream))
        return time.perf_counter() - start


def raw_producer() -> Any:
    from confluent_kafka import Producer

    producer = Producer({**RAW, "acks": "all", "enable.idempotence": True, "linger.ms": 0})
    raw_write_one(producer)
    producer.flush()
    return producer


def raw_write_one(producer: Any, body: bytes = BODY) -> None:
    while True:
        try:
            producer.produce(TOPIC, body, headers=HEADERS)
        except BufferError:
            producer.poll(0.1)
        else:
            producer.poll(0)
            return


def raw_write() -> float:
    producer = raw_producer()
    start = time.perf_counter()
    for _ in range(COUNT):
        raw_write_one(producer)
    producer.flush()
    return float(COUNT / (time.perf_counter() - start))


def write() -> float:
    """From the first message until all are confirmed."""
    with opened("w") as stream:
        stream.write(BODY)
        time.sleep(0.5)
        start = time.perf_counter()
        for _ in range(COUNT):
            stream.write(BODY)
    return float(COUNT / (time.perf_counter() - start))


def robust() -> float:
    """From the first message until all are confirmed."""
    from hop.robust_publisher import RobustProducer

    with RobustProducer(URL, journal_path=GIVEN["journal"]) as publisher:
        publisher.write(BODY)
        time.sleep(1.0)
        start = time.perf_counter()
        for _ in range(COUNT):
            publisher.write(BODY)
    return float(COUNT / (time.perf_counter() - start))


def listen(bodies: Any) -> list[float]:
    """Median and 99th percentile of the time that messages took, in milliseconds.

    It says `ready` at the first message, which the writer repeats until then.
    """
    took: list[float] = []
    ready = False
    for body in bodies:
        at = time.time()
        warming, sent = struct.unpack_from("?d", body)
        if warming:
            if not ready:
                print("ready", flush=True)
            ready = True
        else:
            took.append(1000 * (at - sent))
            if len(took) == COUNT:
                break
    steps = quantiles(took[RATE:], n=100)
    return [steps[49], steps[98]]


def raw_listen() -> list[float]:
    from confluent_kafka import OFFSET_END

    return listen(raw_bodies(raw_consumer(OFFSET_END)))


def hop_listen() -> list[float]:
    with opened("r", earliest=False) as stream:
        return listen(message.content for message in stream)


def speak(write_one: Callable[[bytes], object]) -> None:
    """Repeat a message until the reader has one, which a line on standard input says, then write at a steady rate."""
    from threading import Event, Thread

    ready = Event()

    def wait() -> None:
        sys.stdin.readline()
        ready.set()

    Thread(target=wait, daemon=True).start()
    while not ready.wait(0.1):
        write_one(struct.pack("?d", True, 0.0) + BODY[16:])
    start = time.perf_counter()
    for number in range(COUNT):
        time.sleep(max(0.0, start + number / RATE - time.perf_counter()))
        write_one(struct.pack("?d", False, time.time()) + BODY[16:])


def raw_speak() -> None:
    producer = raw_producer()
    speak(lambda body: raw_write_one(producer, body))
    producer.flush()


def hop_speak() -> None:
    with opened("w") as stream:
        speak(stream.write)


def peak(task: Callable[[], object]) -> float:
    """The most memory that this process had after doing something, in megabytes."""
    task()
    found = re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text())
    assert found
    return int(found[1]) / 1024


def voevents() -> float:
    """VOEvents a second that are loaded from XML."""
    from hop.models import VOEvent

    packet = Path(GIVEN["packet"]).read_bytes()
    VOEvent.load(packet)
    start = time.perf_counter()
    for _ in range(COUNT):
        VOEvent.load(packet)
    return float(COUNT / (time.perf_counter() - start))


TASKS: dict[str, Callable[[], Any]] = {
    "raw-read": raw_read,
    "read": read,
    "raw-first": raw_first,
    "first": first,
    "raw-write": raw_write,
    "write": write,
    "raw-robust": raw_write,
    "robust": robust,
    "raw-listen": raw_listen,
    "listen": hop_listen,
    "raw-speak": raw_speak,
    "speak": hop_speak,
    "raw-peak-read": lambda: peak(raw_read),
    "peak-read": lambda: peak(read),
    "raw-peak-write": lambda: peak(raw_write),
    "peak-write": lambda: peak(write),
    "voevents": voevents,
}

if __name__ == "__main__":
    print(json.dumps(TASKS[TASK]()), flush=True)
