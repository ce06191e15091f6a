"""XML from anyone: no network, no entities, bounded in depth, size, time and memory."""

from __future__ import annotations

import http.server
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from hop.models import DecodeError, VOEvent, limits

ROOT = '<VOEvent ivorn="ivo://a/b#c">'
LONG_ENTITY = f'<!DOCTYPE VOEvent [<!ENTITY a "{100_000 * chr(97)}">]>'
USES = "&a;" * 10**5
MANY = " ".join(f'a{i}=""' for i in range(10**5))


@pytest.fixture
def requests() -> Iterator[tuple[str, list[str]]]:
    """A web server's address, and what it is asked for."""
    asked: list[str] = []

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b'<!ENTITY a "from the network">')

        def log_message(self, format: str, *args: object) -> None:
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()
        thread.join()


def test_a_doctype_reaches_for_nothing(requests: tuple[str, list[str]], tmp_path: Path) -> None:
    address, asked = requests
    secret = tmp_path / "secret"
    secret.write_text("secret")
    for doctype in (
        f'<!DOCTYPE VOEvent SYSTEM "{address}/event.dtd">',
        f'<!DOCTYPE VOEvent PUBLIC "x" "{address}/event.dtd">',
        f'<!DOCTYPE VOEvent SYSTEM "{secret.as_uri()}">',
    ):
        assert VOEvent.load(f"{doctype}{ROOT}<Who>me</Who></VOEvent>").Who == "me"
        with pytest.raises(DecodeError, match="entity"):
            VOEvent.load(f"{doctype}{ROOT}<Who>&a;</Who></VOEvent>")
        with pytest.raises(DecodeError, match="entity"):
            VOEvent.load(f"{doctype}{ROOT}&a;</VOEvent>")
    for declared in (
        f'<!ENTITY a SYSTEM "{address}/a">',
        f'<!ENTITY a SYSTEM "{secret.as_uri()}">',
        f'<!ENTITY % a SYSTEM "{address}/a"> %a;',
        '<!ENTITY a "text">',
    ):
        for use in ("<Who>&a;</Who>", "<Who>me</Who>"):
            with pytest.raises(DecodeError, match=r"declares entities|not defined"):
                VOEvent.load(f"<!DOCTYPE VOEvent [{declared}]>{ROOT}{use}</VOEvent>")
    include = f'<xi:include xmlns:xi="http://www.w3.org/2001/XInclude" href="{secret.as_uri()}" parse="text"/>'
    event = VOEvent.load(f"{ROOT}<Who>{include}</Who></VOEvent>")
    assert event.Who == {"include": {"href": secret.as_uri(), "parse": "text"}}
    VOEvent.load(
        f'<VOEvent ivorn="a" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
        f' xsi:schemaLocation="{address}/a {address}/a.xsd"/>'
    )
    assert asked == []


def _entities(levels: int) -> str:
    declared = ""
    for level in range(levels):
        ten = f"&e{level};" * 10
        declared += f'<!ENTITY e{level + 1} "{ten}">'
    return f'<!DOCTYPE VOEvent [<!ENTITY e0 "ten letters">{declared}]>'


@pytest.mark.parametrize(
    "xml",
    [
        f"{_entities(12)}{ROOT}<Who>&e12;</Who></VOEvent>",
        f'{_entities(12)}{ROOT}<Who name="&e12;"/></VOEvent>',
        f"{LONG_ENTITY}{ROOT}<Who>{'&a;' * 10**5}</Who></VOEvent>",
        f'{LONG_ENTITY}{ROOT}<Who name="{USES}"/></VOEvent>',
        f'<!DOCTYPE VOEvent [<!ENTITY a "&b;"><!ENTITY b "&a;">]>{ROOT}<Who>&a;</Who></VOEvent>',
        f"{ROOT}{'<a>' * 10**6}",
        f"{ROOT}<What>{'<a>' * 99}{'</a>' * 99}</What></VOEvent>",
        f"{ROOT}<Who {MANY}/></VOEvent>",
        f"{ROOT}<Description>{'x' * 10_485_760}</Description></VOEvent>",
    ],
    ids=[
        *(
            "laughs",
            "laughs in an attribute",
            "quadratic",
            "quadratic in an attribute",
            "circular",
            "unclosed",
        ),
        *("deep", "attributes", "large"),
    ],
)
def test_bombs_end_at_once(xml: str) -> None:
    started = time.perf_counter()
    with pytest.raises(DecodeError) as caught:
        VOEvent.load(xml.encode())
    assert time.perf_counter() - started < 5
    assert len(str(caught.value)) < 300


def test_depth_is_bounded_and_adjustable(restored_limits: None) -> None:
    def packet(depth: int) -> str:
        return f"{ROOT}<What>{'<a>' * (depth - 2)}{'</a>' * (depth - 2)}</What></VOEvent>"

    assert VOEvent.load(packet(100)).What
    with pytest.raises(DecodeError, match="nested deeper than 100 levels"):
        VOEvent.load(packet(101))
    limits.xml_depth = 3
    assert VOEvent.load(packet(3)).What == {"a": None}
    with pytest.raises(DecodeError, match="nested deeper than 3 levels"):
        VOEvent.load(packet(4))


def test_size_is_bounded_and_adjustable(restored_limits: None) -> None:
    packet = f"{ROOT}</VOEvent>"
    limits.xml_bytes = len(packet)
    assert VOEvent.load(packet)
    with pytest.raises(
        DecodeError, match=r"41 bytes of XML, more than the 39 of limits\.xml_bytes"
    ):
        VOEvent.load(f"{ROOT}  </VOEvent>")


def test_attributes_are_bounded_and_adjustable(restored_limits: None) -> None:
    packet = f'{ROOT}<Who a="1" b="2" c="3"/></VOEvent>'
    limits.xml_attributes = 3
    assert VOEvent.load(packet).Who == {"a": "1", "b": "2", "c": "3"}
    limits.xml_attributes = 2
    with pytest.raises(DecodeError, match="<Who> has more than 2 attributes"):
        VOEvent.load(packet)


def test_many_elements_are_slow_but_not_too_slow() -> None:
    started = time.perf_counter()
    event = VOEvent.load(f"{ROOT}<What>{'<a/>' * 10**6}</What></VOEvent>")
    assert len(event.What["a"]) == 10**6
    assert time.perf_counter() - started < 20


def test_threads_share_the_parser() -> None:
    packets = [f"{ROOT}<Who>{i}</Who></VOEvent>" for i in range(500)]
    results: dict[int, list[object]] = {}

    def load(number: int) -> None:
        results[number] = [VOEvent.load(packet).Who for packet in packets]

    threads = [threading.Thread(target=load, args=(i,)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(result == [str(i) for i in range(500)] for result in results.values())
    assert len(results) == 4
