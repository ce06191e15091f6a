"""What the tests of streams share. The broker is `hop_broker` of hop-sandbox, a real one over a real socket."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from hop.io import StartPosition, Stream
from hop.sandbox import MemoryBroker

Write = Callable[..., None]
Read = Callable[..., list[Any]]


@pytest.fixture
def url(hop_broker: MemoryBroker, hop_topic: str) -> str:
    """The URL of an empty topic with one partition."""
    return hop_broker.url(hop_topic)


@pytest.fixture
def write(url: str) -> Write:
    """Write messages to the test's topic, and wait until they are there."""

    def write(messages: Iterable[Any], **options: Any) -> None:
        with Stream(auth=False).open(url, "w") as stream:
            for message in messages:
                stream.write(message, **options)

    return write


@pytest.fixture
def read(url: str) -> Read:
    """Read the test's topic from its beginning to its end."""

    def read(**options: Any) -> list[Any]:
        metadata = options.pop("metadata", False)
        stream = Stream(auth=False, start_at=StartPosition.EARLIEST, until_eos=True)
        with stream.open(url, "r", **options) as s:
            return list(s.read(metadata=metadata))

    return read
