"""The releases of hop-client that ours is tried with, each in an environment of its own, from the index."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path

from installing import interpreter, run


@dataclass(frozen=True)
class Release:
    """A release, and what it takes to have it run as it did.

    Attributes:
        version: its version.
        python: the Python of its time; without one the tests' own is taken.
        requirements: what is not as the index would have it today: what the release does not declare, and what would
            not have been there.
    """

    version: str
    python: str
    requirements: tuple[str, ...]

    @property
    def number(self) -> tuple[int, ...]:
        return tuple(int(part) for part in self.version.split("."))


# librdkafka before 2.6.1 cannot log in to Kafka 4 with SCRAM: the oldest confluent-kafka that can is as near to their
# time as the older ones get. Not declared: six (0.13), requests (0.11), setuptools with pkg_resources (the others).
_OLDEST = "confluent-kafka==2.6.1"
RELEASES = (
    Release("0.13.0", "3.12", ("six",)),
    Release("0.11.0", "3.9", ("adc-streaming==2.5.0", "confluent-kafka==2.10.0", "requests")),
    Release("0.9.0", "3.9", ("adc-streaming==2.3.2", _OLDEST, "setuptools<81")),
    Release("0.8.0", "3.8", ("adc-streaming==2.3.2", _OLDEST, "setuptools<81")),
    Release("0.5.0", "3.8", ("adc-streaming==2.0.0", _OLDEST, "setuptools<81")),
)
VERSIONS = [release.version for release in RELEASES]
# What every run of the tests tries: the newest, and the one whose journals are the oldest.
COMMON = {"0.13.0", "0.9.0"}
# The last ones that kept credentials in config.toml.
WITH_CONFIG_TOML = (
    Release("0.3.0", "3.8", (_OLDEST, "setuptools<81")),
    Release("0.2", "3.8", (_OLDEST, "setuptools<81")),
)


def build(release: Release, folder: Path) -> Path:
    """Install a release as it was then, and return its `python`."""
    path = folder / release.version
    run("uv", "venv", "-q", "-p", interpreter(release.python) or sys.executable, path)
    python = path / "bin" / "python"
    wanted = (f"hop-client=={release.version}", *release.requirements)
    run("uv", "pip", "install", "-q", "-p", python, *wanted)
    return python


def installed(python: Path) -> dict[str, str]:
    """The distributions of an environment and their versions, and its Python's."""
    listed = json.loads(run("uv", "pip", "list", "-p", python, "--format", "json").stdout)
    version = run(python, "-c", "import platform; print(platform.python_version())").stdout.strip()
    return {"python": version, **{one["name"]: one["version"] for one in listed}}
