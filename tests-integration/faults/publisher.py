"""The publishing program, `publish.py`, and what it says."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Collection, Sequence
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from faults.publish import Job
from faults.watcher import Decide, Watcher

from hop.sandbox import KafkaBroker

PROGRAM = Path(__file__).with_name("publish.py")


def nowhere() -> str:
    """The URL of a broker that is not there."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return f"kafka://127.0.0.1:{s.getsockname()[1]}/"


class Publishing:
    """The publishing program while it runs, and what it has said.

    Args:
        command: the program.
        errors: the file for what it writes to standard error.
        inherited: descriptors that it is to have.

    Attributes:
        process: the program.
        accepted: the messages that `write` returned for.
        refused: those that it raised for, and why.
        dead: those that `on_refused` was called with, and why.
        opened: how long opening took, in seconds.
        left: how many messages were left in the journal when it stopped.
        raised: what opening or stopping raised.
        log: what it wrote to standard error.
    """

    def __init__(self, command: Sequence[str], errors: Path, inherited: Collection[int]) -> None:
        self._errors = errors
        self._heard = threading.Condition()
        self._words: set[str] = set()
        self.accepted: list[int] = []
        self.refused: dict[int, str] = {}
        self.dead: dict[int, str] = {}
        self.opened: float | None = None
        self.left: int | None = None
        self.raised: str | None = None
        with errors.open("w") as file:
            self.process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=file,
                text=True,
                pass_fds=inherited,
            )
        self._listening = threading.Thread(target=self._listen)
        self._listening.start()

    @property
    def log(self) -> str:
        return self._errors.read_text()

    def wait_for(self, word: str) -> None:
        """Wait until it has said something that begins with a word."""
        with self._heard:
            self._heard.wait_for(lambda: word in self._words or "" in self._words, 60)
        assert word in self._words, f"it did not say {word!r}: {self.log}"

    def kill(self) -> None:
        self.process.send_signal(signal.SIGKILL)

    def finish(self, timeout: float = 180) -> Publishing:
        """Wait for its end, and take in all that it said."""
        assert self.process.stdin is not None
        if not self.process.stdin.closed:
            self.process.stdin.close()
        self.process.wait(timeout)
        self._listening.join(10)
        return self

    def close(self) -> None:
        """End it if it still runs."""
        self.process.kill()
        self._listening.join()
        with self.process:
            pass

    def _listen(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            # The last words of one that was killed may be cut off.
            if line.endswith("\n"):
                self._hear(line)
        with self._heard:
            self._words.add("")
            self._heard.notify_all()

    def _hear(self, line: str) -> None:
        word, *rest = line.split(maxsplit=2)
        if word == "ok":
            self.accepted.append(int(rest[0]))
        elif word == "no":
            self.refused[int(rest[0])] = rest[1]
        elif word == "dead":
            self.dead[int(rest[0])] = rest[1]
        elif word == "open":
            self.opened = float(rest[0])
        elif word == "left":
            self.left = int(rest[0])
        elif word == "raised":
            self.raised = " ".join(rest)
        if word not in self._words:
            with self._heard:
                self._words.add(word)
                self._heard.notify_all()


class Publisher:
    """Starts the publishing program.

    Args:
        broker: where to publish.
        topic: the topic.
        journal: the journal's path.
        stack: ends what is still running.
    """

    def __init__(self, broker: KafkaBroker, topic: str, journal: Path, stack: ExitStack) -> None:
        self._broker = broker
        self._topic = topic
        self.journal = journal
        self._stack = stack
        self._started = 0

    def beside(self, name: str) -> Publisher:
        """Another one, with a journal of its own."""
        folder = self.journal.parent.with_name(f"{self.journal.parent.name}-{name}")
        folder.mkdir()
        return Publisher(self._broker, self._topic, folder / self.journal.name, self._stack)

    def job(self, **changes: object) -> Job:
        user = self._broker.users["hop"]
        settings: dict[str, object] = {
            "url": self._broker.url(self._topic),
            "journal": str(self.journal),
            "user": user.username,
            "password": user.password,
            "ca": str(self._broker.ca_file),
            # A broker that is back is to be found soon.
            "options": {"reconnect.backoff.max.ms": 1000},
        }
        return Job(**{**settings, **changes})  # type: ignore[arg-type]

    def start(self, *, channel: int | None = None, **changes: object) -> Publishing:
        """Start it; the changes are of `Job`."""
        job = self.job(watched=channel, **changes)
        return self.launch(
            [sys.executable, str(PROGRAM), json.dumps(asdict(job))],
            () if channel is None else (channel,),
        )

    def launch(self, command: Sequence[str], inherited: Collection[int] = ()) -> Publishing:
        """Start a program that speaks as the publishing program does."""
        self._started += 1
        name = f"{self.journal.parent.name}.{self._started}.log"
        publishing = Publishing(command, self.journal.parent.with_name(name), inherited)
        self._stack.callback(publishing.close)
        return publishing

    def run(self, **changes: object) -> Publishing:
        """Run it to its end."""
        return self.start(**changes).finish()  # type: ignore[arg-type]

    def wait(self, **changes: object) -> Publishing:
        """Run it without a broker: what it writes waits in the journal."""
        return self.run(url=nowhere() + self._topic, stop=0, **changes)

    def watched(self, decide: Decide, **changes: object) -> tuple[Publishing, Watcher]:
        """Run it to its end with its system calls on the journal's files watched."""
        with Watcher(self.journal.parent, decide) as watcher:
            publishing = self.start(channel=watcher.channel, **changes)  # type: ignore[arg-type]
            watcher.started()
            publishing.finish()
        return publishing, watcher

    def drain(self) -> Publishing:
        """Run it without writing anything, until the journal is empty."""
        finished = self.run()
        assert finished.left == 0, (finished.left, finished.raised, finished.log)
        return finished
