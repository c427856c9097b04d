"""What the explanation statistics accept: a heat map and a lesion mask of the same volume."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import BiomarkError
from .inputs import choice
from .results import FloatArray

__all__ = ["NEGATIVE", "checked_heat_map", "checked_mask", "checked_pair"]

NEGATIVE = ("refuse", "clip", "absolute")


def checked_pair(heat_map: ArrayLike, mask: ArrayLike, negative: str) -> tuple[FloatArray, NDArray[np.bool_]]:
    """Return heat map and mask of one shape, the heat map finite and without negative values."""
    lesion = checked_mask(mask)
    heat = checked_heat_map(heat_map, negative)
    if heat.shape != lesion.shape:
        raise BiomarkError(f"heat_map and mask must have one shape, found {heat.shape} and {lesion.shape}")
    return heat, lesion


def checked_mask(mask: ArrayLike) -> NDArray[np.bool_]:
    """Return the mask as booleans, refusing anything but 0 and 1."""
    array = np.asarray(mask)
    if array.size == 0:
        raise BiomarkError(f"mask must hold voxels, found shape {array.shape}")
    if array.dtype == np.bool_:
        return array
    try:
        lesion = np.asarray(array == 1)
        wrong = ~(lesion | (array == 0))
    except (TypeError, ValueError):
        raise BiomarkError("mask must hold 0 and 1") from None
    if wrong.any():
        raise BiomarkError(f"mask must hold 0 and 1 only, found {array[wrong][0]!r}")
    return lesion


def checked_heat_map(heat_map: ArrayLike, negative: str) -> FloatArray:
    """Return the heat map as float64, finite; its negative values refused, set to 0 or made positive.

    Only who made the map knows whether a negative value is evidence against (and to be ignored, as the ReLU of
    Grad-CAM does) or relevance of the other sign (and to be counted), so it is refused unless that is said.
    """
    choice(negative, NEGATIVE, name="negative")
    try:
        heat = np.asarray(heat_map, dtype=np.float64)
    except (TypeError, ValueError):
        raise BiomarkError("heat_map must hold numbers") from None
    if not np.isfinite(heat).all():
        at = tuple(int(i) for i in np.argwhere(~np.isfinite(heat))[0])
        raise BiomarkError(f"heat_map must be finite, found {heat[at]} at voxel {at}")
    if negative == "absolute":
        return np.abs(heat)
    least = float(heat.min()) if heat.size else 0.0
    if least < 0.0:
        if negative == "refuse":
            raise BiomarkError(
                f"heat_map must not be negative, found {least:g}: say negative='clip' to count negative values as "
                "0, or 'absolute' to count their size"
            )
        return np.maximum(heat, 0.0)
    return heat
