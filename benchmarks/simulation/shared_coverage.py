"""The studies of resampled_coverage.py where the replicates of several data sets share their draws.

The first data sets of every cell are held against the package's own functions on the same draws.
"""

from __future__ import annotations

import numpy as np
from auc_interval_coverage import classes
from biomark import stats
from biomark.stats.bootstrap import WeightedAuc, WeightedCurve, acceleration, bootstrap_interval
from biomark.stats.chosen_yield import Denominators, chosen_yield
from biomark.stats.confidence_band import sensitivity_at
from biomark.stats.cutoff_criterion import CutoffCriterion
from biomark.stats.multilabel_bootstrap import Replicator
from biomark.stats.multilabel_jackknife import acceleration_of, leaving_one_out
from biomark.stats.partial_auc_interval import partial_placements
from biomark.stats.rechosen_cutoff import (
    RechosenCutoff,
    Replicates,
    Yield,
    rechosen_replicates,
    threshold_interval,
)
from biomark.stats.replicated_difference import z_of_replicates
from biomark.stats.weighted_areas import average_precision_by, partial_areas_by
from curve_coverage import WIDTH
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
    without_replicates,
    worded,
)
from kept import Kept
from shared_draws import Drawn, Ranks, Stratified, Whole

# Data sets that share their draws, and how many of a cell are held against the package.
SHARING, CHECKED = 40, 3
KINDS = ("bootstrap-percentile", "bootstrap-bca")


def intervals(kept: Kept, cell: dict, rng: np.random.Generator) -> None:
    """What the report resamples for, and BCa of the macro AUC."""
    population = Population.of(cell)
    labels = np.repeat([1, 0], classes(cell))
    several, thresholds = np.tile(labels[:, None], LABELS), np.full(LABELS, population.threshold)
    at = np.array([AT_SPECIFICITY])
    for size in batches(cell["sets"]):
        apart = Stratified(*classes(cell), REPLICATES, rng)
        whole = Whole(cell["n"], REPLICATES, rng)
        for _ in range(size):
            score, scores = population.scores(labels, rng), population.scores(several, rng)
            drawn = apart.of(Ranks.of(labels, score))
            if kept.data_sets < CHECKED:
                check_stratified(labels, score, apart.counts(drawn.ranks), drawn)
                check_whole(several, scores, whole)
            _judge_cutoff(kept, population, labels, score, drawn, rng)
            for (name, kind), bounds in _overall(several, scores, thresholds, whole).items():
                kept.bounds(worded(name, kind), *bounds)
            bounds = np.quantile(drawn.sensitivities(1.0 - AT_SPECIFICITY), [0.025, 0.975])
            judge_band(kept, "percentile, at specificity 0.8", population, at, *bounds)
            without_replicates(kept, population, labels, score, rng)


def beside(kept: Kept, cell: dict, rng: np.random.Generator) -> None:
    """Bootstrap intervals that the report leaves to the library's users, but the macro AUC's."""
    population = Population.of(cell)
    labels = np.repeat([1, 0], classes(cell))
    for size in batches(cell["sets"]):
        apart = Stratified(*classes(cell), REPLICATES, rng)
        for _ in range(size):
            score, other = population.scores(labels, rng), population.scores(labels, rng)
            ranks, of_other = Ranks.of(labels, score), Ranks.of(labels, other)
            drawn, second = apart.of(ranks), apart.of_second(ranks, of_other)
            if kept.data_sets < CHECKED:
                counts = apart.counts(ranks)
                check_stratified(labels, score, counts, drawn)
                np.testing.assert_allclose(
                    second.average_precision(),
                    average_precision_by(labels == 1, other)(counts),
                    rtol=1e-5,
                )
            for method, bounds in _partial_auc(labels, score, drawn).items():
                kept.bounds(f"partial AUC, {method}", *bounds)
            replicates = drawn.average_precision()
            kept.bounds("average precision, bootstrap-percentile", *bootstrap_interval(replicates))
            difference = stats.average_precision(labels, score) - stats.average_precision(labels, other)
            apart_by = replicates - second.average_precision()
            kept.test("two average precisions, bootstrap", z_of_replicates(difference, apart_by)[1])
            judge_benefit(kept, cell, rng)


def batches(n_sets: int) -> list[int]:
    return [min(SHARING, n_sets - start) for start in range(0, n_sets, SHARING)]


def _judge_cutoff(
    kept: Kept, population: Population, labels, score, drawn: Drawn, rng: np.random.Generator
) -> None:
    """As `stats.cutoff_ci` does; where the index of some replicate is 0, by that function."""
    threshold, by_kind = of_cutoff(labels, score, drawn, rng, kinds=("shifted",))
    judge_cutoff(kept, population, threshold)
    rates = {name: by_kind["shifted"][name] for name in ("sensitivity", "specificity")}
    judge_yields(kept, population, labels.mean(), threshold.value, rates, "shifted")


def of_cutoff(labels, score, drawn: Drawn, rng: np.random.Generator, *, kinds):
    """Return the cut-off, and by kind of interval what it yields."""
    rechosen = RechosenCutoff(labels == 1, score, CutoffCriterion("youden"))
    chosen, apparent = rechosen(np.ones((1, labels.size)))
    if (found := drawn.youden()) is None:
        replicates = rechosen_replicates(
            rechosen,
            labels.size,
            REPLICATES,
            rng,
            groups=(np.flatnonzero(labels), np.flatnonzero(labels == 0)),
        )
    else:
        thresholds, tp, fp = found
        n_pos = int(labels.sum())
        n_neg = labels.size - n_pos
        sensitivity, specificity = tp / n_pos, 1.0 - fp / n_neg
        accuracy = (tp + n_neg - fp) / labels.size
        here = Yield(sensitivity + specificity - 1.0, sensitivity, specificity, accuracy)
        replicates = Replicates(thresholds, here, rechosen.in_the_data(thresholds), 0)
    sizes = Denominators.of(labels == 1, None)
    by_kind = {
        kind: {
            name: estimate
            for name, (_, estimate) in chosen_yield(
                apparent, replicates, sizes, interval=kind, confidence=0.95
            ).items()
        }
        for kind in kinds
    }
    low, high = threshold_interval(replicates.thresholds, 0.95)
    return stats.Estimate(float(chosen[0]), low, high, 0.95, "bootstrap-percentile"), by_kind


def _overall(labels, scores, thresholds, draws: Whole) -> dict[tuple[str, str], tuple]:
    """Percentile intervals of overall metrics by name and kind, and BCa of the macro AUC."""
    truth, decided = labels.astype(float), (scores >= thresholds)[None]
    replicator = Replicator(truth, scores[None], decided, micro_auc=False)
    replicates = replicator.metrics(replicator.sums(draws.counts), draws.areas(labels, scores)[None])
    found = {(name, "percentile"): bootstrap_interval(replicates[name][:, 0]) for name in OVERALL}
    left_out = leaving_one_out(truth, scores[None], decided, None)["macro_auc"][:, 0]
    found["macro_auc", "bca"] = bootstrap_interval(
        replicates["macro_auc"][:, 0],
        kind="bca",
        estimate=stats.multilabel_metrics(labels, scores, thresholds).macro_auc,
        acceleration=acceleration_of(left_out),
    )
    return found


def _partial_auc(labels, score, drawn: Drawn) -> dict[str, tuple[float, float]]:
    """Both bootstrap intervals of the partial area."""
    share = stats.partial_auc(labels, score) / WIDTH
    placements = partial_placements(labels == 1, score, 0.0, WIDTH)
    if not max(v.var() for v in placements) > 1e-20 * WIDTH**2:
        # All replicates are alike: the package falls back on another interval, whatever the kind.
        found = stats.partial_auc_ci(labels, score, method="bootstrap-bca", n_boot=2)
        return dict.fromkeys(KINDS, (found.ci_low, found.ci_high))
    how = {"estimate": share, "acceleration": acceleration(*(v - v.mean() for v in placements))}
    replicates = drawn.partial_areas() / WIDTH
    found = {
        kind: bootstrap_interval(replicates, kind=kind.removeprefix("bootstrap-"), **how) for kind in KINDS
    }
    return {kind: (WIDTH * low, WIDTH * high) for kind, (low, high) in found.items()}


def check_stratified(labels, score, counts, drawn: Drawn) -> None:
    """Hold what a set's replicates give against the package on the same draws."""
    positive = labels == 1
    curve = WeightedCurve(positive, score)(counts)
    expected = {
        "area": (drawn.areas(), WeightedAuc(positive, score)(counts)),
        "partial area": (drawn.partial_areas(), partial_areas_by(positive, score, 0.0, WIDTH)(counts)),
        "average precision": (drawn.average_precision(), average_precision_by(positive, score)(counts)),
        "sensitivity": (
            drawn.sensitivities(1.0 - AT_SPECIFICITY),
            sensitivity_at(*curve, np.array([1.0 - AT_SPECIFICITY]))[:, 0],
        ),
    }
    for name, (here, by_package) in expected.items():
        np.testing.assert_allclose(here, by_package, rtol=1e-5, atol=1e-7, err_msg=name)
    if (found := drawn.youden()) is not None:
        thresholds, here = RechosenCutoff(positive, score, CutoffCriterion("youden"))(counts)
        np.testing.assert_array_equal(found[0], thresholds)
        np.testing.assert_allclose(found[1] / positive.sum(), here.sensitivity, rtol=1e-12)
        np.testing.assert_allclose(1.0 - found[2] / (~positive).sum(), here.specificity, rtol=1e-12)


def check_whole(labels, scores, draws: Whole) -> None:
    decided = np.zeros((1, *labels.shape), dtype=bool)
    expected = Replicator(labels.astype(float), scores[None], decided).areas(draws.counts)[0]
    np.testing.assert_allclose(draws.areas(labels, scores), expected, rtol=1e-6)
