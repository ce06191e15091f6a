"""The service for large messages, as any client of HTTP sees it."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Iterator
from uuid import UUID, uuid4

import bson
import pytest
from confluent_kafka import Consumer, TopicPartition
from scramp import ScramClient

from hop.sandbox import SandboxError, UploadServer, memory_broker, upload_server


@pytest.fixture
def server() -> Iterator[UploadServer]:
    with upload_server() as server:
        yield server


def ask(
    server: UploadServer,
    method: str,
    path: str,
    body: bytes = b"",
    headers: dict[str, str] | None = None,
) -> tuple[int, bytes, dict[str, str]]:
    connection = http.client.HTTPConnection(server.url.removeprefix("http://"), timeout=5)
    try:
        connection.request(method, path, body, headers or {})
        answer = connection.getresponse()
        return answer.status, answer.read(), dict(answer.getheaders())
    finally:
        connection.close()


def document(uuid: UUID) -> dict[str, object]:
    return {"message": b"x" * 2_000_000, "headers": [["_id", uuid.bytes], ["a", "b"]], "key": b"k"}


def test_what_is_uploaded_can_be_fetched(server: UploadServer) -> None:
    uuid = uuid4()
    assert ask(server, "POST", "/topic/gcn+oversized", bson.encode(document(uuid)))[0] == 201
    assert server.uploads[uuid].topic == "gcn"
    status, content, _ = ask(server, "GET", f"/msg/{uuid}")
    assert status == 200
    got = bson.decode(content)
    assert (got["message"], got["metadata"]["key"]) == (b"x" * 2_000_000, b"k")
    assert got["metadata"]["headers"] == [["_id", uuid.bytes], ["a", b"b"]]
    assert isinstance(got["metadata"]["timestamp"], int)


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/topic/gcn", b"", 404),
        ("POST", "/topic/gcn+oversized", b"", 400),
        ("POST", "/topic/gcn+oversized", bson.encode({"message": b""}), 400),
        ("GET", "/msg/1", b"", 404),
        ("GET", f"/msg/{UUID(int=5)}", b"", 404),
        ("PUT", "/", b"", 501),
    ],
)
def test_requests_that_are_none(
    server: UploadServer, method: str, path: str, body: bytes, status: int
) -> None:
    assert ask(server, method, path, body)[0] == status
    assert server.uploads == {}


def test_users_have_to_log_in() -> None:
    with upload_server(users={"alice": "wonderland"}, tokens=["secret"]) as server:
        path = f"/msg/{uuid4()}"
        status, _, headers = ask(server, "GET", path)
        assert status == 401
        assert "SCRAM-SHA-512" in headers["WWW-Authenticate"]
        assert ask(server, "GET", path, headers={"Authorization": "Bearer secret"})[0] == 404
        for wrong in (
            "Bearer guess",
            "Basic YTpi",
            "SCRAM-SHA-512 data=?",
            "SCRAM-SHA-512 sid=1, data=AA==",
        ):
            assert ask(server, "GET", path, headers={"Authorization": wrong})[0] == 401
        assert log_in(server, path, "wonderland") == 404
        assert log_in(server, path, "guess") == 401


def log_in(server: UploadServer, path: str, password: str) -> int:
    import base64

    def encode(text: str) -> str:
        return base64.b64encode(text.encode()).decode()

    client = ScramClient(["SCRAM-SHA-512"], "alice", password)
    said = f"SCRAM-SHA-512 data={encode(client.get_client_first())}"
    _, _, headers = ask(server, "GET", path, headers={"Authorization": said})
    sid, data = headers["WWW-Authenticate"].removeprefix("SCRAM-SHA-512 sid=").split(", data=")
    client.set_server_first(base64.b64decode(data).decode())
    said = f"SCRAM-SHA-512 sid={sid}, data={encode(client.get_client_final())}"
    status, _, headers = ask(server, "GET", path, headers={"Authorization": said})
    if status != 401:
        final = headers["Authentication-Info"].partition("data=")[2]
        client.set_server_final(base64.b64decode(final).decode())
    # Nobody gets in with what somebody else has said.
    assert ask(server, "GET", path, headers={"Authorization": said})[0] == 401
    return status


def test_a_broker_announces_it() -> None:
    with memory_broker({"sys.metadata": 1}) as broker, upload_server(broker) as server:
        consumer = Consumer({"bootstrap.servers": broker.address, "group.id": "g"})
        consumer.assign([TopicPartition("sys.metadata", 0, 0)])
        message = consumer.poll(10)
        consumer.close()
        assert message is not None
        assert json.loads(message.value() or b"") == {"LargeMessageUploadEndpoint": server.url}


def test_a_port_that_is_taken_is_an_error() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SandboxError, match=f"cannot listen on port {port}"):
            upload_server(port=port)


def test_it_stops_listening() -> None:
    with upload_server() as server:
        pass
    with pytest.raises(ConnectionRefusedError):
        ask(server, "GET", "/")
