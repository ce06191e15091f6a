"""`hatch run installed`: all tests on the client as users install it, on the oldest and the newest Python.

Wheels of every distribution are built and installed in a fresh environment for each Python, and the tests are run
there, with nothing of this checkout to import. The Pythons work at the same time; tests with released clients, which
have Pythons of their own, and those of the soak run beside the newest alone. A Python that is not on this machine, as
`uv python find` knows it, is left out, which is said; if none is, the one that runs this is taken.

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

PYTHONS = ["3.10", "3.13"]
# What has to be tried with one of them only.
ONCE = [f"--ignore=tests-integration/{name}" for name in ("interop", "soak")]
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


class Job:
    """The tests on one Python.

    Args:
        name: what its lines begin with.
        python: the interpreter.
        folder: where the environment is made.
        wheels: the distributions.
        arguments: pytest's.
    """

    def __init__(
        self, name: str, python: Path, folder: Path, wheels: Path, arguments: list[str]
    ) -> None:
        self.failed = True
        self._name = name
        self._python = python
        self._bin = folder / name / "bin"
        self._wheels = wheels
        self._arguments = arguments
        self._thread = threading.Thread(target=self._run, name=name)

    def start(self) -> None:
        self._thread.start()

    def join(self) -> None:
        self._thread.join()

    def _run(self) -> None:
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
        print(f"{self._name} | {line}", flush=True)


def main() -> int:
    parser = argparse.ArgumentParser(
        prog="hatch run installed",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
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
        folder = Path(name)
        wheels = folder / "dist"
        run("hatch", "build", "--all", wheels, cwd=ROOT)
        newest = list(pythons)[-1]
        jobs = [
            Job(one, path, folder, wheels, arguments if one == newest else [*arguments, *ONCE])
            for one, path in pythons.items()
        ]
        for job in jobs:
            job.start()
        for job in jobs:
            job.join()
    return int(any(job.failed for job in jobs))


if __name__ == "__main__":
    sys.exit(main())
