"""A program that publishes numbered messages: `publish.py JOB`, the job as JSON, see `Job`.

It says on standard output, a line each: `open SECONDS`; `ok N` when message N was accepted, `no N REASON` when it was
not; `left N`, how many are in the journal at the end; `raised REASON` when opening or stopping failed.
"""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import Any

from hop.auth import Auth
from hop.robust_publisher import QueuedMessage, RobustProducer


@dataclass
class Job:
    """What to publish.

    Attributes:
        url: where to.
        journal: the journal's path.
        user, password, ca: the credential; without a user, none.
        first: the number of the first message.
        count: how many messages each thread writes.
        size: how large they are, in bytes.
        batch: how many to write together.
        threads: how many threads write; the numbers of each begin a million after those of the one before.
        pause: how long to wait after each write, in seconds.
        large: the number of one message that is larger than any broker takes.
        topics: names to write to in turn, instead of the URL's.
        stop: how long to wait for them to be sent, in seconds; None for as long as it takes.
        hold: whether to wait for a line on standard input before it stops.
        watched: the descriptor of a socket, if the system calls are to be watched.
        options: further arguments of `RobustProducer`.
    """

    url: str
    journal: str
    user: str | None = None
    password: str = ""
    ca: str = ""
    first: int = 0
    count: int = 0
    size: int = 1000
    batch: int = 1
    threads: int = 1
    pause: float = 0.0
    large: int | None = None
    topics: list[str | None] = field(default_factory=lambda: [None])
    stop: float | None = None
    hold: bool = False
    watched: int | None = None
    options: dict[str, Any] = field(default_factory=dict)


def say(*words: object) -> None:
    # At once and in one piece: the program may be killed at any moment.
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


def body(number: int, size: int) -> bytes:
    return b"%d " % number + b"x" * (size - len(str(number)) - 1)


def write(publisher: RobustProducer, job: Job, thread: int) -> None:
    first = job.first + thread * 1_000_000
    for start in range(first, first + job.count, job.batch):
        numbers = range(start, min(start + job.batch, first + job.count))
        bodies = [body(n, 3_000_000 if n == job.large else job.size) for n in numbers]
        topic = job.topics[start % len(job.topics)]
        try:
            if len(bodies) == 1:
                publisher.write(bodies[0], topic=topic)
            else:
                publisher.write_many(bodies, topic=topic)
        except RuntimeError as exc:
            for number in numbers:
                say("no", number, exc)
        else:
            os.write(1, b"".join(b"ok %d\n" % number for number in numbers))
        if job.pause:
            time.sleep(job.pause)


def refused(message: QueuedMessage, reason: str) -> None:
    say("dead", message.message.split(b" ")[0].decode(), reason)


def main() -> int:
    job = Job(**json.loads(sys.argv[1]))
    auth = Auth(job.user, job.password, ssl_ca_location=job.ca) if job.user else False
    if job.watched is not None:
        import seccomp

        seccomp.be_watched(job.watched)
    begin = time.monotonic()
    try:
        publisher = RobustProducer(
            job.url, auth=auth, journal_path=job.journal, on_refused=refused, **job.options
        )
    except (OSError, RuntimeError) as exc:
        say("raised", repr(exc))
        return 3
    publisher.start()
    say("open", time.monotonic() - begin)
    threads = [
        threading.Thread(target=write, args=(publisher, job, number))
        for number in range(job.threads)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if job.hold:
        sys.stdin.readline()
    try:
        left = publisher.stop(job.stop)
    except RuntimeError as exc:
        say("raised", repr(exc))
        return 4
    say("left", left)
    return 0


if __name__ == "__main__":
    sys.exit(main())
