"""From stored volumes to the varied batch that a step learns from, on the device that trains."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from .acceleration import eagerly
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
    batch_size : int
        Of most batches; what is compiled is compiled for it.
    with_masks : bool
        Whether anything is learnt from masks; else they come without voxels, shape (B, 1, 0, 0, 0).
    device : torch.device
    precision : Precision
        Images come in the type that the network computes in.

    Notes
    -----
    Where the volumes lie on a CUDA device, each is read from where it is stored and written as it is learnt from, in
    one kernel (`biomark.zoo.affine_sampling`). Elastic and speckled variants and the processor go through
    `biomark.zoo.augmentation.vary`, which gives the same values but for rounding.
    """

    def __init__(
        self,
        data: VolumeData,
        settings: Augmentation | None,
        *,
        batch_size: int,
        with_masks: bool,
        device: torch.device,
        precision: Precision,
    ) -> None:
        self._data, self._settings, self._device, self._with_masks = data, settings, device, with_masks
        self._usual = batch_size
        self._kind = precision.kind if device.type == "cuda" else torch.float32
        self._image: Callable[[Tensor, Tensor, Variation], Tensor] | None = None
        self._mask: Callable[[Tensor, Tensor, Tensor], Tensor] | None = None
        self._stored_here = device.type == "cuda" and data.images.device.type == "cuda"
        self._reader: ThreadPoolExecutor | None = None
        self._ahead: tuple[NDArray[np.intp], Future[Batch]] | None = None
        if self._stored_here and settings is not None:
            if settings.resamples and not settings.elastic and not settings.speckle:
                self._image = torch.compile(self._sampled_image, dynamic=False)
                self._mask = torch.compile(_sampled_mask, dynamic=False)

    def prepare(self, rows: NDArray[np.intp]) -> None:
        """Begin to gather a batch that `batch` will ask for next, while the device is busy with another."""
        if self._stored_here:
            return
        if self._reader is None:
            self._reader = ThreadPoolExecutor(1, thread_name_prefix="batches")
        task = self._reader.submit(self._data.gathered, rows, self._device, with_masks=self._with_masks)
        self._ahead = (rows, task)

    def batch(self, rows: NDArray[np.intp], seeds: Sequence[int]) -> Batch:
        """Return the patients at the given positions, each varied as its seed says.

        Returns
        -------
        Batch
            ``image`` in [0, 1]; ``mask`` 0 or 1, of any type.
        """
        data, settings = self._data, self._settings
        if settings is None:
            batch = self._gathered(rows).to(self._device)
            return self._finished(as_input(batch.image), batch.mask, batch)
        drawn = draw_variations(seeds, settings, tuple(data.images.shape[2:])).to(self._device)
        if self._image is None or self._mask is None:
            batch = self._gathered(rows).to(self._device)
            image, mask = vary(batch.image, batch.mask if self._with_masks else None, drawn, settings)
            return self._finished(image, batch.mask if mask is None else mask, batch)
        at = torch.from_numpy(np.asarray(rows, dtype=np.int64)).pin_memory()
        at = at.to(self._device, non_blocking=True)
        with eagerly(len(rows) != self._usual):
            image = self._image(data.images, at, drawn)
            mask = data.masks.new_zeros((len(rows), 1, 0, 0, 0))
            if self._with_masks:
                mask = self._mask(data.masks, at, drawn.theta)
        return Batch(image, mask, data.has_mask[at], data.y_true[at])

    def _gathered(self, rows: NDArray[np.intp]) -> Batch:
        ahead, self._ahead = self._ahead, None
        if ahead is not None and np.array_equal(ahead[0], rows):
            return ahead[1].result()
        return self._data.gathered(rows, self._device, with_masks=self._with_masks)

    def _sampled_image(self, volumes: Tensor, rows: Tensor, drawn: Variation) -> Tensor:
        assert self._settings is not None
        image = sample_affine(volumes, rows, drawn.theta)
        if volumes.dtype == torch.uint8:
            image = image / 255
        return retoned(image, drawn, self._settings).to(self._kind)

    def _finished(self, image: Tensor, mask: Tensor, known: Batch) -> Batch:
        return Batch(image.to(self._kind), mask, known.has_mask, known.y_true)


def _sampled_mask(masks: Tensor, rows: Tensor, theta: Tensor) -> Tensor:
    return sample_affine(masks, rows, theta) >= 0.5
