"""Journals that earlier releases of hop-client wrote."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest

from hop.robust_publisher import JournalCorruptError, PublicationJournal

ID = bytes(range(16))


def record(kind: int, body: bytes) -> bytes:
    head = struct.pack(">QQI", kind, len(body), crc32(body))
    return head + struct.pack(">I", crc32(head)) + body


def text(value: bytes) -> bytes:
    return struct.pack(">Q", len(value)) + value


def headers(*pairs: tuple[bytes, bytes]) -> bytes:
    return struct.pack(">Q", len(pairs)) + b"".join(text(n) + text(v) for n, v in pairs)


def message(sequence: int, body: bytes, *pairs: tuple[bytes, bytes]) -> bytes:
    return record(0, struct.pack(">Q", sequence) + text(body) + headers(*pairs))


def topic_message(
    sequence: int, topic: bytes, body: bytes, key: bytes, *pairs: tuple[bytes, bytes]
) -> bytes:
    start = struct.pack(">Q", sequence) + text(topic) + text(body) + text(key)
    return record(2, start + headers(*pairs))


def sent(sequence: int) -> bytes:
    return record(1, struct.pack(">Q", sequence))


JOURNAL = [
    message(1, b"one", (b"_id", ID), (b"_format", b"blob")),
    message(2, b"two"),
    sent(1),
    topic_message(3, b"gcn", b"three", b"key", (b"_id", ID)),
    topic_message(4, b"gcn", b"", b""),
]
LEFT = [
    (b"two", [], None, None),
    (b"three", [("_id", ID)], "gcn", b"key"),
    (b"", [], "gcn", None),
]


def left(path: Path, **options: Any) -> list[tuple[Any, ...]]:
    found = []
    with PublicationJournal(path, **options) as journal:
        while (entry := journal.get_next_message_to_send()) is not None:
            found.append((entry.message, entry.headers, entry.topic, entry.key))
    return found


def migrated(path: Path) -> Path:
    return path.with_name(path.name + ".migrated")


def test_what_was_not_sent_is_taken_over(journal_path: Path) -> None:
    journal_path.write_bytes(b"".join(JOURNAL))
    for _ in range(2):
        assert left(journal_path) == LEFT
    assert migrated(journal_path).read_bytes() == b"".join(JOURNAL)
    assert journal_path.read_bytes()[:2] != bytes(2)


def test_one_in_which_everything_was_sent(journal_path: Path) -> None:
    journal_path.write_bytes(message(1, b"one") + sent(1))
    assert left(journal_path) == []


def test_cut_anywhere_it_gives_what_is_complete(journal_path: Path) -> None:
    content = message(1, b"one") + message(2, b"two")
    first = len(message(1, b"one"))
    for size in range(first, len(content)):
        for file in journal_path.parent.glob("publisher.journal*"):
            file.unlink()
        journal_path.write_bytes(content[:size])
        assert left(journal_path, on_corruption="raise") == [(b"one", [], None, None)], size


def test_any_damage_costs_one_record(journal_path: Path) -> None:
    for hit in (0, 1, 3):
        for place in range(0, len(JOURNAL[hit]), 3):
            damaged = bytearray(JOURNAL[hit])
            damaged[place] ^= 1 << place % 8
            parts = [*JOURNAL[:hit], bytes(damaged), *JOURNAL[hit + 1 :]]
            for file in journal_path.parent.glob("publisher.journal*"):
                file.unlink()
            journal_path.write_bytes(b"".join(parts))
            expected = {0: LEFT, 1: LEFT[1:], 3: [LEFT[0], LEFT[2]]}[hit]
            assert left(journal_path) == expected, (hit, place)
            assert list(journal_path.parent.glob("*.bad")), (hit, place)


def test_damage_can_be_an_error(journal_path: Path) -> None:
    damaged = bytearray(b"".join(JOURNAL))
    damaged[len(JOURNAL[0]) + 30] ^= 1
    journal_path.write_bytes(damaged)
    with pytest.raises(JournalCorruptError, match="an earlier release wrote"):
        PublicationJournal(journal_path, on_corruption="raise")
    assert journal_path.read_bytes() == damaged


def test_interrupted_while_writing_the_new_one(journal_path: Path) -> None:
    journal_path.write_bytes(b"".join(JOURNAL))
    journal_path.with_name("publisher.journal.new").write_bytes(b"half a fi")
    assert left(journal_path) == LEFT
    assert not journal_path.with_name("publisher.journal.new").exists()


def test_interrupted_before_the_new_one_has_its_name(journal_path: Path) -> None:
    journal_path.write_bytes(b"".join(JOURNAL))
    assert left(journal_path) == LEFT
    journal_path.rename(journal_path.with_name("publisher.journal.new"))
    assert left(journal_path) == LEFT


def test_a_second_one_does_not_replace_the_first_that_was_put_aside(journal_path: Path) -> None:
    for number in (b"one", b"two"):
        for file in (journal_path, migrated(journal_path)):
            if file == journal_path or number == b"one":
                file.unlink(missing_ok=True)
        journal_path.write_bytes(message(1, number))
        assert left(journal_path) == [(number, [], None, None)]
    assert migrated(journal_path).read_bytes() == message(1, b"one")
    assert journal_path.with_name("publisher.journal.migrated-2").read_bytes() == message(1, b"two")


def test_a_message_that_makes_no_sense(
    journal_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    odd = record(0, struct.pack(">QQ", 1, 5) + b"short")
    journal_path.write_bytes(odd + message(2, b"two"))
    assert left(journal_path) == [(b"two", [], None, None)]
    assert "message 1 of the journal" in caplog.text


def test_a_large_one(journal_path: Path) -> None:
    number = 3000
    journal_path.write_bytes(b"".join(message(n, bytes(1000)) for n in range(number)))
    assert len(left(journal_path)) == number
    assert journal_path.stat().st_size < number * 1100
