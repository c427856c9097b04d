"""Distributions of scores among positives and negatives, with the cut-offs that divide them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from .number_format import count, threshold
from .theme import LIGHT, base_axis, base_layout, literal, model_styles, translucent

__all__ = ["score_figure"]


def score_figure(
    scores: Mapping[str, Any],
    *,
    models: Sequence[str] | None = None,
    points: bool = True,
    cutoff_names: Mapping[str, str] | None = None,
) -> go.Figure:
    """Draw the scores that one model gave for one label in one set.

    Positives rise above the axis in the model's colour, negatives hang below it in grey, so that the two are
    told apart without colour; a tick for every patient where there are at most 1,000; each cut-off is a line.

    Parameters
    ----------
    scores : dict
        As in ``Evaluation.scores``: set, label, model, edges, count_pos, count_neg, thresholds, and ``pos``
        and ``neg`` where single patients can be shown.
    models : sequence of str, optional
        All models of the work, which fix the colours.
    points : bool
        Whether single patients are drawn where they are given.
    cutoff_names : mapping, optional
        What the kinds of cut-off are called, for instance ``{"locked": "locked on validation"}``.

    Returns
    -------
    plotly.graph_objects.Figure
        Every trace says in ``meta`` which part (positive, negative, patient, locked, same-set) it is.
    """
    colour = model_styles(models if models is not None else [scores["model"]])[scores["model"]].colour
    top = max(1.0, float(np.max(scores["count_pos"], initial=0)))
    bottom = max(1.0, float(np.max(scores["count_neg"], initial=0)))
    n_pos, n_neg = int(np.sum(scores["count_pos"])), int(np.sum(scores["count_neg"]))
    traces: list[Any] = [
        _bars(scores, "positive", scores["count_pos"], 1, translucent(colour, 0.55), colour),
        _bars(scores, "negative", scores["count_neg"], -1, translucent(LIGHT.neutral, 0.45), LIGHT.neutral),
    ]
    room = 0.1 * (top + bottom)
    if points and "pos" in scores:
        traces += [
            _patients("positive", scores["pos"], top + 0.55 * room, colour),
            _patients("negative", scores["neg"], -bottom - 0.55 * room, LIGHT.neutral),
        ]
    names = cutoff_names or {}
    traces += [
        _cutoff(kind, names.get(kind, kind), float(cut), top + 1.1 * room, -bottom - 1.1 * room)
        for kind, cut in scores["thresholds"].items()
        if np.isfinite(cut)
    ]
    ticks = _counts_axis(top, bottom)
    n_cutoffs = max(1, len(scores["thresholds"]))
    layout = base_layout(
        xaxis=base_axis("Score", showgrid=False),
        yaxis=base_axis("Patients", zeroline=True, zerolinecolor=LIGHT.line, **ticks)
        | {"range": [-bottom - 2.6 * room, top + 2.6 * room]},
        margin={"l": 52, "r": 12, "t": 12, "b": 62 + 20 * n_cutoffs},
        height=250 + 20 * n_cutoffs,
        bargap=0,
        barmode="overlay",
        legend={
            "orientation": "v",
            "x": 0,
            "xanchor": "left",
            "y": 0,
            "yref": "container",
            "yanchor": "bottom",
            "font": {"size": 12},
        },
        annotations=[
            _caption(f"positive (n = {count(n_pos)})", "left", "top"),
            _caption(f"negative (n = {count(n_neg)})", "right", "bottom"),
        ],
    )
    return go.Figure(data=traces, layout=layout)


def _bars(scores: Mapping[str, Any], part: str, counts: Any, sign: int, fill: str, edge: str) -> go.Bar:
    edges = np.asarray(scores["edges"], dtype=float)
    return go.Bar(
        x=[float(value) for value in (edges[:-1] + edges[1:]) / 2.0],
        width=[float(value) for value in np.diff(edges)],
        y=[sign * int(value) for value in counts],
        customdata=[
            [count(int(value)), threshold(float(low)), threshold(float(high))]
            for value, low, high in zip(counts, edges[:-1], edges[1:], strict=True)
        ],
        marker={"color": fill, "line": {"color": edge, "width": 1}},
        hovertemplate=(
            f"%{{customdata[0]}} {part}<br>score %{{customdata[1]}} to %{{customdata[2]}}<extra></extra>"
        ),
        showlegend=False,
        meta={"model": scores["model"], "part": part},
    )


def _patients(part: str, values: Any, height: float, colour: str) -> go.Scatter:
    return go.Scatter(
        x=[float(f"{value:.6g}") for value in values],
        y=[height] * len(values),
        mode="markers",
        marker={"symbol": "line-ns-open", "size": 9, "color": colour, "line": {"width": 1, "color": colour}},
        opacity=0.7,
        hovertemplate=f"a {part} patient<br>score %{{x:.4g}}<extra></extra>",
        showlegend=False,
        meta={"part": "patient"},
    )


def _cutoff(kind: str, name: str, cut: float, top: float, bottom: float) -> go.Scatter:
    locked = kind == "locked"
    return go.Scatter(
        x=[cut, cut],
        y=[bottom, top],
        mode="lines",
        line={"color": LIGHT.ink, "width": 2 if locked else 1.5, "dash": "solid" if locked else "dot"},
        name=f"cut-off {threshold(cut)}, {literal(name)}",
        hovertemplate=f"cut-off {threshold(cut)}<br>{literal(name)}<extra></extra>",
        meta={"part": kind},
    )


def _counts_axis(top: float, bottom: float) -> dict[str, Any]:
    """Return ticks that count upwards on both sides of zero."""
    step = _nice_step(max(top, bottom) / 2.5)
    up = np.arange(0.0, top + 1e-9, step)
    down = np.arange(-step, -bottom - 1e-9, -step)
    values = [float(value) for value in (*down[::-1], *up)]
    return {"tickvals": values, "ticktext": [count(abs(value)) for value in values]}


def _nice_step(about: float) -> float:
    magnitude = 10.0 ** np.floor(np.log10(max(about, 1.0)))
    return float(next(m * magnitude for m in (1.0, 2.0, 5.0, 10.0) if m * magnitude >= about))


def _caption(text: str, x: str, y: str) -> dict[str, Any]:
    return {
        "text": text,
        "xref": "paper",
        "yref": "paper",
        "x": 0.0 if x == "left" else 1.0,
        "xanchor": x,
        "xshift": 6 if x == "left" else -6,
        "y": 1.0 if y == "top" else 0.0,
        "yanchor": y,
        "showarrow": False,
        "font": {"size": 12, "color": LIGHT.muted},
    }
