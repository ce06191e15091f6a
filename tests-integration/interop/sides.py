"""The two that talk: a release, and ours, each in an environment and with a credential of its own."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from installing import clean_environment

PEER = Path(__file__).parent / "peer.py"


@dataclass(frozen=True)
class Steps:
    """A process that prints a line after each step, and waits for one before it goes on."""

    process: subprocess.Popen[str]

    def hear(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def say(self, line: str = "") -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def ended(self) -> int:
        """Wait for its end; its exit code."""
        return self.process.wait(60)


@dataclass(frozen=True)
class Side:
    """A hop that is installed somewhere, and the folder where it finds its credentials."""

    name: str
    python: Path
    home: Path

    @property
    def hop(self) -> Path:
        return self.python.parent / "hop"

    @property
    def auth_toml(self) -> Path:
        return self.home / "hop" / "auth.toml"

    def at(self, home: Path) -> Side:
        """The same hop, with the credentials of another folder."""
        return replace(self, home=home)

    def run(self, *arguments: str | Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """Run the program `hop`."""
        return subprocess.run(
            [self.hop, *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            env=self.environment(),
            timeout=60,
        )

    def succeed(self, *arguments: str | Path, stdin: str = "") -> str:
        """Run the program `hop`, which has to succeed, and return what it printed."""
        done = self.run(*arguments, stdin=stdin)
        assert done.returncode == 0, f"{self.name}: hop {arguments}: {done.stderr}"
        return done.stdout

    def peer(self, do: str, specs: list[dict[str, Any]]) -> list[dict[str, Any]]:
        """Have `peer.py` do something with this hop: see there."""
        done = subprocess.run(
            [self.python, PEER, do],
            input=json.dumps(specs),
            capture_output=True,
            text=True,
            env=self.environment(),
            timeout=120,
        )
        assert done.returncode == 0, f"{self.name}: {done.stderr}"
        answers: list[dict[str, Any]] = json.loads(done.stdout.splitlines()[-1])
        return answers

    @contextmanager
    def running(self, do: str, spec: dict[str, Any]) -> Iterator[Steps]:
        """Have `peer.py` do something step by step, and end it with `kill -9` if it has not ended by itself."""
        with subprocess.Popen(
            [self.python, PEER, do],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=self.environment(),
        ) as process:
            steps = Steps(process)
            try:
                steps.say(json.dumps(spec))
                yield steps
            finally:
                process.kill()

    def environment(self) -> dict[str, str]:
        return {**clean_environment(), "XDG_CONFIG_HOME": str(self.home), "HOME": str(self.home)}
