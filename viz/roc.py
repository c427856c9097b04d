"""ROC curves with their confidence bands and the chosen operating points."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import NDArray

from .number_format import estimate, number, threshold
from .theme import (
    LIGHT,
    ModelStyle,
    base_axis,
    base_layout,
    label_symbols,
    literal,
    model_styles,
    shortened,
    translucent,
)

__all__ = ["roc_figure"]

Curve = Mapping[str, Any]

# A drawn curve may leave its vertices out where the line moves by less than this (a third of a pixel).
_TOLERANCE = 0.001
_FEW = 400


def roc_figure(
    curves: Sequence[Curve],
    *,
    models: Sequence[str] | None = None,
    labels: Sequence[str] | None = None,
    intervals: Mapping[tuple[str, str, str], tuple[float, float]] | None = None,
    bands: bool = True,
    points: bool = True,
    cutoff_names: Mapping[str, str] | None = None,
    legend_title: str = "AUC",
    digits: int = 3,
) -> go.Figure:
    """Draw ROC curves in one square plot.

    Parameters
    ----------
    curves : sequence of dict
        As in ``Evaluation.curves``: set, label, model, auc, fpr, tpr, thresholds, band_specificity, band_low,
        band_high, points.
    models, labels : sequence of str, optional
        All models and labels of the work, which fix colours and marker shapes; by default the curves' own.
    intervals : mapping, optional
        Interval of the AUC by (set, label, model), printed in the legend.
    bands, points : bool
        Whether confidence bands and operating points are drawn.
    cutoff_names : mapping, optional
        What the kinds of cut-off are called, for instance ``{"locked": "locked on validation"}``.
    legend_title : str
        What the numbers in the legend are, with the patients behind them.
    digits : int
        Decimals of AUC, sensitivity and specificity.

    Returns
    -------
    plotly.graph_objects.Figure
        Every trace says in ``meta`` which model and part (curve, band, locked, same-set) it is.

    Notes
    -----
    A locked cut-off is a filled marker, a cut-off chosen on the judged set itself an open one. Beyond 400
    points, vertices that move the line by less than 0.001 are left out of the drawing; no number is taken
    from the drawing.
    """
    models = models if models is not None else _in_order(curve["model"] for curve in curves)
    labels = labels if labels is not None else _in_order(curve["label"] for curve in curves)
    styles, symbols = model_styles(models), label_symbols(labels)
    names = _series_names(curves)
    traces: list[Any] = [_chance()]
    if bands:
        traces += [_band(curve, styles[curve["model"]]) for curve in curves if len(curve["band_specificity"])]
    for curve, name in zip(curves, names, strict=True):
        key = (curve["set"], curve["label"], curve["model"])
        low, high = (intervals or {}).get(key, (np.nan, np.nan))
        legend = f"{literal(shortened(name))}: {estimate(curve['auc'], low, high, digits)}"
        traces.append(_line(curve, styles[curve["model"]], name, legend, digits))
    if points:
        traces += [
            _point(
                curve,
                point,
                styles[curve["model"]],
                symbols[curve["label"]],
                name,
                cutoff_names or {},
                digits,
            )
            for curve, name in zip(curves, names, strict=True)
            for point in curve["points"]
        ]
    return go.Figure(data=traces, layout=_layout(len(curves), legend_title))


def _layout(n_curves: int, legend_title: str) -> dict[str, Any]:
    ticks = {"range": [-0.015, 1.015], "dtick": 0.2, "tickformat": ".1f", "constrain": "domain"}
    bottom = 76 + 20 * n_curves
    return base_layout(
        xaxis=base_axis("1 − specificity", **ticks),
        yaxis=base_axis("Sensitivity", scaleanchor="x", **ticks),
        margin={"l": 56, "r": 12, "t": 12, "b": bottom},
        height=360 + bottom,
        legend={
            "orientation": "v",
            "x": 0,
            "xanchor": "left",
            "y": 0,
            "yref": "container",
            "yanchor": "bottom",
            "title": {"text": literal(legend_title), "font": {"size": 12}},
            "font": {"size": 12},
        },
        meta={"square": True},
    )


def _chance() -> go.Scatter:
    return go.Scatter(
        x=[0, 1],
        y=[0, 1],
        mode="lines",
        line={"color": LIGHT.neutral, "width": 1, "dash": "dot"},
        hoverinfo="skip",
        showlegend=False,
        meta={"part": "chance"},
    )


def _band(curve: Curve, style: ModelStyle) -> go.Scatter:
    across = 1.0 - np.asarray(curve["band_specificity"], dtype=float)
    low, high = np.asarray(curve["band_low"], dtype=float), np.asarray(curve["band_high"], dtype=float)
    known = np.isfinite(low) & np.isfinite(high)
    across, low, high = across[known], low[known], high[known]
    return go.Scatter(
        x=_rounded(np.concatenate([across, across[::-1]])),
        y=_rounded(np.concatenate([high, low[::-1]])),
        mode="lines",
        line={"width": 0},
        fill="toself",
        fillcolor=translucent(style.colour, 0.13),
        hoverinfo="skip",
        showlegend=False,
        meta={"model": curve["model"], "part": "band"},
    )


def _line(curve: Curve, style: ModelStyle, name: str, legend: str, digits: int) -> go.Scatter:
    fpr, tpr = np.asarray(curve["fpr"], dtype=float), np.asarray(curve["tpr"], dtype=float)
    kept = _vertices(fpr, tpr)
    cuts = np.asarray(curve["thresholds"], dtype=float)[kept]
    return go.Scatter(
        x=_rounded(fpr[kept]),
        y=_rounded(tpr[kept]),
        customdata=[
            [threshold(float(cut)), number(1.0 - float(x), digits)]
            for cut, x in zip(cuts, fpr[kept], strict=True)
        ],
        mode="lines",
        line={"color": style.colour, "width": 2.2, "dash": style.dash},
        name=legend,
        hovertemplate=(
            f"<b>{literal(name)}</b><br>sensitivity %{{y:.{digits}f}}<br>specificity %{{customdata[1]}}"
            "<br>at a cut-off of %{customdata[0]}<extra></extra>"
        ),
        meta={"model": curve["model"], "part": "curve"},
    )


def _point(
    curve: Curve,
    point: Mapping[str, Any],
    style: ModelStyle,
    symbol: str,
    name: str,
    cutoff_names: Mapping[str, str],
    digits: int,
) -> go.Scatter:
    locked = point["cutoff"] == "locked"
    called = cutoff_names.get(point["cutoff"], point["cutoff"])
    sensitivity, specificity = float(point["sensitivity"]), float(point["specificity"])
    return go.Scatter(
        x=_rounded(np.asarray([1.0 - specificity])),
        y=_rounded(np.asarray([sensitivity])),
        mode="markers",
        marker={
            "symbol": symbol,
            "size": 11 if locked else 12,
            "color": style.colour if locked else LIGHT.paper,
            "line": {"color": LIGHT.paper if locked else style.colour, "width": 1.5 if locked else 2},
        },
        showlegend=False,
        hovertemplate=(
            f"<b>{literal(name)}</b><br>cut-off {threshold(float(point['threshold']))}, {literal(called)}"
            f"<br>sensitivity {number(sensitivity, digits)}<br>specificity {number(specificity, digits)}"
            "<extra></extra>"
        ),
        meta={"model": curve["model"], "part": point["cutoff"]},
    )


def _series_names(curves: Sequence[Curve]) -> list[str]:
    """Name each curve by what tells it apart: the model always, label and set where they vary."""
    varies = {part: len({curve[part] for curve in curves}) > 1 for part in ("label", "set")}
    return [
        ", ".join([curve["model"], *(curve[part] for part in varies if varies[part])]) for curve in curves
    ]


def _vertices(x: NDArray[np.float64], y: NDArray[np.float64]) -> NDArray[np.intp]:
    """Return which points to draw: all of a few, else those of Ramer, Douglas and Peucker."""
    if x.size <= _FEW:
        return np.arange(x.size)
    kept = np.zeros(x.size, dtype=bool)
    kept[[0, -1]] = True
    pieces = [(0, x.size - 1)]
    while pieces:
        first, last = pieces.pop()
        if last - first < 2:
            continue
        dx, dy = x[last] - x[first], y[last] - y[first]
        inner = slice(first + 1, last)
        length = float(np.hypot(dx, dy))
        ex, ey = x[inner] - x[first], y[inner] - y[first]
        distance = np.abs(dx * ey - dy * ex) / length if length > 0.0 else np.hypot(ex, ey)
        far = int(np.argmax(distance))
        if distance[far] > _TOLERANCE:
            at = first + 1 + far
            kept[at] = True
            pieces += [(first, at), (at, last)]
    return np.flatnonzero(kept)


def _rounded(values: NDArray[np.float64]) -> list[float]:
    # Five decimals are a two-hundredth of a pixel; the page carries the text of every coordinate.
    return [float(value) for value in np.round(values, 5)]


def _in_order(names: Any) -> list[str]:
    return list(dict.fromkeys(names))
