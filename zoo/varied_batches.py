"""From stored volumes to the varied batch that a step learns from, on the device that trains."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .affine_sampling import sample_affine
from .augmentation import Augmentation, Variation, draw_variations, retoned, vary
from .inference import as_input
from .precision import Precision
from .training_data import Batch, VolumeData

__all__ = ["VariedBatches"]


class VariedBatches:
    """Makes batches of varied volumes.

    Parameters
    ----------
    data : VolumeData
    settings : Augmentation or None
    with_masks : bool
        Whether anything is learnt from masks; else they come without voxels, shape (B, 1, 0, 0, 0).
    device : torch.device
    precision : Precision
        Images come in the type that the network computes in.

    Notes
    -----
    Where the volumes lie on a CUDA device, each is read from where it is stored and written as it is learnt from, in one
    kernel (`biomark.zoo.affine_sampling`); elastic variants and the processor go through `biomark.zoo.augmentation.vary`,
    which gives the same values but for rounding.
    """

    def __init__(
        self,
        data: VolumeData,
        settings: Augmentation | None,
        *,
        with_masks: bool,
        device: torch.device,
        precision: Precision,
    ) -> None:
        self._data, self._settings, self._device, self._with_masks = data, settings, device, with_masks
        self._kind = precision.kind if device.type == "cuda" else torch.float32
        self._sampled = None
        if device.type == "cuda" and settings is not None and settings.resamples and not settings.elastic:
            self._sampled = torch.compile(sample_affine, dynamic=False)

    def batch(self, rows: NDArray[np.intp], seeds: Sequence[int]) -> Batch:
        """Return the patients at the given positions, each varied as its seed says.

        Returns
        -------
        Batch
            ``image`` in [0, 1], channels last on CUDA; ``mask`` 0 or 1, of any type.
        """
        data, settings = self._data, self._settings
        if settings is not None and self._sampled is not None and data.images.device == self._device:
            return self._sampled_batch(rows, draw_variations(seeds, settings, tuple(data.images.shape[2:])))
        batch = data.batch(rows, self._device, with_masks=self._with_masks)
        if settings is None:
            return self._finished(as_input(batch.image), batch.mask, batch.has_mask, batch.y_true)
        drawn = draw_variations(seeds, settings, tuple(data.images.shape[2:])).to(self._device)
        image, mask = vary(batch.image, batch.mask if self._with_masks else None, drawn, settings)
        return self._finished(image, batch.mask if mask is None else mask, batch.has_mask, batch.y_true)

    def _sampled_batch(self, rows: NDArray[np.intp], drawn: Variation) -> Batch:
        assert self._sampled is not None and self._settings is not None
        data = self._data
        drawn = drawn.to(self._device)
        at = torch.from_numpy(np.asarray(rows, dtype=np.int64)).pin_memory()
        at = at.to(self._device, non_blocking=True)
        image = self._sampled(data.images, at, drawn.theta)
        if data.images.dtype == torch.uint8:
            image = image / 255
        mask = data.masks.new_zeros((len(rows), 1, 0, 0, 0))
        if self._with_masks:
            mask = self._sampled(data.masks, at, drawn.theta) >= 0.5
        return self._finished(
            retoned(image, drawn, self._settings), mask, data.has_mask[at], data.y_true[at]
        )

    def _finished(self, image: Tensor, mask: Tensor, has_mask: Tensor, y_true: Tensor) -> Batch:
        image = image.to(self._kind)
        if self._device.type == "cuda":
            image = image.contiguous(memory_format=torch.channels_last_3d)
        return Batch(image, mask, has_mask, y_true)
