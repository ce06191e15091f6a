from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import hop.auth
from hop.auth import Auth, load_auth

README = (Path(__file__).parents[1] / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)


def test_the_examples_run_one_after_the_other(tmp_path: Path) -> None:
    program = "\n".join(blocks("python"))
    assert program.count("assert ") >= 6
    run = subprocess.run(
        [sys.executable, "-W", "error", "-c", program],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (run.returncode, run.stderr) == (0, "")
    lines = run.stdout.splitlines()
    assert lines[0] == "alice-1234"
    assert lines[1].startswith(
        "No valid credential data found: /nonexistent/auth.toml does not exist. You can get "
    )
    assert len(lines) == 2


def test_the_file_is_read_as_explained(tmp_path: Path) -> None:
    (text,) = blocks("toml")
    path = tmp_path / "auth.toml"
    path.write_text(text, encoding="utf-8")
    path.chmod(0o600)
    assert load_auth(path) == [
        Auth("alice-1234", "secret"),
        Auth(
            "client id",
            "client secret",
            "kafka.gcn.nasa.gov",
            method="OAUTHBEARER",
            token_endpoint="https://auth.gcn.nasa.gov/oauth2/token",
            scope="gcn.nasa.gov/kafka-public-consumer",
        ),
    ]


def test_every_error_is_in_the_table() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `(\w+)` \|", README, re.MULTILINE)
    names = {name for name in hop.auth.__all__ if name.endswith("Error")} - {"AuthError"}
    assert {name for name, _ in rows} == names


@pytest.mark.parametrize("name", [n for n in hop.auth.__all__ if n[0].islower()])
def test_every_function_is_mentioned(name: str) -> None:
    assert name in README
