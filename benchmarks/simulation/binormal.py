"""Simulated scores with a known AUC: binormal, as they are or cut into five ratings."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

# Where a reader's five ratings part, about the middle between the classes, in standard deviations.
EDGES = np.array([-1.5, -0.5, 0.5, 1.5])


def grid(
    sizes: Sequence[int], prevalences: Sequence[float], aucs: Sequence[float], n_sets: int
) -> list[dict]:
    """Cells of every size, with and without ties, prevalence and AUC. A cell's seed follows from how it is written."""
    return [
        {"n": n, "prevalence": p, "auc": a, "ties": t, "sets": n_sets}
        for n in sizes for t in (False, True) for p in prevalences for a in aucs
    ]  # fmt: skip


@cache
def separation(auc: float, *, ties: bool) -> float:
    """Distance of the class means, in standard deviations, at which the scores have this AUC."""
    if not ties:
        return float(np.sqrt(2.0) * ndtri(auc))
    return float(brentq(lambda mu: rating_auc(*rating_chances(mu)) - auc, -1.0, 12.0, xtol=1e-13))


def rating_chances(mu):
    """Chances of the five ratings for a positive and for a negative."""
    return tuple(np.diff(ndtr(mu / 2.0 + EDGES - mean), prepend=0.0, append=1.0) for mean in (mu, 0.0))


def rating_auc(of_pos, of_neg) -> float:
    return float(of_pos @ (np.cumsum(of_neg) - 0.5 * of_neg))


def counted(rng, n_sets: int, n_pos: int, n_neg: int, auc: float, *, ties: bool):
    """Positives and negatives at each distinct score in ascending order; two arrays of shape (n_sets, k)."""
    mu = separation(auc, ties=ties)
    if ties:
        of_pos, of_neg = rating_chances(mu)
        return rng.multinomial(n_pos, of_pos, size=n_sets), rng.multinomial(n_neg, of_neg, size=n_sets)
    scores = rng.standard_normal((n_sets, n_pos + n_neg))
    scores[:, :n_pos] += mu
    # The class travels in the last bit of the score, so that a plain sort does; a difference there is no tie.
    bits = scores.view(np.int64)
    bits &= ~np.int64(1)
    bits[:, :n_pos] |= np.int64(1)
    scores.sort(axis=1)
    of_pos = scores.view(np.int64) & np.int64(1)
    return of_pos, 1 - of_pos


def paired(rng, n_sets: int, n_pos: int, n_neg: int, aucs, *, correlation: float, ties: bool):
    """Scores of several models on the same patients; arrays of shape (models, n_sets, n_pos) and (..., n_neg)."""
    shared = np.sqrt(correlation), np.sqrt(1.0 - correlation)
    of_class = []
    for size, positive in ((n_pos, True), (n_neg, False)):
        common = rng.standard_normal((1, n_sets, size))
        own = rng.standard_normal((len(aucs), n_sets, size))
        own *= shared[1]
        own += shared[0] * common
        for model, auc in enumerate(aucs):
            mu = separation(auc, ties=ties)
            own[model] += mu * positive
            if ties:
                own[model] = np.digitize(own[model], mu / 2.0 + EDGES)
        of_class.append(own)
    return of_class[0], of_class[1]
