"""The README's examples run as they stand, but for the broker's address."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Read = Callable[..., list[Any]]
Run = Callable[..., "subprocess.Popen[str]"]

README = Path(__file__).parents[1] / "README.md"
EXAMPLES = re.findall(r"```python\n(.*?)```", README.read_text(encoding="utf-8"), re.DOTALL)
# What each publishes: in the order of the README.
PUBLISHED: list[list[Any]] = [
    [{"event": "S250101a"}],
    [b"an alert"],
    [{"number": number} for number in range(1000)],
    [b"an alert"],
    [],
]


def test_there_are_as_many_examples() -> None:
    assert len(EXAMPLES) == len(PUBLISHED)


@pytest.mark.parametrize("number", range(len(PUBLISHED)))
def test_an_example(number: int, url: str, read: Read, run: Run) -> None:
    # Later examples leave out the import that the first shows.
    program = "from hop.robust_publisher import RobustProducer\n" + EXAMPLES[number]
    program = program.replace("kafka://localhost:9092/gcn", url)
    out, err = run("import warnings; warnings.simplefilter('error')\n" + program).communicate()
    assert err == ""
    assert [content for content, _ in read()] == PUBLISHED[number]
    if "left" in program:
        assert out == "0 messages are left in the journal\n"
