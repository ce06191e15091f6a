"""Publishes numbered messages until it is told to stop (SIGTERM) or killed: `python -m soak.publish`.

Its ledger says `up` when it can be told; `try FIRST END` before these messages are written, and `ok FIRST END` when the
publisher is answerable for them: with `hop.io` (the way "stream") when `flush` has returned, with a `RobustProducer`
("robust") when `write` has. `failed FIRST END REASON`: it was told that they may not have arrived.
"""

from __future__ import annotations

import random
import signal
import sys
import threading
from collections.abc import Callable

from soak.job import Job, given, opened, options, say

from hop.io import DeliveryError, Stream
from hop.robust_publisher import RobustProducer

_LARGEST_BATCH = 40


def main() -> int:
    stopping = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stopping.set())
    say("up")
    job = given()
    {"stream": by_stream, "robust": by_robust}[job.way](job, stopping)
    return 0


def by_stream(job: Job, stopping: threading.Event) -> None:
    stream = Stream(auth=job.auth)
    with opened(job, lambda url: stream.open(url, "w", **options())) as producer:

        def write(first: int, end: int) -> None:
            try:
                for number in range(first, end):
                    producer.write(body(job, number), key=str(number))
                producer.flush()
            except DeliveryError as exc:
                say("failed", first, end, exc)
            else:
                say("ok", first, end)

        publish(job, stopping, write)


def by_robust(job: Job, stopping: threading.Event) -> None:
    url = f"kafka://{job.addresses[0]}/{job.topic}"
    with RobustProducer(url, auth=job.auth, journal_path=job.journal, **options()) as publisher:

        def write(first: int, end: int) -> None:
            if first % 2:
                publisher.write_many(body(job, number) for number in range(first, end))
            else:
                for number in range(first, end):
                    publisher.write(body(job, number), key=str(number))
            say("ok", first, end)

        publish(job, stopping, write)


def publish(job: Job, stopping: threading.Event, write: Callable[[int, int], None]) -> None:
    """Write batches of all sizes, at the rate asked for."""
    chance = random.Random(job.seed)
    number = job.first
    while not stopping.is_set():
        end = number + chance.randint(1, _LARGEST_BATCH)
        say("try", number, end)
        write(number, end)
        stopping.wait(chance.uniform(0, 2) * (end - number) / job.rate)
        number = end


def body(job: Job, number: int) -> bytes:
    return f"{job.name} {number} ".encode() + b"x" * 100


if __name__ == "__main__":
    sys.exit(main())
