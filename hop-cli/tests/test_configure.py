"""`hop configure`, the installed program, on files."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import tomli

Hop = Callable[..., Any]


@pytest.fixture
def file(environment: dict[str, str]) -> Path:
    path = Path(environment["XDG_CONFIG_HOME"], "hop", "config.toml")
    path.parent.mkdir(parents=True)
    return path


def test_the_file_is_located(hop: Hop, file: Path) -> None:
    assert hop("configure", "locate").stdout == f"{file}\n"


def test_each_setting_is_shown_with_where_it_comes_from(hop: Hop, file: Path) -> None:
    assert hop("configure", "show").stdout == (
        "fetch_external    = true   (default)\nautomatic_offload = true   (default)\n"
    )
    file.write_text("[config]\nfetch_external = false\nautomatic_offload = false\n")
    shown = hop("configure", "show", env={"HOP_AUTOMATIC_OFFLOAD": "Yes"})
    assert shown.stdout == (
        f"fetch_external    = false  (from {file})\n"
        "automatic_offload = true   (from HOP_AUTOMATIC_OFFLOAD)\n"
    )


def test_a_setting_is_stored_where_there_is_no_file(hop: Hop, file: Path) -> None:
    result = hop("configure", "set", "fetch_external", "no")
    assert (result.returncode, result.stdout, result.stderr) == (0, "", "")
    assert file.read_text() == "[config]\nfetch_external = false\n"
    assert file.stat().st_mode & 0o777 == 0o600
    assert "fetch_external    = false  (from " in hop("configure", "show").stdout


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (
            "# mine\n[config]  # a comment\nfetch_external = true  # why\n\n[other]\nx = 1\n",
            "# mine\n[config]  # a comment\nfetch_external = false  # why\n\n[other]\nx = 1\n",
        ),
        (
            "[config]\nautomatic_offload = true\n[other]\nfetch_external = true\n",
            "[config]\nfetch_external = false\nautomatic_offload = true\n[other]\nfetch_external = true\n",
        ),
        ("[config]", "[config]\nfetch_external = false\n"),
        ("x = 1", "x = 1\n[config]\nfetch_external = false\n"),
        ("[other]\nx = 1\n", "[other]\nx = 1\n[config]\nfetch_external = false\n"),
    ],
)
def test_the_rest_of_the_file_stays(hop: Hop, file: Path, before: str, after: str) -> None:
    file.write_text(before)
    file.chmod(0o640)
    assert hop("configure", "set", "fetch_external", "false").returncode == 0
    assert file.read_text() == after
    assert file.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    "before",
    [
        "config.fetch_external = true\n",
        "config = {fetch_external = true}\n",
        '["config"]\nfetch_external = true\n',
        '[config]\n"fetch_external" = true\n',
        "[config]\nkeep = '''\nfetch_external = true\n'''\n",
        "[config.more]\nx = 1\n",
    ],
)
def test_other_ways_to_write_toml(hop: Hop, file: Path, before: str) -> None:
    file.write_text(before)
    assert hop("configure", "set", "fetch_external", "false").returncode == 0
    expected = tomli.loads(before)
    expected["config"]["fetch_external"] = False
    assert tomli.loads(file.read_text()) == expected


def test_a_folder_that_cannot_be_made(hop: Hop) -> None:
    result = hop("configure", "set", "fetch_external", "1", env={"XDG_CONFIG_HOME": "/dev/null"})
    assert result.returncode == 1
    assert result.stderr.startswith("hop: cannot write /dev/null/hop/config.toml: ")
    assert len(result.stderr.splitlines()) == 1
