"""VOEvent packets as dictionaries, from XML and from JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest

from hop.models import DecodeError, VOEvent

ROOT = '<voe:VOEvent xmlns:voe="http://www.ivoa.net/xml/VOEvent/v2.0" ivorn="ivo://a/b#c" version="2.0" role="test">'


def _load(inside: str) -> VOEvent:
    return VOEvent.load(f"{ROOT}{inside}</voe:VOEvent>")


def test_a_packet_is_its_sections() -> None:
    event = _load(
        """
        <Who><AuthorIVORN>ivo://a</AuthorIVORN><Date>2026-01-01T00:00:00</Date></Who>
        <What><Param name="a" value="1"/></What>
        <WhereWhen id="w"><Description>here</Description></WhereWhen>
        <How><Description>so</Description></How>
        <Why importance="0.5"><Concept>c</Concept></Why>
        <Citations><EventIVORN cite="followup">ivo://a/b#a</EventIVORN></Citations>
        <Description>text</Description>
        <Reference uri="https://example.org"/>
        """
    )
    assert event == VOEvent(
        ivorn="ivo://a/b#c",
        role="test",
        version="2.0",
        Who={"AuthorIVORN": "ivo://a", "Date": "2026-01-01T00:00:00"},
        What={"Param": {"name": "a", "value": "1"}},
        WhereWhen={"id": "w", "Description": "here"},
        How={"Description": "so"},
        Why={"importance": "0.5", "Concept": "c"},
        Citations={"EventIVORN": {"cite": "followup", "#text": "ivo://a/b#a"}},
        Description="text",  # type: ignore[arg-type]
        Reference={"uri": "https://example.org"},
    )


def test_what_a_packet_does_not_say_has_its_default() -> None:
    event = VOEvent.load('<VOEvent ivorn="ivo://a/b#c"/>')
    assert (event.role, event.version) == ("observation", "2.0")
    assert event.Who == event.What == event.Reference == {}


@pytest.mark.parametrize(
    ("inside", "expected"),
    [
        ("<a/>", {"a": None}),
        ("<a>  </a>", {"a": None}),
        ("<a>\n  text \n lines </a>", {"a": "text \n lines"}),
        ('<a b="c"/>', {"a": {"b": "c"}}),
        ('<a b="c"> text </a>', {"a": {"b": "c", "#text": "text"}}),
        ('<a b=""/>', {"a": {"b": ""}}),
        ("<a>1</a><b/><a>2</a><a/>", {"a": ["1", "2", None], "b": None}),
        ("<a><b><c>d</c></b></a>", {"a": {"b": {"c": "d"}}}),
        ("<a>one<b/>two</a>", {"a": {"#text": "onetwo", "b": None}}),
        ("<a>o<!-- comment -->ne<?pi data?></a>", {"a": "one"}),
        ("<!-- comment --><?pi data?><a/>", {"a": None}),
        ("<a><![CDATA[<b> & more]]></a>", {"a": "<b> & more"}),
        ("<a>&lt;&amp;&#233;</a>", {"a": "<&é"}),
        ('<a b="c"><b>d</b></a>', {"a": {"b": ["c", "d"]}}),
        ('<x:a xmlns:x="urn:x" x:b="c"><x:d/></x:a>', {"a": {"b": "c", "d": None}}),
        ('<a xmlns="urn:x"><b/></a>', {"a": {"b": None}}),
        ("<Param/>", {"Param": None}),
        ("true", {"#text": "true"}),
    ],
)
def test_elements_as_values(inside: str, expected: dict[str, Any]) -> None:
    # An attribute beside them makes a section a dictionary in every case.
    assert _load(f'<What type="t">{inside}</What>').What == {"type": "t", **expected}


def test_sections_are_values_too() -> None:
    event = _load(
        "<Who/><Description>a</Description><Description>b</Description><What> text </What>"
    )
    assert (event.Who, event.Description, event.What) == (None, ["a", "b"], "text")


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("<VOEvent", "</VOEvent>"),
        ('<VOEvent xmlns="http://www.ivoa.net/xml/VOEvent/v1.1"', "</VOEvent>"),
        ('<voe:VOEvent xmlns:voe="http://www.ivoa.net/xml/VOEvent/v2.0"', "</voe:VOEvent>"),
        ('<x:VOEvent xmlns:x="http://www.ivoa.net/xml/VOEvent/v2.1"', "</x:VOEvent>"),
    ],
)
def test_any_prefix_and_any_version(start: str, end: str) -> None:
    xsi = 'xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="a b"'
    event = VOEvent.load(
        f'{start} {xsi} ivorn="ivo://a/b#c" version="1.1"><Who><Date>d</Date></Who>{end}'
    )
    assert event == VOEvent("ivo://a/b#c", version="1.1", Who={"Date": "d"})


def test_sections_with_a_prefix() -> None:
    event = VOEvent.load(
        '<v:VOEvent xmlns:v="urn:v" ivorn="i"><v:Who><v:Date>d</v:Date></v:Who></v:VOEvent>'
    )
    assert event.Who == {"Date": "d"}


def test_what_is_no_section_is_left_out() -> None:
    assert _load("<Signature>x</Signature><Who>me</Who>") == VOEvent(
        "ivo://a/b#c", "test", Who="me"
    )  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "encoding",
    ["utf-8", "utf-16", "iso-8859-1", "latin-1", "windows-1252", "us-ascii", "Shift_JIS"],
)
def test_any_encoding_that_the_xml_declares(encoding: str) -> None:
    text = {"us-ascii": "plain", "Shift_JIS": "日本"}.get(encoding, "Ångström")
    xml = f'<?xml version="1.0" encoding="{encoding}"?>{ROOT}<Description>{text}</Description></voe:VOEvent>'
    assert VOEvent.load(xml.encode(encoding)).Description == text
    assert VOEvent.load(xml).Description == text, (
        "text has no encoding any more, whatever it declares"
    )


@pytest.mark.parametrize(
    "encoding", ["nonsense", "punycode", "idna", "unicode_escape", "hex", "rot13"]
)
def test_what_is_no_encoding_is_a_value_error(encoding: str) -> None:
    xml = f'<?xml version="1.0" encoding="{encoding}"?>{ROOT}</voe:VOEvent>'
    with pytest.raises(DecodeError, match="Unsupported encoding"):
        VOEvent.load(xml.encode())


def test_on_the_wire_it_is_json() -> None:
    event = _load('<What><Param name="a" value="1"/></What><Description>Ü</Description>')
    serialized = event.serialize()
    assert serialized["format"] == "voevent"
    assert json.loads(serialized["content"]) == {
        "ivorn": "ivo://a/b#c",
        "role": "test",
        "version": "2.0",
        "Who": {},
        "What": {"Param": {"name": "a", "value": "1"}},
        "WhereWhen": {},
        "How": {},
        "Why": {},
        "Citations": {},
        "Description": "Ü",
        "Reference": {},
    }
    assert VOEvent.deserialize(serialized["content"]) == event
    assert event.to_json_object() == {
        "format": "voevent",
        "content": json.loads(serialized["content"]),
    }


def test_it_is_printed_as_indented_json() -> None:
    event = _load("<Description>Ü</Description>")
    assert json.loads(str(event)) == json.loads(event.serialize()["content"])
    assert '\n  "Description": "Ü",\n' in str(event)
    assert bytes(event) == str(event).encode()


def test_json_and_xml_are_told_apart_by_content() -> None:
    expected = VOEvent("ivo://a/b#c")
    assert VOEvent.deserialize(b'<VOEvent ivorn="ivo://a/b#c"/>') == expected
    assert VOEvent.deserialize(b'\n <VOEvent ivorn="ivo://a/b#c"/>') == expected
    assert (
        VOEvent.deserialize('<?xml version="1.0"?><VOEvent ivorn="ivo://a/b#c"/>'.encode("utf-16"))
        == expected
    )
    assert VOEvent.deserialize(b'{"ivorn": "ivo://a/b#c"}') == expected
    assert VOEvent.deserialize(b' \n{"ivorn": "ivo://a/b#c", "xmlns:voe": "x"}') == expected


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"", "empty, as hop-client 0.12 and 0.13 send events"),
        (b"{}", "no text 'ivorn'"),
        (b'{"ivorn": 5}', "no text 'ivorn'"),
        (b'{"ivorn": ', "Expecting value"),
        (b"[]", "cannot be read as XML"),
        (b"<VOEvent/>", "no attribute 'ivorn'"),
        (b"<html/>", "the root element is <html>, not <VOEvent>"),
        (b"<VOEvent", "line 1, column 9"),
        (b"<VOEvent ivorn='a'>\n<Who></Why></VOEvent>", "line 2"),
        (b"<VOEvent ivorn='a'/><VOEvent ivorn='b'/>", "Extra content"),
        (b"\xff\xfe\x00", "cannot be read as XML"),
    ],
)
def test_what_is_no_voevent_is_one_line_of_value_error(data: bytes, problem: str) -> None:
    with pytest.raises(DecodeError, match=problem) as caught:
        VOEvent.deserialize(data)
    assert "\n" not in str(caught.value)


def test_the_original_xml_is_sent_on_request() -> None:
    xml = f"{ROOT}<!-- kept --><Who>me</Who></voe:VOEvent>".encode()
    kept = VOEvent.load(xml, keep_xml=True)
    assert kept.xml == kept.serialize()["content"] == xml
    assert VOEvent.deserialize(xml) == kept == VOEvent.load(xml)
    assert VOEvent.load(xml).xml is None
    assert VOEvent.load(xml).serialize()["content"].startswith(b"{")
    kept.xml = None
    assert kept.serialize()["content"].startswith(b"{")
    built = VOEvent("ivo://a/b#c", Who={"Date": "2026-01-01T00:00:00"})
    built.xml = built.to_xml()
    assert VOEvent.deserialize(built.serialize()["content"]) == built


def test_xml_that_was_text_is_kept_in_the_encoding_that_it_says() -> None:
    xml = f'<?xml version="1.0" encoding="UTF-16"?>{ROOT}<Description>Ü</Description></voe:VOEvent>'
    kept = VOEvent.load(xml, keep_xml=True)
    assert kept.xml is not None
    assert VOEvent.load(kept.xml).Description == "Ü"


def test_xml_is_kept_from_files(tmp_path: Any) -> None:
    path = tmp_path / "event.xml"
    path.write_text(f"{ROOT}</voe:VOEvent>")
    assert VOEvent.load_file(path, keep_xml=True).xml == path.read_bytes()


def test_its_repr_shows_what_it_has() -> None:
    event = _load(f"<Description>{'long ' * 10**5}</Description>")
    assert repr(event).startswith(
        "VOEvent(ivorn='ivo://a/b#c', role='test', version='2.0', Description='long long"
    )
    assert len(repr(event)) < 300
