"""Smooth random fields on a grid: the irregularity of living things, at a scale in millimetres."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

__all__ = ["smooth_field", "smooth_surface"]

Triple = tuple[float, float, float]


def smooth_field(
    shape: tuple[int, int, int], spacing: Triple, scale: float | Triple, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Return a Gaussian random field with mean 0 and variance 1 at every point.

    A cubic B-spline with independent normal coefficients at knots ``scale`` mm apart (along D, H and W), divided by its
    standard deviation.

    Parameters
    ----------
    shape : (D, H, W)
    spacing : (dz, dy, dx) in mm
    scale : float or (along D, H, W), mm
    rng : numpy.random.Generator
    """
    scales = (scale,) * 3 if isinstance(scale, (int, float)) else scale
    bases = [_basis(n, step / knot) for n, step, knot in zip(shape, spacing, scales, strict=True)]
    knots = rng.standard_normal([basis.shape[1] for basis in bases], dtype=np.float32)
    d, h, w = bases
    # From the small side to the large: only the last product is as long as the grid.
    field = np.matmul(h, knots @ w.T)
    return np.asarray(d @ field.reshape(len(knots), -1), dtype=np.float32).reshape(shape)


def smooth_surface(
    shape: tuple[int, int], spacing: tuple[float, float], scale: float, rng: np.random.Generator
) -> NDArray[np.float32]:
    """Return a smooth random field on the coronal plane (D, W), mean 0 and variance 1."""
    d, w = (_basis(n, step / scale) for n, step in zip(shape, spacing, strict=True))
    knots = rng.standard_normal((d.shape[1], w.shape[1]), dtype=np.float32)
    return np.asarray(d @ knots @ w.T, dtype=np.float32)


def _basis(n: int, step: float) -> NDArray[np.float32]:
    """Return cubic B-splines at n points ``step`` knots apart, rows scaled to unit sum of squares."""
    at = (np.arange(n) + 0.5) * step
    knots = int(np.ceil(at[-1])) + 4
    distance = np.abs(at[:, None] - (np.arange(knots) - 1)[None, :])
    near = 2 / 3 - distance**2 + distance**3 / 2
    far = np.maximum(2 - distance, 0) ** 3 / 6
    basis = np.where(distance < 1, near, far)
    scaled: NDArray[np.float32] = (basis / np.sqrt((basis**2).sum(axis=1, keepdims=True))).astype(np.float32)
    return scaled
