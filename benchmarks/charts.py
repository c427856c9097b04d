"""The two pictures of benchmarks/README.md as SVG: how many times faster, and how cost grows."""

from __future__ import annotations

import math
from html import escape

from biomark.viz.theme import LIGHT
from simulation.line_chart import svg_line, svg_style, svg_text

WIDTH, LABEL, RIGHT = 860, 440, 60


def ratio_chart(bars: list[tuple[str, float]], title: str) -> str:
    """Draw ratios as bars from 1 on a logarithmic axis; to the left of 1 biomark is the slower one."""
    low = min(0.3, *(value for _, value in bars))
    high = max(10.0, *(value for _, value in bars))
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    room = WIDTH - LABEL - RIGHT

    def across(value: float) -> float:
        return LABEL + room * (math.log10(value) - first) / (last - first)

    row, top = 17, 30
    height = top + row * len(bars) + 26
    parts = [_head(WIDTH, height, title)]
    for power in range(first, last + 1):
        x = across(10.0**power)
        parts.append(svg_line(x, top - 6, x, height - 22, LIGHT.grid))
        parts.append(svg_text(x, height - 8, f"{10.0**power:g}", "middle"))
    for at, (name, value) in enumerate(bars):
        y = top + at * row
        x1, x2 = sorted((across(1.0), across(value)))
        colour = LIGHT.models[0] if value >= 1.0 else LIGHT.models[1]
        parts.append(svg_text(LABEL - 8, y + 10, name if len(name) <= 70 else name[:69] + "…", "end"))
        parts.append(
            f'<rect x="{x1:.1f}" y="{y + 1}" width="{max(x2 - x1, 1.5):.1f}" height="{row - 5}" fill="{colour}"/>'
        )
        parts.append(
            svg_text(
                max(x2, across(1.0)) + 5, y + 10, f"{value:.3g}" if value < 100 else f"{value:,.0f}", "start"
            )
        )
    parts.append(svg_line(across(1.0), top - 6, across(1.0), height - 22, LIGHT.ink, width=1.5))
    parts.append(svg_text(LABEL, 16, "times as fast as the rival (logarithmic)", "start"))
    return "\n".join([*parts, "</svg>", ""])


def growth_chart(lines: dict[str, list[tuple[float, float]]], title: str, x: str) -> str:
    """Draw seconds against size, both logarithmic."""
    width, height, left, bottom, top = 860, 330, 70, 44, 20
    room, tall = 430, height - bottom - top
    xs = [math.log10(at) for points in lines.values() for at, _ in points]
    ys = [math.log10(value) for points in lines.values() for _, value in points]
    x0, x1, y0, y1 = min(xs), max(xs), math.floor(min(ys)), math.ceil(max(ys))

    def place(at: float, value: float) -> tuple[float, float]:
        across = left + room * (math.log10(at) - x0) / max(x1 - x0, 1e-9)
        return across, top + tall * (1 - (math.log10(value) - y0) / max(y1 - y0, 1e-9))

    parts = [_head(width, height, title)]
    for power in range(y0, y1 + 1):
        y = place(10**x0, 10.0**power)[1]
        parts.append(svg_line(left, y, left + room, y, LIGHT.grid))
        parts.append(svg_text(left - 6, y + 4, f"{10.0**power:g} s", "end"))
    for at in sorted({at for points in lines.values() for at, _ in points}):
        parts.append(svg_text(place(at, 10.0**y0)[0], height - bottom + 16, f"{at:,.0f}", "middle"))
    for number, (name, points) in enumerate(lines.items()):
        colour, dash = svg_style(number)
        path = [place(*point) for point in points]
        joined = " ".join(f"{px:.1f},{py:.1f}" for px, py in path)
        parts.append(
            f'<polyline points="{joined}" fill="none" stroke="{colour}" stroke-width="2" stroke-dasharray="{dash}"/>'
        )
        parts += [f'<circle cx="{px:.1f}" cy="{py:.1f}" r="2.6" fill="{colour}"/>' for px, py in path]
        y = top + 14 + 18 * number
        parts.append(svg_line(left + room + 24, y - 4, left + room + 54, y - 4, colour, width=2, dash=dash))
        parts.append(svg_text(left + room + 60, y, name, "start"))
    parts.append(svg_text(left + room / 2, height - 8, x, "middle"))
    return "\n".join([*parts, "</svg>", ""])


def _head(width: int, height: int, title: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" '
        f'font-family="Arial, sans-serif" font-size="11" role="img"><title>{escape(title)}</title>'
        f'<rect width="{width}" height="{height}" fill="{LIGHT.paper}"/>'
    )
