"""What a network did while it was trained: loss, AUC, Dice, rate and speed by epoch, several runs on the same axes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

import plotly.graph_objects as go

from ..errors import BiomarkError
from .theme import LIGHT, base_axis, base_layout, literal, model_styles, shortened, translucent

__all__ = ["Curve", "RunHistory", "curve_panels", "training_figure"]


@dataclass(frozen=True, slots=True)
class RunHistory:
    """The epochs of one run.

    Attributes
    ----------
    name : str
    epochs : sequence of dict
        As `biomark.zoo.read_metrics` gives them.
    task, model, device : str
        As far as known.
    planned : int or None
        Epochs that were asked for.
    """

    name: str
    epochs: Sequence[Mapping[str, Any]]
    task: str = ""
    model: str = ""
    device: str = ""
    planned: int | None = None

    @property
    def best(self) -> Mapping[str, Any] | None:
        """The epoch whose weights are the best, None before the first has ended."""
        return next((epoch for epoch in reversed(self.epochs) if epoch.get("best")), None)

    def values(self, key: str) -> list[float | None]:
        """Return a figure of every epoch; None where it is undefined."""
        found = (epoch.get(key) for epoch in self.epochs)
        return [float(v) if isinstance(v, (int, float)) and isfinite(v) else None for v in found]

    def has(self, key: str) -> bool:
        """Return whether a figure is known in any epoch, and not 0 in all of them."""
        return any(value for value in self.values(key))


@dataclass(frozen=True, slots=True)
class Curve:
    """One panel: what it shows, of training and of validation.

    Attributes
    ----------
    name, title, axis : str
    training, validation : str
        Keys of the metrics; empty where there is none.
    axis_settings : dict
        Of Plotly.
    """

    name: str
    title: str
    axis: str
    training: str = ""
    validation: str = ""
    axis_settings: Mapping[str, Any] = field(default_factory=dict)

    @property
    def keys(self) -> tuple[str, ...]:
        """The metrics of the panel."""
        return tuple(key for key in (self.training, self.validation) if key)


_SHARE = {"range": [-0.02, 1.02], "nticks": 6}
_POSITIVE = {"rangemode": "tozero"}
_AUC = "validation_auc_"


def curve_panels(runs: Sequence[RunHistory]) -> list[Curve]:
    """Return the panels that have something to show, in the order of the page."""
    labels = dict.fromkeys(
        key.removeprefix(_AUC)
        for run in runs
        for epoch in run.epochs
        for key in epoch
        if key.startswith(_AUC)
    )
    panels = [
        Curve("loss", "Loss", "Loss", "train_loss", "validation_loss", _POSITIVE),
        Curve(
            "classification", "Loss of the labels", "Cross-entropy", "train_classification",
            "validation_classification", _POSITIVE,
        ),
        Curve(
            "segmentation", "Loss of the segmentation", "Dice loss", "train_segmentation",
            "validation_segmentation", _POSITIVE,
        ),
        Curve("macro", "Macro AUC", "AUC", validation="validation_macro_auc", axis_settings=_SHARE),
        *(
            Curve(f"auc-{at}", f"AUC, {label}", "AUC", validation=f"{_AUC}{label}", axis_settings=_SHARE)
            for at, label in enumerate(labels)
        ),
        Curve("dice", "Dice of the segmentation", "Dice", validation="validation_dice", axis_settings=_SHARE),
        Curve("rate", "Learning rate", "Learning rate", "learning_rate", axis_settings=_POSITIVE),
        Curve("norm", "Norm of the gradient", "Norm before clipping", "gradient_norm", axis_settings=_POSITIVE),
        Curve("speed", "Speed", "Volumes per second", "volumes_per_second", axis_settings=_POSITIVE),
    ]  # fmt: skip
    # Without a segmentation the loss of the labels is the loss.
    if not any(run.has("train_segmentation") for run in runs):
        panels = [panel for panel in panels if panel.name != "classification"]
    return [panel for panel in panels if any(run.has(key) for run in runs for key in panel.keys)]


def training_figure(runs: Sequence[RunHistory], panel: Curve) -> go.Figure:
    """Draw one panel: training pale, validation full, each run in its colour, the best epoch as a diamond.

    Parameters
    ----------
    runs : sequence of RunHistory, at least one, of different names
    panel : Curve
        See `curve_panels`.

    Returns
    -------
    plotly.graph_objects.Figure

    Raises
    ------
    BiomarkError
        Without a run, or for two of the same name.
    """
    styles = run_styles(runs)
    figure = go.Figure()
    if panel.axis == "AUC":
        figure.add_hline(y=0.5, line={"color": LIGHT.neutral, "width": 1, "dash": "dot"})
    for run in runs:
        style = styles[run.name]
        name = literal(shortened(run.name, 24))
        at = [int(epoch["epoch"]) for epoch in run.epochs]
        for key, of_training in ((panel.training, True), (panel.validation, False)):
            if not key or not run.has(key):
                continue
            # What has no counterpart is drawn full.
            pale = of_training and bool(panel.validation)
            colour = translucent(style.colour, 0.5) if pale else style.colour
            part = "training" if of_training else "validation"
            figure.add_trace(
                go.Scatter(
                    x=at,
                    y=run.values(key),
                    mode="lines" if len(at) > 1 else "markers",
                    line={
                        "color": colour,
                        "width": 1.4 if pale else 2.0,
                        "dash": "solid" if pale else style.dash,
                    },
                    marker={"color": colour, "size": 6},
                    name=name,
                    showlegend=False,
                    hovertemplate=f"{name}, {part}, epoch %{{x}}: %{{y:.4g}}<extra></extra>",
                    meta={"model": run.name, "part": part},
                )
            )
        _add_best(figure, run, panel, style.colour, name)
    figure.update_layout(
        base_layout(height=290, margin={"l": 60, "r": 10, "t": 10, "b": 42}, showlegend=False)
    )
    last = max(int(epoch["epoch"]) for run in runs for epoch in run.epochs)
    aside = 0.03 * max(last - 1, 1)
    figure.update_xaxes(base_axis("Epoch", nticks=6, tickformat="d", range=[1 - aside, last + aside]))
    figure.update_yaxes(base_axis(panel.axis, nticks=6, automargin=True) | dict(panel.axis_settings))
    return figure


def run_styles(runs: Sequence[RunHistory]) -> dict[str, Any]:
    """Return how each run is drawn.

    Raises
    ------
    BiomarkError
        Without a run, or for two of the same name.
    """
    names = [run.name for run in runs]
    if not names:
        raise BiomarkError("training curves need at least one run")
    if len(set(names)) < len(names):
        raise BiomarkError(f"runs must differ in their names, found {names}")
    return model_styles(names)


def _add_best(figure: go.Figure, run: RunHistory, panel: Curve, colour: str, name: str) -> None:
    best = run.best
    value = None if best is None else best.get(panel.validation)
    if best is None or not isinstance(value, (int, float)) or not run.has(panel.validation):
        return
    figure.add_trace(
        go.Scatter(
            x=[int(best["epoch"])],
            y=[float(value)],
            mode="markers",
            marker={
                "symbol": "diamond", "size": 11, "color": colour, "line": {"color": LIGHT.paper, "width": 1.5},
            },
            showlegend=False,
            hovertemplate=f"{name}, best epoch %{{x}}: %{{y:.4g}}<extra></extra>",
            meta={"model": run.name, "part": "best"},
        )
    )  # fmt: skip
