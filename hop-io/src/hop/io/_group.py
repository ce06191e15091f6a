"""Names of consumer groups."""

from __future__ import annotations

import secrets
import string

from hop.auth import Auth

_ALPHABET = string.ascii_uppercase + string.digits


def generate_group_id(auth: Auth | None) -> str:
    """A new group's name: the user name, by which brokers authorise groups, and ten random characters."""
    chance = "".join(secrets.choice(_ALPHABET) for _ in range(10))
    return f"{auth.username}-{chance}" if auth else chance
