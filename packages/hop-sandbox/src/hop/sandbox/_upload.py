"""A service for large messages: what is too large for a broker is uploaded here, and fetched from here."""

from __future__ import annotations

import json
import re
import ssl
import threading
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib import import_module
from os import PathLike
from types import TracebackType
from typing import Any
from uuid import UUID, uuid4

from hop.sandbox._broker import METADATA, Broker, check_port
from hop.sandbox._errors import SandboxError, reason

_HOST = "127.0.0.1"
_KEY = "LargeMessageUploadEndpoint"
_UPLOAD = re.compile(r"/topic/([A-Za-z0-9._-]{1,249})\+oversized")
_MESSAGE = re.compile(r"/msg/([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})")
# How long to wait for the broker to take an announcement, and for one client (seconds).
_PATIENCE = 10.0
_ENOUGH_BYTES = 1 << 30


@dataclass(frozen=True)
class Upload:
    """A message that was uploaded.

    Attributes:
        topic: the topic it is for.
        message: its body.
        headers: its headers, (name, value) pairs.
        key: its key, or None.
        timestamp: when it came, in milliseconds since 1970-01-01 UTC.
        user: who uploaded it; None where nobody is asked.
    """

    topic: str
    message: bytes
    headers: tuple[tuple[str, bytes | None], ...]
    key: bytes | None
    timestamp: int
    user: str | None


class UploadServer:
    """A running service. A context manager: leaving the `with` block stops it.

    Args:
        users: names and passwords; who uploads or fetches has to log in by SCRAM over HTTP (RFC 7804).
        tokens: bearer tokens that are let in, too. Without users and tokens, everybody is let in.
        port: the port of 127.0.0.1 to listen on; 0 takes one that is free.
        certificate: a PEM file with a key and its certificates, to speak HTTPS; None for HTTP.

    Attributes:
        uploads: what was uploaded, by the UUID in its address.
        requests: every request's method, path and headers, oldest first.

    Raises:
        SandboxError: the port is not to be had, or the extra `uploads` is not installed.
    """

    def __init__(
        self,
        users: Mapping[str, str] | None = None,
        tokens: Iterable[str] = (),
        *,
        port: int = 0,
        certificate: str | PathLike[str] | None = None,
    ) -> None:
        from hop.sandbox._scram import Scram

        check_port(port)
        self.uploads: dict[UUID, Upload] = {}
        self.requests: list[tuple[str, str, Mapping[str, str]]] = []
        self._tokens = frozenset(tokens)
        self._scram = Scram(users or {})
        self._open = not users and not self._tokens
        try:
            self._server = _Server((_HOST, port), self)
        except OSError as exc:
            raise SandboxError(
                f"cannot listen on port {port}: {reason(exc)}; name another"
            ) from exc
        self._scheme = "http"
        if certificate is not None:
            self._scheme = "https"
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(certificate)
            # The handshake is each connection's own business, not that of whoever accepts them.
            self._server.socket = context.wrap_socket(
                self._server.socket, server_side=True, do_handshake_on_connect=False
            )
        self._thread = threading.Thread(
            target=self._server.serve_forever, args=(0.05,), name="hop-uploads", daemon=True
        )
        self._thread.start()

    @property
    def url(self) -> str:
        """The service's address, which a broker announces."""
        return f"{self._scheme}://{_HOST}:{self._server.server_port}"

    def announce(self, broker: Broker) -> None:
        """Have a broker tell its clients of this service.

        Raises:
            SandboxError: the broker does not take it.
        """
        from confluent_kafka import Producer

        config: dict[str, Any] = {"bootstrap.servers": broker.address}
        producer = Producer({**config, **getattr(broker, "admin_config", {})})
        producer.produce(METADATA, json.dumps({_KEY: self.url}))
        if producer.flush(_PATIENCE):
            raise SandboxError(f"the broker at {broker.address} does not take the announcement")

    def stop(self) -> None:
        """Stop listening. Stopping twice is harmless."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def __enter__(self) -> UploadServer:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def _who(self, authorization: str) -> tuple[str | None, dict[str, str]] | dict[str, str]:
        """Who sends a request, and what to say with the answer; or what to say to who has yet to log in."""
        if self._open:
            return None, {}
        scheme, _, rest = authorization.partition(" ")
        if scheme == "Bearer" and rest in self._tokens:
            return "bearer of a token", {}
        return self._scram.answer(scheme, rest)


def upload_server(
    broker: Broker | None = None,
    *,
    users: Mapping[str, str] | None = None,
    tokens: Iterable[str] = (),
    port: int = 0,
    certificate: str | PathLike[str] | None = None,
) -> UploadServer:
    """Start a service for large messages; use it in a `with` block, or call its `stop`.

    Args:
        broker: the broker that announces it to its clients; None, the default: nobody does.
        users: as of `UploadServer`, and so are the others.
        tokens: see there.
        port: see there.
        certificate: see there.

    Raises:
        SandboxError: the port is not to be had, the extra `uploads` is not installed, or the broker does not answer.
    """
    server = UploadServer(users, tokens, port=port, certificate=certificate)
    try:
        if broker is not None:
            server.announce(broker)
    except BaseException:
        server.stop()
        raise
    return server


def check_installed() -> None:
    """Raise `SandboxError` where the extra `uploads` is not installed."""
    import_module("hop.sandbox._scram")


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def __init__(self, address: tuple[str, int], service: UploadServer) -> None:
        self.service = service
        super().__init__(address, _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that goes away is no news."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = _PATIENCE
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        self._serve()

    def log_message(self, format: str, *args: Any) -> None:
        """Tests have no use for a line a request on the terminal."""

    def _serve(self) -> None:
        service = self.server.service
        service.requests.append((self.command, self.path, dict(self.headers)))
        length = self.headers.get("Content-Length", "0")
        if not length.isdecimal() or int(length) > _ENOUGH_BYTES:
            return self._answer(413)
        body = self.rfile.read(int(length))
        known = service._who(self.headers.get("Authorization", ""))
        if isinstance(known, dict):
            return self._answer(401, known)
        user, proof = known
        status, content = self._upload(body, user) if self.command == "POST" else self._message()
        return self._answer(status, proof, content)

    def _upload(self, body: bytes, user: str | None) -> tuple[int, bytes]:
        import bson

        asked = _UPLOAD.fullmatch(self.path)
        if asked is None:
            return 404, b""
        try:
            document = bson.decode(body)
            # Clients send text as such; as a header of Kafka it is bytes.
            headers = tuple(
                (name, value.encode() if isinstance(value, str) else value)
                for name, value in document["headers"]
            )
            identity = dict(reversed(headers)).get("_id")
            upload = Upload(
                asked[1],
                document["message"],
                headers,
                document.get("key"),
                int(time.time() * 1000),
                user,
            )
        except Exception:  # whatever pymongo and what it gives have to say of somebody else's bytes
            return 400, b""
        uuid = UUID(bytes=identity) if identity and len(identity) == 16 else uuid4()
        self.server.service.uploads[uuid] = upload
        return 201, b""

    def _message(self) -> tuple[int, bytes]:
        import bson

        asked = _MESSAGE.fullmatch(self.path)
        upload = self.server.service.uploads.get(UUID(asked[1])) if asked else None
        if upload is None:
            return 404, b""
        metadata: dict[str, Any] = {
            "headers": [list(pair) for pair in upload.headers],
            "timestamp": upload.timestamp,
        }
        if upload.key is not None:
            metadata["key"] = upload.key
        return 200, bson.encode({"message": upload.message, "metadata": metadata})

    def _answer(
        self, status: int, headers: Mapping[str, str] | None = None, content: bytes = b""
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Content-Type", "application/bson")
        self.end_headers()
        self.wfile.write(content)
