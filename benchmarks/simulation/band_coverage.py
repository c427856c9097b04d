"""Coverage of both intervals of the sensitivity at a specificity: what a pointwise band of the ROC curve is made of."""

from __future__ import annotations

import numpy as np
from auc_interval_coverage import classes
from biomark.stats.bootstrap import WeightedCurve, bootstrap_interval
from biomark.stats.confidence_band import sensitivity_at
from biomark.stats.effective_size import wilson_at_effective_size
from judging import Population, judge_band
from kept import Kept
from resampled_coverage import cells
from shared_coverage import CHECKED, batches
from shared_draws import Ranks, Stratified

__all__ = ["cells", "intervals"]

REPLICATES, SPECIFICITIES = 200, (0.95, 0.8, 0.5)


def intervals(cell: dict, rng: np.random.Generator) -> dict:
    """As `stats.roc_band` finds them but for the draws, which several data sets share, and one point at a time."""
    kept, population = Kept(), Population.of(cell)
    n_pos, n_neg = classes(cell)
    labels = np.repeat([1, 0], [n_pos, n_neg])
    once, fpr = np.ones((1, labels.size)), 1.0 - np.array(SPECIFICITIES)
    for start, size in enumerate(batches(cell["sets"])):
        apart = Stratified(n_pos, n_neg, REPLICATES, rng)
        for k in range(size):
            score = population.scores(labels, rng)
            drawn, curve = apart.of(Ranks.of(labels, score)), WeightedCurve(labels == 1, score)
            replicates = np.stack([drawn.sensitivities(rate) for rate in fpr], axis=1)
            if start == 0 and k < CHECKED:
                by_package = sensitivity_at(*curve(apart.counts(drawn.ranks)), fpr)
                np.testing.assert_allclose(replicates, by_package, rtol=1e-5, atol=1e-7)
            mean, variance = replicates.mean(axis=0), replicates.var(axis=0)
            wilson = wilson_at_effective_size(
                sensitivity_at(*curve(once), fpr)[0], mean, variance, n_pos, n_pos, 0.95
            )
            for j, specificity in enumerate(SPECIFICITIES):
                percentile = bootstrap_interval(replicates[:, j])
                for name, (low, high) in (
                    ("wilson", (wilson[0][j], wilson[1][j])),
                    ("percentile", percentile),
                ):
                    where = np.array([specificity])
                    judge_band(kept, f"{name}, at specificity {specificity:g}", population, where, low, high)
    return kept.summary({})
