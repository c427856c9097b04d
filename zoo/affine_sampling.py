"""Trilinear sampling of stored volumes under an affine map, in one pass from the stored bytes to the result.

`torch.nn.functional.grid_sample` wants the batch gathered, as floating point, beside a grid of three coordinates per
voxel: at 128 cubed that moves sixteen times as many bytes as the volumes have. Written out as below, a compiler makes
one kernel of it that reads each stored voxel and writes each result once. Without a compiler it is slower than
`grid_sample`, which is its oracle.
"""

from __future__ import annotations

import torch
from torch import Tensor

__all__ = ["sample_affine"]


def sample_affine(volumes: Tensor, rows: Tensor, theta: Tensor) -> Tensor:
    """Return volumes at the given rows, each under its affine map; outside is 0.

    Parameters
    ----------
    volumes : tensor of shape (n, 1, D, H, W), uint8 or floating point
    rows : tensor of shape (B,), int64
    theta : tensor of shape (B, 3, 4), float32
        From the normalised coordinates (x, y, z, 1) of a voxel of the result to those of its source: -1 and 1 are the
        outer faces (``align_corners=False`` in `torch.nn.functional.affine_grid`).

    Returns
    -------
    tensor of shape (B, 1, D, H, W), float32, in the units of ``volumes``
    """
    depth, height, width = volumes.shape[2:]
    z = _normalised(depth, volumes.device)[:, None, None]
    y = _normalised(height, volumes.device)[None, :, None]
    x = _normalised(width, volumes.device)[None, None, :]
    t = theta[:, :, :, None, None, None]

    def source(axis: int, n: int) -> tuple[Tensor, Tensor]:
        """Return the index below and the share of the one above, in voxels."""
        at = t[:, axis, 0] * x + t[:, axis, 1] * y + t[:, axis, 2] * z + t[:, axis, 3]
        at = ((at + 1) * n - 1) / 2
        below = torch.floor(at)
        # Far outside, an index would overflow; two voxels outside is as good.
        return below.clamp(-2, n + 1).to(torch.int64), at - below

    (i, fx), (j, fy), (k, fz) = source(0, width), source(1, height), source(2, depth)
    stored = volumes.reshape(-1)
    first = rows[:, None, None, None] * (depth * height * width)
    total = torch.zeros_like(fx)
    for dk in (0, 1):
        for dj in (0, 1):
            for di in (0, 1):
                kk, jj, ii = k + dk, j + dj, i + di
                inside = (kk >= 0) & (kk < depth) & (jj >= 0) & (jj < height) & (ii >= 0) & (ii < width)
                at = first + (kk.clamp(0, depth - 1) * height + jj.clamp(0, height - 1)) * width
                value = stored[at + ii.clamp(0, width - 1)].float()
                weight = (fz if dk else 1 - fz) * (fy if dj else 1 - fy) * (fx if di else 1 - fx)
                total = total + torch.where(inside, weight * value, 0.0)
    return total[:, None]


def _normalised(n: int, device: torch.device) -> Tensor:
    return (2 * torch.arange(n, device=device, dtype=torch.float32) + 1) / n - 1
