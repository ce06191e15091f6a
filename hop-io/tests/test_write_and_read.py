"""What is written is what is read, over a real broker."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from confluent_kafka import Producer as RawProducer
from confluent_kafka import TopicPartition

from hop.auth import Auth
from hop.io import Metadata, Producer, StartPosition, Stream
from hop.models import Blob, GCNCircular, JSONBlob, MessageModel, VOEvent
from hop.sandbox import MemoryBroker

Write = Callable[..., None]
Read = Callable[..., list[Any]]

CIRCULAR = GCNCircular(
    header={
        "title": "GCN CIRCULAR",
        "number": "40123",
        "subject": "S261124ab: follow-up with the Zwicky Transient Facility",
        "date": "26/11/24 17:00:00 GMT",
        "from": "Zoë Ångström at Example Observatory <zoe@example.org>",
    },
    body="We observed the field.\n\nNothing was found.\n",
)
VOEVENT = VOEvent(
    ivorn="ivo://example.org/alerts#1",
    role="test",
    What={"Param": {"name": "FAR", "value": "1e-9"}},
)


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        (CIRCULAR, CIRCULAR),
        (VOEVENT, VOEVENT),
        ({"my": "message"}, JSONBlob({"my": "message"})),
        ("a string message", JSONBlob("a string message")),
        (["some", "data", 5, 6.5, None, True], JSONBlob(["some", "data", 5, 6.5, None, True])),
        (JSONBlob({"priority": 1}), JSONBlob({"priority": 1})),
        (b"\x02Binary data\x1dMessage ends\x03", Blob(b"\x02Binary data\x1dMessage ends\x03")),
        (bytearray(b"abc"), Blob(b"abc")),
        (b"", Blob(b"")),
    ],
    ids=str,
)
def test_a_message_comes_back_as_its_model(
    write: Write, read: Read, message: Any, expected: MessageModel
) -> None:
    write([message])
    assert read() == [expected]


def test_the_order_of_a_partition_is_kept(write: Write, read: Read) -> None:
    write(range(3000))
    assert [message.content for message in read()] == list(range(3000))


def test_metadata_tells_where_a_message_came_from(write: Write, read: Read, hop_topic: str) -> None:
    write(["one", "two"], headers={"priority": "1"}, key="GRB 261124A")
    (_, first), (_, second) = read(metadata=True)
    assert isinstance(first, Metadata)
    assert (first.topic, first.partition, first.offset) == (hop_topic, 0, 0)
    assert second.offset == 1
    assert first.key == b"GRB 261124A"
    assert first.timestamp > 1_700_000_000_000
    assert first._raw.value() == b'"one"'


def test_every_message_has_the_headers_that_other_clients_rely_on(write: Write, read: Read) -> None:
    write(["x"], headers=[("sender", "test"), ("sender", b"\xff")])
    ((_, metadata),) = read(metadata=True)
    headers = metadata.headers
    assert [name for name, _ in headers] == ["_id", "_format", "sender", "sender"]
    assert uuid.UUID(bytes=headers[0][1]).version == 4
    assert headers[1:] == [("_format", b"json"), ("sender", b"test"), ("sender", b"\xff")]


def test_pack_names_the_sender_when_there_is_one() -> None:
    body, headers = Producer.pack({"a": 1}, test=True, auth=Auth("alice", "secret"))
    assert body == b'{"a": 1}'
    assert headers[1:] == [("_format", b"json"), ("_sender", b"alice"), ("_test", b"true")]
    assert Producer.pack({"a": 1})[1][0] != Producer.pack({"a": 1})[1][0]


def test_test_messages_are_passed_over_unless_asked_for(write: Write, read: Read) -> None:
    write(["real"])
    write(["test"], test=True)
    write(["real again"])
    assert [message.content for message in read()] == ["real", "real again"]
    everything = read(ignoretest=False, metadata=True)
    assert [message.content for message, _ in everything] == ["real", "test", "real again"]
    assert ("_test", b"true") in everything[1][1].headers


@pytest.mark.parametrize(
    ("headers", "error", "reason"),
    [
        ({"_id": b"mine"}, ValueError, "'_id' is reserved"),
        ([("_anything", "x")], ValueError, "'_anything' is reserved"),
        ({1: "x"}, TypeError, "1 is not text"),
        ({"x": 1}, TypeError, "'x' is 1, neither text nor bytes"),
        ({"x": None}, TypeError, "'x' is None, neither text nor bytes"),
    ],
)
def test_headers_are_checked_before_anything_is_sent(
    url: str, read: Read, headers: Any, error: type[Exception], reason: str
) -> None:
    with Stream(auth=False).open(url, "w") as stream, pytest.raises(error, match=reason):
        stream.write("x", headers=headers)
    assert read() == []


@pytest.mark.parametrize("message", [object(), {1, 2}, {"a": b"bytes"}, float])
def test_what_cannot_be_sent_is_a_type_error(url: str, read: Read, message: Any) -> None:
    with Stream(auth=False).open(url, "w") as stream, pytest.raises(TypeError):
        stream.write(message)
    assert read() == []


def test_what_does_not_decode_is_a_blob_and_reading_goes_on(
    hop_broker: MemoryBroker, hop_topic: str, read: Read, caplog: pytest.LogCaptureFixture
) -> None:
    raw = RawProducer({"bootstrap.servers": hop_broker.address})
    raw.produce(hop_topic, b"{broken", headers=[("_format", b"json")])
    raw.produce(hop_topic, b"whatever", headers=[("_format", b"donut")])
    raw.produce(hop_topic, b"whatever else", headers=[("_format", b"donut")])
    raw.produce(hop_topic, None)
    raw.produce(hop_topic, b'{"fine": true}', headers=[("_format", b"json"), ("x", None)])
    assert raw.flush(10) == 0
    messages = read()
    assert [type(message) for message in messages] == [Blob, Blob, Blob, Blob, JSONBlob]
    assert messages[0].content == b"{broken"
    assert messages[0].declared_format == "json"
    assert messages[3].content == b""
    warnings = [record.getMessage() for record in caplog.records if record.levelname == "WARNING"]
    assert sum("donut" in warning for warning in warnings) == 1
    assert any(f"message 0 of partition 0 of topic {hop_topic}" in w for w in warnings)


def test_a_pair_of_topics_is_read_together(hop_broker: MemoryBroker, hop_topic: str) -> None:
    other = f"{hop_topic}-other"
    hop_broker.create_topic(other, 3)
    with Stream(auth=False).open(hop_broker.url(), "w") as stream:
        stream.write("one", topic=hop_topic)
        for number in range(20):
            stream.write(number, topic=other)
        with pytest.raises(ValueError, match="names a topic"):
            stream.write("nowhere")
    reading = Stream(auth=False, start_at=StartPosition.EARLIEST, until_eos=True)
    with reading.open(hop_broker.url(hop_topic, other)) as s:
        read = [(message.content, about.topic) for message, about in s.read(metadata=True)]
    assert sorted(read, key=str) == sorted(
        [("one", hop_topic), *((number, other) for number in range(20))], key=str
    )


def test_a_callback_of_ones_own_is_told_of_the_delivery(url: str, hop_topic: str) -> None:
    told: list[tuple[Any, Any]] = []
    with Stream(auth=False).open(url, "w") as stream:
        stream.write("x", delivery_callback=lambda error, message: told.append((error, message)))
    ((error, message),) = told
    assert error is None
    assert (message.topic(), message.offset()) == (hop_topic, 0)


def test_flush_has_everything_delivered(url: str, read: Read) -> None:
    with Stream(auth=False).open(url, "w") as stream:
        for number in range(100):
            stream.write(number)
        assert stream.flush() == 0
        assert len(read()) == 100


def test_options_of_librdkafka_are_passed_on(url: str, read: Read) -> None:
    with Stream(auth=False).open(url, "w", **{"compression.type": "lz4"}) as stream:
        stream.write("x" * 10_000)
    assert read() == [JSONBlob("x" * 10_000)]


def test_a_position_given_to_open_wins(write: Write, url: str) -> None:
    write(["old"])
    with Stream(auth=False).open(url, start_at=StartPosition.EARLIEST, until_eos=True) as s:
        assert [message.content for message in s] == ["old"]


def committed(broker: MemoryBroker, group: str, topic: str) -> int:
    from confluent_kafka import Consumer

    consumer = Consumer({"bootstrap.servers": broker.address, "group.id": group})
    (position,) = consumer.committed([TopicPartition(topic, 0)], 10)
    consumer.close()
    return int(position.offset)


def test_only_what_was_marked_done_is_committed(
    write: Write, url: str, hop_broker: MemoryBroker, hop_topic: str
) -> None:
    write(range(5))
    stream = Stream(auth=False, start_at=StartPosition.EARLIEST)
    with stream.open(url, "r", "mygroup") as s:
        for message, metadata in s.read(metadata=True, autocommit=False):
            if message.content == 2:
                break
            s.mark_done(metadata)
    assert committed(hop_broker, "mygroup", hop_topic) == 2
