"""Where new credentials come from: a CSV file, or the user."""

from __future__ import annotations

import os
from pathlib import Path

from hop.auth._auth import Auth
from hop.auth._csv import auths_from_csv
from hop.auth._errors import (
    CredentialFileError,
    CredentialFileNotFoundError,
    CredentialInputError,
    InvalidCredentialError,
)
from hop.configure._files import MAX_SIZE


def read_new_credential(csv_file: str | os.PathLike[str] | None = None) -> Auth:
    """Return a credential read from a CSV file or, without one, asked of the user.

    Args:
        csv_file: the file, with the columns `username` and `password`, and `hostname`,
            `mechanism`, `protocol`, `ssl_ca_location`, `token_endpoint`, `scope` where needed.

    Raises:
        CredentialFileNotFoundError: (a FileNotFoundError) there is no such file.
        MalformedCredentialsError: (a KeyError) the file lacks a column or a value, or is no CSV
            file at all.
        CredentialFileError: (an OSError) the file cannot be read.
        CredentialInputError: (a RuntimeError) the user entered nothing, or nothing usable; or the
            file has several credentials.
    """
    if csv_file is None:
        return ask_for_credential()
    creds = read_credential_file(csv_file)
    if len(creds) > 1:
        raise CredentialInputError(
            f"{csv_file} has {len(creds)} credentials and one is wanted: "
            "store them all with `hop auth add`"
        )
    return creds[0]


def read_credential_file(path: str | os.PathLike[str]) -> list[Auth]:
    """Return the credentials in a CSV file; it may be a pipe."""
    try:
        with Path(path).open("rb") as file:
            content = file.read(MAX_SIZE + 1)
    except FileNotFoundError as exc:
        raise CredentialFileNotFoundError(
            f"there is no file {path}: give the CSV file that you got from "
            "https://my.hop.scimma.org, or none to be asked for the credential",
            os.fspath(path),
        ) from exc
    except OSError as exc:
        raise CredentialFileError(f"cannot read {path}: {exc.strerror}", exc) from exc
    if len(content) > MAX_SIZE:
        raise CredentialFileError(f"cannot read {path}: it is larger than {MAX_SIZE >> 10} KiB")
    return auths_from_csv(content, os.fspath(path))


def ask_for_credential() -> Auth:
    """Return a credential that the user types in."""
    import sys

    try:
        if sys.stdin is None:
            raise EOFError
        username = input("Username: ").strip()
        if not username:
            raise CredentialInputError("the username is empty")
        password = _ask_password()
        if not password:
            raise CredentialInputError("the password is empty")
        hostname = input("Hostname (empty for any): ")
        return Auth(username, password, hostname)
    except EOFError:
        raise CredentialInputError(
            "the input ended before the credential was complete: type it on a terminal, or give "
            "a CSV file"
        ) from None
    except UnicodeDecodeError as exc:
        # the exception itself holds what was typed
        raise CredentialInputError(f"the input is not {exc.encoding}: check your locale") from None
    except InvalidCredentialError as exc:
        raise CredentialInputError(f"that is not a credential: {exc}") from exc


def _ask_password() -> str:
    import warnings
    from getpass import GetPassWarning, getpass

    with warnings.catch_warnings():
        # The warning is that echoing cannot be switched off. This happens only where there is no
        # terminal, so that nothing is shown anyway.
        warnings.simplefilter("ignore", GetPassWarning)
        return getpass("Password: ")
