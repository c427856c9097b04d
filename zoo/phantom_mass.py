"""A simulated mass: shape, spicules, echo, calcifications, retraction and shadow, as its latent traits ask."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage, special

from .latent_traits import TRAITS
from .random_field import smooth_field

__all__ = ["Mass", "MassLook", "place_mass"]

FloatVolume = NDArray[np.float32]
Triple = tuple[float, float, float]
Slices = tuple[slice, slice, slice]
Offsets = tuple[FloatVolume, FloatVolume, FloatVolume]


@dataclass(frozen=True, slots=True)
class MassLook:
    """What the traits of a mass mean in an image; each is a monotone function of one trait alone.

    Attributes
    ----------
    diameter_mm : float
        Of the body without spicules, 6.5 to 21.
    shadow_db : float
        Loss behind the whole mass; negative is enhancement. -7 to 27.
    echo_db : float
        Mean echo relative to fat, -15 to -2.
    spicules : int
        0 to 26.
    irregularity : float
        Of the body's surface, as a share of the radius, 0.08 to 0.25.
    retraction : float
        0 to 1: how far tissue around is drawn in, and how bright the lines that radiate from the mass are.
    calcifications : int
        Bright specks, 0 to 30.
    """

    diameter_mm: float
    shadow_db: float
    echo_db: float
    spicules: int
    irregularity: float
    retraction: float
    calcifications: int

    @classmethod
    def from_traits(cls, traits: Sequence[float]) -> MassLook:
        """Return the look for traits in the order of `TRAITS`."""
        z = dict(zip(TRAITS, (float(value) for value in traits), strict=True))
        share = {name: float(special.ndtr(value)) for name, value in z.items()}
        return cls(
            diameter_mm=float(np.clip(11.5 * np.exp(0.28 * z["size"]), 6.5, 21.0)),
            shadow_db=-7.0 + 34.0 * share["shadow"],
            echo_db=-15.0 + 13.0 * share["echo"],
            spicules=round(26 * share["spiculation"] ** 1.3),
            irregularity=0.08 + 0.17 * share["spiculation"],
            retraction=share["retraction"],
            calcifications=round(30 * share["calcification"] ** 1.5),
        )


@dataclass(frozen=True, slots=True, eq=False)
class Mass:
    """A mass, and what it does to the tissue around; arrays of the part of the grid that it touches.

    Attributes
    ----------
    body : tuple of three slices
        Where body and spicules lie on the grid; the arrays down to ``points`` have this shape.
    mask : array, bool
        Body and spicules, one connected part.
    blend : array, 0 to 1
        How much of each voxel is mass; the margin is not sharp.
    echo_db : array
        Echo of the mass, relative to fat.
    rim_db : array
        What the bright rim adds to the tissue just outside.
    points : array
        Calcifications, as amplitude.
    loss_db_per_mm : array
    around : tuple of three slices
        What tissue is drawn in; the two arrays below have this shape.
    lines_db : array
        Bright lines of retraction.
    draw_in : array of shape (2, ...)
        How far the tissue seen at a voxel was drawn in, along D and W, in voxels.
    """

    body: Slices
    mask: NDArray[np.bool_]
    blend: FloatVolume
    echo_db: FloatVolume
    rim_db: FloatVolume
    points: FloatVolume
    loss_db_per_mm: FloatVolume
    around: Slices
    lines_db: FloatVolume
    draw_in: FloatVolume


def place_mass(
    look: MassLook, shape: tuple[int, int, int], spacing: Triple, centre: Triple, rng: np.random.Generator
) -> Mass:
    """Return a mass centred at ``centre`` (mm along D, H, W).

    Notes
    -----
    The body is an ellipsoid, somewhat wider than tall, whose radius varies with a smooth random field; spicules are
    tapering cones from its surface, most of them near the coronal plane. The shadow is spread over the height of the
    mass, so that its depth behind it does not depend on the size.
    """
    radius = look.diameter_mm / 2
    axes = np.array([rng.uniform(0.85, 1.15), rng.uniform(0.68, 0.9), 1.0])
    axes *= radius / np.cbrt(axes.prod())
    reach = 2.05 * radius + 1.5
    body = _slices(shape, spacing, centre, (reach, reach, reach))
    at = _offsets(body, spacing, centre)
    far = _elliptic(at, axes)
    lumps = smooth_field(far.shape, spacing, max(0.55 * radius, 1.2), rng)
    grain = smooth_field(far.shape, spacing, max(0.22 * radius, 0.8), rng)
    level = far - 1 - np.float32(look.irregularity) * (lumps + 0.45 * grain)
    inside = level * np.float32(radius)  # about the distance from the surface, in mm
    inside = np.minimum(inside, _spicules(look, at, radius, rng))
    mask = _one_part(inside < 0)
    # Outside the main part nothing of the mass is left.
    inside = np.where(mask, inside, np.maximum(inside, np.float32(0.01)))
    softness = np.float32(rng.uniform(0.15, 0.35))
    near = ndimage.binary_dilation(mask, iterations=2)
    blend = special.expit(-inside / softness).astype(np.float32) * near
    echo = np.float32(look.echo_db) + 1.5 * smooth_field(far.shape, spacing, 1.8, rng)
    rim = np.exp(-(((inside - 0.8) / 0.7) ** 2), dtype=np.float32) * ~mask
    height = max(2 * float(axes[1]), 3.0)
    around = _slices(shape, spacing, centre, (2.9 * radius, 2.3 * radius, 2.9 * radius))
    lines, draw_in = _retraction(look, _offsets(around, spacing, centre), axes, radius, spacing, rng)
    return Mass(
        body,
        mask,
        blend,
        echo,
        np.float32(20.0 * look.irregularity) * rim,
        _specks(look, mask, rng),
        blend * np.float32(look.shadow_db / height),
        around,
        lines,
        draw_in,
    )


def _slices(shape: tuple[int, int, int], spacing: Triple, centre: Triple, reach: Triple) -> Slices:
    d, h, w = (
        slice(max(0, int((c - r) / step)), min(n, int((c + r) / step) + 1))
        for n, step, c, r in zip(shape, spacing, centre, reach, strict=True)
    )
    return d, h, w


def _offsets(part: Slices, spacing: Triple, centre: Triple) -> Offsets:
    """Return the distances from the centre in mm along D, H and W, ready to be broadcast."""
    offset = [
        (np.arange(side.start, side.stop, dtype=np.float32) + 0.5) * np.float32(step) - np.float32(c)
        for side, step, c in zip(part, spacing, centre, strict=True)
    ]
    z, y, x = np.meshgrid(*offset, indexing="ij", sparse=True)
    return z, y, x


def _elliptic(at: Offsets, axes: NDArray[np.float64]) -> FloatVolume:
    """Return the distance from the centre in units of the ellipsoid's radius."""
    z, y, x = (offset / np.float32(axis) for offset, axis in zip(at, axes, strict=True))
    return np.asarray(np.sqrt(z * z + y * y + x * x), dtype=np.float32)


def _spicules(look: MassLook, at: Offsets, radius: float, rng: np.random.Generator) -> FloatVolume:
    """Return about the distance in mm from the surface of the spicules, negative within."""
    z, y, x = at
    squared = z * z + y * y + x * x
    distance = np.full(squared.shape, np.float32(1e3))
    for _ in range(look.spicules):
        way = rng.standard_normal(3) * (1.0, 0.45, 1.0)
        way /= np.linalg.norm(way)
        length = np.float32(radius * rng.uniform(1.35, 1.95))
        width = np.float32(rng.uniform(0.45, 0.8) * max(radius / 6, 0.7))
        along = z * np.float32(way[0]) + y * np.float32(way[1]) + x * np.float32(way[2])
        off = np.sqrt(np.maximum(squared - along * along, 0))
        taper = width * (1 - along / length)
        np.minimum(distance, np.where((along > 0) & (along < length), off - taper, 1e3), out=distance)
    return distance


def _retraction(
    look: MassLook,
    at: Offsets,
    axes: NDArray[np.float64],
    radius: float,
    spacing: Triple,
    rng: np.random.Generator,
) -> tuple[FloatVolume, FloatVolume]:
    """Return the bright lines of retraction (dB), and how far the tissue is drawn in along D and W (voxels)."""
    z, _, x = at
    far = _elliptic(at, axes)
    angle = np.arctan2(x, z)
    spokes = np.zeros(angle.shape, dtype=np.float32)
    for count in rng.integers(5, 13, size=3).tolist():
        spokes += np.cos(count * angle + np.float32(rng.uniform(0, 2 * np.pi)), dtype=np.float32)
    outside = np.maximum(far - 1, 0)
    reach = np.exp(-((outside / np.float32(0.9)) ** 2), dtype=np.float32) * (far > 1)
    strength = np.float32(look.retraction)
    lines = reach * strength * (11 * np.clip(spokes - 0.4, 0, 1.6) - 4)
    from_axis = np.sqrt(z * z + x * x) + np.float32(1e-3)
    pull = (
        np.float32(0.45 * radius) * strength * np.exp(-((outside / np.float32(0.8)) ** 2), dtype=np.float32)
    )
    draw_in = np.stack([pull * (z / from_axis / spacing[0]), pull * (x / from_axis / spacing[2])])
    return lines.astype(np.float32), draw_in.astype(np.float32)


def _specks(look: MassLook, mask: NDArray[np.bool_], rng: np.random.Generator) -> FloatVolume:
    points = np.zeros(mask.shape, dtype=np.float32)
    within = np.flatnonzero(mask)
    if look.calcifications and within.size:
        chosen = rng.choice(within, size=min(look.calcifications, within.size), replace=False)
        points.ravel()[chosen] = 10 ** (rng.uniform(-4, 4, size=chosen.size) / 20)
    return points


def _one_part(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Return the largest part, its holes filled."""
    parts, count = ndimage.label(mask)
    if count > 1:
        mask = parts == 1 + int(np.argmax(np.bincount(parts.ravel())[1:]))
    filled: NDArray[np.bool_] = ndimage.binary_fill_holes(mask)
    return filled
