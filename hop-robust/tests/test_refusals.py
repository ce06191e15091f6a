"""What a broker refuses: nothing else is affected, and nothing is lost."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import KafkaError

from hop.io import StartPosition, Stream
from hop.robust_publisher import PublicationJournal, QueuedMessage, RobustProducer
from hop.sandbox import memory_broker

Read = Callable[..., list[Any]]


class FaultyBroker:
    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        assert process.stdout is not None
        self.address = process.stdout.readline().strip()
        for topic in ("good", "bad"):
            self.tell("topic", topic, 1)

    def tell(self, *command: Any) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        assert self._process.stdout.readline() == "done\n"

    def url(self, topic: str = "") -> str:
        return f"kafka://{self.address}/{topic}"

    def read(self, topic: str) -> list[Any]:
        stream = Stream(auth=False, start_at=StartPosition.EARLIEST, until_eos=True)
        with stream.open(self.url(topic), "r") as s:
            return [message.content for message in s]


@pytest.fixture
def broker() -> Iterator[FaultyBroker]:
    program = Path(__file__).with_name("faulty_broker.py")
    with subprocess.Popen(
        [sys.executable, str(program)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield FaultyBroker(process)
        finally:
            process.kill()


def eventually(condition: Callable[[], bool], seconds: float = 15) -> None:
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come about in time"
        time.sleep(0.02)


def test_a_message_that_is_too_large_is_put_aside_alone(
    url: str, journal_path: Path, read: Read, caplog: pytest.LogCaptureFixture
) -> None:
    refused: list[tuple[QueuedMessage, str]] = []

    def on_refused(message: QueuedMessage, reason: str) -> None:
        refused.append((message, reason))

    options: dict[str, Any] = {"message.max.bytes": 2000}
    with RobustProducer(
        url, auth=False, journal_path=journal_path, on_refused=on_refused, **options
    ) as publisher:
        for number in range(100):
            publisher.write(b"%d" % number + bytes(5000 if number == 50 else 10), key="k")
    numbers = [int(content.rstrip(b"\0")) for content, _ in read()]
    assert numbers == [number for number in range(100) if number != 50]
    [(message, reason)] = refused
    assert message.message.rstrip(b"\0") == b"50"
    assert (message.topic, message.key) == (url.rpartition("/")[2], b"k")
    assert dict(message.headers)["_format"] == b"blob"
    assert "too large" in reason.lower()
    dead = journal_path.with_name("publisher.journal.dead")
    assert message.message in dead.read_bytes()
    assert dead.stat().st_mode & 0o777 == 0o600
    assert str(dead) in caplog.text
    assert journal_path.stat().st_size == 0


def test_what_is_put_aside_is_added_to_what_was(url: str, journal_path: Path) -> None:
    options: dict[str, Any] = {"message.max.bytes": 2000}
    bodies = [b"%d" % number * 3000 for number in range(3)]
    for body in bodies:
        with RobustProducer(url, auth=False, journal_path=journal_path, **options) as publisher:
            publisher.write(body)
    dead = journal_path.with_name("publisher.journal.dead").read_bytes()
    places = [dead.find(body) for body in bodies]
    assert 0 < places[0] < places[1] < places[2]


def test_an_error_in_the_programs_own_function_does_no_harm(
    url: str, journal_path: Path, read: Read, caplog: pytest.LogCaptureFixture
) -> None:
    def on_refused(message: QueuedMessage, reason: str) -> None:
        raise KeyError("a mistake")

    options: dict[str, Any] = {"message.max.bytes": 2000}
    with RobustProducer(
        url, auth=False, journal_path=journal_path, on_refused=on_refused, **options
    ) as publisher:
        publisher.write(bytes(5000))
        publisher.write(b"fine")
    assert [content for content, _ in read()] == [b"fine"]
    assert "a mistake" in caplog.text


def test_a_refused_batch_is_sent_again_one_by_one(broker: FaultyBroker, journal_path: Path) -> None:
    refused: list[bytes] = []
    broker.tell("produce", KafkaError.MSG_SIZE_TOO_LARGE)
    with PublicationJournal(journal_path) as journal:
        for number in range(100):
            journal.queue_message(b"%d" % number, [("_format", b"blob")])
    with RobustProducer(
        broker.url("good"),
        auth=False,
        journal_path=journal_path,
        on_refused=lambda message, reason: refused.append(message.message),
    ):
        pass
    assert refused == []
    assert sorted(int(content) for content in broker.read("good")) == list(range(100))


def test_of_a_refused_batch_only_the_culprit_is_put_aside(
    broker: FaultyBroker, journal_path: Path
) -> None:
    refused: list[bytes] = []
    # First all ten together, and then the fourth alone.
    code = KafkaError.MSG_SIZE_TOO_LARGE
    broker.tell("produce", code, 0, 0, 0, code)
    with PublicationJournal(journal_path) as journal:
        for number in range(10):
            journal.queue_message(b"%d" % number, [("_format", b"blob")])
    options: dict[str, Any] = {"max.in.flight": 1}
    with RobustProducer(
        broker.url("good"),
        auth=False,
        journal_path=journal_path,
        on_refused=lambda message, reason: refused.append(message.message),
        **options,
    ):
        pass
    assert len(refused) == 1
    arrived = broker.read("good")
    assert sorted([*arrived, *refused]) == [b"%d" % number for number in range(10)]


def test_a_batch_is_refused_after_the_journal_was_emptied(
    broker: FaultyBroker, journal_path: Path
) -> None:
    publisher = RobustProducer(broker.url("good"), auth=False, journal_path=journal_path)
    publisher.start()
    for round_ in range(3):
        publisher.write_many([b"%d" % round_] * 10)
        eventually(lambda: journal_path.stat().st_size == 0)
        broker.tell("produce", KafkaError.MSG_SIZE_TOO_LARGE)
    publisher.write_many([b"3"] * 10)
    assert publisher.stop(10) == 0
    assert sorted(map(int, broker.read("good"))) == [0] * 10 + [1] * 10 + [2] * 10 + [3] * 10


@pytest.mark.parametrize("name", ["TOPIC_AUTHORIZATION_FAILED", "UNKNOWN_TOPIC_OR_PART"])
def test_a_topic_that_takes_no_messages_does_not_keep_the_others(
    broker: FaultyBroker, journal_path: Path, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    caplog.set_level(logging.WARNING, "hop.robust_publisher")
    broker.tell("metadata", "bad", getattr(KafkaError, name))
    options: dict[str, Any] = {"topic.metadata.propagation.max.ms": 500}
    with RobustProducer(
        broker.url(), auth=False, journal_path=journal_path, **options
    ) as publisher:
        for number in range(50):
            publisher.write({"n": number}, topic="bad")
            publisher.write({"n": number}, topic="good")
        eventually(lambda: len(broker.read("good")) == 50)
        eventually(lambda: "topic bad does not take messages" in caplog.text)
        for number in range(50, 60):
            publisher.write({"n": number}, topic="bad")
            publisher.write({"n": number}, topic="good")
        eventually(lambda: len(broker.read("good")) == 60)
        assert publisher.stop(0) == 60
    assert caplog.text.count("does not take messages") == 1
    # The program is started again, and after a while the topic is there.
    with RobustProducer(
        broker.url(), auth=False, journal_path=journal_path, **options
    ) as publisher:
        eventually(lambda: caplog.text.count("does not take messages") == 2)
        broker.tell("metadata", "bad", 0)
        publisher.write({"n": 60}, topic="bad")
        publisher.write({"n": 60}, topic="good")
    for topic in ("good", "bad"):
        assert [content["n"] for content in broker.read(topic)] == list(range(61))
    assert "topic bad takes messages again" in caplog.text


def test_after_a_fatal_error_a_new_producer_goes_on(
    broker: FaultyBroker, journal_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    # This broker takes what follows a request that it refused, which a real one does not: all in one.
    options: dict[str, Any] = {"linger.ms": 300}
    with RobustProducer(
        broker.url("good"), auth=False, journal_path=journal_path, **options
    ) as publisher:
        publisher.write(b"before")
        eventually(lambda: len(broker.read("good")) == 1)
        broker.tell("produce", KafkaError.OUT_OF_ORDER_SEQUENCE_NUMBER)
        publisher.write_many(b"%d" % number for number in range(100))
    assert broker.read("good") == [b"before", *(b"%d" % number for number in range(100))]
    assert "sent again over a new one" in caplog.text


def test_an_error_that_passes(broker: FaultyBroker, journal_path: Path) -> None:
    broker.tell("produce", *[KafkaError.INVALID_REQUIRED_ACKS] * 2)
    with RobustProducer(broker.url("good"), auth=False, journal_path=journal_path) as publisher:
        publisher.write(b"in the end")
    assert broker.read("good") == [b"in the end"]


def test_what_the_journal_holds_for_no_topic(
    url: str, journal_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with PublicationJournal(journal_path) as journal:
        journal.queue_message(b"to whom?")
    nowhere = url.rpartition("/")[0]
    with RobustProducer(nowhere, auth=False, journal_path=journal_path):
        pass
    assert "names a topic" in caplog.text
    assert b"to whom?" in journal_path.with_name("publisher.journal.dead").read_bytes()


def test_a_broker_that_lets_nobody_have_what_drops_duplicates(
    journal_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Without a number for the producer there is no idempotence; messages arrive in their order all the same."""
    with memory_broker(["gcn"]) as broker:
        broker.fail("InitProducerId", KafkaError.CLUSTER_AUTHORIZATION_FAILED, 10)
        with RobustProducer(broker.url("gcn"), auth=False, journal_path=journal_path) as publisher:
            for number in range(500):
                publisher.write({"n": number})
        stream = Stream(auth=False, start_at=StartPosition.EARLIEST, until_eos=True)
        with stream.open(broker.url("gcn"), "r") as s:
            assert [message.content["n"] for message in s] == list(range(500))
    assert caplog.text.count("can't go on") == 1
