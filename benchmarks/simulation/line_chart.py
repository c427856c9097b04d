"""A line chart in panels as SVG, without a browser to draw it."""

from __future__ import annotations

from html import escape

from biomark.viz.theme import LIGHT

DASHES = ("", "7 3", "2 2", "9 3 2 3", "14 4", "4 2 1 2", "1 3")
MARGIN, PANEL, GAP, TOP, BOTTOM = 62, (190, 190), 16, 28, 74


def line_chart(
    panels: dict[str, dict[str, list[tuple[float, float]]]],
    *,
    title: str,
    x: str,
    y: str,
    y_range: tuple[float, float],
    target: float,
) -> str:
    """Draw ``panels``: title of a panel to name of a line to its points; a value off the range sits on the edge."""
    names = list(dict.fromkeys(name for lines in panels.values() for name in lines))
    xs = sorted({at for lines in panels.values() for points in lines.values() for at, _ in points})
    (w, h), (low, high) = PANEL, y_range
    width = MARGIN + len(panels) * (w + GAP)
    height = TOP + h + BOTTOM
    step = (w - 20) / max(1, len(xs) - 1)

    def down(value: float) -> float:
        return TOP + h * (1.0 - (min(max(value, low), high) - low) / (high - low))

    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" font-family="Arial, sans-serif" font-size="11" role="img">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{width}" height="{height}" fill="{LIGHT.paper}"/>',
    ]
    ticks = [low + k * (high - low) / 5 for k in range(6)]
    for at, (panel, lines) in enumerate(panels.items()):
        left = MARGIN + at * (w + GAP)
        parts.append(f'<text x="{left + w / 2}" y="{TOP - 10}" text-anchor="middle">{escape(panel)}</text>')
        for tick in ticks:
            parts.append(svg_line(left, down(tick), left + w, down(tick), LIGHT.grid))
            if at == 0:
                parts.append(
                    svg_text(left - 6, down(tick) + 4, f"{tick:.0%}" if high > 0.3 else f"{tick:.1%}", "end")
                )
        parts.append(svg_line(left, down(target), left + w, down(target), LIGHT.neutral, width=1.5))
        for position, value in enumerate(xs):
            parts.append(svg_text(left + 10 + position * step, TOP + h + 14, f"{value:g}", "middle"))
        for name, points in lines.items():
            colour, dash = svg_style(names.index(name))
            path = [(left + 10 + xs.index(px) * step, down(py)) for px, py in points]
            joined = " ".join(f"{px:.1f},{py:.1f}" for px, py in path)
            parts.append(
                f'<polyline points="{joined}" fill="none" stroke="{colour}" stroke-width="1.8" '
                f'stroke-dasharray="{dash}"/>'
            )
            parts.extend(f'<circle cx="{px:.1f}" cy="{py:.1f}" r="2.2" fill="{colour}"/>' for px, py in path)
        parts.append(svg_text(left + w / 2, TOP + h + 30, x, "middle"))
    parts.append(
        f'<text transform="translate(14 {TOP + h / 2}) rotate(-90)" text-anchor="middle">{escape(y)}</text>'
    )
    column = max(150, 45 + round(5.8 * max(map(len, names))))
    across = max(1, (width - MARGIN) // column)
    for at, name in enumerate(names):
        colour, dash = svg_style(at)
        left, top = MARGIN + at % across * column, TOP + h + 50 + at // across * 16
        parts.append(svg_line(left, top - 4, left + 26, top - 4, colour, width=1.8, dash=dash))
        parts.append(svg_text(left + 31, top, name, "start"))
    return "\n".join([*parts, "</svg>", ""])


def svg_style(at: int) -> tuple[str, str]:
    return LIGHT.models[at % len(LIGHT.models)], DASHES[at % len(DASHES)]


def svg_line(
    x1: float, y1: float, x2: float, y2: float, colour: str, *, width: float = 1, dash: str = ""
) -> str:
    return (
        f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" stroke="{colour}" '
        f'stroke-width="{width}" stroke-dasharray="{dash}"/>'
    )


def svg_text(x: float, y: float, text: str, anchor: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}" fill="{LIGHT.ink}">{escape(text)}</text>'
