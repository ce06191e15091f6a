"""`hop` itself: help, usage, and what is said when something goes wrong."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import hop.cli

Hop = Callable[..., Any]


def test_the_exported_names() -> None:
    assert sorted(hop.cli.__all__) == [
        "CommandError",
        "add_client_opts",
        "add_logging_opts",
        "get_log_level",
        "main",
        "set_up_logger",
    ]


def test_help_lists_the_commands(hop: Hop) -> None:
    result = hop("--help")
    assert result.returncode == 0
    for command in ("auth", "list-topics", "publish", "sandbox", "subscribe", "version"):
        assert f"\n  {command} " in result.stdout


def test_without_a_command_the_help_is_shown_and_the_exit_code_is_2(hop: Hop) -> None:
    result = hop()
    assert (result.returncode, result.stdout) == (2, "")
    assert "commands:" in result.stderr


def test_an_unknown_command_is_named(hop: Hop) -> None:
    result = hop("publsih")
    assert result.returncode == 2
    assert "invalid choice: 'publsih'" in result.stderr


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("publish", ["URL", "MESSAGE", "--no-auth", "-q, --quiet", "-v, --verbose", "-t, --test"]),
        ("subscribe", ["URL", "--start-at", "--until-eos", "--group-id", "-j, --json", "--test"]),
        ("list-topics", ["URL", "--no-auth"]),
        ("auth", ["locate", "list", "add", "remove", "--quiet", "--verbose"]),
        ("version", ["dependencies' versions"]),
        ("sandbox", ["--port", "--topic"]),
    ],
)
def test_each_command_explains_its_options(hop: Hop, command: str, words: list[str]) -> None:
    result = hop(command, "--help")
    assert (result.returncode, result.stderr) == (0, "")
    for word in words:
        assert word in result.stdout


def test_help_imports_neither_kafka_nor_the_models() -> None:
    program = (
        "import sys\n"
        "from hop.cli import main\n"
        "try:\n"
        "    main(['--help'])\n"
        "except SystemExit:\n"
        "    pass\n"
        "heavy = {'confluent_kafka', 'lxml', 'fastavro', 'logging', 'hop.io', 'hop.models'}\n"
        "print('imported:', sorted(heavy & set(sys.modules)))\n"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert result.stdout.splitlines()[-1] == "imported: []"


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["publish", "http://h/t", "x"], 1, "does not start with 'kafka://'"),
        (["publish", "kafka://h/a,b", "x"], 1, "cannot publish to kafka://h/a,b: name one topic"),
        (["publish", "kafka://h/", "x"], 1, "cannot publish to kafka://h/: name one topic"),
        (["publish", "kafka://h/t", "missing.txt"], 1, "cannot publish missing.txt: "),
        (["publish", "kafka://h/t", "."], 1, "cannot publish .: "),
        (["publish", "kafka://h/t"], 1, "nothing to publish: standard input is empty"),
        (["publish", "kafka://h/t", "-f", "NOPE", "x"], 2, "invalid choice: 'NOPE'"),
        (["publish"], 2, "the following arguments are required: URL"),
        (["publish", "kafka://h/t", "-q", "-v"], 2, "not allowed with argument"),
        (["subscribe", "h/t"], 1, "does not start with 'kafka://'"),
        (["subscribe", "kafka://h/"], 1, "it names no topic"),
        (["subscribe", "kafka://h/t", "-s", "MIDDLE"], 2, "invalid choice: 'MIDDLE'"),
        (["list-topics", "kafka://a,b/"], 1, "more than one broker"),
        (["subscribe", "kafka://h/t"], 1, "hop auth add"),
        (["auth", "remove", "nobody"], 1, "nobody"),
        (["auth"], 2, "<command>"),
    ],
)
def test_what_cannot_be_done_is_said_on_one_line(
    hop: Hop, arguments: list[str], code: int, said: str
) -> None:
    result = hop(*arguments)
    assert result.returncode == code
    assert result.stdout == ""
    assert said in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.stderr
    if code == 1:
        assert result.stderr.startswith("hop: ")
        assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    "arguments",
    [
        ["publish", "--no-auth", "kafka://127.0.0.1:9/gcn", "-f", "JSON", "one.json"],
        ["subscribe", "--no-auth", "kafka://127.0.0.1:9/gcn"],
        ["list-topics", "--no-auth", "kafka://127.0.0.1:9/"],
    ],
)
def test_a_broker_that_is_not_there(hop: Hop, tmp_path: Path, arguments: list[str]) -> None:
    (tmp_path / "one.json").write_text("{}")
    result = hop(*arguments)
    assert result.returncode == 1
    assert result.stderr == (
        "hop: cannot connect to the broker at 127.0.0.1:9: Connection refused; "
        "check host and port, and that the broker is running\n"
    )


def test_version_names_every_distribution(hop: Hop) -> None:
    result = hop("version")
    assert result.returncode == 0
    names = [line.split("==")[0].split(" ")[0] for line in result.stdout.splitlines()]
    assert names[1:6] == ["hop-auth", "hop-cli", "hop-io", "hop-models", "hop-robust"]
    assert "confluent-kafka" in names


def test_auth_stores_lists_and_removes_a_credential(
    hop: Hop, tmp_path: Path, environment: dict[str, str]
) -> None:
    located = hop("auth", "locate").stdout.strip()
    assert located == str(Path(environment["XDG_CONFIG_HOME"], "hop", "auth.toml"))
    (tmp_path / "cred.csv").write_text("username,password\nalice-1,very-secret\n")
    assert hop("auth", "add", "cred.csv").returncode == 0
    listed = hop("auth", "list")
    assert "alice-1" in listed.stdout
    assert "very-secret" not in listed.stdout
    assert hop("auth", "remove", "alice-1").returncode == 0
    assert "alice-1" not in hop("auth", "list").stdout
