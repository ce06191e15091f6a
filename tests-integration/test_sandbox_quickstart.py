"""A private Hopskotch, as a new user meets it: `hop sandbox --kafka`, and then the lines that it prints, copied."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sysconfig
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from installing import ROOT, clean_environment

CIRCULAR = ROOT / "tests-integration" / "data" / "example.gcn3"


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    path = os.pathsep.join([sysconfig.get_path("scripts"), os.environ.get("PATH", "")])
    return {**clean_environment(), "XDG_CONFIG_HOME": str(tmp_path / "config"), "PATH": path}


@contextmanager
def sandbox(environment: dict[str, str], *options: str) -> Iterator[list[str]]:
    """`hop sandbox --kafka` in the foreground of another terminal, and the commands that it prints."""
    with subprocess.Popen(
        ["hop", "sandbox", "--kafka", *options],
        stdout=subprocess.PIPE,
        env=environment,
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            lines: list[str] = []
            while not lines or not lines[-1].startswith("hop subscribe "):
                line = process.stdout.readline()
                assert line, "the sandbox ended"
                if line.startswith("  hop "):
                    lines.append(line.strip())
            yield lines
        finally:
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=30)
    assert process.returncode == 0


def test_the_printed_lines_work_when_copied(environment: dict[str, str], tmp_path: Path) -> None:
    with sandbox(environment, "--user", "alice", "--topic", "gcn") as lines:
        add, publish, subscribe = map(shlex.split, lines)
        assert add[:3] == ["hop", "auth", "add"]
        publish[publish.index("FILE")] = str(CIRCULAR)
        for command in (add, publish, [*subscribe, "-e"]):
            result = subprocess.run(command, env=environment, capture_output=True, timeout=60)
            assert result.returncode == 0, result.stderr.decode()
        assert result.stdout == CIRCULAR.read_bytes()
        url = subscribe[2]
        assert re.fullmatch(r"kafka://alice@127\.0\.0\.1:\d+/gcn", url)
        listed = subprocess.run(
            ["hop", "list-topics", url.removesuffix("gcn")],
            env=environment,
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert " gcn\n" in listed.stdout


def test_topics_are_kept_in_a_folder(environment: dict[str, str], tmp_path: Path) -> None:
    folder = tmp_path / "hopskotch"
    options = ["--user", "alice", "--topic", "gcn", "--dir", str(folder)]
    with sandbox(environment, *options) as (add, publish, _):
        for line in (add, publish.replace("FILE", str(CIRCULAR))):
            subprocess.run(shlex.split(line), env=environment, check=True, timeout=60)
    with sandbox(environment, "--dir", str(folder)) as (*_, subscribe):
        # The credential of the first time is good for the second, too.
        result = subprocess.run(
            [*shlex.split(subscribe), "-e"], env=environment, capture_output=True, timeout=60
        )
    assert result.stdout == CIRCULAR.read_bytes(), result.stderr.decode()
