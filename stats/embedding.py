"""Whether an embedding separates two classes: numbers and a permutation p in place of a circle drawn by eye."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import BiomarkError
from .inputs import Seed, binary_labels, cluster_codes, generator, whole_number
from .nearest_neighbours import aucs_of, neighbour_weights
from .point_distances import checked_features, distance_rows
from .results import FloatArray, Result
from .silhouette import silhouettes_of

__all__ = ["EmbeddingSeparation", "embedding_separation"]


@dataclass(frozen=True, slots=True)
class EmbeddingSeparation(Result):
    """How well the two classes of a label are separated in an embedding.

    Attributes
    ----------
    silhouette, neighbour_auc : float
        Mean silhouette, and the AUC of the k nearest neighbours.
    silhouette_chance, neighbour_auc_chance : float
        Their means over the permutations, the level of chance.
    silhouette_p_value, neighbour_auc_p_value : float
        One-sided: the share of permutations that separate as well.
    k, n, n_pos, n_clusters, n_permutations : int
    method : str
    """

    silhouette: float
    silhouette_chance: float
    silhouette_p_value: float
    neighbour_auc: float
    neighbour_auc_chance: float
    neighbour_auc_p_value: float
    k: int
    n: int
    n_pos: int
    n_clusters: int
    n_permutations: int
    method: str


def embedding_separation(
    features: ArrayLike,
    y_true: ArrayLike,
    *,
    k: int = 10,
    metric: str = "euclidean",
    cluster: ArrayLike | None = None,
    n_permutations: int = 999,
    rng: Seed = None,
) -> EmbeddingSeparation:
    """Measure the separation of two classes in an embedding and test it by permuting the labels.

    H0: the label has nothing to do with where a point lies.

    Parameters
    ----------
    features : array of shape (n, d), finite
        The network's features themselves. A t-SNE or UMAP picture of them pulls points apart and together at
        its own will: a test on the picture tests the picture.
    y_true : array of shape (n,), 0 or 1; at least two of each
    k : int
        Neighbours.
    metric : "euclidean" or "cosine"
    cluster : array of shape (n,), optional
        Whom each point belongs to (several lesions of one patient). Points of one cluster are then not
        neighbours of each other, and labels are permuted between clusters; each must have one label only.
    n_permutations : int
    rng : seed or numpy.random.Generator

    Returns
    -------
    EmbeddingSeparation

    Raises
    ------
    OneClassError
        If one class is absent.
    BiomarkError
        For fewer than two points of a class, features that are not finite, too large a k, or a cluster with
        both labels.

    Notes
    -----
    p = (1 + number as large) / (1 + permutations). Distances are made once for all permutations, a few rows at a
    time: the cost is that of n^2 (d + permutations) products.

    Features of the patients that the network was trained on are separated by training itself: use a test set.

    References
    ----------
    Rousseeuw PJ. J Comput Appl Math 1987;20:53-65. Cover TM, Hart PE. IEEE Trans Inf Theory 1967;13:21-27.
    Phipson B, Smyth GK. Stat Appl Genet Mol Biol 2010;9:39.

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> y = np.repeat([0, 1], 30)
    >>> found = embedding_separation(rng.normal(size=(60, 5)) + y[:, None], y, n_permutations=199, rng=1)
    >>> found.silhouette_p_value, found.neighbour_auc > 0.8
    (0.005, True)
    """
    n_permutations = whole_number(n_permutations, name="n_permutations")
    positive = binary_labels(y_true)
    points = checked_features(features, metric)
    if points.shape[0] != positive.size:
        raise BiomarkError(f"features must have {positive.size} rows like y_true, found {points.shape[0]}")
    n_pos = int(positive.sum())
    if min(n_pos, positive.size - n_pos) < 2:
        raise BiomarkError(
            f"a silhouette needs at least two points of each class, found {n_pos} and {positive.size - n_pos}"
        )
    codes = None if cluster is None else cluster_codes(cluster, positive.size)
    labels = np.column_stack([positive, _permuted(positive, codes, n_permutations, generator(rng))])
    sizes = labels.sum(axis=0)
    as_number = labels.astype(np.float64)
    silhouettes = np.zeros(labels.shape[1])
    shares = np.empty(labels.shape)
    for rows, distances in distance_rows(points, metric):
        silhouettes += _silhouette_sums(distances @ as_number, distances, labels[rows], sizes)
        shares[rows] = neighbour_weights(distances, rows, k, codes) @ as_number
    silhouettes /= positive.size
    with np.errstate(invalid="ignore", divide="ignore"):
        aucs = aucs_of(shares, labels)
    return EmbeddingSeparation(
        *_against_permutations(silhouettes),
        *_against_permutations(aucs),
        k=k,
        n=positive.size,
        n_pos=n_pos,
        n_clusters=positive.size if codes is None else int(codes.max()) + 1,
        n_permutations=n_permutations,
        method=f"{metric} distances, labels permuted {'over points' if codes is None else 'over clusters'}",
    )


def _silhouette_sums(
    to_pos: FloatArray, distances: FloatArray, labels: NDArray[np.bool_], n_pos: NDArray[np.intp]
) -> FloatArray:
    """Sum of the silhouettes of some rows under every column of labels."""
    n_neg = distances.shape[1] - n_pos
    to_neg = np.maximum(distances.sum(axis=1)[:, None] - to_pos, 0.0)
    own = np.where(labels, n_pos, n_neg)
    to_own = np.where(labels, to_pos, to_neg) / np.maximum(own - 1.0, 1.0)
    to_other = np.where(labels, to_neg, to_pos) / np.maximum(distances.shape[1] - own, 1.0)
    return np.asarray(silhouettes_of(to_own, to_other, own).sum(axis=0))


def _against_permutations(values: FloatArray) -> tuple[float, float, float]:
    """Return the value of the data, which comes first, the mean of the permutations, and p."""
    observed, permuted = float(values[0]), values[1:]
    permuted = permuted[~np.isnan(permuted)]
    # Sums in different orders: what differs by rounding alone is as large.
    as_large = int(np.count_nonzero(permuted >= observed - 1e-9))
    return observed, float(permuted.mean()), (1 + as_large) / (1 + permuted.size)


def _permuted(
    positive: NDArray[np.bool_], codes: NDArray[np.intp] | None, n_permutations: int, rng: np.random.Generator
) -> NDArray[np.bool_]:
    """Permuted labels, of shape (n, permutations)."""
    if codes is None:
        return rng.permuted(np.tile(positive, (n_permutations, 1)), axis=1).T
    per_cluster = np.bincount(codes, weights=positive) / np.bincount(codes)
    mixed = (per_cluster > 0.0) & (per_cluster < 1.0)
    if mixed.any():
        raise BiomarkError(
            f"labels are permuted between clusters, so each must have one label; {int(mixed.sum())} of "
            f"{mixed.size} have both"
        )
    return rng.permuted(np.tile(per_cluster == 1.0, (n_permutations, 1)), axis=1).T[codes]
