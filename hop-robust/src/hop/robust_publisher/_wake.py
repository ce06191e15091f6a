"""Waking a thread that waits."""

from __future__ import annotations

from queue import Empty, SimpleQueue


class Wake:
    """What `threading.Event` does, for those whose signal handlers may raise: Ctrl-C in the middle of `Event.set`
    leaves it locked for ever.
    """

    def __init__(self) -> None:
        self._queue: SimpleQueue[None] = SimpleQueue()

    def set(self) -> None:
        """Wake the thread, or let its next `wait` return at once."""
        if self._queue.empty():
            self._queue.put(None)

    def clear(self) -> None:
        """Forget what was set."""
        while not self._queue.empty():
            self._queue.get()

    def wait(self, timeout: float | None = None) -> None:
        """Wait until it is set, at most for so many seconds."""
        try:
            self._queue.get(timeout=timeout)
        except Empty:
            return
