"""The server's side of SCRAM over HTTP (RFC 7804)."""

from __future__ import annotations

import base64
import re
from collections import OrderedDict
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from hop.sandbox._errors import SandboxError

try:
    import bson as _bson
    from scramp import ScramException, ScramMechanism
except ImportError as exc:
    raise SandboxError(
        f"a service for large messages needs {exc.name}: install it with pip install 'hop-sandbox[uploads]'"
    ) from exc
del _bson

_MECHANISMS = ("SCRAM-SHA-512", "SCRAM-SHA-256")
_ROUNDS = 4096
_PARAMETER = re.compile(r'([a-z]+)="?([^\s,"]+)"?')
# So many may have begun to log in.
_MOST = 1000


class Scram:
    """Lets users in who prove that they know their passwords.

    Args:
        users: names and passwords.
    """

    def __init__(self, users: Mapping[str, str]) -> None:
        self._known = {
            mechanism: {
                user: ScramMechanism(mechanism).make_auth_info(password, iteration_count=_ROUNDS)
                for user, password in users.items()
            }
            for mechanism in _MECHANISMS
        }
        self._begun: OrderedDict[str, tuple[str, list[str], Any]] = OrderedDict()

    def answer(self, scheme: str, rest: str) -> tuple[str, dict[str, str]] | dict[str, str]:
        """The user who has logged in and the headers of the answer; or, where one has yet to, these alone."""
        parameters = dict(_PARAMETER.findall(rest))
        data, sid = parameters.get("data"), parameters.get("sid")
        if scheme not in _MECHANISMS or data is None:
            return {"WWW-Authenticate": ", ".join(f'{name} realm="hop"' for name in _MECHANISMS)}
        try:
            said = base64.b64decode(data, validate=True).decode()
            if sid is None:
                asked: list[str] = []

                def find(user: str) -> Any:
                    asked.append(user)
                    return self._known[scheme].get(user)

                server = ScramMechanism(scheme).make_server(find)
                server.set_client_first(said)
                sid = uuid4().hex
                self._begun[sid] = scheme, asked, server
                if len(self._begun) > _MOST:
                    self._begun.popitem(last=False)
                first = _encode(server.get_server_first())
                return {"WWW-Authenticate": f"{scheme} sid={sid}, data={first}"}
            begun, asked, server = self._begun.pop(sid)
            if begun != scheme:
                raise ValueError
            server.set_client_final(said)
            final = _encode(server.get_server_final())
        except (ScramException, ValueError, KeyError):
            return {"WWW-Authenticate": f'{scheme} realm="hop"'}
        return asked[-1], {"Authentication-Info": f"sid={sid}, data={final}"}


def _encode(text: str) -> str:
    return base64.b64encode(text.encode()).decode()
