"""What a mean over labels can be, given the counts that the labels' own rows allow."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from .printed_counts import RowCounts
from .printed_value import PrintedEstimate
from .results import FloatArray

__all__ = ["label_combinations", "macro_definitions", "macro_possible"]

# Combinations of the labels' candidates that are tried together.
MOST_COMBINATIONS = 100_000


def macro_definitions(metric: str, combination: Sequence[FloatArray]) -> dict[str, FloatArray]:
    """Return a macro metric under each definition in use, over arrays of combinations.

    Parameters
    ----------
    metric : str
        ``acc``, ``precision``, ``recall``, ``spec`` or ``f1``.
    combination : for each label, array of shape (4, c): tp, fn, tn, fp
    """
    with np.errstate(invalid="ignore", divide="ignore"):
        parts = {
            "mean of TP / (TP + FP + FN)": [tp / (tp + fp + fn) for tp, fn, tn, fp in combination],
            "mean of accuracies": [(tp + tn) / (tp + fn + tn + fp) for tp, fn, tn, fp in combination],
            "mean of precisions": [tp / (tp + fp) for tp, fn, tn, fp in combination],
            "mean of recalls": [tp / (tp + fn) for tp, fn, tn, fp in combination],
            "mean of specificities": [tn / (tn + fp) for tp, fn, tn, fp in combination],
            "mean of F1": [2.0 * tp / (2.0 * tp + fp + fn) for tp, fn, tn, fp in combination],
        }
        means = {name: sum(values) / len(combination) for name, values in parts.items()}
        of_means = 2.0 / (1.0 / means["mean of precisions"] + 1.0 / means["mean of recalls"])
    wanted = {
        "acc": ("mean of TP / (TP + FP + FN)", "mean of accuracies"),
        "precision": ("mean of precisions",),
        "recall": ("mean of recalls",),
        "spec": ("mean of specificities",),
        "f1": ("mean of F1",),
    }
    found = {name: np.asarray(means[name]) for name in wanted.get(metric, ())}
    if metric == "f1":
        found["F1 of the mean precision and recall"] = np.asarray(of_means)
    return found


def label_combinations(labels: Sequence[RowCounts]) -> list[FloatArray] | None:
    """Return every choice of the labels' counts: for each label, tp, fn, tn, fp of shape (4, choices).

    None where a label allows no counts, or there are too many choices to try.
    """
    sizes = [counts.tp.size for counts in labels]
    if not sizes or 0 in sizes or np.prod([float(size) for size in sizes]) > MOST_COMBINATIONS:
        return None
    combination = []
    picks = np.unravel_index(np.arange(int(np.prod(sizes))), sizes)
    for pick, counts in zip(picks, labels, strict=True):
        tp, tn = counts.tp[pick], counts.tn[pick]
        combination.append(np.stack([tp, counts.pos - tp, tn, counts.neg - tn]))
    return combination


def macro_possible(
    cells: Mapping[str, PrintedEstimate], labels: Sequence[RowCounts]
) -> tuple[dict[str, bool], bool, dict[str, tuple[float, float]]] | None:
    """Whether the printed means follow from some choice of the labels' counts.

    Parameters
    ----------
    cells : mapping of macro metric to PrintedEstimate
    labels : the allowed counts of each label

    Returns
    -------
    alone : dict
        For each printed metric, whether some choice gives it.
    together : bool
        Whether one choice gives them all.
    ranges : dict
        For each printed metric the least and the greatest mean of its first definition.
    None
        Where a label allows no counts, or there are too many choices to try.
    """
    combination = label_combinations(labels)
    if combination is None:
        return None
    alone: dict[str, bool] = {}
    ranges: dict[str, tuple[float, float]] = {}
    together = np.ones(combination[0].shape[1], dtype=bool)
    for metric, printed in cells.items():
        definitions = macro_definitions(metric, combination)
        if not definitions:
            continue
        fits = np.any([printed.value.fits(values) for values in definitions.values()], axis=0)
        alone[metric] = bool(fits.any())
        first = next(iter(definitions.values()))
        defined = first[np.isfinite(first)]
        if defined.size:
            ranges[metric] = (float(defined.min()), float(defined.max()))
        together &= fits
    return alone, bool(together.any()), ranges
