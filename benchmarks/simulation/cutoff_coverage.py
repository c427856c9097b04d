"""Coverage of the intervals of a chosen cut-off and of what it yields."""

from __future__ import annotations

import numpy as np
from auc_interval_coverage import classes
from judging import Population, judge_cutoff, judge_yields
from kept import Kept
from resampled_coverage import cells
from shared_coverage import CHECKED, batches, check_stratified, of_cutoff
from shared_draws import Ranks, Stratified

__all__ = ["cells", "intervals"]

REPLICATES, KINDS = 200, ("wilson", "shifted", "percentile")


def intervals(cell: dict, rng: np.random.Generator) -> dict:
    """As `stats.cutoff_ci`, whose pieces these are, but for the draws, which several data sets share."""
    kept, population = Kept(), Population.of(cell)
    n_pos, n_neg = classes(cell)
    labels = np.repeat([1, 0], [n_pos, n_neg])
    for start, size in enumerate(batches(cell["sets"])):
        apart = Stratified(n_pos, n_neg, REPLICATES, rng)
        for k in range(size):
            score = population.scores(labels, rng)
            drawn = apart.of(Ranks.of(labels, score))
            if start == 0 and k < CHECKED:
                check_stratified(labels, score, apart.counts(drawn.ranks), drawn)
            threshold, by_kind = of_cutoff(labels, score, drawn, rng, kinds=KINDS)
            judge_cutoff(kept, population, threshold)
            for kind, yields in by_kind.items():
                judge_yields(kept, population, labels.mean(), threshold.value, yields, kind)
    return kept.summary({})
