"""Bar charts as SVG files: a group of bars for each thing that was measured."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape

from benchmarks._results import CLIENTS, OURS, Compared, number

_WIDTH, _LEFT, _RIGHT = 720, 150, 160
_BAR, _GAP, _HEAD = 20, 6, 34
# Bars have a contrast of more than 3 : 1 to the background, text of more than 7 : 1; each bar has its name in words.
_STYLE = """
  .back { fill: #ffffff } .text { fill: #1b1b1f } .ours { fill: #3f51b5 } .other { fill: #75757f }
  @media (prefers-color-scheme: dark) {
    .back { fill: #1e1f26 } .text { fill: #f2f2f5 } .ours { fill: #9fa8ff } .other { fill: #92929e }
  }
  text { font: 13px system-ui, sans-serif } .head { font-weight: 600 }
"""


def chart(title: str, rows: Sequence[Compared]) -> str:
    """The chart of an area; each row has a scale of its own, which begins at zero."""
    parts: list[str] = []
    y = 12
    for row in rows:
        y += _HEAD
        parts.append(_text(12, y - 12, f"{row.name}: {_better(row)}", "text head"))
        top = max(row.values.values())
        for client in CLIENTS:
            if client in row.values:
                parts.append(_bar(y, client, row.values[client], top, row.unit))
                y += _BAR + _GAP
    height = y + 12
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" width="{_WIDTH}" '
        f'height="{height}" role="img" aria-labelledby="title desc">\n'
        f'<title id="title">{escape(title)}</title>\n'
        f'<desc id="desc">{escape(_description(rows))}</desc>\n'
        f"<style>{_STYLE}</style>\n"
        f'<rect class="back" width="{_WIDTH}" height="{height}"/>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def _bar(y: float, client: str, value: float, top: float, unit: str) -> str:
    width = max(1.0, (_WIDTH - _LEFT - _RIGHT) * value / top)
    kind = "ours" if client == OURS else "other"
    baseline = y + _BAR - 6
    return (
        _text(_LEFT - 8, baseline, client, "text", anchor="end")
        + f'<rect class="{kind}" x="{_LEFT}" y="{y}" width="{width:.1f}" height="{_BAR}"/>'
        + _text(_LEFT + width + 6, baseline, f"{number(value)} {unit}", "text")
    )


def _text(x: float, y: float, text: str, kind: str, anchor: str = "start") -> str:
    return f'<text class="{kind}" x="{x:.1f}" y="{y}" text-anchor="{anchor}">{escape(text)}</text>'


def _better(row: Compared) -> str:
    return f"{row.unit}, {'more' if row.more else 'less'} is better"


def _description(rows: Sequence[Compared]) -> str:
    """All that the chart shows, in words."""
    sentences = []
    for row in rows:
        values = [f"{one} {number(row.values[one])}" for one in CLIENTS if one in row.values]
        sentences.append(f"{row.name} ({_better(row)}): {', '.join(values)}.")
    return " ".join(sentences)
