"""Power and size of a study whose test statistic is normal, with another variance under H0 than under H1.

With a gap g between the alternative and the null value, a test at z_alpha has the power

    Phi((|g| - z_alpha sqrt(V0)) / sqrt(V1)),

V0 and V1 the variances of the estimate under either hypothesis. The other tail of a two-sided test, which
would reject in the wrong direction, is left out, as in the tables and programs that this is compared with.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

from ..errors import BiomarkError
from .inputs import choice, fraction

__all__ = ["ALTERNATIVES", "normal_power", "required_size", "round_up"]

ALTERNATIVES = ("two-sided", "one-sided")
MOST_STEPS = 20
# A number of patients below which any sample would do.
LEAST = 1e-9


def normal_power(
    gap: float, null_variance: float, variance: float, *, alpha: float, alternative: str
) -> float:
    """Return the power against a gap, given the variances under the null and under the alternative."""
    reach = abs(gap) - _critical(alpha, alternative) * math.sqrt(null_variance)
    return float(ndtr(reach / math.sqrt(variance)))


def required_size(
    gap: float,
    null_variance: Callable[[float], float],
    variance: Callable[[float], float],
    *,
    power: float,
    alpha: float,
    alternative: str,
) -> float:
    """Return the size n, unrounded, at which the power is the one asked for.

    Solves z_alpha sqrt(V0(n)) + z_power sqrt(V1(n)) = |gap| for n, both variances falling in n.
    """
    z_alpha, z_power = _critical(alpha, alternative), float(ndtri(fraction(power, name="power")))

    def shortfall(n: float) -> float:
        return z_alpha * math.sqrt(null_variance(n)) + z_power * math.sqrt(variance(n)) - abs(gap)

    # Variances are nearly, most of them exactly, inverse to n, so that n times the squared excess is the answer.
    n = 1.0
    for _ in range(MOST_STEPS):
        excess = 1.0 + shortfall(n) / abs(gap)
        if excess <= 0.0 or n < LEAST:
            break
        n *= excess**2
        if abs(excess - 1.0) <= 2.0**-52:
            return n
    low = high = 1.0
    while shortfall(low) <= 0.0:
        low /= 2.0
        if low < LEAST:
            raise BiomarkError(
                f"power {power:g} is reached by any sample, however small; ask for a power above {alpha:g}, "
                "usually 0.8 or 0.9"
            )
    while shortfall(high) > 0.0:
        high *= 2.0
    return float(brentq(shortfall, low, high, xtol=1e-15, rtol=4 * 2.0**-52))


def round_up(exact: float) -> int:
    """Return the least whole number of 1 or more that is not below ``exact``, rounding errors forgiven."""
    return max(1, math.ceil(exact * (1.0 - 1e-12)))


def _critical(alpha: float, alternative: str) -> float:
    alpha = fraction(alpha, name="alpha")
    tails = 2.0 if choice(alternative, ALTERNATIVES, name="alternative") == "two-sided" else 1.0
    return float(-ndtri(alpha / tails))
