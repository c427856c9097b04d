"""Forest plots: estimates with their intervals, one row each, against a reference."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

import plotly.graph_objects as go

from .number_format import estimate
from .theme import (
    LIGHT,
    ModelStyle,
    base_axis,
    base_layout,
    label_symbols,
    literal,
    model_styles,
    shortened,
)

__all__ = ["ForestRow", "forest_figure"]


@dataclass(frozen=True, slots=True)
class ForestRow:
    """One estimate of a forest plot.

    Attributes
    ----------
    row : str
        Name of the row; rows of the same name share a line and lie above each other, one for each model.
    model : str
        Which model the estimate belongs to; fixes colour and dash.
    value, ci_low, ci_high : float
        NaN where it cannot be estimated; the row then says so.
    label : str
        Which label it belongs to; fixes the marker shape. Empty where it belongs to none.
    detail : str
        More for the hover label: numbers of patients, or why the estimate is missing.
    patients : str
        Stands under the row's name on the axis, for instance ``n = 80``.
    """

    row: str
    model: str
    value: float
    ci_low: float
    ci_high: float
    label: str = ""
    detail: str = ""
    patients: str = ""


def forest_figure(
    rows: Sequence[ForestRow],
    *,
    axis_title: str,
    models: Sequence[str] | None = None,
    labels: Sequence[str] | None = None,
    reference: float | None = None,
    axis_range: tuple[float, float] | None = None,
    digits: int = 3,
) -> go.Figure:
    """Draw estimates with their intervals, first row on top.

    Parameters
    ----------
    rows : sequence of ForestRow
    axis_title : str
        What the estimates are, with their unit if they have one.
    models, labels : sequence of str, optional
        All models and labels of the work, which fix colours and marker shapes; by default the rows' own.
    reference : float, optional
        Where no effect lies (0.5 for an AUC, 0 for a difference), drawn as a dotted line.
    axis_range : pair of float, optional
        Ends of the axis; by default they follow the intervals.
    digits : int
        Decimals in the hover labels.

    Returns
    -------
    plotly.graph_objects.Figure
        Every trace says in ``meta`` which model it is.
    """
    if models is None:
        models = list(dict.fromkeys(row.model for row in rows))
    if labels is None:
        labels = list(dict.fromkeys(row.label for row in rows if row.label))
    symbols = label_symbols(labels)
    shown = [model for model in models if any(row.model == model for row in rows)]
    patients = {row.row: row.patients for row in reversed(rows)}
    names = list(dict.fromkeys(row.row for row in rows))
    styles = model_styles(models)
    spread = 0.22 if len(shown) <= 3 else 0.72 / len(shown)
    traces: list[Any] = []
    missing: list[dict[str, Any]] = []
    for at, model in enumerate(shown):
        mine = [row for row in rows if row.model == model]
        heights = [names.index(row.row) + (at - (len(shown) - 1) / 2) * spread for row in mine]
        drawn = [(row, height) for row, height in zip(mine, heights, strict=True) if isfinite(row.value)]
        missing += [
            _not_estimable(row, height, styles[model].colour)
            for row, height in zip(mine, heights, strict=True)
            if not isfinite(row.value)
        ]
        traces.append(_estimates(model, drawn, styles[model], symbols, digits))
    row_height = max(38, 22 * len(shown))
    bottom = 60 + 20 * len(shown)
    layout = base_layout(
        xaxis=base_axis(axis_title, range=list(axis_range) if axis_range else None),
        yaxis={
            "tickvals": list(range(len(names))),
            "ticktext": [_tick(name, patients[name]) for name in names],
            "range": [len(names) - 0.4, -0.6],
            "automargin": True,
            "showgrid": False,
            "zeroline": False,
            "fixedrange": True,
        },
        margin={"l": 20, "r": 14, "t": 10, "b": bottom},
        height=bottom + 26 + row_height * len(names),
        shapes=[] if reference is None else [_reference(reference)],
        annotations=missing,
        legend={
            "orientation": "v",
            "x": 0,
            "xanchor": "left",
            "y": 0,
            "yref": "container",
            "yanchor": "bottom",
            "font": {"size": 12},
        },
        showlegend=True,
    )
    return go.Figure(data=traces, layout=layout)


def _tick(name: str, patients: str) -> str:
    text = literal(shortened(name, 24))
    return f"{text}<br>{literal(patients)}" if patients else text


def _estimates(
    model: str,
    drawn: Sequence[tuple[ForestRow, float]],
    style: ModelStyle,
    symbols: Mapping[str, str],
    digits: int,
) -> go.Scatter:
    # One line through low, value and high for each row, so that the model's dash shows; only the value in its
    # middle has a marker.
    x: list[float | None] = []
    y: list[float | None] = []
    size, symbol, told = [], [], []
    for row, height in drawn:
        known = isfinite(row.ci_low) and isfinite(row.ci_high)
        x += [row.ci_low if known else row.value, row.value, row.ci_high if known else row.value, None]
        y += [height, height, height, None]
        size += [0, 10, 0, 0]
        symbol += [symbols.get(row.label, "circle")] * 4
        text = estimate(row.value, row.ci_low, row.ci_high, digits)
        told += [[literal(row.row), text, literal(row.detail)]] * 4
    return go.Scatter(
        x=x,
        y=y,
        mode="lines+markers",
        line={"color": style.colour, "width": 2, "dash": style.dash},
        marker={"color": style.colour, "symbol": symbol, "size": size, "opacity": 1, "line": {"width": 0}},
        customdata=told,
        hovertemplate=(
            f"<b>{literal(model)}</b><br>%{{customdata[0]}}<br>%{{customdata[1]}}<br>%{{customdata[2]}}"
            "<extra></extra>"
        ),
        name=literal(shortened(model)),
        meta={"model": model, "part": "estimate"},
    )


def _reference(at: float) -> dict[str, Any]:
    return {
        "type": "line",
        "xref": "x",
        "yref": "paper",
        "x0": at,
        "x1": at,
        "y0": 0,
        "y1": 1,
        "layer": "below",
        "line": {"color": LIGHT.neutral, "width": 1, "dash": "dot"},
    }


def _not_estimable(row: ForestRow, height: float, colour: str) -> dict[str, Any]:
    return {
        "text": "not estimable",
        "hovertext": literal(row.detail) if row.detail else None,
        "xref": "paper",
        "x": 0.02,
        "xanchor": "left",
        "yref": "y",
        "y": height,
        "showarrow": False,
        "font": {"size": 11, "color": colour},
    }
