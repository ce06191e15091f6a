"""`hop publish`, the installed program, over a real broker."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from hop.cli import CommandError
from hop.io import Metadata, StartPosition, Stream
from hop.models import ExternalMessage, GCNCircular, GCNTextNotice, JSONBlob, MessageModel
from hop.publish import messages
from hop.sandbox import MemoryBroker, memory_broker

Hop = Callable[..., Any]
Stored = Callable[..., list[tuple[MessageModel, Metadata]]]
Contents = Callable[[str], list[object]]
WaitFor = Callable[[str, int], None]

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


def test_a_circular_in_the_order_of_the_quickstart(
    hop: Hop, url: str, tmp_path: Path, stored: Stored
) -> None:
    (tmp_path / "example.gcn3").write_text(CIRCULAR)
    result = hop("publish", url, "-f", "CIRCULAR", "example.gcn3", "--no-auth")
    assert (result.returncode, result.stdout) == (0, "")
    broker, _, topic = url.removeprefix("kafka://").partition("/")
    assert result.stderr == f"published 1 message to {topic} at {broker}\n"
    ((message, metadata),) = stored(url)
    assert isinstance(message, GCNCircular)
    assert bytes(message).decode() == CIRCULAR
    assert metadata.headers is not None
    assert [name for name, _ in metadata.headers] == ["_id", "_format"]


@pytest.mark.parametrize(
    "arguments",
    [
        ["--no-auth", "-fCIRCULAR", "{url}", "c"],
        ["{url}", "c", "--no-auth", "-f", "circular"],
        ["-q", "{url}", "--format", "CIRCULAR", "c", "--no-auth"],
        ["--no-auth", "{url}", "--format=CIRCULAR", "--", "c"],
        ["-v", "--no-auth", "{url}", "-f", "CIRCULAR", "c"],
    ],
)
def test_options_and_files_in_any_order(
    hop: Hop,
    url: str,
    tmp_path: Path,
    arguments: list[str],
    stored: Stored,
) -> None:
    (tmp_path / "c").write_text(CIRCULAR)
    result = hop("publish", *(argument.format(url=url) for argument in arguments))
    assert (result.returncode, result.stdout) == (0, "")
    assert len(stored(url)) == 1


def test_a_voevent(hop: Hop, url: str, tmp_path: Path, stored: Stored) -> None:
    (tmp_path / "event.xml").write_text(VOEVENT)
    assert hop("publish", "--no-auth", "-fVOEVENT", url, "event.xml").returncode == 0
    ((message, metadata),) = stored(url)
    assert message.ivorn == "ivo://example.org/alerts#1"  # type: ignore[attr-defined]
    assert ("_format", b"voevent") in (metadata.headers or [])


@pytest.mark.parametrize(
    ("kind", "text", "model"),
    [
        ("GCNTEXTNOTICE", "TITLE: GCN/FERMI NOTICE\nTRIGGER_NUM: 1\n", GCNTextNotice),
        ("EXTERNAL", '{"url": "https://example.org/msg/1"}', ExternalMessage),
        ("CIRCULAR", CIRCULAR, GCNCircular),
    ],
)
@pytest.mark.parametrize("piped", [False, True])
def test_one_message_in_a_file_or_piped(
    hop: Hop,
    url: str,
    tmp_path: Path,
    kind: str,
    text: str,
    model: type,
    piped: bool,
    stored: Stored,
) -> None:
    (tmp_path / "file").write_text(text)
    arguments = [] if piped else ["file"]
    result = hop("publish", "--no-auth", url, "-f", kind, *arguments, stdin=text if piped else "")
    assert result.returncode == 0
    ((message, _),) = stored(url)
    assert type(message) is model


def test_a_format_of_a_plugin(hop: Hop, url: str, tmp_path: Path, stored: Stored) -> None:
    """A plugin as its author installs it: a module, and an entry point in the metadata of a distribution."""
    (tmp_path / "donuts.py").write_text(
        "import json\n"
        "from dataclasses import dataclass\n"
        "from hop import plugins\n"
        "from hop.models import MessageModel\n"
        "@dataclass\n"
        "class Donut(MessageModel):\n"
        "    flavor: str\n"
        "    @classmethod\n"
        "    def load(cls, input_):\n"
        "        return cls(**json.load(input_))\n"
        "@plugins.register\n"
        "def get_models():\n"
        "    return {'donut': Donut}\n"
    )
    info = tmp_path / "donuts-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: donuts\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[hop_plugin]\ndonut-plugin = donuts\n")
    (tmp_path / "donut.json").write_text('{"flavor": "maple"}')
    (tmp_path / "bad.json").write_text('{"colour": 1}')
    env = {"PYTHONPATH": str(tmp_path)}
    result = hop("publish", "--no-auth", url, "-f", "DONUT", "donut.json", env=env)
    assert result.returncode == 0, result.stderr
    ((_, metadata),) = stored(url)
    assert ("_format", b"donut") in (metadata.headers or [])
    read = hop("subscribe", "--no-auth", url, "-s", "EARLIEST", "-e", "-j", env=env)
    assert json.loads(read.stdout) == {"format": "donut", "content": {"flavor": "maple"}}
    bad = hop("publish", "--no-auth", url, "-f", "DONUT", "bad.json", env=env)
    assert bad.returncode == 1
    assert bad.stderr.startswith("hop: cannot publish bad.json as DONUT: ")


def test_several_files_and_json_lines(
    hop: Hop, url: str, tmp_path: Path, contents: Contents
) -> None:
    (tmp_path / "one.json").write_text('{\n  "number": 1\n}\n')
    (tmp_path / "more.jsonl").write_text('\n{"number": 2}\n\n{"number": 3}')
    arguments = ["one.json", "-", "more.jsonl"]
    result = hop("publish", "--no-auth", url, "-f", "json", *arguments, stdin='"piped"\n')
    assert result.returncode == 0
    assert result.stderr.startswith("published 4 messages to ")
    assert contents(url) == [{"number": 1}, "piped", {"number": 2}, {"number": 3}]


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"1", [1]),
        (b"1\n2\n", [1, 2]),
        (b"[1,\n2]", [[1, 2]]),
        (b'\xef\xbb\xbf{"a": 1}\n{"a": 2}\n', [{"a": 1}, {"a": 2}]),
        ('{"a": "Å"}'.encode("utf-16"), [{"a": "Å"}]),
        (b'{"a": 1}\r\n{"a": 2}\r\n', [{"a": 1}, {"a": 2}]),
        (b'{"a": 1}   \n\n\n', [{"a": 1}]),
    ],
)
def test_json_files(tmp_path: Path, content: bytes, expected: list[object]) -> None:
    (tmp_path / "file").write_bytes(content)
    assert list(messages("JSON", [str(tmp_path / "file")])) == [JSONBlob(e) for e in expected]


@pytest.mark.parametrize(
    ("line", "sent"),
    [
        (b'{"a" :1.10,"b":[1E3, -0]}\r\n', b'{"a" :1.10,"b":[1E3, -0]}'),
        (b"12345678901234567890.123456789", b"12345678901234567890.123456789"),
        ('{"name":"Zoë"}\n'.encode(), b'{"name": "Zo\\u00eb"}'),
        (b'\xef\xbb\xbf{"a":1}\n', b'{"a": 1}'),
        (b'"Zo\\u00eb"\n', b'"Zo\\u00eb"'),
        ("[1,2]".encode("utf-16-le"), b"[1, 2]"),
    ],
)
def test_a_line_of_plain_ascii_is_sent_as_it_is_read(
    hop: Hop, url: str, tmp_path: Path, line: bytes, sent: bytes
) -> None:
    (tmp_path / "lines.jsonl").write_bytes(line)
    assert hop("publish", "--no-auth", url, "-f", "JSON", "lines.jsonl").returncode == 0
    with Stream(auth=False, start_at=StartPosition.EARLIEST, until_eos=True).open(url) as stream:
        assert list(stream.read_raw()) == [sent]


def test_what_is_done_to_a_message_that_was_read_is_sent(tmp_path: Path) -> None:
    (tmp_path / "lines.jsonl").write_text('{"a": 1}\n{"a": 2}\n')
    for message in messages("JSON", [str(tmp_path / "lines.jsonl")]):
        assert isinstance(message, JSONBlob)
        message.content["a"] = 3
        assert message.serialize()["content"] == b'{"a": 3}'


def test_a_pipe_by_its_name(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=lambda: pipe.write_text("1\n2\n"))
    writer.start()
    assert list(messages("JSON", [str(pipe)])) == [JSONBlob(1), JSONBlob(2)]
    writer.join()


def test_a_file_that_is_not_there_is_named_by_the_function() -> None:
    with pytest.raises(CommandError, match="cannot publish missing: No such file"):
        list(messages("BLOB", ["missing"]))


@pytest.mark.parametrize("kind", ["BLOB", "JSON"])
def test_json_lines_piped_as_documented(hop: Hop, url: str, kind: str, contents: Contents) -> None:
    result = hop("publish", "--no-auth", url, "-f", kind, stdin='{"a": 1}\n"text"\n')
    assert result.returncode == 0
    assert contents(url) == [{"a": 1}, "text"]


def test_a_blob_is_the_bytes_of_the_file(
    hop: Hop, url: str, tmp_path: Path, contents: Contents
) -> None:
    (tmp_path / "image").write_bytes(b"\x89PNG\r\n\x00")
    assert hop("publish", "--no-auth", url, "image").returncode == 0
    assert contents(url) == [b"\x89PNG\r\n\x00"]


def test_each_line_of_an_open_pipe_is_published_at_once(
    start: Any, url: str, wait_for: WaitFor
) -> None:
    process = start("publish", "--no-auth", url, "-f", "JSON")
    for number in (1, 2):
        process.stdin.write(b"%d\n" % number)
        process.stdin.flush()
        wait_for(url, number)
    process.stdin.close()
    assert process.wait(20) == 0
    assert process.stderr.read().startswith(b"published 2 messages to ")


def test_what_came_before_a_bad_line_is_delivered_and_counted(
    hop: Hop,
    url: str,
    tmp_path: Path,
    contents: Contents,
) -> None:
    (tmp_path / "good.json").write_text("1")
    (tmp_path / "bad.jsonl").write_text('{"a": 1}\n{"a": 2}\n{oops\n{"a": 3}\n')
    result = hop("publish", "--no-auth", url, "-f", "JSON", "good.json", "bad.jsonl")
    assert result.returncode == 1
    assert result.stderr == (
        "hop: cannot publish bad.jsonl as JSON: line 3, column 2: Expecting property name enclosed in double"
        " quotes; 3 messages delivered before that\n"
    )
    assert contents(url) == [1, {"a": 1}, {"a": 2}]


def test_a_message_that_is_too_large_is_named(hop: Hop, url: str, contents: Contents) -> None:
    lines = '"small"\n"' + "x" * 2_000_000 + '"\n'
    result = hop("publish", "--no-auth", url, "-f", "JSON", stdin=lines)
    assert result.returncode == 1
    assert result.stderr.startswith("hop: cannot publish standard input, line 2 as JSON: ")
    assert result.stderr.endswith("; 1 message delivered before that\n")
    assert len(result.stderr.splitlines()) == 1
    assert contents(url) == ["small"]


def test_headers_key_and_test_mark(hop: Hop, url: str, stored: Stored) -> None:
    options = ["--header", "a=1", "--header", "b=x=y", "--header", "a=2", "--key", "S261124a", "-t"]
    assert hop("publish", "--no-auth", url, "-f", "JSON", *options, stdin="1\n").returncode == 0
    assert stored(url) == []
    ((_, metadata),) = stored(url, ignoretest=False)
    assert metadata.key == b"S261124a"
    assert [pair for pair in metadata.headers or [] if not pair[0].startswith("_")] == [
        ("a", b"1"),
        ("b", b"x=y"),
        ("a", b"2"),
    ]
    assert ("_test", b"true") in (metadata.headers or [])


def test_quiet_prints_nothing(hop: Hop, url: str) -> None:
    result = hop("publish", "--no-auth", "-q", url, "-f", "JSON", stdin="1\n")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")


def test_a_dry_run_sends_nothing_and_needs_no_broker(hop: Hop, tmp_path: Path) -> None:
    (tmp_path / "lines").write_text("1\n2\n")
    result = hop("publish", "kafka://nowhere.invalid/t", "--dry-run", "-f", "JSON", "lines")
    assert (result.returncode, result.stdout) == (0, "")
    assert result.stderr == "2 messages can be published to t at nowhere.invalid:9092\n"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_in_the_middle_of_work(
    start: Any, url: str, number: int, wait_for: WaitFor
) -> None:
    process = start("publish", "--no-auth", url, "-f", "JSON")
    process.stdin.write(b"1\n")
    process.stdin.flush()
    wait_for(url, 1)
    process.send_signal(number)
    assert process.wait(20) == 130
    assert process.stderr.read() == b"hop: interrupted; 1 message delivered before that\n"


def test_a_broker_that_goes_away(start: Any, wait_for: WaitFor) -> None:
    with memory_broker({"t": 1}) as broker:
        process = start("publish", "--no-auth", broker.url("t"), "-f", "JSON", "--timeout", "2")
        process.stdin.write(b"1\n")
        process.stdin.flush()
        wait_for(broker.url("t"), 1)
        address = broker.address
    process.stdin.write(b"2\n")
    process.stdin.close()
    assert process.wait(20) == 1
    *log, error = process.stderr.read().decode().splitlines()
    assert all(" | hop : WARNING : " in line for line in log)
    assert error.startswith(
        f"hop: cannot publish to t at {address}: the broker did not confirm 1 message in time; "
        "1 message delivered; try again, or wait longer with --timeout; `hop doctor "
    )


def test_what_is_typed_on_a_terminal(
    terminal: Any, url: str, contents: Contents, wait_for: WaitFor
) -> None:
    session = terminal("publish", "--no-auth", url, "-f", "JSON")
    session.wait_for("Ctrl-D ends them")
    session.type('"typed"\n')
    wait_for(url, 1)
    session.type("\x04")
    assert session.end() == 0
    assert "published 1 message to " in session.shown
    assert contents(url) == ["typed"]


def test_what_is_said_of_ctrl_c_on_a_terminal_is_on_a_line_of_its_own(
    terminal: Any,
    url: str,
    wait_for: WaitFor,
) -> None:
    session = terminal("publish", "--no-auth", url, "-f", "JSON")
    session.wait_for("Ctrl-D ends them")
    session.type('"typed"\n')
    wait_for(url, 1)
    session.type("\x03")
    assert session.end() == 130
    assert "^C\r\nhop: interrupted; 1 message delivered before that\r\n" in session.shown


@contextmanager
def slow_pipe(path: Path) -> Iterator[None]:
    """A named pipe in which a message comes now and then, for about two seconds."""
    os.mkfifo(path)

    def write() -> None:
        with path.open("w") as pipe:
            for number in range(20):
                pipe.write(f"{number}\n")
                pipe.flush()
                time.sleep(0.1)

    writer = threading.Thread(target=write)
    writer.start()
    yield
    writer.join()


def test_a_progress_bar_for_who_waits(terminal: Any, url: str, tmp_path: Path) -> None:
    with slow_pipe(tmp_path / "pipe"):
        session = terminal("publish", "--no-auth", url, "-f", "JSON", "pipe")
        session.wait_for("publishing: 1")
        assert session.end() == 0
    assert " messages [00:0" in session.shown
    assert "published 20 messages to " in session.shown


@pytest.mark.parametrize("options", [["-q"], []])
def test_no_progress_bar_where_nobody_looks_or_wants_it(
    hop: Hop, terminal: Any, url: str, tmp_path: Path, options: list[str]
) -> None:
    with slow_pipe(tmp_path / "pipe"):
        arguments = ["publish", "--no-auth", url, "-f", "JSON", "pipe", *options]
        if options:
            session = terminal(*arguments)
            assert session.end() == 0
            assert session.shown == ""
        else:
            assert hop(*arguments).stderr.startswith("published 20 messages to ")


def test_topics_are_listed(hop: Hop, hop_broker: MemoryBroker, hop_topic: str) -> None:
    result = hop("list-topics", "--no-auth", hop_broker.url(), "--timeout", "5")
    assert (result.returncode, result.stderr) == (0, "")
    first, *names = result.stdout.splitlines()
    assert first == "Accessible topics:"
    assert f" {hop_topic}" in names
    assert names == sorted(names)
    assert hop("list-topics", hop_broker.url("nowhere"), "--no-auth").stdout == (
        "No accessible topics\n"
    )


def test_python_dash_m(environment: dict[str, str], url: str, contents: Contents) -> None:
    import sys

    result = subprocess.run(
        [sys.executable, "-m", "hop.cli", "publish", "--no-auth", url, "-fJSON"],
        input=b"1\n",
        env=environment,
        capture_output=True,
    )
    assert result.returncode == 0
    assert contents(url) == [1]
