"""The figures of the report's page: which panels there are, and what each shows for each set."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from math import isfinite
from typing import TYPE_CHECKING, Any

import pandas as pd

from .captions import cutoff_label, digits_of, interval_level, label_title, main_cutoff, stratum_title
from .figure_group import FigureGroup, Panel, plain_figure
from .forest import ForestRow, forest_figure
from .number_format import UNDEFINED, count, estimate, number, threshold
from .page_table import by_set, rows_of
from .probability_figures import calibration_group, decision_group
from .roc import roc_figure
from .scores import score_figure

if TYPE_CHECKING:
    from ..stats.evaluation import Evaluation

__all__ = ["page_figures"]


def page_figures(evaluation: Evaluation) -> dict[str, FigureGroup]:
    """Return the groups of figures of the page by name; a group without panels is left out."""
    groups = [
        _roc_group(evaluation),
        _score_group(evaluation),
        _strata_group(evaluation),
        calibration_group(evaluation),
        decision_group(evaluation),
        _strata_group(evaluation, by_size=False),
    ]
    return {group.name: group for group in groups if group.panels}


def _roc_group(evaluation: Evaluation) -> FigureGroup:
    digits = digits_of(evaluation)
    names, level = _cutoff_names(evaluation), interval_level(evaluation)
    frame = evaluation.individual
    intervals = {
        (row["set"], row["label"], row["model"]): (float(row["auc_ci_low"]), float(row["auc_ci_high"]))
        for row in frame.to_dict("records")
    }
    panels = []
    sets = _sets_of(evaluation, evaluation.curves)
    for at, label in enumerate(evaluation.labels):
        figures, alternatives = {}, {}
        for name in sets:
            curves = [c for c in evaluation.curves if c["set"] == name and c["label"] == label]
            if not curves:
                continue
            figure = roc_figure(
                curves,
                models=evaluation.models,
                labels=evaluation.labels,
                intervals=intervals,
                cutoff_names=names,
                legend_title=f"AUC ({level}); {_patients(curves)}",
                digits=digits,
            )
            figures[name] = plain_figure(figure)
            each = [
                f"{c['model']}, AUC {estimate(c['auc'], *intervals[name, label, c['model']], digits)}"
                for c in curves
            ]
            alternatives[name] = (
                f"ROC curves for {label} in the {name} set, {_patients(curves)}: {'; '.join(each)}."
            )
        if figures:
            panels.append(Panel(f"roc-{at}", label, figures, alternatives))
    main = main_cutoff(evaluation, evaluation.main_set)
    caption = (
        "Receiver operating characteristic curves with pointwise "
        f"{level.removesuffix(' CI')} confidence bands (at each specificity Wilson’s interval with the variance of "
        "bootstrap replicates). "
    )
    if main == "locked":
        caption += f"Filled markers: cut-off {names['locked']}; open markers: cut-off {names['same-set']}. "
    else:
        caption += f"Open markers: cut-off {names['same-set']}. "
    caption += "Dotted line: chance."
    toggles = (("band", "confidence bands"), *_cutoff_toggles(evaluation))
    return FigureGroup("roc", caption, tuple(sets), len(evaluation.models) > 1, toggles, panels)


def _score_group(evaluation: Evaluation) -> FigureGroup:
    names = _cutoff_names(evaluation)
    panels = []
    sets = _sets_of(evaluation, evaluation.scores)
    for at, label in enumerate(evaluation.labels):
        for which, model in enumerate(evaluation.models):
            figures, alternatives = {}, {}
            for scores in evaluation.scores:
                if (scores["label"], scores["model"]) != (label, model):
                    continue
                figure = score_figure(scores, models=evaluation.models, cutoff_names=names)
                figures[scores["set"]] = plain_figure(figure)
                alternatives[scores["set"]] = _scores_in_words(scores, names)
            if figures:
                panels.append(Panel(f"scores-{at}-{which}", f"{label}, {model}", figures, alternatives))
    caption = (
        "Scores of positive patients (above the axis) and of negative patients (below it). "
        "Vertical lines: the cut-offs; a score at or above the cut-off is called positive. "
        "Small ticks: single patients, where there are at most 1,000."
    )
    toggles = (("patient", "single patients"), *_cutoff_toggles(evaluation))
    return FigureGroup("scores", caption, tuple(sets), False, toggles, panels)


def _strata_group(evaluation: Evaluation, *, by_size: bool = True) -> FigureGroup:
    """Return the forest plots of lesion size, or of all other columns: one panel for each column and label."""
    frame = evaluation.strata
    frame = frame[(frame["variable"] == "size_mm") == by_size]
    panels = []
    sets = [name for name in by_set(evaluation) if (frame["set"] == name).any()]
    known = frame["ci_low"].dropna().tolist()
    low = max(-0.02, min([0.45, *(value - 0.02 for value in known)]))
    for which, variable in enumerate(dict.fromkeys(frame["variable"])):
        for at, label in enumerate([*evaluation.labels, "macro"]):
            found = {name: rows_of(frame, set=name, label=label, variable=variable) for name in sets}
            drawn = {
                name: _forest(evaluation, mine, label, name, low) for name, mine in found.items() if len(mine)
            }
            heading = label_title(label) if by_size else f"{label_title(label)} by {variable}"
            figures = {name: figure for name, (figure, _) in drawn.items()}
            alternatives = {name: said for name, (_, said) in drawn.items()}
            if figures:
                called = f"strata-{at}" if by_size else f"strata-more-{which}-{at}"
                panels.append(Panel(called, heading, figures, alternatives))
    caption = (
        f"AUC with its {interval_level(evaluation)} within each stratum. Dotted line: an AUC of 0.5, "
        "no discrimination."
    )
    group = "strata-forest" if by_size else "strata-more-forest"
    return FigureGroup(group, caption, tuple(sets), len(evaluation.models) > 1, (), panels)


def _forest(
    evaluation: Evaluation, frame: pd.DataFrame, label: str, name: str, low: float
) -> tuple[dict[str, Any], str]:
    """Return the forest plot of one label in one set, and the same in words."""
    digits = digits_of(evaluation)
    rows = [_stratum_row(row, evaluation) for row in frame.to_dict("records")]
    figure = forest_figure(
        rows,
        axis_title=label_title(label) if label == "macro" else "AUC",
        models=evaluation.models,
        labels=evaluation.labels,
        reference=0.5,
        axis_range=(low, 1.02),
        digits=digits,
    )
    each = [f"{r.row}, {r.model}: {estimate(r.value, r.ci_low, r.ci_high, digits)}" for r in rows]
    called = label_title(label) if label == "macro" else f"AUC for {label}"
    return plain_figure(figure), f"{called} within strata, {name} set: {'; '.join(each)}."


def _stratum_row(row: Mapping[Any, Any], evaluation: Evaluation) -> ForestRow:
    detail = str(row["note"])
    if not detail and row["label"] == "macro":
        detail = f"{count(row['n'])} patients"
    elif not detail:
        detail = f"{count(row['n_pos'])} positive, {count(row['n_neg'])} negative"
    label = row["label"] if row["label"] in evaluation.labels else ""
    return ForestRow(
        stratum_title(row["variable"], row["stratum"]),
        row["model"],
        float(row["auc"]),
        float(row["ci_low"]),
        float(row["ci_high"]),
        label,
        detail,
        f"n = {count(row['n'])}" if isfinite(row["n"]) else "",
    )


def _scores_in_words(scores: dict[str, Any], names: dict[str, str]) -> str:
    n_pos, n_neg = int(sum(scores["count_pos"])), int(sum(scores["count_neg"]))
    cuts = [
        f"{threshold(float(cut))} ({names.get(kind, kind)})" if isfinite(cut) else UNDEFINED
        for kind, cut in scores["thresholds"].items()
    ]
    low, high = number(float(scores["edges"][0])), number(float(scores["edges"][-1]))
    return (
        f"Distribution of the scores of {scores['model']} for {scores['label']} in the {scores['set']} set: "
        f"{count(n_pos)} positive and {count(n_neg)} negative patients, scores from {low} to {high}; "
        f"cut-off {', '.join(cuts)}."
    )


def _cutoff_names(evaluation: Evaluation) -> dict[str, str]:
    return {kind: cutoff_label(evaluation, kind) for kind in ("locked", "same-set")}


def _cutoff_toggles(evaluation: Evaluation) -> tuple[tuple[str, str], ...]:
    """Return the control that takes the flattering cut-offs away, where there are locked ones beside them."""
    if main_cutoff(evaluation, evaluation.main_set) != "locked":
        return ()
    return (("same-set", f"cut-offs {cutoff_label(evaluation, 'same-set')}"),)


def _patients(curves: list[dict[str, Any]]) -> str:
    """Return the classes behind a plot's curves, each once where models have different patients."""
    found = dict.fromkeys((curve["n_pos"], curve["n_neg"]) for curve in curves)
    return " or ".join(f"{count(pos)} positive, {count(neg)} negative" for pos, neg in found)


def _sets_of(evaluation: Evaluation, items: Iterable[dict[str, Any]]) -> list[str]:
    found = {item["set"] for item in items}
    return [name for name in by_set(evaluation) if name in found]
