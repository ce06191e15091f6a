"""The official schema of VOEvent 2.0, and what breaks it."""

from __future__ import annotations

import re
from functools import cache
from itertools import islice
from pathlib import Path

from lxml import etree

from hop.models._exceptions import ValidationError
from hop.models._voevent_xml import parse_root

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

_MOST_PROBLEMS = 100
_NAMESPACE = re.compile(r"\{[^}]*\}")


@cache
def _schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(Path(__file__).with_name("voevent-2.0.xsd")))


def validate_packet(xml: bytes) -> None:
    """Check a packet. Raises ValidationError; DecodeError for what is no XML."""
    root = parse_root(xml)
    # Said first, and in words: to the schema this is another namespace, of which it knows nothing.
    version = root.get("version")
    if version != "2.0":
        raise ValidationError(
            "VOEvent", [f"VOEvent: version {version!r}, where the schema is that of '2.0'"]
        )
    schema = _schema()
    if schema.validate(root):
        return
    problems = []
    paths = []
    log: Any = schema.error_log
    for error in islice(log, _MOST_PROBLEMS):
        path = _path(root, error.path)
        paths.append(path)
        problems.append(
            f"{path} (line {error.line}): {_NAMESPACE.sub('', ' '.join(error.message.split()))}"
        )
    raise ValidationError(paths[0], problems)


def _path(root: etree._Element, xpath: str | None) -> str:
    """`/voe:VOEvent/Who/Param[2]` without the prefix of the root."""
    return re.sub(r"[\w.-]+:", "", (xpath or f"/{root.tag}")).lstrip("/")
