"""Two models compared by one value a patient each: paired t, Wilcoxon's signed ranks, flipped signs."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from ..errors import BiomarkError
from .inputs import Seed, choice, cluster_codes, fraction, generator, whole_number
from .mean_interval import clustered_mean, values_or_nan
from .results import FloatArray, Result
from .sign_flip import sign_flip_p_value

__all__ = ["PairedMeanComparison", "paired_mean_test"]

METHODS = ("sign-flip", "t", "wilcoxon")


@dataclass(frozen=True, slots=True)
class PairedMeanComparison(Result):
    """Two means of the same patients compared.

    Attributes
    ----------
    mean_a, mean_b, difference : float
        Over the patients for whom both values are defined; ``difference`` is ``mean_a - mean_b``.
    ci_low, ci_high, confidence : float
        t interval of the difference, cluster-robust where clusters are given, whatever the test.
    statistic : float
        t; of Wilcoxon's test the smaller sum of ranks; of the sign flips the difference.
    p_value : float
        Two-sided.
    n, n_undefined, n_clusters : int
        Pairs that count, pairs with a NaN, and the clusters of those that count.
    method : str
    """

    mean_a: float
    mean_b: float
    difference: float
    ci_low: float
    ci_high: float
    confidence: float
    statistic: float
    p_value: float
    n: int
    n_undefined: int
    n_clusters: int
    method: str


def paired_mean_test(
    values_a: ArrayLike,
    values_b: ArrayLike,
    *,
    method: str = "sign-flip",
    cluster: ArrayLike | None = None,
    n_permutations: int = 10_000,
    confidence: float = 0.95,
    rng: Seed = None,
) -> PairedMeanComparison:
    """Test whether two values of the same patients have the same mean.

    - ``sign-flip`` (default): H0: the models are exchangeable within a patient, so that a difference is as
      likely as its negative. p is the share of sign flips whose mean is as extreme; all 2^k are tried up to k = 14.
      Exact at any n; with clusters a cluster's differences flip together. With values of 0 and 1 it is McNemar's
      exact test.
    - ``t``: H0: the mean difference is 0. Paired t test; with clusters the robust variance of `mean_ci`.
    - ``wilcoxon``: signed ranks, zeros left out; exact up to 50 differences without ties or zeros, else normal
      with correction for ties. It has no clustered form here.

    Parameters
    ----------
    values_a, values_b : arrays of shape (n,), finite; NaN is undefined and its pair left out
    method : str
    cluster : array of shape (n,), optional
    n_permutations : int
        Random flips, where 2^k is too many to try all.
    confidence : float in (0, 1)
    rng : seed or numpy.random.Generator

    Returns
    -------
    PairedMeanComparison
        Identical values give difference 0, interval 0 to 0 and p = 1. With one pair or cluster there is no
        interval; without a pair all is NaN.

    Raises
    ------
    BiomarkError
        For different lengths, infinite values, or clusters with ``wilcoxon``.

    References
    ----------
    Fisher RA. The Design of Experiments. 1935, section 21 (flipped signs). Wilcoxon F. Biometrics Bull
    1945;1:80-83. Phipson B, Smyth GK. Stat Appl Genet Mol Biol 2010;9:39 (p of random flips).

    Examples
    --------
    >>> result = paired_mean_test([0.9, 0.8, 0.7, 0.9, 0.6], [0.5, 0.6, 0.8, 0.4, 0.3])
    >>> round(result.difference, 2), result.p_value
    (0.26, 0.125)
    """
    choice(method, METHODS, name="method")
    fraction(confidence, name="confidence")
    n_permutations = whole_number(n_permutations, name="n_permutations")
    first, second = values_or_nan(values_a, name="values_a"), values_or_nan(values_b, name="values_b")
    if first.size != second.size:
        raise BiomarkError(f"values_b must have shape ({first.size},) like values_a, found {second.shape}")
    if cluster is not None and method == "wilcoxon":
        raise BiomarkError("method 'wilcoxon' has no form for clustered data; use sign-flip or t")
    codes = np.arange(first.size) if cluster is None else cluster_codes(cluster, first.size)
    present = ~(np.isnan(first) | np.isnan(second))
    first, second, codes = first[present], second[present], codes[present]
    apart = first - second
    moments = clustered_mean(apart, codes)
    counted = int(present.sum()), int((~present).sum()), moments.n_clusters
    named = METHOD_NAMES[method] + ("" if cluster is None else ", clusters whole")
    nan = float("nan")
    if moments.n_clusters == 0:
        return PairedMeanComparison(
            nan, nan, nan, nan, nan, confidence, nan, nan, *counted, f"{named}; undefined: no pair"
        )
    low = high = nan
    if not np.any(apart):
        low = high = 0.0
    elif moments.se > 0.0:
        half = float(special.stdtrit(moments.n_clusters - 1, 0.5 + confidence / 2.0)) * moments.se
        low, high = moments.mean - half, moments.mean + half
    statistic, p_value, how = _tested(apart, codes, method, moments.mean, moments.se, n_permutations, rng)
    return PairedMeanComparison(
        float(first.mean()), float(second.mean()), moments.mean, low, high, confidence, statistic, p_value,
        *counted, named + how,
    )  # fmt: skip


METHOD_NAMES = {
    "sign-flip": "paired sign-flip permutation",
    "t": "paired t test",
    "wilcoxon": "Wilcoxon signed ranks",
}


def _tested(
    apart: FloatArray,
    codes: NDArray[np.intp],
    method: str,
    mean: float,
    se: float,
    n_permutations: int,
    rng: Seed,
) -> tuple[float, float, str]:
    """Return statistic, p-value and what is to be said about how they were made."""
    if not np.any(apart):
        return 0.0, 1.0, ""
    if method == "t":
        if not se > 0.0:
            return float("nan"), float("nan"), "; undefined: the differences have no spread"
        statistic = mean / se
        df = int(np.unique(codes).size) - 1
        return statistic, 2.0 * float(special.stdtr(df, -abs(statistic))), ""
    if method == "wilcoxon":
        return _wilcoxon(apart)
    sums = np.bincount(np.unique(codes, return_inverse=True)[1], weights=apart)
    sums = sums[np.abs(sums) > 1e-12 * np.abs(apart).max()]
    if sums.size == 0:
        return mean, 1.0, ""
    p_value, tried, all_tried = sign_flip_p_value(sums, n_permutations=n_permutations, rng=generator(rng))
    return mean, p_value, f", all {tried} flips" if all_tried else f", {tried} random flips"


def _wilcoxon(apart: FloatArray) -> tuple[float, float, str]:
    from scipy.stats import wilcoxon

    # Differences that are equal but for rounding tie, and nearly 0 is 0: 0.3 - 0.1 is not 0.2.
    apart = np.round(apart / np.abs(apart).max(), 12)
    apart = apart[apart != 0.0]
    exact = apart.size <= 50 and np.unique(np.abs(apart)).size == apart.size
    result = wilcoxon(apart, method="exact" if exact else "approx", correction=not exact)
    return float(result.statistic), float(result.pvalue), ", exact" if exact else ", normal"
