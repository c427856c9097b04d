"""Max pooling of 3 x 3 x 3 and stride 2, with kernels of its own where volumes lie channels last on a CUDA device.

torch's kernel keeps eight bytes per result to know where each maximum came from, and adds its gradient up atomically in
memory that was set to zero before. One byte is enough (27 places), and read backwards the gradient of each voxel is the
sum over the at most eight windows it lies in: written once, added up in a fixed order.
"""

# TorchScript reads annotations of functions that are not its own: no import from __future__ here.
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

__all__ = ["StemPooling"]


class StemPooling(nn.MaxPool3d):
    """Max pooling of 3 x 3 x 3, stride 2 and padding 1; as torch's, ties going to the first voxel."""

    def __init__(self) -> None:
        super().__init__(3, stride=2, padding=1)

    def forward(self, input: Tensor) -> Tensor:
        """Return a map of half the size, rounded up."""
        if not torch.jit.is_scripting() and _has_kernel(input):  # type: ignore[attr-defined]
            return _pooled(input)
        return functional.max_pool3d(input, self.kernel_size, self.stride, self.padding)


@torch.jit.unused
def _has_kernel(input: Tensor) -> bool:
    if not input.is_cuda or torch.compiler.is_compiling() or torch.onnx.is_in_onnx_export():
        return False
    if not input.is_contiguous(memory_format=torch.channels_last_3d):
        return False
    try:
        import triton  # noqa: F401
    except ImportError:
        return False
    return True


@torch.jit.unused
def _pooled(input: Tensor) -> Tensor:
    pooled: Tensor = _Pooling.apply(input)
    return pooled


class _Pooling(torch.autograd.Function):
    """The kernels, with their gradient."""

    @staticmethod
    def forward(ctx: Any, input: Tensor) -> Tensor:
        """Return the maxima."""
        from .stem_pooling_kernels import pool

        pooled, place = pool(input)
        ctx.save_for_backward(place)
        ctx.size = input.shape
        return pooled

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        """Return the gradient of the input."""
        from .stem_pooling_kernels import unpool

        (place,) = ctx.saved_tensors
        return unpool(gradients[0], place, ctx.size)
