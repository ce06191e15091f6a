"""Large messages on Apache Kafka: limits of topics, credentials over HTTP, and who is not told of them."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)

from hop.auth import Auth
from hop.io import DeliveryError, StartPosition, Stream
from hop.models import Blob, ExternalMessage
from hop.robust_publisher import RobustProducer
from hop.sandbox import KafkaBroker, UploadServer, upload_server

BODY = bytes(range(256)) * 8000

Read = Callable[..., list[Any]]


@pytest.fixture
def auth(hop_kafka: KafkaBroker) -> Auth:
    user = hop_kafka.users["hop"]
    return Auth(user.username, user.password, ssl_ca_location=str(hop_kafka.ca_file))


@pytest.fixture
def server(hop_kafka: KafkaBroker, auth: Auth) -> Iterator[UploadServer]:
    """A service with the broker's users and its certificate, which the broker announces."""
    certificate = Path(hop_kafka.ca_file).with_name("broker.pem")
    users = {auth.username: auth.password}
    with upload_server(hop_kafka, users=users, certificate=certificate) as server:
        yield server


@pytest.fixture
def url(hop_kafka: KafkaBroker, hop_kafka_topic: str) -> str:
    return hop_kafka.url(hop_kafka_topic)


@pytest.fixture
def read(url: str, auth: Auth) -> Read:
    def read(**options: Any) -> list[Any]:
        stream = Stream(auth=auth, start_at=StartPosition.EARLIEST, until_eos=True)
        with stream.open(url, "r", **options) as s:
            return list(s.read(metadata=True))

    return read


def set_limit(broker: KafkaBroker, topic: str, size: int) -> None:
    entry = ConfigEntry("max.message.bytes", str(size), incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    admin = AdminClient(broker.admin_config)
    admin.incremental_alter_configs([resource])[resource].result(10)


def authorizations(server: UploadServer) -> list[str | None]:
    return [headers.get("Authorization") for _, _, headers in server.requests]


def test_both_ways_with_tls_and_scram(
    server: UploadServer, url: str, auth: Auth, read: Read
) -> None:
    with Stream(auth=auth).open(url, "w") as stream:
        stream.write(BODY, {"night": "1"}, key="k")
        stream.write(b"small")
    (upload,) = server.uploads.values()
    assert (upload.user, upload.message, upload.key) == ("hop", BODY, b"k")
    assert dict(upload.headers)["_sender"] == b"hop"
    (message, metadata), (small, _) = read()
    assert (message, small) == (Blob(BODY), Blob(b"small"))
    assert dict(metadata.headers)["night"] == b"1"
    # Two requests each, the first of which says nothing of the message.
    methods = [method for method, _, _ in server.requests]
    assert methods == ["POST", "POST", "GET", "GET"]
    assert server.requests[0][2]["Content-Length"] == "0"
    assert all(str(sent).startswith("SCRAM-SHA-512 ") for sent in authorizations(server))
    assert auth.password not in str(server.requests)


def test_the_limit_is_the_topics(
    hop_kafka: KafkaBroker, hop_kafka_topic: str, server: UploadServer, url: str, auth: Auth
) -> None:
    set_limit(hop_kafka, hop_kafka_topic, 100_000)
    with Stream(auth=auth).open(url, "w") as stream:
        stream.write(b"x" * 99_000)
        stream.write(b"x" * 101_000)
    assert [len(upload.message) for upload in server.uploads.values()] == [101_000]
    set_limit(hop_kafka, hop_kafka_topic, 3_000_000)
    with Stream(auth=auth).open(url, "w", **{"message.max.bytes": 3_000_000}) as stream:
        stream.write(BODY)
    assert len(server.uploads) == 1


def test_on_asyncio(server: UploadServer, url: str, auth: Auth) -> None:
    async def main() -> list[Any]:
        stream = Stream(auth=auth, start_at=StartPosition.EARLIEST, until_eos=True)
        async with stream.open_async(url, "w") as producer:
            await producer.write(BODY)
        async with stream.open_async(url) as consumer:
            return [message async for message in consumer]

    assert asyncio.run(main()) == [Blob(BODY)]
    (upload,) = server.uploads.values()
    assert dict(upload.headers)["_sender"] == b"hop"


def test_the_robust_publisher_uploads_too(
    server: UploadServer, url: str, auth: Auth, tmp_path: Path, read: Read
) -> None:
    with RobustProducer(url, auth=auth, journal_path=str(tmp_path / "journal")) as publisher:
        publisher.write(BODY)
        publisher.write(b"small")
    assert sorted(len(message.content) for message, _ in read()) == [5, len(BODY)]


def test_a_wrong_password_uploads_nothing(hop_kafka: KafkaBroker, url: str, auth: Auth) -> None:
    with (
        upload_server(hop_kafka, users={"hop": "another"}) as server,
        Stream(auth=auth).open(url, "w") as stream,
    ):
        with pytest.raises(
            DeliveryError, match=r"does not accept the credential of hop \(401\)"
        ) as caught:
            stream.write(BODY)
        assert server.uploads == {}
        assert auth.password not in str(caught.value)
        stream.write(b"small")


def test_a_wrong_password_fetches_nothing(
    hop_kafka: KafkaBroker, url: str, auth: Auth, read: Read, caplog: pytest.LogCaptureFixture
) -> None:
    with upload_server(hop_kafka, users={"hop": "another"}) as server:
        with Stream(auth=auth).open(url, "w") as stream:
            stream.write(ExternalMessage(f"{server.url}/msg/1"))
            stream.write(b"next")
        (message, _), (following, _) = read()
    assert type(message) is ExternalMessage
    assert message.reason == "the service does not accept the credential of hop (401)"
    assert following == Blob(b"next")
    assert len([r for r in caplog.records if r.levelno >= logging.WARNING]) == 1


def test_nobody_but_the_service_is_told_who_asks(
    server: UploadServer, url: str, auth: Auth, read: Read
) -> None:
    with Stream(auth=auth).open(url, "w") as stream:
        stream.write(BODY)
    (path,) = [f"/msg/{uuid}" for uuid in server.uploads]
    with upload_server() as stranger, Stream(auth=auth).open(url, "w") as stream:
        stranger.uploads.update(server.uploads)
        port = server.url.rpartition(":")[2]
        for address in (
            f"{stranger.url}{path}",  # another port
            f"https://localhost:{port}{path}",  # another name of the same host
            f"https://{auth.username}:x@localhost:{port}{path}",
        ):
            stream.write(ExternalMessage(address))
        stream.flush()
        server.requests.clear()
        messages = [message for message, _ in read()]
        assert messages[:2] == [Blob(BODY), Blob(BODY)]
        assert [str(message.reason)[:18] for message in messages[2:]] == ["the answer was 401"] * 2
        assert authorizations(stranger) == [None]
        # The first, which is the service's own address, with two requests; then one for each other name.
        assert [sent is None for sent in authorizations(server)] == [False, False, True, True]
        assert len(server.requests) == 4
