"""GCN circulars: as text, on the wire, and what their headers say."""

from __future__ import annotations

import json
import time
from datetime import datetime, timezone
from typing import Any

import pytest

from hop.models import DecodeError, GCNCircular

TEXT = """\
TITLE:   GCN CIRCULAR
NUMBER:  98001
SUBJECT: GRB 260101A: Optical upper limits
DATE:    26/01/01 12:34:56 GMT
FROM:    Zoë Ångström at Example  <zoe@observatory.example>

Z. Ångström (Example Observatory) reports:

We found no source in the field.

 - indented: with a colon

The end.
"""
HEADER = {
    "title": "GCN CIRCULAR",
    "number": "98001",
    "subject": "GRB 260101A: Optical upper limits",
    "date": "26/01/01 12:34:56 GMT",
    "from": "Zoë Ångström at Example  <zoe@observatory.example>",
}
BODY = TEXT.split("\n\n", 1)[1]


def test_a_circular_is_its_header_and_its_body() -> None:
    circular = GCNCircular.load(TEXT)
    assert circular.header == HEADER
    assert list(circular.header) == list(HEADER)
    assert circular.body == BODY


def test_its_text_comes_back_byte_for_byte() -> None:
    assert str(GCNCircular.load(TEXT)) == TEXT
    assert bytes(GCNCircular.load(TEXT.encode())) == TEXT.encode()


def test_on_the_wire_it_is_json() -> None:
    serialized = GCNCircular.load(TEXT).serialize()
    assert serialized["format"] == "circular"
    assert json.loads(serialized["content"]) == {"header": HEADER, "body": BODY}
    assert GCNCircular.deserialize(serialized["content"]) == GCNCircular(HEADER, BODY)
    assert GCNCircular(HEADER, BODY).to_json_object() == {
        "format": "circular",
        "content": {"header": HEADER, "body": BODY},
    }


@pytest.mark.parametrize(
    ("text", "header", "body"),
    [
        (
            "TITLE: A\r\nFROM: b\r\n\r\nline\r\nline\r\n",
            {"title": "A", "from": "b"},
            "line\nline\n",
        ),
        (
            "SUBJECT: one\n two\n\tthree\nFROM: me\n\nx",
            {"subject": "one two three", "from": "me"},
            "x",
        ),
        ("SUBJECT:\n folded\n\nx", {"subject": "folded"}, "x"),
        ("\n\nTITLE: A\n\nx", {"title": "A"}, "x"),
        ("TITLE: A", {"title": "A"}, ""),
        ("TITLE: A\n\n\n\nx", {"title": "A"}, "\n\nx"),
        ("Title : A\nNumber:\n\nx", {"title": "A", "number": ""}, "x"),
        ("TITLE: A\nEDITED ON: 26/01/02\n\nx", {"title": "A", "edited on": "26/01/02"}, "x"),
        ("SUBJECT: a: b\n\nx", {"subject": "a: b"}, "x"),
        ("RECEIVED: 1\nRECEIVED: 2\n\nx", {"received": "1"}, "x"),
        ("TITLE: A\nNot a header line\n\nx", {"title": "A"}, "Not a header line\n\nx"),
        ("From me@x.example Thu Jan  1 12:00:00 2026\nTITLE: A\n\nx", {"title": "A"}, "x"),
    ],
    ids=[
        *(
            "crlf",
            "folded",
            "folded at once",
            "blank lines first",
            "no body",
            "blank lines later",
            "old mail",
        ),
        *("two words", "colon in value", "repeated", "no blank line", "mailbox"),
    ],
)
def test_mail_as_it_comes(text: str, header: dict[str, str], body: str) -> None:
    circular = GCNCircular.load(text)
    assert (circular.header, circular.body) == (header, body)
    assert GCNCircular.load(str(circular)) == circular


def test_mail_that_is_not_utf8_is_latin_1() -> None:
    circular = GCNCircular.load("FROM: René\n\nÉtoile".encode("latin-1"))
    assert (circular.header["from"], circular.body) == ("René", "Étoile")


def test_names_fill_nine_columns() -> None:
    assert str(
        GCNCircular({"a": "1", "longname": "2", "edited on": "3", "none": None, "n": 4}, "")
    ) == ("A:       1\nLONGNAME:2\nEDITED ON:3\nNONE:    \nN:       4\n\n")
    assert str(GCNCircular.load("EDITED ON: 26/01/02\n\nx")) == "EDITED ON: 26/01/02\n\nx"


def test_a_line_break_in_a_value_starts_no_other_header() -> None:
    circular = GCNCircular({"subject": "one\nFROM: somebody else\n\nbody"}, "x")
    assert GCNCircular.load(str(circular)).header.keys() == {"subject"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "empty"),
        ("\n\n", "empty"),
        ("Hello world", "line 1 is no header line"),
        ("We observed the field of the burst: nothing.\n\nx", "line 1 is no header line"),
        (" TITLE: indented\n\nx", "line 1 is no header line"),
        ("From me Thu Jan  1 12:00:00 2026\n\nx", "empty"),
    ],
)
def test_what_is_no_circular_is_a_value_error(text: str, problem: str) -> None:
    with pytest.raises(DecodeError, match=problem):
        GCNCircular.load(text)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"[]",
        b"{}",
        b'{"header": {}}',
        b'{"header": [], "body": ""}',
        b'{"header": {}, "body": null}',
        b"TITLE: x",
    ],
)
def test_what_is_no_circular_on_the_wire_is_a_value_error(data: bytes) -> None:
    with pytest.raises(DecodeError, match="GCNCircular"):
        GCNCircular.deserialize(data)


def test_what_the_header_says() -> None:
    circular = GCNCircular.load(TEXT)
    assert circular.number == 98001
    assert circular.subject == "GRB 260101A: Optical upper limits"
    assert circular.sender == "Zoë Ångström at Example <zoe@observatory.example>"
    assert circular.date == datetime(2026, 1, 1, 12, 34, 56, tzinfo=timezone.utc)
    assert circular.event == "GRB 260101A"


def test_what_a_header_does_not_say_is_missing() -> None:
    circular = GCNCircular({"title": "GCN CIRCULAR", "number": None}, "x")
    assert (circular.number, circular.subject, circular.sender) == (None, "", "")
    assert (circular.date, circular.event) == (None, None)
    assert GCNCircular({"number": "12a"}, "").number is None
    assert GCNCircular({"number": "²"}, "").number is None
    assert GCNCircular({"number": 12}, "").number == 12
    assert GCNCircular({"subject": {"a": 1}}, "").summary()


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("97/12/14 23:34:49 GMT", datetime(1997, 12, 14, 23, 34, 49, tzinfo=timezone.utc)),
        ("20/01/29 17:07 UT", datetime(2020, 1, 29, 17, 7, tzinfo=timezone.utc)),
        ("Thu, 14 Mar 2024 10:00:00 +0200", datetime(2024, 3, 14, 8, 0, tzinfo=timezone.utc)),
        ("Thu, 14 Mar 2024 10:00:00 -0000", datetime(2024, 3, 14, 10, 0, tzinfo=timezone.utc)),
        ("2024-03-14T10:00:00Z", datetime(2024, 3, 14, 10, 0, tzinfo=timezone.utc)),
        (
            "2024-03-14 10:00:00.5+01:00",
            datetime(2024, 3, 14, 9, 0, 0, 500000, tzinfo=timezone.utc),
        ),
        ("20/13/29 17:07:21 GMT", None),
        ("yesterday", None),
        ("", None),
        ("Thu, 99 Mar 2024 10:00:00 +0000", None),
    ],
)
def test_dates(text: str, date: datetime | None) -> None:
    assert GCNCircular({"date": text}, "").date == date


@pytest.mark.parametrize(
    ("subject", "event"),
    [
        ("GRB230410A: Fermi GBM", "GRB 230410A"),
        ("Swift observations of GRB 971214", "GRB 971214"),
        ("GRB-230410a: lower case", "GRB 230410A"),
        ("LIGO/Virgo S200129m: Not observable", "S200129m"),
        ("LIGO/Virgo/KAGRA S230518h: counterpart of GRB 230518A", "S230518h"),
        ("MS181101ab: a mock event", "MS181101ab"),
        ("IceCube-230401A - IceCube observation", "IceCube-230401A"),
        ("EP240414a: EP-WXT detection", "EP240414a"),
        ("FRB 20121102A: bursts", "FRB 20121102A"),
        ("SN2023ixf: X-rays", "SN 2023ixf"),
        ("AT2017gfo (GW170817): Spitzer", "AT 2017gfo"),
        ("GW170817: Chandra", "GW170817"),
        ("SGR 1935+2154: burst forest", "SGR 1935+2154"),
        ("Swift J1818.0-1607: discovery", "Swift J1818.0-1607"),
        ("ZTF23aaoohpy: candidate", "ZTF23aaoohpy"),
        ("IPN triangulation", None),
        ("", None),
    ],
)
def test_the_event_in_a_subject(subject: str, event: str | None) -> None:
    assert GCNCircular({"subject": subject}, "").event == event


def test_encoded_words_are_for_mail_only() -> None:
    circular = GCNCircular(
        {"subject": "=?utf-8?q?=C3=89toile?= de jour", "from": "=?nonsense?q?x?= <a@b.example>"}, ""
    )
    assert circular.subject == "Étoile de jour"
    assert circular.sender == "=?nonsense?q?x?= <a@b.example>"
    assert str(circular).startswith("SUBJECT: =?utf-8?q?=C3=89toile?= de jour\n")


GCN_JSON: dict[str, Any] = {
    "$schema": "https://gcn.nasa.gov/schema/main/gcn/circulars.schema.json",
    "eventId": "GRB 260101A",
    "submitter": "Zoë Ångström at Example <zoe@observatory.example>",
    "subject": "GRB 260101A: Optical upper limits",
    "circularId": 98001,
    "body": "We found\nnothing.",
    "createdOn": 1767270896789,
}


@pytest.mark.parametrize("form", [dict, json.dumps, lambda value: json.dumps(value).encode()])
def test_circulars_as_gcn_sends_them_on_kafka(form: Any) -> None:
    circular = GCNCircular.from_gcn_json(form(GCN_JSON))
    assert circular == GCNCircular(
        {
            "title": "GCN CIRCULAR",
            "number": "98001",
            "subject": "GRB 260101A: Optical upper limits",
            "date": "26/01/01 12:34:56 GMT",
            "from": "Zoë Ångström at Example <zoe@observatory.example>",
        },
        "We found\nnothing.",
    )
    assert circular.event == "GRB 260101A"
    assert GCNCircular.load(str(circular)) == circular


def test_what_gcn_adds_is_kept() -> None:
    circular = GCNCircular.from_gcn_json(
        GCN_JSON
        | {
            "eventId": "GRB 251231B",
            "editedOn": 1767270896789,
            "editedBy": "me",
            "circularId": 98001.5,
        }
    )
    assert circular.event == "GRB 251231B"
    assert circular.header["edited on"] == "26/01/01 12:34:56 GMT"
    assert circular.header["edited by"] == "me"
    assert circular.header["number"] == "98001.5"
    assert GCNCircular.from_gcn_json({"subject": "s", "body": "b"}).header == {
        "title": "GCN CIRCULAR",
        "subject": "s",
    }


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"subject": None}, "no text 'subject'"),
        ({"body": 5}, "no text 'body'"),
        ({"createdOn": "soon"}, "'createdOn' is 'soon', not milliseconds since 1970"),
        ({"createdOn": 10**30}, "not milliseconds since 1970"),
    ],
)
def test_bad_circulars_of_gcn(changes: dict[str, Any], problem: str) -> None:
    with pytest.raises(DecodeError, match=problem):
        GCNCircular.from_gcn_json(GCN_JSON | changes)
    with pytest.raises(DecodeError, match="object is expected"):
        GCNCircular.from_gcn_json("[]")


@pytest.mark.parametrize(
    "text",
    [
        "SUBJECT: a\n" + " b\n" * 10**6 + "\nbody",
        "SUBJECT: " + "=?utf-8?q?a?= " * 10**5 + "\n\nbody",
        "SUBJECT: " + "GRB " * 10**6 + "\n\nbody",
        "DATE: " + "1 " * 10**6 + "\n\nbody",
        "".join(f"HEADER-{i}: a\n" for i in range(10**5)) + "\nbody",
        "a" * 10**7,
        "a a a " * 10**6,
        "A:" + "\n" * 10**7,
    ],
    ids=["folds", "encoded words", "names", "date", "headers", "one word", "words", "blank lines"],
)
def test_no_text_takes_long(text: str) -> None:
    started = time.perf_counter()
    try:
        circular = GCNCircular.load(text)
    except DecodeError:
        pass
    else:
        assert circular.summary()
        assert str(circular)
        _ = (circular.date, circular.event, circular.sender)
    assert time.perf_counter() - started < 10
