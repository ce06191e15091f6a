"""`hop sandbox --uploads` as `python -m hop.sandbox --uploads`, and a client that follows what its broker announces."""

from __future__ import annotations

import base64
import csv
import http.client
import json
import os
import re
import shlex
import signal
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import bson
import pytest
from confluent_kafka import Message
from scramp import ScramClient

COMMAND = [sys.executable, "-m", "hop.sandbox", "--uploads"]
Read = Callable[..., list[Message]]
BODY = bytes(range(256)) * 8000


@contextmanager
def running(*options: str) -> Iterator[list[str]]:
    """The program, and the lines that it printed; Ctrl-C ends it."""
    with subprocess.Popen(
        [*COMMAND, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            lines: list[str] = []
            while not lines or "hop subscribe" not in lines[-1]:
                lines.append(process.stdout.readline())
                assert lines[-1], process.communicate()
            yield lines
            process.send_signal(signal.SIGINT)
            out, err = process.communicate(timeout=30)
            assert (process.returncode, out, err) == (0, "The broker has stopped.\n", "")
        finally:
            process.kill()


def announced(read: Read, config: dict[str, str]) -> str:
    """The service, as the broker tells its clients."""
    value = read(config, "sys.metadata", 1)[-1].value()
    assert value is not None
    return str(json.loads(value)["LargeMessageUploadEndpoint"])


class Client:
    """Uploads and fetches, with a name and a password where it has one."""

    def __init__(
        self, url: str, user: tuple[str, str] | None = None, ca: str | None = None
    ) -> None:
        self._user = user
        scheme, _, place = url.partition("://")
        self._connection = (
            http.client.HTTPConnection(place, timeout=10)
            if scheme == "http"
            else http.client.HTTPSConnection(
                place, timeout=10, context=ssl.create_default_context(cafile=ca)
            )
        )

    def ask(self, method: str, path: str, body: bytes = b"") -> tuple[int, bytes]:
        headers = {}
        if self._user is not None:
            client = ScramClient(["SCRAM-SHA-512"], *self._user)
            first = base64.b64encode(client.get_client_first().encode()).decode()
            _, _, challenge = self._send(
                method, path, b"", {"Authorization": f"SCRAM-SHA-512 data={first}"}
            )
            session, data = (
                re.search(rf'{name}="?([^\s,"]+)', challenge) for name in ("sid", "data")
            )
            assert session is not None
            assert data is not None
            client.set_server_first(base64.b64decode(data[1]).decode())
            final = base64.b64encode(client.get_client_final().encode()).decode()
            headers["Authorization"] = f"SCRAM-SHA-512 sid={session[1]},data={final}"
        status, content, _ = self._send(method, path, body, headers)
        return status, content

    def _send(
        self, method: str, path: str, body: bytes, headers: dict[str, str]
    ) -> tuple[int, bytes, str]:
        self._connection.request(method, path, body, headers)
        answer = self._connection.getresponse()
        content = answer.read()
        return answer.status, content, answer.headers.get("WWW-Authenticate", "")

    def close(self) -> None:
        self._connection.close()


def both_ways(client: Client) -> None:
    uuid = uuid4()
    document = bson.encode({"message": BODY, "headers": [["_id", uuid.bytes]]})
    assert client.ask("POST", "/topic/gcn+oversized", document)[0] == 201
    status, content = client.ask("GET", f"/msg/{uuid}")
    assert (status, bson.decode(content)["message"]) == (200, BODY)


@pytest.mark.parametrize("topics", [[], ["--topic", "gcn:3"], ["--topic", "sys.metadata:2"]])
def test_the_memory_broker_announces_a_service_for_everybody(topics: list[str], read: Read) -> None:
    with running(*topics) as lines:
        found = re.fullmatch(
            r"What is too large for the broker is uploaded to (http://\S+)\n", lines[0]
        )
        assert found is not None
        broker = re.search(r"running at (\S+)\. ", lines[1])
        assert broker is not None
        url = announced(read, {"bootstrap.servers": broker[1]})
        assert url == found[1]
        client = Client(url)
        both_ways(client)
        client.close()


def test_kafka_announces_a_service_for_its_users_over_tls(read: Read) -> None:
    with running("--kafka", "--user", "alice:se:cret", "--user", "bob") as lines:
        found = re.fullmatch(
            r"What is too large for the broker is uploaded to (https://\S+)\n", lines[0]
        )
        assert found is not None
        files = [shlex.split(line)[-1] for line in lines if "hop auth add" in line]
        rows = [next(csv.DictReader(Path(file).read_text().splitlines())) for file in files]
        assert [row["username"] for row in rows] == ["alice", "bob"]
        for row in rows:
            config = {
                "bootstrap.servers": row["hostname"],
                "security.protocol": row["protocol"],
                "sasl.mechanism": row["mechanism"],
                "sasl.username": row["username"],
                "sasl.password": row["password"],
                "ssl.ca.location": row["ssl_ca_location"],
            }
            assert announced(read, config) == found[1]
            client = Client(found[1], (row["username"], row["password"]), row["ssl_ca_location"])
            both_ways(client)
            client.close()
        stranger = Client(found[1], ca=rows[0]["ssl_ca_location"])
        assert stranger.ask("GET", f"/msg/{uuid4()}")[0] == 401
        stranger.close()


@pytest.mark.parametrize("options", [[], ["--kafka"]])
@pytest.mark.parametrize("package", ["bson", "scramp"])
def test_what_is_not_installed_is_said_on_one_line(
    package: str, options: list[str], tmp_path: Path
) -> None:
    # As where the extra is not installed: Python says of the package that there is none.
    (tmp_path / "sitecustomize.py").write_text(f"import sys\nsys.modules[{package!r}] = None\n")
    result = subprocess.run(
        [*COMMAND, *options],
        capture_output=True,
        text=True,
        timeout=30,
        env={**os.environ, "PYTHONPATH": str(tmp_path)},
    )
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr == (
        f"hop: a service for large messages needs {package}: "
        "install it with pip install 'hop-sandbox[uploads]'\n"
    )
