"""Whether a heat map is highest on the lesion."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import BiomarkError
from .heat_map_inputs import checked_pair
from .results import FloatArray

__all__ = ["pointing_game"]


def pointing_game(
    heat_map: ArrayLike,
    mask: ArrayLike,
    *,
    tolerance: float = 0.0,
    spacing: Sequence[float] | None = None,
    negative: str = "refuse",
) -> float:
    """Whether the highest voxel of a heat map lies in a mask: 1 for a hit, 0 for a miss.

    Parameters
    ----------
    heat_map : array of any shape, for instance (D, H, W), finite
    mask : array of the same shape, 0 or 1
    tolerance : float, 0 or more
        A voxel within this distance of the mask is a hit, in voxels or, where ``spacing`` is given, in its
        unit.
    spacing : sequence of floats, one for each axis, optional
        Size of a voxel, for instance in mm.
    negative : "refuse", "clip" or "absolute"

    Returns
    -------
    float in [0, 1]
        Where several voxels are highest, the share of them that are hits: what a random choice among them
        would give on average. NaN where the mask is empty. Its value for a heat map that is the same
        everywhere, the level of chance, is the share of the volume that would be a hit.

    Raises
    ------
    BiomarkError
        As `energy_in_mask`, and for a negative tolerance or a spacing of another length.

    References
    ----------
    Zhang J et al. Top-down neural attention by excitation backprop. Int J Comput Vis 2018;126:1084-1102,
    section 4.2 (there with a tolerance of 15 pixels).

    Examples
    --------
    >>> pointing_game([1.0, 5.0, 2.0], [0, 1, 1])
    1.0
    >>> pointing_game([5.0, 5.0, 2.0], [0, 1, 1])
    0.5
    """
    heat, lesion = checked_pair(heat_map, mask, negative)
    return pointing_of(heat, lesion, hits(lesion, tolerance, spacing))


def pointing_of(heat: FloatArray, lesion: NDArray[np.bool_], target: NDArray[np.bool_]) -> float:
    """Return the score of a pair that has been checked, with the voxels that `hits` counts."""
    return float(target[heat == heat.max()].mean()) if lesion.any() else float("nan")


def hits(lesion: NDArray[np.bool_], tolerance: float, spacing: Sequence[float] | None) -> NDArray[np.bool_]:
    """Return the voxels that count as a hit: the mask and what lies within the tolerance of it."""
    if not 0.0 <= tolerance < np.inf:
        raise BiomarkError(f"tolerance must be 0 or more, found {tolerance!r}")
    sizes = (1.0,) * lesion.ndim if spacing is None else tuple(float(size) for size in spacing)
    if len(sizes) != lesion.ndim or not all(0.0 < size < np.inf for size in sizes):
        raise BiomarkError(f"spacing must hold {lesion.ndim} positive numbers, found {spacing!r}")
    if tolerance == 0.0 or not lesion.any():
        return lesion
    from scipy.ndimage import distance_transform_edt

    return np.asarray(distance_transform_edt(~lesion, sampling=sizes) <= tolerance)


def poisson_binomial_p_value(n_hits: float, chances: FloatArray) -> float:
    """Chance of as many hits or more when each patient is hit with its own probability.

    The distribution is the product of the patients' generating polynomials. Hits that count by a share (ties)
    make the number fractional; what lies above it then counts.
    """
    if chances.size == 0:
        return float("nan")
    distribution = np.ones(1)
    for chance in chances:
        distribution = np.convolve(distribution, [1.0 - chance, chance])
    return min(1.0, float(distribution[np.arange(distribution.size) >= n_hits - 1e-9].sum()))
