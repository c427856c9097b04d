"""Placement values and tie groups: the counts from which every ROC statistic here is made.

A score is ranked once. Ties are kept as groups of equal scores, and each group knows how many positives and
negatives it holds; AUC, its variance, the curve and the cut-offs are sums over these groups.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .results import FloatArray

__all__ = ["TieGroups", "placement_values", "tie_groups"]

IntArray = NDArray[np.int64]


class TieGroups(NamedTuple):
    """Distinct scores in ascending order with what stands at each.

    Attributes
    ----------
    values : array of shape (k,), ascending, all different
    n_pos, n_neg : arrays of shape (k,)
        Positives and negatives that have this score.
    """

    values: FloatArray
    n_pos: IntArray
    n_neg: IntArray


def _merged(
    pos_sorted: FloatArray, neg_sorted: FloatArray
) -> tuple[FloatArray, NDArray[np.intp], NDArray[np.intp] | None]:
    """Merge two sorted runs: the merged values, where each came from, the last index of each tie if there are any."""
    both = np.concatenate([pos_sorted, neg_sorted])
    # A stable sort finds the two runs and merges them in linear time.
    order = np.argsort(both, kind="stable")
    merged = both[order]
    ends = merged[1:] != merged[:-1]
    return merged, order, None if ends.all() else np.append(np.flatnonzero(ends), merged.size - 1)


def tie_groups(positive: NDArray[np.bool_], score: FloatArray) -> TieGroups:
    """Group equal scores.

    Parameters
    ----------
    positive : boolean array of shape (n,)
    score : array of shape (n,), finite

    Notes
    -----
    Sorting the two classes apart and merging them is several times faster than an indirect sort of all
    scores, since only the multiset of scores matters here, not whose they are. ``-0.0`` equals ``0.0``.
    """
    pos_sorted = np.sort(score[positive])
    neg_sorted = np.sort(score[~positive])
    merged, order, last = _merged(pos_sorted, neg_sorted)
    is_pos = order < pos_sorted.size
    if last is None:
        each = is_pos.astype(np.int64)
        return TieGroups(merged, each, 1 - each)
    cum_pos = np.cumsum(is_pos)[last]
    n_pos = np.diff(cum_pos, prepend=0)
    n_neg = np.diff(last, prepend=-1) - n_pos
    # Adding 0 makes one zero of the two, whichever patient came first.
    return TieGroups(merged[last] + 0.0, n_pos, n_neg)


def placement_values(positive: NDArray[np.bool_], score: FloatArray) -> tuple[FloatArray, FloatArray]:
    """Placement values of DeLong 1988 (eq. 4 and 5), in the order of the patients.

    V10 of a positive is the share of negatives below it, ties counting one half; V01 of a negative is the
    share of positives above it.

    Parameters
    ----------
    positive : boolean array of shape (n,), both classes present
    score : array of shape (n,), finite

    Returns
    -------
    v10 : array of shape (n_pos,)
    v01 : array of shape (n_neg,)
        Their means are both the AUC.
    """
    pos, neg = score[positive], score[~positive]
    pos_order, neg_order = np.argsort(pos), np.argsort(neg)
    n_pos, n_neg = pos.size, neg.size
    _, order, last = _merged(pos[pos_order], neg[neg_order])
    is_pos = order < n_pos
    cum_pos = np.cumsum(is_pos)
    if last is None:
        below_pos = (np.arange(1, order.size + 1) - cum_pos)[is_pos] / n_neg
        above_neg = (n_pos - cum_pos)[~is_pos] / n_pos
    else:
        # Twice the midpoint of the group in counts, so that halves stay whole until the division.
        end_pos = cum_pos[last]
        end_neg = last + 1 - end_pos
        start_pos = np.concatenate([[0], end_pos[:-1]])
        start_neg = np.concatenate([[0], end_neg[:-1]])
        below_pos = np.repeat(start_neg + end_neg, end_pos - start_pos) / (2.0 * n_neg)
        above_neg = np.repeat(2 * n_pos - start_pos - end_pos, end_neg - start_neg) / (2.0 * n_pos)
    v10, v01 = np.empty(n_pos), np.empty(n_neg)
    v10[pos_order] = below_pos
    v01[neg_order] = above_neg
    return v10, v01
