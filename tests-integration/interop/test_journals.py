"""Journals that one left behind, sent by the other."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from interop.releases import Release
from interop.results import Results
from interop.samples import NOT_THERE, YES
from interop.sides import Side

from hop.sandbox import KafkaBroker

TABLE = "journals"
COUNT = 5


@pytest.fixture
def url(hop_kafka: KafkaBroker, hop_kafka_topic: str) -> str:
    return hop_kafka.url(hop_kafka_topic)


def leave_journal(side: Side, broker: KafkaBroker, url: str, path: Path) -> None:
    """Have a side write to a broker that does not answer any more, and kill it with `kill -9`."""
    spec = {"url": url, "path": str(path), "steps": [1, COUNT]}
    try:
        with side.running("journal", spec) as publisher:
            assert publisher.hear() == "written"
            until_sent(path)
            broker.pause()
            publisher.say()
            assert publisher.hear() == "written"
    finally:
        broker.resume()
    assert path.stat().st_size > 0


def until_sent(path: Path) -> None:
    """Wait until a journal is empty, which all do when everything has been sent."""
    deadline = time.monotonic() + 30
    while path.stat().st_size:
        assert time.monotonic() < deadline, "the first message was not sent"
        time.sleep(0.05)


def send_rest(side: Side, url: str, path: Path) -> None:
    """Start a publisher with a journal that is there, and stop it when all has been sent."""
    with side.running("journal", {"url": url, "path": str(path), "steps": [0]}) as publisher:
        assert publisher.hear() == "written"
        publisher.say()
        assert publisher.hear() == "stopped"
        assert publisher.ended() == 0


def read(side: Side, url: str) -> list[dict[str, Any]]:
    (answer,) = side.peer("read", [{"url": url}])
    messages: list[dict[str, Any]] = answer["result"]
    return messages


def identity(message: dict[str, Any]) -> Any:
    return dict(message["headers"])["_id"]["base64"]


def test_ours_sends_what_theirs_left(
    theirs: Side,
    ours: Side,
    release: Release,
    hop_kafka: KafkaBroker,
    url: str,
    tmp_path: Path,
    results: Results,
) -> None:
    row = "journal left by it, sent by hop 1"
    path = tmp_path / "publisher.journal"
    if release.number < (0, 6):
        results.record(TABLE, row, release.version, NOT_THERE)
        return
    if release.version == "0.8.0":
        # Its publisher fails with any credential and without one.
        bodies = [{"number": number} for number in range(COUNT)]
        assert theirs.peer("queue", [{"path": str(path), "messages": bodies}]) == [{"result": None}]
    else:
        leave_journal(theirs, hop_kafka, url, path)
    left = path.read_bytes()
    send_rest(ours, url, path)
    assert path.stat().st_size == 0
    assert path.with_name("publisher.journal.migrated").read_bytes() == left
    messages = read(ours, url)
    assert [message["content"] for message in messages][-COUNT:] == [
        {"number": number} for number in range(COUNT)
    ]
    cell = "yes [5]"
    if release.version != "0.8.0":
        assert all(
            ["step", {"base64": "NQ=="}] in message["headers"] for message in messages[-COUNT:]
        )
        # Whatever reached the broker before the kill comes twice, and is known by its identity.
        assert len({identity(message) for message in messages}) == 1 + COUNT
        cell = YES
    results.record(TABLE, row, release.version, cell)


def test_theirs_refuses_what_ours_left_and_harms_nothing(
    theirs: Side,
    ours: Side,
    release: Release,
    hop_kafka: KafkaBroker,
    url: str,
    tmp_path: Path,
    results: Results,
) -> None:
    """The way back: let ours send what is in its journal, and theirs starts with what remains, an empty file."""
    row = "journal left by hop 1"
    if release.number < (0, 9):
        results.record(TABLE, row, release.version, NOT_THERE)
        return
    path = tmp_path / "publisher.journal"
    leave_journal(ours, hop_kafka, url, path)
    left = path.read_bytes()
    with theirs.running("journal", {"url": url, "path": str(path), "steps": [0]}) as refused:
        assert refused.hear() == ""
        assert refused.ended() == 1
    assert path.read_bytes() == left
    send_rest(ours, url, path)
    assert len({identity(message) for message in read(ours, url)}) == 1 + COUNT
    send_rest(theirs, url, path)
    assert len({identity(message) for message in read(ours, url)}) == 1 + COUNT
    results.record(TABLE, row, release.version, "refused, unharmed [6]")
