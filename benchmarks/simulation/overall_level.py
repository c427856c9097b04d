"""Type I error of the comparison of two models over several labels, and coverage of the intervals of the difference."""

from __future__ import annotations

import numpy as np
from binormal import separation
from biomark import stats
from biomark.stats.bootstrap import bootstrap_interval
from biomark.stats.multilabel_bootstrap import Replicator
from biomark.stats.replicated_difference import z_of_replicates
from judging import LABELS, drawn_labels
from kept import Kept
from shared_coverage import CHECKED, batches, check_whole
from shared_draws import Whole

SIZES, PREVALENCES, AUCS = (30, 88, 388, 2000), (0.1, 0.5), (0.6, 0.8, 0.95)
REPLICATES, CORRELATION = 500, 0.5
# From here on data sets share their draws.
SHARED_FROM = 388
METRICS = {
    "macro_auc": "macro AUC", "micro_auc": "micro AUC", "weighted_auc": "weighted AUC",
    "macro_accuracy": "macro accuracy", "weighted_accuracy": "weighted accuracy", "macro_f1": "macro F1",
    "micro_f1": "micro F1", "hamming": "hamming", "subset_accuracy": "subset accuracy",
}  # fmt: skip


def cells(n_sets: int) -> list[dict]:
    return [
        {"n": n, "prevalence": p, "auc": a, "ties": False, "sets": n_sets}
        for n in SIZES for p in PREVALENCES for a in AUCS
    ]  # fmt: skip


def levels(cell: dict, rng: np.random.Generator) -> dict:
    """Two models of equal AUC read the same patients; a cut-off midway between the classes, stated beforehand."""
    kept = Kept()
    (_by_shared_draws if cell["n"] >= SHARED_FROM else _by_package)(kept, cell, rng)
    return kept.summary({f"difference of {worded}, percentile": 0.0 for worded in METRICS.values()})


def _by_package(kept: Kept, cell: dict, rng: np.random.Generator) -> None:
    for _ in range(cell["sets"]):
        labels, scores, thresholds = _drawn(cell, rng)
        found = stats.multilabel_test(labels, *scores, thresholds, n_boot=REPLICATES, rng=rng)
        for name, worded in METRICS.items():
            kept.test(f"two models, {worded}, bootstrap", getattr(found, name).p_value)
            kept.interval(f"difference of {worded}, percentile", getattr(found, name))


def _by_shared_draws(kept: Kept, cell: dict, rng: np.random.Generator) -> None:
    """As `stats.multilabel_test`, whose pieces these are, but for the draws, which several data sets share."""
    for start, size in enumerate(batches(cell["sets"])):
        draws = Whole(cell["n"], REPLICATES, rng)
        for k in range(size):
            labels, scores, thresholds = _drawn(cell, rng)
            if start == 0 and k < CHECKED:
                check_whole(labels, scores[0], draws)
            replicator = Replicator(labels, scores, scores >= thresholds, micro_auc=False)
            areas = np.stack([draws.areas(labels, of_model) for of_model in scores])
            replicates = replicator.metrics(replicator.sums(draws.counts), areas)
            values = [stats.multilabel_metrics(labels, of_model, thresholds) for of_model in scores]
            for name, worded in METRICS.items():
                difference = getattr(values[0], name) - getattr(values[1], name)
                differences = replicates[name][:, 0] - replicates[name][:, 1]
                kept.test(f"two models, {worded}, bootstrap", z_of_replicates(difference, differences)[1])
                kept.bounds(f"difference of {worded}, percentile", *bootstrap_interval(differences))


def _drawn(cell: dict, rng: np.random.Generator):
    """Labels, scores of both models and thresholds; at least two patients of each class of each label."""
    n, mu = cell["n"], separation(cell["auc"], ties=False)
    labels = drawn_labels(cell, rng)
    shared, own = rng.standard_normal((n, LABELS)), rng.standard_normal((2, n, LABELS))
    scores = mu * labels + np.sqrt(CORRELATION) * shared + np.sqrt(1.0 - CORRELATION) * own
    return labels, scores, np.full(LABELS, mu / 2.0)
