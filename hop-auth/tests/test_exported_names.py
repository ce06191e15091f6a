from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import hop.auth
import hop.configure


def test_the_names_others_build_on() -> None:
    assert hop.auth.__all__ == [
        "Auth",
        "AuthError",
        "CredentialExistsError",
        "CredentialFileError",
        "CredentialFileNotFoundError",
        "CredentialInputError",
        "CredentialSelectionError",
        "EnvironmentCredentialError",
        "InvalidCredentialError",
        "MalformedConfigError",
        "MalformedCredentialsError",
        "SASLMethod",
        "TokenCommandError",
        "UnsafePermissionsError",
        "add_credential",
        "delete_credential",
        "list_credentials",
        "load_auth",
        "prune_outdated_auth",
        "read_new_credential",
        "select_matching_auth",
        "write_auth_data",
    ]
    assert hop.configure.__all__ == ["get_config_path"]
    for name in hop.auth.__all__:
        assert getattr(hop.auth, name).__name__ == name


def modules_after(statement: str) -> set[str]:
    program = f"{statement}\nimport sys\nprint(*sys.modules)"
    run = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    return set(run.stdout.split())


@pytest.mark.parametrize(
    "module",
    ["tomli", "tomli_w", "csv", "getpass", "subprocess", "tempfile", "json", "logging", "urllib"],
)
def test_importing_does_not_import_what_only_some_use_needs(module: str) -> None:
    # some of these are imported at the start of Python, for example by editable installs
    assert module not in modules_after("import hop.auth") - modules_after("import pathlib")


def test_configure_does_not_need_auth() -> None:
    assert not {m for m in modules_after("import hop.configure") if m.startswith("hop.auth")}


def test_a_system_without_the_modules_of_unix(tmp_path: Path) -> None:
    program = """
import sys
for name in ("fcntl", "termios", "pwd", "grp"):
    sys.modules[name] = None  # importing it fails
from hop.auth import Auth, load_auth, write_auth_data
write_auth_data(sys.argv[1], [Auth("alice", "pa55")])
assert load_auth(sys.argv[1]) == [Auth("alice", "pa55")]
"""
    subprocess.run([sys.executable, "-c", program, tmp_path / "auth.toml"], check=True)
