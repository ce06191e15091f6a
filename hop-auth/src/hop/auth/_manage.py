"""Changing and showing the stored credentials, as the commands of `hop auth` do."""

from __future__ import annotations

from typing import Protocol

from hop.auth._auth import Auth, broker, name_of
from hop.auth._environment import credentials_variable
from hop.auth._errors import (
    CredentialExistsError,
    CredentialFileNotFoundError,
    CredentialSelectionError,
)
from hop.auth._hosts import split_host
from hop.auth._input import ask_for_credential, read_credential_file
from hop.auth._store import change_stored, load_stored
from hop.configure import get_config_path


class AddArguments(Protocol):
    """What `add_credential` needs to be told; an `argparse.Namespace` will do."""

    cred_file: str | None
    force: bool


def add_credential(args: AddArguments) -> list[Auth]:
    """Store the credentials in a CSV file, or one that the user is asked for.

    A stored credential of the same user for the same broker is replaced if `args.force` is true,
    or if the user, being asked anyway, agrees to it.

    Args:
        args: `args.cred_file` is the path of the CSV file, or None to ask.

    Returns:
        The credentials that are now stored because of this.

    Raises:
        CredentialExistsError: (a RuntimeError) one of that name is stored and not to be replaced.
            Nothing has changed. Besides, the errors of `read_new_credential` and, about the
            store, of `load_auth`.
    """
    replace = args.force
    if args.cred_file is not None:
        new = read_credential_file(args.cred_file)
    else:
        new = [ask_for_credential()]
        replace = replace or _agrees_to_replace(new[0])

    def add(stored: list[Auth]) -> list[Auth]:
        creds: dict[object, list[Auth]] = {}  # a file made by hand may have several of one name
        for cred in stored:
            creds.setdefault(_identity(cred), []).append(cred)
        for cred in new:
            namesakes = creds.setdefault(_identity(cred), [])
            if namesakes and not replace and cred not in namesakes:
                raise CredentialExistsError(
                    f"the credential {name_of(cred)} is stored already: use --force to replace it"
                )
            if replace or not namesakes:
                namesakes[:] = [cred]
        return [cred for namesakes in creds.values() for cred in namesakes]

    change_stored(add)
    _warn_of_environment()
    return new


def delete_credential(name: str) -> None:
    """Remove a stored credential.

    Args:
        name: its user name, or `username@hostname` where several have that user name. One for no
            particular broker is then `username@`.

    Raises:
        CredentialSelectionError: (a RuntimeError) not exactly one credential has that name.
            Besides, the errors of `load_auth`, except that no store is an empty one.
    """

    def delete(stored: list[Auth]) -> list[Auth]:
        meant = {cred for cred in stored if _is_called(name, cred)}
        if len(meant) == 1:
            return [cred for cred in stored if cred not in meant]
        message = f"cannot remove {name!r}: {len(meant) or 'no'} stored credentials have that name"
        names = dict.fromkeys(
            f"{cred.username}@{cred.hostname}" for cred in stored if cred in meant or not meant
        )
        if not names:
            message += ", nor any other"
        elif len(names) < len(meant):
            message += f": edit {get_config_path('auth')}"
        else:
            message += f", name one of {', '.join(names)}"
        raise CredentialSelectionError(message)

    change_stored(delete)
    _warn_of_environment()


def list_credentials() -> None:
    """Print the stored credentials, one a line: `user` or `user for host`.

    Raises:
        AuthError: as `load_auth` does for a file.
    """
    for cred in load_stored():
        print(name_of(cred))
    _warn_of_environment()


def _agrees_to_replace(cred: Auth) -> bool:
    try:
        stored = load_stored()
    except CredentialFileNotFoundError:
        return False
    if not any(_identity(old) == _identity(cred) and old != cred for old in stored):
        return False
    try:
        answer = input(f"{name_of(cred)} is stored already. Replace it? [y/N] ")
    except EOFError:
        return False
    return answer.strip().lower() in ("y", "yes")


def _identity(cred: Auth) -> tuple[str, tuple[str, int | None] | None]:
    return cred.username, broker(cred)


def _is_called(name: str, cred: Auth) -> bool:
    if name == cred.username:
        return True
    username, at, hostname = name.rpartition("@")
    try:
        wanted = split_host(hostname) if hostname else None
    except ValueError:
        return False
    return bool(at) and username == cred.username and wanted == broker(cred)


def _warn_of_environment() -> None:
    variable = credentials_variable()
    if variable:
        import logging

        logging.getLogger("hop.auth").warning(
            "%s is set: as long as it is, hop does not use the stored credentials", variable
        )
