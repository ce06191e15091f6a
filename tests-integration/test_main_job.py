"""The main job from end to end: the samples, the programs, the documentation's quickstart."""

from __future__ import annotations

import importlib.metadata
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from installing import clean_environment, run

from hop.sandbox import MemoryBroker

DATA = Path(__file__).parent / "data"


def test_the_demo_shows_every_sample_and_says_what_was_done() -> None:
    output = run(sys.executable, Path(__file__).parent / "demo.py").stdout
    assert "GCN CIRCULAR" in output
    lines = [json.loads(line) for line in output.splitlines() if line.startswith('{"format"')]
    assert {line["format"] for line in lines} == {"circular", "voevent", "avro", "json"}
    samples = (DATA / "example.jsonl").read_text().splitlines()
    assert [line["content"] for line in lines if line["format"] == "json"] == [
        json.loads(sample) for sample in samples
    ]
    assert output.splitlines()[-1].startswith(f"Done: {len(lines)} messages of 4 formats")


def test_a_circular_comes_back_byte_for_byte(hop_broker: MemoryBroker, hop_topic: str) -> None:
    url = hop_broker.url(hop_topic)
    path = DATA / "example.gcn3"
    run("hop", "publish", "--no-auth", url, "-f", "CIRCULAR", path)
    read = subprocess.run(
        ["hop", "subscribe", "--no-auth", url, "-s", "EARLIEST", "-e"],
        stdout=subprocess.PIPE,
        check=True,
        env=clean_environment(),
    )
    assert read.stdout == path.read_bytes()


def test_the_python_quickstart(hop_broker: MemoryBroker, hop_topic: str) -> None:
    from hop import Stream
    from hop.io import StartPosition
    from hop.models import AvroBlob, GCNCircular, JSONBlob, VOEvent

    url = hop_broker.url(hop_topic)
    stream = Stream(auth=False, start_at=StartPosition.EARLIEST, until_eos=True)
    with (DATA / "example.gcn3").open(encoding="utf-8") as f:
        circular = GCNCircular.load(f)
    voevent = VOEvent.load_file(DATA / "example_voevent.xml")
    avro = AvroBlob.load_file(DATA / "example.avro")
    messages: list[Any] = [circular, voevent, avro, {"my": "message"}]
    with stream.open(url, "w") as s:
        for message in messages:
            s.write(message)
    with stream.open(url, "r") as s:
        assert list(s) == [circular, voevent, avro, JSONBlob({"my": "message"})]


def imported(statement: str) -> set[str]:
    """The modules that `python -X importtime` shows for a statement."""
    result = run(sys.executable, "-X", "importtime", "-c", statement)
    return {line.rpartition("|")[2].strip() for line in result.stderr.splitlines()}


@pytest.mark.parametrize(
    ("statement", "absent"),
    [
        ("import hop", {"confluent_kafka", "lxml", "fastavro", "hop.io", "hop.models"}),
        ("import hop.models", {"confluent_kafka", "lxml", "fastavro"}),
        ("import hop.auth", {"confluent_kafka", "hop.models"}),
        ("import hop; hop.models", {"confluent_kafka", "lxml", "fastavro"}),
    ],
)
def test_nothing_is_imported_until_it_is_touched(statement: str, absent: set[str]) -> None:
    names = imported(statement)
    assert "hop" in {name.partition(".")[0] for name in names}
    assert not absent & names


def test_unknown_attributes_of_hop_are_attribute_errors() -> None:
    import hop

    with pytest.raises(AttributeError, match="module 'hop' has no attribute 'nothing'"):
        hop.nothing  # noqa: B018
    assert {"Stream", "stream", "auth", "io", "__version__"} <= set(dir(hop))


@pytest.mark.parametrize("name", ["hop-client", "hop-sandbox", "hop-io", "hop-models"])
def test_the_versions_that_are_installed_are_those_of_the_sources(name: str) -> None:
    assert importlib.metadata.version(name) == "1.0.0"
