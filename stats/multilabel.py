"""Overall performance over several labels of the same patients: macro, micro and weighted metrics."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike, NDArray

from ..errors import BiomarkError
from .inputs import real_numbers
from .placement import tie_groups
from .results import FloatArray, Result
from .roc import auc_of

__all__ = [
    "METRICS",
    "MultilabelMetrics",
    "area_metrics",
    "checked_labels",
    "checked_thresholds",
    "count_columns",
    "count_metrics",
    "decision_patterns",
    "decisions",
    "multilabel_metrics",
]


@dataclass(frozen=True, slots=True)
class MultilabelMetrics(Result):
    """Metrics over labels; every one in [0, 1], NaN where no label defines it.

    Attributes
    ----------
    macro_auc, macro_accuracy, macro_precision, macro_recall, macro_f1 : float
        Means over labels; ``macro_accuracy`` is that of TP / (TP + FP + FN).
    micro_auc : float
        The AUC of all labels in one: every decision's score against every other's, whatever its label. It
        supposes that a score means the same on each label, as a calibrated probability does.
    micro_accuracy, micro_precision, micro_recall, micro_f1 : float
        From the counts summed over labels.
    weighted_auc, weighted_accuracy, weighted_precision, weighted_recall, weighted_f1 : float
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
    micro_auc: float
    micro_accuracy: float
    micro_precision: float
    micro_recall: float
    micro_f1: float
    weighted_auc: float
    weighted_accuracy: float
    weighted_precision: float
    weighted_recall: float
    weighted_f1: float
    hamming: float
    subset_accuracy: float


# More decisions would outgrow the 63 bits of a code.
DECISIONS_PER_CODE = 24


METRICS = tuple(MultilabelMetrics.__dataclass_fields__)


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
    truth, scores = checked_labels(y_true, real_numbers(y_score, name="y_score")[None])
    decided = decisions(scores, checked_thresholds(thresholds, 1, truth.shape[1]))
    summed = count_columns(truth, decided).sum(axis=0, keepdims=True, dtype=np.float64)
    values = {name: float(value[0, 0]) for name, value in count_metrics(summed, 1, truth.shape[1]).items()}
    support = np.nansum(truth, axis=0)
    by_label = [_auc_or_nan(truth[:, k], scores[0, :, k]) for k in range(truth.shape[1])]
    areas = np.array([[*by_label, _auc_or_nan(truth.ravel(), scores[0].ravel())]])
    values |= {name: float(value[0]) for name, value in area_metrics(areas, support).items()}
    return MultilabelMetrics(**values)


def count_columns(truth: FloatArray, decided: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return what each patient adds to the counts of which all metrics but the AUC are made.

    Parameters
    ----------
    truth : array of shape (n, labels), 0, 1 or NaN
    decided : boolean array of shape (decisions, n, labels)

    Returns
    -------
    array of shape (n, columns)
        True positives, false positives and false negatives of each decision and label; whether each decision
        is right on every observed label of a complete patient; whether the patient is complete; how many of
        the labels are observed. `count_metrics` reads their sums.
    """
    seen = ~np.isnan(truth)
    positive = truth == 1.0
    n_decisions, n, n_labels = decided.shape
    columns = np.empty((n, n_decisions * (3 * n_labels + 1) + 2), dtype=np.uint8)
    cells = columns[:, : 3 * n_decisions * n_labels].reshape(n, n_decisions, n_labels, 3)
    for d, called in enumerate(decided):
        cells[:, d, :, 0] = positive & called
        cells[:, d, :, 1] = seen & ~positive & called
        cells[:, d, :, 2] = positive & ~called
    complete = seen.all(axis=1)
    columns[:, cells[0].size : -2] = (complete & np.all(positive == decided, axis=2)).T
    columns[:, -2] = complete
    columns[:, -1] = seen.sum(axis=1)
    return columns


def count_metrics(summed: FloatArray, n_decisions: int, n_labels: int) -> dict[str, FloatArray]:
    """Every metric but the AUCs, from sums of the columns of `count_columns`.

    Parameters
    ----------
    summed : array of shape (b, columns)
    n_decisions, n_labels : int

    Returns
    -------
    dict of arrays of shape (b, decisions)
    """
    b, split = summed.shape[0], 3 * n_decisions * n_labels
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
        "weighted_accuracy": _mean(overlap, support),
        "weighted_precision": _mean(precision, support),
        "weighted_recall": _mean(recall, support),
        "weighted_f1": _mean(f1, support),
        "hamming": _ratio(all_fp + all_fn, np.broadcast_to(n_seen, all_fp.shape)),
        "subset_accuracy": _ratio(n_right, np.broadcast_to(n_complete, n_right.shape)),
    }


def area_metrics(areas: FloatArray, support: FloatArray) -> dict[str, FloatArray]:
    """Macro, weighted and micro AUC.

    Parameters
    ----------
    areas : array of shape (b, labels), or (b, labels + 1) with the micro AUC last
        Without it there is no micro AUC in the answer.
    support : array of shape (labels,) or (b, labels)
        Numbers of positives.

    Returns
    -------
    dict of arrays of shape (b,)
    """
    n_labels = support.shape[-1]
    by_label = areas[:, :n_labels]
    found = {
        "macro_auc": _mean(by_label),
        "weighted_auc": _mean(by_label, np.broadcast_to(support, by_label.shape)),
    }
    return found if areas.shape[1] == n_labels else found | {"micro_auc": areas[:, n_labels]}


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


def decisions(scores: FloatArray, thresholds: FloatArray) -> NDArray[np.bool_]:
    """Who is called positive, shape (models, n, labels)."""
    return np.asarray(scores >= thresholds[:, None, :])


def checked_thresholds(thresholds: ArrayLike, models: int, labels: int) -> FloatArray:
    """Return one threshold for each model and label, shape (models, labels)."""
    array = np.asarray(thresholds, dtype=np.float64)
    if array.ndim == 1:
        array = np.broadcast_to(array, (models, array.size))
    if array.shape != (models, labels) or np.isnan(array).any():
        raise BiomarkError(
            f"thresholds must hold one number for each of {labels} labels, found {array.shape}"
        )
    return array


def checked_labels(y_true: ArrayLike, scores: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Return truth (n, labels) and scores (models, n, labels); scores without truth are set to 0."""
    truth = real_numbers(y_true, name="y_true")
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


def decision_patterns(truth: FloatArray, decided: NDArray[np.bool_]) -> NDArray[np.intp]:
    """Code the patients so that those with the same truth and decisions on every label have the same code."""
    codes = np.zeros(truth.shape[0], dtype=np.int64)
    for k in range(truth.shape[1]):
        codes = 3 * codes + np.where(np.isnan(truth[:, k]), 2, truth[:, k]).astype(np.int64)
        for start in range(0, decided.shape[0], DECISIONS_PER_CODE):
            for called in decided[start : start + DECISIONS_PER_CODE, :, k]:
                codes = 2 * codes + called
            # Renumbered before the code can outgrow its 63 bits.
            codes = pd.factorize(codes)[0].astype(np.int64)
    return codes
