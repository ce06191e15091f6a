"""Where reading starts and ends, and what counts as done."""

from __future__ import annotations

import gc
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable
from datetime import timedelta
from itertools import islice
from typing import Any

import pytest

from hop.io import (
    ConnectError,
    Consumer,
    StartPosition,
    Stream,
    StreamClosedError,
    StreamError,
    UnknownTopicError,
)
from hop.sandbox import MemoryBroker, memory_broker

Write = Callable[..., None]

# The memory broker has whoever joins a group after somebody left it wait for this long.
WAIT = timedelta(seconds=5)
GROUP = {"session.timeout.ms": 1200, "heartbeat.interval.ms": 200}


def contents(messages: Iterable[Any]) -> list[Any]:
    return [message.content for message in messages]


def test_latest_is_everything_written_after_open_returned(write: Write, url: str) -> None:
    write(["before"])
    with Stream(auth=False).open(url) as s:
        write(["after", "and more"])
        assert contents(islice(s, 2)) == ["after", "and more"]


def test_until_eos_ends_where_the_end_was(write: Write, url: str) -> None:
    write(range(10))
    stream = Stream(auth=False, start_at=StartPosition.EARLIEST, until_eos=True)
    with stream.open(url) as s:
        write(["too late"])
        assert contents(s) == list(range(10))


def test_until_eos_on_an_empty_topic_ends_at_once(url: str) -> None:
    for start_at in StartPosition:
        with Stream(auth=False, start_at=start_at, until_eos=True).open(url) as s:
            assert list(s) == []


def test_until_eos_with_several_partitions_of_which_some_are_empty(
    hop_broker: MemoryBroker, hop_topic: str
) -> None:
    topic = f"{hop_topic}-many"
    hop_broker.create_topic(topic, 7)
    with Stream(auth=False).open(hop_broker.url(topic), "w") as stream:
        for number in range(3):
            stream.write(number, key=str(number))
    reading = Stream(auth=False, start_at=StartPosition.EARLIEST, until_eos=True)
    with reading.open(hop_broker.url(topic)) as s:
        assert sorted(contents(s)) == [0, 1, 2]


def test_without_until_eos_reading_waits_for_more(write: Write, url: str) -> None:
    write([1])
    with Stream(auth=False, start_at=StartPosition.EARLIEST).open(url) as s:
        messages = iter(s)
        assert next(messages).content == 1
        timer = threading.Timer(0.5, write, [[2]])
        timer.start()
        assert next(messages).content == 2
        timer.join()


def test_a_second_loop_goes_on_where_the_first_one_left(write: Write, url: str) -> None:
    write(range(10))
    stream = Stream(auth=False, start_at=StartPosition.EARLIEST, until_eos=True)
    with stream.open(url) as s:
        for message in s:
            if message.content == 3:
                break
        assert contents(s) == [4, 5, 6, 7, 8, 9]


def test_a_consumer_group_goes_on_where_it_left_off(write: Write, url: str) -> None:
    write(range(6))
    stream = Stream(auth=False, start_at=StartPosition.EARLIEST, until_eos=True)
    with stream.open(url, "r", "group-goes-on", **GROUP) as s:
        assert contents(islice(s, 4)) == [0, 1, 2, 3]
    # The fourth was dealt with when the stream was closed without an exception.
    with stream.open(url, "r", "group-goes-on", **GROUP) as s:
        assert contents(s) == [4, 5]
    with stream.open(url, "r", "group-goes-on", **GROUP) as s:
        assert contents(s) == []
    with stream.open(url, "r", "another-group", **GROUP) as s:
        assert contents(s) == list(range(6))


def test_a_message_whose_processing_fails_comes_again(write: Write, url: str) -> None:
    write(range(3))
    stream = Stream(auth=False, start_at=StartPosition.EARLIEST, until_eos=True)
    with pytest.raises(ZeroDivisionError), stream.open(url, "r", "failing-group", **GROUP) as s:
        for message in s:
            1 / (message.content - 1)
    with stream.open(url, "r", "failing-group", **GROUP) as s:
        assert contents(s) == [1, 2]


def test_latest_in_a_group_is_everything_written_after_open_returned(
    write: Write, url: str
) -> None:
    write(["before"])
    with Stream(auth=False).open(url, "r", "latest-group", **GROUP) as s:
        write(["after"])
        assert next(iter(s)).content == "after"


def test_without_a_group_nothing_is_remembered(write: Write, url: str) -> None:
    write(range(3))
    stream = Stream(auth=False, start_at=StartPosition.EARLIEST, until_eos=True)
    for _ in range(2):
        with stream.open(url) as s:
            assert contents(s) == [0, 1, 2]


def test_the_members_of_a_group_share_the_partitions(
    hop_broker: MemoryBroker, hop_topic: str
) -> None:
    topic = f"{hop_topic}-shared"
    hop_broker.create_topic(topic, 4)
    with Stream(auth=False).open(hop_broker.url(topic), "w") as stream:
        for number in range(200):
            stream.write(number, key=str(number))
    seen: list[Any] = []

    def member(consumer: Consumer) -> None:
        for message in consumer:
            seen.append(message.content)

    stream_ = Stream(auth=False, start_at=StartPosition.EARLIEST)
    consumers = [stream_.open(hop_broker.url(topic), "r", "sharing", **GROUP) for _ in range(2)]
    threads = [threading.Thread(target=member, args=[consumer]) for consumer in consumers]
    for thread in threads:
        thread.start()
    end = time.monotonic() + 20
    while len(set(seen)) < 200 and time.monotonic() < end:
        time.sleep(0.05)
    for consumer in consumers:
        consumer.stop()
    for thread in threads:
        thread.join(10)
    for consumer in consumers:
        consumer.close()
    assert set(seen) == set(range(200))


def test_a_stream_without_a_name_is_read_to_its_end(write: Write, url: str) -> None:
    write(range(3))
    with pytest.warns(ResourceWarning, match="unclosed stream"):
        read = contents(
            Stream(auth=False, start_at=StartPosition.EARLIEST, until_eos=True).open(url)
        )
        gc.collect()
    assert read == [0, 1, 2]


def test_other_threads_have_their_turn_while_a_quiet_stream_is_read(write: Write, url: str) -> None:
    write(range(3))
    stream = Stream(auth=False, start_at=StartPosition.EARLIEST)
    with stream.open(url, "r", "turns", **GROUP) as s:
        messages = s.read(metadata=True, autocommit=False)
        read = [next(messages) for _ in range(3)]
        reading = threading.Thread(target=lambda: list(messages))
        reading.start()
        start = time.monotonic()
        s.mark_done(read[1][1])
        assert s.lag() == {(read[0][1].topic, 0): 0}
        s.mark_done(read[0][1], asynchronous=False)
        assert time.monotonic() - start < 5
        s.stop()
        reading.join()
    with stream.open(url, "r", "turns", until_eos=True, **GROUP) as s:
        assert contents(s) == [2]


def test_stop_from_another_thread_ends_the_iteration(url: str) -> None:
    with Stream(auth=False).open(url) as s:
        timer = threading.Timer(0.2, s.stop)
        timer.start()
        assert list(s) == []
        timer.join()


def test_batches_as_documented(write: Write, url: str) -> None:
    write(range(7))
    stream = Stream(auth=False, start_at=StartPosition.EARLIEST, until_eos=True)
    with stream.open(url) as s:
        read = s.read(batch_size=3, batch_timeout=timedelta(milliseconds=50))
        assert contents(read) == list(range(7))
    with stream.open(url) as s, pytest.raises(ValueError, match="batch_size is 0"):
        s.read(batch_size=0)


def test_closing_twice_is_harmless_and_a_closed_stream_says_so(url: str) -> None:
    s = Stream(auth=False).open(url)
    messages = iter(s)
    s.close()
    s.close()
    with pytest.raises(StreamClosedError, match="the stream is closed"):
        s.read()
    with pytest.raises(StreamClosedError):
        next(messages)


def test_a_forgotten_stream_is_a_resource_warning(url: str) -> None:
    s = Stream(auth=False).open(url)
    with pytest.warns(ResourceWarning, match="unclosed stream"):
        del s
        gc.collect()


def test_a_topic_that_does_not_exist_is_named(hop_broker: MemoryBroker) -> None:
    with pytest.raises(UnknownTopicError, match=r"cannot open topic nowhere at .*no such topic"):
        Stream(auth=False).open(hop_broker.url("nowhere"))


@pytest.mark.parametrize("mode", ["r", "w"])
def test_a_broker_that_is_not_there_is_named_quickly(mode: Any) -> None:
    start = time.monotonic()
    with pytest.raises(ConnectError, match=r"at 127\.0\.0\.1:9: Connection refused") as raised:
        Stream(auth=False).open("kafka://127.0.0.1:9/gcn", mode)
    assert time.monotonic() - start < 10
    assert isinstance(raised.value, ConnectionError)
    assert not raised.value.args[0].fatal()


def test_a_host_that_nobody_knows_is_named_quickly() -> None:
    with pytest.raises(ConnectError, match=r"at no-such-host\.invalid:9092: Failed to resolve"):
        Stream(auth=False).open("kafka://no-such-host.invalid/gcn")


def test_a_broker_that_does_not_answer_is_given_up_after_the_timeout() -> None:
    import socket

    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        port = silent.getsockname()[1]
        start = time.monotonic()
        with pytest.raises(ConnectError, match=f"at 127.0.0.1:{port}"):
            Stream(auth=False).open(f"kafka://127.0.0.1:{port}/gcn", timeout=1)
        assert time.monotonic() - start < 8


def test_a_wrong_option_is_named(url: str) -> None:
    with pytest.raises(StreamError, match=r"no\.such\.option"):
        Stream(auth=False).open(url, **{"no.such.option": 1})


@pytest.mark.parametrize("mode", ["r", "w"])
def test_nothing_of_librdkafka_goes_to_stderr(mode: str) -> None:
    program = (
        "from hop.io import Stream\n"
        "try:\n"
        f"    Stream(auth=False).open('kafka://127.0.0.1:9/gcn', {mode!r})\n"
        "except ConnectionError as exc:\n"
        "    print(exc)\n"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert "Connection refused" in result.stdout
    assert (result.returncode, result.stderr) == (0, "")


def test_bodies_as_they_are(write: Write, url: str) -> None:
    write([{"a": 1}, b"\x00raw"])
    stream = Stream(auth=False, start_at=StartPosition.EARLIEST, until_eos=True)
    with stream.open(url) as s:
        assert list(s.read_raw()) == [b'{"a": 1}', b"\x00raw"]
    with stream.open(url) as s:
        assert [(body, about.offset) for body, about in s.read_raw(metadata=True)] == [  # type: ignore[str-unpack, misc]
            (b'{"a": 1}', 0),
            (b"\x00raw", 1),
        ]


def test_lists_for_loading_archives(write: Write, url: str) -> None:
    write(range(2500))
    write(["test"], test=True)
    stream = Stream(auth=False, start_at=StartPosition.EARLIEST, until_eos=True)
    with stream.open(url) as s:
        batches = list(s.read_batches(batch_size=100))
    assert [message.content for batch in batches for message in batch] == list(range(2500))
    assert max(map(len, batches)) <= 100
    with stream.open(url) as s:
        message, metadata = next(s.read_batches(metadata=True))[0]
        assert (message.content, metadata.offset) == (0, 0)


def test_a_list_counts_as_done_when_the_next_is_asked_for_or_at_the_end(
    write: Write, url: str
) -> None:
    write(range(9))
    stream = Stream(auth=False, start_at=StartPosition.EARLIEST, until_eos=True)

    def take(lists: int) -> list[Any]:
        with stream.open(url, "r", "batches", **GROUP) as s:
            batches = s.read_batches(batch_size=3, batch_timeout=WAIT)
            return [contents(next(batches)) for _ in range(lists)]

    with pytest.raises(ZeroDivisionError), stream.open(url, "r", "batches", **GROUP) as s:
        batches = s.read_batches(batch_size=3, batch_timeout=WAIT)
        assert contents(next(batches)) == [0, 1, 2]
        assert contents(next(batches)) == [3, 4, 5]
        raise ZeroDivisionError
    assert take(1) == [[3, 4, 5]]
    assert take(1) == [[6, 7, 8]]


def test_marks_may_come_in_any_order_and_go_back_only_when_told(write: Write, url: str) -> None:
    write(range(5))
    stream = Stream(auth=False, start_at=StartPosition.EARLIEST, until_eos=True)

    def marking(*offsets: int, rewind: bool = False) -> list[Any]:
        with stream.open(url, "r", "marks", **GROUP) as s:
            read = list(s.read(metadata=True, autocommit=False))
            for offset in offsets:
                for _, metadata in read:
                    if metadata.offset == offset:
                        s.mark_done(metadata, rewind=rewind)
        return [metadata.offset for _, metadata in read]

    assert marking(3, 1) == [0, 1, 2, 3, 4]
    assert marking() == [4]


def test_going_back_is_possible_when_told(write: Write, url: str) -> None:
    write(range(5))
    stream = Stream(auth=False, start_at=StartPosition.EARLIEST, until_eos=True)
    with stream.open(url, "r", "rewinding", **GROUP) as s:
        read = [metadata for _, metadata in s.read(metadata=True, autocommit=False)]
        s.mark_done(read[4], asynchronous=False)
        s.mark_done(read[1], rewind=True)
    with stream.open(url, "r", "rewinding", **GROUP) as s:
        assert contents(s) == [2, 3, 4]


def test_lag_is_what_is_behind_the_message_in_hand(write: Write, url: str, hop_topic: str) -> None:
    write(range(10))
    with Stream(auth=False, start_at=StartPosition.EARLIEST).open(url) as s:
        assert s.lag() == {(hop_topic, 0): 10}
        messages = iter(s)
        next(messages)
        assert s.lag() == {(hop_topic, 0): 9}
        for _ in range(9):
            next(messages)
        assert s.lag() == {(hop_topic, 0): 0}


def test_the_spelling_of_programs_in_use_stops_the_iteration(url: str) -> None:
    with Stream(auth=False).open(url) as s:
        timer = threading.Timer(0.2, lambda: s._consumer.stop())
        timer.start()
        assert list(s) == []
        timer.join()


def test_ctrl_c_ends_a_blocked_read_within_a_second(url: str) -> None:
    program = (
        "import sys\n"
        "from hop.io import Stream\n"
        "with Stream(auth=False).open(sys.argv[1]) as s:\n"
        "    print('reading', flush=True)\n"
        "    list(s)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, url], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        process.stdout.readline()
        time.sleep(0.3)
        start = time.monotonic()
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=10)
    assert time.monotonic() - start < 2
    assert err.rstrip().endswith(b"KeyboardInterrupt")


FORKED = """
import os, sys
from hop.io import Stream, ForkedStreamError
stream = Stream(auth=False).open(sys.argv[1], sys.argv[2])
pid = os.fork()
if pid == 0:
    try:
        next(iter(stream)) if sys.argv[2] == "r" else stream.write("from the child")
    except ForkedStreamError as exc:
        print(exc, flush=True)
    stream.close()
    sys.exit(0)
_, status = os.waitpid(pid, 0)
stream.close()
sys.exit(os.waitstatus_to_exitcode(status))
"""


@pytest.mark.parametrize("mode", ["r", "w"])
def test_a_forked_child_is_told_and_does_not_hang(url: str, mode: str) -> None:
    result = subprocess.run(
        [sys.executable, "-W", "error", "-c", FORKED, url, mode],
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert result.stdout == "the stream was opened in another process; open one in each process\n"
    assert (result.returncode, result.stderr) == (0, "")


def test_a_broker_that_goes_away_is_waited_for(caplog: pytest.LogCaptureFixture) -> None:
    import socket

    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    broker = memory_broker(["gcn"], port=port)
    options = {"topic.metadata.refresh.interval.ms": 300, "reconnect.backoff.max.ms": 500}
    with Stream(auth=False).open(broker.url("gcn"), **options) as s:
        timer = threading.Timer(2, s.stop)
        broker.stop()
        timer.start()
        assert list(s) == []
        timer.join()
        assert caplog.text.count("no broker answers at") == 1
        with memory_broker(["gcn"], port=port):
            timer = threading.Timer(3, s.stop)
            timer.start()
            assert list(s) == []
            timer.join()
        assert caplog.text.count("answers again, after") == 1
