"""Fresh environments, and this checkout's distributions installed in them."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[1]
DISTRIBUTIONS = {
    "hop-auth": ROOT / "hop-auth",
    "hop-cli": ROOT / "hop-cli",
    "hop-client": ROOT / "packages" / "hop-client",
    "hop-io": ROOT / "hop-io",
    "hop-models": ROOT / "hop-models",
    "hop-robust": ROOT / "hop-robust",
    "hop-sandbox": ROOT / "packages" / "hop-sandbox",
}


def clean_environment() -> dict[str, str]:
    """This process's environment without what would leak into another's."""
    leaks = ("HATCH_", "HOP_", "PYTHON", "VIRTUAL_ENV", "UV_")
    return {name: value for name, value in os.environ.items() if not name.startswith(leaks)}


def run(*command: str | Path, **options: object) -> subprocess.CompletedProcess[str]:
    """Run a command that has to succeed; what it printed is shown when it does not."""
    result = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        text=True,
        env=clean_environment(),
        **options,  # type: ignore[call-overload]
    )
    assert result.returncode == 0, f"{command}\n{result.stdout}\n{result.stderr}"
    return result  # type: ignore[no-any-return]


def interpreter(version: str) -> Path | None:
    """A Python of that version, from pyenv or wherever uv finds one."""
    pyenv = Path(os.environ.get("PYENV_ROOT", Path.home() / ".pyenv"))
    found = sorted((pyenv / "versions").glob(f"{version}.*/bin/python"))
    if found:
        return found[-1]
    asked = subprocess.run(
        ["uv", "python", "find", "--no-python-downloads", version],
        capture_output=True,
        text=True,
        env=clean_environment(),
    )
    return Path(asked.stdout.strip()) if asked.returncode == 0 else None


@dataclass(frozen=True)
class Environment:
    """A virtual environment, made for one test."""

    path: Path
    wheels: Path

    @property
    def python(self) -> Path:
        return self.path / "bin" / "python"

    @property
    def hop(self) -> Path:
        return self.path / "bin" / "hop"

    def install(self, *requirements: str | Path) -> None:
        """Install with uv, our distributions from this checkout."""
        run("uv", "pip", "install", "-p", self.python, "--find-links", self.wheels, *requirements)

    def uninstall(self, *names: str) -> None:
        run("uv", "pip", "uninstall", "-p", self.python, *names)

    def names(self) -> set[str]:
        """The distributions that are installed."""
        listed = run("uv", "pip", "list", "-p", self.python, "--format", "json").stdout
        return {one["name"] for one in json.loads(listed)}

    def eval(self, program: str) -> str:
        """What a program prints, run from another folder than the checkout."""
        return run(self.python, "-c", program, cwd=self.path).stdout.strip()

    def fails(self, program: str) -> str:
        """The last line of the traceback with which a program ends."""
        result = subprocess.run(
            [self.python, "-c", program],
            capture_output=True,
            text=True,
            cwd=self.path,
            env=clean_environment(),
        )
        assert result.returncode != 0
        return result.stderr.strip().splitlines()[-1]
