"""A reader that is killed at any moment loses nothing, and repeats only what was not committed."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable
from itertools import islice

import confluent_kafka
import pytest
from confluent_kafka import TopicPartition

from hop.auth import Auth
from hop.io import Stream
from hop.sandbox import KafkaBroker

COUNT = 400
KILLS = 3

# Reads in a group, says what it has dealt with, and marks it as done in the way that its arguments name.
READER = """
import sys
from hop.auth import Auth
from hop.io import StartPosition, Stream

url, user, password, ca, way, seed = sys.argv[1:]
auth = Auth(user, password, ssl_ca_location=ca)
stream = Stream(auth=auth, start_at=StartPosition.EARLIEST, until_eos=True)
options = {"session.timeout.ms": 6000, "auto.commit.interval.ms": 200}
with stream.open(url, "r", "hop-crash-" + way, **options) as s:
    for message, metadata in s.read(metadata=True, autocommit=way == "autocommit"):
        print(metadata.partition, metadata.offset, message.content, flush=True)
        if way == "each":
            s.mark_done(metadata, asynchronous=False)
        elif way == "some" and message.content % 7 == int(seed) % 7:
            s.mark_done(metadata)
"""


@pytest.fixture
def written(hop_kafka: KafkaBroker, hop_kafka_topic: str) -> Callable[[str], str]:
    def written(way: str) -> str:
        topic = f"crash-{way}"
        hop_kafka.create_topic(topic, 2)
        user = hop_kafka.users["hop"]
        auth = Auth(user.username, user.password, ssl_ca_location=str(hop_kafka.ca_file))
        with Stream(auth=auth).open(hop_kafka.url(topic), "w") as stream:
            for number in range(COUNT):
                stream.write(number, key=str(number))
        return topic

    return written


def committed(broker: KafkaBroker, topic: str, group: str) -> dict[int, int]:
    user = broker.users["hop"]
    auth = Auth(user.username, user.password, ssl_ca_location=str(broker.ca_file))
    consumer = confluent_kafka.Consumer(
        {"bootstrap.servers": broker.address, "group.id": group, **auth()}
    )
    found = consumer.committed([TopicPartition(topic, n) for n in (0, 1)], 30)
    consumer.close()
    return {one.partition: max(one.offset, 0) for one in found}


@pytest.mark.parametrize("way", ["autocommit", "each", "some"])
def test_a_killed_reader_loses_nothing_and_repeats_only_what_was_not_committed(
    hop_kafka: KafkaBroker, written: Callable[[str], str], way: str
) -> None:
    topic = written(way)
    user = hop_kafka.users["hop"]
    chance = random.Random(way)
    seen: set[int] = set()
    done: dict[int, int] = {0: 0, 1: 0}
    for round_ in range(KILLS + 1):
        command = [hop_kafka.url(topic), "hop", user.password, str(hop_kafka.ca_file), way]
        with subprocess.Popen(
            [sys.executable, "-c", READER, *command, str(round_)],
            stdout=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stdout is not None
            # The last one may read to the end.
            few = chance.randrange(1, COUNT // 4) if round_ < KILLS else None
            lines = list(islice(process.stdout, few))
            process.kill()
            # What it had dealt with and we had not heard of yet; its last word may be cut off.
            lines += [line for line in process.stdout if line.endswith("\n")]
        for line in lines:
            partition, offset, number = map(int, line.split())
            # Nothing before what the broker knew to be done comes again.
            assert offset >= done[partition]
            seen.add(number)
        done = committed(hop_kafka, topic, f"hop-crash-{way}")
    assert seen == set(range(COUNT))
