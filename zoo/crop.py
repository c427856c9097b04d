"""Where to crop a volume: around the lesion, around the breast, or a given box."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..errors import BiomarkError

__all__ = ["Box", "breast_box", "lesion_box"]

Pair = tuple[float, float]
# The breast is looked for on a grid of about this many voxels a side: it is large and smooth.
_COARSE = 64
_TISSUE = 0.1


@dataclass(frozen=True, slots=True)
class Box:
    """A box within a volume, in voxel edges: voxel i reaches from i to i + 1. It may reach beyond the volume.

    Attributes
    ----------
    d, h, w : (start, stop) along D, H and W
    """

    d: Pair
    h: Pair
    w: Pair

    def __post_init__(self) -> None:
        for name, (start, stop) in zip("DHW", self.sides(), strict=True):
            if not (np.isfinite([start, stop]).all() and start < stop):
                raise BiomarkError(f"a box must run from low to high; found {start} to {stop} along {name}")

    def sides(self) -> tuple[Pair, Pair, Pair]:
        """Return the three sides in the order D, H, W."""
        return self.d, self.h, self.w

    def cube(self, spacing: tuple[float, float, float]) -> Box:
        """Return the smallest box of equal sides in mm with the same centre that holds this one."""
        longest = max((b - a) * step for (a, b), step in zip(self.sides(), spacing, strict=True))
        return Box(
            *(_about((a + b) / 2, longest / step) for (a, b), step in zip(self.sides(), spacing, strict=True))
        )

    def inside(self, shape: tuple[int, ...]) -> Box:
        """Return the box moved into a volume as far as it fits; along an axis it is longer than, centred on it."""
        moved = []
        for (start, stop), n in zip(self.sides(), shape, strict=True):
            length = stop - start
            low = (n - length) / 2 if length >= n else min(max(start, 0.0), n - length)
            moved.append((low, low + length))
        return Box(*moved)


def lesion_box(mask: NDArray[np.bool_], spacing: tuple[float, float, float], *, margin_mm: float) -> Box:
    """Return the bounding box of a mask, grown by a margin in mm on every side.

    Raises
    ------
    BiomarkError
        For an empty mask.
    """
    sides = []
    for axis, step in enumerate(spacing):
        others = tuple(a for a in range(3) if a != axis)
        at = np.flatnonzero(mask.any(axis=others))
        if not at.size:
            raise BiomarkError("the mask is empty: there is no lesion to crop around")
        sides.append((float(at[0] - margin_mm / step), float(at[-1] + 1 + margin_mm / step)))
    return Box(*sides)


def breast_box(array: NDArray[np.float32]) -> Box:
    """Return the bounding box of what is bright enough to be tissue.

    The volume is averaged in blocks, split at Otsu's threshold of the logarithm of the block means (at a tenth of the
    brightest if that is lower, so that no dark fat is taken for air where there is none), and the box of the largest
    connected part is taken. A volume of one value is its own box.

    References
    ----------
    Otsu 1979, A threshold selection method from gray-level histograms, eq. 12 to 16.
    """
    whole = Box(*((0.0, float(n)) for n in array.shape))
    blocks = tuple(max(1, n // _COARSE) for n in array.shape)
    trimmed = array[tuple(slice(0, n // b * b) for n, b in zip(array.shape, blocks, strict=True))]
    split = [length for n, b in zip(trimmed.shape, blocks, strict=True) for length in (n // b, b)]
    coarse = trimmed.reshape(split).mean(axis=(1, 3, 5))
    coarse -= coarse.min()
    brightest = float(np.percentile(coarse, 99))
    if not brightest > 0:
        return whole
    level = np.log1p(255 * np.minimum(coarse / brightest, 1))
    tissue = level > min(_otsu(level), np.log1p(255 * _TISSUE))
    parts, count = ndimage.label(tissue)
    if not count:
        return whole
    largest = 1 + int(np.argmax(np.bincount(parts.ravel())[1:]))
    found = ndimage.find_objects((parts == largest).astype(np.int8))[0]
    return Box(
        *(
            (float(side.start * b), float(n if side.stop == c else side.stop * b))
            for side, b, n, c in zip(found, blocks, array.shape, coarse.shape, strict=True)
        )
    )


def _about(centre: float, length: float) -> Pair:
    return centre - length / 2, centre + length / 2


def _otsu(values: NDArray[np.float32], *, bins: int = 256) -> float:
    """Return the threshold that maximises the variance between the classes on either side of it."""
    count, edges = np.histogram(values, bins=bins)
    centres = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(count)[:-1]
    above = count.sum() - below
    total = np.cumsum(count * centres)
    mean_below = total[:-1] / np.maximum(below, 1)
    mean_above = (total[-1] - total[:-1]) / np.maximum(above, 1)
    between = below * above * (mean_below - mean_above) ** 2
    return float(edges[1:-1][int(np.argmax(between))])
