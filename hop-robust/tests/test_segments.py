"""A journal of several files: they are deleted as messages arrive, in whatever order that happens."""

from __future__ import annotations

from pathlib import Path

import pytest

from hop.robust_publisher import PublicationJournal

MEGABYTE = 1 << 20


def body(number: int) -> bytes:
    return b"%d " % number + bytes(MEGABYTE)


def number_of(message: bytes) -> int:
    return int(message[:10].split()[0])


def sealed(path: Path) -> list[Path]:
    return sorted(path.parent.glob("*.sealed"))


def size_of(path: Path) -> int:
    return sum(file.stat().st_size for file in path.parent.iterdir())


def test_files_go_as_messages_arrive(journal_path: Path) -> None:
    with PublicationJournal(journal_path) as journal:
        for number in range(50):
            journal.queue_message(body(number))
        assert len(sealed(journal_path)) == 3
        sizes = []
        for number in range(50):
            entry = journal.get_next_message_to_send()
            assert entry is not None
            assert number_of(entry.message) == number
            journal.mark_message_sent(entry.sequence)
            sizes.append(size_of(journal_path))
        assert sizes[15] < sizes[0] - 15 * MEGABYTE
        assert sizes[-1] < 100
        assert sealed(journal_path) == []


def test_a_message_that_stays_does_not_keep_the_others(journal_path: Path) -> None:
    with PublicationJournal(journal_path) as journal:
        first = journal.queue_message(body(0))
        journal.get_next_message_to_send()
        for number in range(1, 100):
            journal.queue_message(body(number))
            entry = journal.get_next_message_to_send()
            assert entry is not None
            journal.mark_message_sent(entry.sequence)
        assert size_of(journal_path) < 40 * MEGABYTE
        journal.requeue_message(first)
    with PublicationJournal(journal_path) as journal:
        left = journal.get_next_message_to_send()
        assert left is not None
        assert number_of(left.message) == 0
        assert journal.get_next_message_to_send() is None


def test_messages_that_stay_in_several_files(journal_path: Path) -> None:
    """What is known of old files is not lost with the younger ones that say it."""
    kept = {0, 3, 20, 40}
    with PublicationJournal(journal_path) as journal:
        taken = []
        for number in range(140):
            journal.queue_message(body(number))
            entry = journal.get_next_message_to_send()
            assert entry is not None
            taken.append(entry.sequence)
            # The one that arrives now was written a file or two ago.
            if number >= 20 and number - 20 not in kept:
                journal.mark_message_sent(taken[number - 20])
        for number in range(120, 140):
            journal.mark_message_sent(taken[number])
        assert size_of(journal_path) < 70 * MEGABYTE
    for _ in range(2):
        with PublicationJournal(journal_path) as journal:
            left = set()
            while (entry := journal.get_next_message_to_send()) is not None:
                left.add(number_of(entry.message))
        assert left == kept


def test_a_file_that_cannot_be_deleted(
    journal_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with PublicationJournal(journal_path) as journal:
        for number in range(40):
            journal.queue_message(body(number))
        first = sealed(journal_path)[0]
        content = first.rename(journal_path.with_name("aside"))
        first.mkdir()
        while (entry := journal.get_next_message_to_send()) is not None:
            journal.mark_message_sent(entry.sequence)
        journal.queue_message(b"after")
    assert caplog.text.count(f"cannot delete {first}") == 1
    first.rmdir()
    content.rename(first)
    with PublicationJournal(journal_path) as journal:
        after = journal.get_next_message_to_send()
        assert after is not None
        assert after.message == b"after"
        assert journal.get_next_message_to_send() is None


def test_numbers_go_on_after_a_restart(journal_path: Path) -> None:
    with PublicationJournal(journal_path) as journal:
        numbers = [journal.queue_message(body(number)) for number in range(20)]
    with PublicationJournal(journal_path) as journal:
        numbers.append(journal.queue_message(b"one more"))
    assert len(set(numbers)) == 21


def test_reading_does_not_open_more_and_more_files(journal_path: Path) -> None:
    before = len(list(Path("/dev/fd").iterdir()))
    with PublicationJournal(journal_path) as journal:
        for number in range(150):
            journal.queue_message(body(number))
        assert len(list(Path("/dev/fd").iterdir())) < before + 8
        while journal.get_next_message_to_send() is not None:
            pass
        assert len(list(Path("/dev/fd").iterdir())) < before + 8


def test_a_file_that_is_gone_costs_what_was_in_it(
    journal_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with PublicationJournal(journal_path) as journal:
        for number in range(130):
            journal.queue_message(body(number))
        gone = sealed(journal_path)[1]
        gone.unlink()
        left = []
        while (entry := journal.get_next_message_to_send()) is not None:
            left.append(number_of(entry.message))
            journal.mark_message_sent(entry.sequence)
        assert not journal.has_messages_to_send()
    assert left == [number for number in range(130) if not 16 <= number < 32]
    assert f"{gone} of the journal is gone, and with it 16 messages" in caplog.text


def test_what_is_damaged_while_the_journal_is_open(journal_path: Path) -> None:
    with PublicationJournal(journal_path) as journal:
        for number in range(3):
            journal.queue_message(b"%d" % number * 100)
        content = bytearray(journal_path.read_bytes())
        content[content.index(b"1" * 100)] ^= 1
        with journal_path.open("r+b") as file:
            file.write(content)
        first, second = journal.get_next_message_to_send(), journal.get_next_message_to_send()
        assert journal.get_next_message_to_send() is None
        assert not journal.has_messages_to_send()
        for entry, number in ((first, b"0"), (second, b"2")):
            assert entry is not None
            assert entry.message == number * 100
            journal.mark_message_sent(entry.sequence)
        assert journal_path.stat().st_size == 0
    [bad] = journal_path.parent.glob("*.bad")
    assert b"1" * 99 in bad.read_bytes()
