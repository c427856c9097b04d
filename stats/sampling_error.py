"""The standard error of a mean over patients, who may come in clusters."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from .results import Estimate, FloatArray

__all__ = ["cluster_sums", "normal_estimate", "standard_error_of_mean", "undefined"]


def standard_error_of_mean(values: FloatArray, cluster: NDArray[np.intp] | None = None) -> float:
    """Return the standard error of the mean of ``values``, of shape (n,); NaN of a single patient or cluster.

    Without clusters sqrt(s^2 / n), s^2 with denominator n - 1. With K clusters the deviations from the mean are
    summed within each: sqrt(K / (K - 1) sum_k (sum_i (v_ki - v))^2) / n, which is the same where each patient is a
    cluster (Cochran, Sampling Techniques, 3rd ed. 1977, chapter 9A).
    """
    sums = cluster_sums(values - values.mean(), cluster)
    if sums.size < 2:
        return float("nan")
    return float(np.sqrt(sums.size / (sums.size - 1.0) * np.sum(sums**2)) / values.size)


def cluster_sums(values: NDArray[Any], cluster: NDArray[np.intp] | None) -> FloatArray:
    """Return sums of ``values`` within clusters of codes 0..K-1; the values themselves without clusters."""
    if cluster is None:
        return np.asarray(values, dtype=np.float64)
    return np.asarray(np.bincount(cluster, weights=values), dtype=np.float64)


def normal_estimate(
    value: float,
    se: float,
    *,
    confidence: float,
    method: str,
    bounds: tuple[float, float] = (-np.inf, np.inf),
) -> Estimate:
    """Return value +- z se, cut at ``bounds``."""
    half = float(ndtri(0.5 + confidence / 2.0)) * se
    if np.isnan(half):
        return Estimate(value, np.nan, np.nan, confidence, f"{method}: interval undefined, one patient only")
    low, high = max(bounds[0], value - half), min(bounds[1], value + half)
    return Estimate(value, low, high, confidence, method)


def undefined(reason: str, confidence: float) -> Estimate:
    """Return the estimate of what does not exist, with the reason."""
    return Estimate(np.nan, np.nan, np.nan, confidence, f"undefined: {reason}")
