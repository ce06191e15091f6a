"""The machine loses its power, at any moment; what was not brought to disk may be there or not."""

from __future__ import annotations

import logging
import random
import shutil
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from faults.disk import Disk, Keep
from faults.report import Row
from faults.scale import Scale
from faults.watcher import Call, Decision, Kill, Watcher

from hop.robust_publisher import PublicationJournal

PROGRAM = Path(__file__).with_name("journaling.py")


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Path]:
    """A folder that is in memory, if the system has one: thousands of journals are opened in it."""
    shared = Path("/dev/shm")
    folder = Path(tempfile.mkdtemp(dir=shared if shared.is_dir() else tmp_path))
    yield folder
    shutil.rmtree(folder)


def record(journal: Path, mode: str) -> list[Call]:
    """The calls that the program makes, in their order; it is killed in the middle, and started again."""
    calls: list[Call] = []

    def note(call: Call) -> Decision:
        if call.number == 250 and not killed:
            return Kill()
        calls.append(call)
        return None

    killed = False
    for first in (0, 1000):
        with Watcher(journal.parent, note) as watcher:
            command = [sys.executable, PROGRAM, str(watcher.channel), journal, mode, str(first)]
            with subprocess.Popen(command, pass_fds=[watcher.channel]) as process:
                watcher.started()
        assert process.returncode == (0 if killed else -signal.SIGKILL)
        killed = True
    return calls


def found(folder: Path, state: dict[str, bytes]) -> set[int]:
    """What a journal gives that is opened on such files."""
    for file in folder.iterdir():
        file.unlink()
    for name, content in state.items():
        (folder / name).write_bytes(content)
    numbers = set()
    with PublicationJournal(folder / "publisher.journal") as journal:
        while (message := journal.get_next_message_to_send()) is not None:
            numbers.add(int(message.message.split()[0]))
        journal.queue_message(b"and it goes on")
    return numbers


def keeping(chance: random.Random, states: int) -> Iterator[Keep]:
    yield lambda: False
    yield lambda: True
    for _ in range(states):
        share = chance.random()
        yield lambda share=share: chance.random() < share  # type: ignore[misc]


@pytest.mark.parametrize("mode", ["durable", "default"])
def test_power_loss(
    journal: Path,
    memory: Path,
    row: Row,
    scale: Scale,
    caplog: pytest.LogCaptureFixture,
    mode: str,
) -> None:
    row.case = f"power lost after any system call, {mode}"
    caplog.set_level(logging.CRITICAL)
    disk, chance = Disk(), random.Random(1)
    safe: set[int] = set()
    sent: set[int] = set()
    states = 0
    for call in record(journal, mode):
        what, _, number = call.path.name.partition("-")
        if what == "safe":
            safe.add(int(number))
        elif what == "sent":
            sent.add(int(number))
        else:
            disk.note(call)
        for keep in keeping(chance, scale.states):
            states += 1
            state = disk.state(keep)
            lost = safe - sent - found(memory, state)
            assert not lost, (call.number, call.name, call.path.name, lost, sorted(state))
    assert len(safe) > 100
    row.written = len(safe)
    row.note = f"{states:,} states of the disk: all open, and nothing that was on disk is lost"
