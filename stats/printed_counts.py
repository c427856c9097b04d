"""Which whole numbers of patients give the printed values of one row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from .printed_value import PrintedEstimate, PrintedValue
from .results import FloatArray

__all__ = ["COUNTED", "RowCounts", "alone_possible", "row_counts", "value_of"]

# tp, fn, tn, fp to the value; arrays that broadcast.
Measure = Callable[[FloatArray, FloatArray, FloatArray, FloatArray], FloatArray]
LARGEST_GRID = 1_000_000


def _kappa(tp: FloatArray, fn: FloatArray, tn: FloatArray, fp: FloatArray) -> FloatArray:
    n = tp + fn + tn + fp
    chance = ((tp + fp) * (tp + fn) + (fn + tn) * (fp + tn)) / n**2
    return ((tp + tn) / n - chance) / (1.0 - chance)


COUNTED: dict[str, Measure] = {
    "acc": lambda tp, fn, tn, fp: (tp + tn) / (tp + fn + tn + fp),
    "sen": lambda tp, fn, tn, fp: tp / (tp + fn) + 0.0 * tn,
    "spec": lambda tp, fn, tn, fp: tn / (tn + fp) + 0.0 * tp,
    "ppv": lambda tp, fn, tn, fp: tp / (tp + fp),
    "npv": lambda tp, fn, tn, fp: tn / (tn + fn),
    "f1": lambda tp, fn, tn, fp: 2.0 * tp / (2.0 * tp + fp + fn),
    "mcc": lambda tp, fn, tn, fp: (
        (tp * tn - fp * fn) / np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
    ),
    "kappa": _kappa,
    "youden": lambda tp, fn, tn, fp: tp / (tp + fn) + tn / (tn + fp) - 1.0,
    "bacc": lambda tp, fn, tn, fp: (tp / (tp + fn) + tn / (tn + fp)) / 2.0,
    "lr+": lambda tp, fn, tn, fp: (tp / (tp + fn)) / (fp / (tn + fp)),
    "lr-": lambda tp, fn, tn, fp: (fn / (tp + fn)) / (tn / (tn + fp)),
    "dor": lambda tp, fn, tn, fp: (tp * tn) / (fp * fn),
}
"""Metrics that follow from the confusion counts."""


@dataclass(frozen=True, slots=True)
class RowCounts:
    """The pairs of true positives and true negatives that a row allows.

    Attributes
    ----------
    pos, neg : int
    tp, tn : arrays of shape (k,)
    """

    pos: int
    neg: int
    tp: FloatArray
    tn: FloatArray

    @property
    def possible(self) -> bool:
        """Whether there is any."""
        return self.tp.size > 0

    def values(self, metric: str) -> FloatArray:
        """Return a metric at each pair, shape (k,); NaN where it is undefined."""
        return value_of(metric, self.tp, self.tn, self.pos, self.neg)


def row_counts(cells: Mapping[str, PrintedEstimate], pos: int, neg: int) -> RowCounts | None:
    """Search the counts that give every printed value of a row.

    Parameters
    ----------
    cells : mapping of metric to PrintedEstimate
        Metrics that are no function of the counts (an AUC) are passed over.
    pos, neg : int
        Patients with and without the biomarker.

    Returns
    -------
    RowCounts or None
        None where there are too many candidates to try them all.

    Notes
    -----
    Sensitivity and specificity narrow the search first, each on its own; the rest is tried on the pairs left.
    """
    tp, tn = np.arange(pos + 1, dtype=np.float64), np.arange(neg + 1, dtype=np.float64)
    if "sen" in cells and pos:
        tp = tp[cells["sen"].value.fits(tp / pos)]
    if "spec" in cells and neg:
        tn = tn[cells["spec"].value.fits(tn / neg)]
    if tp.size * tn.size > LARGEST_GRID:
        return None
    grid_tp, grid_tn = (axis.ravel() for axis in np.meshgrid(tp, tn, indexing="ij"))
    for metric in COUNTED:
        if metric in cells:
            fits = cells[metric].value.fits(value_of(metric, grid_tp, grid_tn, pos, neg))
            grid_tp, grid_tn = grid_tp[fits], grid_tn[fits]
    return RowCounts(pos, neg, grid_tp, grid_tn)


def alone_possible(metric: str, printed: PrintedValue, pos: int, neg: int) -> bool:
    """Whether any counts at all give this one printed value."""
    found = row_counts({metric: PrintedEstimate(printed)}, pos, neg)
    return found is None or found.possible


def value_of(metric: str, tp: FloatArray, tn: FloatArray, pos: int, neg: int) -> FloatArray:
    """Return a metric from true positives and true negatives; NaN where it is undefined."""
    with np.errstate(invalid="ignore", divide="ignore"):
        value = COUNTED[metric](tp, pos - tp, tn, neg - tn)
    return np.where(np.isfinite(value), value, np.nan)
