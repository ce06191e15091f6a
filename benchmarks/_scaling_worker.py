"""One measurement of benchmarks/scaling.py in its own process: `_scaling_worker.py TASK`, the rest as JSON on stdin.

It prints seconds; a member of a group `open`, and after a line of input how many messages it read and when the last.
"""

from __future__ import annotations

import json
import sys
import time
from typing import Any

from hop.auth import Auth
from hop.io import StartPosition, Stream

WHERE = json.loads(sys.stdin.readline())
COUNT = WHERE["count"]
AUTH = Auth(WHERE["user"], WHERE["password"], ssl_ca_location=WHERE["ca"])
URL = f"kafka://{WHERE['address']}/{WHERE['topic']}"
EVERYTHING = Stream(auth=AUTH, start_at=StartPosition.EARLIEST, until_eos=True)
BODY = b"x" * 100


def write() -> float:
    with Stream(auth=AUTH).open(URL, "w") as stream:
        start = time.perf_counter()
        for _ in range(COUNT):
            stream.write(BODY)
        stream.flush()
        return time.perf_counter() - start


def read() -> float:
    with EVERYTHING.open(URL) as stream:
        start = time.perf_counter()
        assert sum(1 for _ in stream) == COUNT
        return time.perf_counter() - start


def member() -> None:
    """Read all that the group has left."""
    # The others of a group hear with a heartbeat that one has joined.
    options: dict[str, Any] = {"heartbeat.interval.ms": 500}
    with EVERYTHING.open(URL, "r", WHERE["group"], **options) as stream:
        print("open", flush=True)
        sys.stdin.readline()
        seen, last = 0, time.time()
        for _ in stream:
            seen += 1
            last = time.time()
    print(json.dumps([seen, last]))


if __name__ == "__main__":
    if sys.argv[1] == "member":
        member()
    else:
        print({"write": write, "read": read}[sys.argv[1]]())
