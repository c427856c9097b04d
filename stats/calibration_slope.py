"""Logistic recalibration: the intercept and the slope of the outcome on the logit of the prediction (Cox 1958)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import chdtrc, logit

from .inputs import cluster_codes, fraction
from .results import Estimate, FloatArray, Result
from .risk_inputs import outcomes_and_risks
from .sampling_error import cluster_sums, normal_estimate, undefined

__all__ = ["LogisticRecalibration", "fit_logistic", "logistic_recalibration"]

MOST_STEPS = 100


@dataclass(frozen=True, slots=True)
class LogisticRecalibration(Result):
    """Fits of logit P(y = 1) = a + b logit(p).

    Attributes
    ----------
    intercept : Estimate
        a where b is held at 1: calibration in the large on the logit scale. 0 is best; negative means that the
        predictions are too high.
    slope : Estimate
        b, fitted together with a. 1 is best; below 1 means predictions too extreme, as over-fitting makes them.
    intercept_beside_slope : Estimate
        a of that joint fit: how far predictions of 0.5 are off.
    statistic, df, p_value : float
        Likelihood ratio test of a = 0 and b = 1 together; NaN where undefined.
    """

    intercept: Estimate
    slope: Estimate
    intercept_beside_slope: Estimate
    statistic: float
    df: int
    p_value: float


def logistic_recalibration(
    y_true: ArrayLike, y_prob: ArrayLike, *, confidence: float = 0.95, cluster: ArrayLike | None = None
) -> LogisticRecalibration:
    """Calibration intercept and slope by maximum likelihood.

    Parameters
    ----------
    y_true : array of shape (n,), 0 or 1
    y_prob : array of shape (n,), in [0, 1]
    confidence : float in (0, 1)
    cluster : array of shape (n,), optional
        Which rows belong to one patient. Intervals then use the cluster-robust sandwich variance with the factor
        K / (K - 1), and the likelihood ratio test, which assumes independence, is undefined.

    Returns
    -------
    LogisticRecalibration
        Intervals: Wald, estimate +- z se. What does not exist is NaN, and its ``method`` says why.

    Raises
    ------
    BiomarkError
        For predictions outside [0, 1].

    Notes
    -----
    A prediction of exactly 0 or 1 has an infinite logit. Intercept and slope are then undefined; leaving these
    patients out, as ``rms::val.prob`` does with a warning, would judge the model without its most extreme claims.

    No finite slope exists where all predictions are equal, where there is one class only, or where the predictions
    separate the classes (no negative above some positive) [2]_. Separation is found from the ranks, not from a fit
    that fails to converge.

    References
    ----------
    .. [1] Cox DR. Two further applications of a model for binary regression. Biometrika 1958;45:562-565.
    .. [2] Albert A, Anderson JA. On the existence of maximum likelihood estimates in logistic regression models.
       Biometrika 1984;71:1-10.
    .. [3] Van Calster B et al. A calibration hierarchy for risk models was defined. J Clin Epidemiol 2016;74:167-176.

    Examples
    --------
    >>> y_true = [0, 0, 1, 0, 1, 0, 1, 1]
    >>> result = logistic_recalibration(y_true, [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.8, 0.9])
    >>> round(result.slope.value, 3), round(result.intercept.value, 3)
    (1.244, 0.138)
    >>> logistic_recalibration([0, 1], [0.2, 1.0]).slope.method
    'undefined: 1 prediction of exactly 0 or 1, whose logit is infinite'
    """
    confidence = fraction(confidence, name="confidence")
    positive, prob = outcomes_and_risks(y_true, y_prob)
    codes = None if cluster is None else cluster_codes(cluster, positive.size)
    reason = no_logit(prob) or one_class(positive)
    if reason:
        missing = undefined(reason, confidence)
        return LogisticRecalibration(missing, missing, missing, np.nan, 2, np.nan)
    x = logit(prob)
    robust = "Wald" if codes is None else "Wald, cluster-robust"
    held = fit_logistic(np.ones((x.size, 1)), positive, offset=x, codes=codes)
    intercept = normal_estimate(
        held.coefficients[0], held.errors[0], confidence=confidence, method=f"{robust}, slope 1"
    )
    reason = separation(positive, x)
    if reason:
        missing = undefined(reason, confidence)
        return LogisticRecalibration(intercept, missing, missing, np.nan, 2, np.nan)
    both = fit_logistic(np.column_stack([np.ones(x.size), x]), positive, codes=codes)
    slope, beside = (
        normal_estimate(both.coefficients[k], both.errors[k], confidence=confidence, method=robust)
        for k in (1, 0)
    )
    statistic = p_value = np.nan
    if codes is None:
        statistic = max(0.0, _fit_at(x, positive.astype(np.float64))[1] - both.deviance)
        p_value = float(chdtrc(2.0, statistic))
    return LogisticRecalibration(intercept, slope, beside, float(statistic), 2, p_value)


@dataclass(frozen=True, slots=True)
class LogisticFit:
    """A logistic regression: coefficients and standard errors of shape (k,), deviance."""

    coefficients: list[float]
    errors: list[float]
    deviance: float


def fit_logistic(
    design: FloatArray,
    target: NDArray[np.bool_] | FloatArray,
    *,
    offset: FloatArray | float = 0.0,
    codes: NDArray[np.intp] | None = None,
) -> LogisticFit:
    """Fit a logistic regression by Newton's method, halving a step that does not improve the likelihood.

    Parameters
    ----------
    design : array of shape (n, k)
        The first column is 1.
    target : array of shape (n,), in [0, 1]
        The caller has made sure that a finite maximum exists.
    offset : array of shape (n,), finite
    codes : array of shape (n,), optional
        Clusters for the sandwich variance.
    """
    y = np.asarray(target, dtype=np.float64)
    columns = np.ascontiguousarray(design.T)
    beta = np.zeros(columns.shape[0])
    beta[0] = _first_intercept(y, offset)
    fitted, deviance = _fit_at(beta @ columns + offset, y)
    for _ in range(MOST_STEPS):
        information = (columns * (fitted * (1.0 - fitted))) @ columns.T
        step = np.linalg.lstsq(information, columns @ (y - fitted), rcond=None)[0]
        fitted, tried = _fit_at((beta + step) @ columns + offset, y)
        # A step beyond all numbers has no likelihood, and is worse than any.
        while not tried <= deviance + 1e-10 * abs(deviance) and np.abs(step).max() > 1e-12:
            step = step / 2.0
            fitted, tried = _fit_at((beta + step) @ columns + offset, y)
        beta, deviance = beta + step, tried
        if np.all(np.abs(step) <= 1e-13 * (1.0 + np.abs(beta))):
            break
    inverse = np.linalg.pinv((columns * (fitted * (1.0 - fitted))) @ columns.T)
    if codes is not None:
        scores = np.column_stack([cluster_sums(column * (y - fitted), codes) for column in columns])
        k = scores.shape[0]
        inverse = inverse @ (scores.T @ scores) @ inverse * (k / (k - 1.0) if k > 1 else np.nan)
    return LogisticFit(beta.tolist(), np.sqrt(np.diag(inverse)).tolist(), deviance)


def no_logit(prob: FloatArray) -> str:
    """Say how many predictions have no finite logit; empty where all have."""
    extreme = int(np.count_nonzero((prob == 0.0) | (prob == 1.0)))
    if extreme == 0:
        return ""
    return f"{extreme:,} prediction{'s' if extreme > 1 else ''} of exactly 0 or 1, whose logit is infinite"


def one_class(positive: NDArray[np.bool_]) -> str:
    """Say that a class is absent; empty where both are present."""
    n_pos = int(np.count_nonzero(positive))
    if 0 < n_pos < positive.size:
        return ""
    return f"one class only: {n_pos} positives, {positive.size - n_pos} negatives"


def separation(positive: NDArray[np.bool_], x: FloatArray) -> str:
    """Say why no finite slope on ``x`` exists; empty where one does."""
    of_pos, of_neg = x[positive], x[~positive]
    if x.min() == x.max():
        return "all predictions are equal"
    if of_neg.max() <= of_pos.min():
        return "the predictions separate the classes, the slope grows without bound"
    if of_pos.max() <= of_neg.min():
        return "the predictions separate the classes the wrong way round, the slope falls without bound"
    return ""


def _first_intercept(y: FloatArray, offset: FloatArray | float) -> float:
    """Return an intercept at which as many have odds above 1 as are positive: there no weight is lost."""
    total = float(y.sum())
    if np.ndim(offset) == 0:
        return float(logit(total / y.size)) - float(offset)
    at = y.size - min(max(round(total), 1), y.size)
    return -float(np.partition(offset, at)[at])


def _fit_at(linear: FloatArray, y: FloatArray) -> tuple[FloatArray, float]:
    """Return the fitted probabilities and the deviance, from one exponential that cannot overflow."""
    small = np.exp(-np.abs(linear))
    fitted = np.where(linear >= 0.0, 1.0, small) / (1.0 + small)
    with np.errstate(invalid="ignore", over="ignore"):
        return fitted, 2.0 * float(np.sum(np.log1p(small) + np.maximum(linear, 0.0) - y * linear))
