"""Small forest plots inside table rows: an estimate and its interval on the column's common axis.

Drawn as SVG without a script, so that they print and stay readable where scripts are switched off. The number
stands in the next cell; the mark is hidden from screen readers.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import ceil, floor, isfinite

from markupsafe import Markup

from .number_format import MINUS
from .theme import ModelStyle

__all__ = ["MarkAxis", "interval_mark", "line_sample", "mark_scale"]

_WIDTH, _HEIGHT, _PAD = 150.0, 18.0, 8.0


@dataclass(frozen=True, slots=True)
class MarkAxis:
    """The axis that the marks of one column share.

    Attributes
    ----------
    low, high : float
    reference : float
        Where no effect lies; a thin line through every row.
    digits : int
        Decimals of the numbers at its ends.
    """

    low: float
    high: float
    reference: float
    digits: int = 1

    @classmethod
    def around(cls, values: Iterable[float], *, reference: float, limits: tuple[float, float]) -> MarkAxis:
        """Return the axis in steps of 0.1 that holds all finite ``values`` and the reference.

        Where all lie within a tenth of each other, the steps are 0.01.
        """
        known = [value for value in values if isfinite(value)] + [reference]
        digits = 2 if 0.0 < max(known) - min(known) < 0.1 else 1
        step = 10.0**-digits
        low = max(limits[0], round(floor(min(known) / step - 1e-9) * step, digits))
        high = min(limits[1], round(ceil(max(known) / step + 1e-9) * step, digits))
        if high - low < 1.5 * step:  # one value on the reference alone
            low = max(limits[0], round(low - step, digits))
            high = min(limits[1], round(high + step, digits))
        return cls(low, high, reference, digits)

    def at(self, value: float) -> float:
        """Return where ``value`` lies, in the units of the drawing; values outside go to its edge."""
        inside = min(max(value, self.low), self.high)
        return round(_PAD + (inside - self.low) / (self.high - self.low) * (_WIDTH - 2.0 * _PAD), 2)


def interval_mark(
    value: float, low: float, high: float, axis: MarkAxis, style: ModelStyle | None = None
) -> Markup:
    """Return an interval as a line with its estimate as a dot; nothing but the reference where undefined.

    Parameters
    ----------
    value, low, high : float
    axis : MarkAxis
    style : ModelStyle, optional
        Colour and dash of a model; ink where the estimate belongs to none.
    """
    middle = _HEIGHT / 2.0
    drawn = _line(axis.at(axis.reference), 0.0, axis.at(axis.reference), _HEIGHT, "reference")
    if isfinite(value):
        colour = "ink" if style is None else f"model-{style.slot}"
        if isfinite(low) and isfinite(high):
            dash = "" if style is None else _dash(style)
            drawn += _line(axis.at(low), middle, axis.at(high), middle, f"interval {colour}", dash)
        drawn += Markup('<circle cx="{}" cy="{}" r="4" class="dot {}"/>').format(
            axis.at(value), middle, colour
        )
    return _svg(drawn, "mark")


def mark_scale(axis: MarkAxis) -> Markup:
    """Return the numbers of the axis, for the head of the column."""
    ticks = sorted({axis.low, axis.reference, axis.high})
    shown = Markup("").join(
        Markup('<text x="{}" y="13" text-anchor="middle">{}</text>').format(
            axis.at(tick), f"{tick:.{axis.digits}f}".replace("-", MINUS) if tick != 0.0 else "0"
        )
        for tick in ticks
    )
    return _svg(shown, "mark scale")


def line_sample(style: ModelStyle) -> Markup:
    """Return a short piece of a model's line, its key in tables and controls."""
    line = _line(1.0, 5.0, 23.0, 5.0, f"interval model-{style.slot}", _dash(style))
    return Markup(
        '<svg class="key" viewBox="0 0 24 10" width="24" height="10" aria-hidden="true">{}</svg>'
    ).format(line)


def _line(x1: float, y1: float, x2: float, y2: float, css: str, dash: Markup | str = "") -> Markup:
    return Markup('<line x1="{}" y1="{}" x2="{}" y2="{}" class="{}"{}/>').format(x1, y1, x2, y2, css, dash)


def _dash(style: ModelStyle) -> Markup | str:
    if style.dash == "solid":
        return ""
    return Markup(' stroke-dasharray="{}"').format(style.dash.replace("px", "").replace(",", " "))


def _svg(drawn: Markup, css: str) -> Markup:
    return Markup(
        '<svg class="{}" viewBox="0 0 {w:g} {h:g}" width="{w:g}" height="{h:g}" aria-hidden="true">{}</svg>'
    ).format(css, drawn, w=_WIDTH, h=_HEIGHT)
