from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from hop.auth._auth import Auth
from hop.auth._errors import (
    CredentialFileNotFoundError,
    MalformedCredentialsError,
    UnsafePermissionsError,
)
from hop.configure import get_config_path

NO_CREDENTIALS = (
    "No valid credential data found. You can get a credential from https://my.hop.scimma.org. "
    "To load your credential, run `hop auth add`"
)


def load_auth(config_file: str | os.PathLike[str] | None = None) -> list[Auth]:
    """Return the credentials that are configured."""
    import tomli

    path = Path(config_file if config_file is not None else get_config_path("auth"))
    try:
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError as exc:
        raise CredentialFileNotFoundError(NO_CREDENTIALS, str(path)) from exc
    if path.stat().st_mode & 0o6077:
        raise UnsafePermissionsError(f"{path} has unsafe permissions: run `chmod 0600 {path}`")
    try:
        tables = tomli.loads(text).get("auth", [])
        return [_from_table(table) for table in ([tables] if isinstance(tables, dict) else tables)]
    except (ValueError, KeyError) as exc:
        raise MalformedCredentialsError(f"cannot read {path}: {exc}") from exc


def _from_table(table: dict[str, Any]) -> Auth:
    return Auth(
        table["username"],
        table["password"],
        table.get("hostname", ""),
        table.get("protocol", "SASL_SSL") == "SASL_SSL",
        table.get("mechanism", "SCRAM-SHA-512"),
        ssl_ca_location=table.get("ssl_ca_location"),
        token_endpoint=table.get("token_endpoint"),
        token_command=table.get("token_command"),
        scope=table.get("scope"),
    )


def write_auth_data(config_file: str | os.PathLike[str], credentials: Iterable[Auth]) -> None:
    """Write a file that holds these credentials and no others."""
    import tomli_w

    path = Path(config_file)
    path.parent.mkdir(parents=True, exist_ok=True)
    tables = [_to_table(cred) for cred in credentials]
    with open(path, "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        tomli_w.dump({"auth": tables}, file)


def _to_table(cred: Auth) -> dict[str, Any]:
    table = {
        "username": cred.username,
        "password": cred.password,
        "hostname": cred.hostname,
        "protocol": cred.protocol,
        "mechanism": cred.mechanism,
        "ssl_ca_location": cred.ssl_ca_location,
        "token_endpoint": cred.token_endpoint,
        "token_command": cred.token_command,
        "scope": cred.scope,
    }
    return {field: value for field, value in table.items() if value}


def prune_outdated_auth(config_file: str | os.PathLike[str] | None = None) -> None:
    """Remove credentials from a general configuration file, where older releases kept them."""
    import tomli
    import tomli_w

    path = Path(config_file if config_file is not None else get_config_path("general"))
    if path.exists():
        data = tomli.loads(path.read_text(encoding="utf-8"))
        if data.pop("auth", None) is not None:
            path.write_text(tomli_w.dumps(data), encoding="utf-8")
