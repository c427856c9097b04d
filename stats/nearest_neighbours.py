"""How well the classes of a point's nearest neighbours tell its own class."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from ..errors import BiomarkError
from .inputs import binary_labels, cluster_codes, whole_number
from .point_distances import checked_features, distance_rows
from .results import FloatArray

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["neighbour_auc", "neighbour_shares"]


def neighbour_auc(
    features: ArrayLike,
    y_true: ArrayLike,
    *,
    k: int = 10,
    metric: str = "euclidean",
    cluster: ArrayLike | None = None,
) -> float:
    """AUC of the share of positives among each point's k nearest others (leave one out).

    Parameters
    ----------
    features : array of shape (n, d), finite
    y_true : array of shape (n,), 0 or 1; both present
    k : int
        Neighbours, at most the points that are left.
    metric : "euclidean" or "cosine"
    cluster : array of shape (n,), optional
        Points of the same cluster (lesions of one patient) are not neighbours of each other.

    Returns
    -------
    float in [0, 1]

    Raises
    ------
    OneClassError
        If one class is absent.
    BiomarkError
        For features that are not finite, or fewer than k points to choose from.

    Notes
    -----
    Without any separation it lies below 0.5: leaving a positive out leaves fewer positives among the others.
    Judge it by `embedding_separation`, whose permutations share that bias.

    References
    ----------
    Cover TM, Hart PE. Nearest neighbor pattern classification. IEEE Trans Inf Theory 1967;13:21-27.

    Examples
    --------
    >>> neighbour_auc([[0.0], [1.0], [2.0], [8.0], [9.0], [10.0]], [0, 0, 0, 1, 1, 1], k=2)
    1.0
    """
    positive = binary_labels(y_true)
    shares = neighbour_shares(features, positive, k=k, metric=metric, cluster=cluster)
    return float(aucs_of(shares[:, None], positive[:, None])[0])


def neighbour_shares(
    features: ArrayLike,
    y_true: ArrayLike,
    *,
    k: int = 10,
    metric: str = "euclidean",
    cluster: ArrayLike | None = None,
) -> FloatArray:
    """Share of positives among each point's k nearest others; parameters as in `neighbour_auc`.

    Returns
    -------
    array of shape (n,), in [0, 1]
        Where several points are equally far and not all of them fit into the k, each counts by the share that
        does.

    Examples
    --------
    >>> neighbour_shares([[0.0], [1.0], [3.0], [4.0]], [0, 1, 1, 0], k=1).tolist()
    [1.0, 0.0, 0.0, 1.0]
    """
    positive = binary_labels(y_true, both=False)
    points = checked_features(features, metric)
    if points.shape[0] != positive.size:
        raise BiomarkError(f"features must have {positive.size} rows like y_true, found {points.shape[0]}")
    codes = None if cluster is None else cluster_codes(cluster, positive.size)
    rows = [neighbour_weights(d, r, k, codes) for r, d in distance_rows(points, metric)]
    return np.concatenate([np.asarray(weights @ positive.astype(np.float64)) for weights in rows])


def neighbour_weights(
    distances: FloatArray, rows: NDArray[np.intp], k: int, codes: NDArray[np.intp] | None
) -> csr_array:
    """Return each row's weights on the points, of shape (r, n), k / k in sum: 1/k for a neighbour."""
    from scipy.sparse import csr_array

    k = whole_number(k, name="k")
    far = distances.copy()
    if codes is None:
        far[np.arange(rows.size), rows] = np.inf
    else:
        far[codes[rows][:, None] == codes[None, :]] = np.inf
    left = int(np.isfinite(far).sum(axis=1).min())
    if k > left:
        raise BiomarkError(f"k must be at most {left}, the points that can be neighbours, found {k}")
    edge = np.partition(far, k - 1, axis=1)[:, k - 1 : k]
    nearer, level = far < edge, far == edge
    fit = (k - nearer.sum(axis=1)) / level.sum(axis=1)
    return csr_array((nearer + level * fit[:, None]) / k)


def aucs_of(shares: FloatArray, positive: NDArray[np.bool_]) -> FloatArray:
    """Return the AUC of each column of scores for the labels of the same column, both of shape (n, p)."""
    # Shares are sums in different orders: what differs by rounding alone is equal.
    ranks = stats.rankdata(np.round(shares, 12), axis=0)
    n_pos = positive.sum(axis=0)
    n_neg = positive.shape[0] - n_pos
    won = np.where(positive, ranks, 0.0).sum(axis=0) - n_pos * (n_pos + 1) / 2.0
    return np.asarray(won / (n_pos * n_neg))
