"""`hop completion`: the scripts, in the shells that are installed here."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Hop = Callable[..., Any]

SHELLS = ["bash", "zsh", "fish"]
INSTALLED = [shell for shell in SHELLS if shutil.which(shell)]

# What makes a shell complete: its arguments, and what to type first.
INTERACTIVE = {
    "bash": (["--norc", "-i"], "source ./script"),
    "zsh": (["-f", "-i"], "fpath=($PWD $fpath); autoload -Uz compinit; compinit -u -D"),
}
CASES = [
    ("hop sub", "hop subscribe"),
    ("hop auth loc", "hop auth locate"),
    ("hop journal retry", "hop journal retry-dead"),
    ("hop publish kafka://h/t -f CIRC", "hop publish kafka://h/t -f CIRCULAR"),
    ("hop publish kafka://h/t exam", "hop publish kafka://h/t example.gcn3"),
    ("hop publish kafka://h/t --dry", "hop publish kafka://h/t --dry-run"),
    ("hop subscribe kafka://h/t --save ale", "hop subscribe kafka://h/t --save alerts/"),
    ("hop configure set fetch", "hop configure set fetch_external"),
    ("hop auth add cred", "hop auth add credentials.csv"),
]


@pytest.fixture
def folder(hop: Hop, tmp_path: Path) -> Path:
    """The scripts are where each shell looks for them, and there are files to name."""
    for name in ("example.gcn3", "credentials.csv"):
        (tmp_path / name).touch()
    (tmp_path / "alerts").mkdir()
    (tmp_path / "script").write_text(hop("completion", "bash").stdout)
    (tmp_path / "_hop").write_text(hop("completion", "zsh").stdout)
    (tmp_path / "hop.fish").write_text(hop("completion", "fish").stdout)
    return tmp_path


@pytest.mark.parametrize("shell", SHELLS)
def test_a_script_knows_commands_options_and_one_line_of_help(hop: Hop, shell: str) -> None:
    result = hop("completion", shell)
    assert (result.returncode, result.stderr) == (0, "")
    for word in ("subscribe", "until-eos", "locate", "GCNTEXTNOTICE", "robust", "retry-dead"):
        assert word in result.stdout
    if shell != "bash":  # which shows no help
        assert "Look at the journal of a robust publisher" in result.stdout


def test_bash_is_installed() -> None:
    assert "bash" in INSTALLED


@pytest.mark.parametrize("shell", INSTALLED)
def test_the_script_is_one_of_its_shell(folder: Path, shell: str) -> None:
    script = {"bash": "script", "zsh": "_hop", "fish": "hop.fish"}[shell]
    result = subprocess.run([shell, "-n", script], cwd=folder, capture_output=True, text=True)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


@pytest.mark.parametrize("shell", INSTALLED)
def test_the_shell_completes(
    terminal: Any, folder: Path, environment: dict[str, str], shell: str
) -> None:
    if shell == "fish":  # it tells without a terminal
        for typed, completed in CASES:
            result = subprocess.run(
                [shell, "-c", f"source hop.fish; complete -C '{typed}'"],
                cwd=folder,
                env=environment,
                capture_output=True,
                text=True,
                check=True,
            )
            offered = [line.partition("\t")[0] for line in result.stdout.splitlines()]
            assert offered == [completed.split()[-1]], typed
        return
    arguments, setup = INTERACTIVE[shell]
    session = terminal(*arguments, program=shell, env={"PS1": "> ", "TERM": "dumb"})
    session.type(f"{setup}; echo re''ady\n")
    session.wait_for("ready\r\n")
    for typed, completed in CASES:
        session.shown = ""
        session.type(f"{typed}\t")
        session.wait_for(completed)
        session.type("\x15")  # takes the line away
    session.type("exit\n")
    session.end()
