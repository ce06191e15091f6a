"""`hatch run installed`: all tests on the client as users install it, on the newest Python and the oldest.

Wheels of every distribution are built and installed in a fresh environment for each Python, and the tests are run
there, with nothing of this checkout to import. On the second one those are left out that have Pythons of their own, and
those of the sandbox, which the others use. A Python that is not on this machine, as `uv python find` knows it, is left
out, which is said; if none is, the one that runs this is taken.

Exit code 1 when anything failed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from installing import ROOT, clean_environment, interpreter, run

PYTHONS = ["3.13", "3.10"]
WANTED = [
    "hop-client",
    "hop-io[offload]",
    "hop-sandbox[kafka,uploads]",
    # What the tests themselves need.
    "hatch>=1.16",
    "hypothesis>=6.100",
    "pytest>=8.2",
    "uv>=0.5",
]
# What is tried once.
ONCE = ["tests-integration/interop", "tests-integration/soak", "packages/hop-sandbox"]


def passes(python: Path, folder: Path, wheels: Path, arguments: list[str]) -> bool:
    """Whether all tests pass in an environment of this Python, which is made in the folder."""
    print(f"\n## {python}\n", flush=True)
    run("uv", "venv", "-q", "-p", python, folder)
    programs = folder / "bin"
    run(
        *("uv", "pip", "install", "-q", "-p", programs / "python"),
        *("--find-links", wheels, *WANTED),
    )
    environment = clean_environment()
    environment["PATH"] = f"{programs}{os.pathsep}{environment['PATH']}"
    tests = subprocess.run([programs / "pytest", *arguments], cwd=ROOT, env=environment)
    return tests.returncode == 0


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="hatch run installed",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        epilog="Other arguments are pytest's.",
    )
    parser.add_argument(
        "--python",
        action="append",
        metavar="VERSION",
        help=f"on this one, may be repeated; default: {' and '.join(PYTHONS)}",
    )
    args, arguments = parser.parse_known_args()
    pythons: dict[str, Path] = {}
    for version in args.python or PYTHONS:
        found = interpreter(version)
        if found is None:
            print(f"Python {version} is not on this machine: no tests on it", flush=True)
        else:
            pythons[version] = found
    if not pythons:
        pythons[".".join(map(str, sys.version_info[:2]))] = Path(sys.executable)
    failed = []
    with tempfile.TemporaryDirectory(prefix="hop-installed-") as name:
        wheels = Path(name) / "dist"
        run("hatch", "build", "--all", wheels, cwd=ROOT)
        left_out: list[str] = []
        for version, python in pythons.items():
            if not passes(python, Path(name) / version, wheels, [*arguments, *left_out]):
                failed.append(version)
            left_out = [f"--ignore={path}" for path in ONCE]
    for version in failed:
        print(f"tests failed on Python {version}", file=sys.stderr)
    return int(bool(failed))


if __name__ == "__main__":
    sys.exit(main())
