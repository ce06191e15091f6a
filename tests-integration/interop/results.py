"""The tables of docs/interoperability.md: a run compares what it finds with them, or makes them again."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

from installing import ROOT

PAGE = ROOT / "docs" / "interoperability.md"
AGAIN = "make the page again with `hatch run interop --write-page`"
_TABLE = re.compile(r"(<!-- table: (?P<name>[\w-]+) -->\n)(?P<rows>.*?)(<!-- end -->)", re.DOTALL)


class Results:
    """What a run finds out, cell by cell."""

    def __init__(self, page: Path, writing: bool) -> None:
        self._page = page
        self._writing = writing
        self._found: dict[str, dict[str, dict[str, str]]] = {}

    def record(self, table: str, row: str, column: str, cell: str, compare: bool = True) -> None:
        """Say what a cell is; where the page has another, the test fails that came to it."""
        self._found.setdefault(table, {}).setdefault(row, {})[column] = cell
        if not self._writing and compare:
            said = read(self._page).get(table, {}).get(row, {}).get(column)
            assert cell == said, f"{self._page.name} has {said!r} for {row}, {column}; {AGAIN}"

    def write(self) -> None:
        """Put what was found into the page."""
        if self._writing:
            text = self._page.read_text(encoding="utf-8")
            self._page.write_text(_TABLE.sub(self._render, text), encoding="utf-8")

    def _render(self, match: re.Match[str]) -> str:
        found = self._found.get(match["name"])
        return f"{match[1]}{markdown(found)}{match[4]}" if found else match[0]


def read(page: Path) -> dict[str, dict[str, dict[str, str]]]:
    """The cells of a page's tables: table, row, column."""
    tables = {}
    for match in _TABLE.finditer(page.read_text(encoding="utf-8")):
        lines = [
            [cell.strip() for cell in line.strip("|").split("|")]
            for line in match["rows"].splitlines()
        ]
        tables[match["name"]] = {
            row[0]: dict(zip(lines[0][1:], row[1:], strict=True)) for row in lines[2:]
        }
    return tables


def markdown(rows: dict[str, dict[str, str]]) -> str:
    columns = list(dict.fromkeys(column for cells in rows.values() for column in cells))
    lines: list[Sequence[str]] = [["", *columns], ["---"] * (len(columns) + 1)]
    lines += [[row, *(cells.get(column, "") for column in columns)] for row, cells in rows.items()]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
