"""Coverage of the intervals that resample patients.

Cut-offs and what they yield, metrics over three labels, a band of the ROC curve, the separation of an embedding;
then the bootstrap intervals of the partial area, average precision and net benefit, and what stands beside them.
The smallest samples go through the package's own functions; the others share their draws (shared_coverage.py).
"""

from __future__ import annotations

import numpy as np
import shared_coverage
from auc_interval_coverage import SIZES, classes
from biomark import stats
from curve_coverage import true_average_precision, true_partial_auc
from judging import (
    AT_SPECIFICITY,
    LABELS,
    OVERALL,
    REPLICATES,
    Population,
    judge_band,
    judge_benefit,
    judge_cutoff,
    judge_yields,
    overall_truths,
    without_replicates,
    worded,
)
from kept import Kept
from probability_coverage import AT
from probability_coverage import truths as probability_truths

# Ties, and the prevalence.
CASES, AUCS = ((False, 0.1), (False, 0.5), (False, 0.9), (True, 0.5)), (0.6, 0.8, 0.95)
SHARED_FROM = 88


def cells(n_sets: int) -> list[dict]:
    return [
        {"n": n, "prevalence": p, "auc": a, "ties": t, "sets": n_sets}
        for n in SIZES for t, p in CASES for a in AUCS
    ]  # fmt: skip


def intervals(cell: dict, rng: np.random.Generator) -> dict:
    """What the report resamples for."""
    kept = Kept()
    (shared_coverage.intervals if cell["n"] >= SHARED_FROM else _intervals)(kept, cell, rng)
    true = overall_truths(cell, Population.of(cell))
    truths = {worded(name, "percentile"): value for name, value in true.items()}
    return kept.summary(truths | {worded("macro_auc", "bca"): cell["auc"]})


def _intervals(kept: Kept, cell: dict, rng: np.random.Generator) -> None:
    population = Population.of(cell)
    labels = np.repeat([1, 0], classes(cell))
    several, thresholds = np.tile(labels[:, None], LABELS), [population.threshold] * LABELS
    for _ in range(cell["sets"]):
        score = population.scores(labels, rng)
        chosen = stats.cutoff_ci(labels, score, interval="shifted", n_boot=REPLICATES, rng=rng)
        judge_cutoff(kept, population, chosen.threshold)
        rates = {name: getattr(chosen, name) for name in ("sensitivity", "specificity")}
        judge_yields(kept, population, labels.mean(), chosen.threshold.value, rates, "shifted")
        scores = population.scores(several, rng)
        drawing = {"n_boot": REPLICATES, "rng": rng}
        overall = stats.multilabel_ci(several, scores, thresholds, method="percentile", **drawing)
        for name in OVERALL:
            kept.interval(worded(name, "percentile"), getattr(overall, name))
        band = stats.roc_band(labels, score, interval="percentile", n_boot=REPLICATES, points=21, rng=rng)
        at = np.isclose(band.specificity, AT_SPECIFICITY)
        judge_band(
            kept, "percentile, at specificity 0.8", population, band.specificity[at], band.ci_low[at], band.ci_high[at]
        )  # fmt: skip
        without_replicates(kept, population, labels, score, rng)


def beside(cell: dict, rng: np.random.Generator) -> dict:
    """Bootstrap intervals that the report leaves to the library's users, and curves that need no bootstrap."""
    kept = Kept()
    (shared_coverage.beside if cell["n"] >= SHARED_FROM else _beside)(kept, cell, rng)
    known = {f"partial AUC, {m}": true_partial_auc(cell) for m in ("bootstrap-percentile", "bootstrap-bca")}
    known |= {worded("macro_auc", "bca"): cell["auc"], "in the large": 0.0, "observed / expected": 1.0}
    known["average precision, bootstrap-percentile"] = true_average_precision(cell)
    true = probability_truths(cell)
    for at in AT:
        known[f"net benefit at {at:g}, bootstrap"] = true[f"net benefit at {at:g}"]
        p = cell["prevalence"]
        of_nothing = p - (1 - p) * at / (1 - at) if p >= at else 0.0
        known[f"difference of net benefits at {at:g}"] = true[f"net benefit at {at:g}"] - of_nothing
    return kept.summary(known)


def _beside(kept: Kept, cell: dict, rng: np.random.Generator) -> None:
    population = Population.of(cell)
    labels = np.repeat([1, 0], classes(cell))
    several, thresholds = np.tile(labels[:, None], LABELS), [population.threshold] * LABELS
    drawing = {"n_boot": REPLICATES, "rng": rng}
    for _ in range(cell["sets"]):
        score, other = population.scores(labels, rng), population.scores(labels, rng)
        scores = population.scores(several, rng)
        overall = stats.multilabel_ci(several, scores, thresholds, method="bca", **drawing)
        kept.interval(worded("macro_auc", "bca"), overall.macro_auc)
        for method in ("bootstrap-percentile", "bootstrap-bca"):
            kept.interval(
                f"partial AUC, {method}", stats.partial_auc_ci(labels, score, method=method, **drawing)
            )
        kept.interval(
            "average precision, bootstrap-percentile",
            stats.average_precision_ci(labels, score, method="bootstrap-percentile", **drawing),
        )
        test = stats.bootstrap_test(labels, score, other, metric="average-precision", **drawing)
        kept.test("two average precisions, bootstrap", test.p_value)
        judge_benefit(kept, cell, rng)
