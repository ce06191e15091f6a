"""Brokers that are not there, programs that end, threads, and journals that grow."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import KafkaError

from hop.io import StartPosition, Stream
from hop.robust_publisher import (
    JournalFullError,
    PublicationJournal,
    PublisherError,
    RobustProducer,
)
from hop.sandbox import MemoryBroker, memory_broker

Read = Callable[..., list[Any]]
Run = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        port: int = s.getsockname()[1]
        return port


@pytest.fixture
def nowhere(port: int) -> str:
    """The URL of a broker that is not there."""
    return f"kafka://127.0.0.1:{port}/gcn"


def read_all(broker: MemoryBroker, topic: str) -> list[Any]:
    stream = Stream(auth=False, start_at=StartPosition.EARLIEST, until_eos=True)
    with stream.open(broker.url(topic), "r") as s:
        return [message.content for message in s]


def waiting(path: Path) -> list[bytes]:
    found = []
    with PublicationJournal(path) as journal:
        while (entry := journal.get_next_message_to_send()) is not None:
            found.append(entry.message)
    return found


def test_a_broker_that_comes_later(
    port: int, nowhere: str, journal_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = time.monotonic()
    publisher = RobustProducer(nowhere, auth=False, journal_path=journal_path)
    publisher.start()
    for number in range(100):
        publisher.write({"n": number})
    assert time.monotonic() - before < 1
    time.sleep(1)
    with memory_broker(["gcn"], port=port) as broker:
        assert publisher.stop() == 0
        assert [content["n"] for content in read_all(broker, "gcn")] == list(range(100))
    lines = [r.getMessage() for r in caplog.records if r.name == "hop.robust_publisher"]
    assert len(lines) == 2
    assert "out of reach" in lines[0]
    assert "Connection refused" in lines[0]
    assert "is back after" in lines[1]


def test_a_broker_that_does_not_answer_for_a_while(tmp_path: Path, journal_path: Path) -> None:
    with memory_broker(["gcn"]) as broker:
        with RobustProducer(broker.url("gcn"), auth=False, journal_path=journal_path) as publisher:
            publisher.write({"n": 0})
            while journal_path.stat().st_size:
                time.sleep(0.01)
            os.kill(broker.pid, signal.SIGSTOP)
            try:
                for number in range(1, 200):
                    publisher.write({"n": number})
                time.sleep(1)
                assert journal_path.stat().st_size > 199 * 40
            finally:
                os.kill(broker.pid, signal.SIGCONT)
        assert [content["n"] for content in read_all(broker, "gcn")] == list(range(200))


def test_a_programs_own_error_callback_is_called_too(
    nowhere: str, journal_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    heard: list[KafkaError] = []

    def error_cb(error: KafkaError) -> None:
        heard.append(error)
        raise ValueError("the program's own")

    publisher = RobustProducer(nowhere, auth=False, journal_path=journal_path, error_cb=error_cb)
    publisher.start()
    publisher.write(b"x")
    end = time.monotonic() + 10
    while "is out of reach" not in caplog.text:
        assert time.monotonic() < end
        time.sleep(0.01)
    assert publisher.stop(0) == 1
    assert KafkaError._ALL_BROKERS_DOWN in [error.code() for error in heard]
    assert "error_cb failed" in caplog.text


def test_stop_gives_up_in_time_and_says_how_many_are_left(nowhere: str, journal_path: Path) -> None:
    publisher = RobustProducer(nowhere, auth=False, journal_path=journal_path)
    publisher.start()
    publisher.write_many([b"%d" % number for number in range(20)])
    before = time.monotonic()
    assert publisher.stop(0.5) == 20
    assert time.monotonic() - before < 3
    assert publisher.stop(0.5) == 20
    assert waiting(journal_path) == [b"%d" % number for number in range(20)]


def test_an_exception_does_not_wait_for_a_dead_broker_for_ever(
    nowhere: str, journal_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    before = time.monotonic()
    publisher = RobustProducer(nowhere, auth=False, journal_path=journal_path)
    with pytest.raises(KeyError), publisher:
        publisher.write(b"x")
        raise KeyError("the program's own")
    assert time.monotonic() - before < 8
    assert waiting(journal_path) == [b"x"]
    assert "1 messages are left" in caplog.text


def test_an_exception_waits_for_a_broker_that_is_there(
    url: str, journal_path: Path, read: Read
) -> None:
    publisher = RobustProducer(url, auth=False, journal_path=journal_path)
    with pytest.raises(KeyError), publisher:
        publisher.write(b"x")
        raise KeyError("the program's own")
    assert [content for content, _ in read()] == [b"x"]


STOPPING = """
import sys
from hop.robust_publisher import RobustProducer
url, path = sys.argv[1:]
with RobustProducer(url, auth=False, journal_path=path) as publisher:
    publisher.write(b"x")
    print("written", flush=True)
"""


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, -2), (signal.SIGTERM, -15)])
def test_signals_end_the_waiting(
    nowhere: str, journal_path: Path, run: Run, number: signal.Signals, code: int
) -> None:
    process = run(STOPPING, nowhere, journal_path)
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(0.5)
    process.send_signal(number)
    before = time.monotonic()
    assert process.wait(10) == code
    assert time.monotonic() - before < 6
    assert waiting(journal_path) == [b"x"]


FORGETTING = """
import sys
from hop.robust_publisher import RobustProducer
url, path = sys.argv[1:]
publisher = RobustProducer(url, auth=False, journal_path=path)
publisher.start()
publisher.write(b"x")
"""


def test_a_program_that_forgets_to_stop(nowhere: str, journal_path: Path, run: Run) -> None:
    process = run(FORGETTING, nowhere, journal_path)
    _, err = process.communicate(timeout=10)
    assert process.returncode == 0, err
    assert "1 messages are left in the journal" in err
    assert waiting(journal_path) == [b"x"]


FORKING = """
import os, sys
from hop.robust_publisher import RobustProducer
url, path = sys.argv[1:]
with RobustProducer(url, auth=False, journal_path=path) as publisher:
    publisher.write({"who": "parent"})
    child = os.fork()
    if not child:
        for use in (lambda: publisher.write({"who": "child"}), publisher.stop):
            try:
                use()
            except RuntimeError as exc:
                print(exc, flush=True)
        os._exit(0)
    os.waitpid(child, 0)
    publisher.write({"who": "parent"})
"""


def test_a_forked_child_may_not_write(url: str, journal_path: Path, read: Read, run: Run) -> None:
    out, err = run(FORKING, url, journal_path).communicate(timeout=30)
    assert len(out.splitlines()) == 2, err
    assert all("forked" in line for line in out.splitlines())
    assert [content["who"] for content, _ in read()] == ["parent", "parent"]


def test_threads_write_in_their_own_order(url: str, journal_path: Path, read: Read) -> None:
    def write(thread: int) -> None:
        for number in range(100):
            publisher.write({"thread": thread, "n": number})

    with RobustProducer(url, auth=False, journal_path=journal_path) as publisher:
        threads = [threading.Thread(target=write, args=(n,)) for n in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    found = [content for content, _ in read()]
    for thread in range(8):
        assert [m["n"] for m in found if m["thread"] == thread] == list(range(100))


def test_durable_publishing(url: str, journal_path: Path, read: Read) -> None:
    with RobustProducer(url, auth=False, journal_path=journal_path, durable=True) as publisher:
        publisher.write({"n": 0})
        publisher.write_many(({"n": number} for number in range(1, 300)), {"h": "v"}, test=True)
    assert len(read()) == 1
    messages = read(ignoretest=False)
    assert [content["n"] for content, _ in messages] == list(range(300))
    assert len({dict(metadata.headers)["_id"] for _, metadata in messages}) == 300


def test_of_many_messages_all_are_written_or_none(nowhere: str, journal_path: Path) -> None:
    publisher = RobustProducer(nowhere, auth=False, journal_path=journal_path)
    publisher.start()
    with pytest.raises(TypeError):
        publisher.write_many([b"fine", object()])
    publisher.write_many([])
    assert publisher.stop(0) == 0


def test_topics_that_cannot_be(nowhere: str, journal_path: Path) -> None:
    publisher = RobustProducer(nowhere.removesuffix("gcn"), auth=False, journal_path=journal_path)
    publisher.start()
    with pytest.raises(ValueError, match="names a topic"):
        publisher.write("x")
    with pytest.raises(ValueError, match="1 to 249 letters"):
        publisher.write("x", topic="no such thing")
    assert publisher.stop(0) == 0


@pytest.mark.parametrize("url", ["http://broker/gcn", "kafka://broker/a,b", "kafka:///gcn"])
def test_a_url_that_makes_no_sense(url: str, journal_path: Path) -> None:
    with pytest.raises(ValueError, match=r"kafka|URL"):
        RobustProducer(url, auth=False, journal_path=journal_path)
    assert not list(journal_path.parent.iterdir())


def test_a_publisher_starts_once(nowhere: str, journal_path: Path) -> None:
    publisher = RobustProducer(nowhere, auth=False, journal_path=journal_path)
    publisher.start()
    with pytest.raises(PublisherError, match="starts once"):
        publisher.start()
    publisher.stop(0)
    with pytest.raises(PublisherError, match="starts once"):
        publisher.start()


def test_one_that_was_never_started_gives_the_journal_back(
    nowhere: str, journal_path: Path
) -> None:
    publisher = RobustProducer(nowhere, auth=False, journal_path=journal_path)
    del publisher
    with PublicationJournal(journal_path):
        pass


def test_a_full_journal_raises(nowhere: str, journal_path: Path) -> None:
    publisher = RobustProducer(
        nowhere,
        auth=False,
        journal_path=journal_path,
        max_journal_bytes=100_000,
        when_full="raise",
    )
    publisher.start()
    accepted = 0
    with pytest.raises(JournalFullError, match=r"max_journal_bytes \(100000\)"):
        for _ in range(100):
            publisher.write(bytes(2000))
            accepted += 1
    assert 40 <= accepted <= 50
    assert publisher.stop(0) == accepted
    assert sum(f.stat().st_size for f in journal_path.parent.iterdir()) < 101_000


def test_a_full_journal_blocks_until_there_is_room(
    port: int, nowhere: str, journal_path: Path
) -> None:
    publisher = RobustProducer(
        nowhere, auth=False, journal_path=journal_path, max_journal_bytes=100_000
    )
    publisher.start()
    written: list[int] = []

    def write() -> None:
        for number in range(200):
            publisher.write(b"%d " % number + bytes(2000))
            written.append(number)

    thread = threading.Thread(target=write)
    thread.start()
    thread.join(1)
    blocked = len(written)
    assert 40 <= blocked <= 50
    with memory_broker(["gcn"], port=port) as broker:
        thread.join(30)
        assert not thread.is_alive()
        assert publisher.stop() == 0
        arrived = [int(content.split()[0]) for content in read_all(broker, "gcn")]
    assert arrived == list(range(200))


def test_writing_that_is_blocked_raises_when_the_publisher_is_stopped(
    nowhere: str, journal_path: Path
) -> None:
    publisher = RobustProducer(
        nowhere, auth=False, journal_path=journal_path, max_journal_bytes=100_000
    )
    publisher.start()
    raised: list[Exception] = []

    def write() -> None:
        try:
            while True:
                publisher.write(bytes(2000))
        except RuntimeError as exc:
            raised.append(exc)

    thread = threading.Thread(target=write)
    thread.start()
    time.sleep(0.5)
    publisher.stop(0)
    thread.join(5)
    assert not thread.is_alive()
    assert "has been stopped" in str(raised[0])


@pytest.mark.parametrize(
    "options", [{"max_journal_bytes": 10}, {"when_full": "wait"}, {"on_corruption": "stop"}]
)
def test_options_that_cannot_be(nowhere: str, journal_path: Path, options: Any) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        RobustProducer(nowhere, auth=False, journal_path=journal_path, **options)


def test_when_sending_cannot_go_on_writing_and_stopping_say_so(
    port: int, nowhere: str, journal_path: Path
) -> None:
    publisher = RobustProducer(nowhere, auth=False, journal_path=journal_path)
    publisher.start()
    for number in range(150):
        publisher.write(b"%d" % number + bytes(1 << 20))
    for file in journal_path.parent.glob("*.sealed"):
        file.unlink()
        file.mkdir()
    with memory_broker(["gcn"], port=port):
        with pytest.raises(PublisherError, match="failed again and again"):
            for _ in range(100):
                publisher.write(b"x")
                time.sleep(0.1)
        with pytest.raises(PublisherError, match="IsADirectoryError"):
            publisher.stop()


def test_a_program_that_ends_the_thread_is_told(
    url: str, journal_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    options: dict[str, Any] = {"message.max.bytes": 2000}
    publisher = RobustProducer(
        url, auth=False, journal_path=journal_path, on_refused=lambda *_: sys.exit(3), **options
    )
    publisher.start()
    publisher.write(bytes(5000))
    publisher.join(10)
    with pytest.raises(PublisherError, match="SystemExit"):
        publisher.write("x")
    with pytest.raises(PublisherError, match="SystemExit"):
        publisher.stop()


MEMORY = """
import resource, sys
from hop.robust_publisher import RobustProducer
url, path = sys.argv[1:]
publisher = RobustProducer(url, auth=False, journal_path=path)
publisher.start()
publisher.write_many([bytes(1000)] * 100)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
for _ in range(600):
    publisher.write_many([bytes(1000)] * 100)
after = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
print(after - before, publisher.stop(0))
"""


def test_what_waits_is_not_kept_in_memory(nowhere: str, journal_path: Path, run: Run) -> None:
    out, err = run(MEMORY, nowhere, journal_path).communicate(timeout=60)
    grown, left = map(int, out.split())
    assert left == 60_100, err
    # 60 MB of messages wait; what grows is what is with librdkafka.
    assert grown < 48 << 10
