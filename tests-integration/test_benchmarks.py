"""The page of the benchmarks says in words and in bars what was measured."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from xml.etree import ElementTree

from installing import ROOT

SVG = "{http://www.w3.org/2000/svg}"
RESULTS = {
    "machine": {"Python": "3.13.0"},
    "benchmarks": {
        "clients": [
            {
                "area": "reading",
                "name": "one < two",
                "unit": "messages/s",
                "more": True,
                "values": {"confluent-kafka": 1234.0, "hop 1": 2468.0, "kcat": 0.5},
                "ratios": {"confluent-kafka": 2.0, "kcat": 4936.0},
            }
        ],
        "memory": [
            {
                "name": "growth",
                "against": "20 MB",
                "ours": 1.0,
                "reference": 20.0,
                "ratio": 0.05,
                "bound": 1.0,
            }
        ],
    },
}
MAKE = """
import sys
from pathlib import Path
from benchmarks._page import write_page
from benchmarks._results import Results

results = Results.read(Path(sys.argv[1]))
results.write(Path(sys.argv[2]))
write_page(results, Path(sys.argv[3]))
"""


def make(folder: Path, results: object) -> subprocess.CompletedProcess[str]:
    given = folder / "given.json"
    given.write_text(json.dumps(results))
    return subprocess.run(
        [sys.executable, "-c", MAKE, given, folder / "again.json", folder],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )


def test_the_page_and_its_charts(tmp_path: Path) -> None:
    old = tmp_path / "benchmarks" / "old.svg"
    old.parent.mkdir()
    old.touch()
    done = make(tmp_path, RESULTS)
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "again.json").read_text()) == RESULTS
    assert not old.exists()
    page = (tmp_path / "benchmarks.md").read_text()
    assert "Python 3.13.0" in page
    assert "| one < two (messages/s) | 1,230 | 2,470 |  | 0.5 | 2 |  |" in page
    assert "| growth | 20 MB | 1.0000 | 20.0000 | 0.05 | 1.00 | kept |" in page
    [image] = [line for line in page.splitlines() if line.startswith("![")]
    chart = tmp_path / image.split("](")[1].removesuffix(")")
    root = ElementTree.fromstring(chart.read_text())
    described = [root.find(f"{SVG}{name}") for name in ("title", "desc")]
    assert [one.attrib["id"] for one in described if one is not None] == root.attrib[
        "aria-labelledby"
    ].split()
    assert "hop 1 2,470" in "".join(one.text or "" for one in described if one is not None)
    bars = [bar for bar in root.iter(f"{SVG}rect") if bar.attrib["class"] != "back"]
    widths = [float(bar.attrib["width"]) for bar in bars]
    # In the order of the columns, to one scale; what is next to nothing can be seen.
    assert widths == [widths[1] / 2, max(widths), 1.0]
    assert [bar.attrib["class"] for bar in bars] == ["other", "ours", "other"]
    assert "prefers-color-scheme: dark" in chart.read_text()


def test_a_file_that_holds_something_else_is_refused(tmp_path: Path) -> None:
    for other in ([], {}, {"machine": {}, "benchmarks": {"io": [{"name": "one"}]}}):
        done = make(tmp_path, other)
        assert done.returncode == 1
        assert "does not hold results of benchmarks" in done.stderr.splitlines()[-1]
