"""The network up to TLS, as Python sees it: names, connections, certificates."""

from __future__ import annotations

import socket
import ssl
import threading
from datetime import datetime, timezone
from pathlib import Path

# OpenSSL's numbers for what can be wrong with a certificate
_NOT_YET_VALID, _EXPIRED, _OTHER_NAME, _OTHER_ADDRESS = 9, 10, 62, 64


class TroubleError(Exception):
    """Something is wrong: what was found, and what to do."""

    def __init__(self, found: str, to_do: str) -> None:
        super().__init__(found)
        self.found = found
        self.to_do = to_do


def look_up(host: str, port: int, timeout: float) -> str:
    """The addresses that a name stands for."""
    answer: list[str] = []
    problem: list[str] = []

    def ask() -> None:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
            answer.extend(dict.fromkeys(str(address[0]) for *_, address in found))
        except (OSError, UnicodeError) as exc:
            problem.append(str(getattr(exc, "strerror", None) or exc))

    # The system's resolver has its own idea of patience, and no argument for it.
    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(timeout)
    if not answer:
        why = problem[0] if problem else f"no answer in {timeout:g} s"
        raise TroubleError(
            f"{host} is not known: {why}",
            "check the spelling of the host in the URL, and that this machine is on the network",
        )
    return f"{host} is {', '.join(answer)}"


def connect(host: str, port: int, timeout: float) -> str:
    """Whether anything listens."""
    with _connection(host, port, timeout) as connection:
        address, used, *_ = connection.getpeername()
    return f"{address} port {used} answers"


def secure(host: str, port: int, authority: str | None, timeout: float) -> str:
    """Whether the broker has a certificate for its name that can be trusted."""
    context = _context(authority)
    now = datetime.now(timezone.utc)
    with _connection(host, port, timeout) as plain:
        try:
            with context.wrap_socket(plain, server_hostname=host) as connection:
                certificate = connection.getpeercert() or {}
                version = connection.version()
        except ssl.SSLCertVerificationError as exc:
            raise _distrust(exc, host, authority, now) from exc
        except (ssl.SSLError, ConnectionError) as exc:
            reason = getattr(exc, "reason", None) or exc.strerror or exc
            raise TroubleError(
                f"no TLS at {host} port {port}: {reason}",
                "check that the port is the broker's port for TLS",
            ) from exc
        except TimeoutError as exc:
            raise TroubleError(
                f"no TLS at {host} port {port}: no answer in {timeout:g} s",
                "check that the port is the broker's port for TLS",
            ) from exc
    until = ssl.cert_time_to_seconds(str(certificate["notAfter"]))
    last = datetime.fromtimestamp(until, timezone.utc)
    return f"{version}, certificate valid until {last:%Y-%m-%d}, clock within its time"


def _connection(host: str, port: int, timeout: float) -> socket.socket:
    try:
        return socket.create_connection((host, port), timeout)
    except OSError as exc:
        if isinstance(exc, TimeoutError):
            found, how = f"no answer in {timeout:g} s", "a firewall may be in the way"
        else:
            found, how = exc.strerror or str(exc), "check the port, and that the broker is running"
        raise TroubleError(f"cannot connect to {host} port {port}: {found}", how) from exc


def _context(authority: str | None) -> ssl.SSLContext:
    path = Path(authority).expanduser() if authority else None
    try:
        if path is not None and path.is_dir():
            return ssl.create_default_context(capath=path)
        return ssl.create_default_context(cafile=path)
    except OSError as exc:
        raise TroubleError(
            f"cannot use the certificate authority {authority}: {exc.strerror or exc}",
            "correct ssl_ca_location of the credential",
        ) from exc


def _distrust(
    exc: ssl.SSLCertVerificationError, host: str, authority: str | None, now: datetime
) -> TroubleError:
    if exc.verify_code in (_NOT_YET_VALID, _EXPIRED):
        return TroubleError(
            f"{exc.verify_message}; this machine's clock says {now:%Y-%m-%dT%H:%M:%SZ}",
            "set the clock if it is wrong, otherwise tell who runs the broker",
        )
    if exc.verify_code in (_OTHER_NAME, _OTHER_ADDRESS):
        return TroubleError(
            f"the certificate is not for {host}: {exc.verify_message}",
            "use the host name that the broker's owner names",
        )
    how = (
        "check that ssl_ca_location of the credential is the broker's authority"
        if authority
        else "install the system's certificate authorities, or name the broker's in the"
        " credential's ssl_ca_location"
    )
    return TroubleError(f"the certificate cannot be trusted: {exc.verify_message}", how)
