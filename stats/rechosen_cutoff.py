"""The cut-off chosen anew in every bootstrap replicate, all replicates of a chunk at once."""

from __future__ import annotations

from functools import partial
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .bootstrap import WeightedCurve
from .cutoff_criterion import CutoffCriterion
from .replicate_blocks import in_blocks
from .resampling import resampling_counts
from .results import FloatArray

__all__ = ["RechosenCutoff", "Replicates", "Yield", "rechosen_replicates", "threshold_interval"]


class Yield(NamedTuple):
    """What cut-offs yield, each of shape (b,); NaN where a class is absent."""

    youden: FloatArray
    sensitivity: FloatArray
    specificity: FloatArray
    accuracy: FloatArray


class RechosenCutoff:
    """The cut-off of many replicates of the same patients, ranked once.

    Parameters
    ----------
    positive : boolean array of shape (n,)
    score : array of shape (n,), finite
    criterion : CutoffCriterion
    at : "observed" or "midpoint"
        As in `optimal_cutoff`, with the scores that were drawn.
    """

    def __init__(
        self, positive: NDArray[np.bool_], score: FloatArray, criterion: CutoffCriterion, at: str = "observed"
    ) -> None:
        self._curve = WeightedCurve(positive, score)
        self._criterion, self._at = criterion, at
        # Nobody positive comes first.
        self._thresholds = np.append(np.inf, self._curve.thresholds)
        tp, fp = (_from_nobody(count) for count in self._curve(np.ones((1, positive.size))))
        self._data = tp[0], fp[0]

    def __call__(self, counts: NDArray[Any]) -> tuple[FloatArray, Yield]:
        """Return the cut-off of each replicate and what it yields in that replicate.

        Parameters
        ----------
        counts : array of shape (b, n)

        Returns
        -------
        thresholds : array of shape (b,)
            NaN where a replicate lacks a class.
        yielded : Yield
        """
        tp, fp = (_from_nobody(count) for count in self._curve(counts))
        called = tp + fp
        # Only a score that was drawn can be the replicate's cut-off.
        drawn = np.diff(called, axis=1, prepend=-1.0) > 0.0
        best = self._criterion.best(tp, fp[:, -1:] - fp, offered=drawn)
        # Thresholds descend: the lowest of the best, and so the most sensitive, is the last.
        last = best.shape[1] - 1 - best[:, ::-1].argmax(axis=1)
        chosen = last if self._criterion.ties == "sensitivity" else best.argmax(axis=1)
        rows = np.arange(chosen.size)
        yielded = _yield(tp[rows, chosen], fp[rows, chosen], tp[:, -1], fp[:, -1])
        thresholds = self._thresholds[chosen]
        if self._at == "midpoint":
            later = drawn & (np.arange(drawn.shape[1]) > chosen[:, None])
            below = np.where(later.any(axis=1), self._thresholds[later.argmax(axis=1)], -np.inf)
            thresholds = _midpoints(thresholds, below)
        return np.where(np.isnan(yielded.youden), np.nan, thresholds), yielded

    def in_the_data(self, thresholds: FloatArray) -> Yield:
        """Return what cut-offs of shape (b,) yield in the data themselves."""
        at = np.searchsorted(
            -self._curve.thresholds, -np.where(np.isnan(thresholds), 0.0, thresholds), side="right"
        )
        tp, fp = self._data
        return _yield(tp[at], fp[at], tp[-1:], fp[-1:])


class Replicates(NamedTuple):
    """The defined replicates, one a column.

    Attributes
    ----------
    thresholds : array of shape (B,)
    here, in_the_data : Yield of arrays of shape (B,)
        What each replicate's cut-off yields in the replicate and in the data.
    n_undefined : int
        Replicates without both classes, which are left out.
    """

    thresholds: FloatArray
    here: Yield
    in_the_data: Yield
    n_undefined: int


def rechosen_replicates(
    rechosen: RechosenCutoff,
    n: int,
    n_boot: int,
    rng: np.random.Generator,
    *,
    groups: tuple[NDArray[np.intp], ...] | None = None,
    cluster: NDArray[np.intp] | None = None,
) -> Replicates:
    """Choose the cut-off in every replicate; parameters as in `resampling_counts`."""
    draw = partial(_rechosen_block, rechosen, n, groups, cluster)
    table = np.concatenate(in_blocks(draw, n, n_boot, rng), axis=1)
    defined = table[:, ~np.isnan(table[0])]
    undefined = table.shape[1] - defined.shape[1]
    return Replicates(defined[0], Yield(*defined[1:5]), Yield(*defined[5:9]), undefined)


def _rechosen_block(
    rechosen: RechosenCutoff,
    n: int,
    groups: tuple[NDArray[np.intp], ...] | None,
    cluster: NDArray[np.intp] | None,
    n_boot: int,
    rng: np.random.Generator,
) -> FloatArray:
    parts = []
    for counts in resampling_counts(n, n_boot, rng, groups=groups, cluster=cluster):
        thresholds, yielded = rechosen(counts)
        # What an undefined replicate's cut-off would yield is never read.
        parts.append(np.stack([thresholds, *yielded, *rechosen.in_the_data(thresholds)]))
    return np.concatenate(parts, axis=1)


def threshold_interval(thresholds: FloatArray, confidence: float) -> tuple[float, float]:
    """Percentile interval of the cut-off; its ends are cut-offs that were chosen, infinite ones included."""
    levels = [0.5 - confidence / 2.0, 0.5 + confidence / 2.0]
    if thresholds.size == 0:
        return float("nan"), float("nan")
    low, high = np.quantile(thresholds, levels, method="inverted_cdf")
    return float(low), float(high)


def _from_nobody(counts: FloatArray) -> FloatArray:
    return np.concatenate([np.zeros((counts.shape[0], 1)), counts], axis=1)


def _yield(tp: FloatArray, fp: FloatArray, all_pos: FloatArray, all_neg: FloatArray) -> Yield:
    with np.errstate(invalid="ignore", divide="ignore"):
        # One rounding in the index, from whole numbers.
        youden = (tp * all_neg - fp * all_pos) / (all_pos * all_neg)
        sensitivity, specificity = tp / all_pos, (all_neg - fp) / all_neg
    return Yield(youden, sensitivity, specificity, (tp + all_neg - fp) / (all_pos + all_neg))


def _midpoints(upper: FloatArray, below: FloatArray) -> FloatArray:
    with np.errstate(invalid="ignore"):
        between = upper / 2.0 + below / 2.0
    between = np.where(np.isinf(upper), np.inf, np.where(np.isinf(below), -np.inf, between))
    # Between neighbouring doubles there is nothing: the half must call the upper only.
    return np.where(np.isfinite(between) & (between <= below), upper, between)
