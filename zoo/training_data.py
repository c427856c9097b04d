"""The volumes of a cohort as tensors, held in memory once, with what is known of each patient."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from ..errors import BiomarkError
from ..stats.inputs import choice
from .mapped_volumes import stored_arrays
from .preprocessing_cache import CachedCohort

__all__ = ["Batch", "VolumeData", "volume_data"]


class Batch(NamedTuple):
    """Some patients of `VolumeData`, on a device.

    Attributes
    ----------
    image : tensor of shape (B, 1, D, H, W), uint8 or float16
    mask : tensor of shape (B, 1, D, H, W), uint8, 0 or 1
    has_mask : tensor of shape (B,), bool
    y_true : tensor of shape (B, labels), float32: 0, 1, or NaN where missing
    """

    image: Tensor
    mask: Tensor
    has_mask: Tensor
    y_true: Tensor

    def to(self, device: torch.device) -> Batch:
        """Return the batch on a device; from pinned memory without making the processor wait."""
        return Batch._make([part.to(device, non_blocking=device.type == "cuda") for part in self])


@dataclass(frozen=True, slots=True, eq=False)
class VolumeData:
    """Preprocessed volumes in memory.

    Attributes
    ----------
    images : tensor of shape (n, 1, D, H, W), uint8 (255 is 1) or float16 in [0, 1]
    masks : tensor of shape (n, 1, D, H, W), uint8; 0 where there is no mask
    has_mask : tensor of shape (n,), bool
    y_true : tensor of shape (n, labels), float32: 0, 1, or NaN where missing
    labels : tuple of str
    patient_id : tuple of str
    sets : tuple of str
        The set of each patient; empty text where there is none.
    digest : str
        Of volumes, settings and labels: what a run saw.
    simulated : bool
        Whether the cohort says that its patients are.
    """

    images: Tensor = field(repr=False)
    masks: Tensor = field(repr=False)
    has_mask: Tensor = field(repr=False)
    y_true: Tensor = field(repr=False)
    labels: tuple[str, ...]
    patient_id: tuple[str, ...] = field(repr=False)
    sets: tuple[str, ...] = field(repr=False)
    digest: str
    simulated: bool = False

    def __post_init__(self) -> None:
        n = len(self.patient_id)
        shapes = [self.images.shape[0], self.masks.shape[0], self.has_mask.shape[0], self.y_true.shape[0]]
        if {n, len(self.sets), *shapes} != {n}:
            raise BiomarkError(f"all parts must hold {n} patients, found {shapes} and {len(self.sets)} sets")
        if self.images.ndim != 5 or self.images.shape != self.masks.shape:
            raise BiomarkError(
                f"images and masks must have one shape (n, 1, D, H, W), found {tuple(self.images.shape)} and "
                f"{tuple(self.masks.shape)}"
            )
        if self.y_true.shape[1:] != (len(self.labels),):
            raise BiomarkError(
                f"y_true must have a column for each of {self.labels}, found {tuple(self.y_true.shape)}"
            )

    def __len__(self) -> int:
        return len(self.patient_id)

    @property
    def set_names(self) -> tuple[str, ...]:
        """The sets there are, in order of first appearance."""
        return tuple(dict.fromkeys(name for name in self.sets if name))

    def rows(self, set_name: str) -> NDArray[np.intp]:
        """Return the positions of the patients of a set, at least one."""
        if not self.set_names:
            raise BiomarkError("no patient has a set; make sets first (biomark split)")
        choice(set_name, self.set_names, name="set")
        return np.flatnonzero(np.array(self.sets, dtype=object) == set_name)

    def batch(
        self, rows: Sequence[int] | NDArray[np.intp], device: torch.device, *, with_masks: bool = True
    ) -> Batch:
        """Return the patients at the given positions, on a device; the copy to CUDA does not make the processor wait.

        Without masks, those come without voxels, shape (B, 1, 0, 0, 0).
        """
        return self.gathered(rows, device, with_masks=with_masks).to(device)

    def gathered(
        self, rows: Sequence[int] | NDArray[np.intp], device: torch.device, *, with_masks: bool = True
    ) -> Batch:
        """Return the patients at the given positions where the data lie, in memory from which `Batch.to` is quick."""
        at = torch.as_tensor(np.asarray(rows, dtype=np.int64), device=self.images.device)
        masks = self.masks[at] if with_masks else self.masks.new_zeros((len(at), 1, 0, 0, 0))
        batch = Batch(self.images[at], masks, self.has_mask[at], self.y_true[at])
        if device.type == "cuda" and self.images.device.type == "cpu":
            return Batch._make([part.pin_memory() for part in batch])
        return batch

    def placed(self, device: torch.device) -> VolumeData:
        """Return the data on the device if they leave three quarters of its free memory, else as they are."""
        if device.type != "cuda":
            return self
        size = self.images.nbytes + self.masks.nbytes
        free, _ = torch.cuda.mem_get_info(device)
        if size > free / 4:
            return self
        return replace(
            self,
            images=self.images.to(device),
            masks=self.masks.to(device),
            has_mask=self.has_mask.to(device),
            y_true=self.y_true.to(device),
        )


def volume_data(
    cached: CachedCohort, rows: NDArray[np.intp] | None = None, *, storage: str = "auto"
) -> VolumeData:
    """Take up the preprocessed volumes of a cohort, of all patients or of those at the given positions.

    ``storage`` says whether they are read into memory or mapped (`biomark.zoo.mapped_volumes.stored_arrays`).
    """
    cohort = cached.cohort
    chosen = np.arange(len(cohort)) if rows is None else rows
    images, masks, has_mask = stored_arrays(cached, chosen, storage)
    sets = cohort.frame["set"].iloc[chosen].fillna("")
    return VolumeData(
        torch.from_numpy(images).unsqueeze(1),
        torch.from_numpy(masks).unsqueeze(1),
        torch.from_numpy(has_mask),
        torch.from_numpy(cohort.y_true[chosen].astype(np.float32)),
        cohort.labels,
        tuple(str(patient) for patient in cohort.patient_id[chosen]),
        tuple(str(name) for name in sets),
        cached.digest,
        cohort.simulated,
    )
