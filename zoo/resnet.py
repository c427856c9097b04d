"""The paper's 3D residual encoder: a stem, then four stages of one convolutional block and identity blocks.

The block with a bottleneck and the counts (3, 4, 6, 3) are those of He et al. 2016, table 1 (50 layers), which the
paper names; all kernels are cubes. What the paper leaves open:

- a convolutional block always projects its shortcut (1 x 1 x 1 convolution and batch norm), in the first stage too,
  because the paper gives every stage one such block; networks of basic blocks thereby have one projection more than
  usual;
- the stride lies in the 3 x 3 x 3 convolution, not in the 1 x 1 x 1 before it, which would leave seven of eight voxels
  unread;
- weights start as He et al. 2015 (normal, by fan-out); no batch norm starts at zero, so that every parameter learns
  from the first step.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from ..stats.inputs import whole_number
from .output import Encoder
from .registry import register
from .stem import Stem
from .stem_pooling import StemPooling
from .task_network import build_network

__all__ = ["BasicBlock", "BottleneckBlock", "ResNetEncoder"]


def _convolution(channels_in: int, channels_out: int, kernel: int, stride: int = 1) -> nn.Conv3d:
    return nn.Conv3d(channels_in, channels_out, kernel, stride=stride, padding=kernel // 2, bias=False)


def _shortcut(channels_in: int, channels_out: int, stride: int, projected: bool) -> nn.Module:
    if not projected:
        return nn.Identity()
    return nn.Sequential(_convolution(channels_in, channels_out, 1, stride), nn.BatchNorm3d(channels_out))


class ResidualBlock(nn.Module):
    """What both blocks do: y = ReLU(F(x) + S(x))."""

    if TYPE_CHECKING:
        # Not seen by TorchScript, which has no such types.
        residual: nn.Module
        shortcut: nn.Module
        activation: nn.Module

    def forward(self, x: Tensor) -> Tensor:
        """Return the block's map of shape (B, channels_out, ...)."""
        if self.training:
            # In place: two maps fewer to write. Explanations, which hook the parts, run in evaluation mode.
            return torch.relu_(self.residual(x).add_(self.shortcut(x)))
        y: Tensor = self.activation(self.residual(x) + self.shortcut(x))
        return y


class BasicBlock(ResidualBlock):
    """Two 3 x 3 x 3 convolutions beside a shortcut: y = ReLU(F(x) + S(x)).

    ``projected`` makes it the convolutional block (S projects and takes the stride); else it is the identity block.
    """

    expansion = 1

    def __init__(self, channels_in: int, width: int, *, stride: int = 1, projected: bool) -> None:
        super().__init__()
        self.residual = nn.Sequential(
            _convolution(channels_in, width, 3, stride),
            nn.BatchNorm3d(width),
            nn.ReLU(inplace=True),
            _convolution(width, width, 3),
            nn.BatchNorm3d(width),
        )
        self.shortcut = _shortcut(channels_in, width, stride, projected)
        self.activation = nn.ReLU()


class BottleneckBlock(ResidualBlock):
    """Convolutions of 1, 3 and 1 beside a shortcut, the last one four times as wide: y = ReLU(F(x) + S(x)).

    ``projected`` makes it the convolutional block (S projects and takes the stride); else it is the identity block.
    """

    expansion = 4

    def __init__(self, channels_in: int, width: int, *, stride: int = 1, projected: bool) -> None:
        super().__init__()
        channels_out = width * self.expansion
        self.residual = nn.Sequential(
            _convolution(channels_in, width, 1),
            nn.BatchNorm3d(width),
            nn.ReLU(inplace=True),
            _convolution(width, width, 3, stride),
            nn.BatchNorm3d(width),
            nn.ReLU(inplace=True),
            _convolution(width, channels_out, 1),
            nn.BatchNorm3d(channels_out),
        )
        self.shortcut = _shortcut(channels_in, channels_out, stride, projected)
        self.activation = nn.ReLU()


class ResNetEncoder(Encoder):
    """Stem and four stages; gives the stem's map before its pooling and the map of each stage.

    Parameters
    ----------
    block : BasicBlock or BottleneckBlock, the class
    depths : (int, int, int, int)
        Blocks of each stage, the convolutional one included.
    in_channels : int
    width : int
        Channels of the stem; the stages have 1, 2, 4 and 8 times as many (times 4 with bottlenecks). 64 in the paper.

    Notes
    -----
    For an input of side n the maps have sides n/2, n/4, n/8, n/16 and n/32, rounded up.
    """

    def __init__(
        self,
        block: type[BasicBlock] | type[BottleneckBlock],
        depths: tuple[int, int, int, int],
        *,
        in_channels: int = 1,
        width: int = 64,
    ) -> None:
        whole_number(in_channels, name="in_channels")
        whole_number(width, name="width")
        widths = tuple(width * 2**stage for stage in range(4))
        super().__init__((width, *(w * block.expansion for w in widths)), (2, 4, 8, 16, 32))
        self.stem = Stem(in_channels, width)
        self.pool = StemPooling()
        self.stages = nn.ModuleList()
        channels = width
        for stage, (stage_width, depth) in enumerate(zip(widths, depths, strict=True)):
            first = block(channels, stage_width, stride=1 if stage == 0 else 2, projected=True)
            channels = stage_width * block.expansion
            others = (block(channels, stage_width, projected=False) for _ in range(depth - 1))
            self.stages.append(nn.Sequential(first, *others))
        for module in self.modules():
            if isinstance(module, nn.Conv3d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")

    def compiled_regions(self) -> list[nn.Module]:
        """Return the parts that `biomark.zoo.acceleration` compiles one by one."""
        blocks = [block for stage in self.stages for block in stage.children()]
        return [self.stem, *blocks]

    def forward(self, volume: Tensor) -> list[Tensor]:
        """Return five feature maps, the finest first."""
        x = self.stem(volume)
        maps = [x]
        x = self.pool(x)
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return maps


def _resnet(
    block: type[BasicBlock] | type[BottleneckBlock],
    depths: tuple[int, int, int, int],
    *,
    task: str,
    n_labels: int,
    in_channels: int,
    width: int = 64,
    **options: Any,
) -> nn.Module:
    encoder = ResNetEncoder(block, depths, in_channels=in_channels, width=width)
    return build_network(encoder, task=task, n_labels=n_labels, encoder_options=("width",), **options)


@register("resnet10_3d")
def resnet10_3d(**options: Any) -> nn.Module:
    """3D ResNet of 10 layers: one basic block a stage; the smallest."""
    return _resnet(BasicBlock, (1, 1, 1, 1), **options)


@register("resnet18_3d")
def resnet18_3d(**options: Any) -> nn.Module:
    """3D ResNet of 18 layers: basic blocks (2, 2, 2, 2)."""
    return _resnet(BasicBlock, (2, 2, 2, 2), **options)


@register("resnet34_3d")
def resnet34_3d(**options: Any) -> nn.Module:
    """3D ResNet of 34 layers: basic blocks (3, 4, 6, 3)."""
    return _resnet(BasicBlock, (3, 4, 6, 3), **options)


@register("resnet50_3d")
def resnet50_3d(**options: Any) -> nn.Module:
    """3D ResNet of 50 layers, the paper's: bottlenecks (3, 4, 6, 3), 2,048 features."""
    return _resnet(BottleneckBlock, (3, 4, 6, 3), **options)
