"""The AUC and the curve of bootstrap replicates, and intervals from replicates.

A replicate is a vector of whole numbers, one per patient, that says how often the patient stands in it. A
statistic of a replicate is then a weighted sum over ranks made once, so that nothing is sorted and no Python
loop runs over patients inside the bootstrap. Replicates come in chunks, so that memory does not grow with their
number.
"""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from ..errors import BiomarkError
from .auc_interval import AucEstimate, auc_interval_of
from .inputs import Seed, choice, cluster_codes, generator, whole_number
from .placement import placement_values, tie_groups
from .replicate_blocks import in_blocks
from .resampling import class_counts, resampling_counts
from .results import FloatArray
from .roc import auc_of

__all__ = ["WeightedAuc", "WeightedCurve", "auc_bootstrap_ci", "bootstrap_interval"]

# Up to this number of pairs per patient, a matrix of all pairs beats cumulative sums.
PAIRS_PER_PATIENT = 96


class WeightedAuc:
    """The AUC of many replicates of the same patients, ranked once.

    Parameters
    ----------
    positive : boolean array of shape (n,)
    score : array of shape (n,), finite
    among : array of shape (n,), optional
        Where these patients stand among those that the replicates count; by default they are all.
    """

    def __init__(
        self, positive: NDArray[np.bool_], score: FloatArray, *, among: NDArray[np.intp] | None = None
    ) -> None:
        self.positives, self.negatives = np.flatnonzero(positive), np.flatnonzero(~positive)
        of_pos, of_neg = score[self.positives], score[self.negatives]
        self._pairs: FloatArray | None = None
        if of_pos.size * of_neg.size <= PAIRS_PER_PATIENT * positive.size:
            self._pairs = (of_pos[:, None] > of_neg) + 0.5 * (of_pos[:, None] == of_neg)
        else:
            order_pos, order_neg = np.argsort(of_pos, kind="stable"), np.argsort(of_neg, kind="stable")
            self.positives, self.negatives = self.positives[order_pos], self.negatives[order_neg]
            of_pos, of_neg = of_pos[order_pos], of_neg[order_neg]
            self._below = np.searchsorted(of_neg, of_pos, side="left")
            self._not_above = np.searchsorted(of_neg, of_pos, side="right")
            self._tied = bool((self._below != self._not_above).any())
        if among is not None:
            self.positives, self.negatives = among[self.positives], among[self.negatives]

    def __call__(self, counts: NDArray[Any]) -> FloatArray:
        """Return the AUC of each replicate, shape (b,); NaN where a replicate lacks a class.

        Parameters
        ----------
        counts : array of shape (b, n)
            How often each patient stands in each replicate.
        """
        return self.of_classes(
            np.take(counts, self.positives, axis=1), np.take(counts, self.negatives, axis=1)
        )

    def of_classes(self, of_pos: NDArray[Any], of_neg: NDArray[Any]) -> FloatArray:
        """Return the same from the counts of ``self.positives`` and of ``self.negatives``."""
        pairs = of_pos.sum(axis=1, dtype=np.float64) * of_neg.sum(axis=1, dtype=np.float64)
        if self._pairs is not None:
            drawn = of_pos.astype(np.float64) @ self._pairs
            won = np.einsum("bj,bj->b", drawn, of_neg.astype(np.float64))
        else:
            below = drawn_before(of_neg)
            beaten = np.take(below, self._below, axis=1).astype(np.float64)
            if self._tied:
                beaten += np.take(below, self._not_above, axis=1)
                beaten *= 0.5
            won = np.einsum("bi,bi->b", beaten, of_pos.astype(np.float64))
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.asarray(won / pairs)


def drawn_before(counts: NDArray[Any]) -> NDArray[np.int32]:
    """Sum counts of shape (b, k) before each place and after the last: shape (b, k + 1), the first column 0."""
    # A wider integer would make the sum several times slower.
    before = np.zeros((counts.shape[0], counts.shape[1] + 1), dtype=np.int32)
    before[:, 1:] = counts
    np.cumsum(before, axis=1, dtype=np.int32, out=before)
    return before


class WeightedCurve:
    """Confusion counts at every threshold, for many replicates of the same patients, ranked once.

    Parameters
    ----------
    positive : boolean array of shape (n,)
    score : array of shape (n,), finite

    Attributes
    ----------
    thresholds : array of shape (k,), descending
        The distinct scores; positive is ``score >= threshold``.
    """

    def __init__(self, positive: NDArray[np.bool_], score: FloatArray) -> None:
        self._order = np.argsort(-score, kind="stable")
        ranked = score[self._order]
        self._last = np.flatnonzero(np.append(ranked[1:] != ranked[:-1], True))
        self._ranked_positive = positive[self._order]
        self.thresholds = ranked[self._last]

    def __call__(self, counts: NDArray[Any]) -> tuple[FloatArray, FloatArray]:
        """Return true and false positives at each threshold, each of shape (b, k).

        Parameters
        ----------
        counts : array of shape (b, n)
        """
        ranked = np.take(counts, self._order, axis=1).astype(np.int32)
        of_pos = ranked * self._ranked_positive
        called = np.take(np.cumsum(ranked, axis=1, dtype=np.int32), self._last, axis=1)
        tp = np.take(np.cumsum(of_pos, axis=1, dtype=np.int32), self._last, axis=1)
        return tp.astype(np.float64), (called - tp).astype(np.float64)


def bootstrap_interval(
    replicates: ArrayLike,
    *,
    kind: str = "percentile",
    confidence: float = 0.95,
    estimate: float | None = None,
    acceleration: float = 0.0,
) -> tuple[float, float]:
    """Interval from bootstrap replicates.

    - ``percentile``: the quantiles themselves.
    - ``basic``: 2 estimate - quantiles.
    - ``bca``: quantiles at levels corrected for median bias z0 and acceleration a.

    Parameters
    ----------
    replicates : array of shape (B,)
        NaN marks a replicate in which the statistic is undefined; it is left out.
    kind : str
    confidence : float in (0, 1)
    estimate : float
        The statistic of the data; needed by ``basic`` and ``bca``.
    acceleration : float
        For ``bca``; one sixth of the skewness of the influence values.

    Returns
    -------
    low, high : float
        NaN where no replicate is defined.

    References
    ----------
    Efron B. J Am Stat Assoc 1987;82:171-185, eq. 2.3 and 4.1. Davison AC, Hinkley DV. Bootstrap Methods and
    their Application. Cambridge 1997, eq. 5.6 (basic). Quantiles interpolate linearly (R's type 7).

    Examples
    --------
    >>> bootstrap_interval([0.0, 1.0, 2.0, 3.0, 4.0], confidence=0.5)
    (1.0, 3.0)
    """
    choice(kind, ("percentile", "basic", "bca"), name="kind")
    values = np.asarray(replicates, dtype=np.float64)
    values = values[~np.isnan(values)]
    if values.size == 0:
        return float("nan"), float("nan")
    levels = np.array([0.5 - confidence / 2.0, 0.5 + confidence / 2.0])
    if kind == "percentile":
        low, high = np.quantile(values, levels)
        return float(low), float(high)
    if estimate is None:
        raise BiomarkError(f"kind {kind!r} needs the estimate")
    if kind == "basic":
        low, high = np.quantile(values, levels)
        return float(2.0 * estimate - high), float(2.0 * estimate - low)
    # Half of the replicates that tie with the estimate, so that a discrete statistic has no bias of its own.
    share = (np.count_nonzero(values < estimate) + 0.5 * np.count_nonzero(values == estimate)) / values.size
    if share in (0.0, 1.0):
        low, high = np.quantile(values, levels)
        return float(low), float(high)
    z0 = special.ndtri(share)
    z = z0 + special.ndtri(levels)
    low, high = np.quantile(values, special.ndtr(z0 + z / (1.0 - acceleration * z)))
    return float(low), float(high)


def auc_bootstrap_ci(
    positive: NDArray[np.bool_],
    score: FloatArray,
    *,
    kind: str,
    confidence: float,
    cluster: ArrayLike | None,
    n_boot: int,
    rng: Seed,
) -> AucEstimate:
    """Bootstrap interval of one AUC; the public door is `auc_ci`.

    Positives and negatives are resampled apart, or whole clusters where ``cluster`` is given. The
    acceleration of BCa comes from the placement values, which are the AUC's influence values.
    """
    n_boot = whole_number(n_boot, name="n_boot", least=2)
    groups = tie_groups(positive, score)
    area = auc_of(groups)
    if area in (0.0, 1.0):
        fallback = auc_interval_of(groups, method="newcombe", confidence=confidence)
        return AucEstimate(
            area, 0.0, fallback.n_pos, fallback.n_neg, fallback.ci_low, fallback.ci_high, confidence,
            f"newcombe (all replicates of bootstrap-{kind} are equal)",
        )  # fmt: skip
    codes = None if cluster is None else cluster_codes(cluster, positive.size)
    draw = partial(_auc_replicates, WeightedAuc(positive, score), codes)
    replicates = np.concatenate(in_blocks(draw, positive.size, n_boot, generator(rng)))
    influence = _auc_influence(positive, score, codes)
    low, high = bootstrap_interval(
        replicates, kind=kind, confidence=confidence, estimate=area, acceleration=acceleration(*influence)
    )
    n_pos = int(np.count_nonzero(positive))
    return AucEstimate(
        area, float(np.nanvar(replicates, ddof=1)), n_pos, positive.size - n_pos, low, high, confidence,
        f"bootstrap-{kind}, {n_boot} replicates, {'stratified' if codes is None else 'clusters whole'}",
    )  # fmt: skip


def _auc_replicates(
    weighted: WeightedAuc, codes: NDArray[np.intp] | None, n_boot: int, rng: np.random.Generator
) -> FloatArray:
    if codes is not None:
        chunks = resampling_counts(codes.size, n_boot, rng, cluster=codes)
        return np.concatenate([weighted(counts) for counts in chunks])
    # Patients of one class are interchangeable, so their counts are drawn in the order of the scores at once.
    pairs = class_counts(weighted.positives.size, weighted.negatives.size, n_boot, rng)
    return np.concatenate([weighted.of_classes(of_pos, of_neg) for of_pos, of_neg in pairs])


def acceleration(*influence: FloatArray) -> float:
    """Acceleration of BCa from the influence values of one or several independent samples.

    a = sum_k sum_i U_ki^3 / n_k^3 / (6 (sum_k sum_i U_ki^2 / n_k^2)^(3/2)); Davison and Hinkley 1997,
    eq. 5.23 and 5.24.
    """
    cubes = sum(float(np.sum(u**3)) / u.size**3 for u in influence)
    squares = sum(float(np.sum(u**2)) / u.size**2 for u in influence)
    return cubes / (6.0 * squares**1.5) if squares > 0.0 else 0.0


def _auc_influence(
    positive: NDArray[np.bool_], score: FloatArray, codes: NDArray[np.intp] | None
) -> tuple[FloatArray, ...]:
    v10, v01 = placement_values(positive, score)
    if codes is None:
        return v10 - v10.mean(), v01 - v01.mean()
    # Of a cluster: the sum over its members, each class scaled by its share.
    each = np.empty(positive.size)
    each[positive] = (v10 - v10.mean()) / v10.size
    each[~positive] = (v01 - v01.mean()) / v01.size
    summed: FloatArray = np.bincount(codes, weights=each).astype(np.float64)
    return (summed * summed.size,)
