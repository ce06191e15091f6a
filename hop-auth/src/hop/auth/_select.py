from collections.abc import Iterable

from hop.auth._auth import Auth
from hop.auth._errors import CredentialSelectionError
from hop.auth._hosts import DEFAULT_PORT, split_host


def select_matching_auth(creds: Iterable[Auth], hostname: str, username: str | None = None) -> Auth:
    """Return the credential to use with a broker.

    Raises:
        CredentialSelectionError: (a RuntimeError) too many or too few credentials match.
    """
    host, port = split_host(hostname)
    candidates = [cred for cred in dict.fromkeys(creds) if username in (None, cred.username)]
    matching = [
        cred
        for cred in candidates
        if cred.hostname
        and split_host(cred.hostname) in ((host, None), (host, port or DEFAULT_PORT))
    ] or [cred for cred in candidates if not cred.hostname]
    if len(matching) != 1:
        raise CredentialSelectionError(f"{len(matching)} credentials match {hostname}")
    return matching[0]
