"""What every network returns, and what an encoder is."""

# TorchScript cannot read the fields of a named tuple whose annotations are text: no import from __future__ here.
from typing import NamedTuple

from torch import Tensor, nn

__all__ = ["Encoder", "Output"]


class Output(NamedTuple):
    """What every network of the zoo returns for a batch of volumes of shape (B, C, D, H, W).

    Attributes
    ----------
    logits : tensor of shape (B, labels), float32
        One per label, in the order of the model's labels; ``torch.sigmoid`` makes them probabilities.
    segmentation : tensor of shape (B, 1, D, H, W), float32 in [0, 1], or None
        Probability that a voxel belongs to the lesion; None for the single task.
    features : tensor of shape (B, F), float32
        What the last layer sees: the pooled feature map.
    """

    logits: Tensor
    segmentation: Tensor | None
    features: Tensor


class Encoder(nn.Module):
    """Base of the encoders: from (B, C, D, H, W) to feature maps, the finest first.

    Attributes
    ----------
    channels : tuple of int
        Channels of each feature map.
    reductions : tuple of int
        How many voxels of the input one voxel of each feature map stands for along an axis; rising.
    """

    def __init__(self, channels: tuple[int, ...], reductions: tuple[int, ...]) -> None:
        super().__init__()
        self.channels = channels
        self.reductions = reductions

    def forward(self, volume: Tensor) -> list[Tensor]:
        """Return the feature maps of a batch, the finest first."""
        raise NotImplementedError
