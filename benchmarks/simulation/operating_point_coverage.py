"""Coverage of every measure of an operating point whose threshold was fixed beforehand."""

from __future__ import annotations

from functools import cache
from math import sqrt

import numpy as np
from biomark import stats
from kept import Kept

SIZES, PREVALENCES = (30, 88, 388, 2000), (0.1, 0.3, 0.5, 0.9)
# Sensitivity and specificity.
RATES = ((0.7, 0.75), (0.9, 0.9), (0.95, 0.6))
ELSEWHERE = 0.2
MEASURES = (
    "accuracy", "sensitivity", "specificity", "ppv", "npv", "balanced_accuracy", "youden", "lr_positive",
    "lr_negative", "odds_ratio", "f1", "mcc", "kappa", "ppv_at_prevalence", "npv_at_prevalence",
)  # fmt: skip
# Of these the score interval, too.
RATIOS = ("lr_positive", "lr_negative", "odds_ratio", "ppv_at_prevalence", "npv_at_prevalence")
NAMES = (*MEASURES, *(f"{name}, score" for name in RATIOS))


def cells(n_sets: int) -> list[dict]:
    return [
        {"n": n, "prevalence": p, "sensitivity": se, "specificity": sp, "sets": n_sets}
        for n in SIZES for p in PREVALENCES for se, sp in RATES
    ]  # fmt: skip


def intervals(cell: dict, rng: np.random.Generator) -> dict:
    """Patients are drawn without regard to their class, so that the numbers of both vary."""
    p, se, sp = cell["prevalence"], cell["sensitivity"], cell["specificity"]
    shares = [p * se, (1 - p) * (1 - sp), (1 - p) * sp, p * (1 - se)]
    kept = Kept()
    for counts in rng.multinomial(cell["n"], shares, size=cell["sets"]).tolist():
        for name, (low, high) in zip(NAMES, _bounds(*counts), strict=True):
            kept.bounds(name, low, high)
    true = truths(*shares, se, sp)
    return kept.summary(true | {f"{name}, score": true[name] for name in RATIOS})


@cache
def _bounds(tp: int, fp: int, tn: int, fn: int) -> list[tuple[float, float]]:
    point = stats.operating_point_from_counts(tp, fp, tn, fn, prevalence=ELSEWHERE)
    score = stats.operating_point_from_counts(tp, fp, tn, fn, prevalence=ELSEWHERE, ratios="score")
    found = [getattr(point, name) for name in MEASURES] + [getattr(score, name) for name in RATIOS]
    return [(estimate.ci_low, estimate.ci_high) for estimate in found]


def truths(tp: float, fp: float, tn: float, fn: float, se: float, sp: float) -> dict[str, float]:
    """Measures of the population, from the shares of the four cells."""
    positive, negative = se / (1 - sp), (1 - se) / sp
    expected = (tp + fp) * (tp + fn) + (tn + fn) * (tn + fp)
    odds = ELSEWHERE / (1 - ELSEWHERE)
    return {
        "accuracy": tp + tn, "sensitivity": se, "specificity": sp, "ppv": tp / (tp + fp), "npv": tn / (tn + fn),
        "balanced_accuracy": (se + sp) / 2, "youden": se + sp - 1,
        "lr_positive": positive, "lr_negative": negative, "odds_ratio": positive / negative,
        "f1": 2 * tp / (2 * tp + fp + fn),
        "mcc": (tp * tn - fp * fn) / sqrt((tp + fp) * (tp + fn) * (tn + fp) * (tn + fn)),
        "kappa": (tp + tn - expected) / (1 - expected),
        "ppv_at_prevalence": odds * positive / (1 + odds * positive),
        "npv_at_prevalence": 1 / (1 + odds * negative),
    }  # fmt: skip
