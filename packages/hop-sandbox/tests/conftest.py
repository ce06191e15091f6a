"""What the tests of the Kafka broker share: clients, and how to see what is left of a broker."""

from __future__ import annotations

import os
import socket
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from uuid import uuid4

import pytest
from confluent_kafka import Consumer, KafkaException, Message, Producer

from hop.sandbox._download import kafka_jars

Config = Mapping[str, str | int]
Produce = Callable[..., list[str | None]]
Read = Callable[..., list[Message]]

# What is expected to fail need not fill the terminal.
_QUIET = {"log_level": 0}


@pytest.fixture
def produce() -> Produce:
    """Send values to a topic; the name of the error of each, None where it arrived."""

    def send(config: Config, topic: str, *values: bytes, seconds: float = 20) -> list[str | None]:
        outcomes: list[str | None] = []
        producer = Producer({**config, **_QUIET, "delivery.timeout.ms": int(seconds * 1000)})
        for value in values:
            producer.produce(
                topic,
                value,
                key=b"k",
                headers=[("h", b"v"), ("none", None)],
                on_delivery=lambda error, _: outcomes.append(error and error.name()),
            )
        producer.flush(seconds + 5)
        return outcomes

    return send


@pytest.fixture
def read() -> Read:
    """Read a topic from its beginning as a group; KafkaException where that is refused."""

    def fetch(config: Config, topic: str, count: int, group: str | None = None) -> list[Message]:
        name = group or f"{config.get('sasl.username', 'tests')}-{uuid4().hex}"
        options = {"group.id": name, "auto.offset.reset": "earliest"}
        consumer = Consumer({**config, **_QUIET, **options})
        try:
            consumer.subscribe([topic])
            messages = consumer.consume(count, 20)
        finally:
            consumer.close()
        for message in messages:
            if error := message.error():
                raise KafkaException(error)
        return messages

    return fetch


@pytest.fixture
def eventually() -> Callable[..., bool]:
    """Wait until a condition holds; whether it does."""

    def wait(condition: Callable[[], bool], seconds: float = 10) -> bool:
        end = time.monotonic() + seconds
        while not condition() and time.monotonic() < end:
            time.sleep(0.02)
        return condition()

    return wait


@pytest.fixture
def closed() -> Callable[[str], bool]:
    """Whether nobody listens at an address."""

    def refuses(address: str) -> bool:
        host, _, port = address.rpartition(":")
        with socket.socket() as probe:
            return probe.connect_ex((host, int(port))) != 0

    return refuses


@pytest.fixture
def gone() -> Callable[[int], bool]:
    """Whether there is no process of that number."""

    def is_gone(pid: int) -> bool:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        return False

    return is_gone


@pytest.fixture(scope="session")
def kafka_folder() -> Path:
    """Where the jars of Kafka are, downloaded once for all tests and the user."""
    return kafka_jars()[0].parent


@pytest.fixture
def own_cache(
    kafka_folder: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Path:
    """A cache folder for this test alone, which has Kafka, where the programs that it starts look for one."""
    cache = tmp_path_factory.mktemp("cache")
    (cache / "hop-sandbox").mkdir()
    (cache / "hop-sandbox" / kafka_folder.name).symlink_to(kafka_folder)
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    return cache / "hop-sandbox"


@pytest.fixture
def broken_java(own_cache: Path) -> Path:
    """A program that passes for Java until it is to run Kafka; the log of that is kept in `own_cache`."""
    java = own_cache / "java"
    java.write_text(
        f"""#!{sys.executable}
import sys
if sys.argv[1:] == ["-version"]:
    print('openjdk version "21.0.1"', file=sys.stderr)
else:
    print("INFO something went before")
    print("Caused by: java.lang.IllegalStateException: the moon is full")
    print("\\tat somewhere")
    sys.exit(3)
"""
    )
    java.chmod(0o755)
    return java
