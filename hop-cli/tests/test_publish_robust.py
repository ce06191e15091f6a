"""`hop publish --robust`: what is kept in a journal until the broker has confirmed it."""

from __future__ import annotations

import signal
import struct
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest

from hop.io import Metadata
from hop.models import MessageModel
from hop.robust_publisher import PublicationJournal, inspect_journal, read_journal
from hop.sandbox import memory_broker

Hop = Callable[..., Any]
Stored = Callable[..., list[tuple[MessageModel, Metadata]]]
Contents = Callable[[str], list[object]]
WaitFor = Callable[[str, int], None]

NOWHERE = "kafka://127.0.0.1:9/t"
ROBUST = ["publish", "--no-auth", "-f", "JSON", "--robust"]


def waiting(path: Path) -> list[bytes]:
    return [message.message for message in read_journal(path)]


def place(url: str) -> str:
    broker, _, topic = url.removeprefix("kafka://").partition("/")
    return f"{topic} at {broker}"


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    return tmp_path / "publisher.journal"


@pytest.mark.parametrize(
    "arguments",
    [
        ["--robust", "{url}", "file", "--no-auth", "-fJSON"],
        ["{url}", "--no-auth", "-fJSON", "file", "--robust"],
        ["{url}", "--robust", "--no-auth", "-fJSON", "file"],
        ["--robust=publisher.journal", "{url}", "--no-auth", "-fJSON", "file"],
        ["--robust", "publisher.journal", "{url}", "--no-auth", "-fJSON", "file"],
        ["-fJSON", "{url}", "file", "--robust", "publisher.journal", "--no-auth"],
    ],
)
def test_published_through_the_journal(
    hop: Hop,
    url: str,
    tmp_path: Path,
    journal: Path,
    arguments: list[str],
    contents: Contents,
) -> None:
    (tmp_path / "file").write_text("1\n2\n")
    result = hop("publish", *(argument.format(url=url) for argument in arguments))
    assert (result.returncode, result.stdout) == (0, "")
    assert result.stderr == (
        f"published 2 messages to {place(url)}; none waits in publisher.journal\n"
    )
    assert contents(url) == [1, 2]
    assert waiting(journal) == []
    assert not (tmp_path / "file.lock").exists()


def test_headers_key_test_mark_and_format(
    hop: Hop, url: str, tmp_path: Path, stored: Stored
) -> None:
    (tmp_path / "c").write_text("TITLE:   GCN CIRCULAR\nSUBJECT: x\n\nFound.\n")
    options = ["--header", "a=1", "--key", "k", "-t", "--robust=own"]
    result = hop("publish", "--no-auth", url, "-f", "CIRCULAR", "c", *options)
    assert result.returncode == 0
    assert stored(url) == []
    ((message, metadata),) = stored(url, ignoretest=False)
    assert bytes(message) == (tmp_path / "c").read_bytes()
    assert metadata.key == b"k"
    assert {("a", b"1"), ("_test", b"true"), ("_format", b"circular")} <= set(
        metadata.headers or []
    )
    assert inspect_journal(tmp_path / "own").waiting == ()


def test_several_files_and_standard_input(
    hop: Hop, url: str, tmp_path: Path, contents: Contents
) -> None:
    for name, text in (("a", "1\n2\n"), ("b", '"b"')):
        (tmp_path / name).write_text(text)
    result = hop(*ROBUST, url, "a", "-", "b", stdin="3\n")
    assert result.returncode == 0
    assert contents(url) == [1, 2, 3, "b"]


def test_quiet_prints_nothing(hop: Hop, url: str) -> None:
    result = hop(*ROBUST, url, "-q", stdin="1\n")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_a_dry_run_makes_no_journal(hop: Hop, tmp_path: Path) -> None:
    result = hop(*ROBUST, NOWHERE, "--dry-run", stdin="1\n")
    assert result.returncode == 0
    assert list(tmp_path.glob("publisher*")) == []


def test_a_dead_broker_then_the_next_run(
    hop: Hop, journal: Path, stored: Stored, contents: Contents
) -> None:
    start = time.monotonic()
    result = hop(*ROBUST, NOWHERE, "--timeout", "2", stdin="1\n2\n")
    assert 2 < time.monotonic() - start < 10
    assert (result.returncode, result.stdout) == (1, "")
    *log, error = result.stderr.splitlines()
    assert [" is out of reach (" in line for line in log] == [True]
    assert error == (
        "hop: cannot publish everything to t at 127.0.0.1:9: 0 messages published, 2 messages wait in"
        " publisher.journal, since the broker did not confirm them in time; the next"
        " `hop publish --robust publisher.journal` sends them;"
        f" `hop doctor {NOWHERE}` looks for the cause"
    )
    queued = list(read_journal(journal))
    assert [message.message for message in queued] == [b"1", b"2"]
    # The messages know their topic; the broker is another now.
    with memory_broker({"t": 1, "other": 1}) as broker:
        drained = hop(*ROBUST, broker.url("other"), stdin="3\n")
        assert drained.returncode == 0
        assert drained.stderr == (
            f"published 1 message to {place(broker.url('other'))} and 2 messages from before;"
            " none waits in publisher.journal\n"
        )
        arrived = stored(broker.url("t"))
        assert [message.content for message, _ in arrived] == [1, 2]  # type: ignore[attr-defined]
        # It is the same message, whichever run sent it.
        assert [dict(metadata.headers or [])["_id"] for _, metadata in arrived] == [
            dict(message.headers)["_id"] for message in queued
        ]
        assert contents(broker.url("other")) == [3]


def test_what_waits_is_sent_without_anything_new(
    hop: Hop, url: str, journal: Path, contents: Contents
) -> None:
    with PublicationJournal(journal) as opened:
        opened.queue_message(b"1", [("_format", b"json")])
    result = hop(*ROBUST, url, stdin="")
    assert result.returncode == 0
    assert result.stderr == "published 1 message from before; none waits in publisher.journal\n"
    assert contents(url) == [1]
    again = hop(*ROBUST, url, stdin="")
    assert (again.returncode, again.stderr) == (
        1,
        "hop: cannot publish standard input: it is empty\n",
    )


def test_what_waits_does_not_wait_for_something_new(
    start: Any, url: str, journal: Path, wait_for: WaitFor
) -> None:
    with PublicationJournal(journal) as opened:
        opened.queue_message(b"1", [("_format", b"json")])
    process = start(*ROBUST, url)
    wait_for(url, 1)
    process.stdin.write(b"2\n")
    process.stdin.flush()
    wait_for(url, 2)
    process.stdin.close()
    assert process.wait(20) == 0


def test_before_a_bad_line_everything_is_sent(
    hop: Hop, url: str, journal: Path, contents: Contents
) -> None:
    result = hop(*ROBUST, url, stdin="1\n2\noops\n3\n")
    assert result.returncode == 1
    assert result.stderr == (
        "hop: cannot publish standard input as JSON: line 3, column 1: Expecting value;"
        " 2 messages published, none waits in publisher.journal\n"
    )
    assert contents(url) == [1, 2]
    assert waiting(journal) == []


def test_what_can_not_be_read_makes_no_journal(hop: Hop, url: str, tmp_path: Path) -> None:
    assert hop(*ROBUST, url, stdin="oops\n").returncode == 1
    assert hop("publish", url, "-fJSON", "--robust", stdin="1\n").returncode == 1  # no credential
    assert list(tmp_path.glob("publisher*")) == []


def test_a_file_of_messages_is_not_taken_for_the_journal(
    hop: Hop, url: str, tmp_path: Path
) -> None:
    (tmp_path / "f.jsonl").write_text("1\n")
    result = hop("publish", "--no-auth", url, "-f", "JSON", "--robust", "f.jsonl")
    assert result.returncode == 1
    assert result.stderr.startswith(
        f"hop: cannot use the journal f.jsonl: {tmp_path / 'f.jsonl'} is no journal; "
    )
    assert "--robust=JOURNAL" in result.stderr
    assert [file.name for file in tmp_path.iterdir() if file.name.startswith("f.")] == ["f.jsonl"]
    assert (tmp_path / "f.jsonl").read_text() == "1\n"


@pytest.mark.parametrize(
    ("journal_argument", "said"),
    [
        ("missing/j", "cannot use the journal missing/j: No such file or directory"),
        (".", "cannot use the journal .: "),
        ("/dev/null/j", "cannot use the journal /dev/null/j: Not a directory"),
        ("/proc/j", "cannot use the journal /proc/j: No such file or directory"),
    ],
)
def test_a_journal_that_can_not_be(hop: Hop, url: str, journal_argument: str, said: str) -> None:
    result = hop(*ROBUST, journal_argument, url, stdin="1\n")
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith(f"hop: {said}")
    assert len(result.stderr.splitlines()) == 1


def test_a_journal_of_a_later_release(hop: Hop, url: str, journal: Path) -> None:
    head = struct.pack(">4s4sIB3xQ", b"\x89hJ1", b"mark", 1, 1, 1)
    sums = struct.pack(">II", crc32(head), crc32(b"\x02"))
    journal.write_bytes(head + sums + b"\x02")
    result = hop(*ROBUST, url, stdin="1\n")
    assert result.returncode == 1
    assert "was written by a later release" in result.stderr
    assert "--robust=JOURNAL" not in result.stderr


def test_one_at_a_time(
    hop: Hop, start: Any, url: str, contents: Contents, wait_for: WaitFor
) -> None:
    first = start(*ROBUST, url)
    first.stdin.write(b"1\n")
    first.stdin.flush()
    wait_for(url, 1)
    second = hop(*ROBUST, url, stdin="2\n")
    assert second.returncode == 1
    assert f"in use by the process with pid {first.pid}" in second.stderr
    first.stdin.close()
    assert first.wait(20) == 0
    assert contents(url) == [1]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_it_reads(
    start: Any, url: str, journal: Path, number: int, wait_for: WaitFor
) -> None:
    process = start(*ROBUST, url)
    process.stdin.write(b"1\n")
    process.stdin.flush()
    wait_for(url, 1)
    process.send_signal(number)
    assert process.wait(20) == 130
    assert process.stderr.read().decode().splitlines()[-1] == (
        "hop: interrupted; 1 message published, none waits in publisher.journal"
    )
    assert waiting(journal) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_while_it_waits_for_a_dead_broker_keeps_the_journal(
    start: Any, journal: Path, number: int
) -> None:
    process = start(*ROBUST, NOWHERE)
    process.stdin.write(b"1\n2\n")
    process.stdin.close()
    end = time.monotonic() + 20
    while not journal.exists() or len(waiting(journal)) < 2:
        assert time.monotonic() < end
    asked = time.monotonic()
    process.send_signal(number)
    assert process.wait(20) == 130
    assert time.monotonic() - asked < 6
    assert process.stderr.read().decode().splitlines()[-1] == (
        "hop: interrupted; 0 messages published, 2 messages wait in publisher.journal"
    )
    assert waiting(journal) == [b"1", b"2"]


def test_what_it_says_when_interrupted_is_what_it_has_written(
    start: Any, tmp_path: Path, journal: Path
) -> None:
    lines = 1_000_000  # more than are written until the signal comes
    (tmp_path / "file").write_text("1\n" * lines)

    def size() -> int:
        return sum(file.stat().st_size for file in tmp_path.glob(f"{journal.name}*"))

    before = 0
    for attempt in range(3):
        size_before = size()
        process = start(*ROBUST, NOWHERE, "-", "file")
        process.stdin.close()
        end = time.monotonic() + 20
        # To count what waits would take longer than to write it all.
        while size() < size_before + 100_000:
            assert time.monotonic() < end
        time.sleep(0.05 * attempt)
        process.send_signal(signal.SIGINT)
        assert process.wait(20) == 130
        said = process.stderr.read().decode().splitlines()[-1]
        after = len(waiting(journal))
        assert before < after < before + lines
        assert said == (
            f"hop: interrupted; 0 messages published, {after} messages wait in publisher.journal"
        )
        before = after


def test_killed_it_keeps_what_it_has_read(
    start: Any, hop: Hop, url: str, journal: Path, contents: Contents
) -> None:
    process = start(*ROBUST, NOWHERE)
    process.stdin.write(b"1\n2\n")
    process.stdin.flush()
    end = time.monotonic() + 20
    while not journal.exists() or len(waiting(journal)) < 2:
        assert time.monotonic() < end
    process.kill()
    process.wait()
    with memory_broker({"t": 1}) as broker:
        assert hop(*ROBUST, broker.url("t"), stdin="3\n").returncode == 0
        assert contents(broker.url("t")) == [1, 2, 3]


def test_on_a_terminal_it_says_what_it_waits_for(
    terminal: Any, tmp_path: Path, journal: Path
) -> None:
    (tmp_path / "file").write_text("1\n")
    session = terminal("publish", "--no-auth", "-f", "JSON", NOWHERE, "file", "--robust")
    session.wait_for("Waiting for the broker to confirm everything; Ctrl-C leaves the rest in")
    session.type("\x03")
    assert session.end() == 130
    assert "1 message waits in publisher.journal" in session.shown
    assert waiting(journal) == [b"1"]


def test_a_full_disk(environment: dict[str, str], program: str, tmp_path: Path) -> None:
    # A limit on the size of files does what a full disk does.
    result = subprocess.run(
        ["sh", "-c", f"ulimit -f 20; exec {program} {' '.join(ROBUST)} {NOWHERE} --timeout 1"],
        input=b"\n".join(b'"%s"' % (b"x" * 1000) for _ in range(100)),
        capture_output=True,
        env=environment,
        cwd=tmp_path,
        timeout=60,
    )
    error = result.stderr.decode().splitlines()[-1]
    assert result.returncode == 1
    count = len(waiting(tmp_path / "publisher.journal"))
    assert 3 < count < 100
    assert error.startswith("hop: cannot write to the journal ")
    assert error.endswith(f"; 0 messages published, {count} messages wait in publisher.journal"), (
        error
    )
