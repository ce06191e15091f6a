"""A journal that was interrupted or damaged: what is lost, and that it opens."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hop.robust_publisher import JournalCorruptError, PublicationJournal, inspect_journal

Run = Callable[..., "subprocess.Popen[str]"]
Fill = Callable[..., list[int]]


def given(path: Path) -> list[bytes]:
    """What a journal gives."""
    with PublicationJournal(path) as journal:
        return take_all(journal)


def take_all(journal: PublicationJournal) -> list[bytes]:
    found = []
    while (entry := journal.get_next_message_to_send()) is not None:
        found.append(entry.message)
    return found


def bad_files(path: Path) -> list[Path]:
    return sorted(path.parent.glob("*.bad"))


def test_cut_anywhere_it_gives_what_is_complete(
    journal_path: Path, fill: Fill, bodies: list[bytes]
) -> None:
    ends = fill(journal_path)
    content = journal_path.read_bytes()
    for size in range(len(content)):
        journal_path.write_bytes(content[:size])
        assert given(journal_path) == bodies[: sum(end <= size for end in ends)], size
        assert bad_files(journal_path) == []


@pytest.mark.parametrize("strict", [False, True])
def test_written_in_part_ahead_of_zeros_it_gives_what_is_complete(
    journal_path: Path, fill: Fill, bodies: list[bytes], strict: bool
) -> None:
    """A file that was filled with zeros ahead of what is written: an interrupted write ends before the file does."""
    ends = fill(journal_path)
    content = journal_path.read_bytes()
    for size in range(len(content) + 1):
        journal_path.write_bytes(content[:size] + bytes(5000))
        on_corruption = "raise" if strict else "continue"
        with PublicationJournal(journal_path, on_corruption=on_corruption) as journal:
            assert take_all(journal) == bodies[: sum(end <= size for end in ends)], size
        assert bad_files(journal_path) == []
        assert journal_path.stat().st_size <= size


def test_zeros_behind_the_last_message_are_nothing_to_talk_about(
    journal_path: Path, fill: Fill, bodies: list[bytes], caplog: pytest.LogCaptureFixture
) -> None:
    fill(journal_path)
    content = journal_path.read_bytes()
    journal_path.write_bytes(content + bytes(3_000_000))
    report = inspect_journal(journal_path)
    assert (report.damages, report.unfinished) == ((), 0)
    assert given(journal_path) == bodies
    assert journal_path.read_bytes() == content
    assert caplog.text == ""


def test_a_damaged_message_before_zeros_is_damaged(
    journal_path: Path, fill: Fill, bodies: list[bytes]
) -> None:
    ends = fill(journal_path)
    content = bytearray(journal_path.read_bytes())
    content[ends[1] + 40] ^= 1
    journal_path.write_bytes(content + bytes(5000))
    assert [damage.lost for damage in inspect_journal(journal_path).damages] == [1]
    assert given(journal_path) == bodies[:2]
    [bad] = bad_files(journal_path)
    assert bad.read_bytes() == content[ends[1] :]


def test_a_message_of_zeros_before_zeros_is_one(journal_path: Path) -> None:
    # One that is read in one piece with others, and one that is not.
    messages = [bytes(100), bytes(3_000_000)]
    for message in messages:
        with PublicationJournal(journal_path) as journal:
            journal.queue_message(message)
        journal_path.write_bytes(journal_path.read_bytes() + bytes(5000))
    assert given(journal_path) == messages


def test_what_was_cut_is_gone_for_good(journal_path: Path, fill: Fill, bodies: list[bytes]) -> None:
    ends = fill(journal_path)
    journal_path.write_bytes(journal_path.read_bytes()[: ends[-1] - 3])
    with PublicationJournal(journal_path) as journal:
        assert journal_path.stat().st_size == ends[1]
        journal.queue_message(b"fourth")
    assert given(journal_path) == [*bodies[:2], b"fourth"]


def test_a_cut_tail_is_no_damage_to_those_who_want_to_know(
    journal_path: Path,
    caplog: pytest.LogCaptureFixture,
    fill: Fill,
    bodies: list[bytes],
) -> None:
    fill(journal_path)
    journal_path.write_bytes(journal_path.read_bytes()[:-3])
    with PublicationJournal(journal_path, on_corruption="raise") as journal:
        assert take_all(journal) == bodies[:2]
    assert "ends within a record" in caplog.text


def test_a_flipped_bit_costs_one_record(
    journal_path: Path, fill: Fill, bodies: list[bytes]
) -> None:
    ends = fill(journal_path)
    content = journal_path.read_bytes()
    start = ends[0] - (ends[2] - ends[1]) - (len(bodies[0]) - len(bodies[2]))
    for place in range(len(content)):
        # every bit of one record's head, and one of each other byte
        for bit in range(8) if ends[0] <= place < ends[0] + 32 else [place % 8]:
            flipped = bytearray(content)
            flipped[place] ^= 1 << bit
            journal_path.write_bytes(flipped)
            for old in journal_path.parent.glob("publisher.journal.*"):
                old.unlink()
            hit = sum(end <= place for end in ends)
            expected = bodies if place < start else bodies[:hit] + bodies[hit + 1 :]
            assert given(journal_path) == expected, (place, bit)
            if start <= place < ends[1]:
                assert bad_files(journal_path), (place, bit)


def test_damaged_bytes_are_kept_and_told_of_once(
    journal_path: Path,
    caplog: pytest.LogCaptureFixture,
    fill: Fill,
    bodies: list[bytes],
) -> None:
    ends = fill(journal_path)
    content = bytearray(journal_path.read_bytes())
    content[ends[1] - 1] ^= 1
    journal_path.write_bytes(content)
    for _ in range(3):
        assert given(journal_path) == [bodies[0], bodies[2]]
    [bad] = bad_files(journal_path)
    assert bad.read_bytes() == content[ends[0] : ends[1]]
    assert bad.stat().st_mode & 0o777 == 0o600
    [record] = [r for r in caplog.records if "is damaged" in r.message]
    assert bad.name in record.message


def test_a_hole_costs_what_it_touches(journal_path: Path, fill: Fill) -> None:
    many = [b"%d" % number * 50 for number in range(100)]
    ends = fill(journal_path, many)
    content = bytearray(journal_path.read_bytes())
    first, last = ends[20] + 10, ends[40] + 10
    content[first:last] = bytes(last - first)
    journal_path.write_bytes(content)
    assert given(journal_path) == many[:21] + many[42:]
    assert len(bad_files(journal_path)) == 1


def test_after_damage_it_goes_on(journal_path: Path, fill: Fill, bodies: list[bytes]) -> None:
    ends = fill(journal_path)
    content = bytearray(journal_path.read_bytes())
    content[ends[0] + 5] ^= 1
    journal_path.write_bytes(content)
    with PublicationJournal(journal_path) as journal:
        journal.queue_message(b"fourth")
    with PublicationJournal(journal_path) as journal:
        for body in (bodies[0], bodies[2], b"fourth"):
            entry = journal.get_next_message_to_send()
            assert entry is not None
            assert entry.message == body
            journal.mark_message_sent(entry.sequence)
        assert journal_path.stat().st_size == 0
        assert not list(journal_path.parent.glob("*.sealed"))


def test_damage_can_be_an_error(journal_path: Path, fill: Fill, bodies: list[bytes]) -> None:
    ends = fill(journal_path)
    content = bytearray(journal_path.read_bytes())
    content[ends[0] + 5] ^= 1
    journal_path.write_bytes(content)
    with pytest.raises(JournalCorruptError, match="is damaged"):
        PublicationJournal(journal_path, on_corruption="raise")
    assert journal_path.read_bytes() == content
    assert given(journal_path) == [bodies[0], bodies[2]]


def test_on_corruption_has_two_values(journal_path: Path) -> None:
    with pytest.raises(ValueError, match="'continue' or 'raise'"):
        PublicationJournal(journal_path, on_corruption="ignore")  # type: ignore[arg-type]


@pytest.mark.parametrize("content", [b"x", b"a shopping list\n" * 100, bytes(range(256)) * 20])
def test_a_file_that_is_no_journal_is_left_alone(journal_path: Path, content: bytes) -> None:
    journal_path.write_bytes(content)
    with pytest.raises(RuntimeError, match="is no journal"):
        PublicationJournal(journal_path)
    assert journal_path.read_bytes() == content


def test_a_journal_of_which_nothing_is_sound_is_a_journal(journal_path: Path, fill: Fill) -> None:
    fill(journal_path, [b"x" * 1000])
    content = bytearray(journal_path.read_bytes())
    # one bit of the file's beginning, and one of the message
    content[0] ^= 1
    content[-1] ^= 1
    journal_path.write_bytes(content)
    assert given(journal_path) == []
    assert [file.read_bytes() for file in bad_files(journal_path)] == [content]
    # its first sector did not get to disk, nor did the end of the message
    journal_path.write_bytes(bytes(512) + content[512:-100] + bytes(100))
    assert given(journal_path) == []
    assert len(bad_files(journal_path)) == 2


@pytest.mark.parametrize("size", [0, 1, 5000])
def test_a_file_of_zeros_is_an_empty_journal(journal_path: Path, size: int) -> None:
    journal_path.write_bytes(bytes(size))
    assert given(journal_path) == []


def test_a_journal_within_a_message_is_a_message(
    journal_path: Path, tmp_path: Path, fill: Fill
) -> None:
    inner = tmp_path / "inner"
    fill(inner)
    letter = inner.read_bytes()
    ends = fill(journal_path, [letter, b"after"])
    content = bytearray(journal_path.read_bytes())
    content[ends[0] - len(letter) - 40] ^= 1
    journal_path.write_bytes(content)
    assert given(journal_path) == [b"after"]


def test_what_another_journal_left_is_not_taken_for_ones_own(
    journal_path: Path,
    tmp_path: Path,
    fill: Fill,
    bodies: list[bytes],
) -> None:
    """After a power failure, blocks of a file may hold what was in them before."""
    other = tmp_path / "other"
    fill(other, [b"long ago"])
    fill(journal_path)
    with journal_path.open("ab") as file:
        file.write(other.read_bytes())
    assert given(journal_path) == bodies
    [bad] = bad_files(journal_path)
    assert bad.read_bytes() == other.read_bytes()


def test_random_damage_never_keeps_it_from_opening(journal_path: Path, fill: Fill) -> None:
    chance = random.Random(1)
    many = [b"%d" % number for number in range(50)]
    fill(journal_path, many)
    content = journal_path.read_bytes()
    for _ in range(60):
        damaged = bytearray(content)
        for _ in range(chance.randrange(1, 20)):
            place, size = chance.randrange(4, len(content)), chance.randrange(1, 60)
            damaged[place : place + size] = chance.randbytes(size)
        journal_path.write_bytes(damaged)
        found = given(journal_path)
        assert set(found) <= set(many)
        assert found == sorted(found, key=many.index)
        for old in journal_path.parent.glob("publisher.journal.*"):
            old.unlink()


def test_a_directory_in_its_place(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="directory"):
        PublicationJournal(tmp_path)


def test_a_folder_that_does_not_exist(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        PublicationJournal(tmp_path / "missing" / "publisher.journal")


def test_a_file_that_may_not_be_read(journal_path: Path, run: Run, fill: Fill) -> None:
    fill(journal_path)
    journal_path.chmod(0)
    program = """
import os, sys
from hop.robust_publisher import PublicationJournal
if os.getuid() == 0:
    os.setuid(65534)
try:
    PublicationJournal(sys.argv[1])
except PermissionError as exc:
    print("refused:", exc.filename)
"""
    journal_path.with_name("publisher.journal.lock").unlink()
    for folder in journal_path.parents[:3]:
        folder.chmod(0o777 if folder == journal_path.parent else 0o755)
    process = run(program, journal_path)
    out, err = process.communicate()
    assert out == f"refused: {journal_path}\n", err


# What the file-size limit of the system does to a write is what a full disk does: a part of it is written, or nothing.
FULL = """
import resource, sys
from pathlib import Path
from hop.robust_publisher import PublicationJournal
path = Path(sys.argv[1])
journal = PublicationJournal(path)
hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
accepted = refused = 0
for number in range(30):
    try:
        journal.queue_message(b"%d" % number * 300)
        accepted += 1
    except RuntimeError as exc:
        refused += 1
        assert "cannot write to the journal" in str(exc), exc
        assert path.stat().st_size < 10_000
resource.setrlimit(resource.RLIMIT_FSIZE, (hard, hard))
journal.queue_message(b"after")
print(accepted, refused, flush=True)
import os; os.kill(os.getpid(), 9)
"""


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the limit ends the program")
def test_on_a_full_disk_writing_raises_and_the_journal_stays_sound(
    journal_path: Path, run: Run
) -> None:
    process = run(FULL, journal_path)
    out, err = process.communicate()
    accepted, refused = map(int, out.split())
    assert accepted + refused == 30, err
    assert refused > 3
    found = given(journal_path)
    assert len(found) == accepted + 1
    assert found[-1] == b"after"


# A signal's handler raises, as Ctrl-C does, wherever writing happens to be.
INTERRUPTED = """
import os, random, signal, sys
from hop.robust_publisher import PublicationJournal
journal = PublicationJournal(sys.argv[1])
chance = random.Random(int(sys.argv[2]))

class Interrupted(Exception):
    pass

def interrupt(*_):
    raise Interrupted

signal.signal(signal.SIGALRM, interrupt)
accepted, interrupted = [], 0
for number in range(3000):
    try:
        signal.setitimer(signal.ITIMER_REAL, chance.uniform(1e-6, 6e-5))
        journal.queue_message(b"%d " % number + bytes(number % 100))
        signal.setitimer(signal.ITIMER_REAL, 0)
        accepted.append(number)
    except Interrupted:
        signal.setitimer(signal.ITIMER_REAL, 0)
        interrupted += 1
print(interrupted, *accepted, flush=True)
# What was accepted is sent, half of it.
for _ in range(len(accepted) // 2):
    entry = journal.get_next_message_to_send()
    journal.mark_message_sent(entry.sequence)
    print(int(entry.message.split()[0]), end=" ", flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize("seed", range(4))
def test_interrupted_anywhere_it_keeps_what_was_accepted(
    journal_path: Path, run: Run, seed: int
) -> None:
    out, err = run(INTERRUPTED, journal_path, seed).communicate()
    first, second = out.split("\n")
    interrupted, *accepted = map(int, first.split())
    assert interrupted > 50, err
    assert len(accepted) > 50
    sent = set(map(int, second.split()))
    with PublicationJournal(journal_path) as journal:
        left = set()
        while (entry := journal.get_next_message_to_send()) is not None:
            left.add(int(entry.message.split()[0]))
            journal.mark_message_sent(entry.sequence)
        assert not journal.has_messages_to_send()
    assert set(accepted) <= sent | left
    assert len(sent) >= len(accepted) // 2
