from __future__ import annotations

import os
from pathlib import Path
from typing import Protocol

from hop.auth._auth import Auth
from hop.auth._errors import (
    CredentialExistsError,
    CredentialFileNotFoundError,
    CredentialInputError,
    CredentialSelectionError,
    MalformedCredentialsError,
)
from hop.auth._store import load_auth, write_auth_data
from hop.configure import get_config_path


class AddArguments(Protocol):
    """What `add_credential` needs to be told; an `argparse.Namespace` will do."""

    cred_file: str | None
    force: bool


def add_credential(args: AddArguments) -> list[Auth]:
    """Store a credential, from a CSV file or asked of the user, and return what was stored."""
    new = [read_new_credential(args.cred_file)]
    path = get_config_path("auth")
    try:
        stored = load_auth(path)
    except CredentialFileNotFoundError:
        stored = []
    names = {(cred.username, cred.hostname) for cred in new}
    kept = [cred for cred in stored if (cred.username, cred.hostname) not in names]
    if len(kept) < len(stored) and not args.force:
        raise CredentialExistsError("the credential is stored already: replace it with --force")
    write_auth_data(path, kept + new)
    return new


def delete_credential(name: str) -> None:
    """Remove a stored credential, named as `username` or `username@hostname`."""
    path = get_config_path("auth")
    stored = load_auth(path)
    meant = [cred for cred in stored if name in (cred.username, f"{cred.username}@{cred.hostname}")]
    if len(meant) != 1:
        raise CredentialSelectionError(f"{len(meant)} stored credentials match {name!r}")
    write_auth_data(path, [cred for cred in stored if cred != meant[0]])


def list_credentials() -> None:
    """Print the stored credentials, one a line: `user` or `user for host`."""
    for cred in load_auth(get_config_path("auth")):
        print(f"{cred.username} for {cred.hostname}" if cred.hostname else cred.username)


def read_new_credential(csv_file: str | os.PathLike[str] | None = None) -> Auth:
    """Return a credential read from a CSV file or, without one, asked of the user."""
    if csv_file is None:
        from getpass import getpass

        username, password = input("Username: ").strip(), getpass("Password: ")
        if not username or not password:
            raise CredentialInputError("the user name or password is empty")
        return Auth(username, password, input("Hostname (empty for any): ").strip())
    import csv

    with Path(csv_file).open(newline="", encoding="utf-8-sig") as file:
        row = next(csv.DictReader(file), {})
    if "username" not in row or "password" not in row:
        raise MalformedCredentialsError(f"{csv_file} has no username or password")
    return Auth(row["username"], row["password"], row.get("hostname") or "")
