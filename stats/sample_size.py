"""How many patients a study of one AUC needs, and the power that it has with those at hand.

Two AUCs are in ``sample_size_paired`` and ``sample_size_unpaired``, sensitivity and specificity in
``sample_size_proportion``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from ..errors import BiomarkError
from .inputs import choice, fraction, whole_number
from .normal_power import normal_power, required_size, round_up
from .planned_variance import planned_auc_variance
from .results import FloatArray, Result

__all__ = ["AucSampleSize", "PowerCurve", "auc_power", "auc_power_curve", "auc_sample_size"]

ROUNDING = ("each", "ratio")


@dataclass(frozen=True, slots=True)
class AucSampleSize(Result):
    """Patients needed to tell an AUC from its null value.

    Attributes
    ----------
    n_pos, n_neg, total : int
        Whole patients, rounded by the rule in ``rounding``; ``total`` is their sum.
    n_pos_exact, n_neg_exact : float
        The same before rounding; their ratio is exactly ``ratio``.
    auc, null_auc, ratio, power, alpha, alternative, method, rounding
        What was asked.
    achieved_power : float
        Power of the rounded numbers, at least ``power``.
    """

    n_pos: int
    n_neg: int
    total: int
    n_pos_exact: float
    n_neg_exact: float
    auc: float
    null_auc: float
    ratio: float
    power: float
    achieved_power: float
    alpha: float
    alternative: str
    method: str
    rounding: str


@dataclass(frozen=True, slots=True)
class PowerCurve(Result):
    """Power against the size of a study.

    Attributes
    ----------
    total, n_pos, n_neg, power : arrays of shape (m,)
        Patients in all, of either class (not rounded: the total is split in the given ratio), and the power.
    alpha : float
    alternative, method : str
    """

    total: FloatArray
    n_pos: FloatArray
    n_neg: FloatArray
    power: FloatArray
    alpha: float
    alternative: str
    method: str


def auc_sample_size(
    auc: float,
    *,
    null_auc: float = 0.5,
    ratio: float = 1.0,
    power: float = 0.8,
    alpha: float = 0.05,
    method: str = "obuchowski",
    alternative: str = "two-sided",
    rounding: str = "each",
) -> AucSampleSize:
    """Return the positives and negatives needed to show that an AUC differs from its null value.

    H0: AUC = null_auc. The numbers solve z_alpha sqrt(V(null_auc)) + z_power sqrt(V(auc)) = |auc - null_auc|,
    V the variance that the method plans with ([1]_, eq. 3).

    Parameters
    ----------
    auc : float
        The AUC expected under the alternative, strictly between 0 and 1; it may lie below ``null_auc``.
    null_auc : float
        The AUC under H0, strictly between 0 and 1.
    ratio : float
        Negatives per positive, above 0.
    power, alpha : float
        Power wanted and significance level, strictly between 0 and 1.
    method : {"obuchowski", "hanley-mcneil", "hanley-mcneil-large-sample", "obuchowski-proc"}
        Variance; see :func:`~biomark.stats.planned_variance.planned_auc_variance`.
    alternative : {"two-sided", "one-sided"}
        A one-sided test looks in the direction of ``auc``.
    rounding : {"each", "ratio"}
        ``each`` rounds the positives up and the negatives up; ``ratio`` rounds the positives up and gives
        them ``ratio`` negatives each, rounded up. Both reach the power asked for; the total is the sum.

    Returns
    -------
    AucSampleSize

    Raises
    ------
    BiomarkError
        Where ``auc`` equals ``null_auc``, and for values outside their ranges.

    Notes
    -----
    ``hanley-mcneil`` asks for 3 to 12% more than ``obuchowski`` at ratio 1 and AUCs from 0.6 to 0.95. pROC
    1.18 (``power.roc.test``) prints the unrounded numbers of ``obuchowski-proc`` and knows no null AUC but
    0.5. The normal approximation is poor where fewer than about ten of either class are needed.

    References
    ----------
    .. [1] Obuchowski NA, Lieber ML, Wians FH. ROC curves in clinical chemistry: uses, misuses, and possible
       solutions. Clin Chem 2004;50:1118-1125.

    Examples
    --------
    >>> size = auc_sample_size(0.8)
    >>> size.n_pos, size.n_neg, size.total, round(size.n_pos_exact, 1)
    (13, 13, 26, 12.7)
    >>> auc_sample_size(0.85, null_auc=0.75, ratio=2.0, method="hanley-mcneil").total
    212
    """
    auc, null_auc, ratio = _checked(auc, null_auc, ratio)
    rounding = choice(rounding, ROUNDING, name="rounding")

    def variance_at(area: float, n_pos: float) -> float:
        return planned_auc_variance(area, n_pos, ratio * n_pos, method=method)

    exact = required_size(
        auc - null_auc,
        lambda n_pos: variance_at(null_auc, n_pos),
        lambda n_pos: variance_at(auc, n_pos),
        power=power,
        alpha=alpha,
        alternative=alternative,
    )
    n_pos = round_up(exact)
    n_neg = round_up(ratio * (n_pos if rounding == "ratio" else exact))
    return AucSampleSize(
        n_pos=n_pos,
        n_neg=n_neg,
        total=n_pos + n_neg,
        n_pos_exact=exact,
        n_neg_exact=ratio * exact,
        auc=auc,
        null_auc=null_auc,
        ratio=ratio,
        power=float(power),
        achieved_power=_power(auc, null_auc, n_pos, n_neg, alpha, method, alternative),
        alpha=float(alpha),
        alternative=alternative,
        method=method,
        rounding=rounding,
    )


def auc_power(
    auc: float,
    n_pos: int,
    n_neg: int,
    *,
    null_auc: float = 0.5,
    alpha: float = 0.05,
    method: str = "obuchowski",
    alternative: str = "two-sided",
) -> float:
    """Return the power to show that an AUC differs from its null value with these patients.

    Power = Phi((|auc - null_auc| - z_alpha sqrt(V(null_auc))) / sqrt(V(auc))); rejection in the wrong
    direction is not counted.

    Parameters
    ----------
    auc : float
        The true AUC, strictly between 0 and 1 and other than ``null_auc``.
    n_pos, n_neg : int
        Positives and negatives, 1 or more.
    null_auc, alpha, method, alternative
        As in :func:`auc_sample_size`.

    Returns
    -------
    float

    Raises
    ------
    BiomarkError
        Where ``auc`` equals ``null_auc``, and for values outside their ranges.

    Notes
    -----
    Put in the AUC that was expected before the study. The power at the AUC that was observed in it is a
    restatement of its p-value.

    Examples
    --------
    >>> round(auc_power(0.735, 68, 20), 3)
    0.93
    """
    auc, null_auc, _ = _checked(auc, null_auc, 1.0)
    n_pos, n_neg = whole_number(n_pos, name="n_pos"), whole_number(n_neg, name="n_neg")
    return _power(auc, null_auc, n_pos, n_neg, alpha, method, alternative)


def auc_power_curve(
    auc: float,
    total: ArrayLike,
    *,
    null_auc: float = 0.5,
    ratio: float = 1.0,
    alpha: float = 0.05,
    method: str = "obuchowski",
    alternative: str = "two-sided",
) -> PowerCurve:
    """Return the power of studies of several sizes.

    Parameters
    ----------
    auc, null_auc, ratio, alpha, method, alternative
        As in :func:`auc_sample_size`.
    total : array of shape (m,), above 0
        Patients in all; total / (1 + ratio) of them are positive, not rounded.

    Returns
    -------
    PowerCurve

    Examples
    --------
    >>> curve = auc_power_curve(0.735, [30, 60, 90], ratio=20 / 68)
    >>> curve.power.round(3).tolist()
    [0.481, 0.799, 0.936]
    """
    auc, null_auc, ratio = _checked(auc, null_auc, ratio)
    return power_curve(
        study_sizes(total),
        ratio,
        lambda n_pos, n_neg: _power(auc, null_auc, n_pos, n_neg, alpha, method, alternative),
        alpha=alpha,
        alternative=alternative,
        method=method,
    )


def power_curve(
    totals: FloatArray,
    ratio: float,
    power_of: Callable[[float, float], float],
    *,
    alpha: float,
    alternative: str,
    method: str,
) -> PowerCurve:
    """Return the power that ``power_of`` gives for the positives and negatives of each total, split in a ratio."""
    n_pos = totals / (1.0 + ratio)
    n_neg = totals - n_pos
    power = [power_of(pos, neg) for pos, neg in zip(n_pos.tolist(), n_neg.tolist(), strict=True)]
    return PowerCurve(totals, n_pos, n_neg, np.array(power), float(alpha), alternative, method)


def study_sizes(total: ArrayLike) -> FloatArray:
    """Return the sizes of a power curve as float64 of shape (m,), refusing what is no number of patients."""
    totals = np.atleast_1d(np.asarray(total, dtype=np.float64))
    if totals.ndim != 1 or not (np.isfinite(totals) & (totals > 0.0)).all():
        raise BiomarkError("total must hold numbers of patients above 0, in one dimension")
    return totals


def checked_ratio(ratio: float, *, name: str = "ratio") -> float:
    """Return a ratio of two numbers of patients, above 0."""
    if not 0.0 < ratio < math.inf:
        raise BiomarkError(f"{name} must be a number above 0, found {ratio!r}")
    return float(ratio)


def _power(
    auc: float, null_auc: float, n_pos: float, n_neg: float, alpha: float, method: str, alternative: str
) -> float:
    return normal_power(
        auc - null_auc,
        planned_auc_variance(null_auc, n_pos, n_neg, method=method),
        planned_auc_variance(auc, n_pos, n_neg, method=method),
        alpha=alpha,
        alternative=alternative,
    )


def _checked(auc: float, null_auc: float, ratio: float) -> tuple[float, float, float]:
    auc, null_auc = fraction(auc, name="auc"), fraction(null_auc, name="null_auc")
    if auc == null_auc:
        raise BiomarkError(
            f"auc must differ from null_auc, found {auc:g} for both; give the AUC that is expected, and the "
            "AUC to be ruled out as null_auc"
        )
    return auc, null_auc, checked_ratio(ratio)
