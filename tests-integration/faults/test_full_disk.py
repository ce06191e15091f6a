"""The disk is full, has room again, and then the program is killed."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest
from faults.publisher import Publisher, nowhere
from faults.reader import Reader, count
from faults.report import Row

PROGRAM = Path(__file__).with_name("full_disk.py")
# A file system may be mounted by everybody who may have a namespace of their own, which not every system allows.
OWN_NAMESPACE = ("unshare", "--user", "--map-root-user", "--mount")


def may_mount(folder: Path) -> bool:
    command = [*OWN_NAMESPACE, "mount", "-t", "tmpfs", "tmpfs", folder]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("durable", [False, True], ids=["default", "durable"])
def test_full_disk(
    publisher: Publisher, topic: str, reader: Reader, row: Row, durable: bool
) -> None:
    row.case = "disk full, freed, then kill -9" + (", durable" if durable else "")
    folder = publisher.journal.parent
    own = may_mount(folder)
    options = {"durable": durable}
    first = publisher.job(url=nowhere() + topic, count=10_000, pause=0.001, options=options)
    second = publisher.job()
    jobs = [json.dumps(asdict(job)) for job in (first, second)]
    way = [*OWN_NAMESPACE] if own else []
    publishing = publisher.launch(
        [*way, sys.executable, str(PROGRAM), str(folder), "mount" if own else "limit", *jobs]
    )
    publishing.finish()
    assert publishing.process.returncode == 0, publishing.log
    assert publishing.left == 0, publishing.log
    assert len(publishing.refused) >= 30
    assert all("cannot write" in reason for reason in publishing.refused.values())
    # Some before, some after.
    first_refused = min(publishing.refused)
    assert any(number < first_refused for number in publishing.accepted)
    assert sum(number > first_refused for number in publishing.accepted) >= 300
    underway = {publishing.accepted[-1] + 1}
    found = count(reader.arrivals(), publishing.accepted, underway)
    row.written, row.delivered = len(publishing.accepted), found.delivered
    row.duplicates = found.duplicates
    row.note = f"{len(publishing.refused)} writes raised; " + (
        "a file system of 3 MB" if own else "a limit of the size of files"
    )
    assert found.duplicates == 0
