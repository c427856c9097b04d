"""The overall metrics without each patient, or cluster, in turn: the jackknife behind the BCa interval."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .multilabel import area_metrics, count_columns, count_metrics, decision_patterns
from .placement import placement_values
from .results import FloatArray

__all__ = ["acceleration_of", "accelerations", "leaving_one_out"]


def accelerations(
    truth: FloatArray,
    scores: FloatArray,
    decided: NDArray[np.bool_],
    codes: NDArray[np.intp] | None,
    *,
    micro_auc: bool = True,
) -> dict[str, FloatArray]:
    """Return BCa's acceleration of every metric, of shape (models,) or (decisions,).

    Parameters as of `leaving_one_out`, of which this is what BCa needs, in a fraction of the memory: patients with the
    same truth and decisions leave the same counts behind.
    """
    if codes is not None:
        left_out = leaving_one_out(truth, scores, decided, codes, micro_auc=micro_auc)
        return {name: _of_columns(values) for name, values in left_out.items()}
    _, first, times = np.unique(decision_patterns(truth, decided), return_index=True, return_counts=True)
    own = count_columns(truth[first], decided[:, first]).astype(np.float64)
    left = count_metrics(times @ own - own, decided.shape[0], truth.shape[1])
    found = {name: _of_columns(values, times) for name, values in left.items()}
    positive, alone = truth == 1.0, np.arange(truth.shape[0])
    support = (positive.sum(axis=0) - positive).astype(np.float64)
    by_model = [
        {
            name: acceleration_of(values)
            for name, values in _areas_metrics(truth, plane, alone, support, micro_auc).items()
        }
        for plane in scores
    ]
    return found | {name: np.array([each[name] for each in by_model]) for name in by_model[0]}


def _of_columns(left_out: FloatArray, times: NDArray[np.intp] | None = None) -> FloatArray:
    return np.array([acceleration_of(column, times) for column in left_out.T])


def leaving_one_out(
    truth: FloatArray,
    scores: FloatArray,
    decided: NDArray[np.bool_],
    codes: NDArray[np.intp] | None,
    *,
    micro_auc: bool = True,
) -> dict[str, FloatArray]:
    """Compute every metric without each unit in turn, in time linear in the units.

    Parameters
    ----------
    truth : array of shape (n, labels), 0, 1 or NaN
    scores : array of shape (models, n, labels)
    decided : boolean array of shape (decisions, n, labels)
    codes : array of shape (n,), 0..K-1, optional
        Clusters; without them each patient is a unit.
    micro_auc : bool
        Whether the micro AUC is wanted too.

    Returns
    -------
    dict of arrays
        Of shape (units, models) for the AUCs, (units, decisions) for the others.

    Notes
    -----
    The sums without a unit are the sums of all less those of the unit. An AUC counts the pairs won, so a unit
    takes away the pairs of its positives and of its negatives (their placement values), those within the
    unit once.
    """
    unit = np.arange(truth.shape[0]) if codes is None else codes
    columns = count_columns(truth, decided).astype(np.float64)
    own = np.stack([np.bincount(unit, weights=column) for column in columns.T], axis=1)
    left = columns.sum(axis=0) - own
    n_labels = truth.shape[1]
    first = left[:, : 3 * n_labels].reshape(-1, n_labels, 3)
    support = first[..., 0] + first[..., 2]
    by_model = [_areas_metrics(truth, plane, unit, support, micro_auc) for plane in scores]
    of_areas = {name: np.stack([each[name] for each in by_model], axis=1) for name in by_model[0]}
    return count_metrics(left, decided.shape[0], n_labels) | of_areas


def _areas_metrics(
    truth: FloatArray, plane: FloatArray, unit: NDArray[np.intp], support: FloatArray, micro_auc: bool
) -> dict[str, FloatArray]:
    areas = [_areas_left(truth[:, k], plane[:, k], unit) for k in range(truth.shape[1])]
    if micro_auc:
        areas.append(_areas_left(truth.ravel(), plane.ravel(), np.repeat(unit, truth.shape[1])))
    return area_metrics(np.stack(areas, axis=1), support)


def acceleration_of(left_out: FloatArray, times: NDArray[np.intp] | None = None) -> float:
    """Return BCa's acceleration, one sixth of the skewness of the jackknife (Efron and Tibshirani 1993, eq. 14.15).

    Parameters
    ----------
    left_out : array of shape (units,)
        The statistic without each unit; NaN where it is undefined.
    times : array of shape (units,), optional
        How often each counts.
    """
    defined = ~np.isnan(left_out)
    kept = left_out[defined]
    if not kept.size:
        return 0.0
    weight = np.ones(kept.size) if times is None else times[defined].astype(np.float64)
    spread = (weight @ kept) / weight.sum() - kept
    squared = weight * spread * spread
    squares = float(squared.sum())
    return float(squared @ spread) / (6.0 * squares**1.5) if squares > 0.0 else 0.0


def _areas_left(truth: FloatArray, score: FloatArray, unit: NDArray[np.intp]) -> FloatArray:
    """Return the AUC of one label without each unit, shape (units,); NaN where a class is missing."""
    n_units = int(unit.max()) + 1
    positive, negative = np.flatnonzero(truth == 1.0), np.flatnonzero(truth == 0.0)
    if positive.size == 0 or negative.size == 0:
        return np.full(n_units, np.nan)
    seen = np.concatenate([positive, negative])
    v10, v01 = placement_values(np.arange(seen.size) < positive.size, score[seen])
    won = float(v10.sum()) * negative.size
    lost = np.zeros(n_units)
    lost += np.bincount(unit[positive], weights=v10 * negative.size, minlength=n_units)
    lost += np.bincount(unit[negative], weights=v01 * positive.size, minlength=n_units)
    if n_units < truth.size:
        lost -= _won_within(truth[seen] == 1.0, score[seen], unit[seen], n_units)
    n_pos = np.bincount(unit[positive], minlength=n_units)
    n_neg = np.bincount(unit[negative], minlength=n_units)
    pairs = (positive.size - n_pos) * (negative.size - n_neg)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(pairs > 0, (won - lost) / pairs, np.nan)


def _won_within(
    positive: NDArray[np.bool_], score: FloatArray, unit: NDArray[np.intp], n_units: int
) -> FloatArray:
    """Count the pairs within each unit that its positives win, ties one half; shape (units,)."""
    order = np.lexsort((score, unit))
    unit, score, positive = unit[order], score[order], positive[order]
    new_unit = np.append(True, unit[1:] != unit[:-1])
    new_tie = new_unit | np.append(True, score[1:] != score[:-1])
    negatives = np.append(0, np.cumsum(~positive))
    ties = np.append(np.flatnonzero(new_tie), unit.size)
    tie = np.cumsum(new_tie) - 1
    before_unit = negatives[np.flatnonzero(new_unit)][np.cumsum(new_unit) - 1]
    beaten = 0.5 * (negatives[ties[tie]] + negatives[ties[tie + 1]]) - before_unit
    won = np.bincount(unit[positive], weights=beaten[positive], minlength=n_units)
    return won.astype(np.float64)
