"""What a process of the soak is told, and how it says what it does."""

from __future__ import annotations

import json
import os
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

from hop.auth import Auth
from hop.io import StreamError

# How long to look for a broker that answers, in seconds: one of them is always about to come back.
_PATIENCE = 60.0

T = TypeVar("T")


@dataclass(frozen=True)
class Job:
    """What one process does from its start to its end.

    Attributes:
        name: whose ledger this is; the same after a restart.
        way: how it publishes or reads, see `publish.py` and `read.py`.
        addresses: `host:port` of every broker, the one to try first in front.
        topic: the topic.
        user, password, ca: the credential.
        seed: what its own choices come from.
        first: the number of the first message; a publisher that was restarted does not repeat numbers.
        rate: how many messages a second to publish, about.
        journal: the journal of a robust publisher.
        group: the group of a reader; without one it reads all partitions.
        offsets: where a reader without a group goes on, by partition.
    """

    name: str
    way: str
    addresses: list[str]
    topic: str
    user: str
    password: str
    ca: str
    seed: str
    first: int = 0
    rate: float = 50.0
    journal: str = ""
    group: str | None = None
    offsets: Mapping[str, int] = field(default_factory=dict)

    @property
    def auth(self) -> Auth:
        return Auth(self.user, self.password, ssl_ca_location=self.ca)

    def text(self) -> str:
        return json.dumps(asdict(self))


def given() -> Job:
    """The job, a line of standard input: a command line would show the password.

    From then on this process ends when its standard input does, which the soak holds open for as long as it lives.
    """
    job = Job(**json.loads(sys.stdin.readline()))
    threading.Thread(target=_end_with_the_soak, name="end with the soak", daemon=True).start()
    return job


def _end_with_the_soak() -> None:
    # Past Python's own buffer, whose lock would be in the way of an end that comes first.
    while os.read(0, 1):
        pass
    os._exit(1)


def say(*words: object) -> None:
    """Add a line to the ledger, at once and in one piece: the process may be killed at any moment."""
    os.write(1, (" ".join(map(str, words)) + "\n").encode())


def opened(job: Job, attempt: Callable[[str], T]) -> T:
    """Call `attempt` with URLs of the brokers in turn until one of them lets it open.

    A program's users name one broker in a URL, and that may be the one that is dead.
    """
    deadline = time.monotonic() + _PATIENCE
    turn = 0
    while True:
        try:
            return attempt(f"kafka://{job.addresses[turn % len(job.addresses)]}/{job.topic}")
        except StreamError as exc:
            if time.monotonic() > deadline:
                raise
            # Standard error is the process's log.
            print(f"cannot open: {exc}", file=sys.stderr, flush=True)
            turn += 1


def options(**more: Any) -> dict[str, Any]:
    """Settings of librdkafka: a broker that is back is to be found soon."""
    return {"reconnect.backoff.max.ms": 1000, **more}
