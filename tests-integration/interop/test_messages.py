"""What one of the two writes, the other reads: every format, headers, test marks."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from interop.releases import Release
from interop.results import Results
from interop.samples import DIFFERENCES, NOT_THERE, SAMPLES, YES, Sample, expected
from interop.sides import Side

from hop.sandbox import KafkaBroker

Answer = dict[str, Any]
Topic = Callable[[str], str]


@pytest.fixture(scope="module")
def topic(hop_kafka: KafkaBroker, release: Release) -> Topic:
    """Make an empty topic, and say its URL."""

    def topic(name: str) -> str:
        name = re.sub(r"\W+", "-", f"{release.version}-{name}".replace("`", ""))
        hop_kafka.create_topic(name)
        return hop_kafka.url(name)

    return topic


@dataclass(frozen=True)
class Exchange:
    """What became of each sample: what its writer said, and its reader."""

    written: dict[str, Answer]
    read: dict[str, Answer]


def exchange(writer: Side, reader: Side, samples: list[Sample], topic: Topic) -> Exchange:
    """Write every sample to a topic of its own, and read all topics."""
    urls = [topic(f"{sample.row}-by-{writer.name}") for sample in samples]
    pairs = list(zip(samples, urls, strict=True))
    written = writer.peer("write", [{**sample.spec, "url": url} for sample, url in pairs])
    read = reader.peer("read", [{"url": url} for url in urls])
    names = [sample.row for sample in samples]
    return Exchange(
        dict(zip(names, written, strict=True)), dict(zip(names, read, strict=True))
    )


@pytest.fixture(scope="module")
def by_theirs(theirs: Side, ours: Side, release: Release, topic: Topic) -> Exchange:
    samples = [sample for sample in SAMPLES if sample.since <= release.number]
    return exchange(theirs, ours, samples, topic)


@pytest.fixture(scope="module")
def by_ours(theirs: Side, ours: Side, topic: Topic) -> Exchange:
    return exchange(ours, theirs, list(SAMPLES), topic)


def only(answer: Answer) -> Answer:
    """The one message that was read."""
    assert "error" not in answer, answer
    (message,) = answer["result"]
    return message  # type: ignore[no-any-return]


def unreserved(headers: list[list[Any]]) -> list[list[Any]]:
    return [header for header in headers if not header[0].startswith("_")]


def header(message: Answer, key: str) -> bytes:
    (value,) = [value for name, value in message["headers"] if name == key]
    return base64.b64decode(value["base64"])


def sent(sample: Sample) -> list[list[Any]]:
    """The headers of a sample as a reader gets them."""
    headers = sample.spec.get("options", {}).get("headers", [])
    pairs = headers.items() if isinstance(headers, dict) else headers
    return [
        [key, value if isinstance(value, dict) else plain(value.encode())] for key, value in pairs
    ]


def plain(value: bytes) -> dict[str, str]:
    return {"base64": base64.b64encode(value).decode()}


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.row)
def test_ours_reads_what_theirs_writes(
    by_theirs: Exchange, release: Release, sample: Sample, results: Results
) -> None:
    table = "read-by-ours"
    cell = expected(table, sample, release.version)
    if sample.row not in by_theirs.written:
        cell = NOT_THERE
    elif cell.startswith("cannot be written"):
        assert by_theirs.written[sample.row]["error"] == "TypeError"
    else:
        message = only(by_theirs.read[sample.row])
        wrote = by_theirs.written[sample.row]["result"]
        if cell == YES:
            assert (message["model"], message["content"]) == (sample.name, wrote)
            assert unreserved(message["headers"]) == sent(sample)
        else:
            assert cell == "empty [1]"
            assert (message["model"], message["content"]) == ("Blob", plain(b""))
    results.record(table, sample.row, release.version, cell)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.row)
def test_theirs_reads_what_ours_writes(
    by_ours: Exchange, release: Release, sample: Sample, results: Results
) -> None:
    table = "read-by-theirs"
    cell = expected(table, sample, release.version)
    wrote = by_ours.written[sample.row]["result"]
    answer = by_ours.read[sample.row]
    if cell == YES:
        message = only(answer)
        assert message["content"] == wrote
        assert unreserved(message["headers"]) == sent(sample)
    elif cell == "stops [2]":
        assert answer["error"] == "TypeError"
    elif cell == "stops [3]":
        assert answer["error"] in {"ValueError", "UnicodeDecodeError", "JSONDecodeError"}
    elif cell == "the record, without a list [2]":
        assert [only(answer)["content"]] == wrote
    else:
        assert cell == "its bytes, as a `Blob`"
        message = only(answer)
        assert (message["model"], message["content"]) == ("Blob", plain(wrote["text"].encode()))
    results.record(table, sample.row, release.version, cell)


def test_what_is_known_to_differ_is_known_of_something() -> None:
    rows = {sample.row for sample in SAMPLES}
    assert {row for _, row, _ in DIFFERENCES} <= rows


def test_ours_sees_who_wrote_and_which_message_it_is(
    by_theirs: Exchange, by_ours: Exchange, release: Release, results: Results
) -> None:
    message = only(by_theirs.read["dictionary"])
    if release.number < (0, 6):
        assert message["headers"] == []
        cell = NOT_THERE
    else:
        assert len(header(message, "_id")) == 16
        assert header(message, "_sender") == b"hop"
        assert header(message, "_format") == b"json"
        cell = YES
    results.record("read-by-ours", "`_id`, `_sender`, `_format`", release.version, cell)


def test_theirs_sees_who_wrote_and_which_message_it_is(
    by_ours: Exchange, release: Release, results: Results
) -> None:
    if release.number < (0, 6):
        cell = "stops [3]"
        assert "error" in by_ours.read["dictionary"]
    else:
        message = only(by_ours.read["dictionary"])
        assert len(header(message, "_id")) == 16
        assert header(message, "_sender") == b"hop"
        assert header(message, "_format") == b"json"
        cell = YES
    results.record("read-by-theirs", "`_id`, `_sender`, `_format`", release.version, cell)


def marks(writer: Side, reader: Side, url: str) -> tuple[Answer, Answer]:
    """What is read of a message that is marked as a test, by default and on request."""
    specs = [{"url": url, "content": content, "options": {"test": True}} for content in ("t",)]
    (written,) = writer.peer("write", specs)
    assert written == {"result": "t"}
    default, asked = reader.peer("read", [{"url": url}, {"url": url, "options": {"ignoretest": False}}])
    return default, asked


def test_ours_knows_their_test_messages(
    theirs: Side, ours: Side, release: Release, topic: Topic, results: Results
) -> None:
    cell = NOT_THERE
    if release.number >= (0, 5, 1):
        default, asked = marks(theirs, ours, topic("test-by-theirs"))
        assert default == {"result": []}
        assert only(asked)["content"] == "t"
        cell = YES
    results.record("read-by-ours", "test mark", release.version, cell)


def test_theirs_knows_our_test_messages(
    theirs: Side, ours: Side, release: Release, topic: Topic, results: Results
) -> None:
    cell = "stops [3]"
    default, asked = marks(ours, theirs, topic("test-by-ours"))
    if release.number >= (0, 6):
        assert default == {"result": []}
        assert only(asked)["content"] == "t"
        cell = YES
    else:
        assert "error" in default
    results.record("read-by-theirs", "test mark", release.version, cell)


@pytest.mark.parametrize(
    ("kind", "content", "name"),
    [("circular", {"header": {"title": "t"}, "body": "b"}, "GCNCircular"), ("blob", {"a": [1]}, "dict")],
)
def test_the_envelope_reaches_readers_older_than_0_6(
    theirs: Side, ours: Side, release: Release, topic: Topic, kind: str, content: Any, name: str, results: Results
) -> None:
    """The way to write for 0.5: the envelope of its time as a JSON message. Others see the envelope."""
    url = topic(f"envelope-{kind}")
    envelope = {"format": kind, "content": content}
    assert ours.peer("write", [{"url": url, "content": envelope}]) == [{"result": envelope}]
    message = only(theirs.peer("read", [{"url": url}])[0])
    if release.number < (0, 6):
        assert (message["model"], message["content"]) == (name, content)
        cell = "what is in it"
    else:
        assert (message["model"], message["content"]) == ("JSONBlob", envelope)
        cell = "the envelope"
    results.record("read-by-theirs", f"envelope with a {kind} [3]", release.version, cell)


def test_avro_for_readers_since_0_10(theirs: Side, ours: Side, release: Release, topic: Topic) -> None:
    """The way to write for them: `AvroBlob(…, single_record=True)`."""
    spec = {
        "url": topic("avro-single"),
        "model": "AvroBlob",
        "fields": {"content": [{"n": 1}, {"n": 2}], "single_record": True},
    }
    (written,) = ours.peer("write", [spec])
    assert written == {"result": [{"n": 1}, {"n": 2}]}
    (answer,) = theirs.peer("read", [{"url": spec["url"]}])
    if release.number >= (0, 10):
        assert only(answer)["content"] == [{"n": 1}, {"n": 2}]
    elif release.number >= (0, 8):
        assert only(answer)["content"] == [[{"n": 1}, {"n": 2}]]
    else:
        assert "error" in answer
