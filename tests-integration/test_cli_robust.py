"""`hop publish --robust` and `hop journal` with Apache Kafka, which refuses messages, goes away and comes back."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sysconfig
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from confluent_kafka.admin import (
    AdminClient,
    AlterConfigOpType,
    ConfigEntry,
    ConfigResource,
    ResourceType,
)
from installing import ROOT, clean_environment

from hop.auth import Auth, write_auth_data
from hop.sandbox import KafkaBroker, kafka_broker

USER = "hop"

Hop = Callable[..., "subprocess.CompletedProcess[str]"]


def stored_credential(broker: KafkaBroker, folder: Path, password: str = "") -> dict[str, str]:
    """An environment in which the credential of a user is stored."""
    user = broker.users[USER]
    auth = Auth(USER, password or user.password, ssl_ca_location=str(broker.ca_file))
    write_auth_data(folder / "config" / "hop" / "auth.toml", [auth])
    programs = sysconfig.get_path("scripts")
    return {
        **clean_environment(),
        "XDG_CONFIG_HOME": str(folder / "config"),
        "PATH": os.pathsep.join([programs, os.environ.get("PATH", "")]),
    }


def hop_in(folder: Path, environment: dict[str, str]) -> Hop:
    def run(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["hop", *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            env=environment,
            cwd=folder,
            timeout=120,
        )

    return run


@pytest.fixture
def hop(hop_kafka: KafkaBroker, tmp_path: Path) -> Hop:
    return hop_in(tmp_path, stored_credential(hop_kafka, tmp_path))


@pytest.fixture
def url(hop_kafka: KafkaBroker, hop_kafka_topic: str) -> str:
    return hop_kafka.url(hop_kafka_topic)


def received(hop: Hop, url: str) -> list[object]:
    read = hop("subscribe", url, "-s", "EARLIEST", "-e", "-j")
    return [json.loads(line)["content"] for line in read.stdout.splitlines()]


def set_limit(broker: KafkaBroker, topic: str, size: int) -> None:
    """Let a topic take messages up to this size, in bytes."""
    entry = ConfigEntry("max.message.bytes", str(size), incremental_operation=AlterConfigOpType.SET)
    resource = ConfigResource(ResourceType.TOPIC, topic, incremental_configs=[entry])
    admin = AdminClient(broker.admin_config)
    for future in admin.incremental_alter_configs([resource]).values():
        future.result(20)


def test_published_by_a_user(hop: Hop, url: str) -> None:
    result = hop("publish", "--robust", url, "-f", "JSON", stdin="1\n2\n3\n")
    assert (result.returncode, result.stdout) == (0, "")
    assert result.stderr.startswith("published 3 messages to ")
    assert result.stderr.endswith("; none waits in publisher.journal\n")
    assert received(hop, url) == [1, 2, 3]
    sent = hop("subscribe", url, "-s", "EARLIEST", "-e", "--json-metadata").stdout.splitlines()
    assert all(["_sender", USER] in json.loads(line)["headers"] for line in sent)


def test_what_is_too_large_is_put_aside_and_sent_when_it_may(
    hop: Hop, hop_kafka: KafkaBroker, hop_kafka_topic: str, url: str
) -> None:
    set_limit(hop_kafka, hop_kafka_topic, 10_000)
    large = "x" * 20_000
    result = hop("publish", "--robust", url, "-f", "JSON", stdin=f'1\n"{large}"\n2\n')
    assert result.returncode == 1
    error = result.stderr.splitlines()[-1]
    assert error.startswith("hop: cannot publish 1 message, which the broker refused (")
    assert "; 2 messages published, none waits in publisher.journal; " in error
    shown = hop("journal", "show").stdout
    assert f"refused: 1 message to {hop_kafka_topic}: " in shown
    (letter,) = hop("journal", "export", "--dead").stdout.splitlines()
    assert json.loads(letter)["message"] == large
    set_limit(hop_kafka, hop_kafka_topic, 1_000_000)
    assert hop("journal", "retry-dead").returncode == 0
    again = hop("publish", "--robust", url)
    assert again.returncode == 0, again.stderr
    assert again.stderr == "published 1 message from before; none waits in publisher.journal\n"
    assert received(hop, url) == [1, 2, large]


def test_a_wrong_password_keeps_the_messages_and_says_why(
    hop_kafka: KafkaBroker, url: str, tmp_path: Path
) -> None:
    hop = hop_in(tmp_path, stored_credential(hop_kafka, tmp_path, "very-secret"))
    start = time.monotonic()
    result = hop("publish", "--robust", url, "-f", "JSON", "--timeout", "4", stdin="1\n")
    assert time.monotonic() - start < 15
    assert result.returncode == 1
    warning, error = result.stderr.splitlines()
    assert "it does not accept the credential" in warning
    assert "0 messages published, 1 message waits in publisher.journal" in error
    assert f"`hop doctor {url}`" in error
    assert "very-secret" not in result.stderr
    right = hop_in(tmp_path, stored_credential(hop_kafka, tmp_path))
    assert right("publish", "--robust", url).returncode == 0
    assert received(right, url) == [1]


def test_a_topic_that_one_may_not_write_to(
    hop: Hop, hop_kafka: KafkaBroker, hop_kafka_topic: str
) -> None:
    if "other" not in hop_kafka.users:
        hop_kafka.add_user("other")
    topic = f"{hop_kafka_topic}-closed"
    hop_kafka.create_topic(topic, write=["other"])
    url = hop_kafka.url(topic)
    result = hop("publish", "--robust", url, "-f", "JSON", "--timeout", "4", stdin="1\n")
    assert result.returncode == 1
    warning, error = result.stderr.splitlines()
    assert f"topic {topic} does not take messages (" in warning
    assert "1 message waits in publisher.journal" in error
    hop_kafka.set_access(topic, read=None, write=None)
    assert hop("publish", "--robust", url).returncode == 0
    assert received(hop, url) == [1]


def test_a_broker_that_goes_away_and_comes_back(tmp_path: Path) -> None:
    """What is piped in while it is away is published when it is back, without any help."""
    with kafka_broker() as broker:
        broker.create_topic("t")
        url = broker.url("t")
        environment = stored_credential(broker, tmp_path)
        hop = hop_in(tmp_path, environment)
        with subprocess.Popen(
            ["hop", "publish", "--robust", url, "-f", "JSON"],
            stdin=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=environment,
            cwd=tmp_path,
            text=True,
        ) as process:
            assert process.stdin is not None
            assert process.stderr is not None
            numbers = iter(range(1000))

            def write(count: int) -> None:
                assert process.stdin is not None
                for _ in range(count):
                    process.stdin.write(f"{next(numbers)}\n")
                process.stdin.flush()

            write(10)
            wait(lambda: len(received(hop, url)) == 10)
            broker.kill()
            write(10)
            wait(lambda: waiting(hop) == 10)
            shown = hop("journal", "show").stdout
            assert f"used by process {process.pid}; " in shown
            assert hop("journal", "verify").returncode == 0
            assert len(hop("journal", "export").stdout.splitlines()) == 10
            broker.restart()
            write(10)
            process.stdin.close()
            errors = process.stderr.read()
            assert process.wait(60) == 0, errors
        gone, back, said = errors.splitlines()
        assert " is out of reach (" in gone
        assert " is back after " in back
        assert said == (
            f"published 30 messages to t at {broker.address}; none waits in publisher.journal"
        )
        assert received(hop, url) == list(range(30))


def wait(done: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not done():
        assert time.monotonic() < end
        time.sleep(0.1)


def waiting(hop: Hop) -> int:
    number: int = json.loads(hop("journal", "show", "--json").stdout)["waiting"]
    return number


def test_the_examples_of_the_commands_page(
    hop: Hop, hop_kafka: KafkaBroker, hop_kafka_topic: str, url: str, tmp_path: Path
) -> None:
    page = (ROOT / "docs" / "commands.md").read_text(encoding="utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()]
    drain = next(line for line in lines if "--robust" in line)
    looks = [line for line in lines if line.startswith("hop journal ")]
    assert [line.split()[2] for line in looks] == ["show", "verify", "export", "retry-dead"]
    nowhere = f"kafka://127.0.0.1:9/{hop_kafka_topic}"
    unsent = hop("publish", nowhere, "--no-auth", "--robust", "--timeout", "1", stdin="1\n")
    assert unsent.returncode == 1
    environment = stored_credential(hop_kafka, tmp_path)
    for line in (*looks, drain.replace("kafka://hostname:port/gcn", url)):
        subprocess.run(line, shell=True, check=True, cwd=tmp_path, env=environment, timeout=60)
    (exported,) = (tmp_path / "waiting.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(exported)["message"] == 1
    assert received(hop, url) == [1]
