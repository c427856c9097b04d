"""Ultrasound speckle: scatterers seen through a point-spread function that widens away from the focus."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import fft, ndimage

from ..errors import BiomarkError

__all__ = ["RAYLEIGH_SNR", "PointSpread", "log_compressed", "speckle_envelope"]

RAYLEIGH_SNR = float(np.sqrt(np.pi / (4 - np.pi)))
"""Mean over standard deviation of the envelope of fully developed speckle, 1.913."""

Triple = tuple[float, float, float]
FloatVolume = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class PointSpread:
    """A Gaussian point-spread function, its widths given as standard deviations of the amplitude in mm.

    Attributes
    ----------
    axial : float
        Along the depth H, of the pulse; the same at every depth.
    lateral, elevation : float
        Along W and D at the focus.
    focus : float
        Depth of the focus in mm.
    lateral_range, elevation_range : float
        Distance from the focus in mm at which the width has grown by the square root of two, as that of a Gaussian
        beam does: w(z) = w sqrt(1 + ((z - focus) / range)^2).
    """

    axial: float = 0.13
    lateral: float = 0.28
    elevation: float = 0.5
    focus: float = 16.0
    lateral_range: float = 16.0
    elevation_range: float = 22.0

    def widths(self, depth: ArrayLike) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return the elevation and lateral widths at depths in mm."""
        z = np.asarray(depth, dtype=np.float64) - self.focus
        return (
            self.elevation * np.sqrt(1 + (z / self.elevation_range) ** 2),
            self.lateral * np.sqrt(1 + (z / self.lateral_range) ** 2),
        )


def speckle_envelope(
    amplitude: FloatVolume,
    spacing: Triple,
    rng: np.random.Generator,
    *,
    psf: PointSpread | None = None,
    points: FloatVolume | None = None,
) -> FloatVolume:
    """Return the envelope of the echo of random scatterers.

    |h * (a (n1 + i n2) / sqrt(2) + p)|, with independent standard normal n1, n2 in every voxel, and h scaled at each
    depth so that the mean intensity (the square of the envelope) of a medium of amplitude a is a^2.

    Parameters
    ----------
    amplitude : array of shape (D, H, W), 0 or more
        Root mean square strength of the scatterers.
    spacing : (dz, dy, dx) in mm
    rng : numpy.random.Generator
    psf : PointSpread, optional
    points : array of shape (D, H, W), optional
        Amplitudes of single strong reflectors (calcifications), which are not random.

    Returns
    -------
    array of shape (D, H, W), float32

    Notes
    -----
    Many scatterers fall within one resolution cell, so in a homogeneous medium the envelope has a Rayleigh
    distribution: its mean is `RAYLEIGH_SNR` times its standard deviation. The medium is mirrored beyond its borders.

    References
    ----------
    Burckhardt 1978, Speckle in ultrasound B-mode scans. Wagner, Smith, Sandrik and Lopez 1983, Statistics of speckle in
    ultrasound B-scans, eq. 5 to 7.
    """
    if amplitude.ndim != 3:
        raise BiomarkError(f"amplitude must have three dimensions, found shape {amplitude.shape}")
    psf = PointSpread() if psf is None else psf
    dz, dy, dx = spacing
    depth = (np.arange(amplitude.shape[1]) + 0.5) * dy
    elevation, lateral = psf.widths(depth)
    # What the transform wraps around the ends must be out of reach.
    pads = [min(n - 1, int(np.ceil(3 * width / step))) for n, width, step in zip(
        amplitude.shape, (float(elevation.max()), 0.0, float(lateral.max())), spacing, strict=True
    )]  # fmt: skip
    padded = np.pad(amplitude, [(pad, pad) for pad in pads], mode="reflect")
    echo = np.empty(padded.shape, dtype=np.complex64)
    echo.real = rng.standard_normal(padded.shape, dtype=np.float32)
    echo.imag = rng.standard_normal(padded.shape, dtype=np.float32)
    echo *= padded * np.float32(np.sqrt(0.5))
    if points is not None:
        echo += np.pad(points, [(pad, pad) for pad in pads])
    echo = _along_depth(echo, psf.axial / dy)
    spectrum = fft.fft2(echo, axes=(0, 2), overwrite_x=True)
    across_d = _transfer(padded.shape[0], elevation / dz)[:, :, None]
    across_w = _transfer(padded.shape[2], lateral / dx).T[None, :, :]
    spectrum *= across_d
    spectrum *= across_w
    echo = fft.ifft2(spectrum, axes=(0, 2), overwrite_x=True)
    d, _, w = (slice(pad, pad + n) for pad, n in zip(pads, amplitude.shape, strict=True))
    return np.ascontiguousarray(np.abs(echo[d, :, w]), dtype=np.float32)


def log_compressed(
    envelope: FloatVolume, *, dynamic_range_db: float = 60.0, gain_db: float = 0.0
) -> NDArray[np.uint8]:
    """Return the picture that a scanner shows: 255 at amplitude 1 (less the gain), 0 at the dynamic range below it.

    255 (20 log10(envelope) + gain + range) / range, rounded and clipped.
    """
    level = 20 * np.log10(np.maximum(envelope, np.float32(1e-12))) + np.float32(gain_db)
    grey = np.rint(255 * (level + dynamic_range_db) / dynamic_range_db)
    picture: NDArray[np.uint8] = np.clip(grey, 0, 255).astype(np.uint8)
    return picture


def _along_depth(echo: NDArray[np.complex64], width: float) -> NDArray[np.complex64]:
    """Filter along H with a Gaussian of unit energy."""
    impulse = np.zeros(2 * int(np.ceil(6 * width)) + 3)
    impulse[impulse.size // 2] = 1.0
    energy = float((ndimage.gaussian_filter1d(impulse, width) ** 2).sum())
    scale = np.float32(1 / np.sqrt(energy))
    out = np.empty_like(echo)
    out.real = ndimage.gaussian_filter1d(echo.real, width, axis=1, mode="mirror") * scale
    out.imag = ndimage.gaussian_filter1d(echo.imag, width, axis=1, mode="mirror") * scale
    return out


def _transfer(n: int, widths: NDArray[np.float64]) -> NDArray[np.float32]:
    """Return the Fourier transforms of Gaussians of unit energy, shape (n, depths); widths in voxels."""
    frequency = np.fft.fftfreq(n)[:, None]
    gain = np.exp(-2 * (np.pi * frequency * widths[None, :]) ** 2)
    transfer: NDArray[np.float32] = (gain / np.sqrt((gain**2).mean(axis=0))).astype(np.float32)
    return transfer
