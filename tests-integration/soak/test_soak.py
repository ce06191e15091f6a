"""A short soak; `hatch run soak --minutes N` is the long one."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

SOAK = Path(__file__).parents[1] / "run_soak.py"


def soak(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, SOAK, *arguments], capture_output=True, text=True, timeout=400
    )


def test_nothing_is_lost_while_everything_is_killed(tmp_path: Path) -> None:
    # This seed kills a broker after five seconds, a reader and two publishers soon after.
    kept = tmp_path / "kept"
    done = soak("--minutes", "0.25", "--seed", "34", "--keep", kept)
    assert done.returncode == 0, f"{done.stdout}\n{done.stderr}"
    assert done.stderr == ""
    heading, *_ = done.stdout.splitlines()
    assert heading.startswith("0.25 minutes, seed 34: ")
    for what in ("broker killed", "publisher killed", "reader killed"):
        assert re.search(rf"{what} [1-9]", heading), heading
    rows = [
        [cell.strip() for cell in line.split("|")[1:-1]]
        for line in done.stdout.splitlines()
        if re.match(r"\| [^|]+ \| [0-9,]+ \|", line)
    ]
    assert len(rows) == 6
    for who, written, delivered, *_, lost, strange in rows:
        assert int(written.replace(",", "")) > 200, who
        assert (delivered, lost, strange) == (written, "0", "0")
    # Every process has said what it did.
    assert len(list(kept.glob("*.ledger"))) == 12
    assert all(ledger.stat().st_size for ledger in kept.glob("*-1.ledger"))


@pytest.mark.parametrize("minutes", ["0", "-1", "nan", "inf"])
def test_a_time_that_is_none_is_refused(minutes: str) -> None:
    done = soak("--minutes", minutes)
    assert done.returncode == 2
    assert "it has to be more than 0" in done.stderr


def test_a_folder_that_is_there_is_refused(tmp_path: Path) -> None:
    done = soak("--keep", tmp_path)
    assert done.returncode == 2
    assert "name a folder that is not there yet" in done.stderr
