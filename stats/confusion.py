"""The four counts of a binary decision: who was called positive, and who was positive in truth."""

from __future__ import annotations

from typing import Generic, NamedTuple, TypeVar, overload

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import BiomarkError
from .inputs import binary_labels, finite_scores
from .results import FloatArray

__all__ = ["ConfusionCounts", "confusion_counts"]

IntArray = NDArray[np.int64]
Count = TypeVar("Count", int, float, IntArray)


class ConfusionCounts(NamedTuple, Generic[Count]):
    """True and false positives, true and false negatives: numbers, or arrays of one shape."""

    tp: Count
    fp: Count
    tn: Count
    fn: Count

    @property
    def n_pos(self) -> Count:
        """Patients with the condition, tp + fn."""
        return self.tp + self.fn

    @property
    def n_neg(self) -> Count:
        """Patients without it, tn + fp."""
        return self.tn + self.fp


@overload
def confusion_counts(y_true: ArrayLike, y_score: ArrayLike, threshold: float) -> ConfusionCounts[int]: ...
@overload
def confusion_counts(
    y_true: ArrayLike, y_score: ArrayLike, threshold: ArrayLike
) -> ConfusionCounts[IntArray]: ...
def confusion_counts(
    y_true: ArrayLike, y_score: ArrayLike, threshold: ArrayLike
) -> ConfusionCounts[int] | ConfusionCounts[IntArray]:
    """Count true and false positives and negatives at one threshold or at many.

    Parameters
    ----------
    y_true : array of shape (n,), 0 or 1
        One class alone is allowed.
    y_score : array of shape (n,), any finite real
        Higher is more positive; a patient is called positive where ``y_score >= threshold``.
    threshold : float or array of any shape
        Cut-offs, in any order; infinities are allowed, NaN is not.

    Returns
    -------
    ConfusionCounts
        Whole numbers for one threshold, arrays of the thresholds' shape for an array. Scores are sorted once,
        so m thresholds cost O((n + m) log n).

    Raises
    ------
    BiomarkError
        For labels other than 0 and 1, scores that are not finite, or a threshold of NaN.

    Examples
    --------
    >>> confusion_counts([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.9], 0.5)
    ConfusionCounts(tp=1, fp=1, tn=1, fn=1)
    >>> confusion_counts([0, 0, 1, 1], [0.1, 0.6, 0.4, 0.9], [0.4, 0.6]).tp
    array([2, 1])
    """
    positive = binary_labels(y_true, both=False)
    score = finite_scores(y_score, positive.size)
    cut = _thresholds(threshold)
    if cut.ndim == 0:
        called = score >= float(cut)
        n_called = int(np.count_nonzero(called))
        n_pos = int(np.count_nonzero(positive))
        hits = int(np.count_nonzero(called & positive))
        return ConfusionCounts(hits, n_called - hits, score.size - n_pos - n_called + hits, n_pos - hits)
    below_pos = _below(score[positive], cut)
    below_neg = _below(score[~positive], cut)
    n_pos = int(np.count_nonzero(positive))
    return ConfusionCounts(n_pos - below_pos, positive.size - n_pos - below_neg, below_neg, below_pos)


def _below(score: FloatArray, cut: FloatArray) -> IntArray:
    return np.searchsorted(np.sort(score), cut, side="left").astype(np.int64)


def _thresholds(threshold: ArrayLike) -> FloatArray:
    try:
        cut = np.asarray(threshold, dtype=np.float64)
    except (TypeError, ValueError):
        raise BiomarkError(
            f"threshold must be a number or an array of numbers, found {threshold!r}"
        ) from None
    if np.isnan(cut).any():
        raise BiomarkError("threshold must not be NaN; use inf to call everybody negative")
    return cut
