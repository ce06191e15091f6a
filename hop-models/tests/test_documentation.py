"""The examples of the README, and of the documentation of 2022, as far as they need no broker."""

from __future__ import annotations

import copy
import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import fastavro
import pytest

from hop.models import AvroBlob, Blob, GCNCircular, GCNTextNotice, JSONBlob, VOEvent, decode

README = Path(__file__).parents[1] / "README.md"


def test_the_readme_runs(tmp_path: Path) -> None:
    blocks = README.read_text(encoding="utf-8").split("```python\n")[1:]
    assert len(blocks) == 6
    program = "\n".join(block.split("```")[0] for block in blocks)
    done = subprocess.run(
        [sys.executable, "-X", "utf8", "-W", "error", "-"],
        input=program,
        capture_output=True,
        encoding="utf-8",
        cwd=tmp_path,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert "FROM:    Zoë Martínez at Teide" in done.stdout


def _sent_and_received(message: Any) -> Any:
    """As a stream sends a message, and a reader gets it."""
    serialized = message.serialize()
    assert set(serialized) == {"format", "content"}
    assert isinstance(serialized["content"], bytes)
    return decode([("_format", serialized["format"].encode())], serialized["content"])


def test_section_1_2_2_a_circular_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "circular.gcn3"
    path.write_text("TITLE:   GCN CIRCULAR\nSUBJECT: test\n\nbody\n")
    with path.open() as f:
        circular = GCNCircular.load(f)
    assert _sent_and_received(circular) == GCNCircular(
        {"title": "GCN CIRCULAR", "subject": "test"}, "body\n"
    )


def test_section_1_2_2_every_message_has_a_content() -> None:
    # The quickstart prints `message.content`, whatever comes.
    circular = GCNCircular({"title": "GCN CIRCULAR"}, "body\n")
    assert circular.content == {"header": {"title": "GCN CIRCULAR"}, "body": "body\n"}
    assert VOEvent("ivo://x/y#1", What={"Param": None}).content["What"] == {"Param": None}
    assert GCNTextNotice("TITLE: GCN NOTICE\n").content["raw"] == "TITLE: GCN NOTICE\n"
    assert JSONBlob([1]).content == [1]
    with pytest.raises(AttributeError, match="'GCNCircular' object has no attribute 'contents'"):
        circular.contents  # noqa: B018
    assert copy.deepcopy(circular) == circular


def test_section_1_5_1_a_voevent_from_a_file(tmp_path: Path) -> None:
    xml_path = str(tmp_path / "voevent.xml")
    Path(xml_path).write_text('<VOEvent ivorn="ivo://a/b#c" role="test" version="2.0"/>')
    voevent = VOEvent.load_file(xml_path)
    assert _sent_and_received(voevent) == voevent == VOEvent("ivo://a/b#c", "test")


def test_section_1_5_2_unstructured_messages(tmp_path: Path) -> None:
    for value in (
        "a string message",
        ["some", "data", "with", "numbers:", 5, 6, 7],
        {"priority": 1, "payload": "data"},
    ):
        assert _sent_and_received(JSONBlob(value)).content == value
    assert (
        _sent_and_received(Blob(b"\x02Binary data\x1dMessage ends\x03")).content
        == b"\x02Binary data\x1dMessage ends\x03"
    )
    records = [{"priority": 1, "payload": b"\x02Binary data\x03"}]
    assert _sent_and_received(AvroBlob(records)).content == records
    path = tmp_path / "my_schema.avsc"
    fields = [{"name": "priority", "type": "int"}, {"name": "payload", "type": "bytes"}]
    path.write_text(json.dumps({"type": "record", "name": "message", "fields": fields}))
    schema = fastavro.schema.load_schema(path)
    received = _sent_and_received(AvroBlob(records, schema=schema))
    assert received.content == records
    assert received.schema["fields"] == fields
    assert (
        next(fastavro.reader(io.BytesIO(AvroBlob(records, schema=schema).serialize()["content"])))
        == records[0]
    )
