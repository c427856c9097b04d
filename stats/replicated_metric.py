"""A metric of many bootstrap replicates of the same patients: what `bootstrap_test` can compare."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BiomarkError
from .bootstrap import WeightedAuc, WeightedCurve
from .confidence_band import sensitivity_at
from .inputs import choice
from .results import FloatArray
from .weighted_areas import average_precision_by, partial_areas_by

__all__ = ["AT_THRESHOLD", "METRICS", "Metric", "replicated_metric"]

Metric = str | Callable[[NDArray[np.bool_], FloatArray], float]
Counts = Callable[[FloatArray, FloatArray, FloatArray, FloatArray], FloatArray]


def _kappa(tp: FloatArray, fp: FloatArray, tn: FloatArray, fn: FloatArray) -> FloatArray:
    n = tp + fp + tn + fn
    expected = ((tp + fp) * (tp + fn) + (tn + fn) * (tn + fp)) / n**2
    return ((tp + tn) / n - expected) / (1.0 - expected)


# Each from the counts tp, fp, tn, fn; 0 / 0 is NaN.
AT_THRESHOLD: dict[str, Counts] = {
    "accuracy": lambda tp, fp, tn, fn: (tp + tn) / (tp + fp + tn + fn),
    "sensitivity": lambda tp, fp, tn, fn: tp / (tp + fn),
    "specificity": lambda tp, fp, tn, fn: tn / (tn + fp),
    "ppv": lambda tp, fp, tn, fn: tp / (tp + fp),
    "npv": lambda tp, fp, tn, fn: tn / (tn + fn),
    "balanced-accuracy": lambda tp, fp, tn, fn: (tp / (tp + fn) + tn / (tn + fp)) / 2.0,
    "f1": lambda tp, fp, tn, fn: 2.0 * tp / (2.0 * tp + fp + fn),
    "mcc": lambda tp, fp, tn, fn: (
        (tp * tn - fp * fn) / np.sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn))
    ),
    "kappa": _kappa,
}
METRICS = (
    "auc", "partial-auc", "average-precision", "sensitivity-at-specificity", "youden", *AT_THRESHOLD,
)  # fmt: skip


def replicated_metric(
    metric: Metric,
    positive: NDArray[np.bool_],
    score: FloatArray,
    *,
    specificity: float,
    bounds: tuple[float, float],
    threshold: float | None,
) -> Callable[[NDArray[Any]], FloatArray]:
    """Return a function from counts of shape (b, n) to the metric of each replicate, of shape (b,)."""
    if callable(metric):
        return partial(_called, metric, positive, score)
    choice(metric, METRICS, name="metric")
    if metric in AT_THRESHOLD:
        if threshold is None or np.isnan(threshold):
            raise BiomarkError(f"metric {metric!r} needs a threshold, found {threshold!r}")
        return partial(_at_threshold, AT_THRESHOLD[metric], positive, score >= threshold)
    if metric == "auc":
        return WeightedAuc(positive, score)
    if metric == "average-precision":
        return average_precision_by(positive, score)
    if metric == "youden":
        curve = WeightedCurve(positive, score)
        return lambda counts: _largest_youden(*curve(counts))
    if metric == "sensitivity-at-specificity":
        if not 0.0 <= specificity <= 1.0:
            raise BiomarkError(f"specificity must lie in [0, 1], found {specificity!r}")
        curve, at = WeightedCurve(positive, score), np.array([1.0 - specificity])
        return lambda counts: sensitivity_at(*curve(counts), at)[:, 0]
    low, high = bounds
    if not 0.0 <= low < high <= 1.0:
        raise BiomarkError(f"bounds must be (low, high) with 0 <= low < high <= 1, found ({low:g}, {high:g})")
    return partial_areas_by(positive, score, 1.0 - high, 1.0 - low)


def _called(
    metric: Callable[[NDArray[np.bool_], FloatArray], float],
    positive: NDArray[np.bool_],
    score: FloatArray,
    counts: NDArray[Any],
) -> FloatArray:
    times = counts.astype(np.intp)
    return np.array([metric(np.repeat(positive, row), np.repeat(score, row)) for row in times], dtype=float)


def _largest_youden(tp: FloatArray, fp: FloatArray) -> FloatArray:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(np.maximum((tp / tp[:, -1:] - fp / fp[:, -1:]).max(axis=1), 0.0))


def _at_threshold(
    of_counts: Counts, positive: NDArray[np.bool_], called: NDArray[np.bool_], counts: NDArray[Any]
) -> FloatArray:
    cells = np.stack([called & positive, called & ~positive, ~called & ~positive, ~called & positive], axis=1)
    tp, fp, tn, fn = (counts.astype(np.float64) @ cells).T
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(of_counts(tp, fp, tn, fn))
