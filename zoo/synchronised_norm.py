"""Batch norm over the volumes of all processes: each sees a part of the batch, and all norm by the whole of it.

mean = sum x / N and variance = sum (x - mean)^2 / N, both sums over all processes, gradients included. Torch's own
SyncBatchNorm computes the same, but on CUDA alone.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

__all__ = ["SynchronisedBatchNorm3d", "synchronise_batch_norm"]


class _SumOfAll(torch.autograd.Function):
    """The sum of a tensor over the processes; its gradient is summed in the same way."""

    @staticmethod
    def forward(ctx: Any, tensor: Tensor) -> Tensor:
        total = tensor.clone()
        dist.all_reduce(total)
        return total

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> Tensor:
        total = gradients[0].contiguous().clone()
        dist.all_reduce(total)
        return total


class SynchronisedBatchNorm3d(nn.BatchNorm3d):
    """`torch.nn.BatchNorm3d` whose training statistics are those of all processes' volumes."""

    def forward(self, input: Tensor) -> Tensor:
        """Norm a tensor of shape (B, C, D, H, W)."""
        if not self.training or not dist.is_initialized():
            return super().forward(input)
        x = input.float()
        axes = (0, 2, 3, 4)
        count = x.new_full((1,), x.numel() / x.shape[1])
        total = _sum_of_all(torch.cat([x.sum(axes), count]))
        n, mean = total[-1].detach(), total[:-1] / total[-1].detach()
        centred = x - mean[:, None, None, None]
        variance = _sum_of_all(centred.square().sum(axes)) / n
        with torch.no_grad():
            self._follow(mean, variance * n / (n - 1).clamp(min=1))
        normed = centred * torch.rsqrt(variance + self.eps)[:, None, None, None]
        if self.affine:
            normed = normed * self.weight[:, None, None, None] + self.bias[:, None, None, None]
        return normed.to(input.dtype)

    def _follow(self, mean: Tensor, variance: Tensor) -> None:
        if self.running_mean is None or self.running_var is None or self.num_batches_tracked is None:
            return
        self.num_batches_tracked.add_(1)
        momentum = 1.0 / float(self.num_batches_tracked) if self.momentum is None else self.momentum
        self.running_mean.lerp_(mean.to(self.running_mean.dtype), momentum)
        self.running_var.lerp_(variance.to(self.running_var.dtype), momentum)


def synchronise_batch_norm(model: nn.Module) -> nn.Module:
    """Put `SynchronisedBatchNorm3d` in the place of every `BatchNorm3d`, with its parameters and their names."""
    for name, part in model.named_children():
        if isinstance(part, nn.BatchNorm3d) and not isinstance(part, SynchronisedBatchNorm3d):
            made = SynchronisedBatchNorm3d(
                part.num_features, part.eps, part.momentum, part.affine, part.track_running_stats
            )
            made.__dict__.update(part.__dict__)
            setattr(model, name, made)
        else:
            synchronise_batch_norm(part)
    return model


def _sum_of_all(tensor: Tensor) -> Tensor:
    total: Tensor = _SumOfAll.apply(tensor)
    return total
