"""`hatch run bench [NAME …]`: run the benchmarks and print their tables; exit code 1 when a bound is missed."""

from __future__ import annotations

import argparse
import importlib
import platform
import sys
from importlib.metadata import version

from benchmarks._harness import HEAD

NAMES = ("startup", "models", "io", "robust", "cli")


def main() -> int:
    parser = argparse.ArgumentParser(prog="hatch run bench", description=__doc__.split(":", 1)[1])
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"one of {', '.join(NAMES)}; default: all"
    )
    names = parser.parse_args().names or NAMES
    if unknown := sorted(set(names) - set(NAMES)):
        parser.error(f"no benchmark is called {', '.join(unknown)}; there are {', '.join(NAMES)}")
    print(
        f"Python {platform.python_version()}, confluent-kafka {version('confluent-kafka')}",
        flush=True,
    )
    kept = True
    for name in names:
        print(f"\n## {name}\n\n{HEAD}", flush=True)
        for row in importlib.import_module(f"benchmarks.{name}").measure():
            kept = kept and row.kept
            print(row.line, flush=True)
    return 0 if kept else 1


if __name__ == "__main__":
    sys.exit(main())
