"""What `load` and `load_file` take, the same for every model."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from hop.models import (
    AvroBlob,
    Blob,
    DecodeError,
    ExternalMessage,
    GCNCircular,
    GCNTextNotice,
    JSONBlob,
    MessageModel,
    VOEvent,
)

CIRCULAR = "TITLE:   GCN CIRCULAR\nFROM:    Zoë at Teide\n\nÅngström.\n"
NOTICE = "TITLE:   GCN NOTICE\nCOMMENT: Ünïcode\n"
VOEVENT = '<?xml version="1.0"?>\n<VOEvent ivorn="ivo://a/b#c">\n<Description>Ünïcode</Description>\n</VOEvent>\n'
TEXTS = [
    (
        GCNCircular,
        CIRCULAR,
        GCNCircular({"title": "GCN CIRCULAR", "from": "Zoë at Teide"}, "Ångström.\n"),
    ),
    (GCNTextNotice, NOTICE, GCNTextNotice(NOTICE)),
    (JSONBlob, '{"a":\n "Ü"}', JSONBlob({"a": "Ü"})),
    (VOEvent, VOEVENT, VOEvent("ivo://a/b#c", Description="Ünïcode")),  # type: ignore[arg-type]
    (ExternalMessage, '{"url": "https://example.org/ü"}', ExternalMessage("https://example.org/ü")),
    (Blob, "Ünïcode\nlines", Blob("Ünïcode\nlines".encode())),
]


def _lines(text: str) -> Iterator[str]:
    yield from text.splitlines(keepends=True)


def _byte_lines(text: str) -> Iterator[bytes]:
    yield from text.encode().splitlines(keepends=True)


FORMS: list[Callable[[str], Any]] = [
    str,
    str.encode,
    lambda text: bytearray(text.encode()),
    lambda text: memoryview(text.encode()),
    io.StringIO,
    lambda text: io.BytesIO(text.encode()),
    _lines,
    _byte_lines,
    lambda text: text.splitlines(keepends=True),
]
FORM_NAMES = [
    *("text", "bytes", "bytearray", "memoryview", "text file", "binary file", "generator of text"),
    *("generator of bytes", "list of lines"),
]


@pytest.mark.parametrize(
    ("model", "text", "expected"), TEXTS, ids=[model.__name__ for model, _, _ in TEXTS]
)
@pytest.mark.parametrize("form", FORMS, ids=FORM_NAMES)
def test_every_form_of_input_loads(
    model: type[MessageModel], text: str, expected: MessageModel, form: Callable[[str], Any]
) -> None:
    assert model.load(form(text)) == expected


@pytest.mark.parametrize(
    ("model", "text", "expected"), TEXTS, ids=[model.__name__ for model, _, _ in TEXTS]
)
@pytest.mark.parametrize("kind", [str, Path])
def test_files_load_by_text_and_by_path(
    model: type[MessageModel], text: str, expected: MessageModel, kind: type, tmp_path: Path
) -> None:
    path = tmp_path / "message"
    path.write_text(text, encoding="utf-8")
    assert model.load_file(kind(path)) == expected
    with path.open(encoding="utf-8") as file:
        assert model.load(file) == expected
    with path.open("rb") as file:
        assert model.load(file) == expected


@pytest.mark.parametrize(
    "model", [AvroBlob, Blob, ExternalMessage, GCNCircular, GCNTextNotice, JSONBlob, VOEvent]
)
def test_what_is_no_input_is_a_type_error_that_helps(
    model: type[MessageModel], tmp_path: Path
) -> None:
    with pytest.raises(TypeError, match=f"{model.__name__}: cannot read a int"):
        model.load(5)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match=f"{model.__name__}: cannot read a dict"):
        model.load({"header": {}})
    with pytest.raises(TypeError, match="use load_file for a path"):
        model.load(tmp_path)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="all text or all bytes"):
        model.load(["a", b"b"])  # type: ignore[list-item]
    with pytest.raises(FileNotFoundError):
        model.load_file(tmp_path / "missing")


def test_text_files_in_another_encoding_say_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "latin1.xml"
    path.write_bytes(
        '<?xml version="1.0" encoding="latin-1"?><VOEvent ivorn="é"/>'.encode("latin-1")
    )
    with (
        path.open(encoding="utf-8") as file,
        pytest.raises(DecodeError, match="open it in binary mode"),
    ):
        VOEvent.load(file)
    assert VOEvent.load_file(path).ivorn == "é"


def test_a_byte_order_mark_is_no_content(tmp_path: Path) -> None:
    for encoding in ("utf-8-sig", "utf-16", "utf-32"):
        assert JSONBlob.load('{"a": "Ü"}'.encode(encoding)) == JSONBlob({"a": "Ü"})
    assert JSONBlob.load('\ufeff{"a": 1}') == JSONBlob({"a": 1})
    assert GCNCircular.load(CIRCULAR.encode("utf-8-sig")) == GCNCircular.load(CIRCULAR)
    assert VOEvent.load(VOEVENT.encode("utf-8-sig")) == VOEvent.load(VOEVENT)
    assert VOEvent.load("\ufeff" + VOEVENT) == VOEvent.load(VOEVENT)
    assert GCNTextNotice.load(NOTICE.encode("utf-8-sig")) == GCNTextNotice.load(NOTICE)
