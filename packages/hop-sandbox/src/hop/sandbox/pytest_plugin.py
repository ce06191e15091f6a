"""Fixtures for tests that talk to a real broker over a real socket."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, cast
from uuid import uuid4

import pytest

if TYPE_CHECKING:
    from hop.sandbox import KafkaBroker, MemoryBroker

_KAFKA = "hop_kafka"
_BROKER_KEY = pytest.StashKey["KafkaBroker"]()
# How long each broker's log was when the test began.
_LOG_SIZES_KEY = pytest.StashKey[dict[int, int]]()


@pytest.fixture(scope="session")
def hop_broker() -> Iterator[MemoryBroker]:
    """A memory broker, one for the whole test session."""
    # Only a session that asks for a broker loads confluent-kafka.
    from hop.sandbox import memory_broker

    with memory_broker() as broker:
        yield broker


@pytest.fixture
def hop_topic(hop_broker: MemoryBroker, request: pytest.FixtureRequest) -> str:
    """The name of an empty topic with one partition on `hop_broker`, for this test only."""
    topic = _topic_name(request)
    hop_broker.create_topic(topic)
    return topic


@pytest.fixture(scope="session")
def hop_kafka() -> Iterator[KafkaBroker]:
    """Apache Kafka with TLS, users and permissions, one broker for the whole test session, with the user `hop`.

    The report of a test that uses it and fails shows what Kafka logged meanwhile. A fixture of the same name, which
    may start other brokers, takes its place and is treated the same.
    """
    from hop.sandbox import kafka_broker

    with kafka_broker() as broker:
        yield broker


@pytest.fixture
def hop_kafka_topic(hop_kafka: KafkaBroker, request: pytest.FixtureRequest) -> str:
    """The name of an empty topic with one partition on `hop_kafka`, for this test only, open to every user."""
    topic = _topic_name(request)
    hop_kafka.create_topic(topic)
    return topic


def _topic_name(request: pytest.FixtureRequest) -> str:
    test = re.sub(r"[^A-Za-z0-9._-]+", "-", request.node.name)[:200]
    return f"{test}-{uuid4().hex[:8]}"


@pytest.hookimpl(wrapper=True)
def pytest_fixture_setup(
    fixturedef: pytest.FixtureDef[object], request: pytest.FixtureRequest
) -> Generator[None, object, object]:
    value = yield
    if fixturedef.argname == _KAFKA:
        request.session.stash[_BROKER_KEY] = cast("KafkaBroker", value)
    return value


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    item.stash[_LOG_SIZES_KEY] = {node: log.stat().st_size for node, log in _logs(item).items()}


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed and _KAFKA in getattr(item, "fixturenames", ()):
        report.sections.extend(_kafka_sections(item, call))
    return report


def _kafka_sections(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[tuple[str, str]]:
    from hop.sandbox import KafkaStartError
    from hop.sandbox._failure import tail

    if call.excinfo is not None and isinstance(call.excinfo.value, KafkaStartError):
        yield "Kafka's log", call.excinfo.value.log
    for node, log in _logs(item).items():
        with log.open("rb") as file:
            file.seek(item.stash[_LOG_SIZES_KEY].get(node, 0))
            yield f"Kafka's log, broker {node}", tail(file.read().decode(errors="replace"))


def _logs(item: pytest.Item) -> dict[int, Path]:
    broker = item.session.stash.get(_BROKER_KEY, None)
    return {node: log for node, log in broker.logs.items() if log.exists()} if broker else {}
