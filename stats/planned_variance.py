"""The variance that an AUC will have in a study not yet done, from the AUC and the numbers alone.

Before there are data, a variance needs a model of the scores: two normal distributions of equal spread
(Obuchowski) or two exponential ones (Hanley and McNeil).
"""

from __future__ import annotations

import math
from collections.abc import Callable

from scipy.special import ndtri

from ..errors import BiomarkError
from .auc_interval import hanley_mcneil_variance
from .inputs import choice, fraction

__all__ = ["VARIANCE_METHODS", "binormal_auc_correlation", "planned_auc_variance"]


def planned_auc_variance(auc: float, n_pos: float, n_neg: float, *, method: str = "obuchowski") -> float:
    """Return the variance expected of an AUC in a study with these numbers of patients.

    Parameters
    ----------
    auc : float
        The true AUC, strictly between 0 and 1.
    n_pos, n_neg : float > 0
        Positives and negatives; fractions of a patient are allowed, for planning.
    method : {"obuchowski", "hanley-mcneil", "hanley-mcneil-large-sample", "obuchowski-proc"}
        The model; see the notes.

    Returns
    -------
    float

    Raises
    ------
    BiomarkError
        For an AUC outside (0, 1), a number of patients that is not positive, or another method.

    Notes
    -----
    - ``obuchowski``: normal scores of equal variance, [1]_ (eq. 3), with a = sqrt(2) Phi^-1(AUC):
      0.0099 exp(-a^2/2) [(5 a^2 + 8) / n_pos + (a^2 + 8) / n_neg]. 0.0099 is the published rounding of
      1/(32 pi), and at AUC 0.5 the bracket makes the published 0.0792 (1/n_pos + 1/n_neg). The formula leaves
      out the covariance of the two binormal parameters, so it errs on the large side.
    - ``obuchowski-proc``: the same with 1.414 for sqrt(2), as R's pROC 1.18 has it, to reproduce its output.
      The results differ by less than 1 in 10,000 for AUCs up to 0.95.
    - ``hanley-mcneil``: exponential scores, [2]_ (eq. 1 and 2):
      [A (1 - A) + (n_pos - 1)(Q1 - A^2) + (n_neg - 1)(Q2 - A^2)] / (n_pos n_neg), Q1 = A / (2 - A),
      Q2 = 2 A^2 / (1 + A).
    - ``hanley-mcneil-large-sample``: its leading terms, (Q1 - A^2) / n_neg + (Q2 - A^2) / n_pos, as [2]_ uses
      them for sample sizes.

    References
    ----------
    .. [1] Obuchowski NA, Lieber ML, Wians FH. ROC curves in clinical chemistry: uses, misuses, and possible
       solutions. Clin Chem 2004;50:1118-1125.
    .. [2] Hanley JA, McNeil BJ. The meaning and use of the area under a receiver operating characteristic
       (ROC) curve. Radiology 1982;143:29-36.

    Examples
    --------
    >>> round(planned_auc_variance(0.8, 30, 58), 6)
    0.003243
    >>> round(planned_auc_variance(0.8, 30, 58, method="hanley-mcneil"), 6)
    0.002866
    """
    auc = fraction(auc, name="auc")
    for name, number in (("n_pos", n_pos), ("n_neg", n_neg)):
        if not 0.0 < number < math.inf:
            raise BiomarkError(f"{name} must be a number of patients above 0, found {number!r}")
    return _VARIANCES[choice(method, VARIANCE_METHODS, name="method")](auc, n_pos, n_neg)


def binormal_auc_correlation(
    auc_a: float, auc_b: float, *, corr_pos: float, corr_neg: float, ratio: float = 1.0
) -> float:
    """Return the correlation of two AUCs of the same patients from the correlations of their scores.

    Parameters
    ----------
    auc_a, auc_b : float
        The true AUCs, strictly between 0 and 1.
    corr_pos, corr_neg : float in [-1, 1]
        Correlation of the two models' scores among positives, and among negatives (of scores brought to
        normality, where they are not normal).
    ratio : float
        Negatives per positive.

    Returns
    -------
    float
        The ``correlation`` that :func:`~biomark.stats.sample_size_paired.paired_auc_sample_size` wants; 1
        for a model compared with itself.

    Notes
    -----
    Bivariate normal scores of equal variance, delta method ([1]_, the binormal parameters' covariances at
    b = 1). With a, b = sqrt(2) Phi^-1 of the AUCs, r and s the correlations among positives and negatives,
    and k the ratio, proportional to
    cov = 8 r + 8 s / k + (r^2 + s^2 / k) a b and, from the same with r = s = 1, to
    var_a = 8 + 8 / k + (1 + 1 / k) a^2.
    Unlike pROC's, the variance keeps the covariance of a model's own two parameters, as the covariance does;
    otherwise two identical models would correlate by less than 1.

    References
    ----------
    .. [1] Obuchowski NA, McClish DK. Sample size determination for diagnostic accuracy studies involving
       binormal ROC curve indices. Stat Med 1997;16:1529-1542.

    Examples
    --------
    >>> round(binormal_auc_correlation(0.8, 0.75, corr_pos=0.6, corr_neg=0.4, ratio=2.0), 3)
    0.502
    """
    auc_a, auc_b = fraction(auc_a, name="auc_a"), fraction(auc_b, name="auc_b")
    for name, number in (("corr_pos", corr_pos), ("corr_neg", corr_neg)):
        if not -1.0 <= number <= 1.0:
            raise BiomarkError(f"{name} must lie in [-1, 1], found {number!r}")
    if not 0.0 < ratio < math.inf:
        raise BiomarkError(f"ratio must be a number of negatives per positive above 0, found {ratio!r}")
    a, b = (math.sqrt(2.0) * float(ndtri(auc)) for auc in (auc_a, auc_b))

    def covariance(first: float, second: float, r: float, s: float) -> float:
        return 8.0 * (r + s / ratio) + (r**2 + s**2 / ratio) * first * second

    own = covariance(a, a, 1.0, 1.0) * covariance(b, b, 1.0, 1.0)
    return covariance(a, b, corr_pos, corr_neg) / math.sqrt(own)


def _obuchowski(root_two: float) -> Callable[[float, float, float], float]:
    def variance(auc: float, n_pos: float, n_neg: float) -> float:
        a_squared = (root_two * float(ndtri(auc))) ** 2
        bracket = (5.0 * a_squared + 8.0) / n_pos + (a_squared + 8.0) / n_neg
        return 0.0099 * math.exp(-a_squared / 2.0) * bracket

    return variance


def _hanley_mcneil_large_sample(auc: float, n_pos: float, n_neg: float) -> float:
    q1, q2 = auc / (2.0 - auc), 2.0 * auc**2 / (1.0 + auc)
    return (q1 - auc**2) / n_neg + (q2 - auc**2) / n_pos


_VARIANCES: dict[str, Callable[[float, float, float], float]] = {
    "obuchowski": _obuchowski(math.sqrt(2.0)),
    "hanley-mcneil": hanley_mcneil_variance,
    "hanley-mcneil-large-sample": _hanley_mcneil_large_sample,
    "obuchowski-proc": _obuchowski(1.414),
}
VARIANCE_METHODS = tuple(_VARIANCES)
