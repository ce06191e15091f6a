"""What a program or a test gets from `memory_broker()`."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from uuid import uuid4

import pytest
from confluent_kafka import (
    Consumer,
    KafkaError,
    KafkaException,
    Message,
    Producer,
    TopicPartition,
)
from confluent_kafka.admin import AdminClient

from hop.sandbox import Broker, MemoryBroker, SandboxError, memory_broker


def produce(address: str, topic: str, *values: bytes) -> None:
    producer = Producer({"bootstrap.servers": address})
    for value in values:
        producer.produce(topic, value, key=b"k", headers=[("h", b"v"), ("none", None)])
    assert producer.flush(10) == 0


def read(address: str, topic: str, count: int) -> list[Message]:
    consumer = Consumer({"bootstrap.servers": address, "group.id": uuid4().hex})
    consumer.assign([TopicPartition(topic, 0, 0)])
    messages = consumer.consume(count, 10)
    consumer.close()
    return messages


def partitions(address: str) -> dict[str, int]:
    topics = AdminClient({"bootstrap.servers": address}).list_topics(timeout=10).topics
    return {name: len(topic.partitions) for name, topic in topics.items()}


def closed(address: str) -> bool:
    host, _, port = address.rpartition(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) != 0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def eventually(condition: Callable[[], bool], seconds: float = 10) -> bool:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        time.sleep(0.02)
    return condition()


def test_what_is_written_is_read_with_key_and_headers() -> None:
    with memory_broker({"gcn": 1}) as broker:
        produce(broker.address, "gcn", b"one", b"two")
        messages = read(broker.address, "gcn", 2)
    assert [message.value() for message in messages] == [b"one", b"two"]
    assert messages[0].key() == b"k"
    assert messages[0].headers() == [("h", b"v"), ("none", None)]


@pytest.mark.parametrize(
    ("topics", "expected"),
    [
        ({"gcn": 3, "igwn": 1}, {"gcn": 3, "igwn": 1}),
        (["gcn", "igwn"], {"gcn": 1, "igwn": 1}),
        ("gcn", {"gcn": 1}),
        ((), {}),
    ],
)
def test_topics_are_created_with_their_partitions(
    topics: dict[str, int] | list[str] | str, expected: dict[str, int]
) -> None:
    with memory_broker(topics) as broker:
        assert partitions(broker.address) == expected


def test_a_chosen_port_is_the_one_that_clients_are_sent_to() -> None:
    port = free_port()
    with memory_broker(["gcn"], port=port) as broker:
        assert broker.address == f"127.0.0.1:{port}"
        brokers = AdminClient({"bootstrap.servers": broker.address}).list_topics(timeout=10).brokers
        assert {one.port for one in brokers.values()} == {port}
        produce(broker.address, "gcn", b"through the port")
        assert [m.value() for m in read(broker.address, "gcn", 1)] == [b"through the port"]


def test_stopping_with_clients_on_a_chosen_port_prints_nothing(
    capfd: pytest.CaptureFixture[str],
) -> None:
    with memory_broker(["gcn"], port=free_port()) as broker:
        client = Producer({"bootstrap.servers": broker.address, "log_level": 0})
        client.list_topics(timeout=10)
    assert capfd.readouterr().err == ""


def test_a_consumer_group_has_its_first_message_without_a_wait() -> None:
    with memory_broker(["gcn"]) as broker:
        produce(broker.address, "gcn", b"one")
        consumer = Consumer(
            {
                "bootstrap.servers": broker.address,
                "group.id": "shift",
                "auto.offset.reset": "earliest",
            }
        )
        consumer.subscribe(["gcn"])
        # The mock cluster's own delay for a group's first member is three seconds.
        message = consumer.poll(2)
        consumer.close()
    assert message is not None
    assert message.value() == b"one"


def test_the_url_names_the_topics() -> None:
    with memory_broker() as broker:
        assert isinstance(broker, Broker)
        assert broker.url("gcn", "igwn") == f"kafka://{broker.address}/gcn,igwn"


def test_two_brokers_side_by_side_share_nothing() -> None:
    with memory_broker(["gcn"]) as one, memory_broker(["igwn"]) as other:
        assert one.address != other.address
        assert partitions(one.address) == {"gcn": 1}
        assert partitions(other.address) == {"igwn": 1}


def test_stopping_leaves_no_port_and_may_be_repeated() -> None:
    broker = MemoryBroker()
    assert broker.running
    broker.stop()
    broker.stop()
    assert not broker.running
    assert closed(broker.address)


def test_a_stopped_broker_says_so() -> None:
    broker = MemoryBroker()
    broker.stop()
    with pytest.raises(SandboxError, match="cannot create topic 'gcn': the broker has stopped"):
        broker.create_topic("gcn")


@pytest.mark.parametrize(
    "name", ["", ".", "..", "with space", "with/slash", "x" * 250, "naïve", "new\nline"]
)
def test_a_name_that_kafka_refuses_is_refused(name: str) -> None:
    with memory_broker() as broker:
        with pytest.raises(SandboxError, match="a name has 1 to 249 letters"):
            broker.create_topic(name)
        assert partitions(broker.address) == {}


@pytest.mark.parametrize("count", [0, -1, 1001])
def test_an_impossible_number_of_partitions_is_refused(count: int) -> None:
    with memory_broker() as broker, pytest.raises(SandboxError, match=f"with {count} partitions"):
        broker.create_topic("gcn", count)


def test_a_topic_that_exists_is_refused_and_the_broker_goes_on() -> None:
    with memory_broker(["gcn"]) as broker:
        with pytest.raises(SandboxError, match="cannot create topic 'gcn': it exists"):
            broker.create_topic("gcn", 2)
        broker.create_topic("igwn", 2)
        assert partitions(broker.address) == {"gcn": 1, "igwn": 2}


def test_a_port_in_use_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SandboxError, match=rf"cannot listen on 127\.0\.0\.1:{port}: .*--port"):
            memory_broker(port=port)


@pytest.mark.parametrize("port", [-1, 65536])
def test_a_port_that_is_none_is_named(port: int) -> None:
    with pytest.raises(SandboxError, match=f"cannot listen on port {port}"):
        memory_broker(port=port)


def test_nothing_is_left_when_the_program_is_killed() -> None:
    program = (
        "import time\n"
        "from hop.sandbox import memory_broker\n"
        "print(memory_broker().address, flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True) as p:
        assert p.stdout is not None
        address = p.stdout.readline().strip()
        assert not closed(address)
        p.kill()
    assert eventually(lambda: closed(address))


def test_a_broker_that_dies_is_noticed() -> None:
    with memory_broker() as broker:
        os.kill(broker.pid, signal.SIGKILL)
        assert eventually(lambda: not broker.running)
        with pytest.raises(SandboxError):
            broker.create_topic("gcn")


def test_requests_fail_when_told_to() -> None:
    with memory_broker(["gcn"]) as broker:
        # The start and the end are two requests.
        broker.fail("ListOffsets", KafkaError.TOPIC_AUTHORIZATION_FAILED, times=2)
        client = Consumer({"bootstrap.servers": broker.address, "group.id": "g"})
        place = TopicPartition("gcn", 0)
        with pytest.raises(KafkaException):
            client.get_watermark_offsets(place, timeout=5)
        assert client.get_watermark_offsets(place, timeout=5) == (0, 0)
        client.close()
        with pytest.raises(SandboxError, match=r"'Nonsense'.* Produce,"):
            broker.fail("Nonsense", 1)
    with pytest.raises(SandboxError, match="has stopped"):
        broker.fail("Produce", 1)
