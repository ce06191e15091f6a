"""A program that keeps numbered messages in a journal and sends them nowhere.

Called with a channel for `seccomp`, the journal's path, `durable` or `default`, and the number of its first message, it
tells whoever watches its system calls what it knows by opening files that do not exist: `safe-N`, the message N is on
disk; `sent-N`, it is about to be marked as sent.
"""

from __future__ import annotations

import contextlib
import os
import sys
import time
from collections import deque
from pathlib import Path

import seccomp

from hop.robust_publisher import PublicationJournal

# What is written with durable=False is on disk after 50 ms and what the disk needs.
PATIENCE = 0.3


def main() -> None:
    channel, path, durable = int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3] == "durable"
    first = int(sys.argv[4])
    seccomp.be_watched(channel)

    def say(what: str, number: int) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.open(path.with_name(f"{what}-{number}"), os.O_RDONLY)

    waiting: deque[tuple[int, int]] = deque()
    # Files of 16 kB.
    with PublicationJournal(path, durable=durable, max_journal_bytes=1 << 16) as journal:

        def send(count: int) -> None:
            while len(waiting) > count:
                sequence, number = waiting.popleft()
                say("sent", number)
                journal.mark_message_sent(sequence)

        while (message := journal.get_next_message_to_send()) is not None:
            waiting.append((message.sequence, int(message.message.split()[0])))
        unsaid: list[int] = []
        for number in range(first, first + 100):
            sequence = journal.queue_message(b"%d " % number + b"x" * (200 + 13 * (number - first)))
            assert journal.get_next_message_to_send() is not None
            waiting.append((sequence, number))
            unsaid.append(number)
            if durable or len(unsaid) == 10:
                time.sleep(0 if durable else PATIENCE)
                for each in unsaid:
                    say("safe", each)
                unsaid.clear()
            # From time to time all of them are, and the journal is emptied.
            send(0 if number % 35 == 34 else 25)


if __name__ == "__main__":
    main()
