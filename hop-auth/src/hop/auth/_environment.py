"""Credentials that come in environment variables, as in containers."""

from __future__ import annotations

import os

from hop.auth._auth import Auth
from hop.auth._errors import EnvironmentCredentialError, InvalidCredentialError


def auth_from_environment() -> Auth | None:
    """Return the credential in HOP_USERNAME, HOP_PASSWORD and HOP_HOST; None when there is none.

    An empty variable is the same as none; line ends after a value, which files with secrets tend
    to have, do not belong to it.

    Raises:
        EnvironmentCredentialError: one of the two is missing, or they cannot be a credential.
    """
    username, password = _variable("HOP_USERNAME"), _variable("HOP_PASSWORD")
    if not username and not password:
        return None
    if not username or not password:
        present, absent = "HOP_USERNAME", "HOP_PASSWORD"
        if password:
            present, absent = absent, present
        raise EnvironmentCredentialError(
            f"{present} is set and {absent} is not: set both to use that credential, "
            "or none to use the stored ones"
        )
    try:
        return Auth(username, password, _variable("HOP_HOST"))
    except InvalidCredentialError as exc:
        raise EnvironmentCredentialError(
            f"HOP_USERNAME, HOP_PASSWORD and HOP_HOST do not make a credential: {exc}"
        ) from exc


def file_from_environment() -> str:
    """Return the path in HOP_CREDENTIALS_FILE, empty when there is none."""
    return os.path.expanduser(_variable("HOP_CREDENTIALS_FILE"))  # noqa: PTH111 - never raises


def credentials_variable() -> str | None:
    """Return the variable for which the stored credentials are not used now, if there is one."""
    for name in ("HOP_USERNAME", "HOP_PASSWORD", "HOP_CREDENTIALS_FILE"):
        if _variable(name):
            return name
    return None


def _variable(name: str) -> str:
    return os.environ.get(name, "").rstrip("\r\n")
