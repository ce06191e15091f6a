from __future__ import annotations

from pathlib import Path

import pytest

from hop.configure import get_config_path


def test_in_the_configuration_folder_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", "/xdg")
    assert get_config_path() == "/xdg/hop/config.toml"
    assert get_config_path("general") == "/xdg/hop/config.toml"
    assert get_config_path(type="auth") == "/xdg/hop/auth.toml"


@pytest.mark.parametrize("value", [None, "", "relative/folder"])
def test_in_dot_config_otherwise(monkeypatch: pytest.MonkeyPatch, value: str | None) -> None:
    monkeypatch.setenv("HOME", "/home/someone")
    if value is None:
        monkeypatch.delenv("XDG_CONFIG_HOME")
    else:
        monkeypatch.setenv("XDG_CONFIG_HOME", value)
    assert get_config_path("auth") == "/home/someone/.config/hop/auth.toml"


@pytest.mark.parametrize("type", ["Auth", "", None, ["auth"]])
def test_unknown_types_are_refused(type: str) -> None:
    with pytest.raises(ValueError, match=r"unknown type of configuration .*'general', 'auth'"):
        get_config_path(type)


def test_nothing_is_created(tmp_path: Path) -> None:
    get_config_path("auth")
    assert list(tmp_path.iterdir()) == []


def test_no_home_directory(monkeypatch: pytest.MonkeyPatch) -> None:
    import pwd

    def no_such_user(uid: int) -> None:
        raise KeyError(uid)

    monkeypatch.delenv("XDG_CONFIG_HOME")
    monkeypatch.delenv("HOME")
    monkeypatch.setattr(pwd, "getpwuid", no_such_user)  # as in a container with any user id
    with pytest.raises(RuntimeError, match="set HOME or XDG_CONFIG_HOME"):
        get_config_path()
