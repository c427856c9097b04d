"""Which interval of a proportion, on which number of patients, gives two printed bounds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy import special

from .printed_value import PrintedEstimate
from .proportion import PROPORTION_METHODS
from .results import FloatArray

__all__ = [
    "IntervalMatches",
    "binomial_bounds",
    "binomial_matches",
    "centred",
    "chance_of_agreement",
    "whole_shares",
]

# Share of an interval's width over which a bound that has nothing to do with a candidate is supposed to lie
# evenly: a method that is not tried here, on the right patients, gives bounds as near as this to those tried.
SPREAD = 0.2
MOST_SHARES = 20


@dataclass(frozen=True, slots=True)
class IntervalMatches:
    """Candidates that give the printed bounds.

    Attributes
    ----------
    found : frozenset of (method, denominator)
    n_candidates : int
        Candidates with different bounds at the printed digits, of those centred on the value where it is printed so.
    chance : float
        That one given candidate agrees by coincidence, from the digits printed and the interval's width.
    widths : (float, float) or None
        Narrowest and widest candidate.
    """

    found: frozenset[tuple[str, str]]
    n_candidates: int
    chance: float
    widths: tuple[float, float] | None


def binomial_matches(
    printed: PrintedEstimate,
    denominators: Mapping[str, float],
    confidence: float,
    *,
    shares: Sequence[float] = (),
) -> IntervalMatches | None:
    """Try the binomial intervals on several numbers of patients.

    Parameters
    ----------
    printed : PrintedEstimate
    denominators : mapping of name to number of patients
    confidence : float
    shares : sequence of float
        What the proportion may have been before rounding, see `whole_shares`; the printed value is tried as well.

    Returns
    -------
    IntervalMatches or None
        None where no interval is printed or the value is no proportion.
    """
    low, high = printed.ci_low, printed.ci_high
    if low is None or high is None or not low.unit or not high.unit or not 0.0 <= printed.value.value <= 1.0:
        return None
    z = float(special.ndtri(0.5 + confidence / 2.0))
    # Many programs type 1.96.
    levels = (confidence, 2.0 * float(special.ndtr(round(z, 2))) - 1.0)
    names, of_share, of_n = [], [], []
    for name, n in denominators.items():
        if n < 1:
            continue
        tried = {printed.value.value, *shares}
        names += [name] * len(tried)
        of_share += sorted(tried)
        of_n += [n] * len(tried)
    in_middle = centred(printed) is not False
    found: set[tuple[str, str]] = set()
    different: set[tuple[int, int]] = set()
    all_widths: list[float] = []
    if names:
        share, trials = np.array(of_share), np.array(of_n, dtype=np.float64)
        for level in levels:
            for method, (lower, upper) in binomial_bounds(share, trials, level).items():
                all_widths += (upper - lower).tolist()
                comparable = np.abs((lower + upper) / 2.0 - printed.value.value) <= low.unit
                comparable |= not in_middle
                units = np.round([lower[comparable] / low.unit, upper[comparable] / high.unit]).astype(int)
                different.update(zip(*units.tolist(), strict=True))
                fits = low.fits(lower) & high.fits(upper)
                found.update((method.removesuffix(", clipped"), names[at]) for at in np.flatnonzero(fits))
    steps = max(1.0, SPREAD * (high.value - low.value) / low.unit)
    # In the middle of its interval a value leaves only the width free; rounding lets some more widths agree.
    chance = 1.5 / steps if in_middle else 1.0 / steps**2
    widths = (min(all_widths), max(all_widths)) if all_widths else None
    return IntervalMatches(frozenset(found), max(1, len(different)), min(1.0, chance), widths)


def whole_shares(printed: PrintedEstimate, n: float) -> list[float]:
    """Return the k / n that would be printed so; none where there are so many that the printed value will do."""
    low, high = (n * min(max(end, 0.0), 1.0) for end in (printed.value.low, printed.value.high))
    first, last = math.ceil(low - 1e-9), math.floor(high + 1e-9)
    return [k / n for k in range(first, last + 1)] if n >= 1 and last - first < MOST_SHARES else []


def binomial_bounds(
    share: FloatArray, n: FloatArray, confidence: float
) -> dict[str, tuple[FloatArray, FloatArray]]:
    """Return the bounds of every method for shares of n patients, k = share * n being any real number.

    The formulas are those of `proportion_ci`; the normal approximation comes also without its cut at 0 and 1, since
    a printed bound above 1 betrays it.

    Parameters
    ----------
    share, n : arrays of one shape
    confidence : float

    Returns
    -------
    dict of method to (lower, upper)

    Examples
    --------
    >>> bounds = binomial_bounds(np.array([45 / 68]), np.array([68.0]), 0.95)
    >>> [round(float(end[0]), 4) for end in bounds["wilson"]]
    [0.5434, 0.7629]
    """
    z = float(special.ndtri(0.5 + confidence / 2.0))
    tail = (1.0 - confidence) / 2.0
    k = share * n
    half = z * np.sqrt(share * (1.0 - share) / n)
    widened = n + z**2
    centre = (k + z**2 / 2.0) / widened
    wilson = z / widened * np.sqrt(k * (1.0 - share) + z**2 / 4.0)
    agresti = z * np.sqrt(centre * (1.0 - centre) / widened)
    none, every = k <= 0.0, share >= 1.0
    with np.errstate(invalid="ignore"):
        exact = (
            np.where(none, 0.0, special.betaincinv(np.maximum(k, 1e-12), n - k + 1.0, tail)),
            np.where(every, 1.0, special.betaincinv(k + 1.0, np.maximum(n - k, 1e-12), 1.0 - tail)),
        )
        jeffreys = (
            np.where(none, 0.0, special.betaincinv(k + 0.5, n - k + 0.5, tail)),
            np.where(every, 1.0, special.betaincinv(k + 0.5, n - k + 0.5, 1.0 - tail)),
        )
    found = {
        "wilson": (np.where(none, 0.0, centre - wilson), np.where(every, 1.0, centre + wilson)),
        "clopper-pearson": exact,
        "agresti-coull": (np.maximum(centre - agresti, 0.0), np.minimum(centre + agresti, 1.0)),
        "jeffreys": jeffreys,
        "wald": (share - half, share + half),
        "wald, clipped": (np.maximum(share - half, 0.0), np.minimum(share + half, 1.0)),
    }
    assert {name.removesuffix(", clipped") for name in found} == set(PROPORTION_METHODS)
    return found


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
    one = float(special.bdtrc(n_agreeing - 1, n_cells, chance))
    return min(1.0, n_candidates * one)
