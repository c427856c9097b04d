"""Trilinear up-sampling, with a gradient that is gathered where the size is doubled on a CUDA device.

torch adds the gradient up atomically, in an order that changes from run to run, and a compiler that takes its forward
apart scatters it. Doubling is a fixed stencil: along an axis y[2 j] = (x[j - 1] + 3 x[j]) / 4 and
y[2 j + 1] = (3 x[j] + x[j + 1]) / 4, the outermost voxels repeated. Its transpose is the like stencil on four
neighbours, (1, 3, 3, 1) / 4, so both directions are sums over neighbours, which a compiler makes one kernel each of.
"""

# TorchScript reads annotations of functions that are not its own: no import from __future__ here.
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

__all__ = ["Doubling", "upsampled"]


def upsampled(x: Tensor, size: list[int]) -> Tensor:
    """Return a map at another size, by trilinear interpolation.

    Parameters
    ----------
    x : tensor of shape (B, C, D, H, W)
    size : three whole numbers

    Notes
    -----
    ``align_corners=False``: the outer faces of both maps coincide.
    """
    if not torch.jit.is_scripting() and _is_doubled(x, size):  # type: ignore[attr-defined]
        return _doubled(x)
    return functional.interpolate(x, size=size, mode="trilinear", align_corners=False)


@torch.jit.unused
def _is_doubled(x: Tensor, size: list[int]) -> bool:
    return x.is_cuda and all(n == 2 * m for n, m in zip(size, x.shape[2:], strict=True))


@torch.jit.unused
def _doubled(x: Tensor) -> Tensor:
    y: Tensor = Doubling.apply(x)
    return y


class Doubling(torch.autograd.Function):
    """A map of twice the size along each axis."""

    @staticmethod
    def forward(ctx: Any, x: Tensor) -> Tensor:
        """Return the map of shape (B, C, 2 D, 2 H, 2 W)."""
        for axis in (2, 3, 4):
            n = x.shape[axis]
            at = torch.arange(2 * n, device=x.device)
            nearest = at // 2
            beside = (nearest + 2 * (at % 2) - 1).clamp(0, n - 1)
            x = 0.75 * x.index_select(axis, nearest) + 0.25 * x.index_select(axis, beside)
        return x

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        """Return the gradient of the map that was doubled."""
        (dy,) = gradients
        for axis in (4, 3, 2):
            n = dy.shape[axis]
            first = 2 * torch.arange(n // 2, device=dy.device)
            outer = dy.index_select(axis, (first - 1).clamp(min=0))
            outer = outer + dy.index_select(axis, (first + 2).clamp(max=n - 1))
            inner = dy.index_select(axis, first) + dy.index_select(axis, first + 1)
            dy = 0.75 * inner + 0.25 * outer
        return dy
