from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from hop.auth import (
    Auth,
    CredentialFileError,
    CredentialFileNotFoundError,
    EnvironmentCredentialError,
    UnsafePermissionsError,
    load_auth,
)

Store = Callable[..., Path]
STORED = '[[auth]]\nusername = "stored"\npassword = "pa55"\n'
IN_FILE = '[[auth]]\nusername = "in-file"\npassword = "pa55"\n'


@pytest.fixture
def user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOP_USERNAME", "env")
    monkeypatch.setenv("HOP_PASSWORD", "pa55")


@pytest.fixture
def file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    path = tmp_path / "secret.toml"
    path.write_text(IN_FILE)
    path.chmod(0o600)
    monkeypatch.setenv("HOP_CREDENTIALS_FILE", str(path))
    return path


@pytest.mark.usefixtures("user")
def test_user_and_password() -> None:
    assert load_auth() == [Auth("env", "pa55")]


@pytest.mark.usefixtures("user")
def test_for_one_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOP_HOST", "kafka.example:9093")
    assert load_auth() == [Auth("env", "pa55", "kafka.example:9093")]


def test_line_ends_of_files_with_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOP_USERNAME", "env\n")
    monkeypatch.setenv("HOP_PASSWORD", " pa55 \r\n")
    monkeypatch.setenv("HOP_HOST", "\n")
    assert load_auth() == [Auth("env", " pa55 ")]


def test_a_file(file: Path) -> None:
    assert load_auth() == [Auth("in-file", "pa55")]


def test_a_csv_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    path = tmp_path / "hop-credentials.csv"
    path.write_text("username,password\nin-csv,pa55\n")
    path.chmod(0o600)
    monkeypatch.setenv("HOP_CREDENTIALS_FILE", str(path))
    assert load_auth() == [Auth("in-csv", "pa55")]
    path.chmod(0o644)
    with pytest.raises(UnsafePermissionsError):
        load_auth()


def test_a_file_in_the_home_directory(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(file.parent))
    monkeypatch.setenv("HOP_CREDENTIALS_FILE", "~/secret.toml")
    assert load_auth() == [Auth("in-file", "pa55")]


def test_a_file_that_is_not_there(monkeypatch: pytest.MonkeyPatch, store: Store) -> None:
    store(STORED)
    monkeypatch.setenv("HOP_CREDENTIALS_FILE", "/nonexistent/auth.toml")
    with pytest.raises(
        CredentialFileNotFoundError,
        match=r"/nonexistent/auth.toml \(from HOP_CREDENTIALS_FILE\) does not exist",
    ):
        load_auth()


def test_a_folder_in_place_of_a_file(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOP_CREDENTIALS_FILE", "/")
    with pytest.raises(CredentialFileError, match=r"cannot read / \(from HOP_CREDENTIALS_FILE\): "):
        load_auth()


def test_the_home_directory_of_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOP_CREDENTIALS_FILE", "~nobody-at-all/auth.toml")
    with pytest.raises(CredentialFileNotFoundError, match=r"~nobody-at-all/auth.toml"):
        load_auth()


def test_which_one_is_used(
    store: Store, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored = store(STORED)
    monkeypatch.setenv("HOP_USERNAME", "env")
    monkeypatch.setenv("HOP_PASSWORD", "pa55")
    assert [auth.username for auth in load_auth(stored)] == ["stored"]
    assert [auth.username for auth in load_auth()] == ["env"]
    monkeypatch.delenv("HOP_USERNAME")
    monkeypatch.setenv("HOP_PASSWORD", "")
    assert [auth.username for auth in load_auth()] == ["in-file"]
    monkeypatch.setenv("HOP_CREDENTIALS_FILE", "")
    assert [auth.username for auth in load_auth()] == ["stored"]


@pytest.mark.parametrize(
    ("present", "absent"), [("HOP_USERNAME", "HOP_PASSWORD"), ("HOP_PASSWORD", "HOP_USERNAME")]
)
def test_half_a_credential(
    monkeypatch: pytest.MonkeyPatch, store: Store, present: str, absent: str
) -> None:
    path = store(STORED)
    monkeypatch.setenv(present, "pa55")
    for empty in (False, True):
        if empty:
            monkeypatch.setenv(absent, "")
        with pytest.raises(EnvironmentCredentialError) as caught:
            load_auth()
        assert f"{present} is set and {absent} is not: set both" in str(caught.value)
        assert "pa55" not in str(caught.value)
    assert load_auth(path) == [Auth("stored", "pa55")]


@pytest.mark.usefixtures("user")
def test_a_host_that_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOP_HOST", "kafka://kafka.example/")
    with pytest.raises(EnvironmentCredentialError) as caught:
        load_auth()
    assert "hostname 'kafka://kafka.example/' is not a broker" in str(caught.value)
    assert "HOP_HOST" in str(caught.value)
    assert "pa55" not in str(caught.value)


def test_a_host_alone_changes_nothing(monkeypatch: pytest.MonkeyPatch, store: Store) -> None:
    store(STORED)
    monkeypatch.setenv("HOP_HOST", "kafka.example")
    assert load_auth() == [Auth("stored", "pa55")]
