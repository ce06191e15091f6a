"""Which credential goes with a URL."""

from __future__ import annotations

from collections.abc import Iterable

from hop.auth import Auth, load_auth, select_matching_auth
from hop.io._url import KafkaURL

AuthLike = bool | Auth | Iterable[Auth] | None


def credentials(auth: AuthLike) -> list[Auth]:
    """The credentials that an `auth` argument stands for; none means no authentication.

    Raises:
        FileNotFoundError: the stored credentials are asked for, and there are none.
        RuntimeError: their file has unsafe permissions.
        KeyError: their file is malformed.
    """
    if auth is True:
        return load_auth()
    if auth is False or auth is None:
        return []
    return [auth] if isinstance(auth, Auth) else list(auth)


def credential_for(auth: AuthLike, url: KafkaURL) -> Auth | None:
    """The one credential to use for a URL, or None to go without.

    Raises:
        RuntimeError: none matches the URL, or several do.
    """
    if isinstance(auth, Auth):
        # The URL's user name is a hint for choosing; one credential given by the program needs none.
        return auth
    if auth is False or auth is None:
        return None
    # Nothing to choose from is an error, too: who asked for authentication does not go without.
    return select_matching_auth(credentials(auth), url.broker, url.user)
