"""Intervals of the measures of accuracy that are no plain proportion of patients.

Each rule takes the confusion counts, or the proportions with their intervals, and returns an ``Estimate``
whose ``method`` names the rule, and says so where value or interval is undefined.
"""

from __future__ import annotations

import math

from scipy.special import ndtri

from .confusion import ConfusionCounts
from .results import Estimate
from .score_ratio import score_interval

__all__ = [
    "RATIO_METHODS",
    "ZERO_CELLS",
    "f1_from_jaccard",
    "kappa_from_counts",
    "mcc_from_counts",
    "predictive_value_at",
    "ratio_estimate",
    "square_and_add",
]

RATIO_METHODS = ("log", "score")
ZERO_CELLS = ("score", "undefined", "haldane-anscombe")

# name: (factors above, factors below); a ratio's variance on the log scale is the sum of 1/count over its
# cells less that over its margins (the n's), for LRs and the odds ratio alike.
_RATIOS: dict[str, tuple[tuple[str, str], tuple[str, str], str]] = {
    "lr_positive": (("tp", "n_neg"), ("fp", "n_pos"), "log (Simel 1991)"),
    "lr_negative": (("fn", "n_neg"), ("tn", "n_pos"), "log (Simel 1991)"),
    "odds_ratio": (("tp", "tn"), ("fp", "fn"), "log (Woolf)"),
}


def square_and_add(first: Estimate, second: Estimate, *, weight: float, offset: float) -> Estimate:
    """Return ``weight * (first + second) + offset`` of two independent proportions, intervals joined.

    Newcombe's square-and-add (1998, method 10; also called MOVER): the distance from the sum to its lower
    bound is the root of the summed squares of the two distances to the lower bounds, and likewise above.
    """
    if math.isnan(first.value) or math.isnan(second.value):
        return _undefined(first.confidence, "it needs positives and negatives")
    value = weight * (first.value + second.value) + offset
    below = math.hypot(first.value - first.ci_low, second.value - second.ci_low)
    above = math.hypot(first.ci_high - first.value, second.ci_high - second.value)
    rule = first.method.split(",")[0]
    return Estimate(
        value,
        value - weight * below,
        value + weight * above,
        first.confidence,
        f"square-and-add (Newcombe 1998) of {rule}",
    )


def ratio_estimate(
    name: str, counts: ConfusionCounts[int], *, ratios: str, zero_cells: str, confidence: float
) -> Estimate:
    """Return a likelihood ratio or the diagnostic odds ratio with its interval.

    ``name`` is ``lr_positive``, ``lr_negative`` or ``odds_ratio``; ``ratios`` one of :data:`RATIO_METHODS`, and
    ``zero_cells``, where the log method has no interval, one of :data:`ZERO_CELLS`.
    """
    above, below, method = _RATIOS[name]
    if counts.n_pos == 0 or counts.n_neg == 0:
        return _undefined(confidence, "it needs positives and negatives")
    value, variance = _ratio_and_variance(counts, above, below)
    if ratios == "log" and variance > 0.0 and math.isfinite(variance):
        return _log_interval(value, variance, confidence, method)
    if ratios == "log" and zero_cells == "haldane-anscombe":
        corrected = ConfusionCounts[float](*(count + 0.5 for count in counts))
        value, variance = _ratio_and_variance(corrected, above, below)
        method = f"{method}, 1/2 added to each cell (Haldane-Anscombe)"
        return _log_interval(value, variance, confidence, method)
    if math.isnan(value):
        return _undefined(confidence, "numerator and denominator are 0")
    reason = "a cell is 0" if variance > 0.0 else "its variance estimate is 0"
    if ratios == "log" and zero_cells == "undefined":
        return Estimate(value, math.nan, math.nan, confidence, f"{method}: interval undefined, {reason}")
    of_pos, of_neg = (counts.fn, counts.tn) if name == "lr_negative" else (counts.tp, counts.fp)
    low, high = score_interval(
        of_pos, counts.n_pos, of_neg, counts.n_neg, odds=name == "odds_ratio", confidence=confidence
    )
    rule = "score (Miettinen-Nurminen 1985)"
    return Estimate(value, low, high, confidence, rule if ratios == "score" else f"{rule}, not log: {reason}")


def predictive_value_at(prevalence: float, ratio: Estimate, *, positive: bool) -> Estimate:
    """Return the predictive value at a known prevalence from a likelihood ratio with its log interval.

    logit PPV = logit prevalence + log LR+ and logit NPV = -logit prevalence - log LR-, so that the logit
    intervals of Mercaldo, Lau and Zhou (2007) are those of the log ratios, shifted.
    """
    if math.isnan(ratio.value):
        return Estimate(math.nan, math.nan, math.nan, ratio.confidence, ratio.method)
    odds = prevalence / (1.0 - prevalence)
    value, low, high = (_chance(odds * bound) for bound in (ratio.value, ratio.ci_low, ratio.ci_high))
    if not positive:  # these are then chances of the condition after a negative call, 1 - NPV
        value, low, high = 1.0 - value, 1.0 - high, 1.0 - low
    if ratio.method.startswith("score"):
        method = f"from the likelihood ratio at prevalence {prevalence:g}: {ratio.method}"
    else:
        note = ratio.method.removeprefix("log (Simel 1991)")
        method = f"logit (Mercaldo 2007) at prevalence {prevalence:g}{note}"
    return Estimate(value, low, high, ratio.confidence, method)


def f1_from_jaccard(jaccard: Estimate) -> Estimate:
    """Return F1 = 2 J / (1 + J) with the interval of J = tp / (tp + fp + fn) carried over."""
    if math.isnan(jaccard.value):
        return _undefined(jaccard.confidence, "no true positive, false positive or false negative")
    value, low, high = (2.0 * j / (1.0 + j) for j in (jaccard.value, jaccard.ci_low, jaccard.ci_high))
    rule = jaccard.method.split(",")[0]
    return Estimate(value, low, high, jaccard.confidence, f"{rule} of TP/(TP+FP+FN), carried over")


def mcc_from_counts(counts: ConfusionCounts[int], *, confidence: float) -> Estimate:
    """Return the Matthews correlation coefficient with a delta-method interval on Fisher's z scale.

    Multinomial variance of the correlation phi of a 2 x 2 table with margins p1., p2., p.1, p.2 (Bishop,
    Fienberg and Holland 1975, chapter 11; Itaya 2025):
    n Var = 1 - phi^2 + phi (1 + phi^2/2) (p1. - p2.)(p.1 - p.2) / sqrt(p1. p2. p.1 p.2)
    - 3/4 phi^2 [(p1. - p2.)^2 / (p1. p2.) + (p.1 - p.2)^2 / (p.1 p.2)]; on the z scale divided by
    (1 - phi^2)^2.
    """
    tp, fp, tn, fn = counts
    n = tp + fp + tn + fn
    positive, negative = (tp + fn) / n, (tn + fp) / n
    called, not_called = (tp + fp) / n, (tn + fn) / n
    truth, call = positive * negative, called * not_called
    if truth == 0.0 or call == 0.0:
        return _undefined(confidence, "truth or call has one class only")
    phi = (tp * tn - fp * fn) / n**2 / math.sqrt(truth * call)
    phi = min(1.0, max(-1.0, phi))
    if fp == fn == 0 or tp == tn == 0:
        note = "Fisher z (Itaya 2025): interval undefined, its variance estimate is 0"
        return Estimate(phi, math.nan, math.nan, confidence, note)
    skew_truth, skew_call = positive - negative, called - not_called
    variance = (
        1.0
        - phi**2
        + phi * (1.0 + phi**2 / 2.0) * skew_truth * skew_call / math.sqrt(truth * call)
        - 0.75 * phi**2 * (skew_truth**2 / truth + skew_call**2 / call)
    ) / n
    half = _z(confidence) * math.sqrt(max(variance, 0.0)) / (1.0 - phi**2)
    low, high = math.tanh(math.atanh(phi) - half), math.tanh(math.atanh(phi) + half)
    return Estimate(phi, low, high, confidence, "Fisher z, delta (Itaya 2025)")


def kappa_from_counts(counts: ConfusionCounts[int], *, confidence: float) -> Estimate:
    """Return Cohen's kappa of call and truth with the interval of Fleiss, Cohen and Everitt (1969).

    n (1 - pe)^2 Var = sum_i p_ii [1 - (p_i. + p_.i)(1 - kappa)]^2 + (1 - kappa)^2 sum_{i != j} p_ij (p_.i +
    p_j.)^2 - [kappa - pe (1 - kappa)]^2.
    """
    tp, fp, tn, fn = counts
    n = tp + fp + tn + fn
    positive, negative = (tp + fn) / n, (tn + fp) / n
    called, not_called = (tp + fp) / n, (tn + fn) / n
    by_chance = positive * called + negative * not_called
    if (tp + fp == 0 and tp + fn == 0) or (tn + fn == 0 and tn + fp == 0):
        return _undefined(confidence, "truth and call are of one and the same class throughout")
    kappa = ((tp + tn) / n - by_chance) / (1.0 - by_chance)
    agreeing = (
        tp * (1.0 - (positive + called) * (1.0 - kappa)) ** 2
        + tn * (1.0 - (negative + not_called) * (1.0 - kappa)) ** 2
    ) / n
    disagreeing = (1.0 - kappa) ** 2 * (fp * (positive + not_called) ** 2 + fn * (negative + called) ** 2) / n
    variance = (agreeing + disagreeing - (kappa - by_chance * (1.0 - kappa)) ** 2) / (
        n * (1.0 - by_chance) ** 2
    )
    if variance <= 1e-15 / n:
        note = "Fleiss-Cohen-Everitt 1969: interval undefined, its variance estimate is 0"
        return Estimate(kappa, math.nan, math.nan, confidence, note)
    half = _z(confidence) * math.sqrt(variance)
    return Estimate(
        kappa, max(-1.0, kappa - half), min(1.0, kappa + half), confidence, "Fleiss-Cohen-Everitt 1969"
    )


def _ratio_and_variance(
    counts: ConfusionCounts[int] | ConfusionCounts[float], above: tuple[str, str], below: tuple[str, str]
) -> tuple[float, float]:
    top = math.prod(getattr(counts, name) for name in above)
    bottom = math.prod(getattr(counts, name) for name in below)
    value = top / bottom if bottom else (math.inf if top else math.nan)
    terms = [(getattr(counts, name), -1.0 if name.startswith("n_") else 1.0) for name in (*above, *below)]
    if any(count == 0 for count, _ in terms):
        return value, math.inf
    # Paired so that a cell equal to its margin cancels to 0 exactly.
    return value, math.fsum(sign / count for count, sign in terms)


def _log_interval(value: float, variance: float, confidence: float, method: str) -> Estimate:
    factor = math.exp(_z(confidence) * math.sqrt(variance))
    return Estimate(value, value / factor, value * factor, confidence, method)


def _chance(odds: float) -> float:
    return 1.0 if odds == math.inf else odds / (1.0 + odds)


def _undefined(confidence: float, reason: str) -> Estimate:
    return Estimate(math.nan, math.nan, math.nan, confidence, f"undefined: {reason}")


def _z(confidence: float) -> float:
    return float(ndtri(0.5 + confidence / 2.0))
