"""What a group comes back to, after any sequence of reading, marking, closing, failing and being killed.

Each reader is a process. For each partition the offset where the next one starts has a lower bound, what the broker is
sure to know, and an upper one, what was done: below it a message repeats without need, above it one is lost.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from hop.auth import Auth
from hop.io import Stream
from hop.sandbox import KafkaBroker

READER = Path(__file__).with_name("reader.py")
PARTITIONS, MESSAGES = 2, 40

Partition = int
Place = tuple[Partition, int]


@dataclass
class Bounds:
    """Where each partition is gone on with, at least and at most."""

    least: dict[Partition, int] = field(default_factory=lambda: defaultdict(int))
    most: dict[Partition, int] = field(default_factory=lambda: defaultdict(int))

    def done(self, place: Place) -> None:
        partition, offset = place
        self.most[partition] = max(self.most[partition], offset + 1)

    def known(self, place: Place) -> None:
        partition, offset = place
        self.least[partition] = max(self.least[partition], offset + 1)


@st.composite
def sessions(draw: st.DrawFn) -> tuple[bool, list[Any], str]:
    """Whether it commits by itself, what it does, and how it ends; a number marks one of those read so far."""
    autocommit = draw(st.booleans())
    reads = st.just("read")
    marks = st.tuples(st.sampled_from(["mark", "commit"]), st.integers(0, 99))
    steps = draw(st.lists(reads if autocommit else st.one_of(reads, reads, marks), max_size=14))
    return autocommit, steps, draw(st.sampled_from(["close", "raise", "kill"]))


@pytest.fixture(scope="module")
def topic_url(hop_kafka: KafkaBroker) -> str:
    hop_kafka.create_topic("committing", PARTITIONS)
    user = hop_kafka.users["hop"]
    auth = Auth(user.username, user.password, ssl_ca_location=str(hop_kafka.ca_file))
    with Stream(auth=auth).open(hop_kafka.url("committing"), "w") as stream:
        for number in range(MESSAGES):
            stream.write(number, key=str(number))
    return hop_kafka.url("committing")


@pytest.fixture(scope="module")
def environment(hop_kafka: KafkaBroker) -> dict[str, str]:
    user = hop_kafka.users["hop"]
    credential = {"HOP_USER": user.username, "HOP_PASSWORD": user.password}
    return {**os.environ, **credential, "HOP_CA": str(hop_kafka.ca_file)}


# An example takes seconds: what fails is shown as it is, and not made smaller first.
@settings(max_examples=8, deadline=None, phases=[Phase.explicit, Phase.reuse, Phase.generate])
@given(history=st.lists(sessions(), min_size=2, max_size=4))
def test_nothing_is_lost_and_nothing_known_as_done_repeats(
    topic_url: str, environment: dict[str, str], history: list[tuple[bool, list[Any], str]]
) -> None:
    bounds = Bounds()
    arguments = [topic_url, f"hop-{uuid4().hex}"]
    for autocommit, steps, ending in history:
        _session(arguments, environment, bounds, autocommit, steps, ending)
    # Whoever comes last reads all that is left.
    _session(arguments, environment, bounds, True, ["read"] * (MESSAGES + 1), "close")
    assert sum(bounds.most.values()) == MESSAGES


def _session(
    arguments: list[str],
    environment: dict[str, str],
    bounds: Bounds,
    autocommit: bool,
    steps: list[Any],
    ending: str,
) -> None:
    with subprocess.Popen(
        [sys.executable, READER, *arguments, str(autocommit)],
        env=environment,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as reader:
        assert reader.stdin is not None
        assert reader.stdout is not None

        def tell(*what: Any) -> None:
            print(json.dumps(what), file=reader.stdin, flush=True)

        read: list[Place] = []
        done: list[Place] = []
        following: dict[Partition, int] = {}
        for step in steps:
            if step == "read":
                tell("read")
                answer = json.loads(reader.stdout.readline())
                if autocommit and read:
                    done.append(read[-1])
                if answer is None:
                    break
                partition, offset = answer
                if partition in following:
                    assert offset == following[partition]
                else:
                    assert bounds.least[partition] <= offset <= bounds.most[partition]
                following[partition] = offset + 1
                read.append((partition, offset))
            elif read:
                what, number = step
                place = read[number % len(read)]
                tell(what, *place)
                reader.stdout.readline()
                done.append(place)
                if what == "commit":
                    bounds.known(place)
        if autocommit and ending == "close" and read:
            done.append(read[-1])
        for place in done:
            bounds.done(place)
        if ending == "kill":
            reader.kill()
            return
        tell(ending)
    assert reader.returncode == (0 if ending == "close" else 1)
    for place in done:
        bounds.known(place)
