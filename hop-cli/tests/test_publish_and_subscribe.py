"""`hop publish` and `hop subscribe`, the installed program, over a real broker."""

from __future__ import annotations

import json
import signal
import subprocess
import sysconfig
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, TopicPartition

from hop.io import StartPosition, Stream
from hop.models import JSONBlob
from hop.sandbox import MemoryBroker

Hop = Callable[..., Any]

CIRCULAR = """\
TITLE:   GCN CIRCULAR
NUMBER:  40123
SUBJECT: GRB 261124A: optical afterglow candidate
DATE:    26/11/24 17:00:00 GMT
FROM:    Zoë Ångström at Example Observatory <zoe@example.org>

Z. Ångström and Łukasz Ż. report:

We found an uncatalogued source.
"""
VOEVENT = """\
<?xml version="1.0" encoding="UTF-8"?>
<voe:VOEvent ivorn="ivo://example.org/alerts#1" role="observation" version="2.0"
  xmlns:voe="http://www.ivoa.net/xml/VOEvent/v2.0">
  <Who><AuthorIVORN>ivo://example.org</AuthorIVORN><Date>2026-11-24T17:00:00</Date></Who>
  <What><Param name="FAR" value="1e-9" unit="Hz"/><Param name="Prob" value="0.9"/></What>
</voe:VOEvent>
"""


@pytest.fixture
def url(hop_broker: MemoryBroker, hop_topic: str) -> str:
    return hop_broker.url(hop_topic)


def test_a_circular_comes_back_as_its_text(hop: Hop, url: str, tmp_path: Path) -> None:
    (tmp_path / "example.gcn3").write_text(CIRCULAR)
    # The order of the documentation's quickstart: an option between the URL and the file.
    published = hop("publish", url, "-f", "CIRCULAR", "example.gcn3", "--no-auth")
    assert (published.returncode, published.stdout) == (0, "")
    assert published.stderr.startswith("published 1 message to ")
    read = hop("subscribe", "--no-auth", url, "-s", "EARLIEST", "-e")
    assert (read.returncode, read.stderr) == (0, "")
    assert read.stdout == CIRCULAR


def test_a_voevent_comes_back_as_json(hop: Hop, url: str, tmp_path: Path) -> None:
    (tmp_path / "event.xml").write_text(VOEVENT)
    assert hop("publish", "--no-auth", "-fVOEVENT", url, "event.xml").returncode == 0
    read = hop("subscribe", url, "--no-auth", "-s", "EARLIEST", "-e")
    event = json.loads(read.stdout)
    assert event["ivorn"] == "ivo://example.org/alerts#1"
    assert [param["name"] for param in event["What"]["Param"]] == ["FAR", "Prob"]


def test_several_files_and_json_lines(hop: Hop, url: str, tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text('{\n  "number": 1\n}\n')
    (tmp_path / "more.jsonl").write_text('{"number": 2}\n\n{"number": 3}\n')
    result = hop("publish", "--no-auth", url, "-f", "json", "one.json", "more.jsonl")
    assert result.returncode == 0
    assert result.stderr.startswith("published 3 messages to ")
    read = hop("subscribe", "--no-auth", url, "-s", "earliest", "-e", "-j")
    lines = [json.loads(line) for line in read.stdout.splitlines()]
    assert [line["content"] for line in lines] == [{"number": 1}, {"number": 2}, {"number": 3}]
    assert {line["format"] for line in lines} == {"json"}


@pytest.mark.parametrize("kind", ["BLOB", "JSON"])
def test_json_lines_piped_as_documented(hop: Hop, url: str, kind: str) -> None:
    result = hop("publish", "--no-auth", url, "-f", kind, stdin='{"a": 1}\n"text"\n')
    assert result.returncode == 0
    read = hop("subscribe", "--no-auth", url, "-s", "EARLIEST", "-e")
    assert [json.loads(line) for line in read.stdout.splitlines() if line] == [{"a": 1}, "text"]


def test_a_circular_piped(hop: Hop, url: str) -> None:
    assert hop("publish", "--no-auth", url, "-f", "CIRCULAR", stdin=CIRCULAR).returncode == 0
    assert hop("subscribe", "--no-auth", url, "-s", "EARLIEST", "-e").stdout == CIRCULAR


def test_quiet_prints_nothing(hop: Hop, url: str) -> None:
    result = hop("publish", "--no-auth", "-q", url, "-f", "JSON", stdin="1\n")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_test_messages_are_shown_only_when_asked_for(hop: Hop, url: str) -> None:
    assert hop("publish", "--no-auth", url, "-f", "JSON", "--test", stdin="1\n").returncode == 0
    assert hop("subscribe", "--no-auth", url, "-s", "EARLIEST", "-e").stdout == ""
    assert hop("subscribe", "--no-auth", url, "-s", "EARLIEST", "-e", "-t").stdout == "1\n"


def test_what_was_printed_counts_as_read_by_the_group(
    hop: Hop, url: str, hop_broker: MemoryBroker, hop_topic: str
) -> None:
    assert hop("publish", "--no-auth", url, "-f", "JSON", stdin="1\n2\n").returncode == 0
    read = hop("subscribe", "--no-auth", url, "-s", "EARLIEST", "-e", "-g", "shift")
    assert read.stdout == "1\n2\n"
    consumer = Consumer({"bootstrap.servers": hop_broker.address, "group.id": "shift"})
    (position,) = consumer.committed([TopicPartition(hop_topic, 0)], 10)
    consumer.close()
    assert position.offset == 2


@pytest.mark.parametrize(
    ("name", "content", "kind", "said"),
    [
        ("bad.gcn3", b"no header at all", "CIRCULAR", "cannot publish bad.gcn3 as CIRCULAR: "),
        ("bad.xml", b"<VOEvent", "VOEVENT", "cannot publish bad.xml as VOEVENT: "),
        ("other.xml", b"<html/>", "VOEVENT", "cannot publish other.xml as VOEVENT: "),
        ("bad.json", b"{", "JSON", "cannot publish bad.json as JSON: "),
        ("lines.jsonl", b'{"a": 1}\n{\n', "JSON", "line 2"),
        ("latin.json", b'"\xe5"', "JSON", "cannot publish latin.json as JSON: "),
        ("empty.json", b"", "JSON", "cannot publish empty.json as JSON: "),
        ("bad.avro", b"Obj\x01", "AVRO", "cannot publish bad.avro as AVRO: "),
    ],
)
def test_a_malformed_file_is_named_on_one_line(
    hop: Hop, url: str, tmp_path: Path, name: str, content: bytes, kind: str, said: str
) -> None:
    (tmp_path / name).write_bytes(content)
    result = hop("publish", "--no-auth", url, "-f", kind, name)
    assert result.returncode == 1
    assert said in result.stderr
    assert result.stderr.startswith("hop: ")
    assert len(result.stderr.splitlines()) == 1


def test_what_came_before_a_bad_file_is_delivered(hop: Hop, url: str, tmp_path: Path) -> None:
    (tmp_path / "good.json").write_text("1")
    (tmp_path / "bad.json").write_text("{")
    result = hop("publish", "--no-auth", url, "-f", "JSON", "good.json", "bad.json")
    assert result.returncode == 1
    assert "cannot publish bad.json" in result.stderr
    assert hop("subscribe", "--no-auth", url, "-s", "EARLIEST", "-e").stdout == "1\n"


def test_topics_are_listed(hop: Hop, hop_broker: MemoryBroker, hop_topic: str) -> None:
    result = hop("list-topics", "--no-auth", hop_broker.url())
    assert result.stdout.startswith("Accessible topics:\n")
    assert f" {hop_topic}\n" in result.stdout
    assert hop("list-topics", "--no-auth", hop_broker.url("nowhere")).stdout == (
        "No accessible topics\n"
    )


@pytest.fixture
def following(url: str, environment: dict[str, str]) -> Any:
    """`hop subscribe` in the background."""
    with subprocess.Popen(
        [
            Path(sysconfig.get_path("scripts"), "hop"),
            "subscribe",
            "--no-auth",
            url,
            "-s",
            "EARLIEST",
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        env=environment,
        text=True,
    ) as process:
        yield process
        process.kill()


def test_ctrl_c_ends_it_quietly(following: Any, hop: Hop, url: str) -> None:
    assert hop("publish", "--no-auth", url, "-f", "JSON", stdin="1\n").returncode == 0
    assert following.stdout.readline() == "1\n"
    following.send_signal(signal.SIGINT)
    out, err = following.communicate(timeout=10)
    assert (following.returncode, out, err) == (0, "", "")


def test_a_closed_pipe_ends_it_quietly(following: Any, hop: Hop, url: str) -> None:
    assert hop("publish", "--no-auth", url, "-f", "JSON", stdin="1\n").returncode == 0
    assert following.stdout.readline() == "1\n"
    following.stdout.close()
    assert hop("publish", "--no-auth", url, "-f", "JSON", stdin="2\n3\n").returncode == 0
    assert following.wait(10) == 0
    assert following.stderr.read() == ""


def test_what_the_command_wrote_has_the_headers_of_the_library(hop: Hop, url: str) -> None:
    assert hop("publish", "--no-auth", url, "-f", "JSON", stdin="1\n").returncode == 0
    stream = Stream(auth=False, start_at=StartPosition.EARLIEST, until_eos=True)
    with stream.open(url) as s:
        ((message, metadata),) = s.read(metadata=True)
    assert message == JSONBlob(1)
    assert metadata.headers is not None
    assert [name for name, _ in metadata.headers] == ["_id", "_format"]
