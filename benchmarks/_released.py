"""The published hop-client 0.13.0, in an environment of its own that is kept in the user's cache folder."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

VERSION = "0.13.0"


def released() -> Path | None:
    """Its `python`, or None, with a line that says why, where it can't be installed.

    The Python and the confluent-kafka are the ones that run the benchmarks, so that nothing else differs.
    """
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    kafka = version("confluent-kafka")
    python = f"{sys.version_info.major}.{sys.version_info.minor}"
    folder = cache / "hop-benchmarks" / f"hop-client-{VERSION}-py{python}-ck{kafka}"
    if not (folder / "complete").exists():
        shutil.rmtree(folder, ignore_errors=True)
        try:
            _run("uv", "venv", "-q", "-p", sys.executable, str(folder))
            # It needs six, and does not declare it.
            wanted = (f"hop-client=={VERSION}", "six", f"confluent-kafka=={kafka}")
            # Compiled, as ours is: the first start would do it, unless PYTHONDONTWRITEBYTECODE says not to.
            options = ("-q", "--compile-bytecode", "-p", str(folder / "bin" / "python"))
            _run("uv", "pip", "install", *options, *wanted)
        except (OSError, subprocess.CalledProcessError) as exc:
            reason = getattr(exc, "stderr", None) or str(exc)
            print(
                f"bench: goes on without hop-client {VERSION}, which can't be installed: "
                f"{' '.join(reason.split())[:300]}",
                file=sys.stderr,
            )
            return None
        (folder / "complete").touch()
    return folder / "bin" / "python"


def _run(*command: str) -> None:
    subprocess.run(command, check=True, capture_output=True, text=True)
