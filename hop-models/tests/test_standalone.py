"""hop-models alone: what importing it brings in, and that nothing of it reaches for the network."""

from __future__ import annotations

import subprocess
import sys


def _python(code: str) -> str:
    return subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True
    ).stdout


def test_importing_brings_in_no_library() -> None:
    heavy = (
        "lxml",
        "fastavro",
        "logging",
        "importlib.metadata",
        "typing",
        "datetime",
        "email",
        "pathlib",
    )
    loaded = f"[name for name in {heavy!r} if name in sys.modules]"
    # What the interpreter itself loads, for an editable installation say, or hop-client, is not ours.
    before = _python(f"import sys; import hop; print({loaded})")
    assert (
        _python(f"import sys; import hop.models; from hop.models import decode; print({loaded})")
        == before
    )


def test_json_and_blobs_need_no_library_and_look_for_no_plugins() -> None:
    code = """
import sys
from hop.models import Blob, JSONBlob, decode
assert decode([("_format", b"json")], b'{"a": 1}') == JSONBlob({"a": 1})
assert decode([("_format", b"blob")], b"x") == Blob(b"x")
assert decode(None, b"x") == Blob(b"x")
assert decode([("_format", b"circular")], b'{"header": {}, "body": ""}')
print([name for name in ("lxml", "fastavro", "hop.plugins") if name in sys.modules])
"""
    assert _python(code).strip() == "[]"


def test_a_validator_needs_nothing_else_of_hop() -> None:
    code = """
import sys
from hop.models import VOEvent
VOEvent("ivo://a/b#c", Who={"Date": "2026-01-01T00:00:00"}).validate()
print(sorted(name for name in sys.modules if name.startswith("hop.") and not name.startswith("hop.models")))
"""
    assert _python(code).strip() == "[]"
