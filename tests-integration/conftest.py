"""Fixtures of the integration tests: wheels of this checkout, and fresh environments to install them in."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from installing import ROOT, Environment, run


@pytest.fixture(scope="session")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a wheel and an sdist of every distribution, built as releases are."""
    folder = tmp_path_factory.mktemp("dist")
    run("hatch", "build", "--all", folder, cwd=ROOT)
    return folder


@pytest.fixture
def fresh(built: Path, tmp_path: Path) -> Callable[..., Environment]:
    """Make an environment with nothing in it, of the Python that runs the tests."""

    def fresh(*options: str) -> Environment:
        path = tmp_path / f"env-{len(list(tmp_path.iterdir()))}"
        run("uv", "venv", "-q", "-p", sys.executable, *options, path)
        return Environment(path, built)

    return fresh
