from __future__ import annotations

from collections.abc import Iterable

from hop.auth._auth import Auth, broker, name_of
from hop.auth._errors import CredentialSelectionError
from hop.auth._hosts import DEFAULT_PORT, split_host
from hop.auth._store import ADVICE, NO_CREDENTIALS


def select_matching_auth(creds: Iterable[Auth], hostname: str, username: str | None = None) -> Auth:
    """Return the credential to use with a broker.

    With a user name only credentials of that name count. Of those, one for the broker is used:
    rather one for its host and port than one for its host. When there is none, one for no
    particular broker is used.

    Args:
        creds: the credentials to choose from, as from `load_auth`.
        hostname: the broker, as `host` or `host:port`. The port is 9092 when not given.
        username: the user name to connect as; None or empty: any.

    Raises:
        CredentialSelectionError: (a RuntimeError) too many or too few credentials match. The
            message lists the candidates.
    """
    everything = list(dict.fromkeys(creds))
    try:
        host, port = split_host(hostname)
    except ValueError:
        raise CredentialSelectionError(
            f"cannot choose a credential for {hostname!r}: it is not a broker's host or host:port"
        ) from None
    if not everything:
        raise CredentialSelectionError(f"{NO_CREDENTIALS} for {hostname}. {ADVICE}")
    ofuser = [cred for cred in everything if not username or cred.username == username]
    matching: list[Auth] = []
    for wanted in ((host, port or DEFAULT_PORT), (host, None), None):
        matching = matching or [cred for cred in ofuser if broker(cred) == wanted]
    if len(matching) == 1:
        return matching[0]
    whose = f" of user {username}" if username else ""
    if not matching:
        raise CredentialSelectionError(
            f"no credential{whose} is for {hostname}, but only {_listed(everything)}: "
            "add one with `hop auth add`, or name another user in the URL"
        )
    if username or len({cred.username for cred in matching}) == 1:
        fix = "remove all but one with `hop auth remove`"
    else:
        fix = f"name the user in the URL, like kafka://{matching[0].username}@{hostname}/topic"
    raise CredentialSelectionError(
        f"{len(matching)} credentials{whose} match {hostname}, {_listed(matching)}: {fix}"
    )


def _listed(creds: list[Auth]) -> str:
    shown = ", ".join(map(name_of, creds[:10]))
    return shown if len(creds) <= 10 else f"{shown} and {len(creds) - 10} more"
