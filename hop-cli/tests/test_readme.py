"""The Python examples of the README run as they are; its commands are run by the tests of the whole client."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

README = Path(__file__).parent.parent / "README.md"
EXAMPLES = re.findall(r"^```python\n(.*?)^```", README.read_text("utf-8"), re.M | re.S)
CIRCULAR = "TITLE:   GCN CIRCULAR\nNUMBER:  1\nSUBJECT: GRB 261124A\n\nFound it.\n"


@pytest.mark.parametrize("example", EXAMPLES)
def test_an_example(example: str, tmp_path: Path) -> None:
    (tmp_path / "example.gcn3").write_text(CIRCULAR)
    result = subprocess.run(
        [sys.executable, "-c", example], capture_output=True, text=True, cwd=tmp_path
    )
    assert (result.returncode, result.stderr) == (0, "")
    if "print_message" in example:
        assert result.stdout.startswith(CIRCULAR)
        assert '"format": "circular"' in result.stdout


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == 2
