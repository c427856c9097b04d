"""Venkatraman and Begg's test whether two ROC curves of the same patients are equal, not in area alone."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .inputs import Seed, binary_labels, finite_scores, generator, whole_number
from .resampling_tests import ResamplingComparison
from .results import FloatArray
from .roc import auc

__all__ = ["venkatraman_statistic", "venkatraman_test"]


def venkatraman_test(
    y_true: ArrayLike,
    score_a: ArrayLike,
    score_b: ArrayLike,
    *,
    n_permutations: int = 2000,
    rng: Seed = None,
) -> ResamplingComparison:
    """Test whether two ROC curves of the same patients are the same curve (Venkatraman and Begg 1996).

    H0: both scores rank patients alike in distribution, so that the curves are equal at every point. The
    statistic is the area between the curves in ranks, sum_k |e_k|; in each permutation the ranks of some
    patients are exchanged between the models, and both are ranked again.

    Parameters
    ----------
    y_true : array of shape (n,), 0 or 1; both present
    score_a, score_b : arrays of shape (n,), finite; higher is more positive
    n_permutations : int
    rng : seed or numpy.random.Generator
        Breaks ties too, in the data and in the permutations.

    Returns
    -------
    ResamplingComparison
        ``value_a``, ``value_b`` and ``difference`` are the AUCs, for reading; the p-value concerns the curves,
        and may be small where the AUCs are equal (crossing curves).

    Raises
    ------
    OneClassError
        If one class is absent.

    Notes
    -----
    p = (1 + number as large) / (1 + permutations). Identical scores without ties give statistic 0 and p = 1.
    The permutation assumes that the two scores measure alike; with models of very different spread of ranks
    its level is approximate.

    References
    ----------
    Venkatraman ES, Begg CB. A distribution-free procedure for comparing receiver operating characteristic
    curves from a paired experiment. Biometrika 1996;83:835-848, section 2.

    Examples
    --------
    >>> y = [0, 0, 0, 1, 1, 1]
    >>> venkatraman_test(y, [1, 2, 4, 3, 5, 6], [1, 2, 4, 3, 5, 6], n_permutations=99, rng=0).p_value
    1.0
    """
    n_permutations = whole_number(n_permutations, name="n_permutations")
    positive = binary_labels(y_true)
    a = finite_scores(score_a, positive.size, name="score_a")
    b = finite_scores(score_b, positive.size, name="score_b")
    random = generator(rng)
    # One random number a patient breaks the ties of both scores, so that equal scores stay equal.
    shuffled = random.random((1, positive.size))
    ranks = [_ranks(score[None], shuffled)[0] for score in (a, b)]
    observed = float(venkatraman_statistic(positive, ranks[0][None], ranks[1][None])[0])
    as_large, left = 0, n_permutations
    while left:
        size = min(left, max(1, 2**21 // positive.size))
        swapped = random.random((size, positive.size)) < 0.5
        noise = random.random((size, positive.size))
        first = _positives_below(np.where(swapped, ranks[1], ranks[0]), noise, positive)
        second = _positives_below(np.where(swapped, ranks[0], ranks[1]), noise, positive)
        as_large += int(np.count_nonzero(_area_between(first, second) >= observed))
        left -= size
    area_a, area_b = auc(positive, a), auc(positive, b)
    return ResamplingComparison(
        area_a, area_b, area_a - area_b, np.nan, np.nan, np.nan, observed,
        (1 + as_large) / (1 + n_permutations), n_permutations,
        f"Venkatraman and Begg 1996, paired, {n_permutations} permutations",
    )  # fmt: skip


def venkatraman_statistic(positive: NDArray[np.bool_], rank_a: FloatArray, rank_b: FloatArray) -> FloatArray:
    """Return sum_k |e_k|, k = 1..n - 1, of many pairs of rankings at once.

    e_k is the number of patients whom the models put on the wrong side of their k-th rank, one less the other;
    with D(k) the positives among the k lowest, e_k = 2 (D_a(k) - D_b(k)).

    Parameters
    ----------
    positive : boolean array of shape (n,)
    rank_a, rank_b : arrays of shape (b, n)
        Permutations of 1..n.

    Returns
    -------
    array of shape (b,)

    Examples
    --------
    >>> positive = np.array([False, True, True])
    >>> venkatraman_statistic(positive, np.array([[1, 2, 3]]), np.array([[2, 1, 3]])).tolist()
    [2.0]
    """
    below = [
        np.cumsum(positive[np.argsort(rank, axis=1, kind="stable")], axis=1, dtype=np.int64)
        for rank in (rank_a, rank_b)
    ]
    return _area_between(*below)


def _area_between(below_a: NDArray[np.int64], below_b: NDArray[np.int64]) -> FloatArray:
    return np.asarray(2.0 * np.abs(below_a - below_b)[:, :-1].sum(axis=1))


def _positives_below(ranks: FloatArray, noise: FloatArray, positive: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Positives among the k lowest, k = 1..n, of each row of ranks, ties broken by the noise.

    Rank, noise and class share one whole number, so that a plain sort puts them in order.
    """
    keys = (ranks.astype(np.int64) << 32) | ((noise * 2.0**31).astype(np.int64) << 1) | positive
    keys.sort(axis=1)
    return np.cumsum(keys & 1, axis=1)


def _ranks(values: FloatArray, noise: FloatArray) -> FloatArray:
    """Ranks 1..n along the last axis, ties broken by the noise."""
    order = np.lexsort((noise, values), axis=-1)
    ranks = np.empty_like(values, dtype=np.float64)
    np.put_along_axis(ranks, order, np.arange(1.0, values.shape[-1] + 1.0)[None], axis=-1)
    return ranks
