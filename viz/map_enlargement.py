"""A coarse map laid over the volume that it was made from, voxel by voxel where it belongs."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from ..stats.results import FloatArray

__all__ = ["enlarged_map", "interpolation_weights"]


def enlarged_map(
    coarse: FloatArray, shape: Sequence[int], *, first_centre: float | None = None
) -> FloatArray:
    """Interpolate a map of shape (..., d, h, w) linearly to (..., D, H, W).

    Parameters
    ----------
    coarse : array of shape (..., d, h, w)
    shape : (D, H, W)
    first_centre : float, optional
        Voxel of the volume at which the map's first voxel is centred, along every axis; the next ones follow at the
        map's step, D / d rounded to a whole number. By default the map is stretched over the volume, as
        ``interpolate(..., align_corners=False)`` does it, which centres the first voxel at (D / d - 1) / 2.

    Returns
    -------
    array of shape (..., D, H, W), float64
        Beyond the outermost centres the outermost values.

    Notes
    -----
    A convolution of 3, 5 or 7 voxels with stride 2, padded by half its width, is centred on the even voxels: after
    five of them the map's voxel i looks at voxel 32 i, not at 32 i + 15.5 where stretching puts it.

    Examples
    --------
    >>> coarse = np.array([0.0, 1.0]).reshape(1, 1, 2)
    >>> enlarged_map(coarse, (1, 1, 4)).ravel().tolist()
    [0.0, 0.25, 0.75, 1.0]
    >>> enlarged_map(coarse, (1, 1, 4), first_centre=0.0).ravel().tolist()
    [0.0, 0.5, 1.0, 1.0]
    """
    d, h, w = (
        interpolation_weights(few, many, first_centre=first_centre)
        for few, many in zip(coarse.shape[-3:], shape, strict=True)
    )
    # The last axis first: each step enlarges one axis, the smallest array is enlarged most often.
    x = coarse.astype(np.float64) @ w.T
    x = np.einsum("Hh,...dhw->...dHw", h, x, optimize=True)
    return np.asarray(np.einsum("Dd,...dhw->...Dhw", d, x, optimize=True))


def interpolation_weights(few: int, many: int, *, first_centre: float | None = None) -> NDArray[np.float64]:
    """Return the weights of ``few`` voxels in each of ``many``, of shape (many, few), each row of sum 1."""
    if first_centre is None:
        at = (np.arange(many) + 0.5) * few / many - 0.5
    else:
        at = (np.arange(many) - first_centre) / max(1, round(many / few))
    at = np.clip(at, 0.0, few - 1.0)
    below = np.minimum(np.floor(at).astype(np.intp), max(few - 2, 0))
    above = np.minimum(below + 1, few - 1)
    weights = np.zeros((many, few))
    rows = np.arange(many)
    np.add.at(weights, (rows, below), 1.0 - (at - below))
    np.add.at(weights, (rows, above), at - below)
    return weights
