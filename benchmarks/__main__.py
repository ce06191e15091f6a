"""`hatch run bench [NAME …]`: run the benchmarks and print their tables; exit code 1 when a bound is missed."""

from __future__ import annotations

import argparse
import importlib
import platform
import sys
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from benchmarks._harness import HEAD, Row
from benchmarks._page import write_page
from benchmarks._results import COMPARED, Result, Results
from benchmarks.clients import AREAS

NAMES = ("clients", "startup", "models", "io", "robust", "cli", "memory")
# What takes long, and is run where it is named.
MORE = ("scaling",)
DOCS = Path(__file__).parents[1] / "docs"


def main() -> int:
    parser = argparse.ArgumentParser(prog="hatch run bench", description=__doc__.split(":", 1)[1])
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help=f"one of {', '.join((*NAMES, *MORE))}; of clients also a part: clients:{', clients:'.join(AREAS)}; "
        f"default: all but {', '.join(MORE)}",
    )
    parser.add_argument(
        "--json",
        type=Path,
        metavar="FILE",
        help="write the results to FILE; results of other benchmarks that it holds stay in it",
    )
    parser.add_argument(
        "--page",
        action="store_true",
        help="make docs/benchmarks.md and its charts from the results, with --json from all that FILE holds",
    )
    parser.add_argument(
        "--messages",
        type=int,
        default=1_000_000,
        metavar="N",
        help="how many messages scaling goes up to, a power of ten from 10000; default: 1000000",
    )
    args = parser.parse_args()
    names = args.names or NAMES
    known = {*NAMES, *MORE, *(f"clients:{area}" for area in AREAS)}
    if unknown := sorted(set(names) - known):
        parser.error(
            f"no benchmark is called {', '.join(unknown)}; there are {', '.join((*NAMES, *MORE))}"
        )
    results = Results(machine())
    if args.json is not None and args.json.exists():
        try:
            results.benchmarks = Results.read(args.json).benchmarks
        except (OSError, ValueError) as exc:
            parser.error(f"cannot add to --json {args.json}: {exc}; name another file")
    print(", ".join(f"{what} {which}" for what, which in results.machine.items()), flush=True)
    kept = True
    for name in names:
        print(f"\n## {name}\n", flush=True)
        results.benchmarks[name] = []
        head = ""
        for row in measured(name, args.messages):
            if head != (head := HEAD if isinstance(row, Row) else COMPARED):
                print(head)
            print(row.line, flush=True)
            results.benchmarks[name].append(row)
            kept = kept and row.kept
        if args.json is not None:
            results.write(args.json)
    if args.page:
        write_page(results, DOCS)
    return 0 if kept else 1


def measured(name: str, messages: int) -> Iterator[Result]:
    """The rows of a benchmark, as they are measured."""
    module, *parts = name.split(":")
    if module == "scaling":
        parts = [str(messages)]
    yield from importlib.import_module(f"benchmarks.{module}").measure(*parts)


def machine() -> dict[str, str]:
    return {
        "Python": platform.python_version(),
        "confluent-kafka": version("confluent-kafka"),
        "system": f"{platform.system()} {platform.machine()}",
    }


if __name__ == "__main__":
    sys.exit(main())
