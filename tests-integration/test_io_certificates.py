"""Certificates of a broker that are not to be trusted: each is refused at once, in one sentence, before any password.

The broker is a socket that makes the TLS handshake, and notes who would have gone on after it.
"""

from __future__ import annotations

import socket
import ssl
import subprocess
import sysconfig
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta, timezone
from ipaddress import ip_address
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from installing import clean_environment

from hop.auth import Auth, write_auth_data
from hop.io import ConnectError, Stream

HOST = "127.0.0.1"
PASSWORD = "not-to-be-shown"
NOW = datetime.now(timezone.utc)
DAY = timedelta(days=1)
HOP = Path(sysconfig.get_path("scripts"), "hop")


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    """The authority that the reader's credential names."""
    return trustme.CA()


@pytest.fixture
def auth(authority: trustme.CA, tmp_path: Path) -> Auth:
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    return Auth("hop", PASSWORD, ssl_ca_location=str(tmp_path / "ca.pem"))


def self_signed() -> bytes:
    """A key, and a certificate that nobody but itself vouches for, right in everything else."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, HOST)])
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - DAY)
        .not_valid_after(NOW + DAY)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ip_address(HOST))]), False)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    return private + certificate.public_bytes(Encoding.PEM)


def issued(
    authority: trustme.CA,
    host: str = HOST,
    not_before: datetime | None = None,
    not_after: datetime | None = None,
) -> bytes:
    leaf = authority.issue_cert(host, not_before=not_before, not_after=not_after)
    return leaf.private_key_and_cert_chain_pem.bytes()


# The certificate that a broker shows, and what OpenSSL calls what is wrong with it.
WRONG: dict[str, tuple[Callable[[trustme.CA], bytes], str]] = {
    "expired": (
        lambda ca: issued(ca, not_before=NOW - 30 * DAY, not_after=NOW - DAY),
        "certificate has expired",
    ),
    "not yet valid": (
        lambda ca: issued(ca, not_before=NOW + DAY, not_after=NOW + 30 * DAY),
        "certificate is not yet valid",
    ),
    "self-signed": (lambda ca: self_signed(), "self-signed certificate"),
    "of another authority": (
        lambda ca: issued(trustme.CA()),
        "unable to get local issuer certificate",
    ),
    "for another host": (lambda ca: issued(ca, "kafka.example.org"), "mismatch"),
}


class Listener:
    """Makes the handshake with who comes, and hangs up.

    Attributes:
        address: `host:port`.
        trusting: how many accepted the certificate.
    """

    def __init__(self, certificate: Path) -> None:
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._context.load_cert_chain(certificate)
        self._socket = socket.create_server((HOST, 0))
        self.address = f"{HOST}:{self._socket.getsockname()[1]}"
        self.trusting = 0
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                plain, _ = self._socket.accept()
            except OSError:  # closed
                return
            plain.settimeout(5)
            try:
                with self._context.wrap_socket(plain, server_side=True):
                    self.trusting += 1
            except OSError:
                plain.close()

    def close(self) -> None:
        self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join()


@pytest.fixture
def listen(tmp_path: Path) -> Iterator[Callable[[bytes], Listener]]:
    listeners: list[Listener] = []

    def listen(certificate: bytes) -> Listener:
        path = tmp_path / "broker.pem"
        path.write_bytes(certificate)
        listeners.append(Listener(path))
        return listeners[-1]

    yield listen
    for listener in listeners:
        listener.close()


@pytest.mark.parametrize("mode", ["r", "w"])
@pytest.mark.parametrize("wrong", WRONG)
def test_a_certificate_that_is_not_to_be_trusted_is_told(
    authority: trustme.CA,
    auth: Auth,
    listen: Callable[[bytes], Listener],
    wrong: str,
    mode: Any,
) -> None:
    listener = listen(WRONG[wrong][0](authority))
    start = time.monotonic()
    with pytest.raises(ConnectError) as raised:
        Stream(auth=auth).open(f"kafka://{listener.address}/gcn", mode)
    assert time.monotonic() - start < 15
    text = str(raised.value)
    assert text.startswith(f"cannot connect to the broker at {listener.address}: ")
    assert "certificate verify failed" in text
    # librdkafka does not tell which it is. What it may be is named, and who tells.
    for hint in ("host name", "must not have expired", "ssl_ca_location", "`hop doctor`"):
        assert hint in text
    assert "\n" not in text
    assert PASSWORD not in text
    assert isinstance(raised.value, ConnectionError)
    assert listener.trusting == 0


@pytest.mark.parametrize("mode", ["r", "w"])
def test_a_certificate_that_is_right_is_not_what_is_told(
    authority: trustme.CA, auth: Auth, listen: Callable[[bytes], Listener], mode: Any
) -> None:
    listener = listen(issued(authority))
    with pytest.raises(ConnectError) as raised:
        Stream(auth=auth).open(f"kafka://{listener.address}/gcn", mode, timeout=1)
    assert "certificate" not in str(raised.value)
    assert PASSWORD not in str(raised.value)
    assert listener.trusting > 0


@pytest.mark.parametrize("wrong", WRONG)
def test_hop_doctor_tells_which_it_is(
    authority: trustme.CA,
    auth: Auth,
    listen: Callable[[bytes], Listener],
    tmp_path: Path,
    wrong: str,
) -> None:
    certificate, reason = WRONG[wrong]
    listener = listen(certificate(authority))
    write_auth_data(tmp_path / "config" / "hop" / "auth.toml", [auth])
    done = subprocess.run(
        [HOP, "doctor", f"kafka://{listener.address}/gcn"],
        capture_output=True,
        text=True,
        env={**clean_environment(), "XDG_CONFIG_HOME": str(tmp_path / "config")},
        timeout=60,
    )
    assert done.returncode == 1
    assert reason in done.stdout
    assert ("use the host name" in done.stdout) == (wrong == "for another host")
    assert PASSWORD not in done.stdout + done.stderr
