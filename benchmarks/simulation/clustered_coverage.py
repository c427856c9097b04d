"""Coverage and level where rows are lesions, two of each patient: every function that takes clusters."""

from __future__ import annotations

import numpy as np
from biomark import stats
from curve_coverage import true_average_precision, true_partial_auc
from judging import AT_SPECIFICITY, LABELS, Population, judge_band, judge_cutoff, judge_yields
from kept import Kept
from probability_coverage import AT
from probability_coverage import truths as probability_truths
from scipy.special import expit, logit

SIZES, AUCS = (88, 388), (0.7, 0.9)
PREVALENCE, CORRELATION = 0.3, 0.5
REPLICATES, PERMUTATIONS = 500, 99
YIELDS = ("sensitivity", "specificity", "youden", "accuracy")
PARTIAL = ("delong", "delong-logit", "bootstrap-percentile", "bootstrap-bca")


def cells(n_sets: int) -> list[dict]:
    return [
        {"n": n, "prevalence": PREVALENCE, "auc": a, "ties": False, "correlation": CORRELATION, "sets": n_sets}
        for n in SIZES for a in AUCS
    ]  # fmt: skip


def intervals(cell: dict, rng: np.random.Generator) -> dict:
    """n lesions; the second of a patient has the label of the first in about half of them, and shares its errors."""
    n = cell["n"]
    population, patient = Population.of(cell), np.repeat(np.arange(n // 2), 2)
    drawing = {"cluster": patient, "n_boot": REPLICATES, "rng": rng}
    thresholds = [population.threshold] * LABELS
    kept = Kept()
    for _ in range(cell["sets"]):
        labels = np.stack([_labels(n // 2, rng) for _ in range(LABELS)], axis=1)
        scores = population.mu * labels + _errors((2, LABELS), n, rng)
        y, a, b = labels[:, 0], scores[0, :, 0], scores[1, :, 0]
        for kind in ("percentile", "bca"):
            kept.interval(f"AUC, bootstrap-{kind}", stats.auc_ci(y, a, method=f"bootstrap-{kind}", **drawing))
        for method in PARTIAL:
            found = stats.partial_auc_ci(y, a, method=method, **drawing)
            kept.interval(f"partial AUC, {method}", found)
        precision = stats.average_precision_ci(y, a, method="bootstrap-percentile", **drawing)
        kept.interval("average precision, bootstrap-percentile", precision)
        chosen = stats.cutoff_ci(y, a, **drawing)
        yields = {name: getattr(chosen, name) for name in YIELDS}
        judge_yields(kept, population, PREVALENCE, chosen.threshold.value, yields, "wilson")
        judge_cutoff(kept, population, chosen.threshold)
        band = stats.roc_band(y, a, points=21, **drawing)
        at = np.isclose(band.specificity, AT_SPECIFICITY)
        judge_band(
            kept, "wilson, at specificity 0.8", population, band.specificity[at], band.ci_low[at], band.ci_high[at]
        )  # fmt: skip
        overall = stats.multilabel_ci(labels, scores[0], thresholds, **drawing)
        kept.interval("macro AUC, bca", overall.macro_auc)
        two = stats.multilabel_test(labels, *scores, thresholds, **drawing)
        for name, worded in (("macro_auc", "macro AUC"), ("macro_accuracy", "macro accuracy")):
            kept.test(f"two models, {worded}, bootstrap", getattr(two, name).p_value)
        kept.test("two AUCs, bootstrap", stats.bootstrap_test(y, a, b, **drawing).p_value)
        features = np.repeat(rng.standard_normal((n // 2, 2)), 2, axis=0) + rng.standard_normal((n, 2))
        # Labels are permuted between patients, so that one patient has one.
        of_patient, permuted = np.repeat(y[::2], 2), {"n_permutations": PERMUTATIONS, "rng": rng}
        apart = stats.embedding_separation(features, of_patient, cluster=patient, **permuted)
        kept.test("silhouette of an embedding, permutation", apart.silhouette_p_value)
        kept.test("neighbours in an embedding, permutation", apart.neighbour_auc_p_value)
        _probabilities(kept, population.mu, y, a, b, drawing)
    known = probability_truths(cell)
    truths = {
        **{f"AUC, bootstrap-{kind}": cell["auc"] for kind in ("percentile", "bca")},
        **{f"partial AUC, {method}": true_partial_auc(cell) for method in PARTIAL},
        "average precision, bootstrap-percentile": true_average_precision(cell),
        "macro AUC, bca": cell["auc"],
        "observed / expected": 1.0, "in the large": 0.0, "calibration slope": 1.0, "calibration intercept": 0.0,
        **{name: known[name] for name in ("Brier score", "scaled Brier score")},
    }  # fmt: skip
    for at in AT:
        truths[f"difference of net benefits at {at:g}"] = 0.0
        for kind in ("analytic", "bootstrap"):
            truths[f"net benefit at {at:g}, {kind}"] = known[f"net benefit at {at:g}"]
    return kept.summary(truths)


def _probabilities(kept: Kept, mu: float, y, a, b, drawing: dict) -> None:
    """Of the true probabilities given each model's score alone."""
    first, second = (expit(mu * score - mu**2 / 2.0 + logit(PREVALENCE)) for score in (a, b))
    metrics = stats.calibration_metrics(y, first, cluster=drawing["cluster"])
    for name, found in (
        ("Brier score", metrics.brier), ("scaled Brier score", metrics.brier_scaled),
        ("observed / expected", metrics.observed_expected), ("in the large", metrics.in_the_large),
        ("calibration slope", metrics.slope), ("calibration intercept", metrics.intercept),
    ):  # fmt: skip
        kept.interval(name, found)
    for kind in ("analytic", "bootstrap"):
        benefit = stats.net_benefit(y, first, AT, interval=kind, **drawing)
        for k, at in enumerate(AT):
            kept.bounds(f"net benefit at {at:g}, {kind}", benefit.ci_low[k], benefit.ci_high[k])
    apart = stats.net_benefit_difference(y, first, second, AT, cluster=drawing["cluster"])
    for k, at in enumerate(AT):
        kept.bounds(f"difference of net benefits at {at:g}", apart.ci_low[k], apart.ci_high[k])


def _labels(k: int, rng: np.random.Generator):
    """Labels of the lesions of k patients; both classes in at least two patients."""
    while True:
        first = rng.random(k) < PREVALENCE
        second = np.where(rng.random(k) < 0.5, first, rng.random(k) < PREVALENCE)
        labels = np.stack([first, second], axis=1)
        if labels.any(axis=1).sum() >= 2 and (~labels).any(axis=1).sum() >= 2:
            return labels.ravel().astype(int)


def _errors(shape: tuple[int, int], n: int, rng: np.random.Generator):
    """Errors of variance 1 for models and labels, of shape (models, n, labels); half of it is a patient's own."""
    models, labels = shape
    of_patient = np.repeat(rng.standard_normal((models, n // 2, labels)), 2, axis=1)
    own = rng.standard_normal((models, n, labels))
    return np.sqrt(CORRELATION) * of_patient + np.sqrt(1.0 - CORRELATION) * own
