"""Score intervals of the ratio, and of the odds ratio, of two independent proportions.

They have an interval where a cell is 0, which the log method has not.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from scipy.optimize import brentq
from scipy.special import ndtri

__all__ = ["score_interval"]

# Ratios from exp(-FAR) to exp(FAR) are told apart from 0 and from infinity.
FAR = 40.0


def score_interval(
    k: int, n: int, other_k: int, other_n: int, *, odds: bool, confidence: float, corrected: bool = True
) -> tuple[float, float]:
    """Interval of (k / n) / (other_k / other_n), or of the ratio of their odds.

    Parameters
    ----------
    k, n, other_k, other_n : int
        Successes and trials of two independent groups, n and other_n at least 1.
    odds : bool
        Whether the ratio is one of odds.
    confidence : float in (0, 1)
    corrected : bool
        Whether the variance is multiplied by N / (N - 1), N = n + other_n, as Miettinen and Nurminen do; Koopman
        does not.

    Returns
    -------
    low, high : float
        0 and infinity are bounds where a group has none, or nothing but, successes.

    References
    ----------
    Miettinen O, Nurminen M. Stat Med 1985;4:213-226 (the chi-squares of RR and OR). Koopman PAR. Biometrics
    1984;40:513-517. Fagerland MW, Lydersen S, Laake P. Statistical Analysis of Contingency Tables. CRC 2017, chapter 4.
    """
    z = float(ndtri(0.5 + confidence / 2.0))
    factor = (n + other_n) / (n + other_n - 1.0) if corrected else 1.0
    score = _score_of_odds if odds else _score_of_ratio

    def beyond(target: float) -> Callable[[float], float]:
        return lambda log: score(k, n, other_k, other_n, math.exp(log)) / math.sqrt(factor) - target

    # The score falls as the ratio that it is held against rises.
    return _crossing(beyond(z)), _crossing(beyond(-z))


def _crossing(falling: Callable[[float], float]) -> float:
    if falling(-FAR) <= 0.0:
        return 0.0
    if falling(FAR) >= 0.0:
        return math.inf
    return math.exp(brentq(falling, -FAR, FAR, xtol=1e-13, rtol=1e-14))


def _score_of_ratio(k: int, n: int, other_k: int, other_n: int, ratio: float) -> float:
    """Return p - ratio * other_p over its standard error where the ratio is true."""
    total, successes = n + other_n, k + other_k
    if successes == 0:
        return 0.0
    # The smaller root of N r q^2 - (n r + k + other_n + other_k r) q + (k + other_k) = 0, as 2c / (b + root).
    b = n * ratio + k + other_n + other_k * ratio
    root = math.sqrt(max(b * b - 4.0 * total * ratio * successes, 0.0))
    other = min(2.0 * successes / (b + root), 1.0)
    here = min(ratio * other, 1.0)
    variance = here * (1.0 - here) / n + ratio * ratio * other * (1.0 - other) / other_n
    return _standardized(k / n - ratio * other_k / other_n, variance)


def _score_of_odds(k: int, n: int, other_k: int, other_n: int, ratio: float) -> float:
    """Return the excess of k over what the odds ratio makes of it, over its standard error."""
    successes, failures = k + other_k, n + other_n - k - other_k
    here = _constrained(n, other_n, successes, 1.0 / ratio)
    # Of failures apart, so that a proportion near 1 loses no digits.
    spread = n * here * _constrained(n, other_n, failures, ratio)
    other_spread = (
        other_n * _constrained(other_n, n, successes, ratio) * _constrained(other_n, n, failures, 1.0 / ratio)
    )
    if spread <= 0.0 or other_spread <= 0.0:
        return _standardized(k - n * here, 0.0)
    return (k - n * here) * math.sqrt(1.0 / spread + 1.0 / other_spread)


def _constrained(n: int, other_n: int, successes: int, ratio: float) -> float:
    """Return the proportion of n where the odds of the other group are ``ratio`` times its own."""
    a, b = n * (ratio - 1.0), other_n * ratio + n - successes * (ratio - 1.0)
    root = math.sqrt(max(b * b + 4.0 * a * successes, 0.0))
    # Written so that nothing cancels.
    found = 2.0 * successes / (b + root) if b > 0.0 else (root - b) / (2.0 * a)
    return min(max(found, 0.0), 1.0)


def _standardized(difference: float, variance: float) -> float:
    if variance > 0.0:
        return difference / math.sqrt(variance)
    return 0.0 if difference == 0.0 else math.copysign(math.inf, difference)
