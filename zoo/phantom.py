"""One simulated 3D breast ultrasound: tissue, a mass, attenuation and shadow, speckle, and the scanner's picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import ndimage

from ..errors import BiomarkError
from .breast_anatomy import breast_tissue, depths_mm
from .phantom_mass import MassLook, place_mass
from .speckle import PointSpread, log_compressed, speckle_envelope
from .volume import Volume

__all__ = ["DEVICES", "SCANNER_SPACING", "Device", "Phantom", "PhantomGrid", "simulate_phantom"]

SCANNER_SPACING = (0.48, 0.073, 0.20)
"""Voxel of a whole-breast scanner in mm: between slices, along the depth, lateral."""

Triple = tuple[float, float, float]
# The mean echo of fat is -35 dB; what a mass is darker by counts from there.
_FAT_DB = -35.0


@dataclass(frozen=True, slots=True)
class PhantomGrid:
    """How large a phantom is and how finely it is sampled.

    Attributes
    ----------
    extent_mm : (D, H, W)
        Length of the slices' stack, depth, and width. The layers need 30 mm of depth to reach the chest wall.
    spacing : (dz, dy, dx) in mm
    """

    extent_mm: Triple = (38.4, 36.0, 38.4)
    spacing: Triple = (0.6, 0.2, 0.4)

    def __post_init__(self) -> None:
        if not all(np.isfinite(step) and step > 0 for step in self.spacing):
            raise BiomarkError(f"spacing must be positive, found {self.spacing!r}")
        d, h, w = self.extent_mm
        if not (d >= 24 and h >= 24 and w >= 24):
            raise BiomarkError(f"extent_mm must be at least 24 along each axis, found {self.extent_mm!r}")

    @classmethod
    def scanner(cls, extent_mm: Triple = (38.4, 36.0, 38.4)) -> PhantomGrid:
        """Return a grid with the voxel of a scanner, 0.48 x 0.073 x 0.20 mm."""
        return cls(extent_mm, SCANNER_SPACING)

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels along D, H and W."""
        d, h, w = (max(8, round(e / s)) for e, s in zip(self.extent_mm, self.spacing, strict=True))
        return d, h, w


@dataclass(frozen=True, slots=True)
class Device:
    """What differs from scanner to scanner.

    Attributes
    ----------
    name : str
    gain_db : float
    dynamic_range_db : float
    noise_db : float
        Noise at the skin; the gain over time lifts it with depth by 0.55 dB per mm.
    psf : PointSpread
    """

    name: str
    gain_db: float
    dynamic_range_db: float
    noise_db: float
    psf: PointSpread


DEVICES = (
    Device("A", 2.0, 58.0, -84.0, PointSpread()),
    Device("B", 5.0, 64.0, -82.0, PointSpread(axial=0.16, lateral=0.34, elevation=0.6, focus=18.0)),
    Device("C", -1.0, 55.0, -86.0, PointSpread(axial=0.12, lateral=0.26, elevation=0.45, focus=14.0)),
)


@dataclass(frozen=True, slots=True, eq=False)
class Phantom:
    """A simulated volume and what is known of it.

    Attributes
    ----------
    volume : Volume
        Grey values 0 to 255.
    mask : array of shape (D, H, W), bool
    look : MassLook
    """

    volume: Volume
    mask: NDArray[np.bool_]
    look: MassLook


def simulate_phantom(
    traits: Sequence[float],
    *,
    rng: np.random.Generator,
    grid: PhantomGrid | None = None,
    device: Device | None = None,
) -> Phantom:
    """Simulate one breast with one mass.

    Parameters
    ----------
    traits : sequence of six numbers
        Standard normal, in the order of `biomark.zoo.latent_traits.TRAITS`.
    rng : numpy.random.Generator
        For everything that the traits leave open: layers, place, shape, speckle, noise.
    grid : PhantomGrid, optional
    device : Device, optional

    Returns
    -------
    Phantom

    Notes
    -----
    Tissue and mass give each voxel a mean echo and a loss of sound. The loss summed from the skin down, blurred by the
    aperture that looks past small obstacles, is taken from the echo: that is the shadow. Scatterers of that strength
    are seen through the point-spread function (`biomark.zoo.speckle.speckle_envelope`), noise that grows with depth is
    added, and the logarithm of the envelope is shown.

    Not simulated: refraction, multiple scattering (but for the lung's reverberation), compounding, motion.
    """
    grid = PhantomGrid() if grid is None else grid
    device = DEVICES[0] if device is None else device
    shape, spacing = grid.shape, grid.spacing
    look = MassLook.from_traits(traits)
    tissue = breast_tissue(shape, spacing, rng)
    centre = _centre(tissue.gland_top, tissue.gland_bottom, look, grid, rng)
    mass = place_mass(look, shape, spacing, centre, rng)

    echo, loss = tissue.echo_db, tissue.loss_db_per_mm
    echo[mass.around] = _drawn_in(echo[mass.around], mass.draw_in) + mass.lines_db
    part = echo[mass.body] + mass.rim_db
    echo[mass.body] = part + mass.blend * (np.float32(_FAT_DB) + mass.echo_db - part)
    loss[mass.body] = loss[mass.body] * (1 - mass.blend) + mass.loss_db_per_mm
    mask = np.zeros(shape, dtype=bool)
    mask[mass.body] = mass.mask
    lost = np.cumsum(loss, axis=1, dtype=np.float32) * np.float32(spacing[1])
    lost = ndimage.gaussian_filter(lost, (0.7 / spacing[0], 0, 0.5 / spacing[2]), truncate=3)
    echo -= lost
    amplitude = np.power(np.float32(10), np.maximum(echo, -150) / np.float32(20))
    points = np.zeros(shape, dtype=np.float32)
    points[mass.body] = mass.points * _point_gain(spacing, device.psf)
    points *= 10 ** (-np.maximum(lost, 0) / np.float32(20))
    envelope = speckle_envelope(amplitude, spacing, rng, psf=device.psf, points=points)
    noise = 10 ** ((device.noise_db + 0.55 * depths_mm(shape, spacing)) / np.float32(20))
    envelope = np.hypot(
        envelope + noise * np.float32(np.sqrt(0.5)) * rng.standard_normal(shape, dtype=np.float32),
        noise * np.float32(np.sqrt(0.5)) * rng.standard_normal(shape, dtype=np.float32),
    )
    picture = log_compressed(envelope, dynamic_range_db=device.dynamic_range_db, gain_db=device.gain_db)
    return Phantom(Volume(picture.astype(np.float32), spacing, format="phantom"), mask, look)


def _centre(
    top: NDArray[np.float32],
    bottom: NDArray[np.float32],
    look: MassLook,
    grid: PhantomGrid,
    rng: np.random.Generator,
) -> Triple:
    d, _, w = grid.extent_mm
    z, x = d / 2 + rng.uniform(-3, 3), w / 2 + rng.uniform(-3, 3)
    i, j = int(z / grid.spacing[0]), int(x / grid.spacing[2])
    radius = 0.45 * look.diameter_mm
    low, high = float(top[i, j]) + 0.7 * radius, float(bottom[i, j]) - 0.7 * radius
    depth = rng.uniform(low, high) if low < high else (low + high) / 2
    return z, max(depth, radius + 3.0), x


def _drawn_in(field: NDArray[np.float32], draw_in: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the tissue where it lies after it was drawn towards the mass in the coronal plane."""
    d, h, w = (np.arange(n, dtype=np.float32) for n in field.shape)
    at = np.stack(
        [
            np.broadcast_to(d[:, None, None], field.shape) + draw_in[0],
            np.broadcast_to(h[None, :, None], field.shape),
            np.broadcast_to(w[None, None, :], field.shape) + draw_in[1],
        ]
    )
    return np.asarray(ndimage.map_coordinates(field, at, order=1, mode="nearest"), dtype=np.float32)


def _point_gain(spacing: Triple, psf: PointSpread) -> np.float32:
    """Return the amplitude of one voxel that shows a third of full scale at the focus.

    A Gaussian of unit energy and width s voxels has the peak (s sqrt(pi))^-1/2 along each axis.
    """
    widths = (psf.elevation, psf.axial, psf.lateral)
    cells = [max(np.sqrt(np.pi) * width / step, 1.0) for width, step in zip(widths, spacing, strict=True)]
    return np.float32(np.sqrt(np.prod(cells)) / 3)
