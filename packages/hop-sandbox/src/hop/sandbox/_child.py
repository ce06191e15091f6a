"""A Python process that does a broker's work, asked in JSON, one value a line.

The process ends when its standard input does, so it can't outlive the program that started it, however that ended.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import threading
from typing import Any

from hop.sandbox._errors import SandboxError


class Child:
    """`python -m MODULE ARGUMENT…`, running."""

    def __init__(self, module: str, *arguments: str) -> None:
        self._lock = threading.Lock()
        # Answers that are still to come; the first comes unasked.
        self._due = 1
        self._process = subprocess.Popen(
            [sys.executable, "-m", module, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            # What lies in the current folder is not what the broker is made of.
            env={**os.environ, "PYTHONSAFEPATH": "1"},
            # A Ctrl-C is for the program that uses the broker; this decides when the broker goes.
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def ask(self, question: Any) -> dict[str, Any]:
        """Send a question and return its answer.

        Raises:
            BrokenPipeError: the process is gone.
            SandboxError: it refuses; the message is its own.
        """
        assert self._process.stdin is not None
        with self._lock:
            try:
                self._process.stdin.write(json.dumps(question) + "\n")
                self._process.stdin.flush()
            except ValueError as exc:
                raise BrokenPipeError("the process was stopped") from exc
            self._due += 1
            return self.receive()

    def receive(self) -> dict[str, Any]:
        """Read the answer to what was asked last; raises as `ask` does."""
        assert self._process.stdout is not None
        line = ""
        # Who was interrupted while waiting, by Ctrl-C say, left answers behind.
        while self._due:
            line = self._process.stdout.readline()
            if not line:
                raise BrokenPipeError("the process has ended")
            self._due -= 1
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise SandboxError(answer["error"])
        return answer

    def stop(self, timeout: float) -> None:
        """End the process; one that has not ended after `timeout` seconds is killed. May be repeated."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        if not self._process.stdin.closed:
            with contextlib.suppress(BrokenPipeError):  # it is gone already
                self._process.stdin.close()
        try:
            self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._process.stdout.close()
