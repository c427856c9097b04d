"""The test that a characteristic does not differ between groups: the right one for its kind, named."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from ..errors import BiomarkError
from .exact_tables import fisher_exact_test
from .results import FloatArray, Result

__all__ = ["GroupTest", "categorical_group_test", "mean_group_test", "rank_group_test"]

# As R: without ties and with fewer patients than this in both groups, ranks are tested exactly.
EXACT_BELOW = 50


@dataclass(frozen=True, slots=True)
class GroupTest(Result):
    """A test of equality between groups.

    Attributes
    ----------
    test : str
        Its name; empty where there is none.
    statistic, df, df_within, p_value : float
        NaN where the test has none, or where it is undefined.
    note : str
        Why it is undefined; empty where it is not.
    """

    test: str
    statistic: float
    df: float
    df_within: float
    p_value: float
    note: str


def mean_group_test(groups: list[FloatArray]) -> GroupTest:
    """Welch's t test of two means, or Welch's one-way analysis of variance of more [1]_; variances may differ.

    Parameters
    ----------
    groups : list of arrays of shape (n_g,), finite
        At least two groups; empty ones play no part.

    Returns
    -------
    GroupTest
        Of two groups, t = (mean of the first - mean of the second) / se and Satterthwaite's df; of more, F with df and
        df_within.

    Notes
    -----
    A group of one patient has no variance, and groups without any spread (a standard deviation below 1e-12 of the
    largest absolute value) leave nothing to judge a difference by: the test is then undefined.

    With strongly skewed (log-normal) values and groups of unequal size it rejects somewhat too often: 5 to 8% of
    simulated sets of 30 to 2,000 patients, 8% of 88 in three groups (docs/simulation.md); ranks keep their level there.

    References
    ----------
    .. [1] Welch BL. On the comparison of several mean values: an alternative approach. Biometrika 1951;38:330-336.

    Examples
    --------
    >>> import numpy as np
    >>> result = mean_group_test([np.array([1.0, 2, 3, 4]), np.array([3.0, 5, 7, 9])])
    >>> result.test, round(result.p_value, 4)
    ("Welch's t test", 0.0665)
    """
    filled = [group for group in groups if group.size]
    test = "Welch's t test" if len(filled) <= 2 else "Welch's ANOVA"
    if len(filled) < 2:
        return _undefined(test, "one group only")
    if min(group.size for group in filled) < 2:
        return _undefined(test, "a group of one patient has no variance")
    # A common factor changes no test, and keeps squares of tiny or huge numbers in range.
    largest = max(float(np.abs(group).max()) for group in filled)
    filled = [group / largest for group in filled] if largest > 0.0 else filled
    means = np.array([group.mean() for group in filled])
    sizes = np.array([group.size for group in filled], dtype=np.float64)
    squares = np.array([group.var(ddof=1) for group in filled]) / sizes
    # A mean of equal numbers can be off by a rounding error, and so can their variance; the largest number is 1.
    flat = squares * sizes <= 1e-24
    if len(filled) == 2:
        if flat.all():
            return _undefined(test, "no spread within the groups")
        t = (means[0] - means[1]) / np.sqrt(squares.sum())
        df = squares.sum() ** 2 / np.sum(squares**2 / (sizes - 1.0))
        return GroupTest(test, float(t), float(df), np.nan, float(2.0 * stats.t.sf(abs(t), df)), "")
    if flat.any():
        return _undefined(test, "no spread within a group")
    weight = 1.0 / squares
    k, centre = len(filled), np.sum(weight * means) / weight.sum()
    uneven = np.sum((1.0 - weight / weight.sum()) ** 2 / (sizes - 1.0)) / (k**2 - 1.0)
    f = np.sum(weight * (means - centre) ** 2) / ((k - 1.0) * (1.0 + 2.0 * (k - 2.0) * uneven))
    within = 1.0 / (3.0 * uneven)
    return GroupTest(test, float(f), k - 1.0, float(within), float(stats.f.sf(f, k - 1.0, within)), "")


def rank_group_test(groups: list[FloatArray]) -> GroupTest:
    """Mann-Whitney test of two groups, or Kruskal-Wallis test of more.

    Parameters
    ----------
    groups : list of arrays of shape (n_g,), finite
        At least two groups; empty ones play no part.

    Returns
    -------
    GroupTest
        Of two groups the statistic is U of the first: pairs in which its patient is higher, ties one half. Without ties
        and with fewer than 50 patients in both groups p is exact, else normal with corrections for ties and continuity
        (R's rule). Of more groups H, corrected for ties, is referred to chi-square.

    Notes
    -----
    The hypothesis is that a patient of one group is as likely to be higher as to be lower than one of another, not
    that medians are equal.

    Examples
    --------
    >>> import numpy as np
    >>> result = rank_group_test([np.array([1.0, 2, 3, 4]), np.array([3.5, 5, 7, 9])])
    >>> result.test, round(result.p_value, 4)
    ('Mann-Whitney test, exact', 0.0571)
    """
    filled = [group for group in groups if group.size]
    test = "Mann-Whitney test" if len(filled) <= 2 else "Kruskal-Wallis test"
    if len(filled) < 2:
        return _undefined(test, "one group only")
    pooled = np.concatenate(filled)
    distinct = np.unique(pooled).size
    if distinct == 1:
        return _undefined(test, "all values are equal")
    if len(filled) == 2:
        exact = distinct == pooled.size and max(group.size for group in filled) < EXACT_BELOW
        u, p = stats.mannwhitneyu(filled[0], filled[1], method="exact" if exact else "asymptotic")
        return GroupTest(
            f"{test}, exact" if exact else test, float(u), np.nan, np.nan, min(1.0, float(p)), ""
        )
    h, p = stats.kruskal(*filled)
    return GroupTest(test, float(h), len(filled) - 1.0, np.nan, float(p), "")


def categorical_group_test(counts: ArrayLike) -> GroupTest:
    """Pearson's chi-square test, or Fisher's exact test where expected counts are small.

    Fisher's test takes the place of chi-square where an expected count is below 1 or more than a fifth of them are
    below 5 [1]_.

    Parameters
    ----------
    counts : array of shape (levels, groups), whole numbers of 0 or more
        Empty levels and groups play no part.

    Returns
    -------
    GroupTest
        Chi-square is without continuity correction, for 2 x 2 tables too. Fisher's test has no statistic.

    Raises
    ------
    BiomarkError
        For what is no table of counts.

    References
    ----------
    .. [1] Cochran WG. Some methods for strengthening the common chi-square tests. Biometrics 1954;10:417-451.

    Examples
    --------
    >>> result = categorical_group_test([[232, 68], [68, 20]])
    >>> result.test, round(result.p_value, 3)
    ('chi-square test', 0.99)
    """
    table: NDArray[np.float64] = np.asarray(counts, dtype=np.float64)
    if table.ndim != 2 or not (np.isfinite(table).all() and (table >= 0).all()):
        raise BiomarkError("counts must be whole numbers of 0 or more, of shape (levels, groups)")
    table = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    if table.size == 0 or table.shape[1] < 2:
        return _undefined("chi-square test", "one group only")
    if table.shape[0] < 2:
        return _undefined("chi-square test", "one level only")
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0) / table.sum()
    if expected.min() < 1.0 or np.mean(expected < 5.0) > 0.2:
        found = fisher_exact_test(table)
        return GroupTest(found.method, np.nan, np.nan, np.nan, found.p_value, "")
    statistic = float(np.sum((table - expected) ** 2 / expected))
    df = (table.shape[0] - 1.0) * (table.shape[1] - 1.0)
    return GroupTest("chi-square test", statistic, df, np.nan, float(stats.chi2.sf(statistic, df)), "")


def _undefined(test: str, reason: str) -> GroupTest:
    return GroupTest(test, np.nan, np.nan, np.nan, np.nan, f"{test} undefined: {reason}")
