"""Reads until it is told to stop (SIGTERM) or killed: `python -m soak.read`.

Its ledger says `up` when it can be told; `read PARTITION OFFSET NAME NUMBER` for each message when it has dealt with
it, which is before it marks it or asks for the next. The ways: "marks" marks half of what it has read, some of that at
once and the rest in the background; "autocommit" leaves that to the stream; "direct" is in no group and goes on where
its ledger ends.
"""

from __future__ import annotations

import random
import signal
import sys

from soak.job import Job, given, opened, options, say

from hop.io import Consumer, StartPosition, Stream

# Seconds, in milliseconds: a member that was killed is missed soon.
_GROUP = {"session.timeout.ms": 6000, "heartbeat.interval.ms": 1000}


def main() -> int:
    told = False

    def remember(*_: object) -> None:
        nonlocal told
        told = True

    signal.signal(signal.SIGTERM, remember)
    say("up")
    job = given()
    with opened(job, lambda url: start(job, url)) as consumer:
        signal.signal(signal.SIGTERM, lambda *_: consumer.stop())
        if not told:
            read(job, consumer)
    return 0


def start(job: Job, url: str) -> Consumer:
    if job.group is not None:
        everything = Stream(auth=job.auth, start_at=StartPosition.EARLIEST)
        return everything.open(url, "r", job.group, **options(**_GROUP))
    offsets = {(job.topic, int(partition)): offset for partition, offset in job.offsets.items()}
    return Stream(auth=job.auth, start_at=offsets).open(url, "r", **options())


def read(job: Job, consumer: Consumer) -> None:
    chance = random.Random(job.seed)
    for message, metadata in consumer.read(metadata=True, autocommit=job.way == "autocommit"):
        name, number, _ = message.content.split(b" ")
        say("read", metadata.partition, metadata.offset, name.decode(), number.decode())
        if job.way == "marks" and chance.random() < 0.5:
            consumer.mark_done(metadata, asynchronous=chance.random() < 0.98)


if __name__ == "__main__":
    sys.exit(main())
