"""Whether an AUC, or the difference of two models, is the same in all strata."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import special

from ..errors import BiomarkError
from .auc_contrast import contrast_of
from .clustered import cluster_influence, obuchowski_covariance
from .delong import delong_covariance
from .inputs import binary_labels, cluster_codes, finite_scores, fraction
from .results import FloatArray, Result

__all__ = ["AucInteraction", "interaction_test"]


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


def interaction_test(
    y_true: ArrayLike,
    y_score: ArrayLike,
    stratum: ArrayLike,
    *,
    score_b: ArrayLike | None = None,
    cluster: ArrayLike | None = None,
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
    cluster : array of shape (n,), optional
        Who belongs together (several lesions of one patient). The variances are then Obuchowski's, and a patient
        with lesions in several strata makes their AUCs dependent: with I clusters and U_kc the influence of
        cluster c on theta_k, Cov_kl = I / (I - 1) sum_c U_kc U_lc, and Q is the chi-square of the contrasts
        with that covariance.
    confidence : float in (0, 1)

    Returns
    -------
    AucInteraction

    Raises
    ------
    OneClassError
        If a stratum lacks a class.
    BiomarkError
        For fewer than two strata, or fewer than two positives or negatives (or clusters with one) in a stratum.

    Notes
    -----
    Without clusters variances are DeLong's, and strata are independent because no patient is in two. Comparing
    p-values of the strata instead ('significant here, not there') is a mistake that this test replaces. It has
    little power: strata of 40 patients show only very large differences.

    References
    ----------
    Altman DG, Bland JM. BMJ 2003;326:219 (two estimates). Cochran WG. Biometrics 1954;10:101-129 (Q). Obuchowski
    NA. Biometrics 1997;53:567-578 (clusters).

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
    contrast = np.array([1.0]) if other is None else np.array([1.0, -1.0])
    rows = score[None] if other is None else np.stack([score, other])
    if cluster is not None:
        named = cluster_codes(cluster, positive.size)
        return _clustered_interaction(positive, rows, codes, present, contrast, named, confidence)
    estimates, variances = np.empty(present.size), np.empty(present.size)
    for k, code in enumerate(present):
        inside = codes == code
        aucs, covariance = delong_covariance(positive[inside], rows[:, inside])
        estimates[k], variances[k] = contrast @ aucs, max(float(contrast @ covariance @ contrast), 0.0)
    method = "DeLong variances, chi-square of heterogeneity"
    return heterogeneity(estimates, variances, confidence=confidence, method=method)


def _clustered_interaction(
    positive: NDArray[np.bool_],
    rows: FloatArray,
    codes: NDArray[Any],
    present: NDArray[Any],
    contrast: FloatArray,
    cluster: NDArray[np.intp],
    confidence: float,
) -> AucInteraction:
    """Interaction of strata that may share clusters."""
    n_clusters = int(cluster.max()) + 1
    estimates, variances = np.empty(present.size), np.empty(present.size)
    influence = np.zeros((present.size, n_clusters))
    for k, code in enumerate(present):
        inside = codes == code
        aucs, own = obuchowski_covariance(positive[inside], rows[:, inside], cluster[inside])
        estimates[k], variances[k] = contrast @ aucs, max(float(contrast @ own @ contrast), 0.0)
        for weight, row in zip(contrast, rows, strict=True):
            values = cluster_influence(positive[inside], row[inside], cluster[inside])
            influence[k, : values.size] += weight * values
    covariance = influence @ influence.T * n_clusters / (n_clusters - 1)
    np.fill_diagonal(covariance, variances)
    return correlated_heterogeneity(
        estimates, covariance, confidence=confidence,
        method="Obuchowski covariance, chi-square of heterogeneity",
    )  # fmt: skip


def correlated_heterogeneity(
    estimates: FloatArray, covariance: FloatArray, *, confidence: float, method: str
) -> AucInteraction:
    """Test estimates with a known covariance for equality: Wald's chi-square of all their differences.

    Q = (L theta)' (L S L')^-1 (L theta), L the s - 1 contrasts of each stratum with the next; any other full set of
    contrasts gives the same Q, and a diagonal S gives Cochran's.

    Parameters
    ----------
    estimates : array of shape (strata,)
    covariance : array of shape (strata, strata)
    confidence : float in (0, 1)
    method : str
    """
    variances = np.diag(covariance).copy()
    difference = low = high = float("nan")
    if estimates.size == 2:
        difference = float(estimates[0] - estimates[1])
        spread = max(float(variances.sum() - 2.0 * covariance[0, 1]), 0.0)
        half = float(special.ndtri(0.5 + confidence / 2.0) * np.sqrt(spread))
        low, high = difference - half, difference + half
    tested = contrast_of(estimates, covariance, None, method=method)
    # Every stratum less the next: a redundant contrast means that a variance is 0, not that a model is.
    equal = bool(np.ptp(estimates) == 0.0)
    defined = tested.df == estimates.size - 1
    statistic, p_value = (tested.statistic, tested.p_value) if defined else (float("nan"), float("nan"))
    return AucInteraction(
        estimates, variances, difference, low, high, confidence, 0.0 if equal else statistic,
        float(estimates.size - 1), 1.0 if equal else p_value,
        method if defined or equal else f"{method}; undefined: an estimated variance is 0",
    )  # fmt: skip


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
