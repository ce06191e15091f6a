"""HTTP for large messages, within a time and a size: only who has the extra `hop-io[offload]` can import this."""

from __future__ import annotations

import http.client
import os
import socket
import ssl
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from types import TracebackType

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.exceptions import HTTPError, LocationParseError
from urllib3.util import parse_url

from hop.io._transfer import TransferError

# How long to wait for one address to accept a connection, in seconds.
_CONNECT = 10.0
_CHUNK = 1 << 16
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Address:
    """An address on the web, in its parts."""

    scheme: str
    host: str
    port: int
    target: str

    @classmethod
    def parse(cls, url: str) -> Address:
        """Take an address apart; what is left of a user or a fragment in it is dropped.

        Raises:
            TransferError: it is none, or not one of HTTP.
        """
        try:
            parts = parse_url(url)
        except LocationParseError:
            raise TransferError("its address is malformed") from None
        if parts.scheme not in _PORTS:
            raise TransferError("its address is not one of http or https")
        if not parts.host:
            raise TransferError("its address names no host")
        port = _PORTS[parts.scheme] if parts.port is None else parts.port
        return cls(parts.scheme, parts.host.strip("[]").lower(), port, parts.request_uri)

    @property
    def origin(self) -> tuple[str, str, int]:
        """Scheme, host and port: to whom one speaks."""
        return self.scheme, self.host, self.port


@dataclass(frozen=True)
class Answer:
    """What a server answers; the body only where it is content."""

    status: int
    headers: urllib3.HTTPHeaderDict
    body: bytearray

    @property
    def good(self) -> bool:
        return 200 <= self.status < 300

    def check(self) -> None:
        """Raise what there is to say of an answer that has no content."""
        if not self.good:
            name = http.client.responses.get(self.status, "")
            passing = self.status >= 500 or self.status == 429
            raise TransferError(f"the answer was {self.status} {name}".rstrip(), passing=passing)


class Exchange:
    """Requests that belong together, each on a connection of its own; a context manager.

    Args:
        timeout: how long they may take together, in seconds.
        limit: how many bytes an answer may have.
        ca_location: a file or folder with the authorities to trust, None for the system's.
    """

    def __init__(self, timeout: float, limit: int, ca_location: str | None) -> None:
        self._timeout = timeout
        self._limit = limit
        self._ca_location = ca_location
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._over = False

    def __enter__(self) -> Exchange:
        # A time-out of sockets is one between two bytes, and a server may send one now and then.
        self._end = time.monotonic() + self._timeout
        self._timer = threading.Timer(self._timeout, self._stop)
        self._timer.daemon = True
        self._timer.start()
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._timer.cancel()

    def send(
        self, method: str, address: Address, headers: Mapping[str, str], body: bytes | None = None
    ) -> Answer:
        """Send a request.

        Raises:
            TransferError: there is no answer in time, or one that is too large.
        """
        connection = self._connection(address)
        try:
            connection.connect()
            self._watch(connection.sock)
            # Who refuses a message may say so without having read it to its end.
            with suppress(BrokenPipeError):
                connection.request(
                    method,
                    address.target,
                    body=body,
                    headers={"User-Agent": "hop", "Connection": "close", **headers},
                    preload_content=False,
                    decode_content=False,
                )
            response = connection.getresponse()
            good = 200 <= response.status < 300
            content = self._read(response) if good else bytearray()
            if self._over:
                raise OSError  # the end that was read is not the server's
            return Answer(response.status, response.headers, content)
        except (OSError, HTTPError, http.client.HTTPException, ValueError) as exc:
            if self._over or isinstance(exc, TimeoutError):
                raise TransferError(
                    f"{address.host} did not answer in full in time ({self._timeout:g} s)",
                    passing=True,
                ) from exc
            raise TransferError(_why(exc, address), passing=True) from exc
        finally:
            self._watch(None)
            connection.close()

    def _connection(self, address: Address) -> HTTPConnection:
        left = self._end - time.monotonic()
        if left <= 0:
            raise TransferError(f"no time was left of {self._timeout:g} s", passing=True)
        if address.scheme == "http":
            return HTTPConnection(address.host, address.port, timeout=min(left, _CONNECT))
        context = ssl.create_default_context()
        if self._ca_location is not None:
            location = os.path.expanduser(self._ca_location)  # noqa: PTH111 - never raises
            try:
                if os.path.isdir(location):  # noqa: PTH112
                    context.load_verify_locations(capath=location)
                else:
                    context.load_verify_locations(cafile=location)
            except OSError as exc:
                raise TransferError(f"cannot read certificates from {location}: {exc}") from exc
        return HTTPSConnection(
            address.host, address.port, timeout=min(left, _CONNECT), ssl_context=context
        )

    def _read(self, response: urllib3.BaseHTTPResponse) -> bytearray:
        content = bytearray()
        for chunk in response.stream(_CHUNK):
            content += chunk
            if len(content) > self._limit:
                raise TransferError(f"it is larger than {self._limit} bytes, the limit that is set")
        return content

    def _watch(self, sock: socket.socket | None) -> None:
        with self._lock:
            self._socket = sock
            if sock is not None:
                sock.settimeout(max(0.001, self._end - time.monotonic()))

    def _stop(self) -> None:
        with self._lock:
            self._over = True
            if self._socket is not None:
                with suppress(OSError):
                    self._socket.shutdown(socket.SHUT_RDWR)


def _why(exc: Exception, address: Address) -> str:
    where = f"{address.host}:{address.port}"
    cause: BaseException = exc
    while not isinstance(cause, OSError) and cause.__cause__ is not None:
        cause = cause.__cause__
    if isinstance(cause, ssl.SSLCertVerificationError):
        return f"the certificate of {where} is not to be trusted: {cause.verify_message}"
    words = cause.strerror if isinstance(cause, OSError) and cause.strerror else str(cause)
    return f"{where}: {' '.join(words.split())[:200] or type(cause).__name__}"
