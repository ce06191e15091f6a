"""Which broker is meant where none is named."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from hop.auth import Auth

_HOPSKOTCH = "kafka.scimma.org"


def default_url(credentials: Sequence[Auth]) -> str:
    """The broker that the credential is for where there is one with a host, otherwise Hopskotch's."""
    if len(credentials) == 1 and credentials[0].hostname:
        return f"kafka://{credentials[0].hostname}/"
    return f"kafka://{_HOPSKOTCH}/"
