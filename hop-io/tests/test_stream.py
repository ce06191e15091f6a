"""`Stream`, `list_topics`, `Deserializer`, and the names that the package exports."""

from __future__ import annotations

import socket
import threading
import time
from pathlib import Path
from typing import Any

import pytest

import hop.io
from hop.auth import Auth
from hop.io import (
    ConnectError,
    Consumer,
    DeliveryError,
    Deserializer,
    Producer,
    StartPosition,
    Stream,
    StreamClosedError,
    StreamError,
    list_topics,
    raise_delivery_errors,
)
from hop.models import Blob, JSONBlob
from hop.sandbox import MemoryBroker, memory_broker


def test_the_exported_names() -> None:
    assert sorted(hop.io.__all__) == [
        "ALWAYS_FITS",
        "AuthenticationError",
        "AuthorizationError",
        "ConnectError",
        "Consumer",
        "DeliveryError",
        "Deserializer",
        "ForkedStreamError",
        "KafkaURL",
        "Metadata",
        "Producer",
        "StartPosition",
        "Stream",
        "StreamClosedError",
        "StreamError",
        "UnknownTopicError",
        "credential_for",
        "librdkafka_options",
        "list_topics",
        "parse_url",
        "raise_delivery_errors",
        "stream",
    ]
    for name in hop.io.__all__:
        assert getattr(hop.io, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        hop.io.nothing  # noqa: B018


def test_the_mode_decides_what_is_opened(url: str) -> None:
    stream = Stream(auth=False)
    with stream.open(url) as reading, stream.open(url, "w") as writing:
        assert isinstance(reading, Consumer)
        assert isinstance(writing, Producer)


@pytest.mark.parametrize(
    ("target", "mode", "reason"),
    [
        ("kafka://h/t", "x", "mode is 'x'"),
        ("kafka://h/a,b", "w", "more than one topic"),
        ("kafka://h1,h2/t", "r", "more than one broker"),
        ("kafka://h1,h2/t", "w", "more than one broker"),
        ("kafka://h/", "r", "it names no topic"),
        ("http://h/t", "r", "does not start with 'kafka://'"),
    ],
)
def test_what_open_refuses_is_a_value_error(target: str, mode: Any, reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        Stream(auth=False).open(target, mode)


def test_auth_is_a_list_or_false() -> None:
    alice, bob = Auth("alice", "secret"), Auth("bob", "secret")
    assert Stream(auth=alice).auth == [alice]
    assert Stream(auth=[alice, bob]).auth == [alice, bob]
    assert not Stream(auth=False).auth


def test_who_asks_for_authentication_does_not_go_without(
    url: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name in ("HOP_USERNAME", "HOP_PASSWORD", "HOP_HOST", "HOP_CREDENTIALS_FILE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    with pytest.raises(FileNotFoundError, match="hop auth add"):
        Stream().open(url)
    store = tmp_path / "hop" / "auth.toml"
    store.parent.mkdir(mode=0o700)
    store.touch(0o600)
    for auth in (True, []):
        with pytest.raises(RuntimeError, match="hop auth add"):
            Stream(auth=auth).open(url)
        with pytest.raises(RuntimeError, match="hop auth add"):
            list_topics(url, auth=auth)


@pytest.mark.parametrize("mode", ["r", "w"])
def test_why_there_is_no_token_is_told(url: str, mode: Any) -> None:
    auth = Auth("alice", "", method="OAUTHBEARER", ssl=False, token_command="echo sorry >&2; false")
    with pytest.raises(RuntimeError, match="sorry"):
        Stream(auth=auth).open(url, mode)


def test_a_stream_can_be_subclassed(url: str) -> None:
    class Client(Stream):
        def __init__(self) -> None:
            super().__init__(auth=False, until_eos=True)

    with Client().open(url) as s:
        assert list(s) == []


def test_options_that_nobody_knows_are_ignored(url: str) -> None:
    with Stream(auth=False).open(url, until_eos=True, something_old=1) as s:
        assert list(s) == []


def test_topics_are_listed(hop_broker: MemoryBroker, hop_topic: str) -> None:
    topics = list_topics(hop_broker.url(), auth=False)
    assert len(topics[hop_topic].partitions) == 1
    assert list(list_topics(hop_broker.url(hop_topic, "nowhere"), auth=False)) == [hop_topic]
    assert "nowhere" not in list_topics(hop_broker.url(), auth=False)


def test_listing_topics_of_a_broker_that_is_not_there() -> None:
    start = time.monotonic()
    with pytest.raises(ConnectError, match="Connection refused"):
        list_topics("kafka://127.0.0.1:9/", auth=False, timeout=1)
    assert time.monotonic() - start < 8


def test_deserializer_is_an_enumeration_of_the_formats(tmp_path: Path) -> None:
    assert {"AVRO", "BLOB", "CIRCULAR", "JSON", "VOEVENT"} <= set(Deserializer.__members__)
    path = tmp_path / "one.json"
    path.write_text('{"a": 1}')
    assert Deserializer["JSON"].load_file(path) == JSONBlob({"a": 1})
    assert Deserializer["JSON"].load("[1]") == JSONBlob([1])
    assert Deserializer["BLOB"].deserialize(b"x") == Blob(b"x")
    assert str(Deserializer["JSON"]) == "Deserializer.JSON"


def test_start_position_as_text() -> None:
    assert [str(position) for position in StartPosition] == ["earliest", "latest"]


def test_what_answers_and_is_no_broker_is_told() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            with server.accept()[0] as client:
                client.recv(1000)
                client.sendall(b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\n\r\n")

        answering = threading.Thread(target=answer)
        answering.start()
        url = f"kafka://127.0.0.1:{server.getsockname()[1]}/gcn"
        with pytest.raises(ConnectError, match="is no Kafka broker"):
            Stream(auth=False).open(url, timeout=2)
        answering.join()


def test_a_file_of_certificates_that_is_not_there_is_named(url: str, tmp_path: Path) -> None:
    auth = Auth("lhoward", "secret", ssl_ca_location=str(tmp_path / "none.pem"))
    with pytest.raises(StreamError, match=r"none\.pem.*ssl_ca_location") as raised:
        Stream(auth=auth).open(url)
    assert "secret" not in str(raised.value)


def test_what_can_never_be_sent_is_refused_at_once(url: str) -> None:
    with Stream(auth=False).open(url, "w") as stream, pytest.raises(DeliveryError, match="size"):
        stream.write(b"x" * 2_000_000)


def test_messages_are_accounted_for_when_the_broker_goes_away() -> None:
    with memory_broker(["gcn"]) as broker:
        stream = Stream(auth=False).open(broker.url("gcn"), "w")
        stream.write("delivered")
        assert stream.flush(10) == 0
    stream.write("lost")
    stream.write("lost, too")
    assert stream.flush(0.2) == 2
    assert stream.close(0.2) == 2
    with pytest.raises(StreamClosedError):
        stream.write("never")


def test_the_next_call_raises_what_was_given_up() -> None:
    with memory_broker(["gcn"]) as broker:
        stream = Stream(auth=False).open(
            broker.url("gcn"), "w", **{"message.timeout.ms": 300, "linger.ms": 0}
        )
    stream.write("given up")
    stream.write("given up, too")
    with pytest.raises(DeliveryError, match="2 messages were not delivered to gcn"):
        stream.flush(10)
    assert stream.close() == 0


def test_an_exception_in_the_block_goes_on_and_what_was_written_is_delivered(
    url: str, read: Any
) -> None:
    with pytest.raises(ZeroDivisionError), Stream(auth=False).open(url, "w") as stream:
        stream.write("written")
        1 / 0  # noqa: B018
    assert [message.content for message in read()] == ["written"]


def test_a_full_queue_waits_instead_of_failing(url: str, read: Any) -> None:
    with Stream(auth=False).open(url, "w", **{"queue.buffering.max.messages": 10}) as stream:
        for number in range(200):
            stream.write(number)
    assert len(read()) == 200


def test_one_producer_may_be_used_by_many_threads(url: str, read: Any) -> None:
    with Stream(auth=False).open(url, "w") as stream:

        def work(start: int) -> None:
            for number in range(start, start + 500):
                stream.write(number)

        threads = [threading.Thread(target=work, args=[n * 500]) for n in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sorted(message.content for message in read()) == list(range(2000))


def test_the_default_callback_called_by_hand() -> None:
    from confluent_kafka import KafkaError, Message

    message = Message()
    raise_delivery_errors(None, message)
    with pytest.raises(DeliveryError):
        raise_delivery_errors(KafkaError(KafkaError._MSG_TIMED_OUT), message)
