"""However a soak ends, it leaves no process behind; ended by Ctrl-C, it still accounts for every message."""

from __future__ import annotations

import re
import shutil
import signal
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

SOAK = Path(__file__).parents[1] / "run_soak.py"
# Three brokers and their supervisor, four publishers and eight readers.
PROCESSES = 16


@dataclass(frozen=True)
class Running:
    """A soak that publishes and reads.

    Attributes:
        process: the soak itself.
        children: the numbers of all processes that it has started, and those that these have.
        kept: its ledgers.
    """

    process: subprocess.Popen[str]
    children: set[int]
    kept: Path

    def left(self) -> set[int]:
        return self.children & alive().keys()


def alive() -> dict[int, int]:
    """The processes of this machine that have not ended, and who started each."""
    listed = subprocess.run(
        ["ps", "-A", "-o", "pid=,ppid=,stat="], capture_output=True, text=True, check=True
    )
    rows = [line.split() for line in listed.stdout.splitlines()]
    return {int(pid): int(parent) for pid, parent, state in rows if not state.startswith("Z")}


def started_by(pid: int) -> set[int]:
    by_parent = defaultdict(list)
    for child, parent in alive().items():
        by_parent[parent].append(child)
    found: set[int] = set()
    waiting = [pid]
    while waiting:
        waiting += by_parent[(parent := waiting.pop())]
        found.add(parent)
    return found - {pid}


def eventually(reached: Callable[[], bool], seconds: float) -> bool:
    end = time.monotonic() + seconds
    while not reached() and time.monotonic() < end:
        time.sleep(0.1)
    return reached()


@contextmanager
def running(folder: Path) -> Iterator[Running]:
    kept = folder / "kept"
    with subprocess.Popen(
        [sys.executable, SOAK, "--minutes", "5", "--seed", "34", "--keep", kept],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:

        def works() -> bool:
            ledgers = [
                kept / f"{name}-1.ledger" for name in ("stream", "robust", "marks", "direct")
            ]
            return all(
                ledger.exists() and re.search(r"^(ok|read) ", ledger.read_text(), re.MULTILINE)
                for ledger in ledgers
            )

        try:
            assert eventually(lambda: process.poll() is not None or works(), 90)
            assert process.poll() is None, process.communicate()
            # Of those that die and come back some may just be away.
            assert eventually(lambda: len(started_by(process.pid)) >= PROCESSES - 3, 30)
            yield Running(process, started_by(process.pid), kept)
        finally:
            process.kill()


def test_ctrl_c_ends_it_with_an_account(tmp_path: Path) -> None:
    with running(tmp_path) as soak:
        soak.process.send_signal(signal.SIGINT)
        out, err = soak.process.communicate(timeout=200)
        assert (soak.process.returncode, err) == (0, ""), out
        assert soak.left() == set()
    assert re.match(r"0\.\d\d of 5 minutes, seed 34: ", out)
    rows = [
        line.split(" | ") for line in out.splitlines() if re.match(r"\| .* \| [0-9,]+ \|", line)
    ]
    assert len(rows) == 6
    for who, written, delivered, *_ in rows:
        assert written == delivered != "0", who
    assert "Nothing is lost" in out


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=["SIGTERM", "Ctrl-C twice"])
def test_it_can_be_ended_at_once(number: signal.Signals, tmp_path: Path) -> None:
    with running(tmp_path) as soak:
        soak.process.send_signal(number)
        if number == signal.SIGINT:
            # The publishers are told to end when the killing has.
            time.sleep(1)
            soak.process.send_signal(number)
        out, err = soak.process.communicate(timeout=60)
        assert (soak.process.returncode, out) == (130, "")
        assert err == (
            "soak: ended before anything was accounted for; "
            f"ledgers, logs and journals are in {soak.kept}\n"
        )
        assert soak.left() == set()


def test_an_error_ends_it(tmp_path: Path) -> None:
    with running(tmp_path) as soak:
        shutil.rmtree(soak.kept)
        _, err = soak.process.communicate(timeout=60)
        assert soak.process.returncode == 1
        assert err.splitlines()[-1].startswith("FileNotFoundError: ")
        assert soak.left() == set()


def test_its_processes_notice_that_it_was_killed(tmp_path: Path) -> None:
    with running(tmp_path) as soak:
        soak.process.kill()
        assert eventually(lambda: soak.left() == set(), 20), soak.left()
