"""The machine loses its power, at any moment; what was not brought to disk may be there or not."""

from __future__ import annotations

import logging
import random
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from faults.disk import Disk, found, keeping
from faults.report import Row
from faults.scale import Scale
from faults.watcher import Call, Decision, Kill, Watcher

PROGRAM = Path(__file__).with_name("journaling.py")


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
