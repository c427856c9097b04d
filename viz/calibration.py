"""Calibration curves with their bands, over the diagonal of perfect calibration."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from .number_format import count, estimate, interval, number
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

__all__ = ["calibration_figure"]

Curve = Mapping[str, Any]


def calibration_figure(
    curves: Sequence[Curve],
    *,
    models: Sequence[str] | None = None,
    labels: Sequence[str] | None = None,
    slopes: Mapping[tuple[str, str, str], tuple[float, float, float]] | None = None,
    bands: bool = True,
    bins: bool = True,
    digits: int = 2,
) -> go.Figure:
    """Draw observed against predicted risk in one square plot.

    Parameters
    ----------
    curves : sequence of dict
        As ``stats.probability_tables.calibration_curve_of_cell`` makes them: set, label, model, n, predicted, observed,
        band_low, band_high, bin_predicted, bin_observed, bin_low, bin_high, bin_n.
    models, labels : sequence of str, optional
        All models and labels of the work, which fix colours and marker shapes; by default the curves' own.
    slopes : mapping, optional
        Calibration slope with its interval by (set, label, model), printed in the legend.
    bands, bins : bool
        Whether the bands, and the bins with their intervals, are drawn.
    digits : int
        Decimals of risks and slopes.

    Returns
    -------
    plotly.graph_objects.Figure
        Every trace says in ``meta`` which model and part (curve, band, bin, ideal) it is. Below the diagonal the
        predictions are too high, above it too low.
    """
    models = models if models is not None else list(dict.fromkeys(curve["model"] for curve in curves))
    labels = labels if labels is not None else list(dict.fromkeys(curve["label"] for curve in curves))
    styles, symbols = model_styles(models), label_symbols(labels)
    names = _series_names(curves)
    traces: list[Any] = [_ideal()]
    if bands:
        traces += [_band(curve, styles[curve["model"]]) for curve in curves]
    for curve, name in zip(curves, names, strict=True):
        key = (curve["set"], curve["label"], curve["model"])
        legend = literal(shortened(name))
        if slopes is not None and key in slopes:
            legend = f"{legend}: {estimate(*slopes[key], digits)}"
        traces.append(_line(curve, styles[curve["model"]], name, legend, digits))
    if bins:
        for curve, name in zip(curves, names, strict=True):
            traces.append(_bins(curve, styles[curve["model"]], symbols[curve["label"]], name, digits))
    return go.Figure(data=traces, layout=_layout(len(curves), slopes is not None))


def _layout(n_curves: int, has_slopes: bool) -> dict[str, Any]:
    ticks = {"range": [-0.015, 1.015], "dtick": 0.2, "tickformat": ".1f", "constrain": "domain"}
    bottom = 82 + 20 * n_curves
    return base_layout(
        xaxis=base_axis("Predicted risk", **ticks),
        yaxis=base_axis("Observed share of positives", scaleanchor="x", **ticks),
        margin={"l": 56, "r": 12, "t": 12, "b": bottom},
        height=360 + bottom,
        legend={
            "orientation": "v",
            "x": 0,
            "xanchor": "left",
            "y": 0,
            "yref": "container",
            "yanchor": "bottom",
            "title": {
                "text": "Calibration slope (interval)" if has_slopes else "Smoothed calibration",
                "font": {"size": 12},
            },
            "font": {"size": 12},
        },
        meta={"square": True},
    )


def _ideal() -> go.Scatter:
    return go.Scatter(
        x=[0, 1],
        y=[0, 1],
        mode="lines",
        line={"color": LIGHT.neutral, "width": 1, "dash": "dot"},
        hoverinfo="skip",
        showlegend=False,
        meta={"part": "ideal"},
    )


def _band(curve: Curve, style: ModelStyle) -> go.Scatter:
    across = np.asarray(curve["predicted"], dtype=float)
    low, high = np.asarray(curve["band_low"], dtype=float), np.asarray(curve["band_high"], dtype=float)
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
    bounds = zip(curve["band_low"], curve["band_high"], strict=True)
    return go.Scatter(
        x=_rounded(curve["predicted"]),
        y=_rounded(curve["observed"]),
        customdata=[interval(float(low), float(high), digits) for low, high in bounds],
        mode="lines" if len(curve["predicted"]) > 1 else "markers",
        line={"color": style.colour, "width": 2.2, "dash": style.dash},
        marker={"color": style.colour},
        name=legend,
        hovertemplate=(
            f"<b>{literal(name)}</b><br>predicted %{{x:.{digits}f}}<br>observed %{{y:.{digits}f}} "
            "(%{customdata})<extra></extra>"
        ),
        meta={"model": curve["model"], "part": "curve"},
    )


def _bins(curve: Curve, style: ModelStyle, symbol: str, name: str, digits: int) -> go.Scatter:
    observed = np.asarray(curve["bin_observed"], dtype=float)
    low, high = np.asarray(curve["bin_low"], dtype=float), np.asarray(curve["bin_high"], dtype=float)
    return go.Scatter(
        x=_rounded(curve["bin_predicted"]),
        y=_rounded(observed),
        customdata=[
            [count(int(n)), interval(float(a), float(b), digits), number(float(value), digits)]
            for n, a, b, value in zip(curve["bin_n"], low, high, observed, strict=True)
        ],
        mode="markers",
        marker={
            "symbol": symbol,
            "size": 8,
            "color": style.colour,
            "line": {"color": LIGHT.paper, "width": 1},
        },
        error_y={
            "type": "data",
            "symmetric": False,
            "array": _rounded(high - observed),
            "arrayminus": _rounded(observed - low),
            "color": style.colour,
            "thickness": 1,
            "width": 0,
        },
        showlegend=False,
        hovertemplate=(
            f"<b>{literal(name)}</b><br>%{{customdata[0]}} patients, predicted %{{x:.{digits}f}}"
            "<br>observed %{customdata[2]} (%{customdata[1]})<extra></extra>"
        ),
        meta={"model": curve["model"], "part": "bin"},
    )


def _series_names(curves: Sequence[Curve]) -> list[str]:
    """Name each curve by what tells it apart: the model always, label and set where they vary."""
    varies = {part: len({curve[part] for curve in curves}) > 1 for part in ("label", "set")}
    return [
        ", ".join([curve["model"], *(curve[part] for part in varies if varies[part])]) for curve in curves
    ]


def _rounded(values: Any) -> list[float]:
    return [float(value) for value in np.round(np.asarray(values, dtype=float), 5)]
