"""What is on disk when, and what happens when the disk fails."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from hop.robust_publisher import JournalFullError, PublicationJournal, inspect_journal

Run = Callable[..., "subprocess.Popen[str]"]

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="finds the file by its descriptor")

# The journal's descriptor is given to /dev/null, which takes what is written, keeps nothing, and reports a failure when
# asked to bring it to disk: a disk that fails.
FAILING_DISK = """
import os, resource, sys, time
from pathlib import Path
from hop.robust_publisher import PublicationJournal
path, durable = Path(sys.argv[1]), sys.argv[2] == "durable"
journal = PublicationJournal(path, durable=durable)

def fail():
    [mine] = [fd for fd in os.listdir("/proc/self/fd")
              if os.path.realpath("/proc/self/fd/" + fd) == os.path.realpath(path)]
    os.dup2(os.open("/dev/null", os.O_RDWR), int(mine))

def limit(size):
    hard = resource.getrlimit(resource.RLIMIT_FSIZE)[1]
    resource.setrlimit(resource.RLIMIT_FSIZE, (hard if size is None else size, hard))

def attempt(body):
    try:
        journal.queue_message(body)
    except RuntimeError as exc:
        print("refused:", exc, flush=True)
    else:
        print("accepted", flush=True)

def end():
    os.kill(os.getpid(), 9)
"""


def bodies(path: Path) -> list[bytes]:
    found = []
    with PublicationJournal(path) as journal:
        while (entry := journal.get_next_message_to_send()) is not None:
            found.append(entry.message)
    return found


@linux_only
def test_what_the_failing_disk_lost_is_written_to_another_file(
    journal_path: Path, run: Run
) -> None:
    program = """
attempt(b"on disk")
time.sleep(0.3)
fail()
attempt(b"lost by the disk")
time.sleep(0.3)
attempt(b"after")
end()
"""
    out, err = run(FAILING_DISK + program, journal_path, "default").communicate()
    assert out == "accepted\n" * 3, err
    assert "cannot bring to disk the journal" in err
    assert bodies(journal_path) == [b"on disk", b"lost by the disk", b"after"]


@linux_only
def test_what_is_in_both_files_is_there_once(journal_path: Path, run: Run) -> None:
    program = """
attempt(b"on disk")
time.sleep(0.3)
attempt(b"in both")
fail()
time.sleep(0.3)
attempt(b"after")
end()
"""
    out, err = run(FAILING_DISK + program, journal_path, "default").communicate()
    assert out == "accepted\n" * 3, err
    assert b"in both" in journal_path.read_bytes()
    [older] = journal_path.parent.glob("*.sealed")
    assert b"in both" in older.read_bytes()
    with PublicationJournal(journal_path) as journal:
        found = [journal.get_next_message_to_send() for _ in range(4)]
        assert not journal.has_messages_to_send()
    assert [entry and entry.message for entry in found] == [b"on disk", b"in both", b"after", None]


@linux_only
def test_durable_writing_returns_only_when_it_is_on_another_file(
    journal_path: Path, run: Run
) -> None:
    program = """
attempt(b"on disk")
fail()
attempt(b"lost by the disk")
end()
"""
    out, err = run(FAILING_DISK + program, journal_path, "durable").communicate()
    assert out == "accepted\n" * 2, err
    assert bodies(journal_path) == [b"on disk", b"lost by the disk"]


@linux_only
@pytest.mark.parametrize("mode", ["durable", "default"])
def test_when_no_other_file_can_be_written_writing_raises(
    journal_path: Path, run: Run, mode: str
) -> None:
    program = """
attempt(b"on disk")
time.sleep(0.3)
fail()
limit(10)
attempt(b"nowhere")
time.sleep(0.3)
attempt(b"nowhere either")
limit(None)
attempt(b"after")
while (entry := journal.get_next_message_to_send()) is not None:
    print(entry.message.decode(), flush=True)
end()
"""
    out, err = run(FAILING_DISK + program, journal_path, mode).communicate()
    lines = out.splitlines()
    refused = [line.startswith("refused: cannot ") for line in lines[:4]]
    if mode == "durable":
        assert refused == [False, True, True, False], err
        left = ["on disk", "after"]
    else:
        # The first was accepted when the failure was not known yet: it is not forgotten.
        assert refused == [False, False, True, False], err
        left = ["on disk", "nowhere", "after"]
    assert lines[4:] == left
    assert [body.decode() for body in bodies(journal_path)] == left


def test_durable_writing_of_many_threads(journal_path: Path) -> None:
    def write(thread: int) -> None:
        for number in range(50):
            journal.queue_message(b"%d %d" % (thread, number))

    with PublicationJournal(journal_path, durable=True) as journal:
        threads = [threading.Thread(target=write, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    found = [tuple(map(int, body.split())) for body in bodies(journal_path)]
    assert len(found) == 400
    for n in range(8):
        assert [number for thread, number in found if thread == n] == list(range(50))


def test_closing_while_it_is_brought_to_disk(journal_path: Path) -> None:
    for number in range(60):
        journal = PublicationJournal(journal_path)
        journal.queue_message(bytes(100_000))
        # about when the thread that brings it to disk begins to
        time.sleep(0.0295 + number % 10 * 0.0001)
        closing = threading.Thread(target=journal.close, daemon=True)
        closing.start()
        closing.join(10)
        assert not closing.is_alive()


RESERVED = """
import os, sys
from pathlib import Path
from hop.robust_publisher import PublicationJournal
path = Path(sys.argv[1])
sizes = []
journal = PublicationJournal(path, durable=sys.argv[2] == "durable")
for number in range(3000):
    journal.queue_message(b"%d " % number + bytes(1000) + b".")
    sizes.append(path.stat().st_size)
print(len(set(sizes)), flush=True)
if sys.argv[3] == "closed":
    journal.close()
os.kill(os.getpid(), 9)
"""


@pytest.mark.parametrize("end", ["closed", "killed"])
@pytest.mark.parametrize("mode", ["durable", "default"])
def test_writing_seldom_makes_the_file_longer(
    journal_path: Path, run: Run, mode: str, end: str, caplog: pytest.LogCaptureFixture
) -> None:
    out, err = run(RESERVED, journal_path, mode, end).communicate()
    assert err == ""
    # To bring a file to disk that has become longer takes much more time.
    assert int(out) < 60
    size = journal_path.stat().st_size
    report = inspect_journal(journal_path)
    assert (report.damages, report.unfinished) == ((), 0)
    assert [body[:-1001] for body in bodies(journal_path)] == [b"%d " % n for n in range(3000)]
    assert caplog.text == ""
    assert (journal_path.stat().st_size < size) == (end == "killed")


def test_a_durable_journal_with_a_limit_keeps_to_it(journal_path: Path) -> None:
    limit = 1 << 20
    with PublicationJournal(journal_path, durable=True, max_journal_bytes=limit) as journal:
        with pytest.raises(JournalFullError):
            while True:
                journal.queue_message(bytes(10_000))
        files = [*journal_path.parent.glob("*.sealed"), journal_path]
        assert sum(file.stat().st_size for file in files) <= limit
