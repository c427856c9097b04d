"""How many patients a comparison of two models on the same patients needs, and the power that it has."""

from __future__ import annotations

from dataclasses import dataclass

from numpy.typing import ArrayLike

from .comparison_plan import comparison_plan
from .inputs import whole_number
from .normal_power import round_up
from .results import Result
from .sample_size import PowerCurve, checked_ratio, power_curve, study_sizes

__all__ = ["PairedAucSampleSize", "paired_auc_power", "paired_auc_power_curve", "paired_auc_sample_size"]


@dataclass(frozen=True, slots=True)
class PairedAucSampleSize(Result):
    """Patients needed to compare two models on the same patients.

    Attributes
    ----------
    n_pos, n_neg, total : int
        Whole patients, each class rounded up; ``total`` is their sum.
    n_pos_exact, n_neg_exact : float
        The same before rounding.
    auc_a, auc_b, null_difference, correlation, ratio, power, alpha, alternative, method
        What was asked.
    achieved_power : float
        Power of the rounded numbers, at least ``power``.
    """

    n_pos: int
    n_neg: int
    total: int
    n_pos_exact: float
    n_neg_exact: float
    auc_a: float
    auc_b: float
    null_difference: float
    correlation: float
    ratio: float
    power: float
    achieved_power: float
    alpha: float
    alternative: str
    method: str


def paired_auc_sample_size(
    auc_a: float,
    auc_b: float,
    *,
    correlation: float = 0.5,
    ratio: float = 1.0,
    power: float = 0.8,
    alpha: float = 0.05,
    null_difference: float = 0.0,
    method: str = "obuchowski",
    alternative: str = "two-sided",
) -> PairedAucSampleSize:
    """Return the patients needed to show a difference between two AUCs of the same patients.

    H0: auc_a - auc_b = null_difference. The numbers solve z_alpha sqrt(V0) + z_power sqrt(V1) =
    |auc_a - auc_b - null_difference|, with V = Var_a + Var_b - 2 correlation sqrt(Var_a Var_b), under H1 at
    the two AUCs and under H0 at the nearest pair whose difference is the null one ([1]_, eq. 4, made
    symmetric).

    Parameters
    ----------
    auc_a, auc_b : float
        The AUCs expected, strictly between 0 and 1.
    correlation : float
        Correlation of the two estimated AUCs, strictly between -1 and 1; from the correlations of the scores
        by :func:`~biomark.stats.planned_variance.binormal_auc_correlation`, or from a pilot's DeLong
        covariance.
    ratio : float
        Negatives per positive, above 0.
    power, alpha : float
        Power wanted and significance level, strictly between 0 and 1.
    null_difference : float
        auc_a - auc_b under H0: 0 for superiority, minus the margin for non-inferiority of A (one-sided).
    method : {"obuchowski", "hanley-mcneil", "hanley-mcneil-large-sample", "obuchowski-proc"}
        Variance; see :func:`~biomark.stats.planned_variance.planned_auc_variance`.
    alternative : {"two-sided", "one-sided"}
        A one-sided test looks in the direction of the expected difference.

    Returns
    -------
    PairedAucSampleSize

    Raises
    ------
    BiomarkError
        Where the expected difference is the null one, where no pair of AUCs in (0, 1) satisfies H0, and for
        values outside their ranges.

    Notes
    -----
    Exchanging A and B (and the sign of ``null_difference``) leaves the answer as it is. pROC's
    ``power.roc.test`` puts twice the variance of its first curve into V0 and differs from this for that
    reason. The nearest null pair is (m + d/2, m - d/2), m the mean of the two AUCs and d the null difference.

    References
    ----------
    .. [1] Obuchowski NA, Lieber ML, Wians FH. ROC curves in clinical chemistry: uses, misuses, and possible
       solutions. Clin Chem 2004;50:1118-1125.
    .. [2] Hanley JA, McNeil BJ. A method of comparing the areas under receiver operating characteristic
       curves derived from the same cases. Radiology 1983;148:839-843 (tables of the correlation).

    Examples
    --------
    >>> size = paired_auc_sample_size(0.85, 0.75, correlation=0.5)
    >>> size.n_pos, size.n_neg
    (94, 94)
    >>> paired_auc_sample_size(0.75, 0.85, correlation=0.5).total == size.total
    True
    """
    plan = comparison_plan(auc_a, auc_b, null_difference, correlation, alpha, alternative, method)
    ratio = checked_ratio(ratio)
    exact = plan.required(power, lambda n_pos: ((n_pos, ratio * n_pos), (n_pos, ratio * n_pos)))
    n_pos, n_neg = round_up(exact), round_up(ratio * exact)
    return PairedAucSampleSize(
        n_pos=n_pos,
        n_neg=n_neg,
        total=n_pos + n_neg,
        n_pos_exact=exact,
        n_neg_exact=ratio * exact,
        correlation=float(correlation),
        ratio=ratio,
        power=float(power),
        achieved_power=plan.power((n_pos, n_neg), (n_pos, n_neg)),
        **plan.asked(),
    )


def paired_auc_power(
    auc_a: float,
    auc_b: float,
    n_pos: int,
    n_neg: int,
    *,
    correlation: float = 0.5,
    alpha: float = 0.05,
    null_difference: float = 0.0,
    method: str = "obuchowski",
    alternative: str = "two-sided",
) -> float:
    """Return the power to show a difference between two AUCs with these patients, read by both models.

    Parameters
    ----------
    auc_a, auc_b : float
        The true AUCs, strictly between 0 and 1.
    n_pos, n_neg : int
        Positives and negatives, 1 or more.
    correlation, alpha, null_difference, method, alternative
        As in :func:`paired_auc_sample_size`.

    Returns
    -------
    float

    Examples
    --------
    >>> round(paired_auc_power(0.85, 0.75, 94, 94, correlation=0.5), 3)
    0.803
    """
    size = (whole_number(n_pos, name="n_pos"), whole_number(n_neg, name="n_neg"))
    plan = comparison_plan(auc_a, auc_b, null_difference, correlation, alpha, alternative, method)
    return plan.power(size, size)


def paired_auc_power_curve(
    auc_a: float,
    auc_b: float,
    total: ArrayLike,
    *,
    correlation: float = 0.5,
    ratio: float = 1.0,
    alpha: float = 0.05,
    null_difference: float = 0.0,
    method: str = "obuchowski",
    alternative: str = "two-sided",
) -> PowerCurve:
    """Return the power of paired comparisons of several sizes.

    Parameters
    ----------
    auc_a, auc_b, correlation, ratio, alpha, null_difference, method, alternative
        As in :func:`paired_auc_sample_size`.
    total : array of shape (m,), above 0
        Patients in all; total / (1 + ratio) of them are positive, not rounded.

    Returns
    -------
    PowerCurve

    Examples
    --------
    >>> paired_auc_power_curve(0.85, 0.75, [100, 188, 400]).power.round(2).tolist()
    [0.53, 0.8, 0.98]
    """
    plan = comparison_plan(auc_a, auc_b, null_difference, correlation, alpha, alternative, method)
    return power_curve(
        study_sizes(total),
        checked_ratio(ratio),
        lambda n_pos, n_neg: plan.power((n_pos, n_neg), (n_pos, n_neg)),
        alpha=alpha,
        alternative=alternative,
        method=method,
    )
