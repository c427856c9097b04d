"""Newcombe's score interval of an AUC, and of the difference of two."""

from __future__ import annotations

import numpy as np
from scipy import optimize, special

__all__ = ["newcombe_bounds", "recovered_bounds"]


def newcombe_bounds(area: float, n_pos: int, n_neg: int, confidence: float) -> tuple[float, float]:
    """Return the values A that solve |AUC - A| = z sqrt(V(A)); never degenerate.

    V is Hanley and McNeil's variance with (n_pos + n_neg) / 2 in place of either class's size.

    Parameters
    ----------
    area : float in [0, 1]
    n_pos, n_neg : int
    confidence : float in (0, 1)

    References
    ----------
    Newcombe RG. Stat Med 2006;25:559-573, method 5.

    Examples
    --------
    >>> low, high = newcombe_bounds(1.0, 20, 30, 0.95)
    >>> round(low, 4), high
    (0.9159, 1.0)
    """
    quantile = float(special.ndtri(0.5 + confidence / 2.0))
    half = (n_pos + n_neg) / 2.0

    def excess(value: float) -> float:
        spread = 1.0 + (half - 1.0) * ((1.0 - value) / (2.0 - value) + value / (1.0 + value))
        return float((area - value) ** 2 - quantile**2 * value * (1.0 - value) * spread / (n_pos * n_neg))

    # At an AUC of 1 the estimate itself is a root, and the lower bound is the other one; likewise at 0.
    edge = 1e-9
    low = 0.0 if area == 0.0 else float(optimize.brentq(excess, 0.0, min(area, 1.0 - edge), xtol=1e-15))
    high = 1.0 if area == 1.0 else float(optimize.brentq(excess, max(area, edge), 1.0, xtol=1e-15))
    return low, high


def recovered_bounds(
    areas: tuple[float, float], sizes: tuple[tuple[int, int], tuple[int, int]], confidence: float
) -> tuple[float, float]:
    """Return an interval of the difference of two AUCs from the interval of each, as if they were independent.

    low = d - sqrt((a - low_a)^2 + (high_b - b)^2), high = d + sqrt((high_a - a)^2 + (b - low_b)^2).

    Parameters
    ----------
    areas : (a, b)
    sizes : ((n_pos, n_neg) of a, (n_pos, n_neg) of b)
    confidence : float in (0, 1)

    Notes
    -----
    Of two models of the same patients the correlation is left out, which widens the interval.

    References
    ----------
    Newcombe RG. Stat Med 1998;17:873-890, method 10. Zou GY, Donner A. Stat Med 2008;27:1693-1702, eq. 2 and 3.

    Examples
    --------
    >>> low, high = recovered_bounds((1.0, 1.0), ((20, 30), (20, 30)), 0.95)
    >>> round(low, 4), round(high, 4)
    (-0.0841, 0.0841)
    """
    (low_a, high_a), (low_b, high_b) = (
        newcombe_bounds(area, *size, confidence) for area, size in zip(areas, sizes, strict=True)
    )
    a, b = areas
    difference = a - b
    low = difference - float(np.hypot(a - low_a, high_b - b))
    high = difference + float(np.hypot(high_a - a, b - low_b))
    return max(low, -1.0), min(high, 1.0)
