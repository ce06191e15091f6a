from __future__ import annotations

import logging
import os
import stat
import textwrap
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest
import tomli
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from hop.auth import (
    Auth,
    CredentialFileError,
    MalformedConfigError,
    MalformedCredentialsError,
    load_auth,
    prune_outdated_auth,
    write_auth_data,
)

Store = Callable[..., Path]
ALICE = Auth("alice", "pa55")
BOB = Auth("bob", "pa56", "kafka.example", method="PLAIN")


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def dedent(text: str) -> str:
    return textwrap.dedent(text).lstrip("\n")


def test_a_new_file(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "auth.toml"
    write_auth_data(path, [ALICE, BOB])
    assert load_auth(path) == [ALICE, BOB]
    assert path.read_text() == dedent(
        """
        [[auth]]
        username = "alice"
        password = "pa55"
        protocol = "SASL_SSL"
        mechanism = "SCRAM-SHA-512"

        [[auth]]
        username = "bob"
        password = "pa56"
        hostname = "kafka.example"
        protocol = "SASL_SSL"
        mechanism = "PLAIN"
        """
    )


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
def test_nobody_else_may_read_it(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        write_auth_data(str(tmp_path / "a" / "b" / "auth.toml"), [ALICE])
    finally:
        os.umask(before)
    assert mode(tmp_path / "a") == mode(tmp_path / "a" / "b") == 0o700
    assert {mode(path) for path in (tmp_path / "a" / "b").iterdir()} == {0o600}


def test_what_existed_is_replaced_and_made_safe(store: Store) -> None:
    path = store('[[auth]]\nusername = "old"\npassword = "x"\n', mode=0o644)
    path.parent.chmod(0o755)
    write_auth_data(path, (cred for cred in [BOB]))
    assert load_auth() == [BOB]
    assert mode(path) == 0o600
    assert mode(path.parent) == 0o755
    assert sorted(each.name for each in path.parent.iterdir()) == [".auth.toml.lock", "auth.toml"]


def test_none(tmp_path: Path) -> None:
    path = tmp_path / "auth.toml"
    write_auth_data(path, [])
    assert path.read_text() == "auth = []\n"
    write_auth_data(path, [ALICE])
    assert load_auth(path) == [ALICE]
    write_auth_data(path, [])
    assert load_auth(path) == []


def test_links_are_followed(tmp_path: Path) -> None:
    (tmp_path / "dotfiles").mkdir()
    target = tmp_path / "dotfiles" / "auth.toml"
    link = tmp_path / "auth.toml"
    link.symlink_to("dotfiles/auth.toml")
    for creds in ([ALICE], [ALICE, BOB]):  # first the target does not exist
        write_auth_data(link, creds)
        assert link.is_symlink()
        assert not target.is_symlink()
        assert load_auth(target) == creds
        assert mode(target) == 0o600


COMMENTED = """
# my credentials

# for the telescope
[[auth]]
username = "alice"  # that's me
password = "pa55"
note = "ask Carol"

[other]
x = [1,
  2]  # two

[[auth]]
# for tests
username = 'bob'
password = "pa56"
hostname = "kafka.example"
mechanism = "PLAIN"
"""


def test_comments_and_unknown_fields_stay(store: Store) -> None:
    path = store(COMMENTED.lstrip())
    carol = Auth("carol", "pa57")
    write_auth_data(path, [ALICE, BOB, carol])
    assert load_auth() == [ALICE, BOB, carol]
    text = path.read_text()
    assert text == dedent(
        """
        # my credentials

        # for the telescope
        [[auth]]
        username = "alice"  # that's me
        password = "pa55"
        note = "ask Carol"

        [[auth]]
        # for tests
        username = 'bob'
        password = "pa56"
        hostname = "kafka.example"
        mechanism = "PLAIN"

        [[auth]]
        username = "carol"
        password = "pa57"
        protocol = "SASL_SSL"
        mechanism = "SCRAM-SHA-512"

        [other]
        x = [1,
          2]  # two
        """
    )
    write_auth_data(path, [ALICE, BOB, carol])
    assert path.read_text() == text
    write_auth_data(path, [BOB])
    assert load_auth() == [BOB]
    assert "# my credentials" in path.read_text()
    assert "# for tests" in path.read_text()
    assert "# two" in path.read_text()
    assert "telescope" not in path.read_text()


def test_the_order_is_that_of_the_list(store: Store) -> None:
    path = store(COMMENTED)
    write_auth_data(path, [BOB, ALICE])
    assert load_auth() == [BOB, ALICE]
    assert "# for tests" in path.read_text()


def test_a_single_table_becomes_the_first_of_several(store: Store) -> None:
    path = store('# top\n\n[auth]  # mine\nusername = "alice"\npassword = "pa55"\n')
    write_auth_data(path, [ALICE, BOB])
    assert load_auth() == [ALICE, BOB]
    assert path.read_text().startswith("# top\n\n[[auth]]  # mine\nusername = ")


def test_comments_survive_having_no_credentials_for_a_while(store: Store) -> None:
    path = store('# top\n\n[[auth]]\nusername = "alice"\npassword = "pa55"\n')
    write_auth_data(path, [])
    assert load_auth() == []
    write_auth_data(path, [BOB])
    assert load_auth() == [BOB]
    assert path.read_text().startswith("# top\n\n[[auth]]\n")


@pytest.mark.parametrize(
    "text",
    [
        'auth = [  # mine\n  {username = "alice", password = "pa55", note = 1},\n]\n',
        'auth.username = "alice" # mine\nauth.password = "pa55"\nauth.note = 1\n',
        '[auth] # mine\nusername = "alice"\npassword = "pa55"\nnote = 1\n[auth.sub]\nx = 1\n',
        '[[auth]] # mine\nusername = "alice"\npassword = "pa55"\nnote = """\n[[auth]]\n[x]"""\n',
    ],
)
def test_what_cannot_be_edited_is_written_anew_and_said(
    store: Store, text: str, caplog: pytest.LogCaptureFixture
) -> None:
    path = store(text)
    tables = tomli.loads(text)["auth"]
    note = (tables[0] if isinstance(tables, list) else tables)["note"]
    with caplog.at_level(logging.WARNING):
        write_auth_data(path, [ALICE, BOB])
    assert load_auth() == [ALICE, BOB]
    assert tomli.loads(path.read_text())["auth"][0]["note"] == note
    if "# mine" not in path.read_text():
        assert f"the comments in {path} could not be kept" in caplog.messages


def test_into_a_file_about_something_else(store: Store) -> None:
    path = store("# mine\n[config]\nx = 1\n", "config.toml", 0o644)
    write_auth_data(path, [ALICE])
    assert load_auth(path) == [ALICE]
    assert path.read_text().startswith("# mine\n[config]\nx = 1\n\n[[auth]]\n")


def test_a_file_that_cannot_be_understood_is_not_overwritten(store: Store) -> None:
    path = store("[[auth]\n")
    with pytest.raises(MalformedCredentialsError, match="is not valid TOML"):
        write_auth_data(path, [ALICE])
    assert path.read_text() == "[[auth]\n"


def test_a_folder_in_its_place(tmp_path: Path) -> None:
    with pytest.raises(CredentialFileError, match="it is not a plain file"):
        write_auth_data(tmp_path, [ALICE])


def test_a_file_in_place_of_the_folder(store: Store) -> None:
    path = store("")
    with pytest.raises(CredentialFileError, match=f"cannot write {path}/auth.toml: "):
        write_auth_data(path / "auth.toml", [ALICE])


def test_links_in_a_circle(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with pytest.raises(CredentialFileError, match="symbolic links"):
        write_auth_data(tmp_path / "a", [ALICE])


def test_so_many_that_they_could_not_be_read_again(store: Store) -> None:
    path = store('[[auth]]\nusername = "alice"\npassword = "pa55"\n')
    many = [Auth(f"user{number}", "pa55") for number in range(20000)]
    with pytest.raises(CredentialFileError, match=r"cannot write .*: it is larger than 1024 KiB"):
        write_auth_data(path, many)
    assert load_auth() == [ALICE]


@pytest.mark.parametrize("line", ["#\n", "[", "[x]\n", "\n", "[[auth]]\n", "[[x]]\n#\n"])
def test_a_file_of_nothing_but_one_line_takes_no_time(store: Store, line: str) -> None:
    path = store(line * (900_000 // len(line)))
    begin = time.monotonic()
    with suppress(MalformedCredentialsError):
        write_auth_data(path, [ALICE])
    with suppress(MalformedConfigError):
        prune_outdated_auth(path)
    assert time.monotonic() - begin < 20


text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1)
printable = text.filter(str.isprintable)
hosts = st.sampled_from(
    ["", "kafka.example", "kafka.example:9093", "[::1]:9092", "münchen.example"]
)
passwords = st.builds(
    Auth,
    user=printable,
    password=text,
    host=hosts,
    ssl=st.booleans(),
    method=st.sampled_from(["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]),
    ssl_ca_location=st.none() | text,
)
clients = st.builds(
    Auth,
    user=printable,
    password=text,
    host=hosts,
    method=st.just("OAUTHBEARER"),
    token_endpoint=st.just("https://idp.example/token"),
    scope=st.none() | text,
)
commands = st.builds(
    Auth, user=printable, password=st.just(""), method=st.just("OAUTHBEARER"), token_command=text
)
credentials = st.lists(passwords | clients | commands, max_size=4)


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(first=credentials, second=credentials, data=st.data())
def test_what_was_written_is_read(
    tmp_path: Path, first: list[Auth], second: list[Auth], data: st.DataObject
) -> None:
    path = tmp_path / "auth.toml"
    write_auth_data(path, first)
    assert load_auth(path) == first
    mixed = data.draw(st.permutations(first + second))
    write_auth_data(path, mixed)
    assert load_auth(path) == mixed


PIECES = [
    "# comment\n",
    "\n",
    "[other{n}]\nx = 1\n",
    '[text{n}]\nx = """\n[[auth]]\n# no comment\n"""\n',
    "[array{n}]\nx = [\n  [1],\n  [2], # two\n]\n",
    '[[auth]]\nusername = "alice"\npassword = "pa55"\n',
    "[[auth]] # x\r\nusername = \"bob\"\r\npassword = 'pa55'\r\nnote = 1 # note\r\n",
    '[[ "auth" ]]\npassword = "pa55"\n# here\nusername = "carol"\n\n',
    '[[auth]]\nusername = "dave"\npassword = "pa55"\n[auth.more]\nx = 1\n',
]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    pieces=st.lists(st.sampled_from(PIECES), max_size=7),
    creds=st.lists(
        st.sampled_from([Auth(name, "pa55") for name in ("alice", "bob", "dave", "eve")])
    ),
)
def test_whatever_else_is_in_the_file_stays(
    tmp_path: Path, pieces: list[str], creds: list[Auth]
) -> None:
    path = tmp_path / "auth.toml"
    text = "".join(piece.replace("{n}", str(number)) for number, piece in enumerate(pieces))
    path.write_bytes(text.encode())
    path.chmod(0o600)
    try:
        before = load_auth(path)
    except MalformedCredentialsError:
        assume(False)
    others = tomli.loads(text)
    tables = list(zip(before, others.pop("auth", []), strict=True))
    write_auth_data(path, creds)
    assert load_auth(path) == creds
    data = tomli.loads(path.read_bytes().decode())
    for cred, table in zip(creds, data.pop("auth"), strict=True):
        index = next((i for i, (auth, _) in enumerate(tables) if auth == cred), None)
        if index is not None:
            assert table == tables.pop(index)[1]
    assert data == others
    prune_outdated_auth(path)
    assert tomli.loads(path.read_bytes().decode()) == others


OUTDATED = """
# settings
[config]
fetch_external = false  # too slow here

# from the web page
[auth]
username = "alice"
password = "pa55"

[more]
x = 1
"""


def test_pruning_leaves_the_rest(store: Store) -> None:
    path = store(OUTDATED.lstrip(), "config.toml", 0o640)
    prune_outdated_auth()
    assert path.read_text() == dedent(
        """
        # settings
        [config]
        fetch_external = false  # too slow here

        [more]
        x = 1
        """
    )
    assert mode(path) == 0o640


def test_pruning_another_file(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('auth = [{username = "alice", password = "pa55"}]\nx = 1\n')
    default = store(OUTDATED, "config.toml")
    prune_outdated_auth(path)
    assert path.read_text() == "x = 1\n"
    assert default.read_text() == OUTDATED


def test_pruning_what_only_had_credentials(store: Store) -> None:
    path = store('[auth]\nusername = "alice"\npassword = "pa55"\n', "config.toml")
    prune_outdated_auth(str(path))
    assert tomli.loads(path.read_text()) == {}


def test_pruning_malformed_credentials(store: Store) -> None:
    path = store("auth = 5\nx = 1\n", "config.toml")
    prune_outdated_auth()
    assert path.read_text() == "x = 1\n"


def test_nothing_to_prune(store: Store, folder: Path) -> None:
    prune_outdated_auth()
    assert not folder.exists()
    path = store("# only this\n[config]\n", "config.toml")
    before = path.stat()
    prune_outdated_auth()
    assert path.stat().st_ino == before.st_ino
    assert path.stat().st_mtime_ns == before.st_mtime_ns


def test_pruning_what_is_not_toml(store: Store) -> None:
    path = store("[config\n", "config.toml")
    with pytest.raises(RuntimeError) as caught:
        prune_outdated_auth()
    assert isinstance(caught.value, MalformedConfigError)
    assert str(path) in str(caught.value)
    assert path.read_text() == "[config\n"
