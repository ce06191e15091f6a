"""The program `hop` of one and that of the other, on the same topics and in the same consumer groups."""

from __future__ import annotations

from pathlib import Path

import pytest
from interop.releases import Release
from interop.results import Results
from interop.samples import DATA, HERE, NOT_THERE, YES
from interop.sides import Side

from hop.sandbox import KafkaBroker

TABLE = "commands"
FILES = {
    "CIRCULAR": DATA / "example.gcn3",
    "VOEVENT": DATA / "example_voevent.xml",
    "JSON": HERE / "line.json",
    "BLOB": DATA / "example.gcn3",
    "GCNTEXTNOTICE": HERE / "notice.txt",
}
SINCE = {"JSON": (0, 8), "BLOB": (0, 8), "GCNTEXTNOTICE": (0, 11)}


@pytest.fixture
def url(hop_kafka: KafkaBroker, hop_kafka_topic: str) -> str:
    return hop_kafka.url(hop_kafka_topic)


def publish(side: Side, url: str, kind: str, path: Path, *options: str) -> None:
    side.succeed("publish", "-q", "-f", kind, *options, url, path)


def subscribe(side: Side, url: str, *options: str) -> str:
    return side.succeed("subscribe", "-q", "-e", "-s", "EARLIEST", *options, url)


def halves(printed: str) -> tuple[str, str]:
    """What was printed of the first message and of the second, which are the same length where they are the same."""
    middle = len(printed) // 2
    return printed[:middle], printed[middle:]


@pytest.mark.parametrize("kind", FILES)
def test_each_prints_the_others_message_as_its_own(
    theirs: Side, ours: Side, release: Release, url: str, kind: str, results: Results
) -> None:
    path = FILES[kind]
    row = f"`publish -f {kind}`, `subscribe`"
    if release.number < SINCE.get(kind, (0,)):
        results.record(TABLE, row, release.version, NOT_THERE)
        return
    publish(theirs, url, kind, path)
    publish(ours, url, kind, path)
    first, second = halves(subscribe(ours, url))
    assert first == second
    assert first
    if kind != "VOEVENT":
        assert first == path.read_text(encoding="utf-8")
    cell = YES
    read = theirs.run("subscribe", "-q", "-e", "-s", "EARLIEST", url)
    if release.number < (0, 6):
        assert read.returncode == 1
        assert "incorrectly formatted" in read.stderr
        cell = "stops [3]"
    elif (kind, release.version) == ("VOEVENT", "0.13.0"):
        # It makes XML of JSON, and leaves its own as it came.
        assert read.stdout.startswith(path.read_text(encoding="utf-8"))
        assert read.stdout.count("<voe:VOEvent ") == 2
        cell = "yes, as XML [1]"
    else:
        assert read.returncode == 0
        first, second = halves(read.stdout)
        assert first == second
        assert first
    results.record(TABLE, row, release.version, cell)


def test_lines_from_standard_input(
    theirs: Side, ours: Side, release: Release, url: str, results: Results
) -> None:
    lines = '{"a": 1}\n{"b": "é"}\n'
    row = "`publish` of lines, `subscribe`"
    published = theirs.run("publish", "-q", url, stdin=lines)
    if release.number >= (0, 11):
        assert published.returncode == 1
        assert "__bytes__ returned non-bytes" in published.stderr
        cell = "cannot be sent [4]"
    else:
        assert published.returncode == 0
        assert subscribe(ours, url) == lines
        cell = YES
    results.record(TABLE, row, release.version, cell)


def test_our_test_messages_are_kept_apart_by_theirs(
    theirs: Side, ours: Side, release: Release, url: str, results: Results
) -> None:
    publish(ours, url, "CIRCULAR", FILES["CIRCULAR"], "-t")
    assert subscribe(ours, url) == ""
    cell = "stops [3]"
    if release.number >= (0, 6):
        assert subscribe(theirs, url).strip() == ""
        assert subscribe(theirs, url, "-t").count("TITLE:") == 1
        cell = YES
    results.record(TABLE, "`publish -t` by hop 1, `subscribe`", release.version, cell)


def test_their_test_messages_are_kept_apart_by_ours(
    theirs: Side, ours: Side, release: Release, url: str, results: Results
) -> None:
    cell = NOT_THERE
    if release.number >= (0, 5, 1):
        publish(theirs, url, "CIRCULAR", FILES["CIRCULAR"], "-t")
        assert subscribe(ours, url, "-t").count("TITLE:") == 1
        marked = release.number >= (0, 12)
        assert subscribe(ours, url).count("TITLE:") == (0 if marked else 1)
        cell = YES if marked else "sent without the mark [4]"
    results.record(TABLE, "`publish -t` by it, `subscribe`", release.version, cell)


@pytest.mark.parametrize("theirs_first", [True, False])
def test_a_group_goes_on_with_the_other(
    theirs: Side, ours: Side, release: Release, url: str, theirs_first: bool, results: Results
) -> None:
    first, second = (theirs, ours) if theirs_first else (ours, theirs)
    # 0.5 reads what 0.5 writes only.
    writer = theirs if release.number < (0, 6) else ours
    group = "hop-" + url.rpartition("/")[2]
    for reader in (first, second, first):
        publish(writer, url, "CIRCULAR", FILES["CIRCULAR"])
        assert subscribe(reader, url, "-g", group).count("TITLE:") == 1
    results.record(TABLE, "`subscribe -g`, one after the other", release.version, YES)


def test_both_list_the_same_topics(
    theirs: Side,
    ours: Side,
    release: Release,
    url: str,
    hop_kafka: KafkaBroker,
    results: Results,
) -> None:
    listed = theirs.succeed("list-topics", hop_kafka.url())
    assert url.rpartition("/")[2] in listed
    assert ours.succeed("list-topics", hop_kafka.url()) == listed
    results.record(TABLE, "`list-topics`", release.version, YES)
