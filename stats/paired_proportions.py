"""Two models judged on the same patients at their cut-offs: McNemar's test and the interval of the difference.

Only the patients on whom the models disagree carry information about which is better; the test is on them,
the interval on all.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from ..errors import BiomarkError
from .inputs import binary_labels, choice, fraction, whole_number
from .proportion import proportion_ci
from .results import Result

__all__ = [
    "PairedAccuracyComparison",
    "paired_accuracy_test",
    "paired_proportion_test",
]

METRICS = ("sensitivity", "specificity", "accuracy")
TESTS = ("exact", "mid-p", "asymptotic", "asymptotic-corrected")
INTERVALS = ("tango", "newcombe")


@dataclass(frozen=True, slots=True)
class PairedAccuracyComparison(Result):
    """Two proportions of the same patients, their difference and its test.

    Attributes
    ----------
    metric : str
        sensitivity, specificity or accuracy; or "proportion" where only counts were given.
    value_a, value_b : float
        The two proportions; NaN where there is no patient to judge them on.
    difference : float
        value_a - value_b.
    ci_low, ci_high, confidence : float
        Interval of the difference.
    interval : str
        How the interval was made.
    p_value : float
        Two-sided, H0: the difference is 0.
    statistic : float
        Chi-square on 1 degree of freedom of the asymptotic tests; NaN for the exact ones.
    method : str
        How p was made.
    n, both, only_a, only_b, neither : int
        Patients that the metric is judged on, and on how many of them both models are right, only one is, or
        none is.
    """

    metric: str
    value_a: float
    value_b: float
    difference: float
    ci_low: float
    ci_high: float
    confidence: float
    interval: str
    p_value: float
    statistic: float
    method: str
    n: int
    both: int
    only_a: int
    only_b: int
    neither: int


def paired_accuracy_test(
    y_true: ArrayLike,
    positive_a: ArrayLike,
    positive_b: ArrayLike,
    *,
    metric: str = "sensitivity",
    method: str = "exact",
    interval: str = "tango",
    confidence: float = 0.95,
) -> PairedAccuracyComparison:
    """Compare the sensitivity, specificity or accuracy of two models on the same patients.

    Parameters
    ----------
    y_true : array of shape (n,), 0 or 1
    positive_a, positive_b : arrays of shape (n,), 0 or 1
        What each model calls the patient, for instance ``score >= threshold``.
    metric : {"sensitivity", "specificity", "accuracy"}
        Judged on the positives, on the negatives, or on all.
    method, interval, confidence
        As in :func:`paired_proportion_test`.

    Returns
    -------
    PairedAccuracyComparison

    Raises
    ------
    BiomarkError
        For arrays of different lengths, values other than 0 and 1, or an unknown option.

    Examples
    --------
    >>> truth = [1, 1, 1, 1, 1, 1, 1, 1, 0, 0]
    >>> a = [1, 1, 1, 1, 1, 1, 1, 0, 0, 1]
    >>> b = [1, 0, 0, 0, 0, 0, 1, 0, 0, 1]
    >>> result = paired_accuracy_test(truth, a, b)
    >>> result.only_a, result.only_b, result.difference, result.p_value
    (5, 0, 0.625, 0.0625)
    """
    metric = choice(metric, METRICS, name="metric")
    truth = binary_labels(y_true, both=False)
    call_a = binary_labels(positive_a, name="positive_a", both=False)
    call_b = binary_labels(positive_b, name="positive_b", both=False)
    for name, call in (("positive_a", call_a), ("positive_b", call_b)):
        if call.size != truth.size:
            raise BiomarkError(f"{name} must have shape ({truth.size},) like y_true, found {call.shape}")
    judged = {"sensitivity": truth, "specificity": ~truth, "accuracy": np.ones_like(truth)}[metric]
    right_a, right_b = (call_a == truth)[judged], (call_b == truth)[judged]
    return paired_proportion_test(
        int(np.count_nonzero(right_a & right_b)),
        int(np.count_nonzero(right_a & ~right_b)),
        int(np.count_nonzero(~right_a & right_b)),
        int(np.count_nonzero(~right_a & ~right_b)),
        metric=metric,
        method=method,
        interval=interval,
        confidence=confidence,
    )


def paired_proportion_test(
    both: int,
    only_a: int,
    only_b: int,
    neither: int,
    *,
    metric: str = "proportion",
    method: str = "exact",
    interval: str = "tango",
    confidence: float = 0.95,
) -> PairedAccuracyComparison:
    """Test the difference of two proportions of the same patients from the four counts (McNemar).

    H0: P(only A is right) = P(only B is right), that is, the two proportions are equal.

    Parameters
    ----------
    both, only_a, only_b, neither : int, 0 or more
        Patients on whom both models are right, only A, only B, none.
    metric : str
        What the result calls the proportions.
    method : {"exact", "mid-p", "asymptotic", "asymptotic-corrected"}
        With b = only_a and c = only_b: ``exact`` doubles the binomial tail of min(b, c) of b + c at 1/2, at
        most 1; ``mid-p`` takes from it the probability of the table itself; ``asymptotic`` is McNemar's
        chi-square (b - c)^2 / (b + c) [1]_; ``asymptotic-corrected`` is (|b - c| - 1)^2 / (b + c), not below
        0.
    interval : {"tango", "newcombe"}
        ``tango`` inverts the score test [2]_, so that at the same level it leaves out 0 just when the
        ``asymptotic`` test rejects; ``newcombe`` joins the two Wilson intervals by square-and-add with the
        continuity-corrected phi coefficient ([3]_, method 10).
    confidence : float
        Level, strictly between 0 and 1.

    Returns
    -------
    PairedAccuracyComparison
        Without any patient value, interval and p are NaN.

    Raises
    ------
    BiomarkError
        For a count that is no whole number of 0 or more, or an unknown option.

    Notes
    -----
    Where the models never disagree p is 1, and the interval is not degenerate. The exact test is
    conservative; mid-p is nearly always below its level and has more power [4]_. Both intervals stay within
    [-1, 1]. An exact p and a score interval can disagree about 0.

    References
    ----------
    .. [1] McNemar Q. Note on the sampling error of the difference between correlated proportions or
       percentages. Psychometrika 1947;12:153-157.
    .. [2] Tango T. Equivalence test and confidence interval for the difference in proportions for the
       paired-sample design. Stat Med 1998;17:891-908.
    .. [3] Newcombe RG. Improved confidence intervals for the difference between binomial proportions based on
       paired data. Stat Med 1998;17:2635-2650.
    .. [4] Fagerland MW, Lydersen S, Laake P. The McNemar test for binary matched-pairs data: mid-p and
       asymptotic are better than exact conditional. BMC Med Res Methodol 2013;13:91.

    Examples
    --------
    >>> result = paired_proportion_test(1, 1, 7, 12, method="mid-p")
    >>> round(result.p_value, 4), round(result.ci_low, 3), round(result.ci_high, 3)
    (0.0391, -0.517, -0.026)
    """
    counts = {"both": both, "only_a": only_a, "only_b": only_b, "neither": neither}
    both, only_a, only_b, neither = (
        whole_number(count, name=name, least=0) for name, count in counts.items()
    )
    method = choice(method, TESTS, name="method")
    interval = choice(interval, INTERVALS, name="interval")
    confidence = fraction(confidence, name="confidence")
    n = both + only_a + only_b + neither
    statistic = p_value = low = high = math.nan
    value_a = value_b = difference = math.nan
    if n > 0:
        value_a, value_b = (both + only_a) / n, (both + only_b) / n
        difference = (only_a - only_b) / n
        p_value, statistic = _mcnemar(only_a, only_b, method)
        if interval == "tango":
            low, high = _tango(only_a, only_b, n, confidence)
        else:
            low, high = _newcombe(both, only_a, only_b, neither, confidence)
    return PairedAccuracyComparison(
        metric=metric,
        value_a=value_a,
        value_b=value_b,
        difference=difference,
        ci_low=low,
        ci_high=high,
        confidence=confidence,
        interval={"tango": "score (Tango 1998)", "newcombe": "square-and-add (Newcombe 1998)"}[interval],
        p_value=p_value,
        statistic=statistic,
        method=f"McNemar, {method}",
        n=n,
        both=both,
        only_a=only_a,
        only_b=only_b,
        neither=neither,
    )


def _mcnemar(b: int, c: int, method: str) -> tuple[float, float]:
    """Return p and, for the asymptotic tests, the chi-square."""
    disagreeing = b + c
    if method in ("exact", "mid-p"):
        from scipy.stats import binom

        tail = 2.0 * float(binom.cdf(min(b, c), disagreeing, 0.5))
        if method == "exact":
            return min(1.0, tail), math.nan
        return min(1.0, tail - float(binom.pmf(min(b, c), disagreeing, 0.5))), math.nan
    if disagreeing == 0:
        return 1.0, 0.0
    apart = abs(b - c) if method == "asymptotic" else max(0, abs(b - c) - 1)
    return 2.0 * float(ndtr(-apart / math.sqrt(disagreeing))), apart**2 / disagreeing


def _tango(b: int, c: int, n: int, confidence: float) -> tuple[float, float]:
    """Solve |b - c - n d| / sqrt(n (2 q + d (1 - d))) = z for d, q the restricted estimate of c's probability.

    q = (sqrt(B^2 - 8 n C) - B) / (4 n) with B = (2 n - b + c) d - b - c and C = -c d (1 - d) (Tango 1998, eq.
    for the maximum of the likelihood at a given difference).
    """
    z = float(ndtri(0.5 + confidence / 2.0))
    estimate = (b - c) / n

    def distance(d: float) -> float:
        linear = (2 * n - b + c) * d - b - c
        root = math.sqrt(max(linear**2 + 8 * n * c * d * (1.0 - d), 0.0))
        q = (root - linear) / (4 * n)
        variance = n * (2.0 * q + d * (1.0 - d))
        apart = b - c - n * d
        return abs(apart) - z * math.sqrt(max(variance, 0.0))

    # Where the models never disagree, or always in one direction, the variance is 0 at the estimate itself, a
    # root that is none: the search begins beside it.
    low = -1.0 if b - c == -n else float(brentq(distance, -1.0, estimate - 1e-12, xtol=1e-15))
    high = 1.0 if b - c == n else float(brentq(distance, estimate + 1e-12, 1.0, xtol=1e-15))
    return low, high


def _newcombe(both: int, b: int, c: int, neither: int, confidence: float) -> tuple[float, float]:
    n = both + b + c + neither
    right = np.array([both + b, both + c])
    (low_a, low_b), (high_a, high_b) = proportion_ci(right, n, method="wilson", confidence=confidence)
    value_a, value_b = right / n
    phi = _corrected_phi(both, b, c, neither)
    below, above = (value_a - low_a, high_b - value_b), (high_a - value_a, value_b - low_b)
    low = value_a - value_b - _joined(*below, phi)
    high = value_a - value_b + _joined(*above, phi)
    return float(low), float(high)


def _joined(first: float, second: float, phi: float) -> float:
    return math.sqrt(first**2 - 2.0 * phi * first * second + second**2)


def _corrected_phi(both: int, b: int, c: int, neither: int) -> float:
    """Correlation of being right, its numerator moved towards 0 by n/2 where it is positive (Newcombe 1998)."""
    margins = (both + b) * (c + neither) * (both + c) * (b + neither)
    if margins == 0:
        return 0.0
    cross = float(both * neither - b * c)
    if cross > 0.0:
        cross = max(cross - (both + b + c + neither) / 2.0, 0.0)
    return cross / math.sqrt(margins)
