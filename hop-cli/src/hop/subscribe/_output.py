"""Standard output: at once when it is quiet, in blocks when it is busy."""

from __future__ import annotations

import errno
import os
import sys
import threading
from collections.abc import Callable

from hop.cli import CommandError
from hop.cli._text import is_terminal, printable
from hop.io import Metadata

# What comes is written at once by a thread of its own, which then rests so long (seconds), or when there is so much
# of it (bytes).
_BLOCK = 64 << 10
_REST = 0.02


class Output:
    """Writes messages, and tells which have been written.

    Args:
        done: called with the metadata of the last message of each partition after it has been written.
        failed: called, from another thread maybe, when there is no point in going on; `close` raises why.
    """

    def __init__(self, done: Callable[[Metadata], None], failed: Callable[[], None]) -> None:
        if sys.stdout is None:
            raise CommandError("cannot print messages: standard output is closed")
        self._terminal = is_terminal(sys.stdout)
        self._file = sys.stdout.buffer
        self._done = done
        self._failed = failed
        self._pending: list[bytes] = []
        self._size = 0
        self._last: dict[tuple[str, int], Metadata] = {}
        self._error: OSError | None = None
        self._closed = threading.Event()
        self._lock = threading.Lock()
        self._waiting = threading.Event()
        self._flusher = threading.Thread(target=self._flush_when_needed, daemon=True)
        self._flusher.start()

    def write(self, data: bytes, metadata: Metadata | None) -> None:
        """Print something soon, and after it let the message that `metadata` belongs to be done."""
        with self._lock:
            self._pending.append(printable(data, sys.stdout) if self._terminal else data)
            self._size += len(data)
            if metadata is not None:
                self._last[metadata.topic, metadata.partition] = metadata
            if self._terminal or self._size >= _BLOCK:
                self._flush()
                return
        if not self._waiting.is_set():
            self._waiting.set()

    def reader_is_gone(self) -> None:
        """Nobody reads what is printed: there is no point in going on."""
        with self._lock:
            self._fail(BrokenPipeError(errno.EPIPE, os.strerror(errno.EPIPE)))

    def close(self) -> None:
        """Print what is left.

        Raises:
            BrokenPipeError: whoever read has had enough.
            CommandError: nothing can be written any more; says why.
        """
        self._closed.set()
        self._waiting.set()
        self._flusher.join()
        with self._lock:
            self._flush()
        if isinstance(self._error, BrokenPipeError):
            raise self._error
        if self._error is not None:
            raise CommandError(
                f"cannot write to standard output: {self._error.strerror}"
            ) from self._error

    def _flush_when_needed(self) -> None:
        while not self._closed.is_set():
            self._waiting.wait()
            self._waiting.clear()
            with self._lock:
                self._flush()
            self._closed.wait(_REST)

    def _flush(self) -> None:
        if self._error is not None:
            return
        data = b"".join(self._pending)
        self._pending.clear()
        self._size = 0
        try:
            self._file.write(data)
            self._file.flush()
        except OSError as exc:
            self._fail(exc)
            return
        last, self._last = self._last, {}
        for metadata in last.values():
            self._done(metadata)

    def _fail(self, error: OSError) -> None:
        self._error = self._error or error
        self._failed()
