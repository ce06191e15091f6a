from __future__ import annotations

import copy
import pickle
from pathlib import Path
from typing import Any

import pytest

from hop.auth import Auth, InvalidCredentialError, SASLMethod

OIDC = {"method": SASLMethod.OAUTHBEARER, "token_endpoint": "https://idp.example/oauth2/token"}


def test_defaults() -> None:
    auth = Auth("alice", "secret")
    assert auth.username == "alice"
    assert auth.password == "secret"
    assert auth.hostname == ""
    assert auth.mechanism == "SCRAM-SHA-512"
    assert type(auth.mechanism) is str
    assert auth.protocol == "SASL_SSL"
    assert auth.ssl is True
    assert auth.ssl_ca_location is None
    assert auth.token_endpoint is auth.token_command is auth.scope is None
    assert auth() == {
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "SCRAM-SHA-512",
        "sasl.username": "alice",
        "sasl.password": "secret",
    }


def test_by_position_and_by_keyword() -> None:
    by_position = Auth("alice", "secret", "kafka.example", False, SASLMethod.PLAIN)
    by_keyword = Auth(
        user="alice", password="secret", host="kafka.example", ssl=False, method=SASLMethod.PLAIN
    )
    assert by_position == by_keyword
    assert by_position() == {
        "security.protocol": "SASL_PLAINTEXT",
        "sasl.mechanism": "PLAIN",
        "sasl.username": "alice",
        "sasl.password": "secret",
    }


def test_certificates(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/alice")
    assert Auth("a", "b", ssl_ca_location="/ca.pem")()["ssl.ca.location"] == "/ca.pem"
    assert Auth("a", "b", ssl_ca_location=Path("/ca.pem")).ssl_ca_location == "/ca.pem"
    assert Auth("a", "b", ssl_ca_location="~/ca.pem")()["ssl.ca.location"] == "/home/alice/ca.pem"
    assert "ssl.ca.location" not in Auth("a", "b", ssl_ca_location="")()


def test_no_certificates_without_encryption() -> None:
    auth = Auth("a", "b", ssl=False, ssl_ca_location="/ca.pem")
    assert auth.ssl_ca_location is None
    assert "ssl.ca.location" not in auth()


@pytest.mark.parametrize("method", SASLMethod)
def test_methods_in_every_spelling(method: SASLMethod) -> None:
    extra = {"token_endpoint": OIDC["token_endpoint"]} if method.name == "OAUTHBEARER" else {}
    assert method.name == method.value.replace("-", "_")
    for spelling in (method, method.value, method.name, method.name.lower(), f" {method.value} "):
        auth = Auth("a", "b", method=spelling, **extra)  # type: ignore[arg-type]
        assert auth.mechanism == method.value
        assert SASLMethod(spelling) is method


@pytest.mark.parametrize("method", ["GSSAPI", "", "SCRAM-SHA-1", None, 512])
def test_an_unknown_method_is_answered_with_the_known_ones(method: Any) -> None:
    with pytest.raises(
        InvalidCredentialError, match="PLAIN, SCRAM-SHA-256, SCRAM-SHA-512, OAUTHBEARER"
    ):
        Auth("a", "b", method=method)


def test_client_credentials() -> None:
    auth = Auth("client", "secret", "kafka.gcn.nasa.gov", **OIDC)  # type: ignore[arg-type]
    assert auth() == {
        "security.protocol": "SASL_SSL",
        "sasl.mechanism": "OAUTHBEARER",
        "sasl.oauthbearer.method": "oidc",
        "sasl.oauthbearer.client.id": "client",
        "sasl.oauthbearer.client.secret": "secret",
        "sasl.oauthbearer.token.endpoint.url": "https://idp.example/oauth2/token",
    }
    scoped = Auth("client", "secret", scope="gcn.nasa.gov/kafka", **OIDC)  # type: ignore[arg-type]
    assert scoped.scope == "gcn.nasa.gov/kafka"
    assert scoped()["sasl.oauthbearer.scope"] == "gcn.nasa.gov/kafka"


DIFFERENT: list[dict[str, Any]] = [
    {"user": "bob"},
    {"password": "other"},
    {"host": "kafka.example"},
    {"ssl": False},
    {"method": SASLMethod.PLAIN},
    {"ssl_ca_location": "/ca.pem"},
    OIDC,
    {**OIDC, "scope": "s"},
    {"method": SASLMethod.OAUTHBEARER, "token_command": "print-token"},
]


@pytest.mark.parametrize("change", DIFFERENT)
def test_equality(change: dict[str, Any]) -> None:
    plain = {"user": "alice", "password": "secret"}
    auth = Auth(**{**plain, **change})
    assert auth == Auth(**{**plain, **change})
    assert hash(auth) == hash(Auth(**{**plain, **change}))
    assert auth != Auth("alice", "secret")
    assert auth != ("alice", "secret")
    assert copy.deepcopy(auth) == auth
    assert pickle.loads(pickle.dumps(auth)) == auth


def test_the_repr_has_no_secrets() -> None:
    auth = Auth("alice", "pa55", "kafka.example", False, SASLMethod.PLAIN)
    assert (
        repr(auth) == "Auth('alice', <password>, host='kafka.example', ssl=False, method='PLAIN')"
    )
    oidc = Auth("alice", "pa55", ssl_ca_location="/ca.pem", scope="s", **OIDC)  # type: ignore[arg-type]
    command = Auth(
        "alice", "pa55", method=SASLMethod.OAUTHBEARER, token_command="get-token --key=pa55"
    )
    for shown in (repr(oidc), str(oidc), f"{[oidc]}", repr(command), repr(command()["oauth_cb"])):
        assert "alice" in shown
        assert "pa55" not in shown
    assert "https://idp.example/oauth2/token" in repr(oidc)
    assert "/ca.pem" in repr(oidc)


@pytest.mark.parametrize("part", ["username", "password", "hostname", "ssl", "mechanism"])
def test_a_credential_does_not_change(part: str) -> None:
    with pytest.raises(AttributeError):
        setattr(Auth("alice", "secret"), part, "x")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"user": ""}, "username is empty"),
        ({"password": ""}, "password of alice is empty"),
        ({"user": "al\nice"}, "username holds characters that cannot be printed"),
        ({"user": "al\0ice"}, "username holds characters that cannot be sent"),
        ({"password": "pa55\0"}, "password holds characters that cannot be sent"),
        ({"password": "pa55\udcff"}, "password holds characters that cannot be sent"),
        (
            {"host": "kafka://host"},
            "hostname 'kafka://host' is not a broker: write host, host:port",
        ),
        (
            {"token_endpoint": "https://idp/"},
            "token_endpoint is only for the mechanism OAUTHBEARER",
        ),
        ({"token_command": "x"}, "token_command is only for the mechanism OAUTHBEARER"),
        ({"scope": "x"}, "scope is only for the mechanism OAUTHBEARER"),
        ({"method": "OAUTHBEARER"}, "needs a token_endpoint or a token_command, not both"),
        ({**OIDC, "token_command": "x"}, "needs a token_endpoint or a token_command, not both"),
        ({**OIDC, "password": ""}, "password of alice is empty"),
        (
            {"method": "OAUTHBEARER", "token_command": "x", "scope": "s"},
            "scope is only for a token_endpoint",
        ),
        ({**OIDC, "token_endpoint": "idp.example"}, "not a URL like https://host/path"),
        ({**OIDC, "token_endpoint": "https://"}, "not a URL like https://host/path"),
        ({**OIDC, "token_endpoint": "https://[::1/"}, "not a URL like https://host/path"),
        ({**OIDC, "token_endpoint": "https://h/a b"}, "not a URL like https://host/path"),
        ({**OIDC, "token_endpoint": "https://h:port/"}, "not a URL like https://host/path"),
        ({**OIDC, "token_endpoint": "https://u:pa55@h/"}, "must not hold a user name or password"),
    ],
)
def test_what_cannot_be_a_credential_is_refused(change: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidCredentialError) as caught:
        Auth(**{"user": "alice", "password": "pa55", **change})
    assert message in str(caught.value)
    assert "pa55" not in str(caught.value)


@pytest.mark.parametrize(
    "change",
    [
        {"user": 1},
        {"password": b"secret"},
        {"host": None},
        {"ssl": "false"},
        {"scope": 1},
        {"ssl_ca_location": 1},
        {"unknown": "x"},
    ],
)
def test_wrong_types_and_names_are_refused(change: dict[str, Any]) -> None:
    with pytest.raises(TypeError):
        Auth(**{"user": "alice", "password": "secret", **change})


HOSTS = """
    kafka.scimma.org KAFKA.scimma.org:9092 localhost kafka_1:1 10.0.0.1:65535 münchen.example.
    ::1 [::1] [2001:db8::1]:9092 [fe80::1%eth0]:9092
"""
NOT_HOSTS = """
    host: host:0 host:65536 host:99999999999 host:x host:² :9092 a,b host/topic user@host host?x .
    [::1 [::1]9092 [::1]: [host]:9092 [] ::1::2 1:2:3
"""


@pytest.mark.parametrize("host", HOSTS.split())
def test_hosts(host: str) -> None:
    assert Auth("a", "b", host).hostname == host
    assert Auth("a", "b", f" {host} ").hostname == host


@pytest.mark.parametrize("host", ["a b", "host\n:1", *NOT_HOSTS.split()])
def test_what_is_not_a_host(host: str) -> None:
    with pytest.raises(InvalidCredentialError, match=r"write host, host:port or \[IPv6 address\]"):
        Auth("a", "b", host)
