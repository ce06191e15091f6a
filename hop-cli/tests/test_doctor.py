"""`hop doctor` up to where a broker without passwords can show it; the rest is tested with Kafka."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from hop.sandbox import MemoryBroker

Hop = Callable[..., Any]

CHECKS = ["name lookup", "TCP", "TLS", "log-in", "topics", "group", "versions"]


@pytest.fixture
def examine(hop: Hop) -> Callable[..., Any]:
    """The checks by name, and the exit code."""

    def examine(*arguments: str, env: dict[str, str] | None = None) -> tuple[int, dict[str, Any]]:
        result = hop("doctor", "--json", "--timeout", "3", *arguments, env=env)
        assert result.stderr == ""
        answer = json.loads(result.stdout)
        assert [check["check"] for check in answer["checks"]] == CHECKS
        assert answer["ok"] == (result.returncode == 0)
        return result.returncode, {check["check"]: check for check in answer["checks"]}

    return examine


CREDENTIAL = {"HOP_USERNAME": "alice", "HOP_PASSWORD": "very-secret"}


def only_wrong(checks: dict[str, Any], name: str) -> Any:
    """The check that is wrong; those before it are ok, those after it not tried."""
    place = CHECKS.index(name)
    expected = [True] * place + [False] + [None] * (len(CHECKS) - place - 2) + [True]
    assert [check["ok"] for check in checks.values()] == expected
    return checks[name]


def test_all_is_well(hop: Hop, hop_broker: MemoryBroker, hop_topic: str) -> None:
    result = hop("doctor", "--no-auth", hop_broker.url(hop_topic))
    assert (result.returncode, result.stderr) == (0, "")
    first, *lines = result.stdout.splitlines()
    assert first == hop_broker.url(hop_topic)
    assert all(line.startswith("ok     ") for line in lines)
    assert [line[7:20].strip() for line in lines] == CHECKS
    assert hop_topic in lines[4]
    assert "hop-doctor: this broker does not tell" in lines[5]
    assert "librdkafka" in lines[6]


def test_colour_is_for_terminals(
    hop: Hop, terminal: Any, hop_broker: MemoryBroker, hop_topic: str
) -> None:
    arguments = ["doctor", "--no-auth", hop_broker.url(hop_topic)]
    assert "\x1b" not in hop(*arguments).stdout
    session = terminal(*arguments)
    assert session.end() == 0
    assert "\x1b[32mok" in session.shown
    for env in ({"NO_COLOR": "1"}, {"TERM": "dumb"}):
        session = terminal(*arguments, env=env)
        assert session.end() == 0
        assert "\x1b" not in session.shown


def test_a_name_that_nobody_knows(examine: Any) -> None:
    code, checks = examine("--no-auth", "kafka://nowhere.invalid/t")
    assert code == 1
    wrong = only_wrong(checks, "name lookup")
    assert wrong["found"].startswith("nowhere.invalid is not known: ")
    assert "check the spelling" in wrong["to_do"]


def test_nobody_listens(examine: Any) -> None:
    code, checks = examine("--no-auth", "kafka://127.0.0.1:9/t")
    assert code == 1
    wrong = only_wrong(checks, "TCP")
    assert wrong["found"] == "cannot connect to 127.0.0.1 port 9: Connection refused"


def test_a_broker_without_tls(examine: Any, hop_broker: MemoryBroker) -> None:
    code, checks = examine(hop_broker.url(), env=CREDENTIAL)
    assert code == 1
    wrong = only_wrong(checks, "TLS")
    assert wrong["found"].startswith("no TLS at 127.0.0.1 port ")
    assert "very-secret" not in json.dumps(checks)


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port where connections are accepted, and nothing is said."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield server.getsockname()[1]


def test_a_port_that_says_nothing(examine: Any, silent_port: int) -> None:
    _, checks = examine(f"kafka://127.0.0.1:{silent_port}/t", env=CREDENTIAL)
    assert only_wrong(checks, "TLS")["found"].endswith("no answer in 3 s")
    _, checks = examine("--no-auth", f"kafka://127.0.0.1:{silent_port}/t")
    wrong = only_wrong(checks, "log-in")
    assert "connections without authentication" in wrong["to_do"]


def test_without_a_credential(examine: Any, silent_port: int) -> None:
    code, checks = examine("--no-auth", "kafka://[::1]:9/t")
    assert code == 1
    assert only_wrong(checks, "TCP")["found"].startswith("cannot connect to ::1 port 9")


def test_a_topic_that_is_not_there(examine: Any, hop_broker: MemoryBroker, hop_topic: str) -> None:
    code, checks = examine("--no-auth", hop_broker.url(f"{hop_topic},nowhere"))
    assert code == 1
    assert checks["topics"]["ok"] is False
    assert checks["topics"]["found"] == "nowhere is not among the topics that you may use"
    assert checks["group"]["ok"] is True


def test_the_default_is_the_broker_of_the_credential(examine: Any) -> None:
    env = {**CREDENTIAL, "HOP_HOST": "127.0.0.1:9"}
    _, checks = examine(env=env)
    assert "127.0.0.1 port 9" in only_wrong(checks, "TCP")["found"]


def test_an_authority_that_is_none(hop: Hop, examine: Any, silent_port: int, tmp_path: Any) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    (tmp_path / "cred.csv").write_text(
        f"username,password,ssl_ca_location\na,b,{tmp_path / 'ca.pem'}\n"
    )
    assert hop("auth", "add", "cred.csv").returncode == 0
    _, checks = examine(f"kafka://127.0.0.1:{silent_port}/t")
    wrong = only_wrong(checks, "TLS")
    assert wrong["found"].startswith(f"cannot use the certificate authority {tmp_path / 'ca.pem'}")
    assert "ssl_ca_location" in wrong["to_do"]
