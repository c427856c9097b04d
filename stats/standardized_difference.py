"""Standardised differences between two groups: how far apart, in standard deviations, whatever the numbers."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from ..errors import BiomarkError
from .results import FloatArray

__all__ = ["standardized_categorical_difference", "standardized_mean_difference"]


def standardized_mean_difference(a: ArrayLike, b: ArrayLike) -> float:
    """Standardised mean difference (mean_a - mean_b) / sqrt((var_a + var_b) / 2) of a continuous characteristic.

    Parameters
    ----------
    a, b : arrays of shape (n,) and (m,), finite

    Returns
    -------
    float
        NaN where a group has fewer than two patients; 0 of equal means and infinite of different ones where neither
        group has any spread.

    Notes
    -----
    Variances have denominator n - 1. It does not grow with the sample, as a p value shrinks with it. An absolute value
    above 0.1 is often taken as a sign of imbalance [1]_; in small groups chance alone exceeds that.

    References
    ----------
    .. [1] Austin PC. Balance diagnostics for comparing the distribution of baseline covariates between treatment
       groups in propensity-score matched samples. Stat Med 2009;28:3083-3107.

    Examples
    --------
    >>> round(standardized_mean_difference([52.0, 47, 60, 55], [54.0, 66, 58, 49]), 4)
    -0.5099
    """
    one, other = np.asarray(a, dtype=np.float64), np.asarray(b, dtype=np.float64)
    if min(one.size, other.size) < 2:
        return float("nan")
    # A common factor changes nothing, and keeps squares of tiny or huge numbers in range.
    largest = max(float(np.abs(one).max()), float(np.abs(other).max()))
    if largest > 0.0:
        one, other = one / largest, other / largest
    difference = float(one.mean() - other.mean())
    spread = float(np.sqrt((one.var(ddof=1) + other.var(ddof=1)) / 2.0))
    # A variance of equal numbers may be a rounding error.
    if spread <= 1e-12 * max(abs(float(one.mean())), abs(float(other.mean()))):
        return 0.0 if abs(difference) <= spread else float(np.copysign(np.inf, difference))
    return difference / spread


def standardized_categorical_difference(counts_a: ArrayLike, counts_b: ArrayLike) -> float:
    """Standardised difference of a categorical characteristic (Yang and Dalton 2012).

    sqrt((p - q)' S^-1 (p - q)), p and q the shares of all levels but one in the two groups and S the mean of their
    multinomial covariances: S_kk = (p_k (1 - p_k) + q_k (1 - q_k)) / 2, S_kl = -(p_k p_l + q_k q_l) / 2.

    Parameters
    ----------
    counts_a, counts_b : arrays of shape (levels,), 0 or more

    Returns
    -------
    float, 0 or more
        NaN where a group is empty; 0 with one level only; infinite where the groups share no level.

    Raises
    ------
    BiomarkError
        For counts of different shapes, or below 0.

    Notes
    -----
    Of two levels it is abs(p - q) / sqrt((p (1 - p) + q (1 - q)) / 2), Austin's for a binary characteristic. Which
    level is left out plays no part; a level that neither group has is left out.

    References
    ----------
    Yang D, Dalton JE. A unified approach to measuring the effect size between two groups using SAS. SAS Global Forum
    2012, paper 335.

    Examples
    --------
    >>> round(standardized_categorical_difference([232, 68], [68, 20]), 4)
    0.0014
    """
    a, b = (np.asarray(counts, dtype=np.float64) for counts in (counts_a, counts_b))
    if a.ndim != 1 or a.shape != b.shape or (a < 0).any() or (b < 0).any():
        raise BiomarkError("counts must be 0 or more, of one shape (levels,) for both groups")
    if a.sum() == 0.0 or b.sum() == 0.0:
        return float("nan")
    kept = (a + b) > 0.0
    p, q = (a / a.sum())[kept], (b / b.sum())[kept]
    if p.size == 1:
        return 0.0
    if not np.any((p > 0.0) & (q > 0.0)):
        return float("inf")
    # The level that both have most of is left out, so that the rest has a covariance.
    rest = np.arange(p.size) != int(np.argmax(p * q))
    gap = (p - q)[rest]
    covariance = (_covariance(p[rest]) + _covariance(q[rest])) / 2.0
    return float(np.sqrt(max(0.0, float(gap @ np.linalg.solve(covariance, gap)))))


def _covariance(share: FloatArray) -> FloatArray:
    return np.asarray(np.diag(share) - np.outer(share, share))
