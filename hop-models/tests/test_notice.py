"""Classic GCN notices."""

from __future__ import annotations

import pytest

from hop.models import DecodeError, GCNTextNotice

TEXT = """\
TITLE:            GCN/EXAMPLE NOTICE
NOTICE_DATE:      Fri 02 Jan 26 05:34:35 UT
NOTICE_TYPE:      Example Burst Position
TRIGGER_NUM:      726112345,   Seg_Num: 0
GRB_RA:           103.7861d {+06h 55m 09s} (J2000),
                  104.1106d {+06h 56m 27s} (current)
GRB_TIME:         20026.89 SOD {05:33:46.89} UT
LC_URL:           https://example.org/lc.gif

COMMENTS:         The first line.
COMMENTS:
COMMENTS:         See http://example.org: all of it.
http://example.org/more
"""


def test_a_notice_is_its_fields_and_its_raw_text() -> None:
    notice = GCNTextNotice.load(TEXT)
    assert notice.fields == {
        "title": "GCN/EXAMPLE NOTICE",
        "notice_date": "Fri 02 Jan 26 05:34:35 UT",
        "notice_type": "Example Burst Position",
        "trigger_num": "726112345,   Seg_Num: 0",
        "grb_ra": "103.7861d {+06h 55m 09s} (J2000),\n104.1106d {+06h 56m 27s} (current)",
        "grb_time": "20026.89 SOD {05:33:46.89} UT",
        "lc_url": "https://example.org/lc.gif",
        "comments": "The first line.\n\nSee http://example.org: all of it.\nhttp://example.org/more",
    }
    assert notice.raw == TEXT
    assert str(notice) == TEXT
    assert bytes(notice) == TEXT.encode()


def test_keys_are_compared_in_lower_case() -> None:
    notice = GCNTextNotice.load("Notice_Type: a\nNOTICE_TYPE: b\n")
    assert notice["NOTICE_TYPE"] == notice["notice_type"] == notice.get("Notice_Type") == "a\nb"
    assert "NOTICE_TYPE" in notice
    assert "RA" not in notice
    assert 5 not in notice
    assert notice.get("RA") is None
    assert notice.get("RA", "unknown") == "unknown"
    with pytest.raises(KeyError):
        notice["RA"]


def test_on_the_wire_it_is_the_text() -> None:
    notice = GCNTextNotice.load(TEXT)
    assert notice.serialize() == {"format": "gcntextnotice", "content": TEXT.encode()}
    assert GCNTextNotice.deserialize(TEXT.encode()) == notice
    assert notice.to_json_object() == {
        "format": "gcntextnotice",
        "content": {"fields": notice.fields, "raw": TEXT},
    }


@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_line_ends_are_no_part_of_values(line_end: str) -> None:
    assert GCNTextNotice.load(f"A: 1{line_end}B: 2  {line_end}").fields == {"a": "1", "b": "2"}


def test_text_before_the_first_key_is_kept_in_the_raw_text() -> None:
    notice = GCNTextNotice.load("//////////\nKEY: value\n")
    assert notice.fields == {"key": "value"}
    assert notice.raw.startswith("//////////")


@pytest.mark.parametrize("text", ["", "no key here", "http://example.org", "12:30 h"])
def test_what_has_no_key_is_a_value_error(text: str) -> None:
    with pytest.raises(DecodeError, match="no line of the text is 'KEY: value'"):
        GCNTextNotice.load(text)
