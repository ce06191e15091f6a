"""The process behind a Kafka broker: `python -m hop.sandbox._supervisor KIND [FOLDER]`.

It owns the folder and the Java processes of a sandbox, and knows nothing of Kafka. KIND is `temporary` (a new folder
that goes when the sandbox does), `new` (FOLDER, which goes unless told `keep`) or `kept`.

It speaks JSON, one value a line: first it writes `{"folder": …}` or `{"error": …}`, then it answers requests, each a
list of a method's name and its arguments. When its standard input ends, or the process that started it has gone
while a fork of it holds the pipe, every Java process is killed, paused ones too, and a folder that is not to stay is
removed.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import selectors
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any

from hop.sandbox._errors import reason

_PARENT_CHECK = 1.0
# What was killed is gone within this time (seconds), and looked after so often.
_GONE = 5.0
_MOMENT = 0.01


class Folder:
    """Where a sandbox lives; one sandbox at a time."""

    def __init__(self, kind: str, path: str) -> None:
        self.kept = kind == "kept"
        self._made = True
        if kind == "temporary":
            self.path = Path(tempfile.mkdtemp(prefix="hop-sandbox-"))
        else:
            self.path = Path(path)
            self._made = not self.path.exists()
            self.path.mkdir(mode=0o700, exist_ok=True)
        self._lock = (self.path / ".lock").open("a")
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)

    def leave(self) -> None:
        """Remove what must not stay."""
        if not self.kept:
            for entry in self.path.iterdir():
                if entry.is_dir():
                    shutil.rmtree(entry, ignore_errors=True)
                else:
                    entry.unlink(missing_ok=True)
            if self._made:
                self.path.rmdir()
        self._lock.close()


class Processes:
    """The Java processes, by name."""

    def __init__(self, folder: Folder) -> None:
        self._folder = folder
        self._running: dict[str, subprocess.Popen[bytes]] = {}

    def start(self, name: str, command: list[str], log: str) -> dict[str, Any]:
        environment = {
            key: value
            for key, value in os.environ.items()
            # Java would take options from these.
            if key not in {"JAVA_TOOL_OPTIONS", "JDK_JAVA_OPTIONS", "_JAVA_OPTIONS", "CLASSPATH"}
        }
        # Java takes the names of files for ASCII, or worse, where the locale does.
        environment["LC_ALL"] = "C.UTF-8"
        with Path(log).open("ab") as output:
            process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                cwd=self._folder.path,
                env=environment,
                # A group of its own, for the `java` that is a script around the real one.
                start_new_session=True,
            )
        self._running[name] = process
        return {"pid": process.pid}

    def poll(self) -> dict[str, Any]:
        """The exit code of each process, null while it runs."""
        return {"codes": {name: process.poll() for name, process in self._running.items()}}

    def signal(self, name: str, number: int) -> dict[str, Any]:
        if name in self._running:  # one that was killed needs none
            _send(self._running[name], number)
        return {}

    def end(self, names: list[str], grace: float) -> dict[str, Any]:
        """End the processes and wait; one that has not ended by itself after `grace` seconds is killed."""
        processes = [self._running.pop(name) for name in names if name in self._running]
        if grace > 0:
            for process in processes:
                _send(process, signal.SIGCONT)
                _send(process, signal.SIGTERM)
            deadline = time.monotonic() + grace
            for process in processes:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(max(0.0, deadline - time.monotonic()))
                _await_group(process, deadline)
        for process in processes:
            _kill_group(process)
        deadline = time.monotonic() + _GONE
        for process in processes:
            process.wait()
            _await_group(process, deadline)
        return {}

    def keep(self) -> dict[str, Any]:
        self._folder.kept = True
        return {}

    def close(self) -> None:
        self.end(list(self._running), 0)


def _send(process: subprocess.Popen[bytes], number: int) -> None:
    """Send a signal to a process and what it started, unless it has ended: its number may be another's then."""
    if process.poll() is None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, number)


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    """Kill a process and what it started, also when it has ended itself: a script may leave the real Java behind."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _await_group(process: subprocess.Popen[bytes], deadline: float) -> None:
    """Wait until nothing is left of what a process started, at most until then (monotonic seconds)."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        while time.monotonic() < deadline:
            os.killpg(process.pid, 0)
            time.sleep(_MOMENT)


def _lines(stream: IO[bytes]) -> Iterator[bytes]:
    """Lines of the stream until it ends or the process that started this one does."""
    parent = os.getppid()
    pending = b""
    with selectors.DefaultSelector() as selector:
        selector.register(stream, selectors.EVENT_READ)
        while os.getppid() == parent:
            if not selector.select(_PARENT_CHECK):
                continue
            data = os.read(stream.fileno(), 1 << 16)
            if not data:
                return
            *lines, pending = (pending + data).split(b"\n")
            yield from lines


def _answer(**values: Any) -> None:
    print(json.dumps(values), flush=True)


def _serve(folder: Folder) -> None:
    processes = Processes(folder)
    methods: dict[str, Callable[..., dict[str, Any]]] = {
        "start": processes.start,
        "poll": processes.poll,
        "signal": processes.signal,
        "end": processes.end,
        "keep": processes.keep,
    }
    try:
        _answer(folder=str(folder.path))
        for line in _lines(sys.stdin.buffer):
            method, *arguments = json.loads(line)
            try:
                answer = methods[method](*arguments)
            except OSError as exc:
                answer = {"error": f"cannot {method} {arguments[0]}: {reason(exc)}"}
            _answer(**answer)
    except BrokenPipeError:
        pass  # nobody hears the answer any more
    finally:
        processes.close()
        folder.leave()


def main() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    kind, path = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else ""
    try:
        folder = Folder(kind, path)
    except BlockingIOError:
        _answer(
            error=f"cannot use {path}: another sandbox is running there; stop it or name another folder"
        )
    except OSError as exc:
        _answer(
            error=f"cannot use {path or tempfile.gettempdir()}: {reason(exc)}; name another folder"
        )
    else:
        _serve(folder)


if __name__ == "__main__":
    main()
