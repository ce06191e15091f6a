"""`hop sandbox` as `python -m hop.sandbox`, run as a process."""

from __future__ import annotations

import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from confluent_kafka.admin import AdminClient

COMMAND = [sys.executable, "-m", "hop.sandbox"]


@contextmanager
def running(*options: str) -> Iterator[tuple[subprocess.Popen[str], list[str]]]:
    with subprocess.Popen(
        [*COMMAND, *options], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        try:
            yield process, [process.stdout.readline() for _ in range(3)]
        finally:
            process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_prints_lines_to_copy_and_stops_cleanly(number: signal.Signals) -> None:
    with running("--topic", "gcn:3", "--topic", "igwn") as (process, lines):
        found = re.search(r"running at (127\.0\.0\.1:\d+)\.", lines[0])
        assert found is not None
        address = found[1]
        assert f"hop publish --no-auth kafka://{address}/gcn -f CIRCULAR FILE" in lines[1]
        assert f"hop subscribe --no-auth kafka://{address}/gcn -s EARLIEST" in lines[2]
        topics = AdminClient({"bootstrap.servers": address}).list_topics(timeout=10).topics
        assert {name: len(topic.partitions) for name, topic in topics.items()} == {
            "gcn": 3,
            "igwn": 1,
        }
        process.send_signal(number)
        out, err = process.communicate(timeout=10)
        assert (process.returncode, out, err) == (0, "The broker has stopped.\n", "")


def test_it_listens_where_it_is_told() -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with running("--port", str(port)) as (_, lines):
        assert f"running at 127.0.0.1:{port}." in lines[0]


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (["--topic", "a b"], 1, "hop: cannot create topic 'a b': "),
        (["--topic", "gcn:0"], 1, "hop: cannot create topic 'gcn' with 0 partitions: "),
        (["--port", "70000"], 1, "hop: cannot listen on port 70000: "),
        (["--port", "x"], 2, "argument --port: invalid int value: 'x'"),
        (["--topic", "gcn:x"], 2, "argument --topic: 'gcn:x': the number of partitions"),
    ],
)
def test_what_cannot_be_done_is_said_on_one_line(
    options: list[str], code: int, message: str
) -> None:
    result = subprocess.run([*COMMAND, *options], capture_output=True, text=True, timeout=30)
    assert result.returncode == code
    assert result.stdout == ""
    assert message in result.stderr.splitlines()[-1]
    assert "Traceback" not in result.stderr
