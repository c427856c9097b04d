"""How well the hottest part of a heat map, as large as the lesion, agrees with the lesion."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .heat_map_inputs import checked_pair
from .results import FloatArray

__all__ = ["iou_at_matched_area", "iou_of"]

# One value in so many is looked at first, and so many more of them are taken than the share asks for.
SAMPLED = 16
SLACK = 32


def iou_at_matched_area(heat_map: ArrayLike, mask: ArrayLike, *, negative: str = "refuse") -> float:
    """Intersection over union of a mask of k voxels and the k highest voxels of a heat map.

    IoU = I / (2 k - I) with I voxels in both. No threshold has to be chosen: the mask's own size sets it, the
    same for every model.

    Parameters
    ----------
    heat_map : array of any shape, for instance (D, H, W), finite
    mask : array of the same shape, 0 or 1
    negative : "refuse", "clip" or "absolute"

    Returns
    -------
    float in [0, 1]
        NaN where the mask is empty. With p the mask's share of the volume, its value for a heat map that is
        the same everywhere, the level of chance, is p / (2 - p).

    Raises
    ------
    BiomarkError
        As `energy_in_mask`.

    Notes
    -----
    Where voxels tie at the threshold and not all of them fit in, each counts by the share that does: with m
    voxels above and t at the threshold, by (k - m) / t. The overlap is then the ratio of the sums of minima and
    of maxima, which for 0 and 1 is the IoU. Maps enlarged without interpolation tie in whole blocks.

    References
    ----------
    Jaccard P. New Phytol 1912;11:37-50. Choe J et al. Evaluating weakly supervised object localization methods
    right. CVPR 2020;3133-3142 (why a threshold must not be left to choice).

    Examples
    --------
    >>> iou_at_matched_area([9.0, 8.0, 1.0, 0.0], [0, 1, 1, 0])
    0.3333333333333333
    >>> iou_at_matched_area([1.0, 1.0, 1.0, 1.0], [0, 1, 1, 0])
    0.3333333333333333
    """
    return iou_of(*checked_pair(heat_map, mask, negative))


def iou_of(heat: FloatArray, lesion: NDArray[np.bool_]) -> float:
    """Return the IoU at matched area of a pair that has been checked."""
    k = int(np.count_nonzero(lesion))
    if k == 0:
        return float("nan")
    threshold = _kth_largest(heat.ravel(), k)
    above, level = heat > threshold, heat == threshold
    share = (k - np.count_nonzero(above)) / np.count_nonzero(level)
    both = np.count_nonzero(above & lesion) + share * np.count_nonzero(level & lesion)
    return float(both / (2.0 * k - both))


def _kth_largest(values: FloatArray, k: int) -> float:
    """Return the k-th largest value; looked for among the highest only, as every 16th value tells where they begin."""
    sample = values[::SAMPLED]
    likely = k // SAMPLED + k // (8 * SAMPLED) + SLACK
    if likely < sample.size:
        floor = np.partition(sample, sample.size - likely)[sample.size - likely]
        highest = values[values >= floor]
        if highest.size >= k:
            values = highest
    return float(np.partition(values, values.size - k)[values.size - k])
