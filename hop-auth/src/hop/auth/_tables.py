"""A credential as the named fields of a file."""

from __future__ import annotations

import os
from collections.abc import Mapping

from hop.auth._auth import Auth
from hop.auth._errors import InvalidCredentialError, MalformedCredentialsError
from hop.auth._methods import SASLMethod

FIELDS = (
    "username",
    "password",
    "hostname",
    "protocol",
    "mechanism",
    "ssl_ca_location",
    "token_endpoint",
    "token_command",
    "scope",
)

_TOML_TYPES = {bool: "a boolean", int: "a number", float: "a number", list: "an array"}


def auth_from_fields(fields: Mapping[str, object], where: str) -> Auth:
    """Return the credential that the fields describe; an optional one may be empty.

    Args:
        fields: the values; names that are not in `FIELDS` are not looked at.
        where: the file and the place in it, for messages.

    Raises:
        MalformedCredentialsError: a field is missing, of the wrong type, or has a wrong value.
    """
    values: dict[str, str] = {}
    for field in FIELDS:
        value = fields.get(field, "")
        if not isinstance(value, str):
            kind = _TOML_TYPES.get(type(value), "a " + type(value).__name__)
            raise MalformedCredentialsError(
                f'{where}: {field} must be text, not {kind}: write {field} = "…"'
            )
        values[field] = value
    required = ["username"] if values["token_command"] else ["username", "password"]
    for field in required:
        if field not in fields:
            raise MalformedCredentialsError(f"{where}: {field} is missing")
    protocol = values["protocol"].strip().upper() or "SASL_SSL"
    if protocol not in ("SASL_SSL", "SASL_PLAINTEXT"):
        raise MalformedCredentialsError(
            f"{where}: protocol {values['protocol']!r} is not known: "
            "it is one of SASL_SSL, SASL_PLAINTEXT"
        )
    if _is_left_behind(values["ssl_ca_location"]):
        import logging

        logging.getLogger("hop.auth").info(
            "%s: %s is gone with the environment that it was part of: using the system's authorities",
            where,
            values["ssl_ca_location"],
        )
        values["ssl_ca_location"] = ""
    try:
        return Auth(
            values["username"],
            values["password"],
            values["hostname"],
            protocol == "SASL_SSL",
            values["mechanism"] or SASLMethod.SCRAM_SHA_512,
            ssl_ca_location=values["ssl_ca_location"],
            token_endpoint=values["token_endpoint"],
            token_command=values["token_command"],
            scope=values["scope"],
        )
    except InvalidCredentialError as exc:
        raise MalformedCredentialsError(f"{where}: {exc}") from exc


def _is_left_behind(location: str) -> bool:
    """Whether this was the default of an environment that is no more.

    Releases of hop-client up to 0.10 stored the path of their environment's certifi with each
    credential that named no authorities of its own.
    """
    parts = location.replace("\\", "/").rsplit("/", 2)[1:]
    is_certifi = parts == ["certifi", "cacert.pem"]
    return is_certifi and not os.path.exists(location)  # noqa: PTH110 - never raises


def fields_from_auth(cred: Auth) -> dict[str, str]:
    """Return the fields to write for a credential: those that are not empty."""
    fields = {field: getattr(cred, field) for field in FIELDS}
    return {field: value for field, value in fields.items() if value}
