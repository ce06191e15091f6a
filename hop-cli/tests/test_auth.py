"""`hop auth`, the installed program, on files and on a terminal."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hop.auth import load_auth

Hop = Callable[..., Any]


@pytest.fixture
def store(environment: dict[str, str]) -> Path:
    return Path(environment["XDG_CONFIG_HOME"], "hop", "auth.toml")


def add(hop: Hop, folder: Path, *lines: str, columns: str = "username,password,hostname") -> Any:
    (folder / "cred.csv").write_text("\n".join([columns, *lines, ""]))
    return hop("auth", "add", "cred.csv")


def test_a_csv_file(hop: Hop, tmp_path: Path, store: Path) -> None:
    assert hop("auth", "locate").stdout == f"{store}\n"
    added = add(hop, tmp_path, "alice-1,very-secret,kafka.scimma.org")
    assert (added.returncode, added.stderr) == (0, "")
    assert added.stdout == (
        f"Stored alice-1 for kafka.scimma.org in {store}\n"
        "The password is still in cred.csv; delete it: rm cred.csv\n"
    )
    (cred,) = load_auth(store)
    assert cred.password == "very-secret"
    listed = hop("auth", "list")
    assert listed.stdout == "alice-1 for kafka.scimma.org (SCRAM-SHA-512)\n"
    removed = hop("auth", "remove", "alice-1")
    assert (removed.returncode, removed.stdout) == (0, "Removed alice-1\n")
    empty = hop("auth", "list")
    assert (empty.returncode, empty.stdout) == (1, "")
    assert empty.stderr == (
        f"hop: No valid credential data found: {store} holds none. You can get a credential from"
        " https://my.hop.scimma.org. To load your credential, run `hop auth add`\n"
    )


def test_an_existing_credential_is_replaced_only_by_force(
    hop: Hop, tmp_path: Path, store: Path
) -> None:
    assert add(hop, tmp_path, "alice,first,").returncode == 0
    again = add(hop, tmp_path, "alice,second,")
    assert (again.returncode, again.stdout) == (1, "")
    assert again.stderr == (
        "hop: the credential alice is stored already: use --force to replace it\n"
    )
    assert load_auth(store)[0].password == "first"
    for option in ("-f", "--force"):
        assert hop("auth", "add", option, "cred.csv").returncode == 0
        assert hop("auth", "add", "cred.csv", option).returncode == 0
    assert [cred.password for cred in load_auth(store)] == ["second"]


def test_the_mechanism_is_listed_and_no_secret(hop: Hop, tmp_path: Path) -> None:
    result = add(
        hop, tmp_path, "a,hidden-1,PLAIN", "b,hidden-2,", columns="username,password,mechanism"
    )
    assert result.returncode == 0
    listed = hop("auth", "list", "-v")
    assert listed.stdout == "a (PLAIN)\nb (SCRAM-SHA-512)\n"
    assert "hidden" not in result.stdout + result.stderr + listed.stderr


def test_credentials_where_older_releases_kept_them(hop: Hop, store: Path) -> None:
    store.parent.mkdir(parents=True)
    old = store.with_name("config.toml")
    old.write_text('[auth]\nusername = "old"\npassword = "hidden"\n')
    old.chmod(0o600)
    assert hop("auth", "list").stdout == "old (SCRAM-SHA-512)\n"


def test_what_hides_the_stored_credentials_is_said(hop: Hop, tmp_path: Path) -> None:
    add(hop, tmp_path, "alice,hidden,")
    listed = hop("auth", "list", env={"HOP_USERNAME": "bob", "HOP_PASSWORD": "hidden"})
    assert listed.stdout == "alice (SCRAM-SHA-512)\n"
    assert listed.stderr.startswith("HOP_USERNAME is set: ")


@pytest.mark.parametrize(
    "arguments", [["-q", "add", "cred.csv"], ["add", "-q", "cred.csv"], ["add", "cred.csv", "-q"]]
)
def test_quiet_in_any_place(hop: Hop, tmp_path: Path, arguments: list[str]) -> None:
    (tmp_path / "cred.csv").write_text("username,password\na,b\n")
    result = hop("auth", *arguments)
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_a_newcomer_is_guided(terminal: Any, store: Path) -> None:
    session = terminal("auth", "add")
    session.wait_for("Username: ")
    assert "You can get a credential from https://my.hop.scimma.org" in session.shown
    session.type("alice-1\n")
    session.wait_for("Password: ")
    session.type("very-secret\n")
    session.wait_for("Hostname")
    session.type("kafka.scimma.org\n")
    assert session.end() == 0
    assert f"Stored alice-1 for kafka.scimma.org in {store}\r\n" in session.shown
    assert "very-secret" not in session.shown
    assert load_auth(store)[0].password == "very-secret"


@pytest.mark.parametrize(("answer", "kept"), [("y", "second"), ("n", "first"), ("", "first")])
def test_overwriting_is_confirmed(
    hop: Hop, terminal: Any, tmp_path: Path, store: Path, answer: str, kept: str
) -> None:
    add(hop, tmp_path, "alice,first,")
    session = terminal("auth", "add")
    for prompt, typed in (("Username: ", "alice"), ("Password: ", "second"), ("Hostname", "")):
        session.wait_for(prompt)
        session.type(f"{typed}\n")
    session.wait_for("alice is stored already. Replace it? [y/N] ")
    session.type(f"{answer}\n")
    assert session.end() == (0 if kept == "second" else 1)
    assert load_auth(store)[0].password == kept


def test_ctrl_c_stores_nothing(terminal: Any, store: Path) -> None:
    session = terminal("auth", "add")
    session.wait_for("Username: ")
    session.type("alice\n")
    session.wait_for("Password: ")
    time.sleep(0.5)  # Python misses it between the prompt and waiting for the answer
    session.type("\x03")
    assert session.end() == 130
    assert "Traceback" not in session.shown
    assert not store.exists()


@pytest.mark.parametrize(
    ("typed", "said"),
    [
        ("", "the input ended"),
        ("alice\n", "the input ended"),
        ("\n", "the username is empty"),
    ],
)
def test_incomplete_input(hop: Hop, store: Path, typed: str, said: str) -> None:
    result = hop("auth", "add", stdin=typed)
    assert result.returncode == 1
    assert said in result.stderr.splitlines()[-1]
    assert not store.exists()
