"""Intervals of the overall metrics over several labels, from replicates of whole patients."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .bootstrap import WeightedAuc, bootstrap_interval
from .inputs import Seed, choice, cluster_codes, fraction, generator, real_numbers, whole_number
from .multilabel import (
    METRICS,
    area_metrics,
    checked_labels,
    checked_thresholds,
    count_columns,
    count_metrics,
    decision_patterns,
    decisions,
    multilabel_metrics,
)
from .multilabel_jackknife import accelerations
from .replicate_blocks import in_blocks
from .resampling import resampling_counts
from .results import Estimate, FloatArray, Result

__all__ = ["MultilabelEstimates", "Replicator", "multilabel_ci", "multilabel_replicates"]

# From this number of patients on, sorting them by what they add pays.
SORTED_FROM = 512
PATIENTS_PER_RUN = 4


@dataclass(frozen=True, slots=True)
class MultilabelEstimates(Result):
    """The fields of `MultilabelMetrics`, each an `Estimate` with its bootstrap interval."""

    macro_auc: Estimate
    macro_accuracy: Estimate
    macro_precision: Estimate
    macro_recall: Estimate
    macro_f1: Estimate
    micro_auc: Estimate
    micro_accuracy: Estimate
    micro_precision: Estimate
    micro_recall: Estimate
    micro_f1: Estimate
    weighted_auc: Estimate
    weighted_accuracy: Estimate
    weighted_precision: Estimate
    weighted_recall: Estimate
    weighted_f1: Estimate
    hamming: Estimate
    subset_accuracy: Estimate


def multilabel_ci(
    y_true: ArrayLike,
    y_score: ArrayLike,
    thresholds: ArrayLike,
    *,
    n_boot: int = 2000,
    cluster: ArrayLike | None = None,
    method: str = "bca",
    micro_auc: bool = True,
    confidence: float = 0.95,
    rng: Seed = None,
) -> MultilabelEstimates:
    """Compute the overall metrics with intervals from a bootstrap of whole patients.

    Parameters
    ----------
    y_true : array of shape (n, labels), 0, 1, or NaN where the label is missing
    y_score : array of shape (n, labels), finite wherever ``y_true`` is observed
    thresholds : array of shape (labels,)
        Taken as fixed: the interval does not know how they were chosen.
    n_boot : int
    cluster : array of shape (n,), optional
        Whole clusters are resampled instead of patients.
    method : "bca", "percentile" or "basic"
        The acceleration of ``bca`` comes from leaving out each patient or cluster in turn.
    micro_auc : bool
        ``False`` leaves the interval of the micro AUC out (NaN), which takes as long as all others.
    confidence : float in (0, 1)
    rng : seed or numpy.random.Generator

    Returns
    -------
    MultilabelEstimates

    Notes
    -----
    All labels of a patient are drawn together, so that their dependence is kept. Replicates in which a
    metric is undefined are left out of its quantiles.

    In simulated sets of 30 and 88 patients, drawn with their labels of which a tenth (of 30: 30%) or a half are
    positive, the BCa intervals of the 17 metrics covered 94 and 95% on average and 92% at least, percentile intervals
    93 and 94%, at least 90%, basic ones 91 and 93%, at least 85%; with 388 patients all had 93% or more. With three
    positives, or three negatives, percentile intervals of the macro AUC fell to 82%, of recall to 66% and of precision
    to 70% (docs/simulation.md).

    References
    ----------
    Efron B, Tibshirani RJ. An Introduction to the Bootstrap. Chapman and Hall 1993, chapters 13 and 14.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> y = rng.integers(0, 2, size=(60, 3))
    >>> result = multilabel_ci(y, y + rng.normal(size=(60, 3)), [0.5] * 3, n_boot=200, rng=1)
    >>> result.macro_auc.ci_low < result.macro_auc.value < result.macro_auc.ci_high
    True
    """
    choice(method, ("percentile", "basic", "bca"), name="method")
    fraction(confidence, name="confidence")
    metrics = multilabel_metrics(y_true, y_score, thresholds)
    truth, scores = checked_labels(y_true, real_numbers(y_score, name="y_score")[None])
    decided = decisions(scores, checked_thresholds(thresholds, 1, truth.shape[1]))
    codes = None if cluster is None else cluster_codes(cluster, truth.shape[0])
    replicates = multilabel_replicates(
        truth, scores, decided, n_boot=n_boot, cluster=codes, micro_auc=micro_auc, rng=rng
    )
    skews: dict[str, FloatArray] = {}
    if method == "bca":
        skews = accelerations(truth, scores, decided, codes, micro_auc=micro_auc)
    unit = "patients" if codes is None else "clusters"
    estimates = {}
    for name in METRICS:
        value = getattr(metrics, name)
        if name not in replicates:
            estimates[name] = Estimate(value, np.nan, np.nan, confidence, "no interval: micro_auc is False")
            continue
        low, high = bootstrap_interval(
            replicates[name][:, 0], kind=method, confidence=confidence, estimate=value,
            acceleration=float(skews[name][0]) if skews else 0.0,
        )  # fmt: skip
        estimates[name] = Estimate(
            value, low, high, confidence, f"bootstrap-{method}, {n_boot} replicates of whole {unit}"
        )
    return MultilabelEstimates(**estimates)


def multilabel_replicates(
    y_true: FloatArray,
    y_score: FloatArray,
    decided: NDArray[np.bool_],
    *,
    n_boot: int = 2000,
    cluster: NDArray[np.intp] | None = None,
    micro_auc: bool = True,
    rng: Seed = None,
    progress: Callable[[int], None] | None = None,
) -> dict[str, FloatArray]:
    """Bootstrap the overall metrics of several models on the same replicates of whole patients.

    Parameters
    ----------
    y_true : array of shape (n, labels), 0, 1 or NaN
    y_score : array of shape (models, n, labels)
        For the metrics of the AUC.
    decided : boolean array of shape (decisions, n, labels)
        Who is called positive; one plane for each pair of a model and a set of cut-offs.
    n_boot : int
    cluster : array of shape (n,), codes, optional
    micro_auc : bool
        Whether the micro AUC is wanted too; it costs as much as the AUCs of the labels together.
    rng : seed or numpy.random.Generator
    progress : callable, optional
        Told how many replicates each block has finished.

    Returns
    -------
    dict of arrays
        AUCs of shape (n_boot, models), the others of (n_boot, decisions). Row b is the same draw everywhere,
        so differences of columns are paired.
    """
    n_boot = whole_number(n_boot, name="n_boot", least=2)
    if y_true.shape[0] >= SORTED_FROM:
        # Patients are exchangeable: those alike side by side are summed without a matrix product.
        order = np.argsort(decision_patterns(y_true, decided), kind="stable")
        y_true, y_score, decided = y_true[order], y_score[:, order], decided[:, order]
        cluster = None if cluster is None else cluster[order]
    replicator = Replicator(y_true, y_score, decided, micro_auc=micro_auc)
    n = y_true.shape[0]
    blocks = in_blocks(partial(_block, replicator, n, cluster), n, n_boot, generator(rng), progress=progress)
    summed, areas = zip(*blocks, strict=True)
    return replicator.metrics(np.concatenate(summed), np.concatenate(areas, axis=1))


def _block(
    replicator: Replicator, n: int, cluster: NDArray[np.intp] | None, n_boot: int, rng: np.random.Generator
) -> tuple[FloatArray, FloatArray]:
    summed, areas = [], []
    for counts in resampling_counts(n, n_boot, rng, cluster=cluster):
        summed.append(replicator.sums(counts))
        areas.append(replicator.areas(counts))
    return np.concatenate(summed), np.concatenate(areas, axis=1)


class Replicator:
    """Sums and AUCs of replicates of the same patients; what can be ranked or compared once is.

    Parameters
    ----------
    truth : array of shape (n, labels), 0, 1 or NaN
    scores : array of shape (models, n, labels)
    decided : boolean array of shape (decisions, n, labels)
    micro_auc : bool
    """

    def __init__(
        self, truth: FloatArray, scores: FloatArray, decided: NDArray[np.bool_], *, micro_auc: bool = True
    ) -> None:
        self._shape = (decided.shape[0], truth.shape[1])
        patterns = decision_patterns(truth, decided)
        starts = np.flatnonzero(np.append(True, patterns[1:] != patterns[:-1]))
        # Long runs of patients who are alike are summed first; short ones cost more than they save.
        self._starts = starts if starts.size * PATIENTS_PER_RUN <= patterns.size else None
        rows = slice(None) if self._starts is None else starts
        self._columns = count_columns(truth[rows], decided[:, rows]).astype(np.float64)
        self._areas = [
            [_weighted_auc(truth[:, k], plane[:, k]) for k in range(truth.shape[1])]
            + ([_pooled_auc(truth, plane)] if micro_auc else [])
            for plane in scores
        ]

    def sums(self, counts: NDArray[Any]) -> FloatArray:
        """Return the sums of `count_columns` in each replicate, shape (b, columns)."""
        if self._starts is not None:
            counts = np.add.reduceat(counts, self._starts, axis=1, dtype=np.int32)
        return np.asarray(counts.astype(np.float64) @ self._columns)

    def areas(self, counts: NDArray[Any]) -> FloatArray:
        """Return the AUCs in each replicate as `area_metrics` takes them, for each model; NaN where undefined."""
        found = np.full((len(self._areas), counts.shape[0], len(self._areas[0])), np.nan)
        for m, row in enumerate(self._areas):
            for k, weighted in enumerate(row):
                if weighted is not None:
                    found[m, :, k] = weighted(counts)
        return found

    def metrics(self, sums: FloatArray, areas: FloatArray) -> dict[str, FloatArray]:
        """Return every metric of the replicates, of shape (b, models) or (b, decisions)."""
        n_decisions, n_labels = self._shape
        first = sums[:, : 3 * n_labels].reshape(-1, n_labels, 3)
        support = first[..., 0] + first[..., 2]
        by_model = [area_metrics(area, support) for area in areas]
        of_areas = {name: np.stack([each[name] for each in by_model], axis=1) for name in by_model[0]}
        return count_metrics(sums, n_decisions, n_labels) | of_areas


def _weighted_auc(truth: FloatArray, score: FloatArray) -> WeightedAuc | None:
    seen = np.flatnonzero(~np.isnan(truth))
    positive = truth[seen] == 1.0
    return WeightedAuc(positive, score[seen], among=seen) if 0 < int(positive.sum()) < seen.size else None


def _pooled_auc(truth: FloatArray, score: FloatArray) -> WeightedAuc | None:
    """Make the AUC over the decisions of all labels; each counts as often as its patient is drawn."""
    seen = np.flatnonzero(~np.isnan(truth).ravel())
    positive = truth.ravel()[seen] == 1.0
    if not 0 < int(positive.sum()) < seen.size:
        return None
    return WeightedAuc(positive, score.ravel()[seen], among=seen // truth.shape[1])
