"""Ending what would go on for ever."""

from __future__ import annotations

import os
import select
import signal
import stat
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any


class Watch:
    """Calls `stop` when nothing has happened for a while, or when a time has come.

    Args:
        stop: what to call, from another thread.
        idle: seconds without a `touch` to wait for, None for any number.
        end: seconds from now, None for never.
    """

    def __init__(self, stop: Callable[[], None], idle: float | None, end: float | None) -> None:
        self._stop = stop
        self._idle = idle
        self._end = None if end is None else time.monotonic() + end
        self._touched = time.monotonic()
        self._over = threading.Event()
        self.idle = False
        """Whether it was for want of messages."""
        if idle is not None or end is not None:
            threading.Thread(target=self._run, daemon=True).start()

    def touch(self) -> None:
        """Something has happened."""
        self._touched = time.monotonic()

    def close(self) -> None:
        self._over.set()

    def _run(self) -> None:
        while True:
            idle_end = None if self._idle is None else self._touched + self._idle
            next_end = min(end for end in (idle_end, self._end) if end is not None)
            left = next_end - time.monotonic()
            if left <= 0:
                self.idle = next_end == idle_end
                self._stop()
                return
            if self._over.wait(left):
                return


@contextmanager
def stopped_by_signals(stop: Callable[[], None]) -> Iterator[None]:
    """Within, Ctrl-C and SIGTERM call `stop`; the second time they do what they always do."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    # A job in the background of a script ignores Ctrl-C, which is meant for others.
    numbers = [n for n in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(n) != signal.SIG_IGN]
    before: dict[int, Any] = {}

    def handler(number: int, frame: object) -> None:
        signal.signal(number, before[number])
        stop()

    for number in numbers:
        before[number] = signal.signal(number, handler)
    try:
        yield
    finally:
        for number in numbers:
            signal.signal(number, before[number])


@contextmanager
def while_read(output: IO[str], gone: Callable[[], None]) -> Iterator[None]:
    """Within, `gone` is called, from another thread, when nobody reads any more what is written there.

    Writing would tell too, but only when there is something to write. Anything but a pipe has no such reader.
    """
    pipe = _pipe(output)
    if pipe is None:
        yield
        return
    woken, wake = os.pipe()
    poll = select.poll()
    poll.register(pipe, 0)
    poll.register(woken, select.POLLIN)

    def run() -> None:
        if pipe in dict(poll.poll()):
            gone()

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield
    finally:
        os.close(wake)
        thread.join()
        os.close(woken)


def _pipe(output: IO[str]) -> int | None:
    """Its number, if it is a pipe that can be watched here."""
    try:
        number = output.fileno()
    except OSError:
        return None  # a program has put something of its own there
    watched = hasattr(select, "poll") and stat.S_ISFIFO(os.fstat(number).st_mode)
    return number if watched else None
