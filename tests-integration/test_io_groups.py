"""Members of a group that come, leave and are killed while a topic is written to: nothing is lost, or read by two.

Each member is a process. It is slower than what lies ready for it, so that it is in the midst of what it has fetched
whenever its share changes.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator

import pytest

from hop.auth import Auth
from hop.io import Stream
from hop.sandbox import KafkaBroker

PARTITIONS = 6
# Messages that are there at the start, and a second.
BACKLOG, RATE = 3000, 300
# Members learn soon that somebody has come; what was read is committed no sooner than it has to be.
OPTIONS = {"heartbeat.interval.ms": 200, "auto.commit.interval.ms": 60_000}
# How many members leave while another one joins.
CHANGES = 8

MEMBER = """
import json, os, signal, sys, time
from hop.auth import Auth
from hop.io import StartPosition, Stream

url, group, options = sys.argv[1:]
auth = Auth(os.environ["HOP_USER"], os.environ["HOP_PASSWORD"], ssl_ca_location=os.environ["HOP_CA"])
stream = Stream(auth=auth, start_at=StartPosition.EARLIEST)
leaving = []
with stream.open(url, "r", group, **json.loads(options)) as s:
    signal.signal(signal.SIGTERM, lambda *_: s.stop())
    signal.signal(signal.SIGUSR1, lambda *_: leaving.append(True))
    print("joining", flush=True)
    for message, metadata in s.read(metadata=True):
        time.sleep(0.002)
        print(metadata.partition, metadata.offset, message.content, flush=True)
        if leaving:
            break
"""

# How a member leaves in good order: its loop is ended from outside, or it leaves the loop itself.
STOP, BREAK = signal.SIGTERM, signal.SIGUSR1


def until(condition: Callable[[], object], what: str) -> None:
    end = time.monotonic() + 30
    while not condition():
        assert time.monotonic() < end, f"not within 30 s: {what}"
        time.sleep(0.02)


class Member:
    """A process that reads in a group.

    Attributes:
        joining: whether it has opened its stream.
        read: partition, offset and content of each message that it has dealt with.
    """

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self.joining = False
        self.read: list[tuple[int, int, int]] = []
        self._process = subprocess.Popen(
            [sys.executable, "-c", MEMBER, *command],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **environment},
        )
        self._listening = threading.Thread(target=self._listen)
        self._listening.start()

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                self.joining = True
                if (
                    line.endswith("\n") and line != "joining\n"
                ):  # the last word of one that is killed may be cut off
                    partition, offset, number = map(int, line.split())
                    self.read.append((partition, offset, number))

    @property
    def partitions(self) -> set[int]:
        """Those of which it has read something."""
        return {partition for partition, _, _ in self.read}

    def end(self, how: signal.Signals) -> int:
        """Tell it to end, and how it did."""
        self._process.send_signal(how)
        code = self._process.wait(30)
        self._listening.join()
        return code

    @property
    def running(self) -> bool:
        return self._process.poll() is None


class Load:
    """Somebody who writes one number after the other, to all partitions, until told to stop.

    Attributes:
        written: how many have been written.
    """

    def __init__(self, auth: Auth, url: str) -> None:
        self.written = 0
        self._over = threading.Event()
        self._stream = Stream(auth=auth).open(url, "w")
        self._write(BACKLOG)
        self._stream.flush()
        self._writing = threading.Thread(target=self._go_on)
        self._writing.start()

    def _write(self, count: int) -> None:
        for number in range(self.written, self.written + count):
            self._stream.write(number, key=str(number))
        self.written += count

    def _go_on(self) -> None:
        while not self._over.wait(0.05):
            self._write(RATE // 20)

    def stop(self) -> int:
        """Stop, and how many messages there are on the broker."""
        self._over.set()
        self._writing.join()
        self._stream.close()
        return self.written


class Group:
    """A group that reads a topic under load."""

    def __init__(self, broker: KafkaBroker, topic: str, options: dict[str, int]) -> None:
        user = broker.users["hop"]
        url = broker.url(topic)
        self.members: list[Member] = []
        self._command = [url, f"hop-{topic}", json.dumps({**OPTIONS, **options})]
        self._environment = {
            "HOP_USER": user.username,
            "HOP_PASSWORD": user.password,
            "HOP_CA": str(broker.ca_file),
        }
        auth = Auth(user.username, user.password, ssl_ca_location=str(broker.ca_file))
        self._load = Load(auth, url)

    def join(self) -> Member:
        """One more member."""
        self.members.append(Member(self._command, self._environment))
        return self.members[-1]

    def settle(self) -> None:
        """Wait until each member has a share."""
        for member in self.members:
            if member.running:
                before = len(member.read)
                until(lambda m=member, n=before: len(m.read) > n + 50, "a member has no share")  # type: ignore[misc]

    def finish(self) -> Counter[int]:
        """Stop writing, have all read, and end: how often each message was read."""
        count = self._load.stop()
        until(lambda: len(self.times) == count, "some messages were not read")
        for member in self.members:
            if member.running:
                assert member.end(STOP) == 0
        assert self.times.keys() == set(range(count))
        for member in self.members:
            offsets = defaultdict(list)
            for partition, offset, _ in member.read:
                offsets[partition].append(offset)
            assert all(list_ == sorted(set(list_)) for list_ in offsets.values())
        return self.times

    @property
    def times(self) -> Counter[int]:
        return Counter(number for member in self.members for _, _, number in list(member.read))

    def clean_up(self) -> None:
        self._load.stop()
        for member in self.members:
            if member.running:
                member.end(signal.SIGKILL)


@pytest.fixture
def group(hop_kafka: KafkaBroker, request: pytest.FixtureRequest) -> Iterator[Callable[..., Group]]:
    groups: list[Group] = []

    def group(**options: int) -> Group:
        topic = request.node.name
        hop_kafka.create_topic(topic, PARTITIONS)
        groups.append(Group(hop_kafka, topic, options))
        return groups[-1]

    yield group
    for one in groups:
        one.clean_up()


def test_members_take_the_place_of_others_that_leave(group: Callable[..., Group]) -> None:
    those = group()
    for _ in range(3):
        those.join()
    those.settle()
    # Sooner and later: before the others share anew because of the one that joins, while they do so, and after.
    for number in range(CHANGES):
        joins, leaves = those.join(), those.members[number]
        until(lambda m=joins: m.joining, "a member does not start")  # type: ignore[misc]
        time.sleep(number / CHANGES)
        assert leaves.end(BREAK if number % 2 else STOP) == 0
    those.settle()
    times = those.finish()
    assert not {number: count for number, count in times.items() if count > 1}


def test_members_join_while_others_read(group: Callable[..., Group]) -> None:
    those = group()
    for _ in range(3):
        those.join()
        those.settle()
    times = those.finish()
    assert not {number: count for number, count in times.items() if count > 1}
    assert all(member.read for member in those.members)


def test_the_share_of_a_member_that_is_killed_is_taken_over(group: Callable[..., Group]) -> None:
    # What is committed too early is lost, so that it is committed often.
    those = group(**{"session.timeout.ms": 1000, "auto.commit.interval.ms": 50})
    victim, *others = (those.join() for _ in range(3))
    those.settle()
    assert victim.end(signal.SIGKILL) == -signal.SIGKILL
    # What it would have read next, wherever it was.
    reached = {partition: offset for partition, offset, _ in victim.read}
    assert reached

    def taken_over() -> bool:
        further = dict.fromkeys(reached, -1)
        for member in others:
            for partition, offset, _ in list(member.read):
                further[partition] = max(further.get(partition, -1), offset)
        return all(further[partition] > offset for partition, offset in reached.items())

    until(taken_over, "a partition of the member that was killed is not read")
    times = those.finish()
    # What it had read and not committed comes again, and nothing else does.
    of_victim = {number for _, _, number in victim.read}
    assert {number for number, count in times.items() if count > 1} <= of_victim
    assert max(times.values()) <= 2
