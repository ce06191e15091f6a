"""`hatch run installed`: all tests on the client as users install it, on the newest Python and the oldest.

Wheels of every distribution are built and installed in a fresh environment for each Python, and the tests are run
there, with nothing of this checkout to import. Most of them wait most of the time, so the Pythons work side by side,
but not on the same tests: starting Kafka keeps both cores of a small machine busy. What has Pythons of its own, and the
sandbox, which all others use, is tried on one. A Python that is not on this machine, as `uv python find` knows it, is
left out, which is said; if none is, the one that runs this is taken.

Exit code 1 when anything failed.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
import threading
import time
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
SANDBOX = "packages/hop-sandbox"
PIECES = ["hop-auth", "hop-models", "hop-io", "hop-robust", "hop-cli", "packages/hop-client"]
INTEGRATION = "tests-integration"
WITH_PYTHONS_OF_THEIR_OWN = ["tests-integration/interop", "tests-integration/soak"]


class Tests(threading.Thread):
    """The tests on one Python, in the background.

    Args:
        python: the interpreter.
        folder: where the environment is made.
        wheels: the distributions.
        arguments: pytest's.
    """

    def __init__(self, python: Path, folder: Path, wheels: Path, arguments: list[str]) -> None:
        super().__init__(name=folder.name)
        self.failed = True
        self._python = python
        self._bin = folder / "bin"
        self._wheels = wheels
        self._arguments = arguments

    def run(self) -> None:
        start = time.monotonic()
        self._say(f"tests on {self._python}")
        run("uv", "venv", "-q", "-p", self._python, self._bin.parent)
        python = self._bin / "python"
        run("uv", "pip", "install", "-q", "-p", python, "--find-links", self._wheels, *WANTED)
        environment = clean_environment()
        environment["PATH"] = f"{self._bin}{os.pathsep}{environment['PATH']}"
        with subprocess.Popen(
            [self._bin / "pytest", *self._arguments],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
        ) as tests:
            assert tests.stdout is not None
            for line in tests.stdout:
                self._say(line.rstrip("\n"))
        self.failed = tests.returncode != 0
        result = "failed" if self.failed else "all passed"
        self._say(f"{result}, after {(time.monotonic() - start) / 60:.1f} minutes")

    def _say(self, line: str) -> None:
        print(f"{self.name} | {line}", flush=True)


def shares(count: int, arguments: list[str]) -> list[list[str]]:
    """What pytest is given on each of so many Pythons."""
    if any(Path(ROOT, argument.split("::")[0]).exists() for argument in arguments):
        return [arguments] * count
    if count == 1:
        return [[*arguments, *PIECES, SANDBOX, INTEGRATION]]
    ignored = [f"--ignore={path}" for path in WITH_PYTHONS_OF_THEIR_OWN]
    others = [*arguments, *ignored, SANDBOX, INTEGRATION, *PIECES]
    return [[*arguments, *PIECES, INTEGRATION], *[others] * (count - 1)]


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
    with tempfile.TemporaryDirectory(prefix="hop-installed-") as name:
        wheels = Path(name) / "dist"
        run("hatch", "build", "--all", wheels, cwd=ROOT)
        all_tests = [
            Tests(python, Path(name) / version, wheels, share)
            for (version, python), share in zip(
                pythons.items(), shares(len(pythons), arguments), strict=True
            )
        ]
        for tests in all_tests:
            tests.start()
        for tests in all_tests:
            tests.join()
    return int(any(tests.failed for tests in all_tests))


if __name__ == "__main__":
    sys.exit(main())
