"""Logging in at a service for large messages: by SCRAM over HTTP, or with a bearer token."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any
from urllib.parse import parse_qs

import pytest

from hop.auth import Auth
from hop.io._authorize import send_as
from hop.io._http import Address, Exchange
from hop.io._transfer import TransferError
from hop.sandbox import UploadServer, upload_server

ALICE = Auth("alice", "wonder,land=", ssl=False)
DOCUMENT = b"\x05\0\0\0\0"


@pytest.fixture
def server() -> Iterator[UploadServer]:
    with upload_server(
        users={"alice": ALICE.password, "ålice": "ünïcode"}, tokens=["t0k.en"]
    ) as server:
        yield server


def ask(url: str, auth: Auth, method: str = "GET", body: bytes | None = None) -> int:
    with Exchange(10, 1 << 20, None) as exchange:
        answer = send_as(exchange, auth, method, Address.parse(url), body, "application/bson")
        return answer.status


@pytest.mark.parametrize(
    "auth",
    [
        ALICE,
        Auth("alice", ALICE.password, ssl=False, method="SCRAM-SHA-256"),
        Auth("alice", ALICE.password, ssl=False, method="PLAIN"),
        Auth("ålice", "ünïcode"),
    ],
)
def test_who_knows_the_password_is_let_in(server: UploadServer, auth: Auth) -> None:
    assert ask(f"{server.url}/msg/none", auth) == 404
    assert ask(f"{server.url}/topic/t+oversized", auth, "POST", DOCUMENT) == 400
    assert auth.password not in str(server.requests)


@pytest.mark.parametrize("auth", [Auth("alice", "guess"), Auth("bob", ALICE.password)])
def test_who_does_not_is_not(server: UploadServer, auth: Auth) -> None:
    with pytest.raises(TransferError, match=rf"credential of {auth.username} \(401\)") as caught:
        ask(f"{server.url}/msg/none", auth)
    assert auth.password not in str(caught.value)


def test_a_service_that_asks_nobody(server: UploadServer) -> None:
    with upload_server() as everybodys:
        assert ask(f"{everybodys.url}/msg/none", ALICE) == 404
        assert ask(f"{everybodys.url}/topic/t+oversized", ALICE, "POST", DOCUMENT) == 400
        bodies = [
            headers["Content-Length"]
            for method, _, headers in everybodys.requests
            if method == "POST"
        ]
        assert bodies == ["0", "5"]


Handle = Callable[[BaseHTTPRequestHandler, bytes], tuple[int, dict[str, str], bytes]]


@contextmanager
def serving(handle: Handle) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.serve()

        def do_POST(self) -> None:
            self.serve()

        def serve(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, headers, content = handle(self, body)
            self.send_response(status)
            for name, value in {**headers, "Content-Length": str(len(content))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, format: str, *args: Any) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def encode(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def challenging(first: Callable[[str], str], final: dict[str, str]) -> Handle:
    """A service that knows nobody, and says what it likes."""

    def handle(request: BaseHTTPRequestHandler, body: bytes) -> tuple[int, dict[str, str], bytes]:
        said = request.headers["Authorization"]
        if "sid=" in said:
            return 200, final, b"forged"
        nonce = base64.b64decode(said.partition("data=")[2]).decode().rpartition("r=")[2]
        return 401, {"WWW-Authenticate": f"SCRAM-SHA-512 sid=1, data={encode(first(nonce))}"}, b""

    return handle


SALT = encode("sixteen bytes ok")


@pytest.mark.parametrize(
    "final",
    [
        {},
        {"Authentication-Info": f"sid=1, data={encode('v=' + encode('x' * 64))}"},
        {"Authentication-Info": "sid=1, data=?"},
        {"Authentication-Info": f"data={encode('e=other-error')}"},
    ],
)
def test_a_service_has_to_prove_that_it_knows_the_password(final: dict[str, str]) -> None:
    handle = challenging(lambda nonce: f"r={nonce}more,s={SALT},i=4096", final)
    with serving(handle) as url, pytest.raises(TransferError, match="did not prove"):
        ask(url, ALICE)


@pytest.mark.parametrize(
    ("first", "reason"),
    [
        (lambda nonce: f"r={nonce}more,s={SALT},i=1", "1 rounds"),
        (lambda nonce: f"r={nonce}more,s={SALT},i=999999999", "999999999 rounds"),
        (lambda nonce: f"r={nonce}more,s={SALT},i={'9' * 5000}", "part of SCRAM is wrong"),
        (lambda nonce: f"r=another,s={SALT},i=4096", "part of SCRAM is wrong"),
        (lambda nonce: "garbage", "part of SCRAM is wrong"),
        (lambda nonce: "", r"\(401\)|part of SCRAM is wrong"),
    ],
)
def test_a_service_that_does_not_keep_to_scram(first: Any, reason: str) -> None:
    with serving(challenging(first, {})) as url, pytest.raises(TransferError, match=reason):
        ask(url, ALICE)


@pytest.mark.parametrize(
    "challenge", ["Basic realm=x", "", "SCRAM-SHA-512", "SCRAM-SHA-1 sid=1, data=AA=="]
)
def test_a_service_that_wants_to_know_it_another_way(challenge: str) -> None:
    def handle(request: Any, body: bytes) -> tuple[int, dict[str, str], bytes]:
        asked.append(request.headers["Authorization"])
        return 401, {"WWW-Authenticate": challenge}, b""

    asked: list[str] = []
    with serving(handle) as url, pytest.raises(TransferError, match="does not offer SCRAM-SHA-512"):
        ask(url, ALICE)
    assert len(asked) == 1


TOKEN = json.dumps({"access_token": "t0k.en", "token_type": "Bearer"}).encode()


def bearer(endpoint: str, *, ssl: bool = False) -> Auth:
    return Auth(
        "id", "s:cret", ssl=ssl, method="OAUTHBEARER", token_endpoint=endpoint, scope="alerts"
    )


def test_a_token_is_had_and_shown(server: UploadServer) -> None:
    asked: list[tuple[str, dict[str, list[str]]]] = []

    def handle(request: Any, body: bytes) -> tuple[int, dict[str, str], bytes]:
        asked.append((request.headers["Authorization"], parse_qs(body.decode())))
        return 200, {}, TOKEN

    with serving(handle) as url:
        assert ask(f"{server.url}/msg/none", bearer(url)) == 404
    ((basic, form),) = asked
    assert base64.b64decode(basic.partition(" ")[2]) == b"id:s%3Acret"
    assert form == {"grant_type": ["client_credentials"], "scope": ["alerts"]}
    assert server.requests[0][2]["Authorization"] == "Bearer t0k.en"


@pytest.mark.parametrize(
    ("status", "content", "reason"),
    [
        (500, b"", "answered 500"),
        (401, b"", "answered 401"),
        (200, b"", "gave no token"),
        (200, b"[]", "gave no token"),
        (200, b'{"access_token": 5}', "gave no token"),
        (200, b'{"access_token": "a\\r\\nX: y"}', "gave no token"),
    ],
)
def test_a_token_that_is_not_to_be_had(
    server: UploadServer, status: int, content: bytes, reason: str
) -> None:
    with (
        serving(lambda request, body: (status, {}, content)) as url,
        pytest.raises(TransferError, match=reason) as caught,
    ):
        ask(f"{server.url}/msg/none", bearer(url))
    assert "cret" not in str(caught.value)
    assert server.requests == []


def test_a_token_is_not_shown_where_others_could_read_it(server: UploadServer) -> None:
    with pytest.raises(TransferError, match="without TLS"):
        ask(f"{server.url}/msg/none", bearer("http://127.0.0.1:1", ssl=True))
    assert server.requests == []


def test_a_token_that_the_service_does_not_know(server: UploadServer) -> None:
    with (
        serving(lambda request, body: (200, {}, b'{"access_token": "other"}')) as url,
        pytest.raises(TransferError, match=r"credential of id \(401\)"),
    ):
        ask(f"{server.url}/msg/none", bearer(url))
