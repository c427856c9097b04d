"""Overall performance over several labels of the same patients: macro, micro and weighted metrics."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import BiomarkError
from .bootstrap import WeightedAuc, bootstrap_interval
from .inputs import Seed, choice, cluster_codes, fraction, generator, whole_number
from .placement import tie_groups
from .resampling import resampling_counts
from .results import Estimate, FloatArray, Result
from .roc import auc_of

__all__ = [
    "METRICS",
    "MultilabelEstimates",
    "MultilabelMetrics",
    "multilabel_ci",
    "multilabel_metrics",
    "multilabel_replicates",
]


@dataclass(frozen=True, slots=True)
class MultilabelMetrics(Result):
    """Metrics over labels; every one in [0, 1], NaN where no label defines it.

    Attributes
    ----------
    macro_auc, macro_accuracy, macro_precision, macro_recall, macro_f1 : float
        Means over labels; ``macro_accuracy`` is that of TP / (TP + FP + FN).
    micro_accuracy, micro_precision, micro_recall, micro_f1 : float
        From the counts summed over labels.
    weighted_auc, weighted_precision, weighted_recall, weighted_f1 : float
        Means over labels weighted by their positives.
    hamming : float
        Share of wrong decisions among all observed labels; smaller is better.
    subset_accuracy : float
        Share of patients whose labels are all right, among those with every label observed.
    """

    macro_auc: float
    macro_accuracy: float
    macro_precision: float
    macro_recall: float
    macro_f1: float
    micro_accuracy: float
    micro_precision: float
    micro_recall: float
    micro_f1: float
    weighted_auc: float
    weighted_precision: float
    weighted_recall: float
    weighted_f1: float
    hamming: float
    subset_accuracy: float


METRICS = tuple(MultilabelMetrics.__dataclass_fields__)
_OF_AUC = ("macro_auc", "weighted_auc")


@dataclass(frozen=True, slots=True)
class MultilabelEstimates(Result):
    """The fields of `MultilabelMetrics`, each an `Estimate` with its bootstrap interval."""

    macro_auc: Estimate
    macro_accuracy: Estimate
    macro_precision: Estimate
    macro_recall: Estimate
    macro_f1: Estimate
    micro_accuracy: Estimate
    micro_precision: Estimate
    micro_recall: Estimate
    micro_f1: Estimate
    weighted_auc: Estimate
    weighted_precision: Estimate
    weighted_recall: Estimate
    weighted_f1: Estimate
    hamming: Estimate
    subset_accuracy: Estimate


def multilabel_metrics(y_true: ArrayLike, y_score: ArrayLike, thresholds: ArrayLike) -> MultilabelMetrics:
    """Compute the overall metrics of one model over several labels.

    Parameters
    ----------
    y_true : array of shape (n, labels), 0, 1, or NaN where the label is missing
    y_score : array of shape (n, labels), finite wherever ``y_true`` is observed
    thresholds : array of shape (labels,)
        Positive is ``y_score >= threshold``.

    Returns
    -------
    MultilabelMetrics

    Raises
    ------
    BiomarkError
        For other shapes or values.

    Notes
    -----
    A missing label leaves the patient out of that label's counts, and of subset accuracy. A label for which a
    metric is undefined (an AUC with one class; a precision without a positive call; a recall without a
    positive) is left out of that metric's mean; nothing is replaced by 0 or 0.5. F1 and TP / (TP + FP + FN)
    are 0, not undefined, where positives exist and none is found.

    References
    ----------
    Zhang ML, Zhou ZH. IEEE Trans Knowl Data Eng 2014;26:1819-1837, sections 2.2.2 and 2.2.3.

    Examples
    --------
    >>> y = [[0, 1], [1, 1], [0, 0], [1, 0]]
    >>> s = [[0.2, 0.6], [0.9, 0.4], [0.6, 0.3], [0.8, 0.1]]
    >>> metrics = multilabel_metrics(y, s, [0.5, 0.5])
    >>> metrics.macro_auc, round(metrics.macro_f1, 4), metrics.hamming, metrics.subset_accuracy
    (1.0, 0.7333, 0.25, 0.5)
    """
    truth, scores = _checked(y_true, np.asarray(y_score, dtype=np.float64)[None])
    decided = _decisions(scores, _thresholds(thresholds, 1, truth.shape[1]))
    values = {name: float(value[0, 0]) for name, value in _of_counts(truth, decided, None).items()}
    support = np.nansum(truth, axis=0)
    areas = np.array([[_auc_or_nan(truth[:, k], scores[0, :, k]) for k in range(truth.shape[1])]])
    values |= {name: float(value[0]) for name, value in _of_areas(areas, support).items()}
    return MultilabelMetrics(**values)


def multilabel_ci(
    y_true: ArrayLike,
    y_score: ArrayLike,
    thresholds: ArrayLike,
    *,
    n_boot: int = 2000,
    cluster: ArrayLike | None = None,
    method: str = "percentile",
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
    method : "percentile", "basic" or "bca"
        The acceleration of ``bca`` comes from leaving out each patient or cluster in turn.
    confidence : float in (0, 1)
    rng : seed or numpy.random.Generator

    Returns
    -------
    MultilabelEstimates

    Notes
    -----
    All labels of a patient are drawn together, so that their dependence is kept. Replicates in which a
    metric is undefined are left out of its quantiles.

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
    truth, scores = _checked(y_true, np.asarray(y_score, dtype=np.float64)[None])
    decided = _decisions(scores, _thresholds(thresholds, 1, truth.shape[1]))
    codes = None if cluster is None else cluster_codes(cluster, truth.shape[0])
    replicates = multilabel_replicates(truth, scores, decided, n_boot=n_boot, cluster=codes, rng=rng)
    left_out: dict[str, FloatArray] = {}
    if method == "bca":
        left_out = _leaving_one_out(truth, scores, decided, codes)
    unit = "patients" if codes is None else "clusters"
    estimates = {}
    for name in METRICS:
        value = getattr(metrics, name)
        skew = 0.0
        if method == "bca":
            kept = left_out[name][:, 0]
            kept = kept[~np.isnan(kept)]
            spread = kept.mean() - kept if kept.size else kept
            squares = float(np.sum(spread**2))
            skew = float(np.sum(spread**3)) / (6.0 * squares**1.5) if squares > 0.0 else 0.0
        low, high = bootstrap_interval(
            replicates[name][:, 0], kind=method, confidence=confidence, estimate=value, acceleration=skew
        )
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
    rng : seed or numpy.random.Generator
    progress : callable, optional
        Told how many replicates each chunk has finished.

    Returns
    -------
    dict of arrays
        ``macro_auc`` and ``weighted_auc`` of shape (n_boot, models), the others of (n_boot, decisions). Row b
        is the same draw everywhere, so differences of columns are paired.
    """
    n_boot = whole_number(n_boot, name="n_boot", least=2)
    parts: dict[str, list[FloatArray]] = {name: [] for name in METRICS}
    evaluator = _Replicator(y_true, y_score, decided)
    for counts in resampling_counts(y_true.shape[0], n_boot, generator(rng), cluster=cluster):
        for name, value in evaluator(counts).items():
            parts[name].append(value)
        if progress is not None:
            progress(counts.shape[0])
    return {name: np.concatenate(part) for name, part in parts.items()}


class _Replicator:
    """Everything that is ranked or compared once, before the replicates."""

    def __init__(self, truth: FloatArray, scores: FloatArray, decided: NDArray[np.bool_]) -> None:
        self._truth, self._decided = truth, decided
        self._areas: list[list[tuple[NDArray[np.intp], WeightedAuc] | None]] = []
        for plane in scores:
            row: list[tuple[NDArray[np.intp], WeightedAuc] | None] = []
            for k in range(truth.shape[1]):
                seen = np.flatnonzero(~np.isnan(truth[:, k]))
                positive = truth[seen, k] == 1.0
                both = 0 < int(positive.sum()) < positive.size
                row.append((seen, WeightedAuc(positive, plane[seen, k])) if both else None)
            self._areas.append(row)

    def __call__(self, counts: NDArray[Any]) -> dict[str, FloatArray]:
        values = _of_counts(self._truth, self._decided, counts)
        support = counts.astype(np.float64) @ np.nan_to_num(self._truth)
        whole = not np.isnan(self._truth).any()
        areas = np.full((len(self._areas), counts.shape[0], self._truth.shape[1]), np.nan)
        for m, row in enumerate(self._areas):
            for k, prepared in enumerate(row):
                if prepared is not None:
                    seen, weighted = prepared
                    areas[m, :, k] = weighted(counts if whole else np.take(counts, seen, axis=1))
        by_model = [_of_areas(area, support) for area in areas]
        return values | {name: np.stack([each[name] for each in by_model], axis=1) for name in _OF_AUC}


def _leaving_one_out(
    truth: FloatArray, scores: FloatArray, decided: NDArray[np.bool_], codes: NDArray[np.intp] | None
) -> dict[str, FloatArray]:
    """Metrics without each patient or cluster; a jackknife is a set of replicates with one count at 0."""
    evaluator = _Replicator(truth, scores, decided)
    n_units = truth.shape[0] if codes is None else int(codes.max()) + 1
    parts: list[dict[str, FloatArray]] = []
    step = max(1, 2**22 // truth.shape[0])
    for start in range(0, n_units, step):
        units = np.arange(start, min(start + step, n_units))
        of_units = np.ones((units.size, n_units))
        of_units[np.arange(units.size), units] = 0.0
        parts.append(evaluator(of_units if codes is None else of_units[:, codes]))
    return {name: np.concatenate([part[name] for part in parts]) for name in METRICS}


def _of_counts(
    truth: FloatArray, decided: NDArray[np.bool_], counts: NDArray[Any] | None
) -> dict[str, FloatArray]:
    """Metrics from confusion counts, of shape (replicates, decisions)."""
    seen = np.asarray(~np.isnan(truth))
    positive = np.asarray(truth == 1.0)
    cells = np.stack([positive & decided, seen & ~positive & decided, positive & ~decided], axis=-1)
    complete = np.asarray(seen.all(axis=1))
    right = complete & np.all((positive == decided) | ~seen, axis=2)
    n_decisions, n, n_labels = decided.shape
    flat = np.concatenate(
        [
            cells.transpose(1, 0, 2, 3).reshape(n, -1),
            right.T,
            complete[:, None],
            seen.sum(axis=1, keepdims=True),
        ],
        axis=1,
    ).astype(np.float64)
    summed = flat.sum(axis=0, keepdims=True) if counts is None else counts.astype(np.float64) @ flat
    b = summed.shape[0]
    split = n_decisions * n_labels * 3
    tp, fp, fn = np.moveaxis(summed[:, :split].reshape(b, n_decisions, n_labels, 3), -1, 0)
    n_right, n_complete, n_seen = summed[:, split:-2], summed[:, -2:-1], summed[:, -1:]
    support = tp + fn
    precision, recall = _ratio(tp, tp + fp), _ratio(tp, support)
    f1, overlap = _ratio(2.0 * tp, 2.0 * tp + fp + fn), _ratio(tp, tp + fp + fn)
    all_tp, all_fp, all_fn = tp.sum(axis=-1), fp.sum(axis=-1), fn.sum(axis=-1)
    return {
        "macro_accuracy": _mean(overlap),
        "macro_precision": _mean(precision),
        "macro_recall": _mean(recall),
        "macro_f1": _mean(f1),
        "micro_accuracy": _ratio(all_tp, all_tp + all_fp + all_fn),
        "micro_precision": _ratio(all_tp, all_tp + all_fp),
        "micro_recall": _ratio(all_tp, all_tp + all_fn),
        "micro_f1": _ratio(2.0 * all_tp, 2.0 * all_tp + all_fp + all_fn),
        "weighted_precision": _mean(precision, support),
        "weighted_recall": _mean(recall, support),
        "weighted_f1": _mean(f1, support),
        "hamming": _ratio(all_fp + all_fn, np.broadcast_to(n_seen, all_fp.shape)),
        "subset_accuracy": _ratio(n_right, np.broadcast_to(n_complete, n_right.shape)),
    }


def _of_areas(areas: FloatArray, support: FloatArray) -> dict[str, FloatArray]:
    """Macro and weighted AUC from AUCs of shape (replicates, labels)."""
    return {
        "macro_auc": _mean(areas),
        "weighted_auc": _mean(areas, np.broadcast_to(support, areas.shape)),
    }


def _ratio(numerator: FloatArray, denominator: FloatArray) -> FloatArray:
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(denominator > 0.0, numerator / denominator, np.nan)


def _mean(values: FloatArray, weights: FloatArray | None = None) -> FloatArray:
    """Mean over the last axis of what is defined, NaN where nothing is."""
    defined = ~np.isnan(values)
    weight = defined if weights is None else np.where(defined, weights, 0.0)
    return _ratio((np.where(defined, values, 0.0) * weight).sum(axis=-1), weight.sum(axis=-1).astype(float))


def _auc_or_nan(truth: FloatArray, score: FloatArray) -> float:
    seen = np.flatnonzero(~np.isnan(truth))
    positive = truth[seen] == 1.0
    if not 0 < int(positive.sum()) < positive.size:
        return float("nan")
    return auc_of(tie_groups(positive, score[seen]))


def _decisions(scores: FloatArray, thresholds: FloatArray) -> NDArray[np.bool_]:
    return np.asarray(scores >= thresholds[:, None, :])


def _thresholds(thresholds: ArrayLike, models: int, labels: int) -> FloatArray:
    array = np.asarray(thresholds, dtype=np.float64)
    if array.ndim == 1:
        array = np.broadcast_to(array, (models, array.size))
    if array.shape != (models, labels) or np.isnan(array).any():
        raise BiomarkError(
            f"thresholds must hold one number for each of {labels} labels, found {array.shape}"
        )
    return array


def _checked(y_true: ArrayLike, scores: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return truth (n, labels) and scores (models, n, labels); scores without truth are set to 0."""
    truth = np.asarray(y_true, dtype=np.float64)
    if truth.ndim != 2 or 0 in truth.shape:
        raise BiomarkError(f"y_true must have shape (n, labels), found {truth.shape}")
    if scores.ndim != 3 or scores.shape[1:] != truth.shape:
        raise BiomarkError(f"y_score must have shape {truth.shape} like y_true, found {scores.shape[1:]}")
    seen = ~np.isnan(truth)
    wrong = seen & (truth != 0.0) & (truth != 1.0)
    if wrong.any():
        at = np.argwhere(wrong)[0]
        raise BiomarkError(
            f"y_true must hold 0, 1 or NaN, found {truth[tuple(at)]:g} at row {at[0]}, label {at[1]}"
        )
    if not np.isfinite(scores[:, seen]).all():
        raise BiomarkError("y_score must be finite wherever y_true is observed")
    return truth, np.where(seen, scores, 0.0)
