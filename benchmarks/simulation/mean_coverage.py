"""Coverage and level of means of one value a patient, such as a heat map's share of energy in the lesion."""

from __future__ import annotations

import numpy as np
from biomark import stats
from biomark.stats.explanation import ExplanationScores
from kept import Kept

SIZES = (30, 88, 388, 2000)
FLIPS = 499
# The shares are beta-distributed: their mean is 2 / 7.
SHAPE = (2.0, 5.0)
HIT = 0.7


def cells(n_sets: int) -> list[dict]:
    return [{"n": n, "sets": n_sets} for n in SIZES]


def intervals(cell: dict, rng: np.random.Generator) -> dict:
    """Values of two models on the same patients, exchangeable under the null; lesions in pairs for the clusters."""
    n = cell["n"]
    pairs = np.repeat(np.arange((n + 1) // 2), 2)[:n]
    kept = Kept()
    for _ in range(cell["sets"]):
        energy = rng.beta(*SHAPE, n)
        kept.interval("mean energy, t", stats.mean_ci(energy))
        hits = (rng.random(n) < HIT).astype(float)
        kept.interval("pointing game, wilson", stats.mean_ci(hits, method="wilson"))
        twin = energy[pairs]
        kept.interval("mean energy of pairs, t, clusters", stats.mean_ci(twin, cluster=pairs))
        a, b = _exchangeable(energy, rng)
        for method in ("sign-flip", "t", "wilcoxon"):
            found = stats.paired_mean_test(a, b, method=method, n_permutations=FLIPS, rng=rng)
            kept.test(f"paired energies, {method}", found.p_value)
        kept.interval("difference of paired energies, t", found)
        of_pairs = stats.paired_mean_test(a[pairs], b[pairs], n_permutations=FLIPS, cluster=pairs, rng=rng)
        kept.test("paired energies, sign-flip, clusters", of_pairs.p_value)
        chance = np.full(n, SHAPE[0] / sum(SHAPE))
        nothing = rng.random(n) < chance
        scores = ExplanationScores(
            energy, nothing.astype(float), energy, chance, chance, chance, notes=("",) * n
        )
        for metric in ("energy", "pointing"):
            against = stats.explanation_against_chance(scores, metric=metric)
            kept.test(f"{metric} against chance, one-sided", against.p_value)
    mean = SHAPE[0] / sum(SHAPE)
    return kept.summary(
        {
            "mean energy, t": mean, "mean energy of pairs, t, clusters": mean, "pointing game, wilson": HIT,
            "difference of paired energies, t": 0.0,
        }
    )  # fmt: skip


def _exchangeable(values, rng):
    other = np.clip(values + 0.1 * rng.standard_normal(values.size), 0.0, 1.0)
    swapped = rng.random(values.size) < 0.5
    return np.where(swapped, other, values), np.where(swapped, values, other)
