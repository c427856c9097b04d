"""The Brier score and what it is made of."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .calibration_bins import bin_codes
from .inputs import cluster_codes, fraction
from .results import Estimate, FloatArray, Result
from .risk_inputs import outcomes_and_risks
from .sampling_error import normal_estimate, standard_error_of_mean, undefined

__all__ = ["BrierDecomposition", "brier_decomposition", "brier_score", "scaled_brier_of"]


@dataclass(frozen=True, slots=True)
class BrierDecomposition(Result):
    """Terms of the Brier score: reliability - resolution + uncertainty + within_variance - within_covariance.

    Attributes
    ----------
    brier : float
    reliability : float
        sum_k n_k / n (p_k - y_k)^2, p_k and y_k the mean prediction and the share of positives in bin k. 0 is best.
    resolution : float
        sum_k n_k / n (y_k - y)^2, y the share of positives. Higher is better.
    uncertainty : float
        y (1 - y), the score of a constant prediction of y.
    within_variance, within_covariance : float
        sum (p_i - p_k)^2 / n and 2 sum (p_i - p_k)(y_i - y_k) / n over the patients of all bins: what a bin hides.
    n_bins : int
        Bins that hold patients.
    binning : str
    """

    brier: float
    reliability: float
    resolution: float
    uncertainty: float
    within_variance: float
    within_covariance: float
    n_bins: int
    binning: str


def brier_score(
    y_true: ArrayLike, y_prob: ArrayLike, *, confidence: float = 0.95, cluster: ArrayLike | None = None
) -> Estimate:
    """Brier score: the mean of (y_prob - y_true)^2, 0 is best.

    Parameters
    ----------
    y_true : array of shape (n,), 0 or 1; one class alone is allowed
    y_prob : array of shape (n,), in [0, 1]
    confidence : float in (0, 1)
    cluster : array of shape (n,), optional
        Which rows belong to one patient; the interval then counts patients.

    Returns
    -------
    Estimate
        Interval: the mean +- z s / sqrt(n), s the standard deviation of the single terms, cut to [0, 1].

    Raises
    ------
    BiomarkError
        For predictions outside [0, 1] or no patient.

    Notes
    -----
    A constant prediction of the prevalence y scores y (1 - y), so that scores of sets of different prevalence do not
    compare; the scaled score 1 - Brier / (y (1 - y)) of :func:`calibration_metrics` does better.

    The interval covers too little in small samples and where predictions are near 0 or 1 (docs/simulation.md): of
    calibrated predictions 88% on average at n = 30, 92% at 88, 94% at 388 and 95% at 2,000; at least 65, 85, 92 and
    94%, with one patient of ten in the smaller class and an AUC of 0.98.

    References
    ----------
    Brier GW. Verification of forecasts expressed in terms of probability. Mon Weather Rev 1950;78:1-3 (its score
    sums over both classes and is twice this).

    Examples
    --------
    >>> round(brier_score([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]).value, 6)
    0.158125
    """
    confidence = fraction(confidence, name="confidence")
    positive, prob = outcomes_and_risks(y_true, y_prob)
    codes = None if cluster is None else cluster_codes(cluster, positive.size)
    terms = (prob - positive) ** 2
    se = standard_error_of_mean(terms, codes)
    return normal_estimate(
        float(terms.mean()), se, confidence=confidence, method=_method(codes), bounds=(0.0, 1.0)
    )


def brier_decomposition(
    y_true: ArrayLike, y_prob: ArrayLike, *, n_bins: int = 10, binning: str = "equal-mass"
) -> BrierDecomposition:
    """Split the Brier score into reliability, resolution and uncertainty.

    Brier = reliability - resolution + uncertainty + within_variance - within_covariance, exactly. The first three are
    Murphy's [1]_ and suffice where each distinct prediction is a bin of its own (``binning="distinct"``); in wider
    bins the last two are what remains [2]_.

    Parameters
    ----------
    y_true : array of shape (n,), 0 or 1; one class alone is allowed
    y_prob : array of shape (n,), in [0, 1]
    n_bins, binning
        As in :func:`binned_calibration`.

    Returns
    -------
    BrierDecomposition

    Notes
    -----
    Reliability and resolution depend on the bins: of n distinct predictions in n bins each y_k is 0 or 1, resolution
    equals uncertainty, and reliability is the Brier score itself. Both are biased upwards in small samples.

    References
    ----------
    .. [1] Murphy AH. A new vector partition of the probability score. J Appl Meteorol 1973;12:595-600.
    .. [2] Stephenson DB, Coelho CAS, Jolliffe IT. Two extra components in the Brier score decomposition. Weather
       Forecast 2008;23:752-757.

    Examples
    --------
    >>> parts = brier_decomposition([0, 1, 0, 1], [0.2, 0.2, 0.8, 0.8], binning="distinct")
    >>> round(parts.reliability, 6), parts.resolution, parts.uncertainty
    (0.09, 0.0, 0.25)
    """
    positive, prob = outcomes_and_risks(y_true, y_prob)
    codes = bin_codes(prob, n_bins=n_bins, binning=binning)
    sizes = np.bincount(codes)
    safe = np.maximum(sizes, 1)
    predicted = np.bincount(codes, weights=prob) / safe
    observed = np.bincount(codes, weights=positive) / safe
    share, prevalence = sizes / positive.size, positive.mean()
    p_off, y_off = prob - predicted[codes], positive - observed[codes]
    return BrierDecomposition(
        brier=float(np.mean((prob - positive) ** 2)),
        reliability=float(share @ (predicted - observed) ** 2),
        resolution=float(share @ (observed - prevalence) ** 2),
        uncertainty=float(prevalence * (1.0 - prevalence)),
        within_variance=float(np.mean(p_off**2)),
        within_covariance=float(2.0 * np.mean(p_off * y_off)),
        n_bins=int(np.count_nonzero(sizes)),
        binning=binning,
    )


def scaled_brier_of(
    positive: NDArray[np.bool_], prob: FloatArray, codes: NDArray[np.intp] | None, confidence: float
) -> Estimate:
    """Return 1 - Brier / (y (1 - y)) with the delta method's interval, prevalence and score both estimated."""
    prevalence = float(positive.mean())
    worst = prevalence * (1.0 - prevalence)
    if worst == 0.0:
        return undefined("one class only, a constant prediction is perfect", confidence)
    terms = (prob - positive) ** 2
    brier = float(terms.mean())
    influence = -terms / worst + brier * (1.0 - 2.0 * prevalence) * positive / worst**2
    se = standard_error_of_mean(influence, codes)
    return normal_estimate(
        1.0 - brier / worst,
        se,
        confidence=confidence,
        method=f"{_method(codes)}, delta",
        bounds=(-np.inf, 1.0),
    )


def _method(codes: NDArray[np.intp] | None) -> str:
    return "normal" if codes is None else "normal, clusters whole"
