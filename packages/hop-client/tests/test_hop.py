"""The meta-package: one `hop` from its parts, and nothing imported before it is touched."""

from __future__ import annotations

import subprocess
import sys

import pytest

import hop

MODULES = {
    "auth",
    "cli",
    "configure",
    "io",
    "list_topics",
    "models",
    "plugins",
    "publish",
    "robust_publisher",
    "subscribe",
    "version",
}


def test_the_exported_names() -> None:
    assert set(hop.__all__) == {"Stream", "stream", "__version__", *MODULES}
    assert set(hop.__all__) <= set(dir(hop))


@pytest.mark.parametrize("name", sorted(MODULES))
def test_each_module_is_an_attribute_after_import_hop(name: str) -> None:
    program = f"import hop; print(hop.{name}.__name__)"
    result = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == f"hop.{name}"


def test_stream_is_that_of_hop_io() -> None:
    from hop.io import Stream, stream

    assert hop.Stream is Stream
    assert hop.stream is stream


def test_what_hop_does_not_have_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="module 'hop' has no attribute 'nothing'"):
        hop.nothing  # noqa: B018


def test_importing_hop_imports_no_part() -> None:
    program = "import sys, hop; print(sorted(m for m in sys.modules if m.startswith('hop.')))"
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert result.stdout.strip() == "[]"
