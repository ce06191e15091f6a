"""Proving to the service for large messages who one is: SCRAM over HTTP (RFC 7804), or a bearer token (RFC 6750)."""

from __future__ import annotations

import base64
import json
import re
from urllib.parse import quote_plus, urlencode

from scramp import ScramClient, ScramException

from hop.auth import Auth
from hop.io._http import Address, Answer, Exchange
from hop.io._transfer import TransferError

# Fewer would have the password guessed from what goes over the line, more would be a way to keep a client busy.
_ITERATIONS = range(4096, 1_000_001)
_PARAMETER = re.compile(r'([a-z]+)\s*=\s*("[^"]*"|[^\s,"]+)', re.IGNORECASE)


def send_as(
    exchange: Exchange, auth: Auth, method: str, address: Address, body: bytes | None, kind: str
) -> Answer:
    """Send a request with a credential. Only to the service that the broker announces.

    Raises:
        TransferError: there is no answer, the service does not accept the credential, or it does not prove that it
            knows it.
    """
    content = {} if body is None else {"Content-Type": kind}
    if auth.mechanism == "OAUTHBEARER":
        if address.scheme == "http" and auth.ssl:
            raise TransferError(
                f"{address.host} is to be spoken to without TLS, where a token can be read on the way"
            )
        headers = {**content, "Authorization": f"Bearer {_token(exchange, auth)}"}
        return _accepted(exchange.send(method, address, headers, body), auth)
    scram = _Scram(auth)
    # Whoever is asked to say who he is sends the message afterwards, and once.
    empty = None if body is None else b""
    answer = exchange.send(method, address, {**content, "Authorization": scram.first()}, empty)
    if answer.status != 401:
        # It asks nobody who he is.
        return answer if body is None else exchange.send(method, address, content, body)
    headers = {**content, "Authorization": scram.final(answer)}
    answer = _accepted(exchange.send(method, address, headers, body), auth)
    if answer.good:
        scram.verify(answer)
    return answer


def _accepted(answer: Answer, auth: Auth) -> Answer:
    if answer.status in (401, 403):
        what = "does not accept" if answer.status == 401 else "refuses this to"
        raise TransferError(
            f"the service {what} the credential of {auth.username} ({answer.status})"
        )
    return answer


class _Scram:
    """One side of one exchange."""

    def __init__(self, auth: Auth) -> None:
        # The broker knows who logs in with PLAIN by a password as well.
        self._name = auth.mechanism if auth.mechanism.startswith("SCRAM-") else "SCRAM-SHA-512"
        self._user = auth.username
        try:
            self._client = ScramClient([self._name], auth.username, auth.password)
        except ScramException as exc:
            raise TransferError(f"the credential of {auth.username} can't be used: {exc}") from None
        self._sid = ""

    def first(self) -> str:
        return f"{self._name} data={_encode(self._client.get_client_first())}"

    def final(self, answer: Answer) -> str:
        challenge = self._challenge(answer)
        self._sid = challenge.get("sid", "")
        if "data" not in challenge:
            raise TransferError(f"the service does not accept the credential of {self._user} (401)")
        try:
            said = _decode(challenge["data"])
            iterations = re.search(r"(?:^|,)i=([0-9]{1,9})(?:,|$)", said)
            if iterations is not None and int(iterations[1]) not in _ITERATIONS:
                raise TransferError(f"the service asks for {iterations[1]} rounds of SCRAM")
            self._client.set_server_first(said)
            proof = _encode(self._client.get_client_final())
        except (ScramException, ValueError) as exc:
            raise TransferError(f"the service's part of SCRAM is wrong: {exc}") from None
        return f"{self._name} sid={self._sid}, data={proof}"

    def verify(self, answer: Answer) -> None:
        """See that the service knows the credential, too: it might be anyone."""
        info = dict(_PARAMETER.findall(answer.headers.get("Authentication-Info", "")))
        try:
            self._client.set_server_final(_decode(info.get("data", "").strip('"')))
        except (ScramException, ValueError):
            raise TransferError("the service did not prove that it knows the credential") from None

    def _challenge(self, answer: Answer) -> dict[str, str]:
        for line in answer.headers.getlist("WWW-Authenticate"):
            scheme, _, rest = line.partition(f"{self._name} ")
            if rest and scheme.strip()[-1:] in ("", ","):
                return {name.lower(): value.strip('"') for name, value in _PARAMETER.findall(rest)}
        raise TransferError(f"the service does not offer {self._name}")


def _token(exchange: Exchange, auth: Auth) -> str:
    options = auth()
    if "oauth_cb" in options:
        try:
            return str(options["oauth_cb"]("")[0])
        except RuntimeError as exc:
            raise TransferError(str(exc)) from exc
    # RFC 6749, 4.4: the client's credentials for a token.
    form = {"grant_type": "client_credentials", **({"scope": auth.scope} if auth.scope else {})}
    name = f"{quote_plus(auth.username)}:{quote_plus(auth.password)}"
    headers = {
        "Authorization": f"Basic {_encode(name)}",
        "Content-Type": "application/x-www-form-urlencoded",
        "Accept": "application/json",
    }
    address = Address.parse(str(auth.token_endpoint))
    answer = exchange.send("POST", address, headers, urlencode(form).encode())
    if not answer.good:
        raise TransferError(
            f"the token service at {address.host} answered {answer.status}",
            passing=answer.status >= 500,
        )
    try:
        token = json.loads(answer.body)["access_token"]
    except (ValueError, KeyError, TypeError, RecursionError):
        token = None
    if not isinstance(token, str) or not re.fullmatch(r"[A-Za-z0-9._~+/-]+=*", token):
        raise TransferError(f"the token service at {address.host} gave no token")
    return token


def _encode(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _decode(text: str) -> str:
    return base64.b64decode(text, validate=True).decode()
