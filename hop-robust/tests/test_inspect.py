"""Looking at a journal from outside, and putting back what was refused."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from zlib import crc32

import pytest

from hop.robust_publisher import (
    JournalCorruptError,
    JournalInUseError,
    JournalReport,
    PublicationJournal,
    QueuedMessage,
    inspect_journal,
    read_journal,
    read_refused,
    retry_refused,
)
from hop.robust_publisher._dead import DeadLetters

Run = Callable[..., "subprocess.Popen[str]"]
Fill = Callable[..., list[int]]


def send(journal: PublicationJournal) -> QueuedMessage:
    message = journal.get_next_message_to_send()
    assert message is not None
    journal.mark_message_sent(message.sequence)
    return message


def waiting(path: Path) -> list[bytes]:
    return [message.message for message in read_journal(path)]


def count(report: JournalReport) -> int:
    return sum(topic.messages for topic in report.waiting)


def taken(path: Path) -> list[bytes]:
    """What a publisher would send."""
    found = []
    with PublicationJournal(path) as journal:
        while (message := journal.get_next_message_to_send()) is not None:
            found.append(message.message)
    return found


def contents(folder: Path) -> dict[str, tuple[bytes, int, int]]:
    """All that can be seen of the files in a folder."""
    return {
        file.name: (file.read_bytes(), file.stat().st_mode, file.stat().st_mtime_ns)
        for file in folder.iterdir()
    }


def test_what_waits_by_topic(journal_path: Path) -> None:
    start = datetime.now(timezone.utc)
    with PublicationJournal(journal_path) as journal:
        for body, topic in ((b"sent", "a"), (b"one", "a"), (b"three", None), (b"22", "a")):
            journal.queue_message(body, topic=topic)
        send(journal)
    report = inspect_journal(journal_path)
    assert [(t.topic, t.messages, t.size) for t in report.waiting] == [("a", 2, 5), (None, 1, 5)]
    assert (report.path, report.holder, report.refused) == (journal_path, None, 0)
    assert (report.damages, report.unfinished, report.earlier_release) == ((), 0, False)
    assert (report.files, report.size) == (1, journal_path.stat().st_size)
    assert report.written is not None
    for written in (report.written, *(topic.written for topic in report.waiting)):
        assert start - timedelta(seconds=1) < written < start + timedelta(seconds=20)


def test_messages_are_as_they_were_queued(journal_path: Path) -> None:
    with PublicationJournal(journal_path) as journal:
        journal.queue_message(b"body", [("h", b"v"), ("n", None)], topic="t", key=b"")
    (message,) = read_journal(journal_path)
    assert message == (1, b"body", [("h", b"v"), ("n", None)])
    assert (message.topic, message.key) == ("t", b"")


def test_an_empty_journal(journal_path: Path, fill: Fill) -> None:
    fill(journal_path, [])
    report = inspect_journal(journal_path)
    assert (report.waiting, report.damages, report.files) == ((), (), 1)


def test_the_oldest_is_as_old_as_its_file_at_least(journal_path: Path) -> None:
    with PublicationJournal(journal_path, max_journal_bytes=1 << 20) as journal:
        for number in range(6):
            journal.queue_message(bytes(100_000), topic="old" if number < 3 else "new")
    (first, *_) = sorted(journal_path.parent.glob("*.sealed"))
    long_ago = datetime(2026, 1, 2, tzinfo=timezone.utc)
    os.utime(first, (long_ago.timestamp(), long_ago.timestamp()))
    old, new = inspect_journal(journal_path).waiting
    assert (old.topic, old.written) == ("old", long_ago)
    assert new.written > long_ago + timedelta(days=1)


@pytest.mark.parametrize("settled", [range(0), range(0, 100, 2), range(30, 70), range(99)])
def test_over_several_files_it_sees_what_a_publisher_would_send(
    journal_path: Path, settled: range
) -> None:
    with PublicationJournal(journal_path, max_journal_bytes=1 << 20) as journal:
        numbers = [journal.queue_message(b"%d " % n + bytes(5000), topic="t") for n in range(100)]
        assert [send_nothing(journal) for _ in numbers] == numbers
        for index in settled:
            journal.mark_message_sent(numbers[index])
    report = inspect_journal(journal_path)
    found = waiting(journal_path)
    assert count(report) == len(found) == 100 - len(settled)
    assert report.damages == ()
    assert report.files > 1 or len(settled) > 90
    assert found == taken(journal_path)


def send_nothing(journal: PublicationJournal) -> int:
    message = journal.get_next_message_to_send()
    assert message is not None
    return message.sequence


def test_nothing_is_changed_whatever_is_found(journal_path: Path, fill: Fill) -> None:
    ends = fill(journal_path)
    DeadLetters(journal_path).add(QueuedMessage(7, b"refused", [], "t"), "too large")
    whole = journal_path.read_bytes()
    for content in (whole, whole[:-3], whole[: ends[0] + 5] + b"x" + whole[ends[0] + 6 :]):
        journal_path.write_bytes(content)
        before = contents(journal_path.parent)
        inspect_journal(journal_path)
        list(read_journal(journal_path))
        list(read_refused(journal_path))
        assert contents(journal_path.parent) == before


def test_cut_anywhere_it_is_unfinished_and_sound(journal_path: Path, fill: Fill) -> None:
    ends = fill(journal_path)
    content = journal_path.read_bytes()
    start = 33  # the size of the record that begins a file
    for size in range(0, len(content), 3):
        journal_path.write_bytes(content[:size])
        report = inspect_journal(journal_path)
        assert report.damages == ()
        assert count(report) == sum(end <= size for end in ends)
        unfinished = content[max(e for e in (0, start, *ends) if e <= size) : size]
        assert report.unfinished == len(unfinished.rstrip(b"\0"))


@pytest.mark.parametrize("place", range(0, 250, 7))
def test_a_flipped_bit_is_found_and_what_it_costs(
    journal_path: Path, place: int, fill: Fill, bodies: list[bytes]
) -> None:
    ends = fill(journal_path)
    content = bytearray(journal_path.read_bytes())
    place %= len(content)
    content[place] ^= 4
    journal_path.write_bytes(content)
    report = inspect_journal(journal_path)
    (damage,) = report.damages
    assert damage.file == journal_path
    assert damage.offset <= place < damage.offset + damage.size
    found = waiting(journal_path)
    lost = len(bodies) - len(found)
    assert count(report) == len(found)
    assert lost <= damage.lost <= 1
    assert lost == (place >= 33)
    assert found == taken(journal_path)
    assert len(ends) == 3


def test_damage_that_costs_no_message(journal_path: Path, bodies: list[bytes]) -> None:
    with PublicationJournal(journal_path) as journal:
        for body in bodies:
            journal.queue_message(body)
    before = journal_path.stat().st_size
    with PublicationJournal(journal_path) as journal:
        send(journal)
        journal.queue_message(b"fourth")
    content = bytearray(journal_path.read_bytes())
    content[before + 20] ^= 1  # where it says that one has been sent
    journal_path.write_bytes(content)
    report = inspect_journal(journal_path)
    assert [damage.lost for damage in report.damages] == [0]
    assert count(report) == 4  # one of them is sent again


def test_damage_where_everything_has_been_sent_costs_nothing(
    journal_path: Path, bodies: list[bytes]
) -> None:
    with PublicationJournal(journal_path) as journal:
        for body in bodies:
            journal.queue_message(body)
        send(journal)
        send(journal)
    content = bytearray(journal_path.read_bytes())
    content[33 + 40] ^= 1
    journal_path.write_bytes(content)
    report = inspect_journal(journal_path)
    assert [damage.lost for damage in report.damages] == [0]
    assert waiting(journal_path) == [bodies[2]]


def test_a_hole_costs_what_was_in_it(journal_path: Path, fill: Fill) -> None:
    many = [b"%d" % number * 50 for number in range(100)]
    ends = fill(journal_path, many)
    content = bytearray(journal_path.read_bytes())
    first, last = ends[20] + 10, ends[40] + 10
    content[first:last] = bytes(last - first)
    journal_path.write_bytes(content)
    (damage,) = inspect_journal(journal_path).damages
    assert damage.lost == 21
    assert waiting(journal_path) == many[:21] + many[42:]


def test_a_sealed_file_that_was_cut_is_damaged(journal_path: Path) -> None:
    with PublicationJournal(journal_path, max_journal_bytes=1 << 20) as journal:
        for number in range(100):
            journal.queue_message(b"%d " % number + bytes(5000))
    (first, *_) = sorted(journal_path.parent.glob("*.sealed"))
    content = first.read_bytes()
    first.write_bytes(content[:-10_000])
    report = inspect_journal(journal_path)
    (damage,) = report.damages
    assert damage.file == first
    assert damage.lost == 1  # of the two, one is not even there in part
    assert count(report) == 98


def test_damage_among_what_was_refused(journal_path: Path, fill: Fill) -> None:
    fill(journal_path)
    letters = DeadLetters(journal_path)
    for number in range(3):
        letters.add(QueuedMessage(number, b"%d" % number, [], "t"), "too large")
    content = bytearray(letters.path.read_bytes())
    content[-1] ^= 1
    letters.path.write_bytes(content)
    report = inspect_journal(journal_path)
    assert report.refused == 2
    assert [(damage.file, damage.lost) for damage in report.damages] == [(letters.path, 1)]


def test_what_was_refused_and_why(journal_path: Path, fill: Fill, bodies: list[bytes]) -> None:
    fill(journal_path)
    letters = DeadLetters(journal_path)
    letters.add(QueuedMessage(3, b"big", [("h", b"v")], "t", b"k"), "too large")
    letters.add(QueuedMessage(9, b"homeless", []), "no topic")
    (big, why), (homeless, _) = read_refused(journal_path)
    assert (big.message, big.headers, big.topic, big.key) == (b"big", [("h", b"v")], "t", b"k")
    assert why == "too large"
    assert homeless.topic is None
    assert inspect_journal(journal_path).refused == 2
    assert waiting(journal_path) == bodies


HOLD = """
import sys
from hop.robust_publisher import PublicationJournal
with PublicationJournal(sys.argv[1]) as journal:
    journal.queue_message(b"held", topic="t")
    print("ready", flush=True)
    sys.stdin.read()
"""


def test_who_works_on_it(journal_path: Path, run: Run) -> None:
    process = run(HOLD, journal_path)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    assert inspect_journal(journal_path).holder == process.pid
    assert waiting(journal_path) == [b"held"]
    with pytest.raises(JournalInUseError, match=f"pid {process.pid}"):
        retry_refused(journal_path)
    process.communicate("")
    assert inspect_journal(journal_path).holder is None


def test_looking_at_ones_own_journal_does_not_unlock_it(journal_path: Path, run: Run) -> None:
    with PublicationJournal(journal_path):
        assert inspect_journal(journal_path).holder == os.getpid()
        list(read_journal(journal_path))
        process = run(HOLD, journal_path)
        _, errors = process.communicate("")
        assert "JournalInUseError" in errors


# Writes and settles as fast as it can, in small files, with pauses in which everything has been sent.
BUSY = """
import random, sys, time
from hop.robust_publisher import PublicationJournal
journal = PublicationJournal(sys.argv[1], max_journal_bytes=1 << 19)
print("ready", flush=True)
number = 0
end = time.monotonic() + 6
while time.monotonic() < end:
    for _ in range(random.randrange(1, 60)):
        journal.queue_message(b"%d " % number + bytes(number % 2000), topic="t")
        number += 1
    while (message := journal.get_next_message_to_send()) is not None:
        journal.mark_message_sent(message.sequence)
        if random.random() < 0.003:
            break
"""


def test_a_journal_that_is_in_use_all_the_time(journal_path: Path, run: Run) -> None:
    process = run(BUSY, journal_path)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    seen = 0
    while process.poll() is None:
        assert inspect_journal(journal_path).damages == ()
        found = waiting(journal_path)
        for body in found:
            assert len(body.split(b" ")[1]) == int(body.split(b" ")[0]) % 2000
        numbers = [int(body.split(b" ")[0]) for body in found]
        assert numbers == sorted(set(numbers))
        seen += bool(found)
    assert process.communicate()[1] == ""
    assert seen > 5
    assert waiting(journal_path) == taken(journal_path)


def earlier_record(kind: int, body: bytes) -> bytes:
    head = struct.pack(">QQI", kind, len(body), crc32(body))
    return head + struct.pack(">I", crc32(head)) + body


def text(value: bytes) -> bytes:
    return struct.pack(">Q", len(value)) + value


NONE = struct.pack(">Q", 0)
ONE = struct.pack(">Q", 1)
EARLIER = [
    earlier_record(0, struct.pack(">Q", 1) + text(b"one") + NONE),
    earlier_record(0, struct.pack(">Q", 2) + text(b"two") + NONE),
    earlier_record(1, struct.pack(">Q", 1)),
    earlier_record(
        2,
        struct.pack(">Q", 3)
        + text(b"gcn")
        + text(b"three")
        + text(b"key")
        + ONE
        + text(b"_id")
        + text(bytes(16)),
    ),
]


def test_a_journal_of_an_earlier_release(journal_path: Path) -> None:
    journal_path.write_bytes(b"".join(EARLIER))
    before = contents(journal_path.parent)
    report = inspect_journal(journal_path)
    assert report.earlier_release
    assert [(t.topic, t.messages, t.size) for t in report.waiting] == [(None, 1, 3), ("gcn", 1, 5)]
    found = [(m.message, m.headers, m.topic, m.key) for m in read_journal(journal_path)]
    assert found == [
        (b"two", [], None, None),
        (b"three", [("_id", bytes(16))], "gcn", b"key"),
    ]
    assert contents(journal_path.parent) == before


def test_a_damaged_journal_of_an_earlier_release(journal_path: Path) -> None:
    content = bytearray(b"".join(EARLIER))
    content[len(EARLIER[0]) + 30] ^= 1
    journal_path.write_bytes(content)
    report = inspect_journal(journal_path)
    (damage,) = report.damages
    assert (damage.offset, damage.size) == (len(EARLIER[0]), len(EARLIER[1]))
    assert damage.lost == 1
    assert count(report) == 1


def test_there_is_no_journal(journal_path: Path) -> None:
    for missing in (journal_path, journal_path.parent / "missing" / "publisher.journal"):
        with pytest.raises(FileNotFoundError, match="there is no journal"):
            inspect_journal(missing)
        with pytest.raises(FileNotFoundError):
            next(read_journal(missing))
    assert list(journal_path.parent.iterdir()) == []


@pytest.mark.parametrize("content", [b"x", b"a shopping list\n" * 100, bytes(range(256)) * 20])
def test_a_file_that_is_no_journal(journal_path: Path, content: bytes) -> None:
    journal_path.write_bytes(content)
    with pytest.raises(JournalCorruptError, match="is no journal"):
        inspect_journal(journal_path)


@pytest.mark.parametrize("place", [0, 33 + 9])
def test_a_journal_with_no_sound_record_is_one(journal_path: Path, place: int, fill: Fill) -> None:
    fill(journal_path, [b"only"])
    content = bytearray(journal_path.read_bytes())
    for damaged in (place, 33 + 20):
        content[damaged] ^= 1
    content[20] ^= 1
    journal_path.write_bytes(content)
    (damage,) = inspect_journal(journal_path).damages
    assert (damage.offset, damage.size) == (0, len(content))
    assert damage.lost >= 1
    assert taken(journal_path) == []


def test_a_file_whose_beginning_did_not_get_to_disk_is_a_journal(journal_path: Path) -> None:
    journal_path.write_bytes(bytes(512) + b"x" * 100)
    (damage,) = inspect_journal(journal_path).damages
    assert (damage.offset, damage.size) == (0, 612)
    assert taken(journal_path) == []


def test_what_is_no_file(journal_path: Path) -> None:
    os.mkfifo(journal_path)
    for path in (journal_path, journal_path.parent):
        with pytest.raises(JournalCorruptError, match="is no journal"):
            inspect_journal(path)


def test_a_journal_of_a_later_release(journal_path: Path) -> None:
    head = struct.pack(">4s4sIB3xQ", b"\x89hJ1", b"mark", 1, 1, 1)
    sums = struct.pack(">II", crc32(head), crc32(b"\x02"))
    journal_path.write_bytes(head + sums + b"\x02")
    with pytest.raises(JournalCorruptError, match="later release"):
        inspect_journal(journal_path)


def refuse(path: Path, bodies: list[bytes]) -> None:
    for number, body in enumerate(bodies):
        message = QueuedMessage(number, body, [("_id", b"i" * 16)], "t", b"k")
        DeadLetters(path).add(message, "too large")


REFUSED = [b"%d" % number * 3000 for number in range(5)]


def test_what_was_refused_waits_again(journal_path: Path, fill: Fill, bodies: list[bytes]) -> None:
    fill(journal_path)
    refuse(journal_path, REFUSED)
    assert retry_refused(journal_path) == 5
    assert list(read_refused(journal_path)) == []
    assert not journal_path.with_name("publisher.journal.dead").exists()
    messages = list(read_journal(journal_path))
    assert [m.message for m in messages] == bodies + REFUSED
    assert (messages[-1].topic, messages[-1].key) == ("t", b"k")
    assert messages[-1].headers == [("_id", b"i" * 16)]
    assert retry_refused(journal_path) == 0
    with PublicationJournal(journal_path) as journal:
        journal.queue_message(b"new")
        assert [send(journal).message for _ in range(9)] == [*bodies, *REFUSED, b"new"]
    assert {file.name for file in journal_path.parent.iterdir()} == {
        "publisher.journal",
        "publisher.journal.lock",
    }
    assert journal_path.stat().st_size == 0


def test_what_was_refused_waits_again_in_an_empty_journal_and_may_be_refused_again(
    journal_path: Path,
) -> None:
    refuse(journal_path, REFUSED)
    for _ in range(3):
        assert retry_refused(journal_path) == 5
        with PublicationJournal(journal_path) as journal:
            for body in REFUSED:
                message = send(journal)
                assert message.message == body
                DeadLetters(journal_path).add(message, "too large")
        assert [message.message for message, _ in read_refused(journal_path)] == REFUSED


def test_damage_is_put_aside_and_the_others_wait_again(
    journal_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    refuse(journal_path, REFUSED)
    dead = journal_path.with_name("publisher.journal.dead")
    content = bytearray(dead.read_bytes())
    content[len(content) // 2] ^= 1
    dead.write_bytes(content)
    assert retry_refused(journal_path) == 4
    assert waiting(journal_path) == REFUSED[:2] + REFUSED[3:]
    assert len(list(journal_path.parent.glob("*.bad"))) == 1
    assert "is damaged" in caplog.text


def test_nothing_was_refused(journal_path: Path, fill: Fill, bodies: list[bytes]) -> None:
    fill(journal_path)
    assert retry_refused(journal_path) == 0
    assert waiting(journal_path) == bodies


# Ends, as by kill -9, just before it opens or renames a file for the so-many-th time.
DIES = """
import os, sys
from hop.robust_publisher import retry_refused
left = int(sys.argv[2])
def audit(event, arguments):
    global left
    if event in ("os.rename", "os.remove") or event == "open" and "publisher.journal" in str(arguments[0]):
        left -= 1
        if not left:
            os._exit(9)
sys.addaudithook(audit)
retry_refused(sys.argv[1])
"""


@pytest.mark.parametrize("some", [False, True])
def test_killed_anywhere_it_neither_loses_nor_doubles(
    tmp_path: Path, some: bool, fill: Fill, bodies: list[bytes]
) -> None:
    before = bodies if some else []
    step, codes = 0, []
    while not codes or codes[-1]:
        step += 1
        path = tmp_path / str(step) / "publisher.journal"
        path.parent.mkdir()
        fill(path, before)
        refuse(path, REFUSED)
        codes.append(subprocess.run([sys.executable, "-c", DIES, path, str(step)]).returncode)
        refused = [message.message for message, _ in read_refused(path)]
        assert (refused, waiting(path)) in [(REFUSED, before), ([], before + REFUSED)]
        # Between the two attempts another publisher may have refused something else.
        refuse(path, [b"later"])
        retry_refused(path)
        assert Counter(taken(path)) == Counter([*before, *REFUSED, b"later"])
    assert codes == [9] * (len(codes) - 1) + [0]
    assert len(codes) > 4


def test_a_hundred_thousand_messages_in_seconds(journal_path: Path) -> None:
    with PublicationJournal(journal_path) as journal:
        for _ in range(100_000):
            journal.queue_message(bytes(200), topic="t")
    start = time.monotonic()
    assert count(inspect_journal(journal_path)) == 100_000
    assert time.monotonic() - start < 10
