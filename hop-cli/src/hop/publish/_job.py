"""What the ways to publish share: what to publish, and how to say what became of it."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any

from hop.cli import CommandError
from hop.cli._text import is_terminal
from hop.io import KafkaURL, parse_url
from hop.publish._progress import progress
from hop.publish._reading import Located, read

INTERRUPTED = 130


class Job:
    """What is to be published.

    Args:
        args: the command's arguments.

    Attributes:
        place: topic and broker, in words.

    Raises:
        ValueError: the URL is malformed.
        CommandError: it does not name one topic.
    """

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        target: KafkaURL = parse_url(args.url)
        if len(target.topics) != 1:
            raise CommandError(
                f"cannot publish to {args.url}: name one topic, as in kafka://host/topic"
            )
        self.place = f"{target.topics[0]} at {target.broker}"
        self._typed = not args.message and is_terminal(sys.stdin)
        if self._typed:
            self.say("Reading messages from the terminal; Ctrl-D ends them.")
        self._found = read(args.format, args.message)

    def look(self) -> bool:
        """Read the first message, unless it is there already, and return whether there is one.

        What can't even be read needs no broker to be refused.

        Raises:
            CommandError: it can't be read; says why.
        """
        first = next(self._found, None)
        if first is not None:
            self._found = chain([first], self._found)
        return first is not None

    def messages(self) -> Iterator[Located]:
        """All messages, one at a time, with a progress bar for who waits."""
        # A bar would be in the way of what is being typed.
        return self._found if self._typed or self.args.quiet else progress(self._found)

    def say(self, text: str) -> None:
        """Tell the user, who may not want to know."""
        if not self.args.quiet:
            print(text, file=sys.stderr)


def count(number: int) -> str:
    return "1 message" if number == 1 else f"{number} messages"


class Interrupts:
    """Within its `with` block, SIGTERM is KeyboardInterrupt, as Ctrl-C is, and neither comes where it is held back."""

    def __init__(self) -> None:
        self._before: dict[int, Any] = {}
        self._held = self._came = False

    def __enter__(self) -> Interrupts:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                # A job in the background of a script ignores Ctrl-C, which is meant for others.
                if signal.getsignal(number) != signal.SIG_IGN:
                    self._before[number] = signal.signal(number, self._interrupt)
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @contextmanager
    def held_back(self) -> Iterator[None]:
        """In here, they wait."""
        self._held = True
        try:
            yield
        finally:
            self._held = False
        if self._came:
            raise KeyboardInterrupt

    def _interrupt(self, number: int, frame: object) -> None:
        self._came = True
        if not self._held:
            raise KeyboardInterrupt
