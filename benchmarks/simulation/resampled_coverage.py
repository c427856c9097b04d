"""Coverage of the intervals that resample patients, through the package's own functions.

Cut-offs and what they yield, metrics over three labels, a band of the ROC curve, the separation of an embedding;
then the bootstrap intervals of the partial area, average precision and net benefit, and what stands beside them.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from auc_interval_coverage import SIZES, classes
from binormal import EDGES, rating_chances, separation
from biomark import stats
from curve_coverage import true_average_precision, true_partial_auc
from kept import Kept
from numpy.typing import NDArray
from probability_coverage import AT, drawn
from probability_coverage import truths as probability_truths
from scipy.special import expit, ndtr, ndtri

# Ties, and the prevalence.
CASES, AUCS = ((False, 0.1), (False, 0.5), (False, 0.9), (True, 0.5)), (0.6, 0.8, 0.95)
REPLICATES, PERMUTATIONS = 500, 99
LABELS = 3
# All pairs of points: too much work for every data set beyond.
EMBEDDED_UP_TO = 388
# The specificity at which the pointwise band is judged.
AT_SPECIFICITY = 0.8


def cells(n_sets: int) -> list[dict]:
    return [
        {"n": n, "prevalence": p, "auc": a, "ties": t, "sets": n_sets if n < 388 else n_sets // 5}
        for n in SIZES for t, p in CASES for a in AUCS
    ]  # fmt: skip


class Population(NamedTuple):
    """Scores as they are drawn, and what is true of them."""

    mu: float
    ties: bool
    # The cut-offs of the largest Youden index, and the one at which the metrics are judged.
    best: NDArray[np.float64]
    threshold: float

    @classmethod
    def of(cls, cell: dict) -> Population:
        mu = separation(cell["auc"], ties=cell["ties"])
        if not cell["ties"]:
            return cls(mu, False, np.array([mu / 2.0]), mu / 2.0)
        # The edges lie evenly about the middle: two cut-offs are equally good.
        return cls(mu, True, np.array([2.0, 3.0]), 3.0)

    def scores(self, labels, rng: np.random.Generator):
        values = self.mu * labels + rng.standard_normal(labels.shape)
        return np.digitize(values, self.mu / 2.0 + EDGES).astype(float) if self.ties else values

    def rates(self, threshold: float) -> tuple[float, float]:
        """Sensitivity and specificity."""
        if not self.ties:
            return float(ndtr(self.mu - threshold)), float(ndtr(threshold))
        of_pos, of_neg = rating_chances(self.mu)
        called = np.arange(of_pos.size) >= threshold
        return float(of_pos[called].sum()), float(of_neg[~called].sum())

    def curve(self, fpr):
        """Sensitivity at false positive rates, on straight lines between ratings."""
        if not self.ties:
            return ndtr(self.mu + ndtri(fpr))
        of_pos, of_neg = rating_chances(self.mu)
        tpr, rate = (np.append(0.0, np.cumsum(chances[::-1])) for chances in (of_pos, of_neg))
        return np.interp(fpr, rate, tpr)


def intervals(cell: dict, rng: np.random.Generator) -> dict:
    """What the report resamples for."""
    population = Population.of(cell)
    labels = np.repeat([1, 0], classes(cell))
    several = np.tile(labels[:, None], LABELS)
    thresholds = [population.threshold] * LABELS
    kept = Kept()
    for _ in range(cell["sets"]):
        score = population.scores(labels, rng)
        chosen = stats.cutoff_ci(labels, score, n_boot=REPLICATES, rng=rng)
        low, high = chosen.threshold.ci_low, chosen.threshold.ci_high
        kept.held("Youden cut-off", bool(((low <= population.best) & (population.best <= high)).any()))
        for name, true in zip(
            ("sensitivity", "specificity"), population.rates(chosen.threshold.value), strict=True
        ):
            found = getattr(chosen, name)
            kept.held(f"{name} of the chosen cut-off", found.ci_low <= true <= found.ci_high)
        scores = population.scores(several, rng)
        overall = stats.multilabel_ci(several, scores, thresholds, n_boot=REPLICATES, rng=rng)
        for name in OVERALL:
            kept.interval(_worded(name, "percentile"), getattr(overall, name))
        _bands(kept, population, labels, score, rng)
        if cell["n"] <= EMBEDDED_UP_TO:
            # Features that know nothing of the label.
            features, k = rng.standard_normal((labels.size, 2)), min(10, *classes(cell))
            apart = stats.embedding_separation(features, labels, n_permutations=PERMUTATIONS, rng=rng, k=k)
            kept.test("silhouette of an embedding, permutation", apart.silhouette_p_value)
            kept.test("neighbours in an embedding, permutation", apart.neighbour_auc_p_value)
    true = overall_truths(cell, population)
    return kept.summary({_worded(name, "percentile"): value for name, value in true.items()})


OVERALL = ("macro_auc", "macro_accuracy", "macro_f1", "hamming", "subset_accuracy")


def overall_truths(cell: dict, population: Population) -> dict[str, float]:
    """Three labels that agree, read independently: every label has the same rates."""
    share = classes(cell)[0] / cell["n"]
    sensitivity, specificity = population.rates(population.threshold)
    tp, fn, fp = share * sensitivity, share * (1 - sensitivity), (1 - share) * (1 - specificity)
    return {
        "macro_auc": cell["auc"],
        "macro_accuracy": tp / (tp + fp + fn),
        "macro_f1": 2 * tp / (2 * tp + fp + fn),
        "hamming": fp + fn,
        "subset_accuracy": share * sensitivity**LABELS + (1 - share) * specificity**LABELS,
    }


def _worded(name: str, method: str) -> str:
    return f"{name.replace('_', ' ').replace('auc', 'AUC').replace('f1', 'F1')}, {method}"


def _bands(kept: Kept, population: Population, labels, score, rng: np.random.Generator) -> None:
    point = stats.roc_band(labels, score, n_boot=REPLICATES, points=21, rng=rng)
    whole = stats.roc_band(labels, score, method="simultaneous", points=21)
    for name, band in (("pointwise, at specificity 0.8", point), ("simultaneous", whole)):
        true = population.curve(1.0 - band.specificity)
        inside = (band.ci_low - 1e-9 <= true) & (true <= band.ci_high + 1e-9)
        if name != "simultaneous":
            inside = inside[np.isclose(band.specificity, AT_SPECIFICITY)]
        kept.held(f"ROC band, {name}", bool(inside.all()))


def beside(cell: dict, rng: np.random.Generator) -> dict:
    """Bootstrap intervals that the report leaves to the library's users, and curves that need no bootstrap."""
    population = Population.of(cell)
    labels = np.repeat([1, 0], classes(cell))
    several, thresholds = np.tile(labels[:, None], LABELS), [population.threshold] * LABELS
    kept = Kept()
    drawing = {"n_boot": REPLICATES, "rng": rng}
    for _ in range(cell["sets"]):
        score, other = population.scores(labels, rng), population.scores(labels, rng)
        scores = population.scores(several, rng)
        overall = stats.multilabel_ci(several, scores, thresholds, method="bca", **drawing)
        kept.interval(_worded("macro_auc", "bca"), overall.macro_auc)
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
        outcomes, linear = (values[0] for values in drawn(cell, rng, 1))
        chance = expit(linear)
        benefit = stats.net_benefit(outcomes, chance, AT, interval="bootstrap", **drawing)
        # A second model that knows nothing has the net benefit of treating all, or none.
        nothing = np.full(chance.size, cell["prevalence"])
        apart = stats.net_benefit_difference(outcomes, chance, nothing, AT)
        for k, at in enumerate(AT):
            kept.bounds(f"net benefit at {at:g}, bootstrap", benefit.ci_low[k], benefit.ci_high[k])
            kept.bounds(f"difference of net benefits at {at:g}", apart.ci_low[k], apart.ci_high[k])
        _smoothed(kept, outcomes, chance)
    true = probability_truths(cell)
    known = {f"partial AUC, {m}": true_partial_auc(cell) for m in ("bootstrap-percentile", "bootstrap-bca")}
    known[_worded("macro_auc", "bca")] = cell["auc"]
    known["average precision, bootstrap-percentile"] = true_average_precision(cell)
    for at in AT:
        known[f"net benefit at {at:g}, bootstrap"] = true[f"net benefit at {at:g}"]
        p = cell["prevalence"]
        of_nothing = p - (1 - p) * at / (1 - at) if p >= at else 0.0
        known[f"difference of net benefits at {at:g}"] = true[f"net benefit at {at:g}"] - of_nothing
    return kept.summary(known)


def _smoothed(kept: Kept, outcomes, chance) -> None:
    """The calibration curve at the middle of its range; the predictions are true, so it should lie on the diagonal."""
    if np.unique(chance).size < 3:
        kept.nothing("calibration curve, at its middle")
        return
    curve = stats.calibration_curve(outcomes, chance, points=3)
    at = curve.predicted[1]
    kept.held("calibration curve, at its middle", bool(curve.ci_low[1] <= at <= curve.ci_high[1]))
