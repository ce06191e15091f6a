"""Large messages, by way of the service that the broker announces; and the sandbox's, by the lines that it prints."""

from __future__ import annotations

import base64
import json
import re
import shlex
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from confluent_kafka import Consumer, KafkaException, TopicPartition
from interop.releases import Release
from interop.results import Results
from interop.samples import NOT_THERE, YES
from interop.sides import Side

from hop.sandbox import KafkaBroker, UploadServer, upload_server

TABLE = "large-messages"
FROM_THEIRS = "uploaded by it, fetched by hop 1"
FROM_OURS = "uploaded by hop 1, fetched by it"
CONTENT = {"pixels": "x" * 1_500_000}
MESSAGE = {"content": CONTENT, "options": {"headers": {"night": "1"}}}


def service(broker: KafkaBroker, certificate: Path | None = None) -> UploadServer:
    """One with the broker's users, which the broker announces."""
    users = {user.username: user.password for user in broker.users.values()}
    return upload_server(broker, users=users, certificate=certificate)


@pytest.fixture(scope="module", autouse=True)
def groups(hop_kafka: KafkaBroker) -> None:
    """Have the broker set up its groups: 0.13 makes one before it uploads, and the first one of all makes it fail."""
    consumer = Consumer({**hop_kafka.admin_config, "group.id": "hop-first"})
    end = time.monotonic() + 30
    try:
        while True:
            try:
                consumer.committed([TopicPartition("sys.metadata", 0)], timeout=10)
            except KafkaException:
                assert time.monotonic() < end
                time.sleep(0.1)
            else:
                return
    finally:
        consumer.close()


@pytest.fixture
def server(hop_kafka: KafkaBroker) -> Iterator[UploadServer]:
    with service(hop_kafka) as server:
        yield server


@pytest.fixture
def url(hop_kafka: KafkaBroker, server: UploadServer) -> str:
    topic = f"large-{uuid4().hex[:8]}"
    hop_kafka.create_topic(topic)
    return hop_kafka.url(topic)


def fetched(reader: Side, url: str) -> None:
    """What was uploaded is read as if it had come by the broker."""
    (read,) = reader.peer("read", [{"url": url}])
    (got,) = read["result"]
    assert (got["model"], got["content"]) == ("JSONBlob", CONTENT), reader.name
    assert ["night", {"base64": "MQ=="}] in got["headers"]


def test_theirs_uploads(
    hop_kafka: KafkaBroker,
    server: UploadServer,
    url: str,
    ours: Side,
    theirs: Side,
    release: Release,
    results: Results,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def write() -> list[dict[str, Any]]:
        return theirs.peer("write", [{"url": url, "messages": [MESSAGE]}])

    (written,) = write()
    cell = YES if release.number >= (0, 11) else NOT_THERE
    if cell == YES:
        assert written == {"result": [{"result": CONTENT}]}
        (upload,) = server.uploads.values()
        assert upload.user == "hop"
        fetched(ours, url)
        # Why this service speaks no TLS, as the one of `hop sandbox --kafka` does.
        monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(hop_kafka.ca_file))
        with service(hop_kafka, hop_kafka.ca_file.with_name("broker.pem")) as private:
            assert "CERTIFICATE_VERIFY_FAILED" in str(write())
            assert private.uploads == {}
    else:
        assert "MSG_SIZE_TOO_LARGE" in str(written)
        assert server.uploads == {}
    results.record(TABLE, FROM_THEIRS, release.version, cell)


def test_theirs_fetches(
    server: UploadServer, url: str, ours: Side, theirs: Side, release: Release, results: Results
) -> None:
    (written,) = ours.peer("write", [{"url": url, "messages": [MESSAGE]}])
    assert written == {"result": [{"result": CONTENT}]}
    fetched(ours, url)
    if release.number >= (0, 11):
        cell = YES
        fetched(theirs, url)
    elif release.number >= (0, 8):
        cell = "its address, in a `Blob`"
        (read,) = theirs.peer("read", [{"url": url}])
        (got,) = read["result"]
        assert got["model"] == "Blob"
        address = json.loads(base64.b64decode(got["content"]["base64"]))["url"]
        assert address.startswith(f"{server.url}/msg/")
    else:
        cell = "stops [3]"
        (read,) = theirs.peer("read", [{"url": url}])
        assert read["error"] in {"ValueError", "UnicodeDecodeError", "JSONDecodeError"}
    results.record(TABLE, FROM_OURS, release.version, cell)


@contextmanager
def sandbox(side: Side, *options: str) -> Iterator[list[str]]:
    """`hop sandbox --uploads`, and the lines that it prints."""
    with subprocess.Popen(
        [side.hop, "sandbox", "--uploads", *options],
        stdout=subprocess.PIPE,
        env=side.environment(),
        text=True,
    ) as process:
        assert process.stdout is not None
        try:
            lines: list[str] = []
            while not lines or not lines[-1].startswith("  hop subscribe "):
                lines.append(process.stdout.readline())
                assert lines[-1], "the sandbox ended"
            yield lines
            process.send_signal(signal.SIGINT)
            assert process.wait(30) == 0
        finally:
            process.kill()


@pytest.mark.parametrize("options", [[], ["--kafka"]], ids=["memory", "Kafka"])
def test_the_sandbox_s_printed_lines_carry_a_large_file(
    options: list[str], ours: Side, tmp_path: Path
) -> None:
    circular = tmp_path / "large.gcn3"
    lines = "".join(f"line {number} of many\n" for number in range(100_000))
    circular.write_text(f"TITLE:   GCN CIRCULAR\nNUMBER:  1\n\n{lines}")
    side = ours.at(tmp_path / "config")
    with sandbox(side, *options) as printed:
        assert re.search(r"uploaded to https?://127\.0\.0\.1:\d+$", printed[0])
        commands = [shlex.split(line) for line in printed if line.startswith("  hop ")]
        *adds, publish, subscribe = [arguments for _, *arguments in commands]
        publish[publish.index("FILE")] = str(circular)
        for add in adds:
            side.succeed(*add)
        side.succeed(*publish)
        assert side.succeed(*subscribe, "-e") == circular.read_text()
