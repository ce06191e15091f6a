"""The `hop` program with Apache Kafka: log-in, permissions, certificates, times."""

from __future__ import annotations

import json
import subprocess
import sysconfig
import time
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Producer
from installing import clean_environment

from hop.auth import Auth, write_auth_data
from hop.sandbox import KafkaBroker

HOP = Path(sysconfig.get_path("scripts"), "hop")
USER = "hop"

Hop = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def store(tmp_path: Path) -> Path:
    return tmp_path / "config" / "hop" / "auth.toml"


@pytest.fixture
def credential(hop_kafka: KafkaBroker) -> Auth:
    user = hop_kafka.users[USER]
    return Auth(user.username, user.password, ssl_ca_location=str(hop_kafka.ca_file))


@pytest.fixture
def hop(tmp_path: Path, store: Path, credential: Auth) -> Hop:
    """Run `hop` with the credential of a user stored."""
    write_auth_data(store, [credential])
    environment = {**clean_environment(), "XDG_CONFIG_HOME": str(store.parent.parent)}

    def run(*arguments: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [HOP, *arguments],
            input=stdin,
            capture_output=True,
            text=True,
            env=environment,
            cwd=tmp_path,
            timeout=60,
        )

    return run


@pytest.fixture
def wrong_password(hop: Hop, store: Path, hop_kafka: KafkaBroker) -> None:
    """The stored credential's password is not the right one any more."""
    write_auth_data(store, [Auth(USER, "very-secret", ssl_ca_location=str(hop_kafka.ca_file))])


@pytest.fixture
def url(hop_kafka: KafkaBroker, hop_kafka_topic: str) -> str:
    return hop_kafka.url(hop_kafka_topic)


def test_published_and_read_by_a_group(hop: Hop, url: str) -> None:
    published = hop("publish", url, "-f", "JSON", stdin="1\n2\n3\n")
    assert (published.returncode, published.stdout) == (0, "")
    read = ["subscribe", url, "-s", "EARLIEST", "-g", f"{USER}-shift"]
    first = hop(*read, "-n", "1")
    assert (first.returncode, first.stdout, first.stderr) == (0, "1\n", "")
    rest = hop(*read, "-e")
    assert (rest.returncode, rest.stdout, rest.stderr) == (0, "2\n3\n", "")


def test_metadata_of_a_message(hop: Hop, url: str) -> None:
    hop("publish", url, "-f", "JSON", "--key", "k", stdin="1\n")
    line = json.loads(hop("subscribe", url, "-s", "EARLIEST", "-e", "--json-metadata").stdout)
    assert line["key"] == "k"
    assert ["_sender", USER] in line["headers"]
    written = datetime.fromisoformat(line["timestamp"].replace("Z", "+00:00"))
    assert abs(datetime.now(timezone.utc) - written) < timedelta(minutes=1)


def test_since_and_until(hop: Hop, hop_kafka: KafkaBroker, hop_kafka_topic: str) -> None:
    producer = Producer(hop_kafka.admin_config)
    before = datetime(2026, 1, 2, 3, tzinfo=timezone.utc)
    for number in range(6):
        when = before + timedelta(hours=number)
        producer.produce(hop_kafka_topic, b"%d" % number, timestamp=int(when.timestamp() * 1000))
    assert producer.flush(20) == 0
    read = ["subscribe", hop_kafka.url(hop_kafka_topic), "-e"]
    assert hop(*read, "--since", "2026-01-02T06:00:00Z").stdout == "3\n4\n5\n"
    assert (
        hop(*read, "--since", "2026-01-02 04:30", "--until", "2026-01-02T07:00Z").stdout == "2\n3\n"
    )
    assert hop(*read, "--since", "2h").stdout == ""
    assert hop(*read, "-s", "-2").stdout == "4\n5\n"


@pytest.mark.usefixtures("wrong_password")
@pytest.mark.parametrize(
    "arguments", [["publish", "{}", "-fJSON"], ["subscribe", "{}"], ["list-topics", "{}"]]
)
def test_a_wrong_password_is_one_line_and_soon(hop: Hop, url: str, arguments: list[str]) -> None:
    start = time.monotonic()
    result = hop(*(argument.format(url) for argument in arguments), stdin="1\n")
    assert time.monotonic() - start < 10
    assert (result.returncode, result.stdout) == (1, "")
    assert len(result.stderr.splitlines()) == 1
    assert result.stderr.startswith("hop: ")
    assert "does not accept the credential" in result.stderr
    assert f"`hop doctor {url}`" in result.stderr
    assert "very-secret" not in result.stderr


@pytest.mark.usefixtures("wrong_password")
def test_no_secret_in_the_log_and_the_traceback(hop: Hop, url: str) -> None:
    result = hop("-d", "subscribe", "-v", url)
    assert result.returncode == 1
    assert "Traceback" in result.stderr
    assert "very-secret" not in result.stdout + result.stderr


def test_who_may_not_write(hop: Hop, hop_kafka: KafkaBroker, hop_kafka_topic: str) -> None:
    if "other" not in hop_kafka.users:
        hop_kafka.add_user("other")
    topic = f"{hop_kafka_topic}-closed"
    hop_kafka.create_topic(topic, write=["other"])
    result = hop("publish", hop_kafka.url(topic), "-f", "JSON", stdin="1\n")
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1
    assert topic in result.stderr
    assert "0 messages delivered" in result.stderr
    assert f"`hop doctor {hop_kafka.url(topic)}`" in result.stderr
    assert "uthori" in result.stderr


def test_a_group_of_somebody_else(hop: Hop, url: str) -> None:
    result = hop("subscribe", url, "-g", "somebody-else", "-e")
    assert result.returncode == 1
    assert len(result.stderr.splitlines()) == 1
    assert f"`hop doctor {url}`" in result.stderr


def test_the_log_in_is_tested(hop: Hop, hop_kafka: KafkaBroker, url: str) -> None:
    result = hop("auth", "test", url)
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.startswith(
        f"Logged in to {hop_kafka.address} as {USER} (SCRAM-SHA-512), who may use "
    )


@pytest.mark.usefixtures("wrong_password")
def test_a_log_in_that_fails(hop: Hop, url: str) -> None:
    result = hop("auth", "test", url)
    assert (result.returncode, result.stdout) == (1, "")
    assert "does not accept the credential" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def examine(hop: Hop, *arguments: str) -> tuple[int, dict[str, Any]]:
    result = hop("doctor", "--json", *arguments)
    assert result.stderr == ""
    return result.returncode, {
        check["check"]: check for check in json.loads(result.stdout)["checks"]
    }


def test_the_doctor_finds_all_well(hop: Hop, hop_kafka_topic: str, url: str) -> None:
    code, checks = examine(hop, url)
    assert code == 0, checks
    assert all(check["ok"] for check in checks.values())
    assert checks["TLS"]["found"].startswith("TLSv1.")
    assert checks["log-in"]["found"] == f"as {USER} (SCRAM-SHA-512)"
    assert hop_kafka_topic in checks["topics"]["found"]
    assert checks["group"]["found"] == f"{USER}-hop-doctor may be used"


@pytest.mark.usefixtures("wrong_password")
def test_the_doctor_finds_the_wrong_password(hop: Hop, url: str) -> None:
    code, checks = examine(hop, url)
    assert code == 1
    assert [checks[name]["ok"] for name in ("name lookup", "TCP", "TLS")] == [True] * 3
    assert "does not accept the credential" in checks["log-in"]["found"]
    assert checks["topics"]["ok"] is None


def test_the_doctor_finds_an_unknown_authority(
    hop: Hop, store: Path, credential: Auth, url: str
) -> None:
    write_auth_data(store, [Auth(USER, credential.password)])
    code, checks = examine(hop, url)
    assert code == 1
    assert checks["TLS"]["found"].startswith("the certificate cannot be trusted: ")
    assert "ssl_ca_location" in checks["TLS"]["to_do"]
    assert checks["log-in"]["ok"] is None


def test_the_doctor_finds_a_missing_credential(hop: Hop, store: Path, url: str) -> None:
    store.unlink()
    code, checks = examine(hop, url)
    assert code == 1
    assert checks["TLS"]["ok"] is False  # the system's authorities do not know this broker's
    plain = hop("doctor", url)
    assert plain.returncode == 1
    assert "wrong  TLS" in plain.stdout


def test_the_doctor_finds_a_group_of_somebody_else(hop: Hop, url: str) -> None:
    code, checks = examine(hop, url, "-g", "somebody-else")
    assert code == 1
    assert checks["group"]["found"] == "you may not use the consumer group somebody-else"
    assert "starts with your user name" in checks["group"]["to_do"]


def test_the_doctor_finds_a_topic_that_one_may_not_see(
    hop: Hop, hop_kafka: KafkaBroker, hop_kafka_topic: str
) -> None:
    if "other" not in hop_kafka.users:
        hop_kafka.add_user("other")
    topic = f"{hop_kafka_topic}-hidden"
    hop_kafka.create_topic(topic, read=["other"], write=["other"])
    code, checks = examine(hop, hop_kafka.url(topic))
    assert code == 1
    assert checks["topics"]["found"] == f"{topic} is not among the topics that you may use"


def test_the_doctor_tells_what_may_be_done_with_a_topic(
    hop: Hop, hop_kafka: KafkaBroker, hop_kafka_topic: str
) -> None:
    if "other" not in hop_kafka.users:
        hop_kafka.add_user("other")
    closed, open_ = f"{hop_kafka_topic}-closed", hop_kafka_topic
    hop_kafka.create_topic(closed, write=["other"])
    code, checks = examine(hop, hop_kafka.url(closed, open_))
    assert code == 0
    assert checks["topics"]["found"].startswith(
        f"{closed} (you may read it, not write it), {open_} (you may read and write it); "
    )


def test_a_closed_pipe_loses_nothing(hop: Hop, store: Path, url: str, tmp_path: Path) -> None:
    """`| head -1`: what nobody read comes again."""
    # More than a pipe holds.
    lines = [str(10**200 + number) for number in range(3000)]
    assert hop("publish", url, "-q", "-fJSON", stdin="\n".join(lines)).returncode == 0
    group = f"{USER}-head"
    environment = {**clean_environment(), "XDG_CONFIG_HOME": str(store.parent.parent)}
    command = f"'{HOP}' subscribe {url} -s EARLIEST -g {group} | head -1"
    first = subprocess.run(
        command, shell=True, capture_output=True, text=True, env=environment, timeout=60
    )
    assert (first.stdout.split(), first.stderr) == (lines[:1], "")
    rest = hop("subscribe", url, "-s", "EARLIEST", "-g", group, "-e").stdout.split()
    # Whole blocks go into the pipe: what was in there is gone, nothing else.
    assert rest
    assert rest == lines[-len(rest) :]
