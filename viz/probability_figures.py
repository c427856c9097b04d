"""The page's figures of scores taken as probabilities: calibration curves and decision curves."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING

from .calibration import calibration_figure
from .captions import digits_of, interval_level
from .decision_curves import net_benefit_figure
from .figure_group import FigureGroup, Panel, plain_figure
from .number_format import count, estimate
from .page_table import rows_of
from .probability_tables import TABLE_THRESHOLDS

if TYPE_CHECKING:
    from ..stats.evaluation import Evaluation

__all__ = ["calibration_group", "decision_group"]
# The groups of more models than these hide the curves.
MOST_WITH_BINS = 2


def calibration_group(evaluation: Evaluation) -> FigureGroup:
    """Return the calibration curves of the judged set, one panel for each label."""
    name = evaluation.main_set
    slopes = {
        (row["set"], row["label"], row["model"]): (row["slope"], row["slope_ci_low"], row["slope_ci_high"])
        for row in evaluation.calibration.to_dict("records")
        if isfinite(row["slope"])
    }
    bins = len(evaluation.models) <= MOST_WITH_BINS
    panels = []
    for at, label in enumerate(evaluation.labels):
        curves = [curve for curve in evaluation.calibration_curves if curve["label"] == label]
        if not curves:
            continue
        figure = calibration_figure(
            curves, models=evaluation.models, labels=evaluation.labels, slopes=slopes, bins=bins, digits=2
        )
        each = [
            f"{curve['model']}, slope {estimate(*slopes[name, label, curve['model']], 2)}"
            if (name, label, curve["model"]) in slopes
            else f"{curve['model']}, slope undefined"
            for curve in curves
        ]
        said = f"Calibration curves for {label} in the {name} set, {count(curves[0]['n'])} patients: {'; '.join(each)}."
        panels.append(Panel(f"calibration-{at}", label, {name: plain_figure(figure)}, {name: said}))
    grouped = "; markers with Wilson intervals: up to ten groups of equal numbers of patients" if bins else ""
    caption = (
        f"Share of positives against predicted risk, smoothed (loess), with pointwise {_level(evaluation)} bands"
        f"{grouped}. Dotted line: perfect calibration; below it predictions are too high."
    )
    toggles = (("band", "bands"), *((("bin", "groups of patients"),) if bins else ()))
    return FigureGroup("calibration", caption, (name,), len(evaluation.models) > 1, toggles, panels)


def decision_group(evaluation: Evaluation) -> FigureGroup:
    """Return the decision curves of the judged set, one panel for each label."""
    name, digits = evaluation.main_set, digits_of(evaluation)
    frame = evaluation.net_benefit
    frame = frame[frame["threshold"].notna()]
    panels = []
    for at, label in enumerate(evaluation.labels):
        mine = rows_of(frame, label=label)
        if not len(mine):
            continue
        figure = net_benefit_figure(mine, models=evaluation.models, digits=digits)
        told = mine[(mine["threshold"] - TABLE_THRESHOLDS[-1]).abs() < 1e-9]
        each = [
            f"{row['model']} {estimate(row['net_benefit'], row['ci_low'], row['ci_high'], digits)}"
            for row in told.to_dict("records")
        ]
        said = (
            f"Decision curves for {label} in the {name} set, {count(mine['n'].iloc[0])} patients; net benefit at a "
            f"threshold of 50%: {'; '.join(each)}."
        )
        panels.append(Panel(f"decision-{at}", label, {name: plain_figure(figure)}, {name: said}))
    caption = (
        f"Net benefit with pointwise {_level(evaluation)} bands. Dashed line: treat all; solid line at 0: treat none. "
        "Read it only at thresholds that a clinician could hold."
    )
    return FigureGroup("decision", caption, (name,), len(evaluation.models) > 1, (("band", "bands"),), panels)


def _level(evaluation: Evaluation) -> str:
    return interval_level(evaluation).removesuffix(" CI")
