"""What the resampling studies share: their populations and truths, and what is judged without a bootstrap."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from auc_interval_coverage import classes
from binormal import EDGES, rating_chances, separation
from biomark import stats
from biomark.stats.calibration import in_the_large_of, observed_expected_of
from kept import Kept
from numpy.typing import NDArray
from probability_coverage import AT, drawn
from scipy.special import expit, ndtr, ndtri

REPLICATES, PERMUTATIONS = 500, 99
LABELS = 3
# All pairs of points: too much work for every data set beyond.
EMBEDDED_UP_TO = 388
# The specificity at which the band of percentiles is judged among what else is resampled.
AT_SPECIFICITY = 0.8


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


# Weighted metrics are the macro ones here: every label has as many positives.
OVERALL = (
    "macro_auc", "macro_accuracy", "macro_precision", "macro_recall", "macro_f1", "micro_auc", "micro_accuracy",
    "micro_precision", "micro_recall", "micro_f1", "hamming", "subset_accuracy",
)  # fmt: skip


def overall_truths(cell: dict, population: Population) -> dict[str, float]:
    """Three labels that agree, read independently: every label has the same rates."""
    share = classes(cell)[0] / cell["n"]
    sensitivity, specificity = population.rates(population.threshold)
    together = share * sensitivity**LABELS + (1 - share) * specificity**LABELS
    return averaged_truths(cell, population, share, ("macro", "micro")) | {"subset_accuracy": together}


def averaged_truths(
    cell: dict, population: Population, share: float, kinds: tuple[str, ...]
) -> dict[str, float]:
    """What is true of each label is true of every average over them, and of the Hamming loss."""
    sensitivity, specificity = population.rates(population.threshold)
    tp, fn, fp = share * sensitivity, share * (1 - sensitivity), (1 - share) * (1 - specificity)
    of_each = {
        "auc": cell["auc"],
        "accuracy": tp / (tp + fp + fn),
        "precision": tp / (tp + fp),
        "recall": sensitivity,
        "f1": 2 * tp / (2 * tp + fp + fn),
    }
    averaged = {f"{kind}_{name}": value for kind in kinds for name, value in of_each.items()}
    return averaged | {"hamming": fp + fn}


def drawn_labels(cell: dict, rng: np.random.Generator):
    """Labels of patients drawn at random; at least two patients of each class of each label."""
    n, labels = cell["n"], np.zeros((cell["n"], LABELS))
    while min(labels.sum(axis=0).min(), (n - labels.sum(axis=0)).min()) < 2:
        labels = (rng.random((n, LABELS)) < cell["prevalence"]).astype(float)
    return labels


def worded(name: str, method: str) -> str:
    return f"{name.replace('_', ' ').replace('auc', 'AUC').replace('f1', 'F1')}, {method}"


def judge_cutoff(kept: Kept, population: Population, chosen: stats.Estimate) -> None:
    low, high = chosen.ci_low, chosen.ci_high
    kept.held("Youden cut-off", bool(((low <= population.best) & (population.best <= high)).any()))


def judge_yields(
    kept: Kept,
    population: Population,
    share: float,
    cutoff: float,
    yields: dict[str, stats.Estimate],
    kind: str,
) -> None:
    """What a chosen cut-off yields, against what it yields among all patients there could be."""
    sensitivity, specificity = population.rates(cutoff)
    true = {
        "sensitivity": sensitivity,
        "specificity": specificity,
        "youden": sensitivity + specificity - 1.0,
        "accuracy": share * sensitivity + (1.0 - share) * specificity,
    }
    for name, found in yields.items():
        inside = found.ci_low - 1e-9 <= true[name] <= found.ci_high + 1e-9
        kept.held(f"{name} of the chosen cut-off, {kind}", inside)


def judge_band(kept: Kept, name: str, population: Population, specificity, low, high) -> None:
    true = population.curve(1.0 - specificity)
    inside = (low - 1e-9 <= true) & (true <= high + 1e-9)
    kept.held(f"ROC band, {name}", bool(inside.all()))


def without_replicates(kept: Kept, population: Population, labels, score, rng: np.random.Generator) -> None:
    """The simultaneous band, and an embedding whose features know nothing of the label."""
    band = stats.roc_band(labels, score, method="simultaneous", points=21)
    judge_band(kept, "simultaneous", population, band.specificity, band.ci_low, band.ci_high)
    if labels.size <= EMBEDDED_UP_TO:
        n_pos = int(labels.sum())
        features, k = rng.standard_normal((labels.size, 2)), min(10, n_pos, labels.size - n_pos)
        apart = stats.embedding_separation(features, labels, n_permutations=PERMUTATIONS, rng=rng, k=k)
        kept.test("silhouette of an embedding, permutation", apart.silhouette_p_value)
        kept.test("neighbours in an embedding, permutation", apart.neighbour_auc_p_value)


def judge_benefit(kept: Kept, cell: dict, rng: np.random.Generator) -> None:
    """Net benefit and its difference from a model that knows nothing, and calibration, of one more set."""
    outcomes, linear = (values[0] for values in drawn(cell, rng, 1))
    chance = expit(linear)
    benefit = stats.net_benefit(outcomes, chance, AT, interval="bootstrap", n_boot=REPLICATES, rng=rng)
    # A second model that knows nothing has the net benefit of treating all, or none.
    nothing = np.full(chance.size, cell["prevalence"])
    apart = stats.net_benefit_difference(outcomes, chance, nothing, AT)
    for k, at in enumerate(AT):
        kept.bounds(f"net benefit at {at:g}, bootstrap", benefit.ci_low[k], benefit.ci_high[k])
        kept.bounds(f"difference of net benefits at {at:g}", apart.ci_low[k], apart.ci_high[k])
    kept.interval("in the large", in_the_large_of(outcomes, chance, None, 0.95))
    kept.interval("observed / expected", observed_expected_of(outcomes, chance, None, 0.95))
    smoothed(kept, outcomes, chance)


def smoothed(kept: Kept, outcomes, chance) -> None:
    """The calibration curve at the middle of its range; the predictions are true, so it should lie on the diagonal."""
    if np.unique(chance).size < 3:
        kept.nothing("calibration curve, at its middle")
        return
    curve = stats.calibration_curve(outcomes, chance, points=3)
    at = curve.predicted[1]
    kept.held("calibration curve, at its middle", bool(curve.ci_low[1] <= at <= curve.ci_high[1]))
