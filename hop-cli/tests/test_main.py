"""`hop` itself: its commands, its help, and what is said when something goes wrong."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from importlib.metadata import files, version
from pathlib import Path
from typing import Any

import pytest

import hop.cli
import hop.list_topics
import hop.publish
import hop.subscribe
import hop.version
from hop.cli._version import hop_version

Hop = Callable[..., Any]

COMMANDS = [
    "auth",
    "completion",
    "configure",
    "doctor",
    "journal",
    "list-topics",
    "publish",
    "sandbox",
    "subscribe",
    "version",
]


def test_the_exported_names() -> None:
    assert sorted(hop.cli.__all__) == [
        "CommandError",
        "add_client_opts",
        "add_logging_opts",
        "get_log_level",
        "main",
        "set_up_logger",
    ]
    assert sorted(hop.publish.__all__) == ["add_arguments", "main", "messages"]
    assert sorted(hop.subscribe.__all__) == ["add_arguments", "main", "print_message"]
    assert sorted(hop.list_topics.__all__) == ["add_arguments", "list_topics", "main"]
    assert sorted(hop.version.__all__) == [
        "add_arguments",
        "get_packages",
        "main",
        "print_packages_versions",
    ]


def test_help_lists_the_commands(hop: Hop) -> None:
    result = hop("--help")
    assert (result.returncode, result.stderr) == (0, "")
    listed = result.stdout.partition("commands:\n")[2].partition("\n\n")[0]
    assert [line.split()[0] for line in listed.splitlines()] == COMMANDS


def test_without_a_command_the_help_is_shown_and_the_exit_code_is_2(hop: Hop) -> None:
    result = hop()
    assert (result.returncode, result.stdout) == (2, "")
    assert "commands:" in result.stderr


def test_an_unknown_command_is_named(hop: Hop) -> None:
    result = hop("publsih")
    assert result.returncode == 2
    assert "invalid choice: 'publsih'" in result.stderr
    assert len(result.stderr.splitlines()) == 1


@pytest.mark.parametrize(
    ("command", "words"),
    [
        (
            "publish",
            "URL MESSAGE --no-auth -q --quiet -v --verbose -f --format -t --test --header --key"
            " --timeout --dry-run --robust GCNTEXTNOTICE EXTERNAL",
        ),
        (
            "subscribe",
            "URL --no-auth -q -v -s --start-at EARLIEST LATEST -e --until-eos -g --group-id -j --json"
            " -t --test -n --count --timeout --until --where --json-metadata --summary --save -D",
        ),
        ("journal", "show verify export retry-dead -q --quiet -v --verbose"),
        ("list-topics", "URL --no-auth --timeout"),
        ("auth", "locate list add remove test -q --quiet -v --verbose"),
        ("configure", "locate show set"),
        ("completion", "bash zsh fish"),
        ("doctor", "URL --no-auth --group-id --timeout --json"),
        ("version", "dependencies' versions --json"),
    ],
)
def test_each_command_explains_its_options_with_an_example(
    hop: Hop, command: str, words: str
) -> None:
    result = hop(command, "--help")
    assert (result.returncode, result.stderr) == (0, "")
    for word in words.split():
        assert word in result.stdout
    example = result.stdout.partition("\nexample")[2]
    assert f"  hop {command}" in example


def test_the_sandbox_is_a_command_where_it_is_installed(hop: Hop) -> None:
    assert "--port" in hop("sandbox", "--help").stdout


def test_help_imports_nothing_heavy() -> None:
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


def test_debug_shows_where_it_failed(hop: Hop) -> None:
    plain = hop("subscribe", "h/t")
    debug = hop("-d", "subscribe", "h/t")
    assert "Traceback" not in plain.stderr
    assert debug.stderr.startswith("Traceback (most recent call last)")
    assert debug.stderr.endswith(plain.stderr)
    assert (plain.returncode, debug.returncode) == (1, 1)


def test_debug_shows_no_secret(hop: Hop, tmp_path: Path) -> None:
    (tmp_path / "cred.csv").write_text('username,password\nalice,"very-secret"x,\n')
    result = hop("-d", "auth", "add", "cred.csv")
    assert result.returncode == 1
    assert "Traceback" in result.stderr
    assert "very-secret" not in result.stdout + result.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["publish", "--no-auth", "kafka://127.0.0.1:9/gcn", "-f", "JSON", "one.json"],
        ["subscribe", "--no-auth", "kafka://127.0.0.1:9/gcn"],
        ["list-topics", "--no-auth", "kafka://127.0.0.1:9/gcn"],
    ],
)
def test_a_broker_that_is_not_there(hop: Hop, tmp_path: Path, arguments: list[str]) -> None:
    (tmp_path / "one.json").write_text("{}")
    result = hop(*arguments)
    assert (result.returncode, result.stdout) == (1, "")
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.startswith("hop: cannot connect to the broker at 127.0.0.1:9: ")
    assert "Connection refused" in result.stderr
    assert result.stderr.endswith("`hop doctor kafka://127.0.0.1:9/gcn` looks for the cause\n")


def test_version_names_every_distribution_and_what_they_need(hop: Hop) -> None:
    result = hop("version")
    assert (result.returncode, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    names = [line.split("==")[0].split(" ")[0] for line in lines]
    assert names[:7] == [
        "hop-client",
        "hop-auth",
        "hop-cli",
        "hop-io",
        "hop-models",
        "hop-robust",
        "hop-sandbox",
    ]
    needed = {"confluent-kafka", "fastavro", "jmespath", "lxml", "shtab", "tomli", "tqdm"}
    assert needed <= set(names[7:])
    assert names[-2:] == ["librdkafka", "python"]
    assert f"hop-cli=={version('hop-cli')}" in lines


def test_version_as_json(hop: Hop) -> None:
    versions = json.loads(hop("version", "--json").stdout)
    assert versions["hop-io"] == version("hop-io")
    assert versions["librdkafka"][0].isdigit()
    lines = hop("version").stdout.splitlines()
    for name, value in versions.items():
        assert (f"{name}=={value}" if value else f"{name} (not installed)") in lines


def test_the_version_option(hop: Hop) -> None:
    assert hop("--version").stdout.split() == ["hop", hop_version()]


def test_help_fits_the_terminal(environment: dict[str, str], program: str) -> None:
    for command in ("doctor", "journal", "sandbox"):
        for width in (60, 100):
            result = subprocess.run(
                [program, command, "--help"],
                env={**environment, "COLUMNS": str(width)},
                capture_output=True,
                text=True,
            )
            description = result.stdout.partition("\n\n")[2].partition("\n\n")[0]
            lengths = [len(line) for line in description.splitlines()]
            assert len(lengths) > 1
            assert width - 20 < max(lengths) <= width


def test_after_ctrl_c_the_next_line_is_a_new_one(terminal: Any) -> None:
    session = terminal("auth", "add")
    session.wait_for("Username: ")
    time.sleep(0.5)  # Python misses it between the prompt and waiting for the answer
    session.type("\x03")
    assert session.end() == 130
    assert session.shown.endswith("Username: ^C\r\n")


@pytest.mark.parametrize(
    "arguments", ["publish -f JSON", "publish -f JSON --robust", "subscribe -s EARLIEST"]
)
def test_in_the_background_of_a_script_ctrl_c_is_for_others(
    environment: dict[str, str], program: str, url: str, tmp_path: Path, arguments: str
) -> None:
    """There the shell lets it ignore Ctrl-C."""
    command, *options = arguments.split()
    line = f"trap '' INT; exec {program} {command} {url} --no-auth {' '.join(options)}"
    with subprocess.Popen(
        ["sh", "-c", line],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        cwd=tmp_path,
    ) as process:
        assert process.stdin is not None
        process.stdin.write(b"1\n")
        process.stdin.flush()
        time.sleep(1.5)
        process.send_signal(signal.SIGINT)
        time.sleep(0.5)
        assert process.poll() is None
        process.send_signal(signal.SIGTERM)
        _, errors = process.communicate(timeout=20)
        assert process.returncode == (0 if command == "subscribe" else 130)
        assert b"Traceback" not in errors


def test_the_manual_pages_say_what_the_parsers_say() -> None:
    folder = Path(__file__).parent.parent
    program = (
        f"import sys; sys.path.insert(0, {str(folder / 'tools')!r})\n"
        "import json, make_man\n"
        "print(json.dumps(make_man.pages()))\n"
    )
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    made = json.loads(result.stdout)
    there = {path.name: path.read_text(encoding="utf-8") for path in (folder / "man").iterdir()}
    assert there == made, "run: python hop-cli/tools/make_man.py"
    assert set(made) == {"hop.1", *(f"hop-{name}.1" for name in COMMANDS if name != "sandbox")}
    assert "\\-\\-json\\-metadata" in made["hop-subscribe.1"]


def test_the_manual_pages_are_installed() -> None:
    installed = {Path(str(file)).name for file in files("hop-cli") or () if "man1" in str(file)}
    assert {"hop.1", "hop-publish.1", "hop-subscribe.1"} <= installed


def test_output_that_cannot_be_written_is_an_error(environment: dict[str, str]) -> None:
    with Path("/dev/full").open("w") as full:
        result = subprocess.run(
            [sys.executable, "-m", "hop.cli", "version"],
            stdout=full,
            stderr=subprocess.PIPE,
            env=environment,
            text=True,
        )
    assert result.returncode == 1
    assert result.stderr == "hop: cannot write to standard output: No space left on device\n"
