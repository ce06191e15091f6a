"""One process at a time works on a journal."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from hop.robust_publisher import JournalInUseError, PublicationJournal

Run = Callable[..., "subprocess.Popen[str]"]

HOLD = """
import sys, time
from hop.robust_publisher import PublicationJournal
journal = PublicationJournal(sys.argv[1])
journal.queue_message(b"theirs")
print("open", flush=True)
time.sleep(60)
"""


def test_a_second_process_is_told_who_has_it(journal_path: Path, run: Run) -> None:
    process = run(HOLD, journal_path)
    assert process.stdout is not None
    process.stdout.readline()
    with pytest.raises(JournalInUseError, match=rf"{journal_path} .* pid {process.pid}\b"):
        PublicationJournal(journal_path)
    process.kill()
    process.wait()
    with PublicationJournal(journal_path) as journal:
        assert journal.has_messages_to_send()


def test_a_second_object_in_this_process(journal_path: Path, tmp_path: Path) -> None:
    other_name = tmp_path / "other"
    other_name.symlink_to(journal_path)
    with PublicationJournal(journal_path):
        for path in (journal_path, other_name):
            with pytest.raises(
                RuntimeError, match=rf"in use by this process \(pid {os.getpid()}\)"
            ):
                PublicationJournal(path)
    with PublicationJournal(journal_path):
        pass


def test_an_object_that_is_dropped_gives_it_back(journal_path: Path) -> None:
    journal = PublicationJournal(journal_path)
    journal.queue_message(b"x")
    del journal
    with PublicationJournal(journal_path) as journal:
        assert journal.has_messages_to_send()


ENDING = """
import sys
from hop.robust_publisher import PublicationJournal
journal = PublicationJournal(sys.argv[1])
journal.queue_message(b"x")
"""


def test_a_program_may_end_without_closing_it(journal_path: Path, run: Run) -> None:
    process = run(ENDING, journal_path)
    _, err = process.communicate(timeout=10)
    assert (process.returncode, err) == (0, "")
    with PublicationJournal(journal_path) as journal:
        assert journal.has_messages_to_send()


# In the child, every use raises; it ends as Python programs do, and that does no harm to the parent.
FORK = """
import os, sys
from hop.robust_publisher import PublicationJournal
journal = PublicationJournal(sys.argv[1])
journal.queue_message(b"parent's")
child = os.fork()
if not child:
    for use in (lambda: journal.queue_message(b"child's"), journal.get_next_message_to_send):
        try:
            use()
        except RuntimeError as exc:
            print(exc, flush=True)
    journal.close()
    sys.exit()
os.waitpid(child, 0)
journal.queue_message(b"parent's, too")
print(os.getpid(), child, flush=True)
"""


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_forked_child_may_not_use_it(journal_path: Path, run: Run) -> None:
    out, err = run(FORK, journal_path).communicate(timeout=20)
    *messages, pids = out.splitlines()
    parent, child = pids.split()
    assert len(messages) == 2, err
    for message in messages:
        assert f"belongs to the process with pid {parent}" in message
        assert child in message
    with PublicationJournal(journal_path) as journal:
        found = [journal.get_next_message_to_send() for _ in range(3)]
    assert [entry and entry.message for entry in found] == [b"parent's", b"parent's, too", None]


ORPHAN = """
import os, sys, time
from hop.robust_publisher import PublicationJournal
journal = PublicationJournal(sys.argv[1])
if not os.fork():
    time.sleep(60)
    os._exit(0)
print("forked", flush=True)
time.sleep(60)
"""


def test_a_child_that_outlives_its_parent_does_not_keep_the_journal(
    journal_path: Path, run: Run
) -> None:
    process = run(ORPHAN, journal_path)
    assert process.stdout is not None
    process.stdout.readline()
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    orphans = children.read_text().split() if children.exists() else []
    process.kill()
    process.wait()
    try:
        with PublicationJournal(journal_path):
            pass
    finally:
        for orphan in orphans:
            os.kill(int(orphan), signal.SIGKILL)
