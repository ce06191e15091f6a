"""What one of the two writes, the other reads: every format, headers, test marks."""

from __future__ import annotations

import base64
import re
from dataclasses import dataclass
from typing import Any

import pytest
from interop.releases import Release
from interop.results import Results
from interop.samples import DIFFERENCES, NOT_THERE, OURS, SAMPLES, YES, Sample, expected
from interop.sides import Side

from hop.sandbox import KafkaBroker

Answer = dict[str, Any]
TEST_MARK = "test mark"


@dataclass(frozen=True)
class Exchange:
    """What became of each sample: what its writer said, what its reader said, and that one without test messages."""

    written: dict[str, Answer]
    read: dict[str, Answer]
    read_by_default: dict[str, Answer]


def exchange(
    writer: Side, reader: Side, samples: list[Sample], broker: KafkaBroker, alone: set[str]
) -> Exchange:
    """Write all samples to a topic and read it; those in `alone`, that end a reader, have topics of their own."""
    topics = [[sample] for sample in samples if sample.row in alone]
    topics.append([sample for sample in samples if sample.row not in alone])
    urls = [topic(broker, writer, reader, group[0].row) for group in topics]
    specs = [
        {"url": url, "messages": [sample.spec for sample in group]}
        for url, group in zip(urls, topics, strict=True)
    ]
    written: dict[str, Answer] = {}
    for group, answer in zip(topics, writer.peer("write", specs), strict=True):
        written.update(zip((sample.row for sample in group), answer["result"], strict=True))
    asked = {} if reader.name == "0.5.0" else {"options": {"ignoretest": False}}
    reads = [{"url": url, **asked} for url in urls] + [{"url": url} for url in urls]
    answers = reader.peer("read", reads)
    return Exchange(
        written,
        by_sample(topics, written, answers[: len(urls)]),
        by_sample(topics, written, answers[len(urls) :], tests=False),
    )


def by_sample(
    topics: list[list[Sample]],
    written: dict[str, Answer],
    answers: list[Answer],
    tests: bool = True,
) -> dict[str, Answer]:
    """What was read of each sample."""
    read: dict[str, Answer] = {}
    for group, answer in zip(topics, answers, strict=True):
        rows = [sample.row for sample in group if "result" in written[sample.row]]
        if not tests:
            rows = [row for row in rows if row != TEST_MARK]
        if "error" in answer:
            read.update(dict.fromkeys(rows, answer))
        else:
            read.update(zip(rows, ({"result": one} for one in answer["result"]), strict=True))
    return read


def topic(broker: KafkaBroker, writer: Side, reader: Side, name: str) -> str:
    """Make a topic, and return its URL."""
    name = re.sub(r"\W+", "-", f"{writer.name}-{reader.name}-{name}").strip("-")
    broker.create_topic(name)
    return broker.url(name)


@pytest.fixture(scope="module")
def by_theirs(theirs: Side, ours: Side, release: Release, hop_kafka: KafkaBroker) -> Exchange:
    samples = [sample for sample in SAMPLES if sample.since <= release.number]
    return exchange(theirs, ours, samples, hop_kafka, set())


@pytest.fixture(scope="module")
def by_ours(theirs: Side, ours: Side, release: Release, hop_kafka: KafkaBroker) -> Exchange:
    cells = {sample.row: expected("read-by-theirs", sample, release.version) for sample in SAMPLES}
    alone = {row for row, cell in cells.items() if cell.startswith("stops")}
    return exchange(ours, theirs, list(SAMPLES), hop_kafka, alone)


def message(answer: Answer) -> Answer:
    """The message that was read."""
    assert "error" not in answer, answer
    return answer["result"]  # type: ignore[no-any-return]


def binary(value: bytes) -> dict[str, str]:
    return {"base64": base64.b64encode(value).decode()}


def sent(sample: Sample) -> list[list[Any]]:
    """The headers of a sample as a reader gets them."""
    headers = sample.spec.get("options", {}).get("headers", [])
    pairs = headers.items() if isinstance(headers, dict) else headers
    return [
        [key, value if isinstance(value, dict) else binary(value.encode())] for key, value in pairs
    ]


def check_headers(read: Answer, sample: Sample, reserved: bool) -> None:
    """The user's headers are as they were sent; those of hop say which message it is, whose, and what."""
    names = [name for name, _ in read["headers"]]
    own = [header for header in read["headers"] if not header[0].startswith("_")]
    assert own == sent(sample)
    if reserved:
        expected_names = {"_id", "_sender", "_format"}
        if sample.row == TEST_MARK:
            expected_names.add("_test")
        assert {name for name in names if name.startswith("_")} == expected_names
        values = dict(read["headers"])
        assert len(base64.b64decode(values["_id"]["base64"])) == 16
        assert values["_sender"] == binary(b"hop")


@pytest.mark.parametrize(
    "sample", [s for s in SAMPLES if s.since != OURS], ids=lambda sample: sample.row
)
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
        read = message(by_theirs.read[sample.row])
        wrote = by_theirs.written[sample.row]["result"]
        if cell == YES:
            assert (read["model"], read["content"]) == (sample.name, wrote)
            check_headers(read, sample, release.number >= (0, 8))
        elif cell == "in a list [2]":
            assert (read["model"], read["content"]) == ("AvroBlob", [wrote])
        else:
            assert cell == "empty [1]"
            assert (read["model"], read["content"]) == ("Blob", binary(b""))
        assert (sample.row in by_theirs.read_by_default) == (sample.row != TEST_MARK)
    results.record(table, sample.row, release.version, cell)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.row)
def test_theirs_reads_what_ours_writes(
    by_ours: Exchange, release: Release, sample: Sample, results: Results
) -> None:
    table = "read-by-theirs"
    cell = expected(table, sample, release.version)
    if cell.startswith("cannot be written"):
        assert by_ours.written[sample.row]["error"] == "TypeError"
        results.record(table, sample.row, release.version, cell)
        return
    wrote = by_ours.written[sample.row]["result"]
    answer = by_ours.read[sample.row]
    if cell == YES:
        assert message(answer)["content"] == wrote
        check_headers(message(answer), sample, True)
        assert (sample.row in by_ours.read_by_default) == (sample.row != TEST_MARK)
    elif cell == "stops [2]":
        assert answer["error"] == "TypeError"
    elif cell == "stops [3]":
        assert answer["error"] in {"ValueError", "UnicodeDecodeError", "JSONDecodeError"}
    elif cell == "the record, without a list [2]":
        assert [message(answer)["content"]] == wrote
    elif cell == "in one more list":
        assert message(answer)["content"] == [wrote]
    elif cell == "what is in it":
        assert message(answer)["content"] == wrote["content"]
    else:
        assert cell == "its bytes, as a `Blob`"
        read = message(answer)
        assert (read["model"], read["content"]) == ("Blob", binary(wrote["text"].encode()))
    results.record(table, sample.row, release.version, cell)


def test_what_is_known_to_differ_is_known_of_something() -> None:
    rows = {sample.row for sample in SAMPLES}
    assert {row for _, row, _ in DIFFERENCES} <= rows
