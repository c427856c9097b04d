"""Matching the rankings of several models, patient by patient, so that their DeLong tests give wished p-values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from scipy import special

from .rank_pattern import Pattern, curve_of, placements_of
from .results import FloatArray

__all__ = ["match_rankings"]

Range = tuple[float, float]
STEPS = 30_000


def match_rankings(
    patterns: Sequence[Pattern], p_values: Mapping[tuple[int, int], Range], rng: np.random.Generator
) -> list[FloatArray]:
    """Assign the places of each ranking to patients.

    Parameters
    ----------
    patterns : one per model
        From `search_pattern`: all with the same numbers of positives and negatives.
    p_values : mapping of (first model, second model) to a range
        Wished two-sided p-values; first < second.
    rng : numpy.random.Generator

    Returns
    -------
    list of arrays of shape (n_pos + n_neg,)
        For each model the scores of the patients, the positives first: (n - rank - 1/2) / n of their place.

    Notes
    -----
    AUCs and their variances stay whatever the matching; the covariance moves with it. The wished variance of each
    difference, (AUC_a - AUC_b)^2 / z^2, is a range of covariances. Exchanges of two patients of one class are kept
    where they come nearer to it, until it is reached.
    """
    placed: list[list[FloatArray]] = []
    scores: list[FloatArray] = []
    for b, pattern in enumerate(patterns):
        own = list(placements_of(pattern))
        order = [rng.permutation(values.size) for values in own]
        wishes = []
        for (first, second), wished in p_values.items():
            if second == b:
                wishes.append((placed[first], _covariances(patterns[first], pattern, wished)))
        if wishes:
            _match(own, order, wishes, rng)
        placed.append([values[at] for values, at in zip(own, order, strict=True)])
        n = pattern.size
        by_rank = (n - np.arange(n) - 0.5) / n
        positive = pattern == 1
        scores.append(np.concatenate([by_rank[positive][order[0]], by_rank[~positive][order[1]]]))
    return scores


def _covariances(first: Pattern, second: Pattern, p: Range) -> Range:
    """Return the covariances of two AUCs that give p-values in the range."""
    (area_a, variance_a), (area_b, variance_b) = curve_of(first), curve_of(second)
    apart = abs(area_a - area_b)
    z = [-float(special.ndtri(min(max(end, 0.0), 1.0) / 2.0)) for end in p]
    # A larger p is a smaller z, hence a larger variance of the difference and a smaller covariance.
    variances = [(apart / end) ** 2 if end > 0.0 else np.inf for end in z]
    low, high = ((variance_a + variance_b - variance) / 2.0 for variance in reversed(variances))
    return float(low), float(high)


def _match(
    own: list[FloatArray],
    order: list[np.ndarray],
    wishes: list[tuple[list[FloatArray], Range]],
    rng: np.random.Generator,
) -> None:
    """Exchange entries of ``order`` in place."""
    scale = [1.0 / (values.size - 1) / values.size for values in own]
    others = [[values - values.mean() for values in placed] for placed, _ in wishes]
    reached = np.array(
        [sum(scale[c] * float(np.dot(other[c], own[c][order[c]])) for c in (0, 1)) for other in others]
    )
    low, high = (np.array([wish[1][end] for wish in wishes]) for end in (0, 1))
    # The middle of the range, where it has one, so that the printed digit is safe.
    middle = np.where(np.isfinite(low), (low + high) / 2.0, high)
    cost = float(np.abs(reached - middle).sum())
    classes = rng.random(STEPS) < own[0].size / (own[0].size + own[1].size)
    picks = rng.random((STEPS, 2))
    for is_positive, (x, y) in zip(classes, picks, strict=True):
        if np.all((reached >= low) & (reached <= high)):
            return
        c = 0 if is_positive else 1
        i, j = int(x * own[c].size), int(y * own[c].size)
        values = own[c]
        gain = values[order[c][j]] - values[order[c][i]]
        moved = reached + scale[c] * gain * np.array([other[c][i] - other[c][j] for other in others])
        trial = float(np.abs(moved - middle).sum())
        if trial < cost:
            order[c][i], order[c][j] = order[c][j], order[c][i]
            reached, cost = moved, trial
