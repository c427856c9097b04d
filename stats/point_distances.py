"""Distances of all points to all, a few rows at a time, so that memory does not grow with their square."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import BiomarkError
from .inputs import choice, real_numbers
from .results import FloatArray

__all__ = ["DISTANCES", "checked_features", "distance_rows"]

DISTANCES = ("euclidean", "cosine")
# Distances held at once: 32 MiB.
CHUNK_CELLS = 2**22
# Features within these are taken as they are.
SMALLEST, LARGEST = 1e-100, 1e100


def checked_features(features: ArrayLike, metric: str) -> FloatArray:
    """Return features as float64 of shape (n, d), finite, without zero rows where the angle is asked."""
    choice(metric, DISTANCES, name="metric")
    points = real_numbers(features, name="features")
    if points.ndim != 2 or points.shape[1] == 0:
        raise BiomarkError(f"features must have shape (n, d), found {points.shape}")
    if not np.isfinite(points).all():
        row, column = (int(i) for i in np.argwhere(~np.isfinite(points))[0])
        raise BiomarkError(
            f"features must be finite, found {points[row, column]} in row {row}, column {column}"
        )
    if metric == "cosine":
        zero = ~points.any(axis=1)
        if zero.any():
            raise BiomarkError(f"metric 'cosine' needs rows other than 0, found row {int(zero.argmax())}")
    largest = float(np.abs(points).max(initial=0.0))
    if largest > 0.0 and not SMALLEST < largest < LARGEST:
        # No answer here depends on the scale, and the squares of such numbers do not exist.
        points = np.ldexp(points, -int(np.frexp(largest)[1]))
    return points


def distance_rows(points: FloatArray, metric: str) -> Iterator[tuple[NDArray[np.intp], FloatArray]]:
    """Yield row numbers of shape (r,) and their distances to all points, of shape (r, n).

    Differences are squared and summed as they are (no inner products), so that equal distances are equal.
    """
    from scipy.spatial.distance import cdist

    n = points.shape[0]
    per_chunk = max(1, CHUNK_CELLS // max(n, 1))
    for start in range(0, n, per_chunk):
        rows = np.arange(start, min(start + per_chunk, n))
        distances = np.asarray(cdist(points[rows], points, metric=metric), dtype=np.float64)  # type: ignore[call-overload]
        distances[np.arange(rows.size), rows] = 0.0
        yield rows, distances
