"""Sending for as long as there is something to send, whatever goes wrong."""

from __future__ import annotations

import logging
import time

from hop.robust_publisher._errors import PublisherError
from hop.robust_publisher._sender import Sender
from hop.robust_publisher._store import Store
from hop.robust_publisher._wake import Wake

logger = logging.getLogger("hop.robust_publisher")

# So often in a row may sending fail for a reason that nobody has thought of, without a message arriving in between.
_MAX_FAILURES = 5
_FIRST_PAUSE = 0.2


class Worker:
    """Keeps a sender going; `run` is called in a thread of its own, everything else in others.

    Args:
        store: the journal.
        sender: what sends from it.

    Attributes:
        wake: set when there is something new to do.
        running: whether `run` is at work.
    """

    def __init__(self, store: Store, sender: Sender) -> None:
        self.wake = Wake()
        self.running = False
        self._store = store
        self._sender = sender
        self._ending = False
        self._end: float | None = None
        self._broken: BaseException | None = None

    def end(self, timeout: float | None) -> None:
        """Let `run` return when everything has been sent, or after so many seconds if they are given."""
        self._end = None if timeout is None else time.monotonic() + timeout
        self._ending = True
        self.wake.set()

    def check(self) -> None:
        """Raise `PublisherError` if it had to give up."""
        if self._broken is not None:
            raise PublisherError(
                f"sending from the journal {self._store.path} has failed again and again ({self._broken!r});"
                " what it holds is sent when a new publisher is started with it"
            ) from self._broken

    def run(self) -> None:
        """Send, until told to end. An error that nobody has thought of is not the end: it begins again."""
        self.running = True
        try:
            self._run()
        finally:
            self.running = False

    def _run(self) -> None:
        failures, confirmed, pause = 0, 0, _FIRST_PAUSE
        while not self._finished():
            try:
                self._sender.step(self.wake, self._end)
            except BaseException as exc:
                if self._sender.confirmed != confirmed:
                    failures, confirmed, pause = 0, self._sender.confirmed, _FIRST_PAUSE
                failures += 1
                logger.exception("sending from the journal %s failed", self._store.path)
                if failures >= _MAX_FAILURES or not isinstance(exc, Exception):
                    self._broken = exc
                    return
                self.wake.wait(pause)
                pause *= 2
                if failures > 1:
                    self._begin_again()

    def close(self) -> None:
        """Give up what is on its way, when `run` has returned."""
        self._sender.close()

    def _finished(self) -> bool:
        if not self._ending:
            return False
        return not self._store.log.live or (self._end is not None and time.monotonic() >= self._end)

    def _begin_again(self) -> None:
        try:
            self._sender.renew()
        except Exception:
            logger.exception("cannot begin again with a new connection")
