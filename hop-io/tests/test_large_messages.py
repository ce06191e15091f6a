"""Messages that are larger than their topic takes: uploaded to the service that the broker announces, and fetched."""

from __future__ import annotations

import asyncio
import logging
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from uuid import UUID

import confluent_kafka
import pytest

from hop.auth import Auth
from hop.io import DeliveryError, StartPosition, Stream
from hop.models import Blob, ExternalMessage, JSONBlob
from hop.sandbox import MemoryBroker, UploadServer, memory_broker, upload_server

BODY = bytes(range(256)) * 8000  # two megabytes
ALICE = Auth("alice", "wonderland", ssl=False)

Read = Callable[..., list[Any]]


@pytest.fixture(scope="module")
def broker() -> Iterator[MemoryBroker]:
    """A broker that announces a service to everybody."""
    with memory_broker({"sys.metadata": 1}) as broker:
        yield broker


@pytest.fixture(scope="module")
def server(broker: MemoryBroker) -> Iterator[UploadServer]:
    with upload_server(broker) as server:
        yield server


@pytest.fixture
def topic(broker: MemoryBroker, server: UploadServer, hop_topic: str) -> str:
    broker.create_topic(hop_topic)
    server.requests.clear()
    return hop_topic


@pytest.fixture
def write(broker: MemoryBroker, topic: str) -> Callable[..., None]:
    def write(message: Any, *, options: Any = None, **arguments: Any) -> None:
        with Stream(auth=False).open(
            broker.url(topic), "w", idempotent=False, **(options or {})
        ) as stream:
            stream.write(message, **arguments)

    return write


@pytest.fixture
def read(broker: MemoryBroker, topic: str) -> Read:
    def read(**options: Any) -> list[Any]:
        stream = Stream(auth=False, start_at=StartPosition.EARLIEST, until_eos=True)
        with stream.open(broker.url(topic), "r", **options) as s:
            return list(s.read(metadata=True))

    return read


@pytest.fixture
def place(write: Callable[..., None]) -> Callable[[str], None]:
    """Write a placeholder for an address."""
    return lambda url: write(ExternalMessage(url))


def raw(broker: MemoryBroker, topic: str) -> list[tuple[bytes, dict[str, bytes]]]:
    """What is on the wire."""
    stream = Stream(auth=False, start_at=StartPosition.EARLIEST, until_eos=True)
    with stream.open(broker.url(topic), "r", ignoretest=False) as s:
        return [(body, dict(metadata.headers)) for body, metadata in s.read_raw(metadata=True)]


def test_a_large_message_is_uploaded_and_fetched(
    broker: MemoryBroker, server: UploadServer, topic: str, write: Any, read: Read
) -> None:
    write(BODY, headers={"night": "1", "site": b"\xff"}, key="k")
    ((body, headers),) = raw(broker, topic)
    assert headers["_format"] == b"external"
    assert "_test" not in headers
    (uuid,) = [uuid for uuid, upload in server.uploads.items() if upload.topic == topic]
    assert body == f'{{"url": "{server.url}/msg/{uuid}"}}'.encode()
    upload = server.uploads[uuid]
    assert (upload.message, upload.key) == (BODY, b"k")
    assert UUID(bytes=dict(upload.headers)["_id"]) == uuid
    assert headers["_id"] != uuid.bytes
    assert len(headers["_id"]) == 16
    ((message, metadata),) = read()
    assert message == Blob(BODY)
    assert (metadata.topic, metadata.partition, metadata.offset) == (topic, 0, 0)
    assert (metadata.key, metadata.timestamp) == (b"k", upload.timestamp)
    assert metadata.headers == list(upload.headers)
    assert dict(metadata.headers)["night"] == b"1"


def test_models_go_the_same_way(write: Any, read: Read) -> None:
    write({"pixels": "x" * 1_200_000})
    assert [message for message, _ in read()] == [JSONBlob({"pixels": "x" * 1_200_000})]


def test_a_test_message_stays_one(
    broker: MemoryBroker, server: UploadServer, topic: str, write: Any, read: Read
) -> None:
    write(BODY, test=True)
    assert raw(broker, topic)[0][1]["_test"] == b"true"
    assert read() == []
    assert server.requests[1:] == []  # nobody fetched it
    ((message, _),) = read(ignoretest=False)
    assert message == Blob(BODY)


def test_smaller_messages_go_to_the_broker(server: UploadServer, write: Any, read: Read) -> None:
    write(b"x" * 990_000)
    assert [message for message, _ in read()] == [Blob(b"x" * 990_000)]
    assert server.requests == []


def test_the_limit_that_a_program_sets_counts(server: UploadServer, write: Any) -> None:
    write(b"x" * 100_000, options={"message.max.bytes": 100_000})
    assert [method for method, _, _ in server.requests] == ["POST"]
    write(BODY, options={"message.max.bytes": 3_000_000})
    assert len(server.requests) == 1


def test_several_large_messages_of_a_stream(
    broker: MemoryBroker, server: UploadServer, topic: str, read: Read
) -> None:
    with Stream(auth=False).open(broker.url(topic), "w", idempotent=False) as stream:
        for number in range(5):
            stream.write(BODY + bytes([number]))
            stream.write({"number": number})
    got = [message.content for message, _ in read()]
    expected: list[Any] = []
    for number in range(5):
        expected += [BODY + bytes([number]), {"number": number}]
    assert got == expected


def test_batches_hold_what_was_fetched(broker: MemoryBroker, topic: str, write: Any) -> None:
    write(BODY)
    write(b"small")
    stream = Stream(auth=False, start_at=StartPosition.EARLIEST, until_eos=True)
    with stream.open(broker.url(topic), "r") as s:
        assert [m for batch in s.read_batches() for m in batch] == [Blob(BODY), Blob(b"small")]


@pytest.mark.parametrize("how", ["argument", "environment", "file"])
def test_offloading_is_switched_off(
    how: str, server: UploadServer, write: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = switch_off(how, "automatic_offload", tmp_path, monkeypatch)
    with pytest.raises(DeliveryError, match=r"too large.*automatic_offload is off") as caught:
        write(BODY, options=options)
    assert caught.value.args[0].code() == confluent_kafka.KafkaError.MSG_SIZE_TOO_LARGE
    assert "\n" not in str(caught.value)
    assert server.requests == []


@pytest.mark.parametrize("how", ["argument", "environment", "file"])
def test_fetching_is_switched_off(
    how: str,
    server: UploadServer,
    write: Any,
    read: Read,
    tmp_path: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    write(BODY)
    server.requests.clear()
    ((message, metadata),) = read(**switch_off(how, "fetch_external", tmp_path, monkeypatch))
    assert type(message) is ExternalMessage
    assert message.url.startswith(server.url)
    assert message.reason is None
    assert dict(metadata.headers)["_format"] == b"external"
    assert server.requests == []
    assert caplog.record_tuples == []


def switch_off(how: str, name: str, folder: Any, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    (folder / "hop").mkdir()
    monkeypatch.setenv("XDG_CONFIG_HOME", str(folder))
    word = "false" if how == "file" else "true"
    (folder / "hop" / "config.toml").write_text(f"[config]\n{name} = {word}\n")
    if how != "file":
        monkeypatch.setenv(f"HOP_{name.upper()}", "no" if how == "environment" else "yes")
    return {name: False} if how == "argument" else {}


@pytest.mark.parametrize(
    ("content", "variable", "said"),
    [
        ("[config]\nfetch_external = 'maybe'\n", None, "'maybe', neither true nor false"),
        ("[config", None, "config.toml have no effect"),
        ("config = 5", None, None),
        ("[config]\nfetch_external = true\n", "perhaps", "HOP_FETCH_EXTERNAL is 'perhaps'"),
    ],
)
def test_a_setting_that_is_none_is_logged_and_has_no_effect(
    content: str,
    variable: str | None,
    said: str | None,
    write: Any,
    read: Read,
    tmp_path: Any,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    write(BODY)
    (tmp_path / "hop").mkdir()
    (tmp_path / "hop" / "config.toml").write_text(content)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    if variable:
        monkeypatch.setenv("HOP_FETCH_EXTERNAL", variable)
    ((message, _),) = read()
    assert message == Blob(BODY)
    assert [said in record.getMessage() for record in caplog.records] == ([True] if said else [])


@pytest.mark.parametrize(
    "announced",
    [
        None,
        b"",
        b"garbage",
        b"[]",
        b"{}",
        b'{"LargeMessageUploadEndpoint": 5}',
        b"\xff" * 100,
        b'{"LargeMessageUploadEndpoint": "ftp://example.org"}',
        b"[" * 100_000,
    ],
)
def test_where_no_service_is_announced(announced: bytes | None) -> None:
    with memory_broker({"t": 1, "sys.metadata": 1}) as broker:
        if announced is not None:
            announce(broker, b'{"LargeMessageUploadEndpoint": "http://127.0.0.1:1"}')
            announce(broker, announced)
        with (
            Stream(auth=False).open(broker.url("t"), "w", idempotent=False) as stream,
            pytest.raises(DeliveryError, match="announces no service for large messages"),
        ):
            stream.write(BODY)


def announce(broker: MemoryBroker, value: bytes) -> None:
    producer = confluent_kafka.Producer({"bootstrap.servers": broker.address})
    producer.produce("sys.metadata", value)
    assert producer.flush(10) == 0


def test_what_is_announced_last_counts(server: UploadServer, write: Any) -> None:
    with memory_broker({"t": 1, "sys.metadata": 1}) as broker:
        announce(broker, b'{"LargeMessageUploadEndpoint": "http://127.0.0.1:1"}')
        server.announce(broker)
        with Stream(auth=False).open(broker.url("t"), "w", idempotent=False) as stream:
            stream.write(BODY)
    assert [method for method, _, _ in server.requests[-1:]] == ["POST"]


def test_the_broker_is_asked_once(broker: MemoryBroker, topic: str) -> None:
    with memory_broker({"t": 1, "sys.metadata": 1}) as other, upload_server(other) as mine:
        with Stream(auth=False).open(other.url("t"), "w", idempotent=False) as stream:
            stream.write(BODY)
            announce(other, b"{}")
            stream.write(BODY)
        assert len(mine.uploads) == 2


# A service that is not as it should be


@contextmanager
def answering(*answers: bytes, forever: bytes = b"", silent: bool = False) -> Iterator[Any]:
    """A server that says the same to whoever comes; a list of what it was asked comes with its address."""
    asked: list[bytes] = []
    stop = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0.05)

        def talk(connection: socket.socket, answer: bytes) -> None:
            with connection:
                try:
                    connection.settimeout(5)
                    got = b""
                    while b"\r\n\r\n" not in got:
                        got += connection.recv(65536)
                    head, _, body = got.partition(b"\r\n\r\n")
                    length = re.search(rb"Content-Length: (\d+)", head)
                    missing = int(length[1]) - len(body) if length else 0
                    while missing > 0:
                        missing -= len(connection.recv(min(missing, 1 << 20)) or b"x" * missing)
                    asked.append(got)
                    connection.sendall(answer)
                    while (silent or forever) and not stop.is_set():
                        if forever:
                            connection.sendall(forever)
                            if len(forever) < 100:
                                time.sleep(0.05)
                        else:
                            time.sleep(0.05)
                except OSError:
                    pass

        def serve() -> None:
            count = 0
            threads = []
            while not stop.is_set():
                try:
                    connection, _ = listener.accept()
                except TimeoutError:
                    continue
                answer = answers[min(count, len(answers) - 1)] if answers else b""
                count += 1
                threads.append(threading.Thread(target=talk, args=(connection, answer)))
                threads[-1].start()
            for thread in threads:
                thread.join()

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}", asked
        finally:
            stop.set()
            thread.join()


def answer(status: str, content: bytes = b"", *headers: str) -> bytes:
    lines = "".join(f"{line}\r\n" for line in (f"Content-Length: {len(content)}", *headers))
    return f"HTTP/1.1 {status}\r\n{lines}\r\n".encode() + content


def kept(
    place: Any, read: Read, write: Any, url: str, caplog: pytest.LogCaptureFixture, **options: Any
) -> str:
    """The reason why a message was not fetched; the stream goes on, and one line is logged."""
    place(url)
    write(b"next")
    (placeholder, metadata), (following, _) = read(**options)
    assert type(placeholder) is ExternalMessage
    assert placeholder.url == url
    assert dict(metadata.headers)["_format"] == b"external"
    assert following == Blob(b"next")
    assert placeholder.reason is not None
    assert "\n" not in placeholder.reason
    # urllib3 has something to say of broken headers, too.
    (record,) = [r for r in caplog.records if r.name == "hop.io" and r.levelno >= logging.WARNING]
    assert placeholder.reason in record.getMessage()
    return placeholder.reason


def nobody() -> str:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return f"http://127.0.0.1:{listener.getsockname()[1]}/msg/1"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("ftp://example.org/1", "not one of http or https"),
        ("file:///etc/passwd", "not one of http or https"),
        ("", "not one of http or https"),
        ("http://", "names no host"),
        ("http://[::1", "malformed"),
        ("http://127.0.0.1:99999/", "malformed"),
        ("http://no-such-host.invalid/1", "no-such-host.invalid:80: "),
        ("http://a\x00b/", "malformed"),
    ],
)
def test_addresses_that_are_none(
    url: str, reason: str, place: Any, read: Read, write: Any, caplog: pytest.LogCaptureFixture
) -> None:
    assert reason in kept(place, read, write, url, caplog)


def test_nobody_answers(
    place: Any, read: Read, write: Any, caplog: pytest.LogCaptureFixture
) -> None:
    assert "refused" in kept(place, read, write, nobody(), caplog).lower()


BAD_ANSWERS = [
    (answer("500 Oops"), "the answer was 500 Internal Server Error"),
    (answer("404 Not Found"), "the answer was 404 Not Found"),
    (answer("200 OK", b"no BSON"), "is no large message"),
    (answer("200 OK"), "is no large message"),
    (answer("200 OK", b"\x05\0\0\0\0"), "is no large message: it has no metadata"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort", ""),
    (b"what is HTTP?\r\n\r\n", ""),
    (b"", ""),
    (b"HTTP/1.1 200 OK\r\n" + b"X: " + b"y" * 1_000_000 + b"\r\n\r\n", ""),
    (b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 1000 + b"\r\n", ""),
]


@pytest.mark.parametrize(("said", "reason"), BAD_ANSWERS)
def test_answers_that_are_none(
    said: bytes,
    reason: str,
    place: Any,
    read: Read,
    write: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with answering(said) as (url, _):
        assert reason in kept(place, read, write, url, caplog)


@pytest.mark.parametrize(
    ("said", "forever"),
    [
        (b"", b""),
        (b"HTTP/1.1 200 OK\r\n", b"X"),  # a byte of a header now and then
        (b"HTTP/1.1 200 OK\r\n\r\n", b"x"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n", b""),
    ],
)
def test_a_server_that_takes_its_time(
    said: bytes,
    forever: bytes,
    place: Any,
    read: Read,
    write: Any,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with answering(said, forever=forever, silent=True) as (url, _):
        start = time.monotonic()
        reason = kept(place, read, write, url, caplog, transfer_timeout=0.5)
        assert "did not answer in full in time (0.5 s)" in reason
        assert time.monotonic() - start < 5


def test_an_endless_answer(
    place: Any, read: Read, write: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with answering(b"HTTP/1.1 200 OK\r\n\r\n", forever=b"x" * 65536) as (url, _):
        reason = kept(place, read, write, url, caplog, fetch_limit=1_000_000)
    assert "larger than 1000000 bytes" in reason


def test_redirects_lead_on_but_not_in_circles(
    server: UploadServer, place: Any, read: Read, write: Any, caplog: pytest.LogCaptureFixture
) -> None:
    write(BODY)
    (message_url,) = [
        f"{server.url}/msg/{uuid}"
        for uuid, upload in list(server.uploads.items())[-1:]
        if upload.message == BODY
    ]
    with answering(answer("302 Found", b"", f"Location: {message_url}")) as (url, _):
        place(url)
        assert [message for message, _ in read()] == [Blob(BODY)] * 2
    with answering(answer("302 Found", b"", "Location: /again")) as (url, asked):
        place(url)
        assert "302" in str(read()[-1][0].reason)
        assert len(asked) == 6
    for target in ("file:///etc/passwd", "http://[", "gopher://x"):
        with answering(answer("301 Moved", b"", f"Location: {target}")) as (url, _):
            place(url)
            assert "address" in str(read()[-1][0].reason)


def test_a_placeholder_for_a_placeholder(
    server: UploadServer, place: Any, read: Read, write: Any, caplog: pytest.LogCaptureFixture
) -> None:
    import bson

    document = {
        "message": b'{"url": "http://127.0.0.1:1"}',
        "metadata": {"headers": [["_format", b"external"]], "timestamp": 5},
    }
    with answering(answer("200 OK", bson.encode(document))) as (url, _):
        assert "points to another" in kept(place, read, write, url, caplog)


def test_a_large_message_that_does_not_decode(
    place: Any, read: Read, caplog: pytest.LogCaptureFixture
) -> None:
    import bson

    document = {
        "message": b"{",
        "metadata": {"headers": [["_format", b"json"]], "timestamp": 5, "key": b"k"},
    }
    with answering(answer("200 OK", bson.encode(document))) as (url, _):
        place(url)
        ((message, metadata),) = read()
    assert type(message) is Blob
    assert message.declared_format == "json"
    assert (metadata.timestamp, metadata.key, metadata.offset) == (5, b"k", 0)
    assert [record.getMessage()[:20] for record in caplog.records] == ["message 0 of partiti"]


@pytest.mark.parametrize(
    "document",
    [
        {"message": "text", "metadata": {"headers": [], "timestamp": 5}},
        {"metadata": {"headers": [], "timestamp": 5}},
        {"message": b"", "metadata": {"headers": {}, "timestamp": 5}},
        {"message": b"", "metadata": {"headers": [["a"]], "timestamp": 5}},
        {"message": b"", "metadata": {"headers": [[1, b""]], "timestamp": 5}},
        {"message": b"", "metadata": {"headers": [["a", 1]], "timestamp": 5}},
        {"message": b"", "metadata": {"headers": [], "timestamp": "now"}},
        {"message": b"", "metadata": {"headers": [], "timestamp": 5, "key": 1}},
        {"message": b"", "metadata": []},
        {"message": b""},
    ],
)
def test_documents_that_are_no_message(
    document: Any, place: Any, read: Read, write: Any, caplog: pytest.LogCaptureFixture
) -> None:
    import bson

    with answering(answer("200 OK", bson.encode(document))) as (url, _):
        assert "is no large message: it" in kept(place, read, write, url, caplog)


# Writing to a service that is not as it should be


@pytest.mark.parametrize(
    ("said", "reason", "again"),
    [
        (answer("500 Oops"), "500", True),
        (answer("503 Later"), "503", True),
        (answer("400 No"), "400", False),
        (answer("302 Found", b"", "Location: http://127.0.0.1:1/"), "302", False),
        (b"", "", True),
    ],
)
def test_an_upload_that_fails(said: bytes, reason: str, again: bool) -> None:
    with memory_broker({"t": 1, "sys.metadata": 1}) as broker, answering(said) as (url, _):
        announce(broker, f'{{"LargeMessageUploadEndpoint": "{url}"}}'.encode())
        with Stream(auth=False).open(broker.url("t"), "w", idempotent=False) as stream:
            with pytest.raises(DeliveryError, match=rf"not uploaded: .*{reason}") as caught:
                stream.write(BODY)
            stream.write(b"the stream goes on")
        code = caught.value.args[0].code()
        assert (code == confluent_kafka.KafkaError._TRANSPORT) == again
        assert [body for body, _ in raw(broker, "t")] == [b"the stream goes on"]


def test_an_upload_that_takes_too_long() -> None:
    with memory_broker({"t": 1, "sys.metadata": 1}) as broker, answering(silent=True) as (url, _):
        announce(broker, f'{{"LargeMessageUploadEndpoint": "{url}"}}'.encode())
        with (
            Stream(auth=False).open(
                broker.url("t"), "w", idempotent=False, transfer_timeout=0.5
            ) as stream,
            pytest.raises(DeliveryError, match=r"in time \(0.5 s\)"),
        ):
            stream.write(BODY)


# asyncio


def test_asyncio_writes_and_reads_them(broker: MemoryBroker, topic: str) -> None:
    async def main() -> list[Any]:
        stream = Stream(auth=False, start_at=StartPosition.EARLIEST, until_eos=True)
        async with stream.open_async(broker.url(topic), "w", idempotent=False) as producer:
            await producer.write(BODY, {"a": "b"}, key="k")
            await producer.write({"small": 1})
        async with stream.open_async(broker.url(topic)) as consumer:
            return [item async for item in consumer.read(metadata=True)]

    (large, metadata), (small, _) = asyncio.run(main())
    assert large == Blob(BODY)
    assert dict(metadata.headers)["a"] == b"b"
    assert small == JSONBlob({"small": 1})


def test_asyncio_goes_on_while_one_is_fetched(broker: MemoryBroker, topic: str, place: Any) -> None:
    async def main(url: str) -> tuple[int, Any]:
        place(url)
        ticks = 0
        stream = Stream(auth=False, start_at=StartPosition.EARLIEST, until_eos=True)
        async with stream.open_async(broker.url(topic), transfer_timeout=1.0) as consumer:
            reading = asyncio.ensure_future(anext(aiter(consumer)))
            while not reading.done():
                ticks += 1
                await asyncio.sleep(0.01)
            return ticks, await reading

    with answering(silent=True) as (url, _):
        ticks, message = asyncio.run(main(url))
    assert ticks > 30
    assert type(message) is ExternalMessage


def test_asyncio_cancelled_while_one_is_fetched_loses_nothing(
    broker: MemoryBroker, topic: str, place: Any, write: Any
) -> None:
    async def main(url: str) -> list[Any]:
        place(url)
        write(b"next")
        stream = Stream(auth=False, start_at=StartPosition.EARLIEST, until_eos=True)
        async with stream.open_async(broker.url(topic), transfer_timeout=1.0) as consumer:
            with pytest.raises(asyncio.TimeoutError):
                await asyncio.wait_for(anext(aiter(consumer)), 0.5)
            return [message async for message in consumer]

    with answering(silent=True) as (url, asked):
        first, second = asyncio.run(main(url))
    assert type(first) is ExternalMessage
    assert second == Blob(b"next")
    assert len(asked) == 1


# Without the extra


@pytest.mark.parametrize("missing", ["urllib3", "scramp"])
def test_without_the_libraries_it_says_what_to_install(
    missing: str, broker: MemoryBroker, server: UploadServer, topic: str, write: Any
) -> None:
    write(BODY)
    program = f"""
import sys
sys.modules[{missing!r}] = None  # as where it is not installed
from hop.io import DeliveryError, Stream
stream = Stream(auth=False, start_at=-1, until_eos=True)
with stream.open({broker.url(topic)!r}) as s:
    for message in s:
        print(type(message).__name__, message.reason)
with stream.open({broker.url(topic)!r}, "w") as s:
    s.write("small")
    try:
        s.write(b"x" * 2_000_000)
    except DeliveryError as exc:
        print(exc)
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    read, written = done.stdout.splitlines()
    assert read.startswith("ExternalMessage ")
    assert read.endswith("pip install 'hop-io[offload]'")
    assert "not uploaded" in written
    assert written.endswith("pip install 'hop-io[offload]'")
    assert done.stderr.count("was not fetched") == 1


def test_ordinary_streams_load_no_libraries_for_it(broker: MemoryBroker, topic: str) -> None:
    program = f"""
import sys
from hop.io import Stream
stream = Stream(auth=False, start_at=-1, until_eos=True)
with stream.open({broker.url(topic)!r}, "w") as s:
    s.write("small")
with stream.open({broker.url(topic)!r}) as s:
    print(*s)
print([name for name in ("urllib3", "scramp", "tomli", "http.client") if name in sys.modules])
"""
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.stdout.splitlines() == ['"small"', "[]"]
