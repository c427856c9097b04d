"""The layers of a simulated breast, from skin to ribs: how bright each is and how much sound it takes."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .random_field import smooth_field, smooth_surface

__all__ = ["BreastTissue", "breast_tissue", "depths_mm"]

FloatVolume = NDArray[np.float32]
Triple = tuple[float, float, float]

# Mean echo in dB relative to a full-scale reflector; only differences are seen.
_FAT, _GLAND, _MUSCLE, _SKIN, _LUNG = -35.0, -22.5, -36.0, -22.0, -44.0
# Loss of echo per mm of path, there and back, beyond what the gain over time makes up for.
_GLAND_LOSS, _FAT_LOSS, _MUSCLE_LOSS, _BONE_LOSS, _AIR_LOSS = 0.12, -0.08, 0.1, 14.0, 1.2


@dataclass(frozen=True, slots=True, eq=False)
class BreastTissue:
    """A breast without a mass.

    Attributes
    ----------
    echo_db : array of shape (D, H, W)
        Mean echo of the tissue in dB.
    loss_db_per_mm : array of shape (D, H, W)
        Loss per mm of depth, there and back, beyond what the scanner's gain makes up for.
    gland_top, gland_bottom : arrays of shape (D, W)
        Depths in mm between which the gland lies.
    """

    echo_db: FloatVolume
    loss_db_per_mm: FloatVolume
    gland_top: FloatVolume
    gland_bottom: FloatVolume


def depths_mm(shape: tuple[int, int, int], spacing: Triple) -> FloatVolume:
    """Return the depth of the voxel centres under the probe, shape (1, H, 1)."""
    return ((np.arange(shape[1], dtype=np.float32) + 0.5) * np.float32(spacing[1]))[None, :, None]


def breast_tissue(shape: tuple[int, int, int], spacing: Triple, rng: np.random.Generator) -> BreastTissue:
    """Return the tissue under a probe: skin, subcutaneous fat with ligaments, gland, deep fat, muscle, ribs, lung.

    Parameters
    ----------
    shape : (D, H, W)
        Slices, depth, lateral.
    spacing : (dz, dy, dx) in mm
    rng : numpy.random.Generator

    Notes
    -----
    Layers end at smooth random surfaces. Fat is crossed by thin bright sheets (Cooper's ligaments), where a smooth
    random field passes through zero; gland holds lobules of fat and dark ducts; muscle is striped along its fibres;
    a rib has a bright front and lets nothing through. Depths and thicknesses are drawn within what adults have, for
    a breast under a reclining patient: 36 mm reach from skin to rib.
    """
    depth = depths_mm(shape, spacing)
    plane = (shape[0], shape[2])
    step = (spacing[0], spacing[2])

    def surface(level: float, amplitude: float, scale: float) -> FloatVolume:
        return np.float32(level) + np.float32(amplitude) * smooth_surface(plane, step, scale, rng)

    skin = surface(rng.uniform(1.3, 2.2), 0.08, 15)
    top = skin + np.maximum(surface(rng.uniform(3.0, 6.0), 1.0, 9) + surface(0, 0.5, 4), 1.0)
    bottom = np.maximum(surface(rng.uniform(20.5, 23.0), 0.9, 14), top + 8)
    fascia = bottom + np.maximum(surface(rng.uniform(1.2, 2.2), 0.4, 10), 0.6)
    chest = fascia + np.maximum(surface(rng.uniform(4.5, 6.0), 0.3, 16), 3.0)

    sheet = _ridge(smooth_field(shape, spacing, (6.0, 4.5, 6.0), rng), 0.10)
    sheet += _ridge(smooth_field(shape, spacing, (9.0, 5.0, 9.0), rng), 0.07)
    sheet *= np.clip(0.6 + 0.7 * smooth_field(shape, spacing, 7.0, rng), 0, 1.2)
    fat = _FAT + 1.2 * smooth_field(shape, spacing, 2.5, rng) + 13 * sheet
    lobules = smooth_field(shape, spacing, (5.0, 3.0, 5.0), rng)
    density = np.float32(rng.uniform(-0.1, 0.9))
    glandular = _smooth_step((lobules + density) / 0.45)
    ducts = _ridge(smooth_field(shape, spacing, (4.0, 2.2, 4.0), rng), 0.16)
    texture = 1.5 * smooth_field(shape, spacing, 1.6, rng)
    gland = fat + glandular * (_GLAND - fat + texture - 5.5 * ducts)
    fibres = smooth_field(shape, spacing, (9.0, 0.7, 14.0), rng)
    muscle = _MUSCLE + 9 * _smooth_step(fibres - 0.6)

    echo = np.where(depth < top[:, None, :], fat, gland)
    echo = np.where(depth < bottom[:, None, :], echo, fat + 2)
    echo = np.where(depth < fascia[:, None, :], echo, muscle)
    echo = np.where(depth < chest[:, None, :], echo, _LUNG).astype(np.float32)
    echo = np.where(depth < skin[:, None, :], _SKIN + texture, echo)
    echo += 16 * _line(depth, 0.25, 0.22) + 7 * _line(depth, skin[:, None, :], 0.2)
    echo += 10 * _line(depth, fascia[:, None, :], 0.3) * np.clip(0.8 + 0.5 * sheet, 0, 1.4)
    echo += 4 * _line(depth, top[:, None, :], 0.35)

    loss = np.where(depth < top[:, None, :], _FAT_LOSS, _GLAND_LOSS * glandular)
    loss = np.where(depth < fascia[:, None, :], loss, _MUSCLE_LOSS).astype(np.float32)
    _add_chest_wall(echo, loss, depth, chest, spacing, rng)
    return BreastTissue(echo.astype(np.float32), loss, top, bottom)


def _add_chest_wall(
    echo: FloatVolume,
    loss: FloatVolume,
    depth: FloatVolume,
    chest: FloatVolume,
    spacing: Triple,
    rng: np.random.Generator,
) -> None:
    """Lay ribs into the chest wall, and the bright pleura with lung between them."""
    d, _, w = echo.shape
    z = (np.arange(d, dtype=np.float32)[:, None] - d / 2) * np.float32(spacing[0])
    x = (np.arange(w, dtype=np.float32)[None, :] - w / 2) * np.float32(spacing[2])
    heading = rng.uniform(-0.5, 0.5)
    across = z * np.cos(heading) + x * np.sin(heading) + np.float32(rng.uniform(0, 24.0))
    apart = np.float32(rng.uniform(21.0, 26.0))
    # Distance from the axis of the nearest rib, whose half-width is 5 to 6 mm.
    from_axis = np.abs(np.mod(across, apart) - apart / 2) / np.float32(rng.uniform(5.0, 6.0))
    front = chest + np.where(from_axis < 1, 3.0 * (1 - np.sqrt(np.maximum(1 - from_axis**2, 0))), np.inf)
    rib = depth >= front[:, None, :]
    pleura = chest + 3.5
    lung = ~rib & (depth >= pleura[:, None, :])
    muscle = ~rib & ~lung & (depth >= chest[:, None, :])
    echo[muscle] = _MUSCLE + 2
    echo[rib] = _FAT - 8
    loss[rib] = _BONE_LOSS
    loss[lung] = _AIR_LOSS
    finite = np.where(np.isfinite(front), front, -100.0).astype(np.float32)
    echo += 24 * _line(depth, finite[:, None, :], 0.35)
    for order, level in enumerate((14, 8, 5)):
        reverberation = pleura + order * 2.2
        echo += level * _line(depth, reverberation[:, None, :], 0.35) * ~rib


def _ridge(field: FloatVolume, width: float) -> FloatVolume:
    """Return 1 where a field passes through zero, falling off over ``width``: thin curved sheets."""
    return np.asarray(np.exp(-((field / np.float32(width)) ** 2)), dtype=np.float32)


def _line(depth: FloatVolume, at: FloatVolume | float, width: float) -> FloatVolume:
    return np.asarray(np.exp(-(((depth - at) / np.float32(width)) ** 2)), dtype=np.float32)


def _smooth_step(value: FloatVolume) -> FloatVolume:
    clipped = np.clip((value + 1) / 2, 0, 1)
    return np.asarray(clipped * clipped * (3 - 2 * clipped), dtype=np.float32)
