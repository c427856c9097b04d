"""The ROC curve, its area, and parts of its area."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ..errors import BiomarkError
from .inputs import binary_labels, choice, finite_scores
from .placement import TieGroups, tie_groups
from .results import FloatArray, Result

__all__ = ["RocCurve", "auc", "partial_auc", "roc_curve"]


@dataclass(frozen=True, slots=True)
class RocCurve(Result):
    """An empirical ROC curve; positive is ``y_score >= threshold``.

    Attributes
    ----------
    fpr, tpr : arrays of shape (k + 1,), ascending from 0 to 1
        False positive rate (1 - specificity) and true positive rate (sensitivity) at each threshold.
    thresholds : array of shape (k + 1,), descending
        ``inf`` first (nobody is positive), then every distinct score.
    n_pos, n_neg : int
    """

    fpr: FloatArray
    tpr: FloatArray
    thresholds: FloatArray
    n_pos: int
    n_neg: int


def curve_of(groups: TieGroups) -> RocCurve:
    """Return the ROC curve of tie groups that hold both classes."""
    tp = np.concatenate([[0], np.cumsum(groups.n_pos[::-1])])
    fp = np.concatenate([[0], np.cumsum(groups.n_neg[::-1])])
    thresholds = np.concatenate([[np.inf], groups.values[::-1]])
    return RocCurve(fp / fp[-1], tp / tp[-1], thresholds, int(tp[-1]), int(fp[-1]))


def roc_curve(y_true: ArrayLike, y_score: ArrayLike) -> RocCurve:
    """Compute the empirical ROC curve with every distinct score as a threshold.

    Parameters
    ----------
    y_true : array of shape (n,), 0 or 1; both present
    y_score : array of shape (n,), any finite real; higher is more positive

    Returns
    -------
    RocCurve
        No point is dropped, collinear ones neither; a tie of a positive with a negative is one slanted step.

    Raises
    ------
    OneClassError
        If one class is absent.
    BiomarkError
        For other labels than 0 and 1, or scores that are not finite.

    References
    ----------
    Fawcett T. An introduction to ROC analysis. Pattern Recognit Lett 2006;27:861-874, algorithm 1.

    Examples
    --------
    >>> curve = roc_curve([0, 1, 0, 1], [0.1, 0.4, 0.4, 0.8])
    >>> curve.fpr.tolist(), curve.tpr.tolist(), curve.thresholds.tolist()
    ([0.0, 0.0, 0.5, 1.0], [0.0, 0.5, 1.0, 1.0], [inf, 0.8, 0.4, 0.1])
    """
    positive = binary_labels(y_true)
    return curve_of(tie_groups(positive, finite_scores(y_score, positive.size)))


def auc(y_true: ArrayLike, y_score: ArrayLike) -> float:
    """Area under the ROC curve: P(score of a positive > score of a negative) + P(equal) / 2.

    Parameters
    ----------
    y_true : array of shape (n,), 0 or 1; both present
    y_score : array of shape (n,), any finite real; higher is more positive

    Returns
    -------
    float in [0, 1]
        Values below 0.5 are possible and kept: the direction is never detected from the data.

    Raises
    ------
    OneClassError
        If one class is absent.

    Notes
    -----
    The count of pairs is exact (whole numbers), so there is one rounding only, that of the last division.

    References
    ----------
    Hanley JA, McNeil BJ. Radiology 1982;143:29-36 (the Mann-Whitney form).

    Examples
    --------
    >>> auc([0, 1, 0, 1], [0.1, 0.4, 0.4, 0.8])
    0.875
    """
    positive = binary_labels(y_true)
    return auc_of(tie_groups(positive, finite_scores(y_score, positive.size)))


def auc_of(groups: TieGroups) -> float:
    """Return the AUC of tie groups that hold both classes."""
    negatives_below = np.cumsum(groups.n_neg)
    # Twice the number of pairs won, a tie being half a win.
    twice = int(np.dot(groups.n_pos, 2 * negatives_below - groups.n_neg))
    return twice / (2 * int(groups.n_pos.sum()) * int(negatives_below[-1]))


def partial_auc(
    y_true: ArrayLike,
    y_score: ArrayLike,
    *,
    focus: str = "specificity",
    bounds: tuple[float, float] = (0.9, 1.0),
    standardized: bool = False,
) -> float:
    """Area under the part of the ROC curve where specificity (or sensitivity) lies within ``bounds``.

    Parameters
    ----------
    y_true : array of shape (n,), 0 or 1; both present
    y_score : array of shape (n,), any finite real; higher is more positive
    focus : "specificity" or "sensitivity"
    bounds : (low, high), 0 <= low < high <= 1
    standardized : bool
        Map the area so that 0.5 means chance and 1 the best possible: (1 + (A - min) / (max - min)) / 2, with
        ``min`` the area under the diagonal and ``max`` the whole strip (McClish 1989).

    Returns
    -------
    float
        At most ``high - low`` unless standardised. The standardised value falls below 0.5 where the curve
        runs under the diagonal.

    Raises
    ------
    OneClassError
        If one class is absent.
    BiomarkError
        For bounds outside [0, 1] or in the wrong order, or an unknown focus.

    Notes
    -----
    Between observed points the curve is interpolated linearly (trapezoids), as pROC does.

    References
    ----------
    McClish DK. Analyzing a portion of the ROC curve. Med Decis Making 1989;9:190-195.

    Examples
    --------
    >>> partial_auc([0, 1, 0, 1], [1, 2, 3, 4], bounds=(0.5, 1.0))
    0.25
    """
    choice(focus, ("specificity", "sensitivity"), name="focus")
    low, high = float(bounds[0]), float(bounds[1])
    if not 0.0 <= low < high <= 1.0:
        raise BiomarkError(f"bounds must be (low, high) with 0 <= low < high <= 1, found ({low:g}, {high:g})")
    curve = roc_curve(y_true, y_score)
    if focus == "specificity":
        area = _area_within(curve.fpr, curve.tpr, 1.0 - high, 1.0 - low)
    else:
        # Seen from the other axis, specificity over sensitivity, both running from 0 to 1.
        area = _area_within((1.0 - curve.tpr)[::-1], (1.0 - curve.fpr)[::-1], 1.0 - high, 1.0 - low)
    if not standardized:
        return area
    best = high - low
    chance = best * (1.0 - (low + high) / 2.0)
    return (1.0 + (area - chance) / (best - chance)) / 2.0


def _area_within(x: FloatArray, y: FloatArray, low: float, high: float) -> float:
    """Trapezoidal area of a curve with non-decreasing ``x`` and ``y`` for ``low <= x <= high``."""
    inside = (x > low) & (x < high)
    at_low = _value_at(x, y, low, side="right")
    at_high = _value_at(x, y, high, side="left")
    xs = np.concatenate([[low], x[inside], [high]])
    ys = np.concatenate([[at_low], y[inside], [at_high]])
    return float(np.sum(np.diff(xs) * (ys[1:] + ys[:-1])) / 2.0)


def _value_at(x: FloatArray, y: FloatArray, at: float, *, side: str) -> float:
    """Height of the curve at ``at``; on a vertical step its upper end from the right, else its lower."""
    equal = np.flatnonzero(x == at)
    if equal.size:
        return float(y[equal[-1] if side == "right" else equal[0]])
    after = int(np.searchsorted(x, at))
    share = (at - x[after - 1]) / (x[after] - x[after - 1])
    return float(y[after - 1] + share * (y[after] - y[after - 1]))
