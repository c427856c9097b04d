"""The silhouette: how much nearer a point lies to its own class than to the next."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import BiomarkError
from .point_distances import checked_features, distance_rows
from .results import FloatArray

__all__ = ["silhouette_values"]


def silhouette_values(features: ArrayLike, labels: ArrayLike, *, metric: str = "euclidean") -> FloatArray:
    """Silhouette of every point: s = (b - a) / max(a, b).

    a is the mean distance to the other points of its class, b the smallest mean distance to another class.

    Parameters
    ----------
    features : array of shape (n, d), finite
        Taken as they are: standardise columns of different units first.
    labels : array of shape (n,)
        Class of each point, of any type; at least two classes.
    metric : "euclidean" or "cosine"

    Returns
    -------
    array of shape (n,), in [-1, 1]
        Above 0 nearer to its own class. 0 for the only member of a class, and where a = b = 0.

    Raises
    ------
    BiomarkError
        For features that are not finite, labels of another length, or one class.

    Notes
    -----
    Exact, in time proportional to n^2 d; distances are made a few rows at a time.

    References
    ----------
    Rousseeuw PJ. Silhouettes: a graphical aid to the interpretation and validation of cluster analysis. J Comput
    Appl Math 1987;20:53-65, section 2.

    Examples
    --------
    >>> silhouette_values([[0.0], [1.0], [5.0]], ["a", "a", "b"]).round(3).tolist()
    [0.8, 0.75, 0.0]
    """
    points = checked_features(features, metric)
    classes = np.asarray(labels)
    if classes.shape != (points.shape[0],):
        raise BiomarkError(f"labels must have shape ({points.shape[0]},), found {classes.shape}")
    names, codes = np.unique(classes, return_inverse=True)
    if names.size < 2:
        raise BiomarkError(f"labels must hold at least two classes, found {names.size}")
    member = (codes[:, None] == np.arange(names.size)).astype(np.float64)
    sizes = member.sum(axis=0)
    values = np.empty(codes.size)
    for rows, distances in distance_rows(points, metric):
        sums = distances @ member
        own = codes[rows]
        at = np.arange(rows.size)
        to_own = sums[at, own] / np.maximum(sizes[own] - 1.0, 1.0)
        means = sums / sizes
        means[at, own] = np.inf
        values[rows] = silhouettes_of(to_own, means.min(axis=1), sizes[own])
    return values


def silhouettes_of(
    to_own: FloatArray, to_other: FloatArray, own_size: FloatArray | NDArray[np.intp]
) -> FloatArray:
    """Return (b - a) / max(a, b), and 0 for single members and where both are 0."""
    larger = np.maximum(to_own, to_other)
    defined = (larger > 0.0) & (own_size > 1.0)
    return np.asarray(np.divide(to_other - to_own, larger, out=np.zeros_like(larger), where=defined))
