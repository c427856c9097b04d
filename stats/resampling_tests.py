"""Tests of two models on the same patients that resample instead of assuming a normal distribution."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from ..errors import BiomarkError
from .bootstrap import bootstrap_interval
from .inputs import (
    Seed,
    binary_labels,
    cluster_codes,
    finite_scores,
    fraction,
    generator,
    whole_number,
)
from .placement import placement_values
from .replicate_blocks import in_blocks
from .replicated_difference import z_of_replicates
from .replicated_metric import Metric, replicated_metric
from .resampling import resampling_counts
from .results import FloatArray, Result
from .sign_flip import sign_flip_p_value

__all__ = ["ResamplingComparison", "bootstrap_test", "permutation_test"]


@dataclass(frozen=True, slots=True)
class ResamplingComparison(Result):
    """Two models compared by resampling.

    Attributes
    ----------
    value_a, value_b, difference : float
        ``difference`` is ``value_a - value_b``.
    ci_low, ci_high, confidence : float
        Interval of the difference; NaN where the test has none.
    statistic : float
    p_value : float
        Two-sided.
    n_resamples : int
    method : str
    """

    value_a: float
    value_b: float
    difference: float
    ci_low: float
    ci_high: float
    confidence: float
    statistic: float
    p_value: float
    n_resamples: int
    method: str


def bootstrap_test(
    y_true: ArrayLike,
    score_a: ArrayLike,
    score_b: ArrayLike,
    *,
    metric: Metric = "auc",
    specificity: float = 0.9,
    bounds: tuple[float, float] = (0.9, 1.0),
    threshold: float | tuple[float, float] | None = None,
    stratified: bool = True,
    cluster: ArrayLike | None = None,
    n_boot: int = 2000,
    confidence: float = 0.95,
    rng: Seed = None,
) -> ResamplingComparison:
    """Compare any metric of two models on the same patients by a paired bootstrap.

    H0: the metric is the same. z = difference / sd(differences over the replicates), compared with the normal
    distribution; the interval is the percentile interval of the differences.

    Parameters
    ----------
    y_true : array of shape (n,), 0 or 1; both present
    score_a, score_b : arrays of shape (n,), finite; higher is more positive
    metric : str or callable
        "auc", "partial-auc" (by specificity, within ``bounds``), "average-precision",
        "sensitivity-at-specificity" (at ``specificity``), "youden" (the largest index, each model at its own
        cut-off of the replicate); at a ``threshold`` that is kept in all replicates "accuracy", "sensitivity",
        "specificity", "ppv", "npv", "balanced-accuracy", "f1", "mcc" and "kappa"; or a function of (positive,
        score) that returns a number. A function is called once a replicate and so is slow.
    specificity : float in [0, 1]
    bounds : (low, high) of specificity
    threshold : float, or one for each model
        Positive is ``score >= threshold``.
    stratified : bool
        Resample positives and negatives apart. What depends on their share (accuracy, PPV, NPV, F1, MCC, kappa,
        average precision) is then compared at the share of these patients; ``False`` lets it vary.
    cluster : array of shape (n,), optional
        Resample whole clusters; ``stratified`` then does not apply.
    n_boot : int
    confidence : float in (0, 1)
    rng : seed or numpy.random.Generator

    Returns
    -------
    ResamplingComparison

    Raises
    ------
    OneClassError
        If one class is absent.
    BiomarkError
        For an unknown metric or options out of range.

    Notes
    -----
    Both models are drawn with the same patients. Identical scores give difference 0 and p = 1. Where every
    replicate has the same difference and it is not 0, p is NaN. With few patients of one class it rejects too
    often: for two AUCs of 0.6, simulated type I error at 5% was 8 to 9% with nine patients of one class among
    88, and 13 to 16% with three among 30, where `permutation_test` had 4 to 5% and 1 to 4% (docs/simulation.md).
    Average precision fares no better: 11% and 17% at an AUC of 0.6 with nine and with three negatives.

    References
    ----------
    Hanley JA, McNeil BJ. Radiology 1983;148:839-843. Carpenter J, Bithell J. Stat Med 2000;19:1141-1164. The
    form of the statistic is that of pROC (Robin X et al. BMC Bioinformatics 2011;12:77).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat([0, 1], 50)
    >>> result = bootstrap_test(y, y + rng.normal(size=100), y + rng.normal(size=100), n_boot=500, rng=1)
    >>> result.ci_low < result.difference < result.ci_high
    True
    """
    fraction(confidence, name="confidence")
    n_boot = whole_number(n_boot, name="n_boot", least=2)
    positive = binary_labels(y_true)
    scores = [
        finite_scores(score_a, positive.size, name="score_a"),
        finite_scores(score_b, positive.size, name="score_b"),
    ]
    named = metric if isinstance(metric, str) else getattr(metric, "__name__", "metric")
    cuts = threshold if isinstance(threshold, tuple) else (threshold, threshold)
    if len(cuts) != 2:
        raise BiomarkError(f"threshold must be one number, or one for each model, found {threshold!r}")
    measures = [
        replicated_metric(metric, positive, score, specificity=specificity, bounds=bounds, threshold=cut)
        for score, cut in zip(scores, cuts, strict=True)
    ]
    codes = None if cluster is None else cluster_codes(cluster, positive.size)
    apart = (np.flatnonzero(positive), np.flatnonzero(~positive)) if stratified and codes is None else None
    value_a, value_b = (float(measure(np.ones((1, positive.size)))[0]) for measure in measures)
    draw = partial(_differences, measures, positive.size, apart, codes)
    drawn = np.concatenate(in_blocks(draw, positive.size, n_boot, generator(rng)))
    difference = value_a - value_b
    statistic, p_value = z_of_replicates(difference, drawn)
    low, high = bootstrap_interval(drawn, confidence=confidence)
    how = "clusters whole" if codes is not None else "stratified" if stratified else "not stratified"
    return ResamplingComparison(
        value_a, value_b, difference, low, high, confidence, statistic, p_value, n_boot,
        f"paired bootstrap of {named}, {how}",
    )  # fmt: skip


def _differences(
    measures: list[Callable[[NDArray[Any]], FloatArray]],
    n: int,
    groups: tuple[NDArray[np.intp], ...] | None,
    cluster: NDArray[np.intp] | None,
    n_boot: int,
    rng: np.random.Generator,
) -> FloatArray:
    chunks = resampling_counts(n, n_boot, rng, groups=groups, cluster=cluster)
    return np.concatenate([measures[0](counts) - measures[1](counts) for counts in chunks])


def permutation_test(
    y_true: ArrayLike,
    score_a: ArrayLike,
    score_b: ArrayLike,
    *,
    n_permutations: int = 10_000,
    rng: Seed = None,
) -> ResamplingComparison:
    """Compare two AUCs of the same patients by exchanging the models within patients (Bandos 2005).

    H0: the two scores of a patient, each turned into a rank among all patients, are exchangeable. The
    difference of the AUCs after exchanging some patients is a sum of one term per patient, whose sign the
    exchange flips; so no curve is computed again, and small data are enumerated in full.

    Parameters
    ----------
    y_true : array of shape (n,), 0 or 1; both present
    score_a, score_b : arrays of shape (n,), finite; higher is more positive
    n_permutations : int
        Random exchanges; all 2^k are tried where k patients matter and 2^k is at most 16,384.
    rng : seed or numpy.random.Generator

    Returns
    -------
    ResamplingComparison
        Without an interval. ``statistic`` is the difference over its exact standard deviation under
        exchange.

    Raises
    ------
    OneClassError
        If one class is absent.

    Notes
    -----
    Ranks are mid-ranks. With random exchanges p = (1 + number as extreme) / (1 + number), which is valid at any
    number; the observed assignment is counted among the enumerated ones too. Rank-equivalent scores give p = 1.

    References
    ----------
    Bandos AI, Rockette HE, Gur D. A permutation test sensitive to differences in areas for comparing ROC curves
    from a paired design. Stat Med 2005;24:2873-2893. Phipson B, Smyth GK. Stat Appl Genet Mol Biol 2010;9:39.

    Examples
    --------
    >>> result = permutation_test([0, 0, 0, 1, 1, 1], [1, 2, 4, 3, 5, 6], [1, 5, 2, 4, 3, 6])
    >>> round(result.difference, 4), result.p_value
    (0.1111, 0.75)
    """
    n_permutations = whole_number(n_permutations, name="n_permutations")
    positive = binary_labels(y_true)
    rank_a = stats.rankdata(finite_scores(score_a, positive.size, name="score_a"))
    rank_b = stats.rankdata(finite_scores(score_b, positive.size, name="score_b"))
    area = {
        (p, n): placement_values(positive, np.where(positive, of_pos, of_neg))
        for p, of_pos in (("a", rank_a), ("b", rank_b))
        for n, of_neg in (("a", rank_a), ("b", rank_b))
    }
    n_pos, n_neg = int(positive.sum()), int((~positive).sum())
    # With u = ±1 for each patient kept or exchanged, the difference is the sum of u times these.
    own = [(area["a", "a"][k] - area["b", "b"][k]) / 2.0 for k in (0, 1)]
    crossed = [(area["a", "b"][k] - area["b", "a"][k]) / 2.0 for k in (0, 1)]
    terms = np.concatenate([(own[0] + crossed[0]) / n_pos, (own[1] - crossed[1]) / n_neg])
    value_a, value_b = float(area["a", "a"][0].mean()), float(area["b", "b"][0].mean())
    terms = terms[np.abs(terms) > 1e-12]
    observed = float(terms.sum())
    spread = float(np.sqrt(np.sum(terms**2)))
    if spread == 0.0:
        return ResamplingComparison(
            value_a, value_b, 0.0, np.nan, np.nan, np.nan, 0.0, 1.0, 1, "permutation, rank-equivalent scores"
        )
    p_value, tried, all_tried = sign_flip_p_value(terms, n_permutations=n_permutations, rng=generator(rng))
    how = "all exchanges" if all_tried else f"{n_permutations} random exchanges"
    return ResamplingComparison(
        value_a, value_b, value_a - value_b, np.nan, np.nan, np.nan, observed / spread, p_value, tried,
        f"permutation of the models within patients (Bandos 2005), {how}",
    )  # fmt: skip
