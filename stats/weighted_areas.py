"""Partial areas and average precision of bootstrap replicates, from ranks made once.

Both are sums over the positives: a positive adds to the partial area the length of the strip of false positive rates
beyond its own, and to average precision the precision at its score. So a replicate is looked at where its positives
stand, not at every score, and a curve is never made.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .bootstrap import WeightedCurve, drawn_before
from .results import FloatArray

__all__ = ["average_precision_by", "average_precision_of", "partial_areas_by", "partial_areas_of"]

# With as many patients at each distinct score, or more, the curve is the shorter way.
PATIENTS_PER_SCORE = 4


def partial_areas_by(
    positive: NDArray[np.bool_], score: FloatArray, low: float, high: float
) -> Callable[[NDArray[Any]], FloatArray]:
    """Return the function from counts of shape (b, n) to the area for false positive rates in [low, high], shape (b,).

    Parameters
    ----------
    positive : boolean array of shape (n,)
    score : array of shape (n,), finite
    low, high : float
        The area is NaN in a replicate that lacks a class.
    """
    curve = WeightedCurve(positive, score)
    if curve.thresholds.size * PATIENTS_PER_SCORE > positive.size:
        return _WeightedPartialArea(positive, score, low, high)
    return lambda counts: partial_areas_of(*curve(counts), low, high)


def average_precision_by(
    positive: NDArray[np.bool_], score: FloatArray
) -> Callable[[NDArray[Any]], FloatArray]:
    """Return the function from counts of shape (b, n) to average precision, shape (b,); NaN without positives.

    Parameters
    ----------
    positive : boolean array of shape (n,)
    score : array of shape (n,), finite
    """
    curve = WeightedCurve(positive, score)
    if curve.thresholds.size * PATIENTS_PER_SCORE > positive.size:
        return _WeightedAveragePrecision(positive, score)
    return lambda counts: average_precision_of(*curve(counts))


def partial_areas_of(tp: FloatArray, fp: FloatArray, low: float, high: float) -> FloatArray:
    """Return the trapezoidal area of each curve for false positive rates in [low, high].

    Parameters
    ----------
    tp, fp : arrays of shape (b, k)
        Counts at descending thresholds.

    Returns
    -------
    array of shape (b,), NaN where a class is absent
    """
    zero = np.zeros((tp.shape[0], 1))
    with np.errstate(invalid="ignore", divide="ignore"):
        y = np.concatenate([zero, tp / tp[:, -1:]], axis=1)
        x = np.concatenate([zero, fp / fp[:, -1:]], axis=1)
    x0, x1, y0, y1 = x[:, :-1], x[:, 1:], y[:, :-1], y[:, 1:]
    left, right = np.clip(x0, low, high), np.clip(x1, low, high)
    width = x1 - x0
    slope = np.divide(y1 - y0, width, out=np.zeros_like(width), where=width > 0.0)
    middle = y0 + slope * ((left + right) / 2.0 - x0)
    return np.asarray(((right - left) * middle).sum(axis=1))


def average_precision_of(tp: FloatArray, fp: FloatArray) -> FloatArray:
    """Return average precision from counts at descending thresholds, each of shape (b, k); NaN without positives."""
    called = tp + fp
    precision = np.divide(tp, called, out=np.zeros_like(tp), where=called > 0.0)
    gained = np.diff(tp, axis=1, prepend=0.0)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((gained * precision).sum(axis=1) / tp[:, -1])


class _Ranked:
    """Positives and negatives by descending score, and how many negatives each positive has above it.

    Parameters
    ----------
    positive : boolean array of shape (n,)
    score : array of shape (n,), finite
    """

    def __init__(self, positive: NDArray[np.bool_], score: FloatArray) -> None:
        self._positives, self._negatives = (
            of_class[np.argsort(-score[of_class], kind="stable")]
            for of_class in (np.flatnonzero(positive), np.flatnonzero(~positive))
        )
        pos, neg = -score[self._positives], -score[self._negatives]
        # Of negatives: above each positive, and at its score or above. Of positives: at its score or above.
        self._above = np.searchsorted(neg, pos, side="left")
        self._upto = np.searchsorted(neg, pos, side="right")
        self._tied = bool((self._above != self._upto).any())
        ends = np.searchsorted(pos, pos, side="right")
        self._ends = None if np.array_equal(ends, np.arange(1, pos.size + 1)) else ends

    def _drawn(self, counts: NDArray[Any]) -> tuple[NDArray[Any], NDArray[np.int32]]:
        """Return how often each positive is drawn, and the draws of negatives before each place."""
        return np.take(counts, self._positives, axis=1), drawn_before(
            np.take(counts, self._negatives, axis=1)
        )


class _WeightedPartialArea(_Ranked):
    """The area under the curve for false positive rates in [low, high], of many replicates.

    Parameters
    ----------
    positive : boolean array of shape (n,)
    score : array of shape (n,), finite
    low, high : float
    """

    def __init__(self, positive: NDArray[np.bool_], score: FloatArray, low: float, high: float) -> None:
        super().__init__(positive, score)
        self._low, self._high = low, high

    def __call__(self, counts: NDArray[Any]) -> FloatArray:
        """Return the area of each replicate, shape (b,); NaN where a replicate lacks a class.

        Parameters
        ----------
        counts : array of shape (b, n)
        """
        of_pos, before = self._drawn(counts)
        n_neg = before[:, -1:].astype(np.float64)
        with np.errstate(invalid="ignore", divide="ignore"):
            start = np.take(before, self._above, axis=1) / n_neg
        length = self._beyond(start)
        if self._tied:
            with np.errstate(invalid="ignore", divide="ignore"):
                end = np.take(before, self._upto, axis=1) / n_neg
            # On a tie's slanting segment: the mean over its rates.
            width = end - start
            np.divide(self._summed(end) - self._summed(start), width, out=length, where=width > 0.0)
        return _per_positive(of_pos, length)

    def _beyond(self, rate: FloatArray) -> FloatArray:
        """Length of the strip beyond a rate."""
        return np.asarray(self._high - np.clip(rate, self._low, self._high))

    def _summed(self, rate: FloatArray) -> FloatArray:
        """Integrate the same from 0 up to a rate."""
        width = self._high - self._low
        return np.asarray(width * np.minimum(rate, self._low) + (width**2 - self._beyond(rate) ** 2) / 2.0)


class _WeightedAveragePrecision(_Ranked):
    """Average precision of many replicates of the same patients.

    Parameters
    ----------
    positive : boolean array of shape (n,)
    score : array of shape (n,), finite
    """

    def __call__(self, counts: NDArray[Any]) -> FloatArray:
        """Return average precision of each replicate, shape (b,); NaN where a replicate has no positive.

        Parameters
        ----------
        counts : array of shape (b, n)
        """
        of_pos, before = self._drawn(counts)
        before_pos = drawn_before(of_pos)
        tp = before_pos[:, 1:] if self._ends is None else np.take(before_pos, self._ends, axis=1)
        called = np.take(before, self._upto, axis=1)
        called += tp
        # Where nobody is called no positive is drawn either, and nothing is added.
        return _per_positive(of_pos, tp / np.maximum(called, 1))


def _per_positive(of_pos: NDArray[Any], added: FloatArray) -> FloatArray:
    """Average what each positive adds over the positives drawn."""
    with np.errstate(invalid="ignore", divide="ignore"):
        total = np.einsum("bi,bi->b", of_pos.astype(np.float64), added)
        return np.asarray(total / of_pos.sum(axis=1, dtype=np.float64))
