"""`hop journal`: what waits in the journal of a robust publisher."""

from __future__ import annotations

import json
import os
import struct
import subprocess
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path
from typing import Any
from zlib import crc32

import pytest

from hop.robust_publisher import PublicationJournal, QueuedMessage, inspect_journal, read_journal
from hop.robust_publisher._dead import DeadLetters

Hop = Callable[..., Any]

LONG_AGO = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    """A journal with four messages, last written to a long time ago."""
    path = tmp_path / "publisher.journal"
    with PublicationJournal(path) as opened:
        identity = ("_id", bytes(range(16)))
        opened.queue_message(
            b'{"a": "\xc3\xa9"}', [("_format", b"json"), identity, ("x", b"\xff")], topic="gcn"
        )
        opened.queue_message(b"\x00\xff", [("_format", b"blob")], topic="gcn", key=b"S261124a")
        opened.queue_message(b"oops", [("_format", b"json")], topic="my.topic", key=b"\xff")
        opened.queue_message(b"1" * 2000, [("_format", b"blob")])
    os.utime(path, (LONG_AGO.timestamp(), LONG_AGO.timestamp()))
    return path


@pytest.fixture
def damaged(journal: Path) -> Path:
    """The same with a bit flipped in the second message."""
    content = bytearray(journal.read_bytes())
    content[content.index(b"S261124a")] ^= 1
    journal.write_bytes(content)
    return journal


@pytest.fixture
def refused(journal: Path) -> Path:
    """The same, and two messages were refused."""
    letters = DeadLetters(journal)
    letters.add(QueuedMessage(7, b"5", [("_format", b"json")], "gcn"), "Message size too large")
    letters.add(QueuedMessage(8, b"6", [("_format", b"json")]), "no topic is named")
    return journal


def report(hop: Hop, *arguments: str) -> Any:
    return json.loads(hop("journal", *arguments, "--json").stdout)


def lines(text: str) -> list[Any]:
    return [json.loads(line) for line in text.splitlines()]


def test_what_waits(hop: Hop, journal: Path) -> None:
    result = hop("journal", "show")
    assert (result.returncode, result.stderr) == (0, "")
    first, *topics, last = result.stdout.splitlines()
    assert first == "publisher.journal: 4 messages wait, 2.0 kB"
    assert [" ".join(line.split()).partition(" d ago ")[0][:-4] for line in topics] == [
        "gcn 2 messages, 13 bytes, the oldest written",
        "my.topic 1 message, 4 bytes, the oldest written",
        "(the publisher's own topic) 1 message, 2.0 kB, the oldest written",
    ]
    assert all(line.endswith("(2026-01-02 03:04:05Z) or earlier") for line in topics)
    assert last.startswith("nobody uses it; 1 file, 2.3 kB, last written to ")


def test_what_waits_as_json(hop: Hop, journal: Path) -> None:
    found = report(hop, "show")
    written = "2026-01-02T03:04:05.000Z"
    assert found == {
        "path": str(journal),
        "sound": True,
        "holder": None,
        "earlier_release": False,
        "files": 1,
        "size": journal.stat().st_size,
        "written": written,
        "waiting": 4,
        "topics": [
            {"topic": "gcn", "messages": 2, "size": 13, "written": written},
            {"topic": "my.topic", "messages": 1, "size": 4, "written": written},
            {"topic": None, "messages": 1, "size": 2000, "written": written},
        ],
        "refused": [],
        "damages": [],
        "unfinished": 0,
    }
    assert report(hop, "verify") == found


def test_another_path(hop: Hop, journal: Path, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    other = journal.rename(tmp_path / "folder" / "other")
    assert hop("journal", "show", "folder/other").stdout.startswith(
        "folder/other: 4 messages wait, 2.0 kB\n"
    )
    assert report(hop, "verify", str(other))["path"] == str(other)
    result = hop("journal", "show")
    assert result.returncode == 1
    assert result.stderr == (
        "hop: cannot show publisher.journal: there is no journal; name its file, or go to the folder"
        " where the publisher was started\n"
    )


def test_an_empty_journal(hop: Hop, tmp_path: Path) -> None:
    PublicationJournal(tmp_path / "publisher.journal").close()
    assert hop("journal", "show").stdout.startswith("publisher.journal: nothing waits\n")
    assert hop("journal", "export").stdout == ""
    assert hop("journal", "verify").stdout == "publisher.journal is sound; 0 messages wait\n"


def test_a_sound_journal(hop: Hop, journal: Path) -> None:
    result = hop("journal", "verify")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == "publisher.journal is sound; 4 messages wait\n"
    assert hop("journal", "verify", "-q").stdout == ""


def test_a_damaged_journal(hop: Hop, damaged: Path) -> None:
    result = hop("journal", "verify")
    assert (result.returncode, result.stderr) == (1, "")
    where, rest = result.stdout.splitlines()
    size, offset = map(int, where.removeprefix("publisher.journal: ").split(" ")[:5:4])
    assert offset < damaged.read_bytes().index(b"261124a") < offset + size
    assert where.endswith(" are damaged; at most 1 message is lost")
    assert rest.startswith("3 messages are sound and will be sent; ")
    assert report(hop, "verify")["damages"] == [
        {"file": str(damaged), "offset": offset, "size": size, "lost": 1}
    ]
    quiet = hop("journal", "verify", "-q")
    assert (quiet.returncode, quiet.stdout) == (1, "")
    shown = hop("journal", "show")
    assert shown.returncode == 0
    assert "`hop journal verify publisher.journal`" in shown.stdout
    assert len(lines(hop("journal", "export").stdout)) == 3
    assert list(damaged.parent.glob("*.bad")) == []


def test_an_interrupted_write_is_no_damage(hop: Hop, journal: Path) -> None:
    journal.write_bytes(journal.read_bytes()[:-5])
    result = hop("journal", "verify")
    assert result.returncode == 0
    sound, unfinished = result.stdout.splitlines()
    assert sound == "publisher.journal is sound; 3 messages wait"
    assert unfinished.endswith("of a write that was interrupted, which is no loss")


def test_exported_as_json_lines(hop: Hop, journal: Path) -> None:
    result = hop("journal", "export")
    assert (result.returncode, result.stderr) == (0, "")
    first, second, third, fourth = lines(result.stdout)
    assert first == {
        "sequence": 1,
        "topic": "gcn",
        "key": None,
        "headers": [
            ["_format", "json"],
            ["_id", {"base64": "AAECAwQFBgcICQoLDA0ODw=="}],
            ["x", {"base64": "/w=="}],
        ],
        "format": "json",
        "message": {"a": "é"},
    }
    assert (second["key"], second["message"]) == ("S261124a", {"base64": "AP8="})
    # What does not decode is shown as subscribe shows it.
    assert (third["format"], third["declared_format"]) == ("blob", "json")
    assert third["message"] == {"base64": "b29wcw=="}
    assert third["key"] == {"base64": "/w=="}
    assert "reason" in third
    assert (fourth["sequence"], fourth["topic"]) == (4, None)


def test_what_was_refused(hop: Hop, refused: Path) -> None:
    shown = hop("journal", "show").stdout
    assert "refused: 1 message to gcn: Message size too large\n" in shown
    assert (
        "refused: 1 message to (the publisher's own topic): no topic is named\n"
        "`hop journal retry-dead publisher.journal` lets what was refused wait again, "
    ) in shown
    assert report(hop, "show")["refused"] == [
        {"topic": "gcn", "reason": "Message size too large", "messages": 1},
        {"topic": None, "reason": "no topic is named", "messages": 1},
    ]
    first, second = lines(hop("journal", "export", "--dead").stdout)
    assert (first["message"], first["refused"]) == (5, "Message size too large")
    assert (second["topic"], second["message"]) == (None, 6)
    assert len(lines(hop("journal", "export").stdout)) == 4


def test_what_was_refused_is_put_back(hop: Hop, refused: Path) -> None:
    result = hop("journal", "retry-dead")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout == (
        "2 messages wait in publisher.journal again; whoever publishes with it next sends what waits\n"
    )
    assert [message.message for message in read_journal(refused)][-2:] == [b"5", b"6"]
    assert hop("journal", "retry-dead").stdout == "nothing in publisher.journal was refused\n"
    assert hop("journal", "retry-dead", "-q").stdout == ""


def test_refused_messages_are_sent_when_put_back(hop: Hop, refused: Path, url: str) -> None:
    hop("journal", "retry-dead")
    topic = url.rpartition("/")[2]
    # Those of the other topics go elsewhere; the broker makes topics as they are needed.
    assert hop("publish", "--no-auth", "--robust", url, "--timeout", "20").returncode == 0
    read = hop("subscribe", "--no-auth", url.replace(topic, "gcn"), "-s", "EARLIEST", "-e", "-j")
    assert {"format": "json", "content": 5} in lines(read.stdout)


def test_who_uses_it(hop: Hop, start: Any, journal: Path) -> None:
    process = start("publish", "--no-auth", "--robust", "kafka://127.0.0.1:9/t", "-f", "JSON")
    while inspect_journal(journal).holder is None:
        assert process.poll() is None
    assert f"\nused by process {process.pid}; 1 file" in hop("journal", "show").stdout
    assert report(hop, "verify")["holder"] == process.pid
    DeadLetters(journal).add(QueuedMessage(7, b"5", []), "too large")
    result = hop("journal", "retry-dead")
    assert result.returncode == 1
    assert result.stderr == (
        f"hop: cannot retry-dead publisher.journal: the journal {journal} is in use by the process"
        f" with pid {process.pid}; wait for it to end, or give each process its own journal_path\n"
    )


def test_a_journal_of_an_earlier_release(hop: Hop, tmp_path: Path) -> None:
    numbers = struct.pack(">QQ", 1, 3) + b"old" + struct.pack(">Q", 0)
    head = struct.pack(">QQI", 0, len(numbers), crc32(numbers))
    content = head + struct.pack(">I", crc32(head)) + numbers
    (tmp_path / "publisher.journal").write_bytes(content)
    assert "a release before 1.0 wrote it" in hop("journal", "show").stdout
    assert hop("journal", "verify").returncode == 0
    (line,) = lines(hop("journal", "export").stdout)
    assert line["message"] == {"base64": "b2xk"}
    assert [file.name for file in tmp_path.iterdir()] == ["publisher.journal"]
    assert (tmp_path / "publisher.journal").read_bytes() == content


@pytest.mark.parametrize("command", ["show", "verify", "export", "retry-dead"])
@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("missing", "there is no journal; name its file"),
        ("missing/folder", "there is no journal"),
        ("text", "is no journal"),
        (".", "is no journal: it is not a regular file"),
        ("pipe", "is no journal: it is not a regular file"),
        ("/dev/zero", "is no journal: it is not a regular file"),
        ("text/x", "Not a directory"),
        ("x" * 300, "File name too long"),
    ],
)
def test_what_is_no_journal(hop: Hop, tmp_path: Path, command: str, path: str, said: str) -> None:
    (tmp_path / "text").write_text("a shopping list\n" * 10)
    os.mkfifo(tmp_path / "pipe")
    before = sorted(tmp_path.iterdir())
    result = hop("journal", command, path)
    assert (result.returncode, result.stdout) == (1, "")
    assert result.stderr.startswith(f"hop: cannot {command} {path}: ")
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1
    assert sorted(tmp_path.iterdir()) == before


def test_a_terminal_is_not_disturbed(hop: Hop, terminal: Any, tmp_path: Path) -> None:
    path = tmp_path / "publisher.journal"
    with PublicationJournal(path) as opened:
        opened.queue_message(b'"\x1b[31m\xe2\x80\xae"', [("_format", b"json")], topic="\x1b[2J")
    DeadLetters(path).add(QueuedMessage(7, b"5", []), "\x1b[31mred\nline")
    for arguments in (["show"], ["export"], ["verify"], ["export", "--dead"]):
        session = terminal("journal", *arguments)
        assert session.end() == 0
        assert "\x1b" not in session.shown
    assert "\x1b" not in hop("journal", "show").stdout


def test_a_closed_pipe_ends_it_quietly(
    environment: dict[str, str], program: str, tmp_path: Path
) -> None:
    with PublicationJournal(tmp_path / "publisher.journal") as opened:
        for number in range(3000):
            opened.queue_message(b"%d" % number * 100)
    result = subprocess.run(
        f"{program} journal export | head -1",
        shell=True,
        capture_output=True,
        env=environment,
        cwd=tmp_path,
    )
    assert len(result.stdout.splitlines()) == 1
    assert result.stderr == b""


def test_a_closed_standard_output(environment: dict[str, str], program: str, journal: Path) -> None:
    result = subprocess.run(
        ["sh", "-c", f"exec {program} journal export >&-"],
        capture_output=True,
        env=environment,
        cwd=journal.parent,
    )
    assert result.returncode == 1
    assert result.stderr == b"hop: cannot print messages: standard output is closed\n"
