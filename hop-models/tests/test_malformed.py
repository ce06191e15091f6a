"""Every file of the folder `malformed` becomes a Blob with its reason, whatever its format says, soon."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from hop.models import Blob, DecodeError, decode, message_models

FILES = sorted(path for path in Path(__file__).with_name("malformed").rglob("*") if path.is_file())


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_it_becomes_a_blob_with_the_reason(path: Path) -> None:
    body = path.read_bytes()
    declared = None if path.parent.name == "envelope" else path.parent.name
    started = time.perf_counter()
    message = decode(declared and [("_format", declared.encode())], body)
    assert time.perf_counter() - started < 5
    assert isinstance(message, Blob)
    assert message.content == body
    assert message.declared_format
    assert message.reason
    assert message.reason.isprintable()
    assert 10 < len(message.reason) <= 300


# Forms of the wire, which `load` does not read, are left to `decode`.
LOADED = [
    path
    for path in FILES
    if path.parent.name not in ("envelope", "circular") and path.suffix != ".json"
]


@pytest.mark.parametrize("path", LOADED, ids=lambda path: f"{path.parent.name}/{path.name}")
def test_load_says_so_in_a_value_error_of_one_line(path: Path) -> None:
    with pytest.raises(DecodeError) as caught:
        message_models()[path.parent.name].load_file(path)
    assert "\n" not in str(caught.value)


def test_every_format_that_can_fail_has_files() -> None:
    formats = {"avro", "circular", "external", "gcntextnotice", "json", "voevent"}
    assert {path.parent.name for path in FILES} == formats | {"envelope"}
