"""Looking at a journal from outside: nothing is changed and no lock taken, whoever works on it meanwhile."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

from hop.robust_publisher._lock import holder
from hop.robust_publisher._message import QueuedMessage
from hop.robust_publisher._report import JournalReport, WaitingMessages
from hop.robust_publisher._view import View

JOURNAL = "publisher.journal"
# A journal that changes while it is read is read again, so many times, after this pause (seconds).
_TRIES = 10
_PAUSE = 0.05


def inspect_journal(path: str | os.PathLike[str] = JOURNAL) -> JournalReport:
    """Tell what waits in a journal, and whether it is sound; a publisher that works on it is not disturbed.

    Raises:
        FileNotFoundError: there is no journal.
        OSError: a file can't be read.
        JournalCorruptError: (a RuntimeError) the file is no journal, or one of a later release.
    """
    with closing(_view(path)) as view:
        waiting: dict[str | None, WaitingMessages] = {}
        for message, written in view.messages():
            topic, size = message.topic, len(message.message)
            found = waiting.get(topic) or WaitingMessages(topic, 0, 0, written)
            waiting[topic] = replace(found, messages=found.messages + 1, size=found.size + size)
        return JournalReport(
            path=view.path,
            holder=holder(view.path),
            earlier_release=view.earlier is not None,
            files=len(view.written),
            size=view.size,
            written=max(view.written, default=None),
            waiting=tuple(waiting.values()),
            refused=sum(1 for _ in view.refused()),
            damages=tuple(view.damages),
            unfinished=view.unfinished,
        )


def read_journal(path: str | os.PathLike[str] = JOURNAL) -> Iterator[QueuedMessage]:
    """The messages that wait in a journal, oldest first. Raises as `inspect_journal`, when the first is taken."""
    with closing(_view(path)) as view:
        for message, _ in view.messages():
            yield message


def read_refused(path: str | os.PathLike[str] = JOURNAL) -> Iterator[tuple[QueuedMessage, str]]:
    """The messages of a journal that no broker will take, and why. Raises as `inspect_journal`."""
    with closing(_view(path)) as view:
        yield from view.refused()


def _view(path: str | os.PathLike[str]) -> View:
    """A view of a journal that nobody changed in the meantime, if there is a quiet moment."""
    real = Path(os.path.realpath(path))
    before: tuple[object, ...] = ()
    for _ in range(_TRIES):
        view = View(real)
        # What another process is just writing looks damaged, the first time.
        flaws = (*view.damages, *filter(None, [view.unfinished]))
        if view.steady and flaws == before:
            return view
        before = flaws
        view.close()
        time.sleep(_PAUSE)
    return View(real)
