"""How well a segmentation agrees with the mask of a reader, in voxels and in millimetres."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..errors import BiomarkError
from ..stats.results import FloatArray, Result

__all__ = ["SegmentationScore", "segmentation_score"]


@dataclass(frozen=True, slots=True)
class SegmentationScore(Result):
    """Agreement of two masks.

    Attributes
    ----------
    dice : float
        2 |A and B| / (|A| + |B|); 1 where both are empty.
    hausdorff_mm : float
        The largest distance from a surface voxel of one to the nearest of the other; NaN where either is empty.
    hausdorff95_mm : float
        The 95th percentile of those distances, the larger of the two directions; NaN where either is empty.
    volume_mm3, reference_volume_mm3 : float
    """

    dice: float
    hausdorff_mm: float
    hausdorff95_mm: float
    volume_mm3: float
    reference_volume_mm3: float


def segmentation_score(
    found: NDArray[np.bool_], reference: NDArray[np.bool_], spacing: tuple[float, float, float]
) -> SegmentationScore:
    """Compare a segmentation with a reference.

    Parameters
    ----------
    found, reference : arrays of shape (D, H, W), bool
    spacing : (dz, dy, dx) in mm

    Notes
    -----
    The surface of a mask are its voxels with a neighbour outside it, of six; the border of the volume is outside.
    Distances are between voxel centres.

    References
    ----------
    Taha AA, Hanbury A (2015) Metrics for evaluating 3D medical image segmentation. BMC Med Imaging 15:29, eq. 6 and 45.

    Examples
    --------
    >>> a = np.zeros((8, 8, 8), dtype=bool)
    >>> a[2:5, 2:5, 2:5] = True
    >>> score = segmentation_score(np.roll(a, 1, axis=0), a, (2.0, 1.0, 1.0))
    >>> round(score.dice, 4), score.hausdorff_mm, score.volume_mm3
    (0.6667, 2.0, 54.0)
    """
    a, b = np.asarray(found, dtype=bool), np.asarray(reference, dtype=bool)
    if a.shape != b.shape or a.ndim != 3:
        raise BiomarkError(f"both masks must have one shape (D, H, W), found {a.shape} and {b.shape}")
    n_a, n_b, both = (int(np.count_nonzero(x)) for x in (a, b, a & b))
    dice = 2 * both / (n_a + n_b) if n_a + n_b else 1.0
    largest = percentile = float("nan")
    if n_a and n_b:
        a, b = _around(a, b)
        distances = [_surface_distances(a, b, spacing), _surface_distances(b, a, spacing)]
        largest = max(float(d.max()) for d in distances)
        percentile = max(float(np.percentile(d, 95)) for d in distances)
    voxel = float(np.prod(spacing))
    return SegmentationScore(dice, largest, percentile, n_a * voxel, n_b * voxel)


def _around(a: NDArray[np.bool_], b: NDArray[np.bool_]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Cut both to the box that holds both, with a voxel of nothing around it."""
    either = a | b
    box = tuple(
        slice(int(kept[0]), int(kept[-1]) + 1)
        for axis in range(3)
        for kept in [np.flatnonzero(either.any(axis=tuple({0, 1, 2} - {axis})))]
    )
    return np.pad(a[box], 1), np.pad(b[box], 1)


def _surface_distances(
    a: NDArray[np.bool_], b: NDArray[np.bool_], spacing: tuple[float, float, float]
) -> FloatArray:
    """Return the distance of each surface voxel of a to the surface of b."""
    surface_a, surface_b = (x & ~ndimage.binary_erosion(x) for x in (a, b))
    distance: FloatArray = ndimage.distance_transform_edt(~surface_b, sampling=spacing)
    return distance[surface_a]
