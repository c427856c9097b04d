"""The tables beside the main ones: precision-recall, other cut-offs, paired accuracies, all models at once."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np

from ..errors import BiomarkError
from .clustered import clustered_contrast_test
from .cutoff import optimal_cutoff
from .delong import delong_contrast_test
from .individual import Cell, CutoffChoice
from .paired_proportions import paired_accuracy_test
from .precision_recall import average_precision_ci

__all__ = [
    "contrast_rows",
    "cutoff_rows",
    "paired_accuracy_rows",
    "precision_recall_rows",
]

CONTRAST_COLUMNS = ("set", "label", "models", "n", "chi_square", "df", "p_value", "note")
CUTOFF_COLUMNS = (
    "set", "label", "model", "criterion", "threshold", "n_ties", "sensitivity", "specificity", "youden", "note",
)  # fmt: skip
PAIRED_ACCURACY_COLUMNS = (
    "set", "label", "model_a", "model_b", "cutoff", "metric", "n", "value_a", "value_b", "only_a", "only_b",
    "difference", "ci_low", "ci_high", "p_value", "p_holm", "note",
)  # fmt: skip
PRECISION_RECALL_COLUMNS = (
    "set", "label", "model", "n", "n_pos", "prevalence", "average_precision", "ci_low", "ci_high", "method", "note",
)  # fmt: skip
# Criteria with what they need; a screening and a confirming test, by the usual nine in ten.
CRITERIA: dict[str, dict[str, Any]] = {
    "youden": {},
    "closest-topleft": {},
    "min-sensitivity": {"minimum": 0.9},
    "min-specificity": {"minimum": 0.9},
}


def precision_recall_rows(cell: Cell, confidence: float) -> Iterator[dict[str, Any]]:
    """Row of one cell's average precision, beside the prevalence that a useless model has."""
    row = {**cell.where, "n": int(cell.y_true.size), "n_pos": cell.n_pos}
    if cell.note:
        yield row | {"note": cell.note}
        return
    found = average_precision_ci(cell.y_true, cell.y_score, confidence=confidence)
    note = "" if cell.cluster is None else "takes patients as independent, these are clustered"
    yield row | {
        "prevalence": cell.n_pos / cell.y_true.size, "average_precision": found.value, "ci_low": found.ci_low,
        "ci_high": found.ci_high, "method": found.method, "note": note,
    }  # fmt: skip


def cutoff_rows(cell: Cell) -> Iterator[dict[str, Any]]:
    """Rows of the cut-offs that other criteria would choose on the cell, and what they yield there."""
    for criterion, options in CRITERIA.items():
        said = criterion if not options else f"{criterion} {options['minimum']:g}"
        row: dict[str, Any] = {**cell.where, "criterion": said}
        if cell.note:
            yield row | {"note": cell.note}
            continue
        try:
            found = optimal_cutoff(cell.y_true, cell.y_score, criterion=criterion, **options)
        except BiomarkError as error:
            yield row | {"note": str(error)}
            continue
        yield row | {
            "threshold": found.threshold, "n_ties": int(found.ties.size), "sensitivity": found.sensitivity,
            "specificity": found.specificity, "youden": found.youden, "note": "",
        }  # fmt: skip


def paired_accuracy_rows(
    cells: list[Cell], cutoffs: dict[str, CutoffChoice], confidence: float
) -> Iterator[dict[str, Any]]:
    """Rows of exact McNemar tests between each two models for one label in one set, at their own cut-offs.

    Parameters
    ----------
    cells : list of Cell
    cutoffs : dict of model to CutoffChoice
        All of one kind.
    confidence : float in (0, 1)
    """
    for a, b in combinations(cells, 2):
        _, in_a, in_b = np.intersect1d(a.patients, b.patients, return_indices=True)
        cut_a, cut_b = cutoffs[a.model], cutoffs[b.model]
        for metric in ("sensitivity", "specificity"):
            judged = a.y_true[in_a] if metric == "sensitivity" else ~a.y_true[in_a]
            row: dict[str, Any] = {
                "set": a.set, "label": a.label, "model_a": a.model, "model_b": b.model, "cutoff": cut_a.kind,
                "metric": metric, "n": int(judged.sum()),
            }  # fmt: skip
            if np.isnan(cut_a.threshold) or np.isnan(cut_b.threshold) or not judged.any():
                yield row | {"note": cut_a.note or cut_b.note or "no patient to judge it on"}
                continue
            found = paired_accuracy_test(
                a.y_true[in_a], a.y_score[in_a] >= cut_a.threshold, b.y_score[in_b] >= cut_b.threshold,
                metric=metric, confidence=confidence,
            )  # fmt: skip
            note = "" if a.cluster is None else "takes patients as independent, these are clustered"
            yield row | {
                "value_a": found.value_a, "value_b": found.value_b, "only_a": found.only_a, "only_b": found.only_b,
                "difference": found.difference, "ci_low": found.ci_low, "ci_high": found.ci_high,
                "p_value": found.p_value, "note": note,
            }  # fmt: skip


def contrast_rows(cells: list[Cell]) -> Iterator[dict[str, Any]]:
    """Row of the joint test that three or more models have the same AUC for one label in one set."""
    if len(cells) < 3:
        return
    shared = cells[0].patients
    for cell in cells[1:]:
        shared = np.intersect1d(shared, cell.patients)
    row: dict[str, Any] = {
        "set": cells[0].set, "label": cells[0].label, "models": ", ".join(cell.model for cell in cells),
        "n": int(shared.size),
    }  # fmt: skip
    positions = [np.searchsorted(cell.patients, shared) for cell in cells]
    truth, cluster = cells[0].y_true[positions[0]], cells[0].cluster
    scores = np.stack([cell.y_score[at] for cell, at in zip(cells, positions, strict=True)])
    try:
        if cluster is None:
            found = delong_contrast_test(truth, scores)
        else:
            found = clustered_contrast_test(truth, scores, cluster[positions[0]])
    except BiomarkError as error:
        yield row | {"note": str(error)}
        return
    yield row | {"chi_square": found.statistic, "df": found.df, "p_value": found.p_value, "note": ""}
