"""The first convolution of a residual network, folded where tensor cores would idle on a single channel."""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional

__all__ = ["StemConvolution"]


class StemConvolution(nn.Conv3d):
    """A 7 x 7 x 7 convolution of stride 2 without bias.

    Notes
    -----
    On CUDA it is computed as a 4 x 4 x 4 convolution of stride 1 on eight times the channels, one for each voxel of a
    2 x 2 x 2 cell: with y[o] = sum_k w[k] x[2 o + k - 3] and k + 1 = 2 m + r, y[o] = sum_m sum_r w'[m, r] x'[o + m, r],
    where x' holds the cells of the padded volume and w' the padded kernel's. The sums are the same; tensor cores read
    eight channels at once, and a volume has one. The parameter keeps its usual shape.
    """

    def __init__(self, channels_in: int, channels_out: int) -> None:
        super().__init__(channels_in, channels_out, 7, stride=2, padding=3, bias=False)

    def forward(self, input: Tensor) -> Tensor:
        """Return a map of half the size, rounded up."""
        if input.is_cuda:
            return self.folded(input)
        return functional.conv3d(input, self.weight, None, self.stride, self.padding)

    def folded(self, input: Tensor) -> Tensor:
        """Return the same by cells of 2 x 2 x 2 voxels."""
        b, c, d, h, w = input.shape
        od, oh, ow = (d + 1) // 2, (h + 1) // 2, (w + 1) // 2
        # Four voxels before (one more than the padding, so that cells begin at even places), then whole cells.
        padded = functional.pad(input, [4, 2 * ow + 2 - w, 4, 2 * oh + 2 - h, 4, 2 * od + 2 - d])
        cells = padded.reshape(b, c, od + 3, 2, oh + 3, 2, ow + 3, 2).permute(0, 2, 4, 6, 1, 3, 5, 7)
        kernel = functional.pad(self.weight, [1, 0, 1, 0, 1, 0])
        kernel = kernel.reshape(self.out_channels, c, 4, 2, 4, 2, 4, 2).permute(0, 2, 4, 6, 1, 3, 5, 7)
        # Written channels last, then named in the usual order.
        return functional.conv3d(
            cells.reshape(b, od + 3, oh + 3, ow + 3, 8 * c).permute(0, 4, 1, 2, 3),
            kernel.reshape(self.out_channels, 4, 4, 4, 8 * c).permute(0, 4, 1, 2, 3),
        )
