"""What a model does at one threshold: the confusion counts and every measure of accuracy made from them.

Each measure is one row of a table. A proportion has a numerator and a denominator, and gets its interval on
that denominator; any other measure (a ratio, a sum of two proportions, F1, MCC, kappa) names the rule that
makes it. The rules are in ``accuracy_intervals``.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike

from ..errors import BiomarkError
from .accuracy_intervals import (
    RATIO_METHODS,
    ZERO_CELLS,
    f1_from_jaccard,
    kappa_from_counts,
    mcc_from_counts,
    predictive_value_at,
    ratio_estimate,
    square_and_add,
)
from .confusion import ConfusionCounts, confusion_counts
from .inputs import choice, fraction, whole_number
from .proportion import PROPORTION_METHODS, proportion_ci
from .results import Estimate, Result

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["METRICS", "OperatingPoint", "operating_point", "operating_point_from_counts"]

# name: (cells of the numerator, cells of the denominator)
_PROPORTIONS = {
    "accuracy": (("tp", "tn"), ("tp", "fp", "tn", "fn")),
    "sensitivity": (("tp",), ("tp", "fn")),
    "specificity": (("tn",), ("tn", "fp")),
    "ppv": (("tp",), ("tp", "fp")),
    "npv": (("tn",), ("tn", "fn")),
}
_JACCARD = {"jaccard": (("tp",), ("tp", "fp", "fn"))}


class _Given(NamedTuple):
    """What the rules of the other measures work from."""

    counts: ConfusionCounts[int]
    proportions: dict[str, Estimate]
    confidence: float
    ratios: str
    zero_cells: str

    def ratio(self, name: str) -> Estimate:
        return ratio_estimate(
            name, self.counts, ratios=self.ratios, zero_cells=self.zero_cells, confidence=self.confidence
        )

    def rates_joined(self, *, weight: float, offset: float) -> Estimate:
        sensitivity, specificity = self.proportions["sensitivity"], self.proportions["specificity"]
        return square_and_add(sensitivity, specificity, weight=weight, offset=offset)


_DERIVED: dict[str, Callable[[_Given], Estimate]] = {
    "balanced_accuracy": lambda given: given.rates_joined(weight=0.5, offset=0.0),
    "youden": lambda given: given.rates_joined(weight=1.0, offset=-1.0),
    "lr_positive": lambda given: given.ratio("lr_positive"),
    "lr_negative": lambda given: given.ratio("lr_negative"),
    "odds_ratio": lambda given: given.ratio("odds_ratio"),
    "f1": lambda given: f1_from_jaccard(given.proportions["jaccard"]),
    "mcc": lambda given: mcc_from_counts(given.counts, confidence=given.confidence),
    "kappa": lambda given: kappa_from_counts(given.counts, confidence=given.confidence),
}

METRICS = (*_PROPORTIONS, *_DERIVED)


@dataclass(frozen=True, slots=True)
class OperatingPoint(Result):
    """Counts and measures of accuracy at one threshold.

    Attributes
    ----------
    threshold : float
        A patient is called positive where score >= threshold; NaN where only counts were given.
    tp, fp, tn, fn : int
        Confusion counts.
    n_pos, n_neg : int
        Patients with and without the condition: tp + fn and tn + fp.
    accuracy, sensitivity, specificity, ppv, npv : Estimate
        Proportions, each with its interval on its own denominator.
    balanced_accuracy, youden : Estimate
        (sensitivity + specificity) / 2 and sensitivity + specificity - 1.
    lr_positive, lr_negative : Estimate
        Likelihood ratios, sensitivity / (1 - specificity) and (1 - sensitivity) / specificity.
    odds_ratio : Estimate
        Diagnostic odds ratio, tp tn / (fp fn).
    f1 : Estimate
        2 tp / (2 tp + fp + fn).
    mcc : Estimate
        Matthews correlation coefficient, the correlation of call and truth.
    kappa : Estimate
        Cohen's agreement of call and truth beyond chance.
    prevalence : float or None
        The stated prevalence, where one was given.
    ppv_at_prevalence, npv_at_prevalence : Estimate or None
        Predictive values at that prevalence.
    """

    threshold: float
    tp: int
    fp: int
    tn: int
    fn: int
    n_pos: int
    n_neg: int
    accuracy: Estimate
    sensitivity: Estimate
    specificity: Estimate
    ppv: Estimate
    npv: Estimate
    balanced_accuracy: Estimate
    youden: Estimate
    lr_positive: Estimate
    lr_negative: Estimate
    odds_ratio: Estimate
    f1: Estimate
    mcc: Estimate
    kappa: Estimate
    prevalence: float | None = None
    ppv_at_prevalence: Estimate | None = None
    npv_at_prevalence: Estimate | None = None

    def estimates(self) -> dict[str, Estimate]:
        """Return the measures by name, in the order in which reports print them."""
        found = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in found.items() if isinstance(value, Estimate)}

    def to_frame(self) -> pd.DataFrame:
        """Return the measures as a table: one row each, with value, interval, confidence and method."""
        import pandas as pd

        rows = [
            (name, e.value, e.ci_low, e.ci_high, e.confidence, e.method)
            for name, e in self.estimates().items()
        ]
        return pd.DataFrame(rows, columns=["metric", "value", "ci_low", "ci_high", "confidence", "method"])


def operating_point(
    y_true: ArrayLike,
    y_score: ArrayLike,
    threshold: float,
    *,
    interval: str = "wilson",
    confidence: float = 0.95,
    prevalence: float | None = None,
    ratios: str = "log",
    zero_cells: str = "score",
) -> OperatingPoint:
    """Judge scores at one threshold: counts, accuracy, predictive values, ratios, each with its interval.

    Parameters
    ----------
    y_true : array of shape (n,), 0 or 1
        One class alone is allowed: what needs the other is then undefined.
    y_score : array of shape (n,), any finite real
        Higher is more positive; a patient is called positive where ``y_score >= threshold``.
    threshold : float
        The cut-off; an infinity calls everybody negative (inf) or positive (-inf).
    interval, confidence, prevalence, ratios, zero_cells
        As in :func:`operating_point_from_counts`.

    Returns
    -------
    OperatingPoint

    Raises
    ------
    BiomarkError
        For labels other than 0 and 1, scores that are not finite, no patient at all, or an unknown option.

    Notes
    -----
    The intervals take the threshold as fixed beforehand. They are too narrow, and the values too high, where
    the threshold was chosen on these same patients.

    Examples
    --------
    >>> point = operating_point([0, 0, 0, 1, 1, 1, 1], [0.1, 0.4, 0.6, 0.35, 0.6, 0.8, 0.9], 0.6)
    >>> point.tp, point.fp, point.tn, point.fn
    (3, 1, 2, 1)
    >>> point.sensitivity.value, round(point.sensitivity.ci_low, 3), round(point.sensitivity.ci_high, 3)
    (0.75, 0.301, 0.954)
    >>> point.specificity.method
    'wilson, 2/3'
    """
    if np.ndim(threshold) != 0:
        raise BiomarkError("threshold must be one number; confusion_counts takes several")
    counts = confusion_counts(y_true, y_score, threshold)
    return operating_point_from_counts(
        *counts,
        threshold=float(threshold),
        interval=interval,
        confidence=confidence,
        prevalence=prevalence,
        ratios=ratios,
        zero_cells=zero_cells,
    )


def operating_point_from_counts(
    tp: int,
    fp: int,
    tn: int,
    fn: int,
    *,
    threshold: float = float("nan"),
    interval: str = "wilson",
    confidence: float = 0.95,
    prevalence: float | None = None,
    ratios: str = "log",
    zero_cells: str = "score",
) -> OperatingPoint:
    """Return every measure of accuracy that four confusion counts give, each with its interval.

    Parameters
    ----------
    tp, fp, tn, fn : int, 0 or more
        True positives, false positives, true negatives, false negatives; not all 0.
    threshold : float
        The cut-off that gave the counts, where it is known; kept in the result.
    interval : {"wilson", "clopper-pearson", "agresti-coull", "jeffreys", "wald"}
        Interval of the proportions, and of what is made of them (balanced accuracy, Youden index, F1).
    confidence : float
        Level, strictly between 0 and 1.
    prevalence : float, optional
        Prevalence, strictly between 0 and 1, at which predictive values are wanted besides the observed ones.
    ratios : {"log", "score"}
        Interval of the likelihood ratios, the odds ratio and predictive values at a stated prevalence.
    zero_cells : {"score", "undefined", "haldane-anscombe"}
        What a ratio (or a predictive value at a stated prevalence) does when a cell of its log's standard error is
        0: keep the observed value with the score interval, or without an interval, or add 1/2 to each of the four
        cells, for value and interval both. ``method`` of the estimate says which happened.

    Returns
    -------
    OperatingPoint
        A measure with a denominator of 0 is NaN, and its ``method`` begins with "undefined".

    Raises
    ------
    BiomarkError
        For a count that is no whole number of 0 or more, no patient at all, or an unknown option.

    Notes
    -----
    - Proportions: see :func:`~biomark.stats.proportion.proportion_ci`. Denominators: all patients for
      accuracy, the positives for sensitivity, the negatives for specificity, those called positive for the
      PPV and those called negative for the NPV.
    - Balanced accuracy and Youden index: the intervals of sensitivity and specificity joined by
      square-and-add ([1]_, method 10), since the two are independent.
    - Likelihood ratios: log method ([2]_), se^2 = 1/tp - 1/n_pos + 1/fp - 1/n_neg for the positive one, and
      1/fn - 1/n_pos + 1/tn - 1/n_neg for the negative one. Diagnostic odds ratio: log method (Woolf, [3]_),
      se^2 = 1/tp + 1/fp + 1/tn + 1/fn. Where a cell is 0 and the log method has no interval, or where it is asked
      for: the score interval of [8]_.
    - F1 = 2 J / (1 + J) with J = tp / (tp + fp + fn), which is binomial given its denominator: the interval
      of J is carried over ([4]_, the indirect method). Stays within [0, 1] and is not degenerate at 0 and 1.
    - MCC: delta method on Fisher's z scale ([5]_). Undefined interval at -1 and 1, where the variance
      estimate is 0.
    - Kappa: the large-sample variance of [6]_, clipped to [-1, 1]. Undefined interval where that
      variance is 0.
    - Predictive values at a stated prevalence: Bayes' rule, with logit intervals ([7]_); the prevalence is
      taken as known.
    - Simulated coverage (docs/simulation.md) of the proportions, balanced accuracy, Youden index and F1 was 93% or
      more, but for the NPV with three positives among 30 (88%). Kappa has 90% on average at n = 30 and 93% at 88
      (at least 84 and 91%), MCC 94 and 95% (at least 89 and 93%). Of likelihood ratios, and of predictive values at a
      stated prevalence, the log method (with the score interval where a cell is 0) had 94% at n = 30 and 95% at 88 (at
      least 86 and 91%), the score interval 96 and 95% (at least 93 and 94%); of the odds ratio 97 and 96% (both at
      least 93%).
    - Observed predictive values, accuracy, F1, MCC and kappa depend on the share of positives among these
      patients; their intervals assume that patients were sampled without regard to their class.

    References
    ----------
    .. [1] Newcombe RG. Interval estimation for the difference between independent proportions: comparison of
       eleven methods. Stat Med 1998;17:873-890.
    .. [2] Simel DL, Samsa GP, Matchar DB. Likelihood ratios with confidence: sample size estimation for
       diagnostic test studies. J Clin Epidemiol 1991;44:763-770.
    .. [3] Glas AS, Lijmer JG, Prins MH, Bonsel GJ, Bossuyt PMM. The diagnostic odds ratio: a single indicator
       of test performance. J Clin Epidemiol 2003;56:1129-1135.
    .. [4] Lam KFY, Gopal V, Qian J. Confidence intervals for the F1 score: a comparison of four methods.
       arXiv:2309.14621, 2023. (Takahashi K et al., Appl Intell 2022;52:4961-4972, give the delta method.)
    .. [5] Itaya Y, Tamura J, Hayashi K, Yamamoto K. Asymptotic properties of Matthews correlation
       coefficient. Stat Med 2025;44:e10303.
    .. [6] Fleiss JL, Cohen J, Everitt BS. Large sample standard errors of kappa and weighted kappa. Psychol
       Bull 1969;72:323-327.
    .. [7] Mercaldo ND, Lau KF, Zhou XH. Confidence intervals for predictive values with an emphasis to
       case-control studies. Stat Med 2007;26:2170-2183.
    .. [8] Miettinen O, Nurminen M. Comparative analysis of two rates. Stat Med 1985;4:213-226.

    Examples
    --------
    >>> point = operating_point_from_counts(45, 5, 15, 23, prevalence=0.5)
    >>> [round(number, 3) for number in (point.ppv.value, point.ppv.ci_low, point.ppv.ci_high)]
    [0.9, 0.786, 0.957]
    >>> [round(number, 3) for number in (point.lr_positive.value, point.lr_positive.ci_low)]
    [2.647, 1.216]
    >>> round(point.ppv_at_prevalence.value, 3)
    0.726
    >>> point = operating_point_from_counts(45, 0, 20, 23)
    >>> point.lr_positive.value, round(point.lr_positive.ci_low, 2), point.lr_positive.method
    (inf, 4.05, 'score (Miettinen-Nurminen 1985), not log: a cell is 0')
    """
    interval = choice(interval, PROPORTION_METHODS, name="interval")
    ratios = choice(ratios, RATIO_METHODS, name="ratios")
    zero_cells = choice(zero_cells, ZERO_CELLS, name="zero_cells")
    confidence = fraction(confidence, name="confidence")
    named = {"tp": tp, "fp": fp, "tn": tn, "fn": fn}
    counts = ConfusionCounts(*(whole_number(count, name=name, least=0) for name, count in named.items()))
    if sum(counts) == 0:
        raise BiomarkError("tp, fp, tn and fn are all 0: at least one patient is needed")
    proportions = _proportions(counts, interval=interval, confidence=confidence)
    given = _Given(counts, proportions, confidence, ratios, zero_cells)
    measures: dict[str, Any] = {name: proportions[name] for name in _PROPORTIONS}
    measures |= {name: rule(given) for name, rule in _DERIVED.items()}
    if prevalence is not None:
        prevalence = fraction(prevalence, name="prevalence")
        measures["prevalence"] = prevalence
        measures["ppv_at_prevalence"] = predictive_value_at(
            prevalence, measures["lr_positive"], positive=True
        )
        measures["npv_at_prevalence"] = predictive_value_at(
            prevalence, measures["lr_negative"], positive=False
        )
    return OperatingPoint(
        threshold=float(threshold),
        **counts._asdict(),
        n_pos=counts.n_pos,
        n_neg=counts.n_neg,
        **measures,
    )


def _proportions(counts: ConfusionCounts[int], *, interval: str, confidence: float) -> dict[str, Estimate]:
    rows = _PROPORTIONS | _JACCARD
    cells = counts._asdict()
    above = [sum(cells[name] for name in top) for top, _ in rows.values()]
    below = [sum(cells[name] for name in bottom) for _, bottom in rows.values()]
    lows, highs = proportion_ci(above, below, method=interval, confidence=confidence)
    return {
        name: Estimate(k / n, low, high, confidence, f"{interval}, {k}/{n}")
        if n
        else Estimate(math.nan, math.nan, math.nan, confidence, "undefined: the denominator is 0")
        for name, k, n, low, high in zip(rows, above, below, lows.tolist(), highs.tolist(), strict=True)
    }
