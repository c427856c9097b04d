"""From a volume of any size to the cube that a network takes: crop, resample, clip, scale."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from ..errors import BiomarkError
from ..stats.inputs import choice, whole_number
from .crop import Box, breast_box, lesion_box
from .volume import Volume

__all__ = ["Preprocessed", "Preprocessing", "antialiased_weights", "preprocess", "resampled"]

# Its stubs know float64 alone.
csr_array: Any = sparse.csr_array

CROPS = ("lesion", "breast", "none")

Shape = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """The settings of `preprocess`; equal settings give equal output.

    Attributes
    ----------
    size : int or (D, H, W)
        Voxels of the result along each axis; one number stands for a cube.
    crop : "lesion", "breast" or "none"
        ``lesion``: around the mask with a margin, around the breast where there is no mask; ``breast``: always around
        the breast; ``none``: the whole volume.
    margin_mm : float
        Around the lesion, on every side.
    isotropic : bool
        Whether the box is grown to equal sides in mm, so that a sphere stays a sphere. If not, each side is scaled on
        its own.
    percentiles : (low, high)
        Intensities of the cropped and resampled volume are clipped at these percentiles.

    Notes
    -----
    The paper gives the steps (cropping, resizing to 128 cubed, clipping, scaling to 0..1) and not their numbers. A
    margin of 10 mm keeps what lies behind a lesion, its shadow; a margin in mm, not in parts of the lesion, keeps large
    and small ones apart.
    """

    size: int | Shape = 128
    crop: str = "lesion"
    margin_mm: float = 10.0
    isotropic: bool = True
    percentiles: tuple[float, float] = (0.5, 99.5)

    def __post_init__(self) -> None:
        for n in self.shape:
            whole_number(n, name="size")
        choice(self.crop, CROPS, name="crop")
        if not (np.isfinite(self.margin_mm) and self.margin_mm >= 0):
            raise BiomarkError(f"margin_mm must be 0 or more, found {self.margin_mm!r}")
        low, high = self.percentiles
        if not 0 <= low < high <= 100:
            raise BiomarkError(f"percentiles must rise within 0 to 100, found {low!r} and {high!r}")

    @property
    def shape(self) -> Shape:
        """Voxels of the result along D, H and W."""
        if isinstance(self.size, int):
            return self.size, self.size, self.size
        d, h, w = self.size
        return d, h, w

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain values, for a configuration or a model card."""
        return {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(self).items()}


@dataclass(frozen=True, slots=True, eq=False)
class Preprocessed:
    """What a network takes, and where it came from.

    Attributes
    ----------
    image : array of shape (D, H, W), float32 in [0, 1]
    mask : array of shape (D, H, W), bool, or None where there was none
    box : Box
        In voxels of the volume; what lies outside the volume is 0 in the image.
    spacing : (dz, dy, dx) in mm of the result
    """

    image: NDArray[np.float32]
    mask: NDArray[np.bool_] | None
    box: Box
    spacing: tuple[float, float, float]


def preprocess(
    volume: Volume,
    mask: NDArray[np.bool_] | None = None,
    *,
    size: int | Shape = 128,
    crop: str = "lesion",
    margin_mm: float = 10.0,
    isotropic: bool = True,
    percentiles: tuple[float, float] = (0.5, 99.5),
    box: Box | None = None,
) -> Preprocessed:
    """Crop, resample with anti-aliasing, clip at percentiles and scale to 0..1.

    Parameters
    ----------
    volume : Volume
    mask : array of shape (D, H, W), bool, optional
        The lesion, on the volume's grid (`biomark.zoo.read_mask`).
    size, crop, margin_mm, isotropic, percentiles
        See `Preprocessing`.
    box : Box, optional
        The crop, in voxels of the volume, instead of ``crop``.

    Returns
    -------
    Preprocessed

    Raises
    ------
    BiomarkError
        For a mask of another shape or without a lesion (where the crop needs one), or a crop of one value only.

    Notes
    -----
    Resampling is separable: each output voxel is the mean of the input under a triangle as wide as the coarser of the
    two grids, which interpolates linearly where the grid becomes finer and averages where it becomes coarser. The mask
    is averaged likewise and cut at one half; a lesion too small to reach it keeps its fullest voxels, so that none is
    lost. The percentiles are those of the part of the result that lies within the volume.

    A crop around the lesion uses the mask at prediction too: predictions of cropped volumes assume that the lesion has
    been found.

    Examples
    --------
    >>> array = np.random.default_rng(0).random((20, 40, 30), dtype=np.float32)
    >>> result = preprocess(Volume(array, (0.5, 0.1, 0.2)), size=16)
    >>> result.image.shape, float(result.image.min()), round(float(result.image.max()), 3)
    ((16, 16, 16), 0.0, 1.0)
    """
    settings = Preprocessing(size, crop, margin_mm, isotropic, percentiles)
    shape = volume.array.shape
    if mask is not None and mask.shape != shape:
        raise BiomarkError(f"mask must have the volume's shape {shape}, found {mask.shape}")
    if box is None:
        box = _box(volume, mask, settings)
    image, covered = resampled(volume.array, box, settings.shape)
    image = _scaled(image, covered, percentiles)
    cropped = None
    if mask is not None:
        share = resampled(mask.astype(np.float32), box, settings.shape)[0]
        fullest = float(share.max())
        cropped = share >= min(0.5, fullest) if fullest > 0 else np.zeros(settings.shape, dtype=bool)
    dz, dy, dx = (
        float((stop - start) * step / n)
        for (start, stop), step, n in zip(box.sides(), volume.spacing, settings.shape, strict=True)
    )
    return Preprocessed(image, cropped, box, (dz, dy, dx))


def _box(volume: Volume, mask: NDArray[np.bool_] | None, settings: Preprocessing) -> Box:
    if settings.crop == "none":
        box = Box(*((0.0, float(n)) for n in volume.array.shape))
    elif settings.crop == "lesion" and mask is not None:
        box = lesion_box(mask, volume.spacing, margin_mm=settings.margin_mm)
    else:
        box = breast_box(volume.array)
    if settings.isotropic:
        box = box.cube(volume.spacing)
    return box.inside(volume.array.shape) if settings.isotropic or settings.crop != "none" else box


def resampled(
    array: NDArray[np.float32], box: Box, shape: Shape
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Resample a box of an array to a shape.

    Returns
    -------
    array of that shape, float32
        0 outside the input.
    array of that shape, bool
        Where the output voxel's centre lies within the input.
    """
    weights, covered, seen = [], [], []
    for n, side, m in zip(array.shape, box.sides(), shape, strict=True):
        weight, inside = antialiased_weights(n, side, m)
        used = np.unique(weight.indices)
        # What no output voxel sees is cut off before anything is multiplied.
        low, high = (int(used[0]), int(used[-1]) + 1) if used.size else (0, 1)
        weights.append(weight[:, low:high])
        covered.append(inside)
        seen.append(slice(low, high))
    result = array[tuple(seen)]
    for axis in range(3):
        moved = np.moveaxis(result, axis, 0)
        flat = np.ascontiguousarray(moved, dtype=np.float32).reshape(moved.shape[0], -1)
        product = (weights[axis] @ flat).reshape(shape[axis], *moved.shape[1:])
        result = np.moveaxis(product, 0, axis)
    d, h, w = covered
    return np.ascontiguousarray(result), d[:, None, None] & h[None, :, None] & w[None, None, :]


def antialiased_weights(n: int, side: tuple[float, float], m: int) -> tuple[Any, NDArray[np.bool_]]:
    """Return the weights that resample n voxels to m between two edges, as a sparse matrix of shape (m, n).

    Row j holds max(0, 1 - |x_i - c_j| / r) over the input centres x_i = i + 1/2, scaled to the sum 1, with
    c_j = start + (j + 1/2) f, f = (stop - start) / m and r = max(f, 1).

    Returns
    -------
    sparse matrix of shape (m, n), float32
        Rows of centres outside the input are empty.
    array of shape (m,), bool
        Whether the centre lies within the input.
    """
    start, stop = side
    factor = (stop - start) / m
    reach = max(factor, 1.0)
    centres = start + (np.arange(m) + 0.5) * factor
    inside = (centres >= 0) & (centres <= n)
    first = np.ceil(centres - reach - 0.5).astype(np.int64)
    columns = first[:, None] + np.arange(int(np.ceil(2 * reach)) + 2)
    weight = np.maximum(0.0, 1.0 - np.abs(columns + 0.5 - centres[:, None]) / reach)
    weight[(columns < 0) | (columns >= n) | ~inside[:, None]] = 0.0
    total = weight.sum(axis=1, keepdims=True)
    weight = np.divide(weight, total, out=np.zeros_like(weight), where=total > 0)
    rows, at = np.nonzero(weight)
    matrix: Any = csr_array(
        (weight[rows, at].astype(np.float32), (rows, columns[rows, at])), shape=(m, n), dtype=np.float32
    )
    return matrix, inside


def _scaled(
    image: NDArray[np.float32], covered: NDArray[np.bool_], percentiles: tuple[float, float]
) -> NDArray[np.float32]:
    if not covered.any():
        raise BiomarkError("the crop lies outside the volume")
    # In the image's own precision, so that the ends come out as 0 and 1 exactly.
    low, high = np.percentile(image[covered], percentiles).astype(np.float32)
    if not high > low:
        raise BiomarkError(f"the crop holds the value {low:g} almost everywhere; there is nothing to scale")
    scaled = (np.clip(image, low, high) - low) / (high - low)
    scaled[~covered] = 0.0
    clipped: NDArray[np.float32] = np.clip(scaled, 0.0, 1.0, dtype=np.float32)
    return clipped
