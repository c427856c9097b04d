"""How many patients a comparison of two AUCs of separate groups needs, and the power that it has."""

from __future__ import annotations

from dataclasses import dataclass

from numpy.typing import ArrayLike

from .comparison_plan import Size, comparison_plan
from .inputs import whole_number
from .normal_power import round_up
from .results import Result
from .sample_size import PowerCurve, checked_ratio, power_curve, study_sizes

__all__ = [
    "UnpairedAucSampleSize",
    "unpaired_auc_power",
    "unpaired_auc_power_curve",
    "unpaired_auc_sample_size",
]


@dataclass(frozen=True, slots=True)
class UnpairedAucSampleSize(Result):
    """Patients needed to compare two AUCs of two separate groups, A and B.

    Attributes
    ----------
    n_pos_a, n_neg_a, n_pos_b, n_neg_b, total : int
        Whole patients, each class of each group rounded up; ``total`` is their sum.
    n_pos_a_exact, n_neg_a_exact, n_pos_b_exact, n_neg_b_exact : float
        The same before rounding.
    auc_a, auc_b, null_difference, ratio, allocation, power, alpha, alternative, method
        What was asked.
    achieved_power : float
        Power of the rounded numbers, at least ``power``.
    """

    n_pos_a: int
    n_neg_a: int
    n_pos_b: int
    n_neg_b: int
    total: int
    n_pos_a_exact: float
    n_neg_a_exact: float
    n_pos_b_exact: float
    n_neg_b_exact: float
    auc_a: float
    auc_b: float
    null_difference: float
    ratio: float
    allocation: float
    power: float
    achieved_power: float
    alpha: float
    alternative: str
    method: str


def unpaired_auc_sample_size(
    auc_a: float,
    auc_b: float,
    *,
    ratio: float = 1.0,
    allocation: float = 1.0,
    power: float = 0.8,
    alpha: float = 0.05,
    null_difference: float = 0.0,
    method: str = "obuchowski",
    alternative: str = "two-sided",
) -> UnpairedAucSampleSize:
    """Return the patients needed to show a difference between the AUCs of two separate groups.

    As :func:`~biomark.stats.sample_size_paired.paired_auc_sample_size`, with V = Var_a + Var_b.

    Parameters
    ----------
    auc_a, auc_b, ratio, power, alpha, null_difference, method, alternative
        As in :func:`~biomark.stats.sample_size_paired.paired_auc_sample_size`; both groups have the same
        ``ratio``.
    allocation : float
        Patients of group B per patient of group A, above 0.

    Returns
    -------
    UnpairedAucSampleSize

    Examples
    --------
    >>> size = unpaired_auc_sample_size(0.85, 0.75)
    >>> size.n_pos_a, size.n_neg_a, size.n_pos_b, size.n_neg_b, size.total
    (186, 186, 186, 186, 744)
    """
    plan = comparison_plan(auc_a, auc_b, null_difference, 0.0, alpha, alternative, method)
    ratio, allocation = checked_ratio(ratio), checked_ratio(allocation, name="allocation")
    shares = (1.0, ratio, allocation, allocation * ratio)

    def sizes(n_pos: float) -> tuple[Size, Size]:
        pos_a, neg_a, pos_b, neg_b = (share * n_pos for share in shares)
        return (pos_a, neg_a), (pos_b, neg_b)

    exact = plan.required(power, sizes)
    n_pos_a, n_neg_a, n_pos_b, n_neg_b = (round_up(share * exact) for share in shares)
    return UnpairedAucSampleSize(
        n_pos_a=n_pos_a,
        n_neg_a=n_neg_a,
        n_pos_b=n_pos_b,
        n_neg_b=n_neg_b,
        total=n_pos_a + n_neg_a + n_pos_b + n_neg_b,
        n_pos_a_exact=exact,
        n_neg_a_exact=ratio * exact,
        n_pos_b_exact=allocation * exact,
        n_neg_b_exact=allocation * ratio * exact,
        ratio=ratio,
        allocation=allocation,
        power=float(power),
        achieved_power=plan.power((n_pos_a, n_neg_a), (n_pos_b, n_neg_b)),
        **plan.asked(),
    )


def unpaired_auc_power(
    auc_a: float,
    auc_b: float,
    n_pos_a: int,
    n_neg_a: int,
    n_pos_b: int,
    n_neg_b: int,
    *,
    alpha: float = 0.05,
    null_difference: float = 0.0,
    method: str = "obuchowski",
    alternative: str = "two-sided",
) -> float:
    """Return the power to show a difference between the AUCs of two separate groups of these sizes.

    Parameters
    ----------
    auc_a, auc_b : float
        The true AUCs, strictly between 0 and 1.
    n_pos_a, n_neg_a, n_pos_b, n_neg_b : int
        Positives and negatives of group A and of group B, 1 or more.
    alpha, null_difference, method, alternative
        As in :func:`~biomark.stats.sample_size_paired.paired_auc_sample_size`.

    Returns
    -------
    float

    Examples
    --------
    >>> round(unpaired_auc_power(0.85, 0.75, 186, 186, 186, 186), 3)
    0.8
    """
    size_a = (whole_number(n_pos_a, name="n_pos_a"), whole_number(n_neg_a, name="n_neg_a"))
    size_b = (whole_number(n_pos_b, name="n_pos_b"), whole_number(n_neg_b, name="n_neg_b"))
    return comparison_plan(auc_a, auc_b, null_difference, 0.0, alpha, alternative, method).power(
        size_a, size_b
    )


def unpaired_auc_power_curve(
    auc_a: float,
    auc_b: float,
    total: ArrayLike,
    *,
    ratio: float = 1.0,
    allocation: float = 1.0,
    alpha: float = 0.05,
    null_difference: float = 0.0,
    method: str = "obuchowski",
    alternative: str = "two-sided",
) -> PowerCurve:
    """Return the power of comparisons of two separate groups, of several sizes.

    Parameters
    ----------
    auc_a, auc_b, ratio, allocation, alpha, null_difference, method, alternative
        As in :func:`unpaired_auc_sample_size`.
    total : array of shape (m,), above 0
        Patients of both groups; total / (1 + allocation) of them are in group A, and of either group
        1 / (1 + ratio) are positive, not rounded.

    Returns
    -------
    PowerCurve
        ``n_pos`` and ``n_neg`` are those of both groups.

    Raises
    ------
    BiomarkError
        As :func:`unpaired_auc_sample_size`, and for a total that is not above 0.

    Examples
    --------
    >>> unpaired_auc_power_curve(0.85, 0.75, [372, 744, 1488]).power.round(2).tolist()
    [0.51, 0.8, 0.98]
    """
    plan = comparison_plan(auc_a, auc_b, null_difference, 0.0, alpha, alternative, method)
    totals, ratio = study_sizes(total), checked_ratio(ratio)
    allocation = checked_ratio(allocation, name="allocation")
    in_a, in_b = 1.0 / (1.0 + allocation), allocation / (1.0 + allocation)
    return power_curve(
        totals,
        ratio,
        lambda n_pos, n_neg: plan.power((in_a * n_pos, in_a * n_neg), (in_b * n_pos, in_b * n_neg)),
        alpha=alpha,
        alternative=alternative,
        method=method,
    )
