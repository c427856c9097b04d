"""The paper's multi-task network: one encoder, a classifier behind one more max pooling, and a segmentation decoder.

What the paper leaves open, and what is done here:

- *The extra max pooling* is for "feature extraction and classification", and the features stay 2,048 in number: so it
  stands between the encoder's last map and the average pooling, on the classifier's side only. It has the stem's
  geometry (3 x 3 x 3, stride 2), which is also defined for a map of one voxel.
- *Where the decoder begins*: at the encoder's last map, before that pooling, which would discard where things are.
- *The blocks of the decoder*: the coarser map is narrowed (1 x 1 x 1), up-sampled to the size of the skip's map by
  trilinear interpolation, and added to the likewise narrowed skip; one 3 x 3 x 3 convolution follows. Adding with one
  convolution costs less than half of what concatenating does, and transposed convolutions leave a chequered pattern.
- *The last step*, from the encoder's finest map (half of the input's side in a ResNet) to the input's size,
  interpolates the logits: no skip exists there, and one convolution of 16 channels at full size would cost a third
  of what the whole encoder of 50 layers does.
- *Iterative refinement*: "this input volume is enhanced by an element-wise addition with the segmentation probability
  map from the previous iteration." Read over epochs, this would need stored maps that follow each augmentation, and
  the trained network would be run without the map it was trained with. Here the passes follow each other within one
  step: the first map is zero, each pass sees the volume plus the map of the pass before, no gradient flows through
  that map, and the output is that of the last pass, in training and in inference alike. Only the last pass has a loss.
  The network still learns to do without a map: as long as its map is empty, the last pass is a first one.
- *Batch norm in the earlier passes*: in training they run as in inference, on the running statistics and without
  dropout, so that the map which is added is the one that inference would add. Were each pass normalised by its own
  batch, the brightness that a map adds would be taken away in training and not in inference.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from ..errors import BiomarkError
from ..stats.inputs import whole_number
from .output import Encoder, Output
from .singletask import share_dropped
from .upsampling import upsampled

__all__ = ["MultiTaskNetwork", "SegmentationDecoder", "UpSamplingBlock"]

# Channels of a decoder's map per unit of its reduction, and their limit.
_WIDTH, _MOST = 16, 16
# A probability of 0.12: nearly empty, and still steep enough to learn from.
_FIRST_LOGIT = -2.0


class UpSamplingBlock(nn.Module):
    """Up-sample a map to its skip's size, add the two, and convolve.

    y = f(C3 f(up(C1 x) + C1' skip)), with f batch norm and ReLU, C1 and C3 convolutions of 1 and 3 voxels.
    """

    def __init__(self, channels_in: int, channels_skip: int, channels_out: int) -> None:
        super().__init__()
        self.narrow = nn.Conv3d(channels_in, channels_out, 1, bias=False)
        self.lateral = nn.Conv3d(channels_skip, channels_out, 1, bias=False)
        self.convolution = nn.Sequential(
            nn.BatchNorm3d(channels_out),
            nn.ReLU(inplace=True),
            nn.Conv3d(channels_out, channels_out, 3, padding=1, bias=False),
            nn.BatchNorm3d(channels_out),
            nn.ReLU(inplace=True),
        )

    def forward(self, x: Tensor, skip: Tensor) -> Tensor:
        """Return a map of the skip's size, shape (B, channels_out, ...)."""
        y: Tensor = self.convolution(upsampled(self.narrow(x), list(skip.shape[2:])) + self.lateral(skip))
        return y


class SegmentationDecoder(nn.Module):
    """Climb from the encoder's last map to its finest, then to logits of the input's size.

    Parameters
    ----------
    channels, reductions : tuples of int
        Of the encoder's maps, the finest first; at least two.
    width : int
        A map of reduction r has min(r, 16) * width channels.
    """

    def __init__(
        self, channels: tuple[int, ...], reductions: tuple[int, ...], *, width: int = _WIDTH
    ) -> None:
        super().__init__()
        if len(channels) < 2:
            raise BiomarkError(f"a decoder needs feature maps of two sizes or more, found {len(channels)}")
        whole_number(width, name="decoder_width")
        self.blocks = nn.ModuleList()
        below = channels[-1]
        for skip, reduction in zip(channels[-2::-1], reductions[-2::-1], strict=True):
            here = min(reduction, _MOST) * width
            self.blocks.append(UpSamplingBlock(below, skip, here))
            below = here
        self.head = nn.Conv3d(below, 1, 1)
        for module in self.modules():
            if isinstance(module, nn.Conv3d):
                nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
        # So that the first maps, which are added to the volume, are nearly empty.
        nn.init.normal_(self.head.weight, std=0.01)
        nn.init.constant_(self.head.bias, _FIRST_LOGIT)  # type: ignore[arg-type]

    def compiled_regions(self) -> list[nn.Module]:
        """Return the parts that `biomark.zoo.acceleration` compiles one by one."""
        return list(self.blocks)

    def forward(self, maps: list[Tensor], size: list[int]) -> Tensor:
        """Return logits of shape (B, 1, *size)."""
        x = maps[-1]
        for i, block in enumerate(self.blocks):
            x = block(x, maps[len(maps) - 2 - i])
        return upsampled(self.head(x).float(), size)


class MultiTaskNetwork(nn.Module):
    """Predict the labels and segment the lesion, each pass guided by the map of the pass before.

    Parameters
    ----------
    encoder : Encoder
    n_labels : int
    refinement_passes : int
        How often the network runs on a volume; 1 switches the refinement off. May be changed afterwards.
    decoder_width : int
        Channels of the decoder per unit of reduction (`SegmentationDecoder`).
    dropout : float in [0, 1)
        Share of the features dropped in training before the fully connected layer; the paper names none.

    Notes
    -----
    See the module's docstring for what the paper leaves open. ``last_map`` passes the encoder's last map on unchanged:
    the place where explanations hook, whatever the encoder (the last pass is the one with a gradient).
    """

    def __init__(
        self,
        encoder: Encoder,
        *,
        n_labels: int,
        refinement_passes: int = 2,
        decoder_width: int = _WIDTH,
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        whole_number(n_labels, name="n_labels")
        self.refinement_passes = whole_number(refinement_passes, name="refinement_passes")
        self.encoder = encoder
        self.last_map = nn.Identity()
        self.extra_pool = nn.MaxPool3d(3, stride=2, padding=1)
        self.pool = nn.AdaptiveAvgPool3d(1)
        self.dropout = nn.Dropout(share_dropped(dropout))
        self.classifier = nn.Linear(encoder.channels[-1], n_labels)
        self.decoder = SegmentationDecoder(encoder.channels, encoder.reductions, width=decoder_width)

    def forward(self, volume: Tensor) -> Output:
        """Return the last pass: logits (B, labels), segmentation (B, 1, D, H, W) in [0, 1], features (B, F)."""
        guided = volume
        for _ in range(self.refinement_passes - 1):
            guided = volume + self._map_without_gradient(guided).to(volume.dtype)
        maps: list[Tensor] = self.encoder(guided)
        last = self.last_map(maps[-1])
        features = torch.flatten(self.pool(self.extra_pool(last)), 1).float()
        maps[-1] = last
        segmentation = torch.sigmoid(self.decoder(maps, volume.shape[2:]))
        return Output(self.classifier(self.dropout(features)).float(), segmentation, features)

    def _map_without_gradient(self, guided: Tensor) -> Tensor:
        # A script cannot change modes; it is made for inference, where there is nothing to change.
        if self.training and not torch.jit.is_scripting():  # type: ignore[attr-defined]
            return self._map_as_in_inference(guided)
        with torch.no_grad():
            segmentation = torch.sigmoid(self.decoder(self.encoder(guided), guided.shape[2:]))
        return segmentation

    @torch.jit.unused
    def _map_as_in_inference(self, guided: Tensor) -> Tensor:
        training = [module for module in self.modules() if module.training]
        try:
            self.eval()
            return self._map_without_gradient(guided)
        finally:
            for module in training:
                module.training = True
