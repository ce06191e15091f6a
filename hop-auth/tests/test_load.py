from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hop.auth import (
    Auth,
    AuthError,
    CredentialFileError,
    CredentialFileNotFoundError,
    MalformedCredentialsError,
    UnsafePermissionsError,
    load_auth,
)

Store = Callable[..., Path]
ALICE = '[[auth]]\nusername = "alice"\npassword = "pa55"\n'


def test_stored_credentials(store: Store) -> None:
    store(ALICE + '[[auth]]\nusername = "bob"\npassword = "pa55"\nhostname = "kafka.example"\n')
    assert load_auth() == [Auth("alice", "pa55"), Auth("bob", "pa55", "kafka.example")]


def test_a_file_of_ones_own(store: Store, tmp_path: Path) -> None:
    store('[[auth]]\nusername = "other"\npassword = "pa55"\n')
    path = tmp_path / "mine"
    path.write_text(ALICE)
    path.chmod(0o600)
    assert load_auth(path) == load_auth(str(path)) == [Auth("alice", "pa55")]


def test_all_fields(store: Store) -> None:
    store(
        """
        [[auth]]
        username = "alice"
        password = "pa55"
        hostname = "kafka.example:9093"
        protocol = "SASL_PLAINTEXT"
        mechanism = "SCRAM_SHA_256"
        [[auth]]
        username = "client"
        password = "secret"
        mechanism = "OAUTHBEARER"
        token_endpoint = "https://idp.example/token"
        scope = "s"
        ssl_ca_location = "/ca.pem"
        [[auth]]
        username = "carol"
        mechanism = "oauthbearer"
        token_command = "print-token"
        """
    )
    assert load_auth() == [
        Auth("alice", "pa55", "kafka.example:9093", ssl=False, method="SCRAM-SHA-256"),
        Auth(
            "client",
            "secret",
            method="OAUTHBEARER",
            token_endpoint="https://idp.example/token",
            scope="s",
            ssl_ca_location="/ca.pem",
        ),
        Auth("carol", "", method="OAUTHBEARER", token_command="print-token"),
    ]


@pytest.mark.parametrize(
    "text",
    [
        '[auth]\nusername = "alice"\npassword = "pa55"\n',
        'auth = [{username = "alice", password = "pa55"}]\n',
        'auth.username = "alice"\nauth.password = "pa55"\n',
        "\ufeff" + ALICE,
        ALICE.replace("\n", "\r\n"),
        ALICE + 'hostname = ""\nmechanism = ""\nprotocol = ""\nssl_ca_location = ""\n',
        ALICE + '[config]\nfetch_external = true\nauth = "no credential"\n',
    ],
)
def test_other_ways_to_write_it(store: Store, text: str) -> None:
    store(text)
    assert load_auth() == [Auth("alice", "pa55")]


def test_certificates_of_an_environment_that_is_gone(
    store: Store, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    # Releases up to 0.10 wrote down where their environment's certifi was, with each credential.
    caplog.set_level(logging.INFO, "hop.auth")
    bundle = tmp_path / "lib" / "python3.8" / "site-packages" / "certifi" / "cacert.pem"
    path = store(ALICE + f"ssl_ca_location = '{bundle}'\n")
    written = path.read_bytes()
    assert load_auth() == [Auth("alice", "pa55")]
    assert str(bundle) in caplog.text
    assert path.read_bytes() == written
    bundle.parent.mkdir(parents=True)
    bundle.touch()
    assert load_auth() == [Auth("alice", "pa55", ssl_ca_location=str(bundle))]


def test_certificates_that_a_user_chose_are_never_replaced(store: Store, tmp_path: Path) -> None:
    gone = tmp_path / "observatory" / "cacert.pem"
    store(ALICE + f"ssl_ca_location = '{gone}'\n")
    assert load_auth() == [Auth("alice", "pa55", ssl_ca_location=str(gone))]


@pytest.mark.parametrize("text", ["", "# nothing yet\n", "auth = []\n"])
def test_none(store: Store, text: str) -> None:
    store(text)
    assert load_auth() == []


def test_no_file(folder: Path, tmp_path: Path) -> None:
    for arguments, path in (((), folder / "auth.toml"), ((tmp_path / "none",), tmp_path / "none")):
        with pytest.raises(FileNotFoundError) as caught:
            load_auth(*arguments)
        assert isinstance(caught.value, CredentialFileNotFoundError)
        assert str(caught.value) == (
            f"No valid credential data found: {path} does not exist. "
            "You can get a credential from https://my.hop.scimma.org. "
            "To load your credential, run `hop auth add`"
        )
        assert caught.value.filename == str(path)
    assert not folder.exists()


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o4600, 0o2600, 0o644])
def test_unsafe_permissions(store: Store, mode: int) -> None:
    path = store(ALICE, mode=mode)
    with pytest.raises(RuntimeError) as caught:
        load_auth()
    assert isinstance(caught.value, UnsafePermissionsError)
    assert f"{path} is not read, because its permissions ({mode:04o}) are unsafe" in str(
        caught.value
    )
    assert f"run `chmod 0600 {path}`" in str(caught.value)
    path.chmod(0o600)
    assert load_auth() == [Auth("alice", "pa55")]


@pytest.mark.parametrize("mode", [0o600, 0o400, 0o700])
def test_safe_permissions(store: Store, mode: int) -> None:
    store(ALICE, mode=mode)
    assert load_auth() == [Auth("alice", "pa55")]


def test_the_command_in_the_advice_can_be_copied(tmp_path: Path) -> None:
    path = tmp_path / "my credentials"
    path.write_text(ALICE)
    path.chmod(0o644)
    with pytest.raises(UnsafePermissionsError) as caught:
        load_auth(path)
    command = str(caught.value).split("`")[1]
    assert os.system(command) == 0
    assert load_auth(path) == [Auth("alice", "pa55")]


def test_the_permissions_of_the_file_behind_a_link_count(store: Store, tmp_path: Path) -> None:
    path = store(ALICE, mode=0o644)
    link = tmp_path / "link"
    link.symlink_to(path)
    with pytest.raises(UnsafePermissionsError):
        load_auth(link)
    path.chmod(0o600)
    assert load_auth(link) == [Auth("alice", "pa55")]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[auth]\n", "is not valid TOML: "),
        ('[[auth]]\nusername = "alice"\npassword = "pa55\n', "(at line 3, column "),
        ('[[auth]]\nusername = "alice"\npassword = pa55\n', "(at line 3, column "),
        ("username,password\nalice,pa55\n", "is not valid TOML"),
        ("x = " + "[" * 100000, "is "),
        (b'[[auth]]\nusername = "jos\xe9"\n', "is not UTF-8 text (byte 25): save it as such"),
        (ALICE.encode("utf-16"), "is not UTF-8 text"),
        (
            '[credentials]\nusername = "alice"\n',
            "put [[auth]] on a line of its own before the fields",
        ),
        (
            'username = "alice"\npassword = "pa55"\n',
            "put [[auth]] on a line of its own before the fields",
        ),
        ('auth = "pa55"\n', "put [[auth]] on a line of its own before the fields"),
        ('auth = ["pa55"]\n', "put [[auth]] on a line of its own before the fields"),
        ('[[auth]]\npassword = "pa55"\n', "credential 1: username is missing"),
        (ALICE + '[[auth]]\nusername = "bob"\n', "credential 2: password is missing"),
        ('[[auth]]\nusername = ""\npassword = "pa55"\n', "credential 1: username is empty"),
        (ALICE.replace('"alice"', "7"), 'username must be text, not a number: write username = "'),
        (ALICE.replace('"pa55"', "55.1"), "credential 1: password must be text, not a number"),
        (ALICE.replace('"pa55"', "true"), "credential 1: password must be text, not a boolean"),
        (ALICE.replace('"pa55"', "[]"), "credential 1: password must be text, not an array"),
        (ALICE.replace('"pa55"', "2024-01-01"), "credential 1: password must be text, not a date"),
        (ALICE + "hostname = 9092\n", "credential 1: hostname must be text"),
        (ALICE + 'hostname = "kafka://h"\n', "credential 1: hostname 'kafka://h' is not a broker"),
        (
            ALICE + 'protocol = "SSL"\n',
            "protocol 'SSL' is not known: it is one of SASL_SSL, SASL_PL",
        ),
        (ALICE + 'mechanism = "MD5"\n', "mechanism 'MD5' is not known: it is one of PLAIN, SCRAM-"),
        (ALICE + 'mechanism = "OAUTHBEARER"\n', "needs a token_endpoint or a token_command"),
        (ALICE + 'token_command = "x"\n', "token_command is only for the mechanism OAUTHBEARER"),
    ],
)
def test_what_is_wrong_is_said(store: Store, text: str | bytes, message: str) -> None:
    path = store(text)
    with pytest.raises(KeyError) as caught:
        load_auth()
    assert isinstance(caught.value, MalformedCredentialsError)
    assert str(path) in str(caught.value)
    assert message in str(caught.value)
    assert "pa55" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_unknown_fields_are_named(store: Store, caplog: pytest.LogCaptureFixture) -> None:
    path = store(ALICE + 'hostnme = "kafka.example"\n')
    with caplog.at_level(logging.WARNING):
        assert load_auth() == [Auth("alice", "pa55")]
    assert caplog.messages == [f"{path}, credential 1: ignoring what hop does not know: 'hostnme'"]


def test_a_folder(tmp_path: Path) -> None:
    with pytest.raises(CredentialFileError, match=r"cannot read .*: it is not a plain file"):
        load_auth(tmp_path)


def test_a_named_pipe_does_not_wait_for_a_writer(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path, 0o600)
    start = time.monotonic()
    with pytest.raises(CredentialFileError, match="it is not a plain file"):
        load_auth(path)
    assert time.monotonic() - start < 5


def test_a_huge_file(store: Store) -> None:
    path = store(ALICE)
    os.truncate(path, 1 << 32)
    start = time.monotonic()
    with pytest.raises(CredentialFileError, match="it is larger than 1024 KiB"):
        load_auth()
    assert time.monotonic() - start < 5


def test_links_in_a_circle(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to(tmp_path / "a")
    with pytest.raises(CredentialFileError, match="symbolic links"):
        load_auth(tmp_path / "a")


def test_a_file_in_place_of_a_folder(store: Store) -> None:
    path = store(ALICE)
    with pytest.raises(CredentialFileError, match="Not a directory"):
        load_auth(path / "auth.toml")


OUTDATED = (
    '# mine\n[config]\nfetch_external = false\n\n[auth]\nusername = "old"\npassword = "pa55"\n'
)


def test_where_older_releases_kept_them(store: Store) -> None:
    store(OUTDATED, "config.toml")
    assert load_auth() == [Auth("old", "pa55")]
    store(ALICE)
    assert load_auth() == [Auth("alice", "pa55")]


def test_there_the_permissions_count_too(store: Store) -> None:
    path = store(OUTDATED, "config.toml", 0o644)
    with pytest.raises(UnsafePermissionsError, match=f"{path} is not read"):
        load_auth()


def test_settings_alone_are_no_credentials(store: Store) -> None:
    path = store("[config]\nfetch_external = false\n", "config.toml", 0o644)
    with pytest.raises(CredentialFileNotFoundError) as caught:
        load_auth()
    assert str(path.with_name("auth.toml")) in str(caught.value)


def test_settings_that_cannot_be_read(store: Store) -> None:
    path = store("[config\n", "config.toml")
    with pytest.raises(MalformedCredentialsError, match=f"{path} is not valid TOML"):
        load_auth()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    content=st.binary()
    | st.text().map(str.encode)
    | st.lists(
        st.sampled_from(
            [
                *["[", "]", "[[auth]]", "[auth]", "username", "password", "mechanism", "hostname"],
                *["=", '"', "'", "#", ".", '"alice"', "7", "{", "}", ",", "\\u00"],
                *[" ", "\n", "\r", '"""'],
            ]
        )
    ).map(lambda parts: "".join(parts).encode())
)
def test_any_content_is_read_or_refused_in_one_line(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "auth.toml"
    path.write_bytes(content)
    path.chmod(0o600)
    said = ""
    try:
        load_auth(path)
    except AuthError as exc:
        said = str(exc)
    assert "\n" not in said
