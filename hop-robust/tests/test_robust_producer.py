"""What a program that publishes robustly sees, and what arrives at the broker."""

from __future__ import annotations

import signal
import socket
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from hop.robust_publisher import PublicationJournal, PublisherError, RobustProducer
from hop.sandbox import MemoryBroker

Read = Callable[..., list[Any]]
Run = Callable[..., "subprocess.Popen[str]"]

WRITE_UNTIL_KILLED = """
import sys
from hop.robust_publisher import RobustProducer
url, path, first = sys.argv[1:]
with RobustProducer(url, auth=False, journal_path=path) as publisher:
    number = int(first)
    while True:
        publisher.write({"number": number})
        print(number, flush=True)
        number += 1
"""


@pytest.fixture
def closed_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port: int = s.getsockname()[1]
        return port


def test_what_is_written_arrives_in_order(url: str, journal_path: Path, read: Read) -> None:
    with RobustProducer(url, auth=False, journal_path=journal_path) as publisher:
        for number in range(1000):
            publisher.write({"number": number}, {"observatory": "HAWC"}, key=b"k")
    messages = read()
    assert [content["number"] for content, _ in messages] == list(range(1000))
    metadata = messages[0][1]
    assert metadata.key == b"k"
    assert ("observatory", b"HAWC") in metadata.headers
    assert len({dict(metadata.headers)["_id"] for _, metadata in messages}) == 1000


def test_start_and_stop(url: str, journal_path: Path, read: Read) -> None:
    publisher = RobustProducer(url, auth=False, journal_path=journal_path)
    publisher.start()
    publisher.write(b"an alert")
    publisher.stop()
    assert [content for content, _ in read()] == [b"an alert"]


def test_writing_before_the_start_or_after_the_end_raises(url: str, journal_path: Path) -> None:
    publisher = RobustProducer(url, auth=False, journal_path=journal_path)
    with pytest.raises(PublisherError, match=r"call start\(\) first"):
        publisher.write("too early")
    publisher.start()
    publisher.stop()
    with pytest.raises(PublisherError, match="has been stopped"):
        publisher.write("too late")


def test_a_message_of_a_kind_that_cannot_be_sent(url: str, journal_path: Path, read: Read) -> None:
    with RobustProducer(url, auth=False, journal_path=journal_path) as publisher:
        with pytest.raises(TypeError):
            publisher.write(object())
        with pytest.raises(ValueError, match="reserved"):
            publisher.write("a", {"_id": "mine"})
        publisher.write("the next one")
    assert [content for content, _ in read()] == ["the next one"]


def test_what_the_journal_holds_is_sent_at_the_next_start(
    url: str, journal_path: Path, read: Read
) -> None:
    with PublicationJournal(journal_path) as journal:
        journal.queue_message(b"from before", [("_id", b"0123456789abcdef"), ("_format", b"blob")])
    with RobustProducer(url, auth=False, journal_path=journal_path) as publisher:
        publisher.write(b"now")
    messages = read()
    assert [content for content, _ in messages] == [b"from before", b"now"]
    assert dict(messages[0][1].headers)["_id"] == b"0123456789abcdef"


def test_killed_again_and_again_it_loses_nothing(
    url: str, journal_path: Path, read: Read, run: Run
) -> None:
    accepted: set[int] = set()
    first = 0
    for lines in (1, 20, 300):
        process = run(WRITE_UNTIL_KILLED, url, journal_path, first)
        assert process.stdout is not None
        for _ in range(lines):
            accepted.add(int(process.stdout.readline()))
        process.send_signal(signal.SIGKILL)
        rest = process.stdout.read().split("\n")
        # The last line may have been cut.
        accepted.update(int(line) for line in rest[:-1])
        process.wait()
        first = max(accepted) + 2
    with RobustProducer(url, auth=False, journal_path=journal_path):
        pass
    ids: dict[int, set[bytes]] = {}
    for content, metadata in read():
        ids.setdefault(content["number"], set()).add(dict(metadata.headers)["_id"])
    assert accepted <= set(ids)
    assert all(len(same) == 1 for same in ids.values())


def test_it_opens_and_accepts_without_a_broker(
    closed_port: int,
    journal_path: Path,
    run: Run,
    hop_broker: MemoryBroker,
    hop_topic: str,
    read: Read,
) -> None:
    process = run(
        WRITE_UNTIL_KILLED, f"kafka://127.0.0.1:{closed_port}/{hop_topic}", journal_path, 0
    )
    assert process.stdout is not None
    for number in range(100):
        assert int(process.stdout.readline()) == number
    process.kill()
    process.wait()
    with RobustProducer(hop_broker.url(hop_topic), auth=False, journal_path=journal_path):
        pass
    assert [content["number"] for content, _ in read()][:100] == list(range(100))
