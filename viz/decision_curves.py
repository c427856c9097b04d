"""Decision curves: net benefit over threshold probabilities, beside treating all and treating none."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import plotly.graph_objects as go

from .number_format import interval, number, percentage
from .theme import LIGHT, ModelStyle, base_axis, base_layout, literal, model_styles, shortened, translucent

__all__ = ["net_benefit_figure"]

_AXES = {
    "net_benefit": ("Net benefit (true positives per patient)", "ci_low", "ci_high"),
    "standardized": ("Standardized net benefit", "standardized_ci_low", "standardized_ci_high"),
}


def net_benefit_figure(
    curves: pd.DataFrame,
    *,
    models: Sequence[str] | None = None,
    measure: str = "net_benefit",
    bands: bool = True,
    thresholds: tuple[float, float] = (0.0, 1.0),
    digits: int = 3,
) -> go.Figure:
    """Draw decision curves.

    Parameters
    ----------
    curves : pandas.DataFrame
        As ``stats.probability_tables.net_benefit_rows`` gives them: set, label, model, threshold, net_benefit, ci_low,
        ci_high, treat_all, standardized and its bounds. Rows without a threshold, which say why a curve is missing,
        are left out. Treating all is drawn once for each set and label.
    models : sequence of str, optional
        All models of the work, which fix the colours; by default the table's own.
    measure : {"net_benefit", "standardized"}
        With ``standardized``, treating all is not drawn.
    bands : bool
        Whether the pointwise intervals are drawn.
    thresholds : (low, high)
        The range that is shown; a threshold that nobody would hold needs no curve.
    digits : int
        Decimals of net benefit.

    Returns
    -------
    plotly.graph_objects.Figure
        Every trace says in ``meta`` which model and part (curve, band, treat-all, treat-none) it is. The axis ends a
        little below 0, where treating all falls without end.
    """
    title, low, high = _AXES[measure]
    shown = curves[curves["threshold"].between(*thresholds)]
    models = models if models is not None else list(dict.fromkeys(shown["model"]))
    styles = model_styles(models)
    series = [
        ((str(group), str(label), str(model)), rows)
        for (group, label, model), rows in shown.groupby(["set", "label", "model"], sort=False)
    ]
    # Label and set, where there are several.
    several = [k for k in (1, 0) if len({key[:2][k] for key, _ in series}) > 1]
    traces: list[Any] = []
    if measure == "net_benefit":
        # All models of one set and label share their patients, and so the line of treating all.
        first = {key[:2]: rows for key, rows in reversed(series)}
        for shared, rows in reversed(first.items()):
            traces.append(_treat_all(rows, ", ".join(["treat all", *(shared[k] for k in several)]), digits))
    traces.append(_treat_none(thresholds))
    if bands:
        traces += [_band(rows, low, high, styles[key[2]], key[2]) for key, rows in series]
    for key, rows in series:
        name = ", ".join([key[2], *(key[k] for k in several)])
        traces.append(_line(rows, measure, low, high, styles[key[2]], key[2], name, digits))
    # By the curves alone: at thresholds that few patients reach the intervals go everywhere.
    top = 1.35 * float(np.nanmax([0.0, *shown[measure]])) or 1.0
    bottom = 64 + 20 * sum(trace.showlegend is not False for trace in traces)
    layout = base_layout(
        xaxis=base_axis("Threshold probability", range=list(thresholds), dtick=0.25, tickformat=".0%"),
        yaxis=base_axis(title, range=[-0.2 * top, top], zeroline=True, zerolinecolor=LIGHT.line),
        margin={"l": 64, "r": 12, "t": 12, "b": bottom},
        height=300 + bottom,
        legend={
            "orientation": "v",
            "x": 0,
            "xanchor": "left",
            "y": 0,
            "yref": "container",
            "yanchor": "bottom",
            "font": {"size": 12},
        },
    )
    return go.Figure(data=traces, layout=layout)


def _treat_all(rows: pd.DataFrame, name: str, digits: int) -> go.Scatter:
    return go.Scatter(
        x=_rounded(rows["threshold"]),
        y=_rounded(rows["treat_all"]),
        mode="lines",
        line={"color": LIGHT.neutral, "width": 1.5, "dash": "dash"},
        name=literal(shortened(name)),
        hovertemplate=f"<b>treat all</b><br>threshold %{{x:.0%}}<br>net benefit %{{y:.{digits}f}}<extra></extra>",
        meta={"part": "treat-all"},
    )


def _treat_none(thresholds: tuple[float, float]) -> go.Scatter:
    return go.Scatter(
        x=list(thresholds),
        y=[0, 0],
        mode="lines",
        line={"color": LIGHT.ink, "width": 1},
        name="treat none",
        hoverinfo="skip",
        meta={"part": "treat-none"},
    )


def _band(rows: pd.DataFrame, low: str, high: str, style: ModelStyle, model: str) -> go.Scatter:
    known = rows[rows[low].notna() & rows[high].notna()]
    across = known["threshold"].to_numpy(dtype=float)
    return go.Scatter(
        x=_rounded(np.concatenate([across, across[::-1]])),
        y=_rounded(
            np.concatenate([known[high].to_numpy(dtype=float), known[low].to_numpy(dtype=float)[::-1]])
        ),
        mode="lines",
        line={"width": 0},
        fill="toself",
        fillcolor=translucent(style.colour, 0.13),
        hoverinfo="skip",
        showlegend=False,
        meta={"model": model, "part": "band"},
    )


def _line(
    rows: pd.DataFrame,
    measure: str,
    low: str,
    high: str,
    style: ModelStyle,
    model: str,
    name: str,
    digits: int,
) -> go.Scatter:
    return go.Scatter(
        x=_rounded(rows["threshold"]),
        y=_rounded(rows[measure]),
        customdata=[
            [percentage(at), number(value, digits), interval(a, b, digits)]
            for at, value, a, b in zip(rows["threshold"], rows[measure], rows[low], rows[high], strict=True)
        ],
        mode="lines",
        line={"color": style.colour, "width": 2.2, "dash": style.dash},
        name=literal(shortened(name)),
        hovertemplate=(
            f"<b>{literal(name)}</b><br>threshold %{{customdata[0]}}<br>net benefit %{{customdata[1]}}"
            "<br>%{customdata[2]}<extra></extra>"
        ),
        meta={"model": model, "part": "curve"},
    )


def _rounded(values: Any) -> list[float | None]:
    # A gap, where a value is undefined: JSON has no NaN.
    return [
        None if np.isnan(value) else float(value) for value in np.round(np.asarray(values, dtype=float), 5)
    ]
