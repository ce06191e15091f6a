"""The processes of the soak, and the ledgers in which they say what they did."""

from __future__ import annotations

import contextlib
import random
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from soak.accounting import Place, Published
from soak.job import Job

_HERE = Path(__file__).parents[1]
# How long a process that was told to end may take, in seconds: brokers come and go meanwhile.
_END = 90.0
# Numbers of a publisher that was started again begin this much higher.
_STRIDE = 10_000_000


class Worker:
    """A process that is started again and again.

    Args:
        module: `soak.publish` or `soak.read`.
        job: what it does.
        folder: where its ledger and its log are kept.

    Attributes:
        starts: how often it was started.
        troubles: how it ended where nobody had ended it.
    """

    def __init__(self, module: str, job: Job, folder: Path) -> None:
        self._module = module
        self.job = job
        self._ledger = folder / f"{job.name}.ledger"
        self._log = folder / f"{job.name}.log"
        self._ledger.touch()
        self._read = 0
        self._chance = random.Random(f"{job.seed} {job.name}")
        self._process: subprocess.Popen[bytes] | None = None
        self._up = False
        self._told: float | None = None
        self._again = 0.0
        self.starts = 0
        self.troubles: list[str] = []

    @property
    def running(self) -> bool:
        return self._process is not None

    @property
    def ending(self) -> bool:
        """Whether it runs and has been told to end."""
        return self._told is not None

    def _start(self) -> None:
        chance = self._chance
        addresses = chance.sample(self.job.addresses, len(self.job.addresses))
        job = self.prepared(replace(self.job, addresses=addresses, seed=str(chance.random())))
        self.starts += 1
        with self._ledger.open("ab") as ledger, self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", self._module],
                cwd=_HERE,
                # It stays open: its end tells the process that the soak is gone, however that ended.
                stdin=subprocess.PIPE,
                bufsize=0,
                stdout=ledger,
                stderr=log,
                # A Ctrl-C is for the soak.
                start_new_session=True,
            )
        assert self._process.stdin is not None
        # It may be dead already, which `look` finds out.
        with contextlib.suppress(BrokenPipeError):
            self._process.stdin.write(job.text().encode() + b"\n")

    def prepared(self, job: Job) -> Job:
        """The job of the process that is started next."""
        return job

    def kill(self) -> None:
        """End it with `kill -9`, and take in what it had said."""
        assert self._process is not None
        self._process.kill()
        self._process.wait()
        self._ended()

    def abandon(self) -> None:
        """End it with `kill -9`, whatever it had to say."""
        if self._process is not None:
            self._process.kill()
            self._process.communicate()

    def tell(self) -> None:
        """Ask it to end, as a program does that is stopped."""
        self._told = time.monotonic()
        self._tell_if_up()

    def look(self) -> None:
        """Notice what it said and whether it has ended; start it again when it is time."""
        self.hear()
        if self._process is not None:
            code = self._process.poll()
            if code is not None:
                if code:
                    self.troubles.append(f"{self.job.name} ended with {code}: {self._last_words()}")
                elif not self.ending:
                    self.troubles.append(f"{self.job.name} ended though nobody had told it to")
                self._ended()
            elif self._told is not None and time.monotonic() > self._told + _END:
                self.troubles.append(f"{self.job.name} did not end within {_END:.0f} seconds")
                self.kill()
        elif time.monotonic() > self._again:
            self._start()

    def rest(self, seconds: float) -> None:
        """Stay away for so long, once it has ended."""
        self._again = time.monotonic() + seconds

    def hear(self) -> None:
        """Take in what the ledger says since the last time."""
        with self._ledger.open("rb") as file:
            file.seek(self._read)
            data = file.read()
        # The last line may be on its way.
        whole = data[: data.rfind(b"\n") + 1]
        self._read += len(whole)
        for line in whole.decode().splitlines():
            if line == "up":
                self._up = True
                self._tell_if_up()
            else:
                self.heard(*line.split(maxsplit=4))

    def heard(self, word: str, *rest: str) -> None:
        """Take in a line of the ledger."""
        raise NotImplementedError

    def _tell_if_up(self) -> None:
        # Before it listens it would die of it, with messages left in its journal.
        if self._up and self._told is not None and self._process is not None:
            self._process.terminate()

    def _ended(self) -> None:
        self.hear()
        assert self._process is not None
        assert self._process.stdin is not None
        self._process.stdin.close()
        self._process = self._told = None
        self._up = False

    def _last_words(self) -> str:
        lines = self._log.read_text(errors="replace").splitlines()
        return lines[-1] if lines else "it said nothing"


class Publisher(Worker):
    """A process that publishes.

    Attributes:
        said: the messages that it tried and wrote.
        failed: how many it was told may not have arrived.
    """

    def __init__(self, job: Job, folder: Path) -> None:
        super().__init__("soak.publish", job, folder)
        self.said = Published()
        self.failed = 0

    def prepared(self, job: Job) -> Job:
        return replace(job, first=self.starts * _STRIDE)

    def heard(self, word: str, *rest: str) -> None:
        first, end = int(rest[0]), int(rest[1])
        if word == "failed":
            self.failed += end - first
        else:
            numbers = self.said.tried if word == "try" else self.said.written
            numbers.update(range(first, end))


class Reader(Worker):
    """A process that reads.

    Attributes:
        seen: what it has read, see `accounting.Seen`.
    """

    def __init__(self, job: Job, folder: Path) -> None:
        super().__init__("soak.read", job, folder)
        self.seen: dict[Place, list[str]] = defaultdict(list)
        self._next: dict[str, int] = {str(n): 0 for n in job.offsets}

    def prepared(self, job: Job) -> Job:
        return replace(job, offsets=dict(self._next))

    def heard(self, word: str, *rest: str) -> None:
        partition, offset, name, number = rest
        self.seen[int(partition), int(offset)].append(f"{name} {number}")
        self._next[partition] = int(offset) + 1


def together(readers: Iterable[Reader]) -> dict[Place, list[str]]:
    """What the members of a group have read."""
    seen: dict[Place, list[str]] = defaultdict(list)
    for reader in readers:
        for place, messages in reader.seen.items():
            seen[place] += messages
    return seen
