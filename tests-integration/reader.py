"""A reader in a process of its own, for tests that kill it: `reader.py URL GROUP AUTOCOMMIT`.

The credential is in the environment as `HOP_USER`, `HOP_PASSWORD` and `HOP_CA`.

It prints `[partition, offset]` of each message that it has been told to read. Each line that it is told is one of

    read           read one message, or say null at the end
    mark [P, O]    mark a message as done, in the background
    commit [P, O]  the same, and be sure that the broker knows
    close          end as a program does
    raise          end by an exception
"""

from __future__ import annotations

import json
import os
import sys
from typing import Any

from hop.auth import Auth
from hop.io import Metadata, StartPosition, Stream

URL, GROUP, AUTOCOMMIT = sys.argv[1], sys.argv[2], sys.argv[3] == "True"
AUTH = Auth(
    os.environ["HOP_USER"], os.environ["HOP_PASSWORD"], ssl_ca_location=os.environ["HOP_CA"]
)
OPTIONS: dict[str, Any] = {
    "session.timeout.ms": 1000,
    "heartbeat.interval.ms": 200,
    "auto.commit.interval.ms": 50,
}


def main() -> None:
    everything = Stream(auth=AUTH, start_at=StartPosition.EARLIEST, until_eos=True)
    with everything.open(URL, "r", GROUP, **OPTIONS) as stream:
        messages = stream.read(metadata=True, autocommit=AUTOCOMMIT)
        read: dict[tuple[int, int], Metadata] = {}
        for line in sys.stdin:
            what, *where = json.loads(line)
            answer: Any = None
            if what == "read":
                _, metadata = next(messages, (None, None))
                if metadata is not None:
                    answer = metadata.partition, metadata.offset
                    read[answer] = metadata
            elif what in ("mark", "commit"):
                stream.mark_done(read[tuple(where)], asynchronous=what == "mark")
            elif what == "close":
                return
            else:
                raise SystemExit(1)
            print(json.dumps(answer), flush=True)


main()
