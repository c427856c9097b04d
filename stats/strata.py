"""Strata of patients, and whether an AUC differs between them."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from ..errors import BiomarkError
from .delong import delong_covariance
from .inputs import binary_labels, finite_scores, fraction
from .results import FloatArray, Result

__all__ = ["AucInteraction", "Strata", "interaction_test", "stratify"]


@dataclass(frozen=True, slots=True)
class Strata(Result):
    """Patients divided into strata.

    Attributes
    ----------
    names : tuple of str
    codes : array of shape (n,)
        Index into ``names``; -1 where the value is missing.
    rule : str
        How they were divided.
    """

    names: tuple[str, ...]
    codes: NDArray[np.intp]
    rule: str


@dataclass(frozen=True, slots=True)
class AucInteraction(Result):
    """Whether an AUC, or the difference of two, is the same in all strata.

    Attributes
    ----------
    estimates, variances : arrays of shape (strata,)
        The AUC, or the difference of the two models' AUCs, in each stratum.
    difference, ci_low, ci_high, confidence : float
        First stratum less second; NaN with more than two strata.
    statistic, df : float
        Chi-square of heterogeneity; with two strata it is z squared.
    p_value : float
    method : str
    """

    estimates: FloatArray
    variances: FloatArray
    difference: float
    ci_low: float
    ci_high: float
    confidence: float
    statistic: float
    df: float
    p_value: float
    method: str


def stratify(values: ArrayLike, *, thresholds: ArrayLike | None = None, unit: str = "") -> Strata:
    """Divide patients by thresholds of a number, or by the values of a category.

    Parameters
    ----------
    values : array of shape (n,)
        Numbers where thresholds are given, else anything that can be told apart; NaN, ``None`` or an empty
        string is missing.
    thresholds : number or array of numbers, optional
        A value equal to a threshold belongs to the stratum below it.
    unit : str
        Written into the names, for instance "mm".

    Returns
    -------
    Strata
        Ordered by value; every stratum of the thresholds is there, an empty one included.

    Raises
    ------
    BiomarkError
        For values that are no numbers where thresholds are given.

    Examples
    --------
    >>> stratify([8.0, 15.0, 22.0, float("nan")], thresholds=15, unit="mm")
    Strata(names=('≤ 15 mm', '> 15 mm'), codes=array([ 0,  0,  1, -1]), rule='by value, thresholds 15 mm')
    >>> stratify(["dense", "fatty", ""]).names
    ('dense', 'fatty')
    """
    if thresholds is None:
        texts = np.array(["" if _absent(value) else str(value) for value in np.asarray(values, dtype=object)])
        names = tuple(str(name) for name in np.unique(texts[texts != ""]))
        codes = np.searchsorted(np.array(names), texts) if names else np.zeros(texts.size, dtype=np.intp)
        return Strata(names, np.where(texts == "", -1, codes).astype(np.intp), "by category")
    try:
        numbers = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise BiomarkError("values must be numbers where thresholds are given") from None
    edges = np.unique(np.atleast_1d(np.asarray(thresholds, dtype=np.float64)))
    if edges.size == 0 or not np.isfinite(edges).all():
        raise BiomarkError("thresholds must be finite numbers")
    suffix = f" {unit}" if unit else ""
    shown = [f"{edge:g}" for edge in edges]
    names = (
        f"≤ {shown[0]}{suffix}",
        *(f"> {low} to {high}{suffix}" for low, high in pairwise(shown)),
        f"> {shown[-1]}{suffix}",
    )
    codes = np.where(np.isnan(numbers), -1, np.searchsorted(edges, numbers, side="left"))
    return Strata(names, codes.astype(np.intp), f"by value, thresholds {', '.join(shown)}{suffix}")


def interaction_test(
    y_true: ArrayLike,
    y_score: ArrayLike,
    stratum: ArrayLike,
    *,
    score_b: ArrayLike | None = None,
    confidence: float = 0.95,
) -> AucInteraction:
    """Test whether the AUC (or the difference of two models' AUCs) is the same in all strata.

    H0: theta_1 = ... = theta_s. Q = sum_k w_k (theta_k - theta_w)^2 with w_k = 1 / Var_k and theta_w the
    weighted mean; chi-square with s - 1 degrees of freedom. With two strata Q = z^2,
    z = (theta_1 - theta_2) / sqrt(Var_1 + Var_2).

    Parameters
    ----------
    y_true : array of shape (n,), 0 or 1
    y_score : array of shape (n,), finite; higher is more positive
    stratum : array of shape (n,)
        Code of each patient; negative codes are left out.
    score_b : array of shape (n,), optional
        A second model: then theta is the difference of the paired AUCs, and the test asks whether the models
        differ more in one stratum than in another.
    confidence : float in (0, 1)

    Returns
    -------
    AucInteraction

    Raises
    ------
    OneClassError
        If a stratum lacks a class.
    BiomarkError
        For fewer than two strata, or fewer than two positives or negatives in one.

    Notes
    -----
    Variances are DeLong's, and strata are independent because no patient is in two. Comparing p-values of the
    strata instead ('significant here, not there') is a mistake that this test replaces. It has little power:
    strata of 40 patients show only very large differences.

    References
    ----------
    Altman DG, Bland JM. BMJ 2003;326:219 (two estimates). Cochran WG. Biometrics 1954;10:101-129 (Q).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> y, size = rng.integers(0, 2, 200), rng.integers(0, 2, 200)
    >>> result = interaction_test(y, y * (1 + size) + rng.normal(size=200), size)
    >>> bool(result.difference < 0), result.df
    (True, 1.0)
    """
    positive = binary_labels(y_true)
    score = finite_scores(y_score, positive.size)
    other = None if score_b is None else finite_scores(score_b, positive.size, name="score_b")
    fraction(confidence, name="confidence")
    codes = np.asarray(stratum)
    if codes.shape != positive.shape:
        raise BiomarkError(f"stratum must have shape {positive.shape}, found {codes.shape}")
    present = np.unique(codes[codes >= 0])
    if present.size < 2:
        raise BiomarkError(f"an interaction needs at least two strata, found {present.size}")
    estimates, variances = np.empty(present.size), np.empty(present.size)
    for k, code in enumerate(present):
        inside = codes == code
        rows = [score[inside]] if other is None else [score[inside], other[inside]]
        aucs, covariance = delong_covariance(positive[inside], np.stack(rows))
        contrast = np.array([1.0]) if other is None else np.array([1.0, -1.0])
        estimates[k], variances[k] = contrast @ aucs, max(float(contrast @ covariance @ contrast), 0.0)
    method = "DeLong variances, chi-square of heterogeneity"
    return heterogeneity(estimates, variances, confidence=confidence, method=method)


def heterogeneity(
    estimates: FloatArray, variances: FloatArray, *, confidence: float, method: str
) -> AucInteraction:
    """Test independent estimates for equality (Cochran's Q)."""
    df = float(estimates.size - 1)
    difference = low = high = float("nan")
    if estimates.size == 2:
        difference = float(estimates[0] - estimates[1])
        half = float(special.ndtri(0.5 + confidence / 2.0) * np.sqrt(variances.sum()))
        low, high = difference - half, difference + half
    if np.ptp(estimates) == 0.0:
        statistic, p_value = 0.0, 1.0
    elif (variances <= 0.0).any() and not (estimates.size == 2 and variances.sum() > 0.0):
        statistic = p_value = float("nan")
        method += "; undefined: an estimated variance is 0"
    else:
        if estimates.size == 2:
            statistic = difference**2 / float(variances.sum())
        else:
            weights = 1.0 / variances
            centre = float(weights @ estimates) / float(weights.sum())
            statistic = float(weights @ (estimates - centre) ** 2)
        p_value = float(special.chdtrc(df, statistic))
    return AucInteraction(
        estimates, variances, difference, low, high, confidence, statistic, df, p_value, method
    )


def _absent(value: object) -> bool:
    return value is None or value == "" or (isinstance(value, float) and np.isnan(value))
