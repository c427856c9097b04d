"""An order of positives and negatives by score that gives a wished ROC curve: area, variance, operating point."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .results import FloatArray

__all__ = ["CurveWish", "PatternFit", "curve_of", "placements_of", "search_pattern"]

Pattern = NDArray[np.int8]
Range = tuple[float, float]
STEPS, RESTARTS = 5000, 10


@dataclass(frozen=True, slots=True)
class CurveWish:
    """What a curve should be; every range is closed, and None asks for nothing.

    Attributes
    ----------
    n_pos, n_neg : int
    auc : range
    ci_low, ci_high : range or None
        Of AUC - z SE and AUC + z SE, with DeLong's standard error.
    z : float
    point : (tp, tn) or None
        Counts at the operating point.
    best_point : bool
        Whether the point alone has the largest Youden index.
    """

    n_pos: int
    n_neg: int
    auc: Range
    ci_low: Range | None
    ci_high: Range | None
    z: float
    point: tuple[int, int] | None
    best_point: bool


@dataclass(frozen=True, slots=True)
class PatternFit:
    """A pattern and how far it is from the wish, 0 where it meets all of it.

    Attributes
    ----------
    pattern : array of shape (n_pos + n_neg,)
        1 for a positive, 0 for a negative, highest score first.
    cost : float
    """

    pattern: Pattern
    cost: float


def curve_of(pattern: Pattern) -> tuple[float, float]:
    """Return the AUC and DeLong's variance of untied scores in this order.

    Examples
    --------
    >>> area, variance = curve_of(np.array([1, 1, 0, 1, 0], dtype=np.int8))
    >>> round(area, 4), round(variance, 4)
    (0.8333, 0.0556)
    """
    positive = pattern == 1
    above = np.cumsum(positive)[~positive] / positive.sum()
    below = np.cumsum(~positive[::-1])[positive[::-1]] / (~positive).sum()
    area = float(above.mean())
    variance = np.square(above - area).sum() / (above.size - 1) / above.size
    variance += np.square(below - area).sum() / (below.size - 1) / below.size
    return area, float(variance)


def search_pattern(wish: CurveWish, rng: np.random.Generator) -> PatternFit:
    """Search a pattern that meets the wish; the best one found where there is none.

    Parameters
    ----------
    wish : CurveWish
    rng : numpy.random.Generator

    Returns
    -------
    PatternFit

    Notes
    -----
    Simulated annealing. A move exchanges a positive and a negative on one side of the operating point, so that the
    point stays, or two such pairs, so that the area stays as well; the cost counts how far AUC and bounds lie
    outside their ranges, in widths of these ranges, and by how much other points beat the operating point.
    """
    best: PatternFit | None = None
    for _ in range(RESTARTS):
        found = _anneal(wish, rng)
        if best is None or found.cost < best.cost:
            best = found
        if best.cost == 0.0:
            break
    assert best is not None
    return best


def _anneal(wish: CurveWish, rng: np.random.Generator) -> PatternFit:
    pattern, split = _start(wish, rng)
    cost = _cost(pattern, wish)
    best, best_cost = pattern.copy(), cost
    n = pattern.size
    heats = np.geomspace(30.0, 0.003, STEPS)
    firsts = rng.integers(n, size=STEPS)
    # Near and far exchanges: the first mend the last digit, the second move the whole curve.
    reach = np.maximum(1, (n * rng.random(STEPS) ** 3).astype(int)) * rng.choice([-1, 1], STEPS)
    luck = rng.random(STEPS)
    twice = rng.random(STEPS)
    for heat, first, far, chance, pick in zip(heats, firsts, reach, luck, twice, strict=True):
        places = _exchange(pattern, split, int(first), int(far), float(pick))
        if places is None:
            continue
        _apply(pattern, places)
        trial = _cost(pattern, wish)
        if trial <= cost or chance < np.exp((cost - trial) / heat):
            cost = trial
            if cost < best_cost:
                best, best_cost = pattern.copy(), cost
                if cost == 0.0:
                    break
        else:
            _apply(pattern, places)
    return PatternFit(best, best_cost)


def _exchange(
    pattern: Pattern, split: int, first: int, far: int, pick: float
) -> list[tuple[int, int]] | None:
    """Return one exchange, or, for half of the picks, two at the same distance that leave the area as it is."""
    low, high = sorted((first, first + far))
    if low < 0 or high >= pattern.size or pattern[low] == pattern[high] or (low < split) != (high < split):
        return None
    places = [(low, high)]
    if pick < 0.5:
        # A positive that goes down by d places loses d pairs; another one that goes up as far regains them.
        distance = high - low
        opposite = (pattern[:-distance] == pattern[high]) & (pattern[distance:] == pattern[low])
        opposite[max(0, split - distance) : split] = False
        for own in (low, high):
            for taken in (own, own - distance):
                if 0 <= taken < opposite.size:
                    opposite[taken] = False
        candidates = np.flatnonzero(opposite)
        if candidates.size == 0:
            return None
        other = int(candidates[int(2.0 * pick * candidates.size)])
        places.append((other, other + distance))
    return places


def _apply(pattern: Pattern, places: list[tuple[int, int]]) -> None:
    for low, high in places:
        pattern[low], pattern[high] = pattern[high], pattern[low]


def _start(wish: CurveWish, rng: np.random.Generator) -> tuple[Pattern, int]:
    """Return a pattern with the operating point in its place, and where that is."""
    if wish.point is None:
        sides = [(wish.n_pos, wish.n_neg)]
    else:
        tp, tn = wish.point
        sides = [(tp, wish.n_neg - tn), (wish.n_pos - tp, tn)]
    # Positives a little ahead on either side, as in any curve that is better than chance.
    lead = rng.uniform(0.0, 1.5)
    parts = []
    for n_pos, n_neg in sides:
        bits = np.repeat([1, 0], [n_pos, n_neg]).astype(np.int8)
        score = rng.normal(size=bits.size) + lead * bits
        parts.append(bits[np.argsort(-score)])
    return np.concatenate(parts), parts[0].size


def _cost(pattern: Pattern, wish: CurveWish) -> float:
    area, variance = curve_of(pattern)
    half = wish.z * variance**0.5
    cost = _outside(area, wish.auc)
    if wish.ci_low is not None:
        cost += _outside(area - half, wish.ci_low)
    if wish.ci_high is not None:
        cost += _outside(area + half, wish.ci_high)
    if wish.point is not None and wish.best_point:
        tp = np.cumsum(pattern, dtype=np.int64)
        index = tp * wish.n_neg - (np.arange(1, pattern.size + 1) - tp) * wish.n_pos
        at = wish.point[0] + wish.n_neg - wish.point[1] - 1
        # An index of 0 or less is never the largest one.
        if at >= 0 and index[at] > 0:
            mine, index[at] = int(index[at]), 0
            if (ahead := int(index.max()) - mine) >= 0:
                cost += 3.0 + 100.0 * ahead / (wish.n_pos * wish.n_neg)
    return cost


def _outside(value: float, wished: Range) -> float:
    low, high = wished
    gap = max(low - value, value - high, 0.0)
    # A range without an end (a bound cut at 1) has the width of a printed digit all the same.
    return float(gap / min(max(high - low, 1e-4), 1e-2))


def placements_of(pattern: Pattern) -> tuple[FloatArray, FloatArray]:
    """Return the placement values of positives and negatives in the order of the pattern."""
    positive = pattern == 1
    above = np.cumsum(positive)[~positive] / positive.sum()
    below = np.cumsum(~positive[::-1])[::-1][positive] / (~positive).sum()
    return below.astype(np.float64), above.astype(np.float64)
