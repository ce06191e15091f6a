"""Credentials and settings that one stored, used by the other."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from interop.releases import WITH_CONFIG_TOML, Release, build
from interop.results import Results
from interop.samples import NOT_THERE, YES
from interop.sides import Side

from hop.auth import Auth, load_auth
from hop.sandbox import KafkaBroker

TABLE = "credentials"
SECOND = "username,password\nbob-2,another secret\n"


@pytest.fixture
def second(tmp_path: Path) -> Path:
    """A credential as the broker's web page gives it out, for any broker."""
    path = tmp_path / "bob.csv"
    path.write_text(SECOND)
    return path


def copy(side: Side, folder: Path) -> Path:
    shutil.copytree(side.home, folder)
    return folder


def names(side: Side) -> list[str]:
    """Whose credentials are stored, as a side lists them, without what newer releases add."""
    return [line.partition(" ")[0] for line in side.succeed("auth", "list").splitlines()]


def test_ours_uses_what_theirs_stored(
    theirs: Side,
    ours: Side,
    release: Release,
    hop_kafka: KafkaBroker,
    tmp_path: Path,
    results: Results,
) -> None:
    side = ours.at(copy(theirs, tmp_path / "config"))
    before = side.auth_toml.read_bytes()
    assert names(side) == ["hop"]
    assert "sys.metadata" in side.succeed("list-topics", hop_kafka.url())
    assert side.auth_toml.read_bytes() == before
    results.record(TABLE, "`auth.toml` written by it, used by hop 1", release.version, YES)


def test_theirs_uses_what_ours_stored(
    theirs: Side,
    ours: Side,
    release: Release,
    hop_kafka: KafkaBroker,
    tmp_path: Path,
    results: Results,
) -> None:
    side = theirs.at(copy(ours, tmp_path / "config"))
    assert names(side) == ["hop"]
    assert "sys.metadata" in side.succeed("list-topics", hop_kafka.url())
    results.record(TABLE, "`auth.toml` written by hop 1, used by it", release.version, YES)


def test_both_change_one_file(
    theirs: Side,
    ours: Side,
    release: Release,
    hop_kafka: KafkaBroker,
    second: Path,
    tmp_path: Path,
    results: Results,
) -> None:
    home = copy(theirs, tmp_path / "config")
    new, old = ours.at(home), theirs.at(home)
    new.succeed("auth", "add", second)
    assert names(old) == names(new) == ["hop", "bob-2"]
    old.succeed("auth", "remove", "bob-2")
    assert names(new) == ["hop"]
    old.succeed("auth", "add", second)
    assert names(new) == ["hop", "bob-2"]
    new.succeed("auth", "remove", "bob-2")
    assert names(old) == ["hop"]
    for side in (old, new):
        assert "sys.metadata" in side.succeed("list-topics", hop_kafka.url())
    results.record(TABLE, "one `auth.toml`, changed by both in turn", release.version, YES)


def test_credentials_outlive_the_environment_of_theirs(
    theirs: Side, release: Release, second: Path, tmp_path: Path, results: Results
) -> None:
    """Releases up to 0.10 store where their environment's certificates are, with each credential that names none."""
    side = theirs.at(tmp_path / "config")
    side.succeed("auth", "add", second)
    text = side.auth_toml.read_text()
    assert ("certifi/cacert.pem" in text) == (release.number < (0, 11))
    side.auth_toml.write_text(text.replace(str(side.python.parents[1]), str(tmp_path / "gone")))
    assert load_auth(side.auth_toml) == [Auth("bob-2", "another secret")]
    row = "`auth.toml` written by it, its environment removed"
    results.record(TABLE, row, release.version, YES)


def test_settings_of_one_are_settings_of_the_other(
    theirs: Side, ours: Side, release: Release, tmp_path: Path, results: Results
) -> None:
    cell = NOT_THERE
    if release.number >= (0, 11):
        old, new = theirs.at(tmp_path), ours.at(tmp_path)
        old.succeed("configure", "set", "fetch_external", "false")
        assert re.search(r"fetch_external\s+= false\b", new.succeed("configure", "show"))
        new.succeed("configure", "set", "automatic_offload", "false")
        shown = old.succeed("configure", "show")
        assert re.findall(r"(\w+)\W+(?:False|false)\b", shown) == [
            "fetch_external",
            "automatic_offload",
        ]
        cell = YES
    row = "`configure set` of either, seen by the other"
    results.record(TABLE, row, release.version, cell)


@pytest.mark.parametrize("old", WITH_CONFIG_TOML, ids=lambda release: release.version)
def test_credentials_in_config_toml(
    old: Release,
    ours: Side,
    hop_kafka: KafkaBroker,
    second: Path,
    tmp_path: Path,
    results: Results,
) -> None:
    side = Side(old.version, build(old, tmp_path), tmp_path / "config")
    user = hop_kafka.users["hop"]
    # Their `setup` asks on a terminal; without one it reads a line each.
    side.succeed("configure", "setup", stdin=f"{user.username}\n{user.password}\n")
    config = side.home / "hop" / "config.toml"
    new = ours.at(side.home)
    if config.stat().st_mode & 0o77:
        refused = new.run("auth", "list")
        assert refused.returncode == 1
        assert "chmod" in refused.stderr
        config.chmod(0o600)
    assert names(new) == ["hop"]
    new.succeed("auth", "add", second)
    assert names(new) == ["hop", "bob-2"]
    assert "password" not in (config.read_text() if config.exists() else "")
    results.record(
        "config-toml", old.version, "`config.toml` written by it, taken over by hop 1", YES
    )
