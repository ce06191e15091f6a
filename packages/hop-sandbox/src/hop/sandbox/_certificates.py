"""Certificates of a sandbox, made on the spot."""

from __future__ import annotations

import os
from pathlib import Path

from hop.sandbox._download import extra_is_missing

# What a client may call the broker.
_HOSTS = ("localhost", "127.0.0.1", "::1")

CA_FILE = "ca.pem"
KEY_FILE = "broker.pem"
# The broker's own certificate is also what the administrator shows: whoever can read its key is root here.
ADMINISTRATOR = "CN=administrator,OU=hop-sandbox,O=hop"


def make_certificates(folder: Path) -> None:
    """Write `ca.pem` for clients to trust and `broker.pem`, key and certificate; done already, do nothing.

    The key of the certificate authority is forgotten, so nothing else will ever be signed by it.

    Raises:
        SandboxError: the extra `kafka` is not installed.
    """
    if (folder / CA_FILE).exists():
        return
    try:
        import trustme
        from cryptography.hazmat.primitives.serialization import (
            Encoding,
            NoEncryption,
            PrivateFormat,
            load_pem_private_key,
        )
    except ImportError as exc:
        raise extra_is_missing(exc) from exc
    authority = trustme.CA(organization_name="hop", organization_unit_name="hop-sandbox")
    leaf = authority.issue_cert(
        *_HOSTS,
        common_name="administrator",
        organization_name="hop",
        organization_unit_name="hop-sandbox",
    )
    # Java reads keys in PKCS#8 only, and trustme writes the older form.
    key = load_pem_private_key(leaf.private_key_pem.bytes(), None).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()
    )
    chain = b"".join(pem.bytes() for pem in leaf.cert_chain_pems)
    write_private(folder / KEY_FILE, key + chain)
    (folder / CA_FILE).write_bytes(authority.cert_pem.bytes())


def write_private(path: Path, content: bytes) -> None:
    """Write a file that only its owner may read, all of it or none."""
    new = path.with_name(path.name + ".new")
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
    new.replace(path)
