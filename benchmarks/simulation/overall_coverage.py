"""Coverage of the three bootstrap intervals of the overall metrics, labels drawn with the patients."""

from __future__ import annotations

import numpy as np
from biomark import stats
from biomark.stats.bootstrap import bootstrap_interval
from biomark.stats.multilabel import METRICS
from biomark.stats.multilabel_bootstrap import Replicator
from biomark.stats.multilabel_jackknife import acceleration_of, leaving_one_out
from judging import LABELS, REPLICATES, Population, averaged_truths, drawn_labels, worded
from kept import Kept
from shared_coverage import CHECKED, batches, check_whole
from shared_draws import Whole

AUCS, KINDS = (0.7, 0.9), ("percentile", "basic", "bca")
# Rare labels need enough patients to be there at all.
PREVALENCES = {30: (0.3, 0.5), 88: (0.1, 0.5), 388: (0.1, 0.5), 2000: (0.1, 0.5)}


def cells(n_sets: int) -> list[dict]:
    return [
        {"n": n, "prevalence": p, "auc": a, "ties": False, "sets": n_sets}
        for n, prevalences in PREVALENCES.items() for p in prevalences for a in (AUCS if n < 2000 else AUCS[1:])
    ]  # fmt: skip


def intervals(cell: dict, rng: np.random.Generator) -> dict:
    """As `stats.multilabel_ci`, whose pieces these are, but for the draws, which several data sets share."""
    kept, population = Kept(), Population.of(cell)
    thresholds = np.full(LABELS, population.threshold)
    for start, size in enumerate(batches(cell["sets"])):
        draws = Whole(cell["n"], REPLICATES, rng)
        for k in range(size):
            labels = drawn_labels(cell, rng)
            scores = population.scores(labels, rng)
            if start == 0 and k < CHECKED:
                check_whole(labels, scores, draws)
            for (name, kind), bounds in bounds_of(labels, scores, thresholds, draws).items():
                kept.bounds(worded(name, kind), *bounds)
    true = truths(cell, population)
    return kept.summary({worded(name, kind): true[name] for name in METRICS for kind in KINDS})


def bounds_of(labels, scores, thresholds, draws: Whole) -> dict[tuple[str, str], tuple[float, float]]:
    """Every interval by metric and kind."""
    decided = (scores >= thresholds)[None]
    replicator = Replicator(labels, scores[None], decided, micro_auc=False)
    replicates = replicator.metrics(replicator.sums(draws.counts), draws.areas(labels, scores)[None])
    left_out = leaving_one_out(labels, scores[None], decided, None)
    values, found = stats.multilabel_metrics(labels, scores, thresholds), {}
    for name in METRICS:
        value, drawn = getattr(values, name), replicates[name][:, 0]
        low, high = found[name, "percentile"] = bootstrap_interval(drawn)
        found[name, "basic"] = 2.0 * value - high, 2.0 * value - low
        skew = acceleration_of(left_out[name][:, 0])
        found[name, "bca"] = bootstrap_interval(drawn, kind="bca", estimate=value, acceleration=skew)
    return found


def truths(cell: dict, population: Population) -> dict[str, float]:
    """Of all patients there could be; labels are independent and have the same rates."""
    true = averaged_truths(cell, population, cell["prevalence"], ("macro", "micro", "weighted"))
    return true | {"subset_accuracy": (1 - true["hamming"]) ** LABELS}
