from __future__ import annotations

import os
import select
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

# Makes the pseudo-terminal on standard input the one that /dev/tty means.
TAKE_TERMINAL = "import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0)\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder with the configuration of a user who has none yet; it doesn't exist."""
    for name in list(os.environ):
        if name.startswith("HOP_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return tmp_path / "config" / "hop"


@pytest.fixture
def store(folder: Path) -> Callable[..., Path]:
    """Writes a file into that folder, the way a user would: `store(text)`."""

    def write(text: str | bytes, name: str = "auth.toml", mode: int = 0o600) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / name
        path.write_bytes(text.encode() if isinstance(text, str) else text)
        path.chmod(mode)
        return path

    return write


class Terminal:
    """A Python program on a pseudo-terminal, and the person in front of it."""

    def __init__(self, program: str) -> None:
        import pty

        self._master, slave = pty.openpty()
        self.screen = ""
        self.process = subprocess.Popen(
            [sys.executable, "-c", TAKE_TERMINAL + program],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
        )
        os.close(slave)

    def expect(self, text: str, *, since: int = 0) -> None:
        deadline = time.monotonic() + 20
        while text not in self.screen[since:]:
            assert time.monotonic() < deadline, f"no {text!r} in {self.screen!r}"
            assert self._read(0.2) is not None, f"ended without {text!r}: {self.screen!r}"

    def type(self, text: str) -> None:
        os.write(self._master, text.encode())

    def end(self) -> int:
        deadline = time.monotonic() + 20
        while self._read(0.2) is not None:
            assert time.monotonic() < deadline, f"does not end: {self.screen!r}"
        return self.process.wait(20)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._master)

    def _read(self, seconds: float) -> str | None:
        if not select.select([self._master], [], [], seconds)[0]:
            return ""
        try:
            data = os.read(self._master, 4096)
        except OSError:  # Linux: the program has ended
            return None
        self.screen += data.decode()
        return data.decode() or None


@pytest.fixture
def terminal() -> Iterator[Callable[[str], Terminal]]:
    """Starts a program on a terminal of its own: `terminal(program)`."""
    terminals: list[Terminal] = []

    def start(program: str) -> Terminal:
        terminals.append(Terminal(program))
        return terminals[-1]

    yield start
    for each in terminals:
        each.close()
