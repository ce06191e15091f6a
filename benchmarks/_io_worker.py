"""One measurement of benchmarks/io.py in its own process: `_io_worker.py TASK TOPIC`, the broker as JSON on stdin.

It prints seconds; for latencies two numbers, the median and the 99th percentile.
"""

from __future__ import annotations

import json
import os
import re
import struct
import sys
import threading
import time
import uuid
from collections.abc import Callable
from statistics import quantiles
from typing import Any

import confluent_kafka
from confluent_kafka import TopicPartition

from hop.auth import Auth
from hop.io import StartPosition, Stream, _reader

# Those of our settings that decide how fast messages are fetched.
FETCHING = re.compile("queued|fetch|max.partition")
TASK, TOPIC = sys.argv[1:]
WHERE = json.load(sys.stdin)
COUNT, WRITES = WHERE["count"], WHERE["writes"]
AUTH = Auth(WHERE["user"], WHERE["password"], ssl_ca_location=WHERE["ca"])
URL = f"kafka://{WHERE['address']}/{TOPIC}"
RAW: dict[str, Any] = {"bootstrap.servers": WHERE["address"], **AUTH()}
READ = {
    **RAW,
    "group.id": f"{WHERE['user']}-{uuid.uuid4().hex}",
    "auto.offset.reset": "earliest",
    "enable.auto.commit": False,
}
OURS = {name: value for name, value in _reader.DEFAULTS.items() if FETCHING.match(name)}
BODY = os.urandom(1000)
OBJECT = json.dumps(
    {"event": "S261124ab", "far": 1.2e-9, "pixels": [1.5, 2.25] * 50, "text": "GW " * 150}
).encode()
EVERYTHING = Stream(auth=AUTH, start_at=StartPosition.EARLIEST)
RATE, SECONDS = 200, 6


def fill(body: bytes, name: bytes) -> float:
    start = time.perf_counter()
    producer = confluent_kafka.Producer({**RAW, "linger.ms": 20})
    for _ in range(COUNT):
        headers = [("_id", os.urandom(16)), ("_format", name)]
        while True:
            try:
                producer.produce(TOPIC, body, headers=headers)
                break
            except BufferError:
                producer.poll(0.1)
    producer.flush()
    return time.perf_counter() - start


def raw_read(settings: dict[str, Any], decode: Callable[[bytes], object] | None = None) -> float:
    consumer = confluent_kafka.Consumer({**READ, **settings})
    consumer.list_topics(TOPIC, timeout=10)
    start = time.perf_counter()
    consumer.assign([TopicPartition(TOPIC, 0, 0)])
    seen = 0
    while seen < COUNT:
        for message in consumer.consume(1000, 1.0):
            body = message.value()
            message.headers()
            if decode is not None:
                decode(body)
            seen += 1
    return time.perf_counter() - start


def read(metadata: bool) -> float:
    with EVERYTHING.open(URL) as stream:
        start = time.perf_counter()
        messages: Any = stream.read(metadata=True) if metadata else stream
        for seen, _ in enumerate(messages, 1):
            if seen == COUNT:
                break
        return time.perf_counter() - start


def raw_write(idempotent: bool) -> float:
    producer = confluent_kafka.Producer(
        {**RAW, "acks": "all", "linger.ms": 0, "enable.idempotence": idempotent}
    )
    producer.list_topics(TOPIC, timeout=10)
    failed = []

    def delivered(error: Any, message: Any) -> None:
        if error is not None:
            failed.append(error)

    start = time.perf_counter()
    for number in range(WRITES):
        headers = [("_id", BODY[:16]), ("_format", b"blob"), ("_sender", b"hop")]
        while True:
            try:
                producer.produce(TOPIC, BODY, headers=headers, on_delivery=delivered)
                break
            except BufferError:
                producer.poll(0.2)
        if number % 256 == 0:
            producer.poll(0)
    producer.flush()
    assert not failed
    return time.perf_counter() - start


def write(idempotent: bool) -> float:
    with Stream(auth=AUTH).open(URL, "w", idempotent=idempotent) as stream:
        start = time.perf_counter()
        for _ in range(WRITES):
            stream.write(BODY)
        stream.flush()
        return time.perf_counter() - start


def raw_first() -> float:
    start = time.perf_counter()
    consumer = confluent_kafka.Consumer(READ)
    consumer.assign([TopicPartition(TOPIC, 0, 0)])
    while consumer.poll(1) is None:
        pass
    return time.perf_counter() - start


def first() -> float:
    start = time.perf_counter()
    with EVERYTHING.open(URL) as stream:
        next(iter(stream))
        return time.perf_counter() - start


def raw_one() -> float:
    start = time.perf_counter()
    settings = {"enable.partition.eof": True, "fetch.wait.max.ms": 10}
    consumer = confluent_kafka.Consumer({**READ, **settings})
    consumer.assign([TopicPartition(TOPIC, 0, 0)])
    while (message := consumer.poll(1)) is None or message.error() is None:
        pass
    consumer.close()
    return time.perf_counter() - start


def one() -> float:
    start = time.perf_counter()
    with Stream(auth=AUTH, start_at=StartPosition.EARLIEST, until_eos=True).open(URL) as stream:
        assert len(list(stream)) == 1
    return time.perf_counter() - start


def raw_reader(received: list[float], ready: threading.Event, count: int) -> None:
    consumer = confluent_kafka.Consumer(READ)
    end = consumer.get_watermark_offsets(TopicPartition(TOPIC, 0), timeout=10)[1]
    consumer.assign([TopicPartition(TOPIC, 0, end)])
    consumer.poll(0)
    ready.set()
    while len(received) < count:
        message = consumer.poll(1)
        if message is not None and message.error() is None:
            received.append(time.time() - struct.unpack_from("d", message.value())[0])


def reader(received: list[float], ready: threading.Event, count: int) -> None:
    with Stream(auth=AUTH).open(URL) as stream:
        ready.set()
        for message in stream:
            received.append(time.time() - struct.unpack_from("d", message.content)[0])
            if len(received) == count:
                return


def latency(read: Callable[..., None], produce: Callable[[bytes], object]) -> tuple[float, float]:
    """The reader is a child process; the first second is left out."""
    count = RATE * SECONDS
    out, into = os.pipe()
    if os.fork() == 0:
        received: list[float] = []
        ready = threading.Event()
        reading = threading.Thread(target=read, args=[received, ready, count])
        reading.start()
        ready.wait()
        os.write(into, b"r")
        reading.join()
        os.write(into, json.dumps(received).encode())
        os._exit(0)
    os.close(into)
    os.read(out, 1)
    start = time.perf_counter()
    for number in range(count):
        time.sleep(max(0.0, start + number / RATE - time.perf_counter()))
        produce(struct.pack("d", time.time()) + BODY[8:])
    text = b""
    while part := os.read(out, 1 << 16):
        text += part
    steps = quantiles(json.loads(text)[RATE:], n=100)
    return steps[49], steps[98]


def raw_latency() -> tuple[float, float]:
    producer: list[Any] = []

    def produce(body: bytes) -> None:
        if not producer:
            producer.append(confluent_kafka.Producer({**RAW, "acks": "all", "linger.ms": 0}))
        producer[0].produce(TOPIC, body, headers=[("_id", BODY[:16]), ("_format", b"blob")])
        producer[0].poll(0)

    result = latency(raw_reader, produce)
    producer[0].flush()
    return result


def our_latency() -> tuple[float, float]:
    # A stream is opened after the fork: it stays in the process that opened it.
    streams: list[Any] = []

    def produce(body: bytes) -> None:
        if not streams:
            streams.append(Stream(auth=AUTH).open(URL, "w"))
        streams[0].write(body)

    result = latency(reader, produce)
    streams[0].close()
    return result


def with_one_message(task: Callable[[], float]) -> float:
    consumer = confluent_kafka.Consumer(READ)
    if consumer.get_watermark_offsets(TopicPartition(TOPIC, 0), timeout=10) == (0, 0):
        producer = confluent_kafka.Producer(RAW)
        producer.produce(TOPIC, BODY)
        producer.flush()
    consumer.close()
    return task()


TASKS: dict[str, Callable[[], Any]] = {
    "fill": lambda: fill(BODY, b"blob"),
    "fill-json": lambda: fill(OBJECT, b"json"),
    "read": lambda: read(False),
    "read-metadata": lambda: read(True),
    "raw-read-defaults": lambda: raw_read({}),
    "raw-read": lambda: raw_read(OURS),
    "raw-read-json": lambda: raw_read(OURS, json.loads),
    "write": lambda: write(True),
    "write-plain": lambda: write(False),
    "raw-write": lambda: raw_write(True),
    "raw-write-plain": lambda: raw_write(False),
    "first": first,
    "raw-first": raw_first,
    "one": lambda: with_one_message(one),
    "raw-one": lambda: with_one_message(raw_one),
    "latency": our_latency,
    "raw-latency": raw_latency,
}

result = TASKS[TASK]()
print(*(result if isinstance(result, tuple) else [result]))
