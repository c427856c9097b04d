"""How much of a heat map lies on the lesion."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from .heat_map_inputs import checked_pair
from .results import FloatArray

__all__ = ["energy_in_mask", "energy_of"]


def energy_in_mask(heat_map: ArrayLike, mask: ArrayLike, *, negative: str = "refuse") -> float:
    """Share of a heat map's energy inside a mask: the sum of its values in the mask over the sum of all.

    Parameters
    ----------
    heat_map : array of any shape, for instance (D, H, W), finite
    mask : array of the same shape, 0 or 1
    negative : "refuse", "clip" or "absolute"
        What to do with negative values.

    Returns
    -------
    float in [0, 1]
        NaN where the mask is empty, or the heat map 0 everywhere. Its value for a heat map that is the same
        everywhere, the level of chance, is the mask's share of the volume.

    Raises
    ------
    BiomarkError
        For different shapes, other masks than 0 and 1, values that are not finite, or negative ones where
        they are refused.

    References
    ----------
    Wang H et al. Score-CAM: score-weighted visual explanations for convolutional neural networks. CVPR
    Workshops 2020;111-119, section 4.3 (energy-based pointing game).

    Examples
    --------
    >>> energy_in_mask([[1.0, 3.0], [0.0, 4.0]], [[0, 1], [0, 1]])
    0.875
    """
    return energy_of(*checked_pair(heat_map, mask, negative))


def energy_of(heat: FloatArray, lesion: NDArray[np.bool_]) -> float:
    """Return the share of energy of a pair that has been checked."""
    # Scaled first: the sum of huge values must not overflow, nor that of tiny ones vanish.
    largest = float(heat.max())
    if largest == 0.0 or not lesion.any():
        return float("nan")
    scaled = heat / largest
    inside, outside = float(scaled[lesion].sum()), float(scaled[~lesion].sum())
    return inside / (inside + outside)
