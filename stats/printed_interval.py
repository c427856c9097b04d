"""Which interval of a proportion, on which number of patients, gives two printed bounds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from scipy import stats

from .printed_value import PrintedEstimate
from .proportion import PROPORTION_METHODS, real_valued_bounds

__all__ = ["IntervalMatches", "binomial_matches", "centred", "chance_of_agreement"]

# Both bounds of an interval that has nothing to do with a candidate are supposed to fall within this share of
# its width around the candidate's, evenly.
SPREAD = 0.5


@dataclass(frozen=True, slots=True)
class IntervalMatches:
    """Candidates that give the printed bounds.

    Attributes
    ----------
    found : frozenset of (method, denominator)
    n_candidates : int
        Candidates with different bounds at the printed digits.
    chance : float
        That one given candidate agrees by coincidence, from the digits printed and the interval's width.
    """

    found: frozenset[tuple[str, str]]
    n_candidates: int
    chance: float


def binomial_matches(
    printed: PrintedEstimate,
    denominators: Mapping[str, float],
    confidence: float,
    *,
    exact: float | None = None,
) -> IntervalMatches | None:
    """Try the binomial intervals on several numbers of patients.

    Parameters
    ----------
    printed : PrintedEstimate
    denominators : mapping of name to number of patients
    confidence : float
    exact : float, optional
        The proportion before rounding, where it is known; the printed value is tried as well.

    Returns
    -------
    IntervalMatches or None
        None where no interval is printed or the value is no proportion.
    """
    low, high = printed.ci_low, printed.ci_high
    if low is None or high is None or not low.unit or not 0.0 <= printed.value.value <= 1.0:
        return None
    shares = {printed.value.value} | (set() if exact is None else {exact})
    z = stats.norm.ppf(0.5 + confidence / 2.0)
    # Many programs type 1.96.
    levels = {confidence, 2.0 * stats.norm.cdf(round(float(z), 2)) - 1.0}
    found: set[tuple[str, str]] = set()
    different: set[tuple[float, float]] = set()
    for name, n in denominators.items():
        if n < 1:
            continue
        for method in PROPORTION_METHODS:
            for share in shares:
                for level in levels:
                    bounds = _bounds(share, n, method, level)
                    different.update((round(a / low.unit), round(b / high.unit)) for a, b in bounds)
                    if any(bool(low.fits(a)) and bool(high.fits(b)) for a, b in bounds):
                        found.add((method, name))
    width = high.value - low.value
    steps = max(1.0, SPREAD * width / low.unit)
    return IntervalMatches(frozenset(found), len(different), min(1.0, 1.0 / steps**2))


def _bounds(share: float, n: float, method: str, confidence: float) -> list[tuple[float, float]]:
    if method == "wald":
        # Unclipped too: a printed bound above 1 betrays it.
        half = float(stats.norm.ppf(0.5 + confidence / 2.0)) * np.sqrt(share * (1.0 - share) / n)
        plain = (float(share - half), float(share + half))
        return [plain, (max(plain[0], 0.0), min(plain[1], 1.0))]
    low, high = real_valued_bounds(share * n, n, method=method, confidence=confidence)
    return [(float(low), float(high))]


def centred(printed: PrintedEstimate) -> bool | None:
    """Whether the value can lie in the middle of its interval; None where that cannot be told."""
    low, high = printed.ci_low, printed.ci_high
    if low is None or high is None or not low.unit or not printed.value.unit:
        return None
    if low.value <= 0.0 or high.value >= 1.0:
        return None
    return printed.value.meets((low.low + high.low) / 2.0, (low.high + high.high) / 2.0)


def chance_of_agreement(n_agreeing: int, n_cells: int, chance: float, n_candidates: int) -> float:
    """Chance that some one of the candidates agrees by coincidence with at least so many of the cells."""
    one = float(stats.binom.sf(n_agreeing - 1, n_cells, chance))
    return min(1.0, n_candidates * one)
