"""Plots as SVG, written by hand: lines and words need no library of 100 MB, and text diffs well."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape

from measure import number

STYLE = """<style>
text { font: 11px system-ui, sans-serif; fill: #333 } .title { font-weight: 600 }
.axis { stroke: #bbb }
.first { stroke: #0a5bd6; fill: #0a5bd6 } .second { stroke: #999; fill: #999 }
path { fill: none !important; stroke-width: 2 } .second-line { stroke-dasharray: 4 3 }
@media (prefers-color-scheme: dark) {
  text { fill: #ddd } .axis { stroke: #555 } .first { stroke: #6ea8fe; fill: #6ea8fe }
}
</style>"""


@dataclass(frozen=True)
class Panel:
    """Two lines over the same numbers on the x axis; both axes are logarithmic."""

    title: str
    x: Sequence[float]
    first: Sequence[float]
    second: Sequence[float]


def panels(drawn: Sequence[Panel], first: str, second: str, columns: int = 3) -> str:
    """Small plots side by side, each with its own y axis."""
    width, height = 240, 170
    parts = [
        f'<g transform="translate({place % columns * width},{place // columns * height + 24})">'
        f"{panel(each)}</g>"
        for place, each in enumerate(drawn)
    ]
    key = (
        '<path class="first" d="M8 12h24"/>'
        + text(38, 16, first)
        + '<path class="second second-line" d="M168 12h24"/>'
        + text(198, 16, second)
    )
    rows = math.ceil(len(drawn) / columns)
    return svg(columns * width, rows * height + 24, key + "".join(parts))


def panel(of: Panel) -> str:
    left, right, top, bottom = 44, 225, 28, 136
    values = [*of.first, *of.second]
    low, high = math.floor(math.log10(min(values))), math.ceil(math.log10(max(values)))

    def across(value: float) -> float:
        share = math.log(value / of.x[0]) / math.log(of.x[-1] / of.x[0])
        return left + 8 + share * (right - left - 16)

    def down(value: float) -> float:
        return bottom - (math.log10(value) - low) / max(1, high - low) * (bottom - top)

    parts = [text(left, 14, of.title, "title")]
    for power in range(low, high + 1):
        y = down(10.0**power)
        parts.append(f'<line class="axis" x1="{left}" x2="{right}" y1="{y:.0f}" y2="{y:.0f}"/>')
        parts.append(text(left - 5, y + 4, f"{10.0**power:g}", anchor="end"))
    parts += [text(across(x), bottom + 15, f"{x:g}", anchor="middle") for x in of.x]
    for name, ys in (("second second-line", of.second), ("first", of.first)):
        points = " ".join(f"{across(x):.1f},{down(y):.1f}" for x, y in zip(of.x, ys, strict=True))
        parts.append(f'<path class="{name}" d="M{points}"/>')
    return "".join(parts)


def bars(values: Mapping[str, Sequence[float]], names: Sequence[str]) -> str:
    """A group of bars for each key, one bar for each name."""
    left, width, step = 240, 720, 14
    scale = (width - left - 70) / max(max(group) for group in values.values())
    styles = ["first", "second"]
    parts, y = [], 34
    for place, name in enumerate(names):
        x = 8 + place * 250
        parts.append(f'<rect class="{styles[place]}" x="{x}" y="6" width="12" height="9"/>')
        parts.append(text(x + 18, 15, name))
    for key, group in values.items():
        parts.append(text(left - 8, y + step * len(group) / 2 + 2, key, anchor="end"))
        for place, value in enumerate(group):
            size = f'x="{left}" y="{y}" width="{max(1, value * scale):.1f}" height="{step - 4}"'
            parts.append(f'<rect class="{styles[place]}" {size}/>')
            parts.append(text(left + 6 + value * scale, y + step - 5, number(value)))
            y += step
        y += 8
    return svg(width, y, "".join(parts))


def stacked(bars: Mapping[str, Mapping[str, float]], parts: Sequence[str], unit: str) -> str:
    """A bar for each key, made of parts one after the other, with the sum behind it."""
    left, width, height = 110, 720, 26
    scale = (width - left - 150) / max(sum(bar.values()) for bar in bars.values())
    shades = {part: 1 - place / (len(parts) + 1) for place, part in enumerate(parts)}
    drawn, x = [], 8.0
    for part in parts:
        fill = f'class="first" stroke="none" opacity="{shades[part]:.2f}"'
        drawn.append(f'<rect {fill} x="{x:.0f}" y="6" width="12" height="9"/>')
        drawn.append(text(x + 16, 15, part))
        x += 28 + 5.6 * len(part)
    y = 34
    for name, bar in bars.items():
        drawn.append(text(left - 8, y + height / 2 + 1, name, anchor="end"))
        start = float(left)
        for part in parts:
            size = f'x="{start:.1f}" y="{y}" width="{bar[part] * scale:.1f}" height="{height - 6}"'
            shade = f'class="first" stroke="none" opacity="{shades[part]:.2f}"'
            title = f"<title>{escape(part)}: {number(bar[part])}</title>"
            drawn.append(f"<rect {shade} {size}>{title}</rect>")
            start += bar[part] * scale
        drawn.append(text(start + 6, y + height / 2 + 1, f"{number(sum(bar.values()))} {unit}"))
        y += height
    return svg(width, y + 4, "".join(drawn))


def text(x: float, y: float, words: str, css: str = "", anchor: str = "start") -> str:
    named = f' class="{css}"' if css else ""
    return f'<text{named} x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(words)}</text>'


def svg(width: int, height: int, inside: str) -> str:
    lines = inside.replace("><", ">\n<")
    size = f'width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
    return f'<svg xmlns="http://www.w3.org/2000/svg" {size}>\n{STYLE}\n{lines}\n</svg>\n'
