from __future__ import annotations

import time
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

import pytest
import tomli

from hop.auth import (
    Auth,
    CredentialExistsError,
    CredentialFileNotFoundError,
    CredentialSelectionError,
    MalformedCredentialsError,
    UnsafePermissionsError,
    add_credential,
    delete_credential,
    list_credentials,
    load_auth,
    write_auth_data,
)

Store = Callable[..., Path]
OUTDATED = (
    '# mine\n[config]\nx = 1\n\n# from the web\n[auth]\nusername = "old"\npassword = "pa55"\n'
)


@pytest.fixture
def add(tmp_path: Path) -> Callable[..., list[Auth]]:
    """Adds what a CSV file with these rows has: `add("alice,pa55,host", force=True)`."""

    def add(*rows: str, force: bool = False) -> list[Auth]:
        path = tmp_path / "new.csv"
        path.write_text("\n".join(["username,password,hostname", *rows, ""]))
        return add_credential(Namespace(cred_file=str(path), force=force))

    return add


Add = Callable[..., list[Auth]]


def test_adding_the_first(add: Add, folder: Path) -> None:
    assert add("alice,pa55") == [Auth("alice", "pa55")]
    assert load_auth() == [Auth("alice", "pa55")]
    assert (folder / "auth.toml").stat().st_mode & 0o777 == 0o600


def test_adding_more(add: Add) -> None:
    add("alice,pa55")
    add("alice,pa55,kafka.example", "bob,pa55")
    assert load_auth() == [
        Auth("alice", "pa55"),
        Auth("alice", "pa55", "kafka.example"),
        Auth("bob", "pa55"),
    ]


def test_an_existing_one_is_not_replaced_unless_asked(add: Add, folder: Path) -> None:
    add("alice,pa55", "bob,pa55,kafka.example", "carol,pa55")
    before = (folder / "auth.toml").read_text()
    with pytest.raises(RuntimeError) as caught:
        add("dave,pa55", "bob,pa56,KAFKA.example.")
    assert isinstance(caught.value, CredentialExistsError)
    assert str(caught.value) == (
        "the credential bob for KAFKA.example. is stored already: use --force to replace it"
    )
    assert (folder / "auth.toml").read_text() == before
    add("dave,pa55", "bob,pa56,KAFKA.example.", force=True)
    assert load_auth() == [
        Auth("alice", "pa55"),
        Auth("bob", "pa56", "KAFKA.example."),
        Auth("carol", "pa55"),
        Auth("dave", "pa55"),
    ]


def test_the_very_same_again_is_no_error(add: Add, folder: Path) -> None:
    add("alice,pa55")
    before = (folder / "auth.toml").stat()
    assert add("alice,pa55") == [Auth("alice", "pa55")]
    assert (folder / "auth.toml").stat().st_ino == before.st_ino


TWICE = [Auth("alice", "pa55"), Auth("bob", "pa55"), Auth("alice", "pa56")]


def test_several_of_one_name_do_not_get_lost(add: Add, folder: Path) -> None:
    write_auth_data(folder / "auth.toml", TWICE)
    add("carol,pa55", "alice,pa56")
    assert set(load_auth()) == {*TWICE, Auth("carol", "pa55")}
    with pytest.raises(CredentialExistsError):
        add("alice,pa57")
    assert set(load_auth()) == {*TWICE, Auth("carol", "pa55")}
    add("alice,pa57", force=True)
    assert load_auth() == [Auth("alice", "pa57"), Auth("bob", "pa55"), Auth("carol", "pa55")]


def test_several_of_one_name_are_not_removed_by_it(folder: Path) -> None:
    write_auth_data(folder / "auth.toml", TWICE)
    with pytest.raises(RuntimeError, match=f"2 stored credentials .*: edit {folder}/auth.toml"):
        delete_credential("alice")
    assert load_auth() == TWICE


def test_the_same_twice_is_removed_at_once(folder: Path) -> None:
    write_auth_data(folder / "auth.toml", [Auth("alice", "pa55"), *TWICE[:2]])
    delete_credential("alice@")
    assert load_auth() == [Auth("bob", "pa55")]


def test_adding_very_many_takes_no_time(add: Add) -> None:
    begin = time.monotonic()
    add(*(f"user{number},pa55" for number in range(5000)))
    add(*(f"user{number},pa56" for number in range(5000)), force=True)
    assert len(load_auth()) == 5000
    assert time.monotonic() - begin < 20


def test_adding_leaves_the_rest_of_the_file(add: Add, store: Store) -> None:
    path = store('# top\n\n[[auth]]  # mine\nusername = "bob"\npassword = "pa55"\nnote = 1\n')
    add("alice,pa55")
    assert load_auth() == [Auth("bob", "pa55"), Auth("alice", "pa55")]
    assert path.read_text().startswith(
        '# top\n\n[[auth]]  # mine\nusername = "bob"\npassword = "pa55"\nnote = 1\n\n[[auth]]\n'
    )


@pytest.mark.parametrize(
    ("text", "mode", "error"),
    [("[[auth]\n", 0o600, MalformedCredentialsError), ("", 0o644, UnsafePermissionsError)],
)
def test_a_store_that_cannot_be_read_is_left_alone(
    add: Add, store: Store, text: str, mode: int, error: type[Exception]
) -> None:
    path = store(text, mode=mode)
    for change in (lambda: add("alice,pa55"), lambda: delete_credential("alice")):
        with pytest.raises(error):
            change()
    assert path.read_text() == text


def test_what_older_releases_stored_moves(add: Add, store: Store, folder: Path) -> None:
    general = store(OUTDATED, "config.toml")
    add("alice,pa55")
    assert load_auth() == [Auth("old", "pa55"), Auth("alice", "pa55")]
    assert general.read_text() == "# mine\n[config]\nx = 1\n"
    assert (folder / "auth.toml").read_text().startswith("# from the web\n[[auth]]\nusername")
    assert tomli.loads((folder / "auth.toml").read_text()).keys() == {"auth"}


def test_removing_what_older_releases_stored(store: Store, folder: Path) -> None:
    general = store(OUTDATED, "config.toml")
    delete_credential("old")
    assert load_auth() == []
    assert "pa55" not in general.read_text()
    assert "pa55" not in (folder / "auth.toml").read_text()


def test_credentials_in_both_places(add: Add, store: Store) -> None:
    general = store(OUTDATED, "config.toml")
    store('[[auth]]\nusername = "bob"\npassword = "pa55"\n')
    add("alice,pa55")
    assert load_auth() == [Auth("bob", "pa55"), Auth("alice", "pa55")]
    # nobody has read it, so nobody knows whether it is still needed
    assert general.read_text() == OUTDATED


CREDS = [
    Auth("alice", "pa55"),
    Auth("alice", "pa55", "kafka.example"),
    Auth("alice", "pa55", "kafka.example:9093"),
    Auth("bob", "pa55", "kafka.example"),
    Auth("carol@home", "pa55"),
    Auth("carol", "pa55", "home"),
    Auth("dave", "pa55", "[::1]:9092"),
]


@pytest.mark.parametrize(
    ("name", "index"),
    [
        ("alice@", 0),
        ("alice@kafka.example", 1),
        ("alice@KAFKA.example", 1),
        ("alice@kafka.example:9093", 2),
        ("bob", 3),
        ("bob@kafka.example", 3),
        ("carol@home@", 4),
        ("carol", 5),
        ("dave", 6),
        ("dave@[::1]:9092", 6),
    ],
)
def test_removing(folder: Path, name: str, index: int) -> None:
    write_auth_data(folder / "auth.toml", CREDS)
    delete_credential(name)
    assert load_auth() == [cred for number, cred in enumerate(CREDS) if number != index]


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("alice", "cannot remove 'alice': 3 stored credentials have that name"),
        ("alice", "name one of alice@, alice@kafka.example, alice@kafka.example:9093"),
        ("carol@home", "2 stored credentials have that name, name one of carol@home@, carol@home"),
        ("eve", "no stored credentials have that name, name one of alice@, alice@kafka.example, "),
        ("bob@", "no stored credentials have that name"),
        ("bob@other.example", "no stored credentials have that name"),
        ("bob@no host", "no stored credentials have that name"),
        ("", "no stored credentials have that name"),
        ("@", "no stored credentials have that name"),
        ("ALICE@", "no stored credentials have that name"),
    ],
)
def test_removing_needs_exactly_one(folder: Path, name: str, message: str) -> None:
    write_auth_data(folder / "auth.toml", CREDS)
    with pytest.raises(RuntimeError) as caught:
        delete_credential(name)
    assert isinstance(caught.value, CredentialSelectionError)
    assert message in str(caught.value)
    assert "pa55" not in str(caught.value)
    assert load_auth() == CREDS


def test_removing_from_nothing() -> None:
    with pytest.raises(RuntimeError, match=r"no stored credentials have that name, nor any other"):
        delete_credential("alice")


def test_listing(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_auth_data(folder / "auth.toml", CREDS[:2])
    list_credentials()
    assert capsys.readouterr().out == "alice\nalice for kafka.example\n"


def test_listing_what_older_releases_stored(
    store: Store, capsys: pytest.CaptureFixture[str]
) -> None:
    store(OUTDATED, "config.toml")
    list_credentials()
    assert capsys.readouterr().out == "old\n"


def test_listing_nothing() -> None:
    with pytest.raises(CredentialFileNotFoundError, match="No valid credential data found"):
        list_credentials()


@pytest.mark.parametrize("variable", ["HOP_USERNAME", "HOP_CREDENTIALS_FILE"])
def test_the_stored_ones_are_meant_and_the_environment_is_pointed_out(
    add: Add,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    variable: str,
) -> None:
    monkeypatch.setenv(variable, "x")
    add("alice,pa55", "bob,pa55")
    list_credentials()
    delete_credential("bob")
    list_credentials()
    assert capsys.readouterr().out == "alice\nbob\nalice\n"
    said = f"{variable} is set: as long as it is, hop does not use the stored credentials"
    assert caplog.messages == [said] * 4


def test_a_store_that_is_a_link(add: Add, folder: Path, tmp_path: Path) -> None:
    target = tmp_path / "dotfiles.toml"
    write_auth_data(target, [Auth("bob", "pa55")])
    folder.mkdir(parents=True)
    (folder / "auth.toml").symlink_to(target)
    add("alice,pa55")
    assert (folder / "auth.toml").is_symlink()
    assert load_auth(target) == [Auth("bob", "pa55"), Auth("alice", "pa55")]
