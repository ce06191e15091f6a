"""Running the installed `hop` program as a process, as a user does."""

from __future__ import annotations

import fcntl
import os
import pty
import select
import signal
import struct
import subprocess
import sysconfig
import termios
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path

import pytest

from hop.io import Metadata, StartPosition, Stream
from hop.models import MessageModel
from hop.sandbox import MemoryBroker

HOP = str(Path(sysconfig.get_path("scripts"), "hop"))

Hop = Callable[..., "subprocess.CompletedProcess[str]"]
Stored = Callable[..., list[tuple[MessageModel, Metadata]]]
Contents = Callable[[str], list[object]]
WaitFor = Callable[[str, int], None]


@pytest.fixture
def program() -> str:
    """Where the installed program is."""
    return HOP


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """An environment in which nobody has stored credentials."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HOP_")}
    return {
        **clean,
        "HOME": str(tmp_path),
        "XDG_CONFIG_HOME": str(tmp_path / "config"),
        "COLUMNS": "100",
    }


@pytest.fixture
def hop(environment: dict[str, str], tmp_path: Path) -> Hop:
    """Run `hop` with some arguments, and optionally `stdin=` text or bytes and `env=`, in an empty folder."""

    def run(
        *arguments: str | Path, stdin: str | bytes = "", env: dict[str, str] | None = None
    ) -> subprocess.CompletedProcess[str]:
        result = subprocess.run(
            [HOP, *arguments],
            input=stdin.encode() if isinstance(stdin, str) else stdin,
            capture_output=True,
            env={**environment, **(env or {})},
            cwd=tmp_path,
            timeout=60,
        )
        return subprocess.CompletedProcess(
            result.args, result.returncode, result.stdout.decode(), result.stderr.decode()
        )

    return run


@pytest.fixture
def start(
    environment: dict[str, str], tmp_path: Path
) -> Iterator[Callable[..., subprocess.Popen[bytes]]]:
    """Start `hop` in the background, its input, output and errors in pipes."""
    started: list[subprocess.Popen[bytes]] = []
    watchdogs: list[threading.Timer] = []

    def run(*arguments: str | Path) -> subprocess.Popen[bytes]:
        process = subprocess.Popen(
            [HOP, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            cwd=tmp_path,
        )
        started.append(process)
        # What it does not print would be waited for in vain.
        watchdog = threading.Timer(60, process.kill)
        watchdog.daemon = True
        watchdog.start()
        watchdogs.append(watchdog)
        return process

    yield run
    for watchdog in watchdogs:
        watchdog.cancel()
    for process in started:
        process.kill()
        with process, suppress(BrokenPipeError, ValueError):
            process.communicate()


@pytest.fixture
def stored() -> Stored:
    """What is in a topic, read to its end: each message and its metadata."""

    def read(url: str, ignoretest: bool = True) -> list[tuple[MessageModel, Metadata]]:
        stream = Stream(auth=False, start_at=StartPosition.EARLIEST, until_eos=True)
        with stream.open(url, ignoretest=ignoretest) as s:
            return list(s.read(metadata=True))

    return read


@pytest.fixture
def contents(stored: Stored) -> Contents:
    """The content of each message in a topic."""

    def read(url: str) -> list[object]:
        return [message.content for message, _ in stored(url)]  # type: ignore[attr-defined]

    return read


@pytest.fixture
def wait_for(stored: Stored) -> WaitFor:
    """Wait until so many messages are in a topic."""

    def wait(url: str, count: int) -> None:
        end = time.monotonic() + 20
        while len(stored(url)) < count:
            assert time.monotonic() < end, "the message does not come"

    return wait


class Terminal:
    """A program on a terminal of its own: what it shows can be waited for, and something be typed."""

    def __init__(self, command: Sequence[str | Path], env: dict[str, str], folder: Path) -> None:
        self.shown = ""
        self.pid, self._master = pty.fork()
        if self.pid == 0:  # the child
            fcntl.ioctl(0, termios.TIOCSWINSZ, struct.pack("4H", 24, 100, 0, 0))
            os.chdir(folder)
            os.execvpe(command[0], list(map(str, command)), env)

    def wait_for(self, text: str, seconds: float = 20) -> None:
        end = time.monotonic() + seconds
        while text not in self.shown:
            assert time.monotonic() < end, f"{text!r} is not in {self.shown!r}"
            if not self._read():
                break
        assert text in self.shown

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def end(self, seconds: float = 20) -> int:
        """Wait for the end; the exit code."""
        end = time.monotonic() + seconds
        while self._read():
            assert time.monotonic() < end, f"it goes on after {self.shown!r}"
        _, status = os.waitpid(self.pid, 0)
        self.pid = 0
        return os.waitstatus_to_exitcode(status)

    def close(self) -> None:
        if self.pid:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        os.close(self._master)

    def _read(self) -> bool:
        """Read what has been shown, for a moment; False at the end."""
        if not select.select([self._master], [], [], 0.2)[0]:
            return True
        try:
            data = os.read(self._master, 65536)
        except OSError:  # how Linux says that nobody has the terminal open any more
            return False
        self.shown += data.decode(errors="replace")
        return bool(data)


@pytest.fixture
def terminal(environment: dict[str, str], tmp_path: Path) -> Iterator[Callable[..., Terminal]]:
    """Run `hop`, or another program, on a terminal."""
    opened: list[Terminal] = []

    def run(
        *arguments: str | Path, env: dict[str, str] | None = None, program: str = HOP
    ) -> Terminal:
        fresh = {**environment, "TERM": "xterm", "PYTHONUTF8": "1"}
        fresh.pop("NO_COLOR", None)
        opened.append(Terminal([program, *arguments], {**fresh, **(env or {})}, tmp_path))
        return opened[-1]

    yield run
    for one in opened:
        one.close()


@pytest.fixture
def url(hop_broker: MemoryBroker, hop_topic: str) -> str:
    return hop_broker.url(hop_topic)
