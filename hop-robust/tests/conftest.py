"""What the tests share. The broker is `hop_broker` of hop-sandbox, a real one over a real socket."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hop.io import StartPosition, Stream
from hop.robust_publisher import PublicationJournal
from hop.sandbox import MemoryBroker

Read = Callable[..., list[Any]]
Run = Callable[..., "subprocess.Popen[str]"]
Fill = Callable[..., list[int]]


@pytest.fixture
def url(hop_broker: MemoryBroker, hop_topic: str) -> str:
    """The URL of an empty topic with one partition."""
    return hop_broker.url(hop_topic)


@pytest.fixture
def journal_path(tmp_path: Path) -> Path:
    return tmp_path / "publisher.journal"


@pytest.fixture
def bodies() -> list[bytes]:
    """What the messages of a journal say, unless it matters."""
    return [b"first", b"second, which is longer", b"third"]


@pytest.fixture
def fill(bodies: list[bytes]) -> Fill:
    """Write messages to a journal, and return where each record ends."""

    def write(path: Path, messages: list[bytes] = bodies) -> list[int]:
        ends: list[int] = []
        with PublicationJournal(path):
            pass
        for body in messages:
            # Closed, the file ends where the last record does.
            with PublicationJournal(path) as journal:
                journal.queue_message(body, [("h", b"v")], topic="t", key=b"k")
            ends.append(path.stat().st_size)
        return ends

    return write


@pytest.fixture
def read(hop_broker: MemoryBroker, hop_topic: str) -> Read:
    """Read the test's topic, or another, to its end: the (content, metadata) of each message."""

    def read(topic: str = hop_topic, **options: Any) -> list[Any]:
        stream = Stream(auth=False, start_at=StartPosition.EARLIEST, until_eos=True)
        with stream.open(hop_broker.url(topic), "r", **options) as s:
            return [(message.content, metadata) for message, metadata in s.read(metadata=True)]

    return read


@pytest.fixture
def run(tmp_path: Path) -> Iterator[Run]:
    """Start a Python program in a process of its own; what is still running after the test is killed."""
    processes: list[subprocess.Popen[str]] = []

    def run(program: str, *arguments: object) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", program, *map(str, arguments)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=tmp_path,
        )
        processes.append(process)
        return process

    yield run
    for process in processes:
        with process:
            process.kill()
