"""hop-models: start-up, VOEvents, JSON messages, and the size of an installation.

The promises are speeds: a VOEvent at least at 0.7 of a bare lxml parse and walk, a JSON message at least at 0.6 of
`json.loads`. As ratios of times they are 1 / 0.7 and 1 / 0.6.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from importlib.metadata import distribution
from pathlib import Path
from typing import Any

from lxml import etree

from benchmarks._harness import Row, paired, process
from hop.models import VOEvent, decode

MEGABYTE = 1024 * 1024
PACKET = Path(__file__).parents[1] / "tests-integration" / "data" / "example_voevent.xml"
ALERT = {
    "alert_type": "update",
    "event_name": ["GRB 260314A"],
    "ra": 145.321,
    "dec": 24.135,
    "ra_dec_error": 0.05,
    "light_curve": [[i / 7, i * i] for i in range(20)],
    "comment": "an alert of a kilobyte, as they are common " * 10,
}


def measure() -> list[Row]:
    return [_start_up(), _voevent(), _json(), _size()]


def _start_up() -> Row:
    return paired(
        "import hop.models",
        process(sys.executable, "-c", "import hop.models"),
        "import json, dataclasses",
        process(sys.executable, "-c", "import json, dataclasses"),
        bound=1.5,
        pairs=15,
    )


def _voevent() -> Row:
    packet = PACKET.read_bytes()
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, remove_comments=True, remove_pis=True
    )
    return paired(
        "VOEvent.load, 200 times",
        _repeat(200, lambda: VOEvent.load(packet)),
        "lxml, parse and walk",
        _repeat(200, lambda: _walk(etree.fromstring(packet, parser))),
        bound=1 / 0.7,
        pairs=15,
    )


def _json() -> Row:
    body = json.dumps(ALERT).encode()
    headers = [("_id", b"0123456789abcdef"), ("_format", b"json"), ("_sender", b"somebody")]
    return paired(
        f"decode JSON of {len(body)} bytes, 10,000 times",
        _repeat(10_000, lambda: decode(headers, body)),
        "json.loads",
        _repeat(10_000, lambda: json.loads(body)),
        bound=1 / 0.6,
        pairs=15,
    )


def _size() -> Row:
    """Not a time: what hop-models and its two libraries take on the disk, in megabytes."""
    files = [
        file.locate()
        for name in ("hop-models", "lxml", "fastavro")
        for file in distribution(name).files or ()
    ]
    size = (
        sum(Path(str(file)).stat().st_size for file in files if Path(str(file)).exists()) / MEGABYTE
    )
    return Row("hop-models installed alone, in MB", "40 MB", size, 40.0, size / 40, 1.0)


def _repeat(times: int, action: Callable[[], object]) -> Callable[[], None]:
    def repeated() -> None:
        for _ in range(times):
            action()

    return repeated


def _walk(element: Any) -> Any:
    """The least that makes dictionaries of elements: names, attributes, text, lists of what is repeated."""
    value = dict(element.items())
    for child in element:
        name, inner = child.tag, _walk(child)
        if name not in value:
            value[name] = inner
        elif isinstance(value[name], list):
            value[name].append(inner)
        else:
            value[name] = [value[name], inner]
    text = (element.text or "").strip()
    if not value:
        return text or None
    if text:
        value["#text"] = text
    return value
