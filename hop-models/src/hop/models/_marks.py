"""What must not be overlooked about an alert: that it is a test, a mock event or a retraction."""

from __future__ import annotations

import re

from hop.models._text import short_repr

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

TEST, MOCK, RETRACTION = "TEST", "MOCK", "RETRACTION"

# LIGO-Virgo-KAGRA: S230518h is real, MS230518h a mock event, TS230518h a test.
_SUPEREVENT = r"(?<![A-Za-z0-9])([MT])(?:S|GW)\d{6}[A-Za-z]*(?![A-Za-z0-9])"

# What GCN's unified schema and the gravitational-wave alerts write, value by value.
_VALUES = {
    "retraction": RETRACTION,
    "retracted": RETRACTION,
    "test": TEST,
    "injection": MOCK,
    "mock": MOCK,
}
_KEYS = ("alert_type", "alert_tense", "notice_type", "role", "event_type", "status")
_IDS = ("superevent_id", "event_id", "id", "event_name", "name", "graceid", "ref_id")


def marks_of_text(text: str) -> list[str]:
    """The marks of names in a text, such as a subject or an identifier."""
    return [MOCK if match.group(1) == "M" else TEST for match in re.finditer(_SUPEREVENT, text)]


def marks_of_value(value: object) -> list[str]:
    """The mark of a field's value, such as the `retraction` of an `alert_type`."""
    mark = _VALUES.get(value.strip().lower()) if isinstance(value, str) else None
    return [mark] if mark else []


def find_marks(content: Any) -> list[str]:
    """The marks of an alert as a JSON object, or of several in a list."""
    marks = []
    for alert in content if isinstance(content, list) else [content]:
        if not isinstance(alert, dict):
            continue
        for key in _KEYS:
            marks += marks_of_value(alert.get(key))
        for name in _names(alert):
            marks += marks_of_text(name)
    return marks


def headline(content: Any) -> str:
    """What an alert as a JSON object is about, as far as its keys tell; the start of any other value."""
    if isinstance(content, dict):
        kinds = [
            str(alert)
            for key in _KEYS
            if (alert := content.get(key)) and isinstance(alert, (str, int))
        ]
        about = [*_names(content), *kinds]
        if about:
            return " ".join(about)
    return short_repr(content)


def _names(alert: dict[Any, Any]) -> list[str]:
    found: list[str] = []
    for key in _IDS:
        value = alert.get(key)
        values = value[:3] if isinstance(value, list) else [value]
        found += [text for text in values if isinstance(text, str)]
    return found
