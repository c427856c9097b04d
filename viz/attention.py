"""Attention in numbers: how well heat maps agree with the lesion, each model against chance and against each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from ..errors import BiomarkError
from ..stats.explanation import EXPLANATION_METRICS, ExplanationScores, explanation_rows
from ..stats.inputs import Seed, choice
from .number_format import MINUS, count, estimate, number, p_equation
from .theme import LIGHT, base_axis, base_layout, literal, model_styles, shortened, translucent

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import ArrayLike

__all__ = [
    "ATTENTION_CAPTION",
    "METRIC_TITLES",
    "Attention",
    "attention_figure",
    "attention_in_words",
    "lesion_attention",
]

METRIC_TITLES = {
    "energy": "Energy in the lesion",
    "pointing": "Pointing game",
    "iou": "IoU at matched volume",
}
ATTENTION_CAPTION = (
    "Dots: patients, a line from model to model; diamonds: means with their intervals; dotted: the mean level of "
    "chance, a map that is the same everywhere. A lesion in the middle of a crop is met by any map that is high in the "
    "middle: compare models with each other before praising one."
)
_AXIS_TITLES = {"energy": "Share of the map’s energy", "pointing": "Hit (1) or miss (0)", "iou": "IoU"}


@dataclass(frozen=True, slots=True, eq=False)
class Attention:
    """The attention of one or more models to the lesion, for one label.

    Attributes
    ----------
    label : str
    scores : mapping of model to ExplanationScores
        Of the same patients in the same order.
    patient_id : tuple of str
    models : pandas.DataFrame
        A row per metric and model: mean, interval, chance, excess over chance, p_value and more.
    differences : pandas.DataFrame
        A row per metric and pair of models: the paired difference, its interval and its test.
    """

    label: str
    scores: Mapping[str, ExplanationScores]
    patient_id: tuple[str, ...]
    models: pd.DataFrame
    differences: pd.DataFrame

    def to_frame(self) -> pd.DataFrame:
        """Return one row per patient and model."""
        import pandas as pd

        parts = []
        for model, own in self.scores.items():
            frame = own.to_frame()
            frame.insert(0, "label", self.label)
            frame.insert(0, "model", model)
            frame.insert(0, "patient_id", self.patient_id)
            parts.append(frame)
        return pd.concat(parts, ignore_index=True)


def lesion_attention(
    label: str,
    scores: Mapping[str, ExplanationScores],
    patient_id: Sequence[str],
    *,
    cluster: ArrayLike | None = None,
    n_permutations: int = 10_000,
    confidence: float = 0.95,
    rng: Seed = 0,
) -> Attention:
    """Collect what `biomark.stats` says of the agreement of heat maps with lesions.

    Parameters
    ----------
    label : str
    scores : mapping of model to ExplanationScores, as `biomark.stats.explanation_scores` gives them
        All of the same patients in the same order; at least one model.
    patient_id : sequence of str
    cluster, n_permutations, confidence, rng
        Of `biomark.stats.explanation_test`.

    Returns
    -------
    Attention

    Raises
    ------
    BiomarkError
        Without a model, or for scores of other patients.
    """
    import pandas as pd

    if not scores:
        raise BiomarkError("attention needs the scores of at least one model")
    n = len(patient_id)
    for model, own in scores.items():
        if own.energy.shape != (n,):
            raise BiomarkError(f"{model}: scores of {own.energy.size} patients, expected {n}")
    models, differences = explanation_rows(
        scores, cluster=cluster, n_permutations=n_permutations, confidence=confidence, rng=rng
    )
    return Attention(label, dict(scores), tuple(patient_id), pd.DataFrame(models), pd.DataFrame(differences))


def attention_figure(
    found: Attention,
    *,
    models: Sequence[str] | None = None,
    metrics: Sequence[str] = EXPLANATION_METRICS,
) -> go.Figure:
    """Draw one panel per metric: a dot per patient, a line from model to model, the mean with its interval, and chance.

    Parameters
    ----------
    found : Attention
    models : sequence of str, optional
        All models of the work, which fix the colours; by default those of ``found``.
    metrics : sequence of "energy", "pointing" and "iou", at least one
        One alone has neither title nor legend: the page says them.

    Returns
    -------
    plotly.graph_objects.Figure

    Raises
    ------
    BiomarkError
        Without a metric, or for an unknown one.
    """
    if not metrics:
        raise BiomarkError("a figure of attention needs at least one metric")
    for metric in metrics:
        choice(metric, EXPLANATION_METRICS, name="metrics")
    own = list(found.scores)
    styles = model_styles(list(models or own))
    alone = len(metrics) == 1
    titles = None if alone else [METRIC_TITLES[m] for m in metrics]
    figure = make_subplots(rows=1, cols=len(metrics), subplot_titles=titles)
    # Dots of equal values must not cover each other: each patient keeps one place beside the middle.
    aside = np.random.default_rng(0).uniform(-0.16, 0.16, len(found.patient_id))
    for panel, metric in enumerate(metrics, 1):
        values = np.array([getattr(found.scores[model], metric) for model in own])
        if len(own) > 1:
            figure.add_trace(_pairs(values, aside), row=1, col=panel)
        for at, model in enumerate(own):
            row = found.models.query("metric == @metric and model == @model").iloc[0]
            colour = styles[model].colour
            shown = ~np.isnan(values[at])
            figure.add_trace(
                go.Scatter(
                    x=(at + aside[shown]).tolist(),
                    y=values[at][shown].tolist(),
                    mode="markers",
                    marker={"size": 6, "color": translucent(colour, 0.45), "symbol": "circle"},
                    text=[literal(found.patient_id[i]) for i in np.flatnonzero(shown)],
                    hovertemplate="%{text}: %{y:.3f}<extra></extra>",
                    showlegend=False,
                    meta={"model": model, "part": "patient"},
                ),
                row=1,
                col=panel,
            )
            figure.add_trace(
                _line(
                    at,
                    float(row["chance"]),
                    "mean level of chance",
                    "dot",
                    LIGHT.ink,
                    legend=panel == at + 1 == 1,
                ),
                row=1,
                col=panel,
            )
            figure.add_trace(_mean(at, row, colour, model, legend=panel == 1), row=1, col=panel)
    ticks = {"tickvals": list(range(len(own))), "ticktext": [literal(shortened(model, 16)) for model in own]}
    layout = base_layout(
        height=320 if alone else 400,
        margin={"l": 60, "r": 8, "t": 14, "b": 34} if alone else {"l": 72, "r": 14, "t": 40, "b": 70},
        legend={"orientation": "h", "x": 0, "y": -0.18},
        showlegend=not alone,
    )
    figure.update_layout(layout)
    figure.update_annotations(font={"size": 13, "color": LIGHT.ink})
    figure.update_xaxes(base_axis("", **ticks, showgrid=False) | {"range": [-0.5, len(own) - 0.5]})
    for panel, metric in enumerate(metrics, 1):
        top = 1.0 if metric == "pointing" else _top(found, metric)
        figure.update_yaxes(base_axis("", range=[-0.03 * top, 1.04 * top], nticks=6), col=panel)
    called = _AXIS_TITLES[metrics[0]] if alone else "Agreement with the lesion"
    figure.update_yaxes(title={"text": called, "standoff": 8 if alone else 14}, col=1)
    return figure


def attention_in_words(
    found: Attention, *, digits: int = 3, metrics: Sequence[str] = EXPLANATION_METRICS
) -> list[str]:
    """Return the result as sentences: each model against chance, then the paired differences.

    Parameters
    ----------
    found : Attention
    digits : int
    metrics : sequence of "energy", "pointing" and "iou"
    """
    said = []
    for metric in metrics:
        for row in found.models.query("metric == @metric").to_dict("records"):
            said.append(
                f"{METRIC_TITLES[metric]}, {row['model']}, {found.label}: "
                f"{estimate(row['mean'], row['ci_low'], row['ci_high'], digits)}, chance "
                f"{number(row['chance'], digits)}, {p_equation(row['p_value'])} (one-sided), n = {count(row['n'])}."
            )
        if found.differences.empty:
            continue
        for row in found.differences.query("metric == @metric").to_dict("records"):
            said.append(
                f"{METRIC_TITLES[metric]}, {row['model_a']} {MINUS} {row['model_b']}, {found.label}: "
                f"{estimate(row['difference'], row['ci_low'], row['ci_high'], digits)}, {p_equation(row['p_value'])} "
                f"({row['method']}), n = {count(row['n'])}."
            )
    return said


def _top(found: Attention, metric: str) -> float:
    """Return the largest value that a panel shows."""
    shown = [getattr(own, metric) for own in found.scores.values()]
    rows = found.models.query("metric == @metric")[["ci_high", "chance"]].to_numpy(dtype=np.float64)
    values = np.concatenate([*shown, rows.ravel()])
    known = values[np.isfinite(values)]
    return float(known.max()) if known.size and known.max() > 0 else 1.0


def _pairs(values: Any, aside: Any) -> go.Scatter:
    """Return one broken line that joins each patient's values from model to model."""
    x: list[float | None] = []
    y: list[float | None] = []
    for i, beside in enumerate(aside):
        if np.isnan(values[:, i]).any():
            continue
        x += [*(at + float(beside) for at in range(values.shape[0])), None]
        y += [*values[:, i].tolist(), None]
    line = {"color": translucent(LIGHT.neutral, 0.35), "width": 1}
    return go.Scatter(
        x=x, y=y, mode="lines", line=line, hoverinfo="skip", showlegend=False, meta={"part": "pair"}
    )


def _known(value: float) -> float | None:
    """Return a number that JSON can hold: nothing where it is undefined."""
    return value if np.isfinite(value) else None


def _line(at: int, value: float, name: str, dash: str, colour: str, *, legend: bool) -> go.Scatter:
    return go.Scatter(
        x=[at - 0.36, at + 0.36],
        y=[_known(value)] * 2,
        mode="lines",
        line={"color": colour, "width": 1.5, "dash": dash},
        name=name,
        showlegend=legend,
        hovertemplate=f"{name} {value:.3f}<extra></extra>",
        meta={"part": "chance"},
    )


def _mean(at: int, row: Any, colour: str, model: str, *, legend: bool) -> go.Scatter:
    mean, low, high = float(row["mean"]), float(row["ci_low"]), float(row["ci_high"])
    known = np.isfinite([low, high]).all()
    return go.Scatter(
        x=[at + 0.28],
        y=[_known(mean)],
        mode="markers",
        marker={"size": 11, "symbol": "diamond", "color": colour, "line": {"color": LIGHT.paper, "width": 1}},
        error_y={
            "type": "data", "symmetric": False, "array": [high - mean if known else 0.0],
            "arrayminus": [mean - low if known else 0.0], "color": colour, "thickness": 2.2, "width": 6,
        },
        name=f"mean of {literal(shortened(model, 20))} with {row['confidence']:.0%} interval",
        showlegend=legend,
        hovertemplate=f"{estimate(mean, low, high, 3)}<extra></extra>",
        meta={"model": model, "part": "mean"},
    )  # fmt: skip
