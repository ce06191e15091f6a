"""Users of a sandbox, and the credential file that each gets."""

from __future__ import annotations

import csv
import io
import re
import secrets
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from hop.sandbox._certificates import write_private
from hop.sandbox._errors import SandboxError, reason

_NAME = re.compile(r"[A-Za-z0-9._-]{1,100}")
_PASSWORD = re.compile(r"[ -~]{1,200}")
_MECHANISM = "SCRAM-SHA-512"
_PROTOCOL = "SASL_SSL"
_FOLDER = "credentials"


@dataclass(frozen=True)
class Credential:
    """What a user needs to log in.

    Attributes:
        username: the name; the user's consumer groups must start with it.
        password: not shown when a credential is printed.
        hostname: `host:port` of the broker, or the host alone where there are several brokers.
        ssl_ca_location: the file with the certificate authority to trust.
        file: the CSV file with all of this, as `hop auth add` takes it.
        bootstrap_servers: all brokers of the sandbox.
    """

    username: str
    password: str = field(repr=False)
    hostname: str
    ssl_ca_location: Path
    file: Path
    bootstrap_servers: str

    @property
    def client_config(self) -> dict[str, str]:
        """librdkafka's options for a client that logs in as this user."""
        return {
            "bootstrap.servers": self.bootstrap_servers,
            "security.protocol": _PROTOCOL,
            "sasl.mechanism": _MECHANISM,
            "sasl.username": self.username,
            "sasl.password": self.password,
            "ssl.ca.location": str(self.ssl_ca_location),
        }

    def write(self) -> None:
        """Write `file`, for its owner's eyes only.

        Raises:
            SandboxError: it can't be written.
        """
        row = {
            "username": self.username,
            "password": self.password,
            "hostname": self.hostname,
            "mechanism": _MECHANISM,
            "protocol": _PROTOCOL,
            "ssl_ca_location": str(self.ssl_ca_location),
        }
        text = io.StringIO()
        writer = csv.DictWriter(text, list(row), lineterminator="\n")
        writer.writeheader()
        writer.writerow(row)
        try:
            self.file.parent.mkdir(mode=0o700, exist_ok=True)
            write_private(self.file, text.getvalue().encode())
        except OSError as exc:
            raise SandboxError(f"cannot write {self.file}: {reason(exc)}; make room there") from exc


def check_user(name: str, password: str | None = None) -> None:
    """Raise `SandboxError` for a name or password that can't be a user's."""
    if not _NAME.fullmatch(name):
        raise SandboxError(
            f"cannot add user {name!r}: a name has 1 to 100 letters, digits, '.', '_' or '-'"
        )
    if password is not None and not _PASSWORD.fullmatch(password):
        raise SandboxError(
            f"cannot add user {name!r}: a password has 1 to 200 printable ASCII characters"
        )


def unknown_user(user: str, known: Iterable[str]) -> SandboxError:
    """What to say about a user that nobody added."""
    names = ", ".join(sorted(known)) or "nobody"
    return SandboxError(f"there is no user {user!r} here, only {names}; add the user first")


def new_password() -> str:
    return secrets.token_urlsafe(24)


def credential_file(folder: Path, user: str) -> Path:
    return folder / _FOLDER / f"{user}.csv"


def stored_passwords(folder: Path) -> dict[str, str]:
    """The users of the sandbox in `folder` and their passwords.

    Raises:
        SandboxError: a credential file can't be understood.
    """
    passwords = {}
    for file in sorted((folder / _FOLDER).glob("*.csv")):
        try:
            with file.open(newline="", encoding="utf-8") as text:
                row = next(csv.DictReader(text))
            name, password = row["username"], row["password"]
            check_user(name, password or "")
            passwords[name] = password
        except (OSError, ValueError, csv.Error, StopIteration, KeyError, SandboxError) as exc:
            raise SandboxError(
                f"cannot read the credential {file}: remove it, and the user gets a new password"
            ) from exc
    return passwords
