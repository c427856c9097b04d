"""The mean of one value a patient (or a lesion), with an interval."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from ..errors import BiomarkError
from .inputs import choice, cluster_codes, fraction
from .results import FloatArray, Result

__all__ = ["MeanEstimate", "mean_ci"]

METHODS = ("t", "wilson")


@dataclass(frozen=True, slots=True)
class MeanEstimate(Result):
    """A mean with its interval.

    Attributes
    ----------
    mean, se : float
        NaN without a value, and with one value or cluster only.
    ci_low, ci_high, confidence : float
    n, n_undefined, n_clusters : int
        Values that count, those that are NaN and were left out, and the clusters of those that count.
    method : str
    """

    mean: float
    se: float
    ci_low: float
    ci_high: float
    confidence: float
    n: int
    n_undefined: int
    n_clusters: int
    method: str


def mean_ci(
    values: ArrayLike, *, method: str = "t", cluster: ArrayLike | None = None, confidence: float = 0.95
) -> MeanEstimate:
    """Mean of values with a confidence interval.

    - ``t``: mean ± t se with K - 1 degrees of freedom, K clusters (or values). With clusters
      se^2 = K / (K - 1) sum_c (sum_(i in c) (x_i - mean))^2 / n^2, which allows any dependence within a
      cluster.
    - ``wilson``: for values in [0, 1]: Wilson's interval of a proportion with n values, or with clusters the
      effective number mean (1 - mean) / se^2. Never a point; too wide for values that lie between 0 and 1, whose
      variance is smaller than that of 0 and 1 with the same mean.

    Parameters
    ----------
    values : array of shape (n,), finite; NaN is undefined and left out
    method : "t" or "wilson"
    cluster : array of shape (n,), optional
        Who belongs together, for instance the lesions of one patient.
    confidence : float in (0, 1)

    Returns
    -------
    MeanEstimate
        The interval is NaN, and ``method`` says why, where one cluster is all there is, and for ``t`` where all
        values are equal.

    Raises
    ------
    BiomarkError
        For infinite values, or values outside [0, 1] with ``wilson``.

    References
    ----------
    Liang KY, Zeger SL. Biometrika 1986;73:13-22 (robust variance). Korn EL, Graubard BI. Surv Methodol
    1998;24:193-201 (effective number). Wilson EB. J Am Stat Assoc 1927;22:209-212.

    Examples
    --------
    >>> estimate = mean_ci([0.2, 0.4, 0.9, float("nan")])
    >>> round(estimate.mean, 3), round(estimate.ci_low, 3), round(estimate.ci_high, 3), estimate.n_undefined
    (0.5, -0.396, 1.396, 1)
    >>> round(mean_ci([1.0, 1.0, 1.0, 1.0], method="wilson").ci_low, 3)
    0.51
    """
    choice(method, METHODS, name="method")
    fraction(confidence, name="confidence")
    numbers = values_or_nan(values, name="values")
    codes = np.arange(numbers.size) if cluster is None else cluster_codes(cluster, numbers.size)
    present = ~np.isnan(numbers)
    moments = clustered_mean(numbers[present], codes[present])
    counted = int(present.sum()), int((~present).sum()), moments.n_clusters
    named = method if cluster is None else f"{method}, clusters"
    if moments.n_clusters == 0:
        nan = float("nan")
        return MeanEstimate(nan, nan, nan, nan, confidence, *counted, "undefined: no value")
    if method == "wilson":
        if ((numbers[present] < 0.0) | (numbers[present] > 1.0)).any():
            raise BiomarkError("method 'wilson' needs values in [0, 1]")
        bounds = _wilson(moments, counted[0], confidence, clustered=cluster is not None)
        return MeanEstimate(moments.mean, moments.se, *bounds, confidence, *counted, named)
    low = high = float("nan")
    if moments.n_clusters < 2:
        named += "; interval undefined: one value" if cluster is None else "; interval undefined: one cluster"
    elif moments.se == 0.0:
        named += "; interval undefined: all values are equal"
    else:
        half = float(special.stdtrit(moments.n_clusters - 1, 0.5 + confidence / 2.0)) * moments.se
        low, high = moments.mean - half, moments.mean + half
    return MeanEstimate(moments.mean, moments.se, low, high, confidence, *counted, named)


class Moments(NamedTuple):
    """Mean, its standard error, the sum of the deviations of each cluster and their number."""

    mean: float
    se: float
    n_clusters: int


def clustered_mean(values: FloatArray, codes: NDArray[np.intp]) -> Moments:
    """Return the mean of defined values and its cluster-robust standard error."""
    present = np.unique(codes, return_inverse=True)[1]
    n_clusters = int(present.max()) + 1 if values.size else 0
    if n_clusters == 0:
        return Moments(float("nan"), float("nan"), 0)
    mean = float(values.mean())
    if n_clusters == 1:
        return Moments(mean, float("nan"), 1)
    # Equal values have no spread, whatever their rounded mean.
    if np.ptp(values) == 0.0:
        return Moments(float(values[0]), 0.0, n_clusters)
    sums = np.bincount(present, weights=values - mean, minlength=n_clusters)
    variance = n_clusters / (n_clusters - 1) * float(np.sum(sums**2)) / values.size**2
    return Moments(mean, float(np.sqrt(variance)), n_clusters)


def values_or_nan(values: ArrayLike, *, name: str) -> FloatArray:
    """Return values as float64 of shape (n,), refusing infinities and other shapes."""
    try:
        numbers = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise BiomarkError(f"{name} must hold numbers") from None
    if numbers.ndim != 1:
        raise BiomarkError(f"{name} must have one dimension, found shape {numbers.shape}")
    if np.isinf(numbers).any():
        raise BiomarkError(f"{name} must be finite or NaN, found an infinite value")
    return numbers


def _wilson(moments: Moments, n: int, confidence: float, *, clustered: bool) -> tuple[float, float]:
    p = moments.mean
    effective = float(n)
    if clustered:
        effective = float(moments.n_clusters)
        if moments.se > 0.0:
            effective = min(p * (1.0 - p) / moments.se**2, float(n))
    z2 = float(special.ndtri(0.5 + confidence / 2.0)) ** 2
    centre = (p + z2 / (2.0 * effective)) / (1.0 + z2 / effective)
    half = np.sqrt(z2 * (p * (1.0 - p) / effective + z2 / (4.0 * effective**2))) / (1.0 + z2 / effective)
    return max(float(centre - half), 0.0), min(float(centre + half), 1.0)
