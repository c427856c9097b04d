"""DeLong's variance of the AUC and the tests made from it (DeLong, DeLong and Clarke-Pearson 1988)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from ..errors import BiomarkError
from .auc_contrast import AucContrast, contrast_of
from .inputs import binary_labels, finite_scores, fraction, real_numbers
from .newcombe_interval import recovered_bounds
from .placement import TieGroups, placement_values, tie_groups
from .results import FloatArray, Result
from .roc import auc_of

__all__ = [
    "AucComparison",
    "AucContrast",
    "delong_contrast_test",
    "delong_covariance",
    "delong_test",
    "delong_test_unpaired",
]


@dataclass(frozen=True, slots=True)
class AucComparison(Result):
    """Two AUCs compared.

    Attributes
    ----------
    auc_a, auc_b, difference : float
        ``difference`` is ``auc_a - auc_b``.
    ci_low, ci_high, confidence : float
        Interval of the difference, within [-1, 1].
    statistic, df : float
        z (``df`` infinite) or t with ``df`` degrees of freedom.
    p_value : float
        Two-sided. NaN where the AUCs differ but their difference has an estimated variance of 0.
    variance : float
        Of the difference.
    method : str
    """

    auc_a: float
    auc_b: float
    difference: float
    ci_low: float
    ci_high: float
    confidence: float
    statistic: float
    df: float
    p_value: float
    variance: float
    method: str


def delong_variance_of(groups: TieGroups, area: float | None = None) -> float:
    """DeLong's variance of the AUC from tie groups (eq. 4 to 6 with one curve); ``area`` is the AUC, if known.

    NaN where a class has one member only, since a sample variance then has no degrees of freedom.
    """
    n_pos, n_neg = int(groups.n_pos.sum()), int(groups.n_neg.sum())
    if n_pos < 2 or n_neg < 2:
        return float("nan")
    below = np.cumsum(groups.n_neg) - 0.5 * groups.n_neg
    above = n_pos - np.cumsum(groups.n_pos) + 0.5 * groups.n_pos
    area = auc_of(groups) if area is None else area
    # Deviations before squares: the sum of squares itself would lose digits near an AUC of 1.
    s10 = np.dot(groups.n_pos, np.square(below / n_neg - area)) / (n_pos - 1)
    s01 = np.dot(groups.n_neg, np.square(above / n_pos - area)) / (n_neg - 1)
    return float(s10 / n_pos + s01 / n_neg)


def delong_covariance(y_true: ArrayLike, scores: ArrayLike) -> tuple[FloatArray, FloatArray]:
    """AUCs of several scores of the same patients and their covariance matrix (DeLong 1988, eq. 4 to 6).

    Parameters
    ----------
    y_true : array of shape (n,), 0 or 1; at least two of each
    scores : array of shape (k, n), finite; higher is more positive

    Returns
    -------
    aucs : array of shape (k,)
    covariance : array of shape (k, k)
        S10 / n_pos + S01 / n_neg, with S10 and S01 the sample covariances of the placement values.

    Raises
    ------
    OneClassError
        If one class is absent.
    BiomarkError
        For fewer than two positives or negatives, or scores of another shape.

    Notes
    -----
    Ties count one half. Placement values come from one sort per score, so the cost is O(k n log n)
    (the idea of Sun and Xu 2014).

    References
    ----------
    DeLong ER, DeLong DM, Clarke-Pearson DL. Biometrics 1988;44:837-845, eq. 4 to 6.
    Sun X, Xu W. IEEE Signal Process Lett 2014;21:1389-1393.

    Examples
    --------
    >>> aucs, covariance = delong_covariance([0, 0, 1, 1, 1], [[1, 3, 2, 4, 5], [2, 1, 4, 3, 5]])
    >>> aucs.round(4).tolist(), covariance.round(4).tolist()
    ([0.8333, 1.0], [[0.0556, 0.0], [0.0, 0.0]])
    """
    positive = binary_labels(y_true)
    matrix = real_numbers(scores, name="scores")
    if matrix.ndim != 2 or matrix.shape[1] != positive.size or matrix.shape[0] == 0:
        raise BiomarkError(f"scores must have shape (k, {positive.size}), found {matrix.shape}")
    v10, v01 = _placements(positive, [finite_scores(row, positive.size, name="scores") for row in matrix])
    return v10.mean(axis=1), _covariance(v10) / v10.shape[1] + _covariance(v01) / v01.shape[1]


def delong_test(
    y_true: ArrayLike, score_a: ArrayLike, score_b: ArrayLike, *, confidence: float = 0.95
) -> AucComparison:
    """Compare two correlated AUCs of the same patients (DeLong 1988).

    H0: AUC_a = AUC_b. z = (AUC_a - AUC_b) / sqrt(Var_a + Var_b - 2 Cov_ab), variances from the placement
    values.

    Parameters
    ----------
    y_true : array of shape (n,), 0 or 1; at least two of each
    score_a, score_b : arrays of shape (n,), finite; higher is more positive
    confidence : float in (0, 1)

    Returns
    -------
    AucComparison
        Two-sided p-value and Wald interval of ``auc_a - auc_b``.

    Raises
    ------
    OneClassError
        If one class is absent.
    BiomarkError
        For fewer than two positives or negatives.

    Notes
    -----
    Ties count one half. Identical or rank-equivalent scores give difference 0, statistic 0 and p = 1, and the
    interval from 0 to 0. Other scores may leave no variance either (both AUCs 1, say): the interval is then
    recovered from Newcombe's interval of each AUC. Where the AUCs differ and yet every placement differs by the
    same amount, the estimated variance is 0 and DeLong's test is undefined: p is NaN (`permutation_test` still
    answers). The variance of the difference is taken from the differences of the placement values: the same
    number without the cancellation.

    With few patients of one class the test rejects too often: for two AUCs of 0.6, simulated type I error at 5%
    was 7 to 8% with nine patients of one class among 88, and 10 to 11% with three among 30; at an AUC of 0.98 it
    hardly rejects (docs/simulation.md).

    References
    ----------
    DeLong ER, DeLong DM, Clarke-Pearson DL. Biometrics 1988;44:837-845, eq. 4 to 9.

    Examples
    --------
    >>> result = delong_test([0, 0, 0, 1, 1, 1], [1, 2, 4, 3, 5, 6], [1, 5, 2, 4, 3, 6])
    >>> round(result.difference, 4), round(result.p_value, 4)
    (0.1111, 0.7237)
    """
    positive = binary_labels(y_true)
    fraction(confidence, name="confidence")
    v10, v01 = _placements(
        positive,
        [
            finite_scores(score_a, positive.size, name="score_a"),
            finite_scores(score_b, positive.size, name="score_b"),
        ],
    )
    auc_a, auc_b = (float(value) for value in v10.mean(axis=1))
    d10, d01 = v10[0] - v10[1], v01[0] - v01[1]
    difference = float(d10.mean())
    # A placement is a number of half wins over other.size, so differences closer than half of one are
    # equal but for rounding; equal ones must give exactly 0, which a variance about a rounded mean does not.
    variance = sum(
        float(np.var(d, ddof=1)) / d.size if np.ptp(d) * other.size > 0.25 else 0.0
        for d, other in ((d10, d01), (d01, d10))
    )
    sizes = None
    if not variance > 0.0 and not _same_ranks(score_a, score_b):
        n_pos = int(np.count_nonzero(positive))
        sizes = ((n_pos, positive.size - n_pos),) * 2
    return comparison_of(
        auc_a, auc_b, difference, variance, np.inf, confidence, "DeLong, paired", sizes=sizes
    )


def delong_test_unpaired(
    y_true_a: ArrayLike,
    score_a: ArrayLike,
    y_true_b: ArrayLike,
    score_b: ArrayLike,
    *,
    confidence: float = 0.95,
) -> AucComparison:
    """Compare the AUCs of two independent groups of patients, as pROC does.

    H0: AUC_a = AUC_b. t = (AUC_a - AUC_b) / sqrt(Var_a + Var_b) with Welch-Satterthwaite degrees of freedom
    (Var_a + Var_b)^2 / (Var_a^2 / (n_a - 1) + Var_b^2 / (n_b - 1)), n counting all patients of a group.

    Parameters
    ----------
    y_true_a, y_true_b : arrays of shape (n_a,) and (n_b,), 0 or 1; at least two of each class
    score_a, score_b : arrays of shape (n_a,) and (n_b,), finite; higher is more positive
    confidence : float in (0, 1)

    Returns
    -------
    AucComparison
        Two-sided p-value and interval of ``auc_a - auc_b``, both from the t distribution.

    Raises
    ------
    OneClassError
        If one class is absent from a group.
    BiomarkError
        For fewer than two positives or negatives in a group.

    Notes
    -----
    Other programs use the normal distribution here and give smaller p-values in small samples.

    References
    ----------
    DeLong 1988 for the variances; Welch BL. Biometrika 1947;34:28-35 for the degrees of freedom.

    Examples
    --------
    >>> result = delong_test_unpaired([0, 0, 1, 1], [1, 3, 2, 4], [0, 0, 1, 1], [1, 2, 3, 4])
    >>> result.difference, round(result.p_value, 4)
    (-0.25, 0.5305)
    """
    fraction(confidence, name="confidence")
    areas, variances, sizes, classes = [], [], [], []
    for which, labels, score in (("a", y_true_a, score_a), ("b", y_true_b, score_b)):
        positive = binary_labels(labels, name=f"y_true_{which}")
        groups = tie_groups(
            positive, finite_scores(score, positive.size, name=f"score_{which}", of=f"y_true_{which}")
        )
        _at_least_two(positive.size - int(groups.n_neg.sum()), int(groups.n_neg.sum()), f" in group {which}")
        areas.append(auc_of(groups))
        variances.append(delong_variance_of(groups))
        sizes.append(positive.size)
        classes.append((int(groups.n_pos.sum()), int(groups.n_neg.sum())))
    total = sum(variances)
    with np.errstate(invalid="ignore", divide="ignore"):
        df = float(
            np.float64(total) ** 2 / sum(v**2 / (n - 1) for v, n in zip(variances, sizes, strict=True))
        )
    return comparison_of(
        areas[0], areas[1], areas[0] - areas[1], total, df, confidence, "DeLong, unpaired (Welch t)",
        sizes=(classes[0], classes[1]),
    )  # fmt: skip


def delong_contrast_test(
    y_true: ArrayLike, scores: ArrayLike, *, contrast: ArrayLike | None = None
) -> AucContrast:
    """Test several AUCs of the same patients at once (DeLong 1988, eq. 8).

    H0: L theta = 0. Chi-square = (L theta)' (L S L')^-1 (L theta), with as many degrees of freedom as L S L'
    has rank.

    Parameters
    ----------
    y_true : array of shape (n,), 0 or 1; at least two of each
    scores : array of shape (k, n), k >= 2, finite; higher is more positive
    contrast : array of shape (r, k), optional
        Rows that sum to 0; by default all AUCs are equal.

    Returns
    -------
    AucContrast

    Raises
    ------
    BiomarkError
        For fewer than two scores, or a contrast of another shape or with rows that do not sum to 0.

    Notes
    -----
    Rank-equivalent scores make the covariance singular; the pseudo-inverse and the rank then leave the
    redundant contrast out. All scores equivalent: statistic 0, 0 degrees of freedom, p = 1.

    The chi-square needs patients of both classes: with three models of AUC 0.6 and a correlation of 0.5 its
    simulated type I error at 5% was 10 to 12% with nine patients of one class among 88, and 22 to 25% with
    three among 30 (docs/simulation.md).

    References
    ----------
    DeLong ER, DeLong DM, Clarke-Pearson DL. Biometrics 1988;44:837-845, eq. 8 and 9.

    Examples
    --------
    >>> y = [0, 0, 0, 0, 1, 1, 1, 1]
    >>> scores = [[1, 2, 3, 5, 4, 6, 7, 8], [1, 6, 3, 4, 2, 5, 7, 8], [3, 2, 8, 1, 5, 4, 6, 7]]
    >>> result = delong_contrast_test(y, scores)
    >>> result.df, round(result.p_value, 3)
    (2.0, 0.452)
    """
    aucs, covariance = delong_covariance(y_true, scores)
    return contrast_of(aucs, covariance, contrast, method="DeLong, contrast chi-square")


def _placements(positive: np.ndarray, scores: list[FloatArray]) -> tuple[FloatArray, FloatArray]:
    n_pos = int(np.count_nonzero(positive))
    _at_least_two(n_pos, positive.size - n_pos)
    pairs = [placement_values(positive, score) for score in scores]
    return np.stack([v10 for v10, _ in pairs]), np.stack([v01 for _, v01 in pairs])


def _same_ranks(score_a: ArrayLike, score_b: ArrayLike) -> bool:
    """Whether both scores order all patients alike, ties included."""
    a, b = (np.unique(np.asarray(score), return_inverse=True)[1] for score in (score_a, score_b))
    return bool(np.array_equal(a, b))


def _at_least_two(n_pos: int, n_neg: int, where: str = "") -> None:
    if n_pos < 2 or n_neg < 2:
        raise BiomarkError(
            "DeLong's variance needs at least two positives and two negatives, "
            f"found {n_pos} and {n_neg}{where}"
        )


def _covariance(values: FloatArray) -> FloatArray:
    centred = values - values.mean(axis=1, keepdims=True)
    return np.asarray(centred @ centred.T / (values.shape[1] - 1))


def comparison_of(
    auc_a: float,
    auc_b: float,
    difference: float,
    variance: float,
    df: float,
    confidence: float,
    method: str,
    *,
    sizes: tuple[tuple[int, int], tuple[int, int]] | None = None,
) -> AucComparison:
    """Return the comparison of two AUCs whose difference has this variance; z where ``df`` is infinite.

    ``sizes``, the positives and negatives of both, give a difference without variance an interval all the same.
    """
    if variance > 0.0:
        se = float(np.sqrt(variance))
        statistic = difference / se
        if np.isinf(df):
            p_value = 2.0 * float(special.ndtr(-abs(statistic)))
            quantile = float(special.ndtri(0.5 + confidence / 2.0))
        else:
            p_value = 2.0 * float(special.stdtr(df, -abs(statistic)))
            quantile = float(special.stdtrit(df, 0.5 + confidence / 2.0))
        low, high = max(difference - quantile * se, -1.0), min(difference + quantile * se, 1.0)
    elif difference == 0.0:
        statistic, p_value, low, high = 0.0, 1.0, 0.0, 0.0
    else:
        statistic, p_value = float(np.copysign(np.inf, difference)), float("nan")
        low = high = float("nan")
        method += "; undefined: the estimated variance of the difference is 0"
    if not variance > 0.0 and sizes is not None:
        low, high = recovered_bounds((auc_a, auc_b), sizes, confidence)
        method += "; interval recovered from Newcombe's of each AUC, the estimated variance being 0"
    return AucComparison(
        auc_a, auc_b, difference, low, high, confidence, statistic, df, p_value, variance, method
    )
