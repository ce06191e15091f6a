"""How long it takes until something can be done: whole processes, against the least that Python can do."""

from __future__ import annotations

import sys
import sysconfig
from pathlib import Path

from benchmarks._harness import Row, paired, process

_HOP = str(Path(sysconfig.get_path("scripts"), "hop"))


def _python(program: str) -> tuple[str, ...]:
    return sys.executable, "-c", program


def measure() -> list[Row]:
    pairs = 15
    return [
        paired(
            "hop --help",
            process(_HOP, "--help"),
            "import argparse",
            process(*_python("import argparse")),
            bound=3.0,
            pairs=pairs,
        ),
        paired(
            "import hop",
            process(*_python("import hop")),
            "import argparse",
            process(*_python("import argparse")),
            bound=1.5,
            pairs=pairs,
        ),
        paired(
            "hop version",
            process(_HOP, "version"),
            "import confluent_kafka",
            process(*_python("import confluent_kafka")),
            bound=2.0,
            pairs=pairs,
        ),
    ]
