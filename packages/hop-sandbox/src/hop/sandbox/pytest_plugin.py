"""Fixtures for tests that talk to a real broker over a real socket."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING
from uuid import uuid4

import pytest

if TYPE_CHECKING:
    from hop.sandbox import MemoryBroker


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
    test = re.sub(r"[^A-Za-z0-9._-]+", "-", request.node.name)[:200]
    topic = f"{test}-{uuid4().hex[:8]}"
    hop_broker.create_topic(topic)
    return topic
