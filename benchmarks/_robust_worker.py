"""One measurement of benchmarks/robust.py in its own process: `_robust_worker.py TASK`, the rest as JSON on stdin.

It prints seconds.
"""

from __future__ import annotations

import json
import os
import sys
import time
import uuid
from pathlib import Path
from typing import Any

import confluent_kafka

from hop.auth import Auth
from hop.robust_publisher import PublicationJournal, RobustProducer

TASK = sys.argv[1]
WHERE = json.load(sys.stdin)
COUNT, TOPIC, FOLDER = WHERE["count"], WHERE["topic"], Path(WHERE["folder"])
AUTH = Auth(WHERE["user"], WHERE["password"], ssl_ca_location=WHERE["ca"])
BODY = os.urandom(1000)
HEADERS = [("_id", BODY[:16]), ("_format", b"blob"), ("_sender", b"hop")]
FULL = FOLDER / "full" / "publisher.journal"


def raw() -> float:
    """What a program does that sees to it itself that all messages arrive, as confluent-kafka's documentation shows it:
    an identity for each, a callback, a look at deliveries with each message.
    """
    producer = confluent_kafka.Producer(
        {
            "bootstrap.servers": WHERE["address"],
            **AUTH(),
            "enable.idempotence": True,
        }
    )
    delivered = 0

    def on_delivery(error: Any, message: Any) -> None:
        nonlocal delivered
        assert error is None
        delivered += 1

    producer.produce(TOPIC, BODY, headers=HEADERS, on_delivery=on_delivery)
    producer.flush()
    start = time.perf_counter()
    for _ in range(COUNT):
        headers = [("_id", uuid.uuid4().bytes), ("_format", b"blob"), ("_sender", b"hop")]
        while True:
            try:
                producer.produce(TOPIC, BODY, headers=headers, on_delivery=on_delivery)
                break
            except BufferError:
                producer.poll(0.2)
        producer.poll(0)
    producer.flush()
    assert delivered == COUNT + 1
    return time.perf_counter() - start


def publisher(durable: bool) -> RobustProducer:
    """A publisher that is connected."""
    journal = FOLDER / uuid.uuid4().hex / "publisher.journal"
    journal.parent.mkdir()
    found = RobustProducer(
        f"kafka://{WHERE['address']}/{TOPIC}", auth=AUTH, journal_path=journal, durable=durable
    )
    found.start()
    found.write(BODY)
    # An empty journal says that everything has arrived.
    while journal.stat().st_size:
        time.sleep(0.01)
    return found


def write(batch: int, *, durable: bool = False) -> float:
    """From the first message to the broker's last confirmation."""
    found = publisher(durable)
    start = time.perf_counter()
    if batch == 1:
        for _ in range(COUNT):
            found.write(BODY)
    else:
        for _ in range(0, COUNT, batch):
            found.write_many([BODY] * batch)
    assert found.stop() == 0
    return time.perf_counter() - start


def durable() -> float:
    """Until the last message is on disk, while they are being sent."""
    found = publisher(True)
    start = time.perf_counter()
    for _ in range(WHERE["syncs"]):
        found.write(BODY)
    seconds = time.perf_counter() - start
    found.stop()
    return seconds


def bare() -> float:
    """The same number of bytes, one after another, with nothing around it."""
    descriptor = os.open(FOLDER / uuid.uuid4().hex, os.O_WRONLY | os.O_CREAT)
    start = time.perf_counter()
    for _ in range(WHERE["syncs"]):
        os.write(descriptor, BODY)
        os.fdatasync(descriptor)
    return time.perf_counter() - start


def fill() -> float:
    FULL.parent.mkdir()
    with PublicationJournal(FULL) as journal:
        for _ in range(WHERE["records"]):
            journal.queue_message(BODY, HEADERS, topic=TOPIC)
    return 0.0


def open_full() -> float:
    start = time.perf_counter()
    journal = PublicationJournal(FULL)
    seconds = time.perf_counter() - start
    assert journal.has_messages_to_send()
    journal.close()
    return seconds


TASKS = {
    "raw": raw,
    "write": lambda: write(1),
    "write-100": lambda: write(100),
    "durable": durable,
    "durable-1000": lambda: write(1000, durable=True),
    "bare": bare,
    "fill": fill,
    "open": open_full,
}
print(TASKS[TASK]())
