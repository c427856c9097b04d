"""The beginning of a residual network, shaped so that tensor cores do not idle on a single channel."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

__all__ = ["Stem", "StemConvolution"]


class StemConvolution(nn.Conv3d):
    """A 7 x 7 x 7 convolution of stride 2 without bias.

    Notes
    -----
    On CUDA it is computed as a 4 x 4 x 1 convolution of stride 1 on 32 times the channels: one for each voxel of a cell
    of 2 x 2 in D and H, and one for each of eight neighbours in W. With k + 1 = 2 m + r along D and H,

        y[o] = sum_k w[k] x[2 o + k - 3] = sum_m sum_r w'[m, r] x'[o + m, r],

    x' the cells of the padded volume and w' the padded kernel's. The sums are the same. Tensor cores multiply blocks of
    channels, of which a volume has one, so the convolution as it stands leaves most of them idle. The parameter keeps
    its usual shape.
    """

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__(channels_in, channels_out, 7, stride=2, padding=3, bias=False)

    def forward(self, input: Tensor) -> Tensor:
        """Return a map of half the size, rounded up."""
        if input.is_cuda:
            return self.folded(input)
        return functional.conv3d(input, self.weight, None, self.stride, self.padding)

    def folded(self, input: Tensor) -> Tensor:
        """Return the same by cells and neighbours."""
        b, c, d, h, w = input.shape
        od, oh, ow = (d + 1) // 2, (h + 1) // 2, (w + 1) // 2
        # Four voxels before (one more than the padding, so that cells begin at even places), then whole cells.
        padded = functional.pad(input, [4, 2 * ow + 2 - w, 4, 2 * oh + 2 - h, 4, 2 * od + 2 - d])
        cells = padded.reshape(b, c, od + 3, 2, oh + 3, 2, 2 * ow + 6).unfold(6, 8, 2)
        kernel = functional.pad(self.weight, [1, 0, 1, 0, 1, 0])
        kernel = kernel.reshape(self.out_channels, c, 4, 2, 4, 2, 8).permute(0, 2, 4, 1, 3, 5, 6)
        # Written channels last, then named in the usual order.
        cells = cells.permute(0, 2, 4, 6, 1, 3, 5, 7).reshape(b, od + 3, oh + 3, ow, 32 * c)
        return functional.conv3d(
            cells.permute(0, 4, 1, 2, 3),
            kernel.reshape(self.out_channels, 4, 4, 1, 32 * c).permute(0, 4, 1, 2, 3),
        )


class Stem(nn.Sequential):
    """Convolution, batch norm and ReLU."""

    def __init__(self, channels_in: int, width: int) -> None:
        super().__init__(StemConvolution(channels_in, width), nn.BatchNorm3d(width), nn.ReLU())

    def forward(self, volume: Tensor) -> Tensor:
        """Return a map of half the volume's size."""
        # Written out, because a compiler passes over the forward of torch's own containers.
        y: Tensor = self[1](self[0](volume))
        if self.training:
            # In place, one map fewer to write; explanations, which hook the parts, run in evaluation mode.
            return y.relu_()
        y = self[2](y)
        return y
