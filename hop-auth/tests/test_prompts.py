from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from hop.auth import Auth, load_auth, write_auth_data

if TYPE_CHECKING:
    from conftest import Terminal

READ = """
from hop.auth import AuthError, read_new_credential
try:
    cred = read_new_credential()
    print("GOT", cred.username, len(cred.password), repr(cred.hostname))
except AuthError as exc:
    print(type(exc).__name__, exc)
"""

ADD = """
from argparse import Namespace
from hop.auth import AuthError, add_credential
try:
    print("STORED", add_credential(Namespace(cred_file=None, force={force})))
except AuthError as exc:
    print(type(exc).__name__, exc)
"""

Start = Callable[[str], "Terminal"]


def test_a_credential_is_asked_for_and_the_password_is_not_shown(terminal: Start) -> None:
    person = terminal(READ)
    person.expect("Username: ")
    person.type(" alice \n")
    person.expect("Password: ")
    person.type(" pa55 \n")
    person.expect("Hostname (empty for any): ")
    person.type("kafka.example:9093\n")
    person.expect("GOT alice 6 'kafka.example:9093'")
    assert person.end() == 0
    assert "pa55" not in person.screen
    assert "alice" in person.screen


def test_an_empty_user_name(terminal: Start) -> None:
    person = terminal(READ)
    person.expect("Username: ")
    person.type("  \n")
    person.expect("CredentialInputError the username is empty")
    assert person.end() == 0


def test_an_empty_password(terminal: Start) -> None:
    person = terminal(READ)
    person.expect("Username: ")
    person.type("alice\n")
    person.expect("Password: ")
    person.type("\n")
    person.expect("CredentialInputError the password is empty")
    assert person.end() == 0


def test_a_host_that_is_none(terminal: Start) -> None:
    person = terminal(READ)
    person.expect("Username: ")
    person.type("alice\n")
    person.expect("Password: ")
    person.type("pa55\n")
    person.expect("Hostname")
    person.type("kafka://kafka.example\n")
    person.expect("CredentialInputError that is not a credential: hostname 'kafka://kafka.example'")
    assert person.end() == 0
    assert "pa55" not in person.screen


@pytest.mark.parametrize("answers", [[], ["alice\n"], ["alice\n", "pa55\n"]])
def test_the_end_of_input(terminal: Start, answers: list[str]) -> None:
    person = terminal(READ)
    for prompt, answer in zip(["Username: ", "Password: "], answers, strict=False):
        person.expect(prompt)
        person.type(answer)
    person.expect(["Username: ", "Password: ", "Hostname"][len(answers)])
    person.type("\x04")
    person.expect("CredentialInputError the input ended before the credential was complete")
    assert person.end() == 0


def test_an_interrupt_leaves_the_terminal_as_it_was(terminal: Start) -> None:
    person = terminal(READ)
    person.expect("Username: ")
    person.type("alice\n")
    person.expect("Password: ")
    person.type("\x03")
    person.expect("KeyboardInterrupt")
    assert person.end() in (1, 130, -signal.SIGINT)


def test_input_from_a_pipe(tmp_path: Path) -> None:
    for lines, answer in (
        ("alice\npa55\nkafka.example\n", "GOT alice 4 'kafka.example'"),
        (
            "alice\npa55\n",
            "CredentialInputError the input ended before the credential was complete",
        ),
        ("", "CredentialInputError the input ended before the credential was complete"),
    ):
        run = subprocess.run(
            [sys.executable, "-W", "error", "-c", READ],
            input=lines,
            capture_output=True,
            text=True,
            start_new_session=True,  # there is no terminal at all
            timeout=60,
            check=True,
        )
        assert answer in run.stdout


def test_input_that_is_not_text() -> None:
    run = subprocess.run(
        [sys.executable, "-X", "utf8", "-c", READ],
        input=b"jos\xe9\npa55\n\n",
        env={**os.environ, "PYTHONIOENCODING": "utf-8:strict"},
        capture_output=True,
        start_new_session=True,
        timeout=60,
        check=True,
    )
    assert run.stdout.decode().endswith(
        "CredentialInputError the input is not utf-8: check your locale\n"
    )


def test_no_input_at_all() -> None:
    run = subprocess.run(
        ["/bin/sh", "-c", 'exec "$0" -c "$1" <&-', sys.executable, READ],
        capture_output=True,
        text=True,
        start_new_session=True,
        timeout=60,
        check=True,
    )
    assert run.stdout.startswith("CredentialInputError the input ended before")


def answer_prompts(person: Terminal, password: str) -> None:
    person.expect("Username: ")
    person.type("alice\n")
    person.expect("Password: ")
    person.type(f"{password}\n")
    person.expect("Hostname")
    person.type("\n")


def test_storing_what_was_typed(terminal: Start) -> None:
    person = terminal(ADD.format(force=False))
    answer_prompts(person, "pa55")
    person.expect("STORED [Auth('alice', <password>,")
    assert person.end() == 0
    assert load_auth() == [Auth("alice", "pa55")]


@pytest.mark.parametrize(
    ("answer", "password"), [("y\n", "pa56"), ("YES\n", "pa56"), ("n\n", "pa55"), ("\n", "pa55")]
)
def test_replacing_is_asked(terminal: Start, folder: Path, answer: str, password: str) -> None:
    write_auth_data(folder / "auth.toml", [Auth("alice", "pa55"), Auth("bob", "pa55")])
    person = terminal(ADD.format(force=False))
    answer_prompts(person, "pa56")
    person.expect("alice is stored already. Replace it? [y/N] ")
    person.type(answer)
    person.expect("STORED" if password == "pa56" else "CredentialExistsError the credential alice")
    assert person.end() == 0
    assert load_auth() == [Auth("alice", password), Auth("bob", "pa55")]


def test_replacing_is_not_asked_when_it_was_asked_for(terminal: Start, folder: Path) -> None:
    write_auth_data(folder / "auth.toml", [Auth("alice", "pa55")])
    person = terminal(ADD.format(force=True))
    answer_prompts(person, "pa56")
    person.expect("STORED")
    assert person.end() == 0
    assert "Replace" not in person.screen
    assert load_auth() == [Auth("alice", "pa56")]


def test_the_end_of_input_is_no_consent(terminal: Start, folder: Path) -> None:
    write_auth_data(folder / "auth.toml", [Auth("alice", "pa55")])
    person = terminal(ADD.format(force=False))
    answer_prompts(person, "pa56")
    person.expect("[y/N] ")
    person.type("\x04")
    person.expect("CredentialExistsError")
    assert person.end() == 0
    assert load_auth() == [Auth("alice", "pa55")]
