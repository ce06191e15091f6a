"""The files with credentials."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hop.auth._auth import Auth
from hop.auth._document import Document, parse_document, parse_entries, parse_toml, render
from hop.auth._environment import auth_from_environment, file_from_environment
from hop.auth._errors import (
    AuthError,
    CredentialFileError,
    CredentialFileNotFoundError,
    MalformedConfigError,
    MalformedCredentialsError,
    UnsafePermissionsError,
)
from hop.configure import get_config_path
from hop.configure._files import locked, read_file, replace_file

NO_CREDENTIALS = "No valid credential data found"
ADVICE = (
    "You can get a credential from https://my.hop.scimma.org. "
    "To load your credential, run `hop auth add`"
)

StrPath = str | os.PathLike[str]


def load_auth(config_file: StrPath | None = None) -> list[Auth]:
    """Return the configured credentials; they may be none.

    Without an argument they come from the first of these that there is:

    1. the environment variables `HOP_USERNAME` and `HOP_PASSWORD`, and `HOP_HOST` if they are for
       one broker only;
    2. the file that the environment variable `HOP_CREDENTIALS_FILE` names;
    3. the stored credentials, in `get_config_path("auth")` or, where no such file is and an older
       release left them there, in `get_config_path("general")`.

    Args:
        config_file: read this file, and neither the environment nor the stored credentials. With
            a name that ends in `.csv` it is a CSV file as brokers' web pages give out.

    Raises:
        CredentialFileNotFoundError: (a FileNotFoundError) there is no such file.
        UnsafePermissionsError: (a RuntimeError) users other than the file's owner may read it.
        MalformedCredentialsError: (a KeyError) the file is not what it should be.
        CredentialFileError: (an OSError) the file cannot be read.
        EnvironmentCredentialError: (a RuntimeError) the environment holds half a credential.
    """
    if config_file is not None:
        return _load(Path(config_file))
    cred = auth_from_environment()
    if cred is not None:
        return [cred]
    file = file_from_environment()
    if file:
        return _load(Path(file), " (from HOP_CREDENTIALS_FILE)")
    return load_stored()


def load_stored() -> list[Auth]:
    """Return the stored credentials, whatever the environment says."""
    return [entry.auth for entry in _read_stored().entries]


def write_auth_data(config_file: StrPath, credentials: Iterable[Auth]) -> None:
    """Write a file that holds these credentials and no others.

    Folders that are missing are created. The file is complete at any time, and nobody but its
    owner may read it or those folders. Of a file that exists, the comments and whatever does not
    belong to credentials stay.

    Raises:
        MalformedCredentialsError: (a KeyError) the file exists and is not what it should be.
        CredentialFileError: (an OSError) the file cannot be written.
    """
    path = Path(config_file)
    with _writing(path):
        try:
            text, data, _ = _read_settings(path)
            document = Document(path, text, data, parse_entries(data, path))
        except CredentialFileNotFoundError:
            document = _empty(path)
        replace_file(path, render(document, credentials).encode())


def change_stored(change: Callable[[list[Auth]], list[Auth]]) -> None:
    """Replace the stored credentials by what `change` makes of them, with no other process between.

    If they are where older releases kept them, they move to where they belong.
    """
    path = Path(get_config_path("auth"))
    with _writing(path):
        try:
            document = _read_stored()
        except CredentialFileNotFoundError:
            document = _empty(path)
        before = [entry.auth for entry in document.entries]
        after = change(before.copy())
        moved = document.path != path
        if moved or after != before:
            replace_file(path, render(document, after, rest=not moved).encode())
        if moved:
            prune_outdated_auth(document.path)


def prune_outdated_auth(config_file: StrPath | None = None) -> None:
    """Remove credentials from a general configuration file, where older releases kept them.

    The rest of the file stays as it is, comments included, and so do its permissions. Nothing is
    done when there is no such file, or no credential in it.

    Args:
        config_file: the file; default: `get_config_path("general")`.

    Raises:
        MalformedConfigError: (a RuntimeError) the file is not valid TOML.
        CredentialFileError: (an OSError) the file cannot be read or written.
    """
    path = Path(config_file if config_file is not None else get_config_path("general"))
    try:
        if "auth" not in _read_settings(path)[1]:
            return
        with _writing(path):
            text, data, mode = _read_settings(path)
            pruned = render(Document(path, text, data, []), None)
            replace_file(path, pruned.encode(), mode)
    except CredentialFileNotFoundError:
        return
    except MalformedCredentialsError as exc:
        raise MalformedConfigError(f"cannot remove credentials: {exc}") from exc


def _read_settings(path: Path) -> tuple[str, dict[str, Any], int]:
    content, mode = _read(path)
    return *parse_toml(content, path), mode


def _load(path: Path, source: str = "") -> list[Auth]:
    content, mode = _read(path, source)
    _check_mode(path, mode)
    if path.suffix.lower() == ".csv":
        from hop.auth._csv import auths_from_csv

        return auths_from_csv(content, str(path))
    return [entry.auth for entry in parse_document(content, path).entries]


def _read_stored() -> Document:
    path = Path(get_config_path("auth"))
    try:
        content, mode = _read(path)
    except CredentialFileNotFoundError:
        outdated = _read_outdated()
        if outdated is None:
            raise
        path, content, mode = outdated
    _check_mode(path, mode)
    return parse_document(content, path)


def _read_outdated() -> tuple[Path, bytes, int] | None:
    path = Path(get_config_path("general"))
    try:
        content, mode = _read(path)
    except CredentialFileNotFoundError:
        return None
    return (path, content, mode) if "auth" in parse_toml(content, path)[1] else None


def _empty(path: Path) -> Document:
    return Document(path, "", {}, [])


def _read(path: Path, source: str = "") -> tuple[bytes, int]:
    try:
        return read_file(path)
    except FileNotFoundError as exc:
        raise CredentialFileNotFoundError(
            f"{NO_CREDENTIALS}: {path}{source} does not exist. {ADVICE}", str(path)
        ) from exc
    except OSError as exc:
        raise CredentialFileError(f"cannot read {path}{source}: {exc.strerror}", exc) from exc


def _check_mode(path: Path, mode: int) -> None:
    # elsewhere than on POSIX the bits say nothing about who may read the file
    if os.name == "posix" and mode & 0o6077:
        from shlex import quote

        raise UnsafePermissionsError(
            f"{path} is not read, because its permissions ({mode:04o}) are unsafe for a file with "
            f"passwords: run `chmod 0600 {quote(str(path))}`"
        )


@contextmanager
def _writing(path: Path) -> Iterator[None]:
    try:
        with locked(path):
            yield
    except AuthError:
        raise
    except OSError as exc:
        raise CredentialFileError(f"cannot write {path}: {exc.strerror}", exc) from exc
