"""Superiority, non-inferiority and equivalence of two AUCs, with a margin stated in advance."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import special

from ..errors import BiomarkError
from .delong import AucComparison
from .inputs import fraction
from .results import Result

__all__ = ["MarginTest", "equivalence_test", "noninferiority_test", "superiority_test"]


@dataclass(frozen=True, slots=True)
class MarginTest(Result):
    """A difference of AUCs tested against a margin.

    Attributes
    ----------
    difference : float
        ``auc_a - auc_b``.
    margin : float
    ci_low, ci_high, confidence : float
        Interval of the difference at level 1 - 2 alpha, which decides the same way as the test; it is infinite
        on the side that a one-sided test leaves open.
    statistic, p_value : float
        One-sided; of equivalence, the larger of the two.
    shown : bool
        Whether p < alpha.
    alpha : float
    hypothesis : str
        What p is the evidence against.
    method : str
    """

    difference: float
    margin: float
    ci_low: float
    ci_high: float
    confidence: float
    statistic: float
    p_value: float
    shown: bool
    alpha: float
    hypothesis: str
    method: str


def superiority_test(comparison: AucComparison, *, margin: float = 0.0, alpha: float = 0.025) -> MarginTest:
    """Test whether model a is better than model b by more than a margin.

    H0: AUC_a - AUC_b <= margin.

    Parameters
    ----------
    comparison : AucComparison
        From `delong_test`, `delong_test_unpaired` or `clustered_auc_test`.
    margin : float >= 0
    alpha : float in (0, 1)
        One-sided level.

    Returns
    -------
    MarginTest

    Raises
    ------
    BiomarkError
        For a negative margin, or a comparison whose variance is 0 while the AUCs differ.

    References
    ----------
    Liu JP, Ma MC, Wu CY, Tai JY. Tests of equivalence and non-inferiority for diagnostic accuracy based on the
    paired areas under ROC curves. Stat Med 2006;25:1219-1238.

    Examples
    --------
    >>> from biomark.stats import delong_test
    >>> y, a, b = [0, 0, 0, 1, 1, 1], [1, 2, 4, 3, 5, 6], [1, 5, 2, 4, 3, 6]
    >>> superiority_test(delong_test(y, a, b)).shown
    False
    """
    _checked_margin(margin, least=0.0)
    return _one_sided(comparison, margin, alpha, f"AUC_a - AUC_b <= {margin:g}", "superiority")


def noninferiority_test(comparison: AucComparison, *, margin: float, alpha: float = 0.025) -> MarginTest:
    """Test whether model a is not worse than model b by a margin or more.

    H0: AUC_a - AUC_b <= -margin.

    Parameters
    ----------
    comparison : AucComparison
    margin : float > 0
        The loss of AUC that would still be acceptable, stated before the data are seen.
    alpha : float in (0, 1)
        One-sided level.

    Returns
    -------
    MarginTest

    Raises
    ------
    BiomarkError
        For a margin that is not positive, or a comparison whose variance is 0 while the AUCs differ.

    References
    ----------
    Liu JP et al. Stat Med 2006;25:1219-1238, section 2.

    Examples
    --------
    >>> from biomark.stats import delong_test
    >>> y, a, b = [0, 0, 0, 1, 1, 1], [1, 2, 4, 3, 5, 6], [1, 5, 2, 4, 3, 6]
    >>> round(noninferiority_test(delong_test(y, a, b), margin=0.5).p_value, 3)
    0.026
    """
    _checked_margin(margin, least=None)
    return _one_sided(comparison, -margin, alpha, f"AUC_a - AUC_b <= -{margin:g}", "non-inferiority")


def equivalence_test(comparison: AucComparison, *, margin: float, alpha: float = 0.05) -> MarginTest:
    """Test whether two AUCs differ by less than a margin, by two one-sided tests.

    H0: |AUC_a - AUC_b| >= margin.

    Parameters
    ----------
    comparison : AucComparison
    margin : float > 0
    alpha : float in (0, 1)
        Level of each one-sided test, and of the whole.

    Returns
    -------
    MarginTest
        Equivalence is shown where the interval at level 1 - 2 alpha lies within the margins.

    Raises
    ------
    BiomarkError
        For a margin that is not positive, or a comparison whose variance is 0 while the AUCs differ.

    Notes
    -----
    That a difference is not significant does not show equivalence; this test can.

    References
    ----------
    Schuirmann DJ. J Pharmacokinet Biopharm 1987;15:657-680. Liu JP et al. Stat Med 2006;25:1219-1238.

    Examples
    --------
    >>> from biomark.stats import delong_test
    >>> y, a, b = [0, 0, 0, 1, 1, 1], [1, 2, 4, 3, 5, 6], [1, 5, 2, 4, 3, 6]
    >>> equivalence_test(delong_test(y, a, b), margin=0.1).shown
    False
    """
    _checked_margin(margin, least=None)
    fraction(alpha, name="alpha")
    se = _standard_error(comparison)
    from_below = _upper_tail(comparison.difference + margin, se, comparison.df)
    from_above = _upper_tail(margin - comparison.difference, se, comparison.df)
    binding = max((from_below, from_above), key=lambda pair: pair[1])
    half = _quantile(1.0 - alpha, comparison.df) * se
    return MarginTest(
        comparison.difference, margin, comparison.difference - half, comparison.difference + half,
        1.0 - 2.0 * alpha, *binding, binding[1] < alpha, alpha, f"|AUC_a - AUC_b| >= {margin:g}",
        f"equivalence, two one-sided tests; {comparison.method}",
    )  # fmt: skip


def _one_sided(comparison: AucComparison, bound: float, alpha: float, null: str, what: str) -> MarginTest:
    fraction(alpha, name="alpha")
    se = _standard_error(comparison)
    statistic, p_value = _upper_tail(comparison.difference - bound, se, comparison.df)
    low = comparison.difference - _quantile(1.0 - alpha, comparison.df) * se
    return MarginTest(
        comparison.difference, abs(bound), low, float("inf"), 1.0 - alpha, statistic, p_value,
        p_value < alpha, alpha, null, f"{what}, one-sided; {comparison.method}",
    )  # fmt: skip


def _standard_error(comparison: AucComparison) -> float:
    if comparison.variance == 0.0 and comparison.difference != 0.0:
        raise BiomarkError("the estimated variance of the difference is 0: no test against a margin exists")
    return float(np.sqrt(comparison.variance))


def _upper_tail(distance: float, se: float, df: float) -> tuple[float, float]:
    if se == 0.0:
        # Identical models: the difference is 0 without error.
        return float(np.copysign(np.inf, distance)) if distance else 0.0, 0.0 if distance > 0.0 else 1.0
    statistic = distance / se
    tail = special.ndtr(-statistic) if np.isinf(df) else special.stdtr(df, -statistic)
    return statistic, float(tail)


def _quantile(level: float, df: float) -> float:
    return float(special.ndtri(level) if np.isinf(df) else special.stdtrit(df, level))


def _checked_margin(margin: float, *, least: float | None) -> None:
    if not (margin > 0.0 or (least is not None and margin == least)) or not np.isfinite(margin):
        raise BiomarkError(
            f"margin must be {'0 or more' if least is not None else 'positive'}, found {margin!r}"
        )
