"""Running the installed `hop` program as a process, as a user does."""

from __future__ import annotations

import os
import subprocess
import sysconfig
from collections.abc import Callable
from pathlib import Path

import pytest

HOP = Path(sysconfig.get_path("scripts"), "hop")

Hop = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """An environment in which nobody has stored credentials."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("HOP_")}
    return {**clean, "HOME": str(tmp_path), "XDG_CONFIG_HOME": str(tmp_path / "config")}


@pytest.fixture
def hop(environment: dict[str, str], tmp_path: Path) -> Hop:
    """Run `hop` with some arguments, and optionally `stdin=` text, in an empty folder."""

    def run(*arguments: str | Path, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [HOP, *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            env=environment,
            cwd=tmp_path,
            timeout=60,
        )

    return run
