"""The size of a lesion: the largest diameter of its mask, in millimetres, exact."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import ndimage
from scipy.spatial import ConvexHull, QhullError
from scipy.spatial.distance import pdist

from ..errors import BiomarkError

__all__ = ["largest_diameter_mm", "lesion_parts"]

# Corners share an edge, a face or a vertex: what touches is one lesion.
_TOUCHING = np.ones((3, 3, 3), dtype=bool)
# Pairs of so few points cost nothing; of more, the hull is taken first.
_FEW = 500


def largest_diameter_mm(mask: ArrayLike, spacing: tuple[float, float, float]) -> float:
    """Return the largest distance between two voxel centres of a lesion, in mm.

    max over voxels p, q of the largest part of |spacing * (p - q)|, the maximum Feret diameter.

    Parameters
    ----------
    mask : array of shape (D, H, W); what is not 0 is lesion
    spacing : (dz, dy, dx) in mm

    Returns
    -------
    float
        0 for one voxel alone; NaN for an empty mask.

    Notes
    -----
    Distances are between centres, so that the diameter of a smooth body comes out short by up to one voxel, as in
    ITK's Feret diameter. Of several parts (voxels that do not touch, not even at a corner) the one with most voxels
    counts, the first in the array if two have as many: a stray voxel at the other end of the breast is no size.

    Only the ends of each line of voxels can be ends of a diameter, and of them only vertices of the convex hull; all
    pairs of these are compared, so nothing is approximated.

    Examples
    --------
    >>> mask = np.zeros((4, 4, 4))
    >>> mask[1, 1, 0:4] = 1
    >>> largest_diameter_mm(mask, (0.48, 0.073, 0.2))
    0.6000000000000001
    """
    lesion = np.asarray(mask) != 0
    if lesion.ndim != 3:
        raise BiomarkError(f"mask must have three dimensions, found shape {lesion.shape}")
    parts, sizes = lesion_parts(lesion)
    if not sizes.size:
        return float("nan")
    if sizes.size > 1:
        lesion = parts == int(np.argmax(sizes)) + 1
    points = _ends_of_lines(lesion) * np.asarray(spacing, dtype=np.float64)
    if len(points) > _FEW:
        points = _hull(points)
    return float(pdist(points).max(initial=0.0))


def lesion_parts(mask: ArrayLike) -> tuple[NDArray[np.int32], NDArray[np.int64]]:
    """Return the parts of a mask (26-connected), numbered from 1, and the voxels of each.

    Returns
    -------
    parts : array of the mask's shape
        0 outside.
    sizes : array of shape (k,)
        Voxels of part 1, 2, ..., k.
    """
    parts, count = ndimage.label(np.asarray(mask) != 0, structure=_TOUCHING)
    sizes = np.bincount(parts.ravel(), minlength=count + 1)[1:]
    return parts.astype(np.int32, copy=False), sizes.astype(np.int64)


def _ends_of_lines(lesion: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Return the voxels that are first or last on their line along every axis."""
    ends = lesion.copy()
    for axis in range(3):
        length = lesion.shape[axis]
        line = np.arange(length).reshape([-1 if a == axis else 1 for a in range(3)])
        first = np.where(lesion.any(axis=axis), lesion.argmax(axis=axis), -1)
        last = length - 1 - np.flip(lesion, axis=axis).argmax(axis=axis)
        ends &= (line == np.expand_dims(first, axis)) | (line == np.expand_dims(last, axis))
    return np.argwhere(ends).astype(np.float64)


def _hull(points: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the vertices of the convex hull, in the plane where the points span no volume."""
    try:
        return np.asarray(points[ConvexHull(points).vertices])
    except QhullError:
        centred = points - points.mean(axis=0)
        axes = np.linalg.svd(centred, full_matrices=False)[2]
        try:
            return np.asarray(points[ConvexHull(centred @ axes[:2].T).vertices])
        except QhullError:
            along = centred @ axes[0]
            return points[[int(along.argmin()), int(along.argmax())]]
