"""`hop subscribe`, the installed program, over a real broker."""

from __future__ import annotations

import base64
import json
import select
import signal
import subprocess
import time
from collections.abc import Callable
from contextlib import redirect_stdout
from datetime import datetime, timedelta, timezone
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
from confluent_kafka import Consumer, Producer, TopicPartition

from hop.io import Stream
from hop.models import AvroBlob, Blob, GCNCircular, JSONBlob, VOEvent
from hop.sandbox import MemoryBroker
from hop.subscribe import print_message

Hop = Callable[..., Any]

CIRCULAR = "TITLE:   GCN CIRCULAR\nNUMBER:  1\nSUBJECT: GRB 261124A\nFROM:    Zoë\n\nFound it.\n"
VOEVENT = (
    '<?xml version="1.0"?><voe:VOEvent ivorn="ivo://example.org/a#1" role="test" version="2.0"'
    ' xmlns:voe="http://www.ivoa.net/xml/VOEvent/v2.0"><Who><Date>2026-11-24T17:00:00</Date></Who></voe:VOEvent>'
)


def write(url: str, *messages: Any, **options: Any) -> None:
    with Stream(auth=False).open(url, "w") as stream:
        for message in messages:
            stream.write(message, **options)


@pytest.fixture
def read(hop: Hop, url: str) -> Callable[..., Any]:
    """Read everything that is in the topic, with further options."""

    def read(*options: str | Path) -> Any:
        result = hop("subscribe", "--no-auth", url, "-s", "EARLIEST", "-e", *options)
        assert (result.returncode, result.stderr) == (0, "")
        return result.stdout

    return read


def test_each_format_as_its_text(url: str, read: Any) -> None:
    write(url, GCNCircular.load(CIRCULAR), {"a": "Å"}, b"bytes\x1b[31m", AvroBlob([{"x": 1}]))
    assert read() == CIRCULAR + '{"a": "Å"}\n' + "bytes\x1b[31m\n" + '[{"x": 1}]\n'


def test_json_output_is_one_object_a_line(url: str, read: Any) -> None:
    write(url, {"a": [1, None]}, b"\x00\xff", GCNCircular.load(CIRCULAR), float("nan"), "\ud800")
    lines = read("-j").splitlines()
    assert [json.loads(line) for line in lines] == [
        {"format": "json", "content": {"a": [1, None]}},
        {"format": "blob", "content": {"base64": "AP8="}},
        GCNCircular.load(CIRCULAR).to_json_object(),
        {"format": "json", "content": None},
        {"format": "json", "content": "\ud800"},
    ]


@pytest.mark.parametrize(
    ("body", "shown"),
    [
        (b'{"a":1.10, "b" :[1E3,-0]}', b'{"a":1.10, "b" :[1E3,-0]}'),
        (b"12345678901234567890.123456789", b"12345678901234567890.123456789"),
        (b'{"format": "x"}', b'{"format": "x"}'),
        (b'{"a":\n[1,\r2]}\n', b'{"a": [1, 2]}'),
        (b'"Zo\\u00eb"', '"Zoë"'.encode()),
        ('["Zoë" ,1]'.encode(), '["Zoë", 1]'.encode()),
        (b"[NaN,1]", b"[null, 1]"),
        (b"[-Infinity,1]", b"[null, 1]"),
        ("[1,2]".encode("utf-16-le"), b"[1, 2]"),
        (b'\xef\xbb\xbf{"a":1}', b'{"a": 1}'),
    ],
)
def test_json_is_shown_as_it_was_sent_where_that_is_one_plain_line(
    read: Any, hop_broker: MemoryBroker, hop_topic: str, body: bytes, shown: bytes
) -> None:
    producer = Producer({"bootstrap.servers": hop_broker.address})
    producer.produce(hop_topic, body, headers=[("_format", "json")])
    producer.flush()
    assert read("-j").encode() == b'{"format": "json", "content": ' + shown + b"}\n"


def test_the_envelope_of_old_clients_is_not_shown(
    read: Any, hop_broker: MemoryBroker, hop_topic: str
) -> None:
    producer = Producer({"bootstrap.servers": hop_broker.address})
    producer.produce(hop_topic, b'{"content":[1,2],"format":"blob"}')
    producer.produce(hop_topic, b'{"content":[1,2]}')
    producer.flush()
    assert read("-j").splitlines() == [
        '{"format": "json", "content": [1, 2]}',
        '{"format": "json", "content": {"content":[1,2]}}',
    ]


def test_json_with_metadata(url: str, read: Any, hop_broker: MemoryBroker, hop_topic: str) -> None:
    producer = Producer({"bootstrap.servers": hop_broker.address})
    headers: list[tuple[str, str | bytes | None]] = [
        ("_id", b"0123456789abcdef"),
        ("text", "Å".encode()),
        ("bytes", b"\xff"),
        ("none", None),
    ]
    producer.produce(hop_topic, b"1", b"key", headers=headers, timestamp=1_795_543_538_007)
    producer.produce(hop_topic, b"\xff", b"\xfe")
    producer.flush()
    first, second = map(json.loads, read("--json-metadata").splitlines())
    assert first == {
        "topic": hop_topic,
        "partition": 0,
        "offset": 0,
        "timestamp": "2026-11-24T18:05:38.007Z",
        "key": "key",
        "headers": [
            ["_id", {"base64": base64.b64encode(b"0123456789abcdef").decode()}],
            ["text", "Å"],
            ["bytes", {"base64": "/w=="}],
            ["none", None],
        ],
        "format": "json",
        "message": 1,
    }
    assert second["key"] == {"base64": "/g=="}
    assert (second["format"], second["message"]) == ("blob", {"base64": "/w=="})


def test_a_body_that_does_not_decode_says_why(
    hop: Hop, url: str, hop_broker: MemoryBroker, hop_topic: str
) -> None:
    producer = Producer({"bootstrap.servers": hop_broker.address})
    producer.produce(hop_topic, b"{", headers=[("_format", "json")])
    producer.flush()
    result = hop("subscribe", "--no-auth", url, "-s", "EARLIEST", "-e", "--json-metadata")
    shown = json.loads(result.stdout)
    assert shown["declared_format"] == "json"
    assert "JSONBlob" in shown["reason"]
    assert " | hop : WARNING : message 0 of partition 0 " in result.stderr
    assert hop("subscribe", "--no-auth", url, "-s", "EARLIEST", "-e", "-j").returncode == 0


def test_summaries(url: str, read: Any) -> None:
    write(url, GCNCircular.load(CIRCULAR))
    write(url, {"alert_type": "PRELIMINARY"}, test=True)
    first, second = read("--summary", "-t").splitlines()
    assert first[4] == "-"
    assert first.endswith(GCNCircular.load(CIRCULAR).summary())
    assert "[TEST]" in second


def test_a_delimiter(url: str, read: Any) -> None:
    write(url, 1, "two\n", b"three\n")
    assert read("-D", r"\0") == '1\0"two\\n"\0three\n\0'
    assert read("--delimiter=---\\n", "-j").split("---\n")[0] == '{"format": "json", "content": 1}'


def test_test_messages_are_shown_only_when_asked_for(url: str, read: Any) -> None:
    write(url, 1, test=True)
    assert read() == ""
    assert read("-t") == "1\n"
    assert read("--test") == "1\n"


def test_where(url: str, read: Any) -> None:
    write(
        url,
        {"alert": "PRELIMINARY", "far": 1e-9},
        {"alert": "INITIAL", "far": 1e-3},
        {"far": "unknown"},
        "text",
        b"bytes",
    )
    assert json.loads(read("--where", "alert == 'PRELIMINARY'")) == {
        "alert": "PRELIMINARY",
        "far": 1e-9,
    }
    assert len(read("--where", "alert").splitlines()) == 2
    assert len(read("--where", "far < `1e-6`").splitlines()) == 1
    # A function that some messages are not fit for leaves those out.
    assert len(read("--where", "abs(far) > `0`").splitlines()) == 2
    assert read("--where", "nothing") == ""


def test_a_count(hop: Hop, url: str) -> None:
    write(url, 1, 2, 3)
    result = hop("subscribe", "--no-auth", url, "-s", "EARLIEST", "-n", "2")
    assert (result.returncode, result.stdout, result.stderr) == (0, "1\n2\n", "")


@pytest.mark.parametrize(("option", "expected"), [("-2", "3\n4\n"), ("-9", "1\n2\n3\n4\n")])
def test_the_last_messages(hop: Hop, url: str, option: str, expected: str) -> None:
    write(url, 1, 2, 3, 4)
    for arguments in (["-s", option], [f"-s{option}"], [f"--start-at={option}"]):
        assert hop("subscribe", "--no-auth", url, "-e", *arguments).stdout == expected


def test_the_latest_by_default(start: Any, url: str) -> None:
    write(url, "old")
    process = start("subscribe", "--no-auth", url)
    for number in range(100):  # it takes a moment until it reads
        write(url, number)
        if select.select([process.stdout], [], [], 0.2)[0]:
            break
    assert process.stdout.readline().strip().isdigit()


def test_time_is_over(hop: Hop, url: str) -> None:
    write(url, 1)
    start = time.monotonic()
    arguments = ["subscribe", "--no-auth", url, "-s", "EARLIEST", "--timeout", "1"]
    result = hop(*arguments)
    assert (result.returncode, result.stdout, result.stderr) == (0, "1\n", "")
    result = hop(*arguments, "--count", "2")
    assert (result.returncode, result.stdout) == (1, "1\n")
    assert result.stderr == (
        f"hop: cannot read 2 messages from {url}: 1 came, and then none for 1 s\n"
    )
    assert time.monotonic() - start < 15


def test_until_a_time_that_has_passed(
    hop: Hop, url: str, hop_broker: MemoryBroker, hop_topic: str
) -> None:
    producer = Producer({"bootstrap.servers": hop_broker.address})
    before = datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)
    for number in range(4):
        when = before + timedelta(hours=number)
        producer.produce(hop_topic, b"%d" % number, timestamp=int(when.timestamp() * 1000))
    producer.flush()
    arguments = ["subscribe", "--no-auth", url, "-s", "EARLIEST"]
    assert hop(*arguments, "--until", "2026-01-02T05:04:05Z").stdout == "0\n1\n"
    assert hop(*arguments, "--until", "2026-01-02T05:04:05.001+00:00").stdout == "0\n1\n2\n"
    assert hop(*arguments, "--until", "2026-01-02T04:00:00-01:00").stdout == "0\n1\n"
    assert hop(*arguments, "--until", "2026-01-02").stdout == ""


def test_until_a_time_that_is_to_come(hop: Hop, url: str) -> None:
    write(url, 1)
    soon = datetime.now(timezone.utc) + timedelta(seconds=3)
    start = time.monotonic()
    result = hop("subscribe", "--no-auth", url, "-s", "EARLIEST", "--until", soon.isoformat())
    assert (result.returncode, result.stdout, result.stderr) == (0, "1\n", "")
    assert 1 < time.monotonic() - start < 10


def test_saved_messages_are_published_again(
    hop: Hop, url: str, read: Any, tmp_path: Path, hop_broker: MemoryBroker
) -> None:
    event = VOEvent.load(VOEVENT)
    write(url, GCNCircular.load(CIRCULAR), {"a": 1}, b"\x00\xff", event, AvroBlob([{"x": 1}]))
    names = read("--save", "alerts").splitlines()
    files = [tmp_path / name for name in names]
    assert sorted(files) == files == sorted((tmp_path / "alerts").iterdir())
    assert [file.suffix for file in files] == [".gcn3", ".json", ".bin", ".xml", ".avro"]
    assert GCNCircular.load_file(files[0]) == GCNCircular.load(CIRCULAR)
    assert JSONBlob.load_file(files[1]) == JSONBlob({"a": 1})
    assert Blob.load_file(files[2]) == Blob(b"\x00\xff")
    assert VOEvent.load_file(files[3]) == event
    assert AvroBlob.load_file(files[4]) == AvroBlob([{"x": 1}])
    again = hop("publish", "--no-auth", url, "-f", "CIRCULAR", files[0])
    assert again.returncode == 0


def test_saving_again_overwrites_nothing(url: str, read: Any, tmp_path: Path) -> None:
    write(url, {"a": 1}, {"b": 2})
    names = read("--save", "alerts").splitlines()
    assert read("--save", "alerts").splitlines() == names
    assert len(list((tmp_path / "alerts").iterdir())) == 2
    (tmp_path / names[0]).write_text("mine")
    third, second = read("--save", "alerts").splitlines()
    assert second == names[1]
    assert third == names[0].replace(".json", "-2.json")
    assert (tmp_path / names[0]).read_text() == "mine"
    assert json.loads((tmp_path / third).read_text()) == {"a": 1}
    assert (
        read("--save", "alerts", "-j").splitlines()[0] == '{"format": "json", "content": {"a": 1}}'
    )


def test_a_message_that_cannot_be_saved(hop: Hop, url: str) -> None:
    write(url, {"a": 1})
    result = hop("subscribe", "--no-auth", url, "-s", "EARLIEST", "-e", "--save", "/proc/self/fd")
    assert result.returncode == 1
    assert result.stderr.startswith("hop: cannot save ")
    assert len(result.stderr.splitlines()) == 1


def test_many_messages_in_order_and_complete(url: str, read: Any) -> None:
    write(url, *range(20_000))
    assert read() == "".join(f"{number}\n" for number in range(20_000))


def following(start: Any, url: str, *options: str) -> subprocess.Popen[bytes]:
    process: subprocess.Popen[bytes] = start(
        "subscribe", "--no-auth", url, "-s", "EARLIEST", *options
    )
    return process


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_quietly(start: Any, url: str, number: int) -> None:
    write(url, 1)
    process = following(start, url)
    assert process.stdout is not None
    assert process.stdout.readline() == b"1\n"
    process.send_signal(number)
    out, err = process.communicate(timeout=10)
    assert (process.returncode, out, err) == (0, b"", b"")


def test_each_message_is_shown_at_once_when_it_is_quiet(start: Any, url: str) -> None:
    write(url, 0)
    process = following(start, url)
    assert process.stdout is not None
    assert process.stdout.readline() == b"0\n"
    with Stream(auth=False).open(url, "w") as stream:
        for number in (1, 2, 3):
            stream.write(number)
            stream.flush()
            began = time.monotonic()
            assert process.stdout.readline() == b"%d\n" % number
            assert time.monotonic() - began < 1


def test_a_closed_pipe_ends_it_quietly(start: Any, url: str) -> None:
    write(url, 1)
    process = following(start, url)
    assert process.stdout is not None
    assert process.stderr is not None
    assert process.stdout.readline() == b"1\n"
    process.stdout.close()
    # Nothing more comes, so nothing is written that could fail.
    assert process.wait(10) == 0
    assert process.stderr.read() == b""


def committed(broker: MemoryBroker, topic: str, group: str) -> int:
    consumer = Consumer({"bootstrap.servers": broker.address, "group.id": group})
    (position,) = consumer.committed([TopicPartition(topic, 0)], 10)
    consumer.close()
    return int(position.offset)


@pytest.mark.parametrize(
    ("options", "offset"),
    [(["-e"], 3), (["-n", "1"], 1), (["-e", "--where", "@ == `1`"], 3), (["-e", "--save", "d"], 3)],
)
def test_a_group_has_read_what_was_printed(
    hop: Hop,
    url: str,
    hop_broker: MemoryBroker,
    hop_topic: str,
    options: list[str],
    offset: int,
) -> None:
    write(url, 1, 2, 3)
    result = hop("subscribe", "--no-auth", url, "-s", "EARLIEST", "-g", hop_topic, *options)
    assert result.returncode == 0
    assert committed(hop_broker, hop_topic, hop_topic) == offset


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM, "pipe"])
def test_a_group_has_read_what_was_printed_when_it_was_stopped(
    start: Any, url: str, hop_broker: MemoryBroker, hop_topic: str, how: object
) -> None:
    write(url, 1, 2)
    process = following(start, url, "-g", hop_topic)
    assert process.stdout is not None
    assert [process.stdout.readline() for _ in range(2)] == [b"1\n", b"2\n"]
    if isinstance(how, signal.Signals):
        process.send_signal(how)
    else:
        process.stdout.close()
        write(url, 3)
    assert process.wait(20) == 0
    # The message that nobody could read any more comes again.
    assert committed(hop_broker, hop_topic, hop_topic) == 2


def test_a_terminal_is_not_disturbed(terminal: Any, url: str, read: Any) -> None:
    nasty = "\x1b[2J\x07 \u202eevil\x9b \u2028 \U000e0041 Å 漢字"
    write(url, nasty.encode(), {"a": "\u202e\x9b漢"})
    session = terminal("subscribe", "--no-auth", url, "-s", "EARLIEST", "-e")
    assert session.end() == 0
    first, second, _ = session.shown.split("\r\n")
    assert first == (r"\x1b[2J\x07 \u202eevil\u009b \u2028 \udb40\udc41 Å 漢字")
    assert json.loads(second) == {"a": "\u202e\x9b漢"}
    assert "\u202e" not in second
    assert read().startswith(nasty)


def test_a_terminal_that_knows_only_ascii(terminal: Any, url: str) -> None:
    write(url, {"a": "Å"})
    env = {"PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii"}
    session = terminal("subscribe", "--no-auth", url, "-s", "EARLIEST", "-e", env=env)
    assert session.end() == 0
    assert session.shown == '{"a": "\\xc5"}\r\n'


def test_output_that_cannot_be_written(program: str, environment: dict[str, str], url: str) -> None:

    write(url, 1)
    with Path("/dev/full").open("w") as full:
        result = subprocess.run(
            [program, "subscribe", "--no-auth", url, "-s", "EARLIEST"],
            stdout=full,
            stderr=subprocess.PIPE,
            env=environment,
            text=True,
            timeout=30,
        )
    assert result.returncode == 1
    assert result.stderr == "hop: cannot write to standard output: No space left on device\n"


def test_the_function_prints_a_message(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    print_message(GCNCircular.load(CIRCULAR))
    print_message(Blob(b"\xff"), json_dump=True)
    assert capfdbinary.readouterr().out == (
        CIRCULAR.encode() + b'{"format": "blob", "content": {"base64": "/w=="}}\n'
    )


def test_the_function_prints_where_print_does() -> None:
    with redirect_stdout(StringIO()) as printed:
        print_message(GCNCircular.load(CIRCULAR))
        print_message(Blob(b"\xff"))
    assert printed.getvalue() == CIRCULAR + "\\xff\n"
