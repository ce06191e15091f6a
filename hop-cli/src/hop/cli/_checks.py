"""What a connection needs, one thing after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from hop.auth import Auth, AuthError, load_auth, select_matching_auth
from hop.cli import _network, _permissions
from hop.cli._target import default_url
from hop.cli._version import hop_version
from hop.io import AuthenticationError, KafkaURL, StreamError, list_topics, parse_url

DEFAULT_TIMEOUT = 10.0
"""Seconds to wait at each step."""


@dataclass(frozen=True)
class Result:
    """What came out of a check: `ok` is None where it was not tried, `to_do` what to do where it is False."""

    check: str
    ok: bool | None
    found: str
    to_do: str = ""


def examine(
    url: str | None, auth: bool, group: str | None, timeout: float
) -> tuple[str, Iterator[Result]]:
    """The URL that is examined, and one result after the other.

    Raises:
        ValueError: the URL is malformed.
    """
    cred: Auth | None = None
    problem: AuthError | None = None
    known: list[Auth] = []
    if auth:
        try:
            known = load_auth()
        except AuthError as exc:
            problem = exc
    url = url or default_url(known)
    target = parse_url(url)
    if auth and problem is None:
        try:
            cred = select_matching_auth(known, target.broker, target.user)
        except AuthError as exc:
            problem = exc
    return url, _results(_Examination(target, auth, cred, problem, group, timeout))


def _results(examination: _Examination) -> Iterator[Result]:
    well = True
    for check, step in examination.steps:
        if not well:
            yield Result(check, None, "not tried")
            continue
        try:
            ok, found, to_do = True, step(), ""
        except _network.TroubleError as exc:
            ok, found, to_do = False, exc.found, exc.to_do
        # Without one step the next is hopeless, except that permissions have nothing to do with each other.
        well = ok or check == "topics"
        yield Result(check, ok, found, to_do)
    yield Result("versions", True, _versions())


class _Examination:
    """The steps; each returns what it found, or raises TroubleError."""

    def __init__(
        self,
        target: KafkaURL,
        auth: bool,
        cred: Auth | None,
        problem: AuthError | None,
        group: str | None,
        timeout: float,
    ) -> None:
        self._target = target
        self._auth = auth
        self._cred = cred
        self._problem = problem
        self._group = group
        self._timeout = timeout
        host, _, port = target.broker.rpartition(":")
        self._host, self._port = host.strip("[]"), int(port)
        self._topics: list[str] = []
        self.steps: list[tuple[str, Callable[[], str]]] = [
            ("name lookup", lambda: _network.look_up(self._host, self._port, timeout)),
            ("TCP", lambda: _network.connect(self._host, self._port, timeout)),
            ("TLS", self._tls),
            ("log-in", self._log_in),
            ("topics", self._visible),
            ("group", self._may_join),
        ]

    def _tls(self) -> str:
        if not self._auth or (self._cred is not None and not self._cred.ssl):
            return "not used"
        authority = self._cred.ssl_ca_location if self._cred else None
        return _network.secure(self._host, self._port, authority, self._timeout)

    def _log_in(self) -> str:
        if self._problem is not None:
            raise _network.TroubleError(str(self._problem), "")
        try:
            topics = list_topics(
                f"kafka://{self._target.broker}/", self._cred or False, self._timeout
            )
        except AuthenticationError as exc:
            raise _network.TroubleError(str(exc), "") from exc
        except StreamError as exc:
            how = "check that the port is the one for " + (
                "TLS and passwords" if self._auth else "connections without authentication"
            )
            raise _network.TroubleError(str(exc), how) from exc
        self._topics = list(topics)
        if self._cred is None:
            return "no credential is used"
        return f"as {self._cred.username} ({self._cred.mechanism})"

    def _visible(self) -> str:
        wanted = self._target.topics
        if missing := [topic for topic in wanted if topic not in self._topics]:
            raise _network.TroubleError(
                f"{', '.join(missing)} is not among the topics that you may use",
                "`hop list-topics` shows those; ask the topic's owner for permission",
            )
        count = len(self._topics)
        if not count:
            raise _network.TroubleError("there is none that you may use", "ask a topic's owner")
        if not wanted:
            return f"{count} that you may use"
        allowed = {}
        if self._cred is not None:
            allowed = _permissions.of_topics(self._target.broker, self._cred, wanted, self._timeout)
        shown = [f"{topic} ({allowed[topic]})" if topic in allowed else topic for topic in wanted]
        return f"{', '.join(shown)}; {count} in all"

    def _may_join(self) -> str:
        user = f"{self._cred.username}-" if self._cred else ""
        group = self._group or f"{user}hop-doctor"
        return _permissions.of_group(self._target.broker, self._cred, group, self._timeout)


def _versions() -> str:
    import platform

    from confluent_kafka import libversion

    return f"hop {hop_version()}, librdkafka {libversion()[0]}, Python {platform.python_version()}"
