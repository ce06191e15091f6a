"""Brokers that die, pause and come back, and what is left when a broker or its program ends."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from confluent_kafka import Message, Producer
from confluent_kafka.admin import AdminClient

from hop.sandbox import KafkaBroker, SandboxError, kafka_broker

Produce = Callable[..., list[str | None]]
Read = Callable[..., list[Message]]
Eventually = Callable[..., bool]


@pytest.fixture(scope="module")
def broker() -> Iterator[KafkaBroker]:
    """One that the tests of this module may end: they leave it running."""
    with kafka_broker(["gcn"]) as broker:
        yield broker


def values(messages: list[Message]) -> list[bytes | None]:
    return [message.value() for message in messages]


def test_a_broker_that_was_killed_comes_back_with_what_it_stored(
    broker: KafkaBroker, produce: Produce, read: Read, closed: Callable[[str], bool]
) -> None:
    config, address, pids = broker.users["hop"].client_config, broker.address, broker.pids
    broker.create_topic("killed")
    assert produce(config, "killed", b"before") == [None]
    broker.kill()
    assert not broker.running
    assert broker.nodes == []
    assert broker.pids == {}
    assert closed(address)
    assert produce(config, "killed", b"lost", seconds=1) == ["_MSG_TIMED_OUT"]
    with pytest.raises(SandboxError, match="cannot create topic 'x': the broker has stopped"):
        broker.create_topic("x")
    with pytest.raises(SandboxError, match="cannot add user 'x': the broker has stopped"):
        broker.add_user("x")
    broker.restart()
    assert broker.address == address
    assert broker.pids.keys() == pids.keys()
    assert broker.pids != pids
    assert produce(config, "killed", b"after") == [None]
    assert values(read(config, "killed", 2)) == [b"before", b"after"]


def test_a_running_broker_restarts_in_good_order(
    broker: KafkaBroker, produce: Produce, read: Read
) -> None:
    config = broker.users["hop"].client_config
    broker.create_topic("restarted")
    assert produce(config, "restarted", b"before") == [None]
    broker.restart(1)
    assert broker.nodes == [1]
    assert values(read(config, "restarted", 1)) == [b"before"]
    # After a crash this would say that it recovers its logs.
    assert "Skipping recovery" in broker.logs[1].read_text()


def test_a_paused_broker_is_silent_and_goes_on_where_it_was(
    broker: KafkaBroker, produce: Produce, read: Read, closed: Callable[[str], bool]
) -> None:
    config = broker.users["hop"].client_config
    broker.create_topic("paused")
    delivered: list[str] = []
    producer = Producer({**config, "log_level": 0})
    producer.produce("paused", b"one", on_delivery=lambda error, _: delivered.append("one"))
    producer.flush(10)
    broker.pause()
    producer.produce("paused", b"two", on_delivery=lambda error, _: delivered.append("two"))
    producer.flush(1)
    assert delivered == ["one"]
    assert broker.running
    assert not closed(broker.address)
    broker.resume()
    producer.flush(20)
    assert delivered == ["one", "two"]
    assert values(read(config, "paused", 2)) == [b"one", b"two"]


def test_a_paused_broker_can_be_restarted(broker: KafkaBroker, produce: Produce) -> None:
    broker.pause()
    broker.restart()
    assert produce(broker.users["hop"].client_config, "gcn", b"x") == [None]


def test_a_broker_that_was_killed_is_not_paused_and_comes_back(broker: KafkaBroker) -> None:
    broker.kill()
    broker.pause()
    broker.resume()
    broker.restart()
    assert broker.running


def test_two_brokers_side_by_side_share_nothing_and_one_that_dies_is_noticed(
    broker: KafkaBroker, eventually: Eventually
) -> None:
    with kafka_broker(["only-here"], users=["alice"]) as other:
        assert other.address != broker.address
        assert other.folder != broker.folder
        assert "only-here" not in broker.topics()
        assert other.topics() == {"only-here": 1, "sys.metadata": 1}
        assert other.users.keys() == {"alice"}
        os.kill(other.pids[1], signal.SIGKILL)
        assert eventually(lambda: not other.running)
        assert broker.running
    assert not other.folder.exists()


def test_every_broker_shows_a_topic_to_who_may_use_it_once_it_has_been_created() -> None:
    with kafka_broker(users=["alice"], brokers=3) as three:
        login = three.users["alice"].client_config
        for number in range(6):
            name = f"t{number}"
            # A broker that has been still for a moment learns of everything at once, and late.
            late = 1 + number % 3
            three.pause(late)
            resumed = threading.Timer(0.3, three.resume, [late])
            resumed.start()
            three.create_topic(name, read=["alice"], write=["alice"])
            for address in three.bootstrap_servers.split(","):
                # Whichever broker it asks.
                client = AdminClient({**login, "bootstrap.servers": address})
                assert client.list_topics(name, timeout=10).topics[name].error is None, name
            resumed.join()


def test_with_three_brokers_one_may_die(
    produce: Produce, read: Read, eventually: Eventually
) -> None:
    with kafka_broker({"gcn": 1}, brokers=3) as three:
        config = three.users["hop"].client_config
        assert three.nodes == [1, 2, 3]
        assert len(three.bootstrap_servers.split(",")) == 3
        assert three.users["hop"].hostname == "127.0.0.1"
        assert produce(config, "gcn", b"before") == [None]
        leader, address = three.leader("gcn"), three.address
        three.kill(leader)
        assert three.nodes == [node for node in (1, 2, 3) if node != leader]
        assert produce({**config, "acks": "all"}, "gcn", b"meanwhile") == [None]
        assert three.leader("gcn") != leader
        assert values(read(config, "gcn", 2)) == [b"before", b"meanwhile"]
        # Users and topics are made as before.
        user = three.add_user("alice")
        three.create_topic("new", write=["alice"])
        assert produce(user.client_config, "new", b"x") == [None]
        if leader == 1:
            assert three.address != address
        three.restart(leader)
        assert three.nodes == [1, 2, 3]
        assert three.address == address
        # It catches up with what it missed.
        assert eventually(lambda: is_in_sync(three, leader), 30)


def is_in_sync(broker: KafkaBroker, node: int) -> bool:
    topic = AdminClient(broker.admin_config).list_topics("gcn", timeout=10).topics["gcn"]
    return node in topic.partitions[0].isrs


def test_stopping_leaves_nothing_even_of_a_paused_broker(
    closed: Callable[[str], bool], gone: Callable[[int], bool]
) -> None:
    broker = kafka_broker()
    (pid,) = broker.pids.values()
    ports = [broker.address, str(broker.admin_config["bootstrap.servers"])]
    assert not any(closed(port) for port in ports)
    broker.pause()
    broker.stop()
    broker.stop()
    assert not broker.running
    assert gone(pid)
    assert all(closed(port) for port in ports)
    assert not broker.folder.exists()
    with pytest.raises(SandboxError, match="the sandbox has stopped"):
        broker.kill()


PROGRAM = """
import json, os, signal, time
from hop.sandbox import kafka_broker

broker = kafka_broker()
if {paused}:
    broker.pause()
if {forks} and not os.fork():
    time.sleep(20)  # holds what it was given when it was forked
    os._exit(0)
print(json.dumps([broker.address, broker.pids[1], str(broker.folder)]), flush=True)
os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.mark.parametrize(("paused", "forks"), [(True, False), (False, True)])
def test_nothing_is_left_when_the_program_is_killed(
    paused: bool,
    forks: bool,
    tmp_path: Path,
    closed: Callable[[str], bool],
    gone: Callable[[int], bool],
    eventually: Eventually,
) -> None:
    program = PROGRAM.format(paused=paused, forks=forks)
    process = subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        env={**os.environ, "TMPDIR": str(tmp_path)},
        start_new_session=True,
    )
    assert process.stdout is not None
    address, pid, folder = json.loads(process.stdout.readline())
    assert process.wait(10) == -signal.SIGKILL
    assert Path(folder).parent == tmp_path
    assert eventually(lambda: gone(pid))
    assert eventually(lambda: not list(tmp_path.iterdir()))
    assert closed(address)
    # What Java leaves in the system's own folder is under its number.
    assert not list(Path(tempfile.gettempdir()).glob(f"hsperfdata_*/{pid}"))
    if forks:
        os.killpg(process.pid, signal.SIGKILL)
    process.stdout.close()
