"""What a circular's header says, for people and programs."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone

from hop.models._exceptions import DecodeError
from hop.models._marks import RETRACTION, TEST, marks_of_text
from hop.models._time import parse_iso

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_ARCHIVE_DATE = re.compile(r"(\d\d)/(\d\d)/(\d\d)\s+(\d\d):(\d\d)(?::(\d\d))?(?:\s+(?:GMT|UTC?))?")

# The names of events, and how GCN spells them.
_EVENTS = (
    (re.compile(r"\bGRB[\s._-]*(\d{6}[A-Za-z]?(?:\.\d{1,3})?)(?![\w])"), "GRB {0}"),
    (re.compile(r"\b((?:MS|TS|S)\d{6}[a-z]{1,4})\b"), "{}"),
    (re.compile(r"\b(GW\d{6}(?:_\d{6})?)\b"), "{}"),
    (re.compile(r"\bIceCube[\s._-]*(\d{6}[A-Za-z])\b"), "IceCube-{0}"),
    (re.compile(r"\b(?:HAWC)[\s._-]*(\d{6}[A-Za-z])\b"), "HAWC-{0}"),
    (re.compile(r"\bKM3[\s._-]*(\d{6}[A-Za-z])\b"), "KM3-{0}"),
    (re.compile(r"\bFRB[\s._-]*(\d{6,8}[A-Za-z]{0,3})\b"), "FRB {0}"),
    (re.compile(r"\bEP[\s._-]*(\d{6}[a-z]{1,2})\b"), "EP{}"),
    (re.compile(r"\b(sb\d{8})\b"), "{}"),
    (re.compile(r"\b(ZTF\d\d[a-z]{7})\b"), "{}"),
    (re.compile(r"\bAT[\s._-]*((?:19|20)\d\d[A-Za-z]{1,4})\b"), "AT {}"),
    (re.compile(r"\bSN[\s._-]*((?:19|20)\d\d[A-Za-z]{1,4})\b"), "SN {}"),
    (re.compile(r"\bSGR[\s._-]*(J?\d{4}(?:\.\d+)?[+-]\d{2,4})"), "SGR {}"),
    (re.compile(r"\bSwift[\s._-]*(J\d{4}(?:\.\d+)?[+-]\d{2,4})"), "Swift {}"),
    (re.compile(r"\bMAXI[\s._-]*(J\d{4}(?:\.\d+)?[+-]\d{2,4})"), "MAXI {}"),
)


def marks_of_subject(subject: str) -> list[str]:
    """What must not be overlooked about a circular, as far as its subject says."""
    marks = marks_of_text(subject)
    if re.search(r"\btest\b", subject, re.IGNORECASE):
        marks.append(TEST)
    if re.search(r"\bretract(?:ion|ed|s)?\b", subject, re.IGNORECASE):
        marks.append(RETRACTION)
    return marks


def find_event(subject: str) -> str | None:
    """The name of the event that the subject mentions first."""
    found = []
    for pattern, form in _EVENTS:
        match = pattern.search(subject)
        if match:
            name = match.group(1)
            found.append((match.start(), form.format(name.upper() if "{0}" in form else name)))
    return min(found)[1] if found else None


def parse_date(text: str) -> datetime | None:
    """The date of the archive's form (years from 1970 to 2069), of a mail, or of ISO 8601."""
    match = _ARCHIVE_DATE.fullmatch(text)
    try:
        if match is None:
            return parse_iso(text) or _mail_date(text)
        year, month, day, hour, minute, second = (int(number or 0) for number in match.groups())
        return datetime(
            year + (1900 if year >= 70 else 2000),
            month,
            day,
            hour,
            minute,
            second,
            tzinfo=timezone.utc,
        )
    except ValueError:
        return None


def _mail_date(text: str) -> datetime | None:
    from email.utils import parsedate_to_datetime

    try:
        date = parsedate_to_datetime(text)
        return date.astimezone(timezone.utc) if date.tzinfo else date.replace(tzinfo=timezone.utc)
    except (TypeError, ValueError, IndexError, OverflowError):
        return None


def decode_words(text: str) -> str:
    """Mail's encoded words, `=?utf-8?q?Ren=C3=A9?=`, as what they stand for; the text itself where they are damaged."""
    from email.errors import HeaderParseError
    from email.header import decode_header, make_header

    try:
        return str(make_header(decode_header(text)))
    except (HeaderParseError, LookupError, UnicodeError, ValueError):
        return text


def header_from_gcn(circular: dict[str, Any]) -> dict[str, Any]:
    """The header of a circular that GCN sends as JSON. Raises DecodeError."""
    subject = circular.get("subject")
    if not isinstance(subject, str):
        raise DecodeError("GCN circular: the JSON object has no text 'subject'")
    header: dict[str, Any] = {"title": "GCN CIRCULAR"}
    if circular.get("circularId") is not None:
        header["number"] = _number(circular["circularId"])
    header["subject"] = subject
    header |= _date(circular, "createdOn", "date")
    if circular.get("submitter") is not None:
        header["from"] = str(circular["submitter"])
    header |= _date(circular, "editedOn", "edited on")
    if circular.get("editedBy") is not None:
        header["edited by"] = str(circular["editedBy"])
    event = circular.get("eventId")
    if isinstance(event, str) and event != find_event(subject):
        header["eventid"] = event
    return header


def _number(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _date(circular: dict[str, Any], key: str, name: str) -> dict[str, str]:
    milliseconds = circular.get(key)
    if milliseconds is None:
        return {}
    try:
        date = datetime(1970, 1, 1, tzinfo=timezone.utc) + timedelta(milliseconds=milliseconds)
    except (TypeError, OverflowError, ValueError) as exc:
        raise DecodeError(
            f"GCN circular: {key!r} is {str(milliseconds)[:40]!r}, not milliseconds since 1970"
        ) from exc
    return {name: f"{date:%y/%m/%d %H:%M:%S} GMT"}
