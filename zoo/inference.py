"""Run a network over patients without learning: scores, features, Dice, and maps where they are asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ..stats.results import FloatArray, Result
from .losses import network_loss
from .output import Output
from .precision import Precision
from .process_group import ALONE, Processes
from .training_data import Batch, VolumeData

__all__ = ["Inference", "as_input", "batches_of", "run_network"]

# Mirrored along the axes of (B, 1, D, H, W) that augmentation may mirror: not H, the direction of sound.
_FLIPS = ((), (2,), (4,), (2, 4))


@dataclass(frozen=True, slots=True, eq=False)
class Inference(Result):
    """What a network says of n patients.

    Attributes
    ----------
    logits : array of shape (n, labels)
    features : array of shape (n, F)
    dice : array of shape (n,)
        Of the map cut at one half with the mask; NaN where there is no mask, or for the single task.
    loss, classification, segmentation : float
        Means over all observed labels and all masks, and their weighted sum.
    """

    logits: FloatArray
    features: FloatArray
    dice: FloatArray
    loss: float
    classification: float
    segmentation: float

    @property
    def probability(self) -> FloatArray:
        """Probabilities of the labels, shape (n, labels)."""
        p: FloatArray = 1.0 / (1.0 + np.exp(-self.logits))
        return p


def as_input(image: Tensor) -> Tensor:
    """Return stored intensities, uint8 or floating point, as float32 in [0, 1]."""
    return image.float() / 255 if image.dtype == torch.uint8 else image.float()


def batches_of(rows: NDArray[np.intp], size: int, least: int = 2) -> Iterator[NDArray[np.intp]]:
    """Yield the rows in batches of a size; fewer patients than ``least`` that are left join the batch before.

    Batch norm cannot learn from one patient whose last map is one voxel, and a process needs a patient of every batch.

    Examples
    --------
    >>> [batch.tolist() for batch in batches_of(np.arange(5), 2)]
    [[0, 1], [2, 3, 4]]
    """
    starts = list(range(0, len(rows), size))
    if len(starts) > 1 and len(rows) - starts[-1] < least:
        starts.pop()
    for start, stop in zip(starts, [*starts[1:], len(rows)], strict=True):
        yield rows[start:stop]


@torch.no_grad()
def run_network(
    model: nn.Module,
    data: VolumeData,
    rows: NDArray[np.intp],
    *,
    batch_size: int,
    device: torch.device,
    precision: Precision,
    flips: bool = False,
    pos_weight: Tensor | None = None,
    loss_weights: tuple[float, float] = (1.0, 1.0),
    on_map: Callable[[int, Tensor], None] | None = None,
    processes: Processes = ALONE,
) -> Inference:
    """Run a network on patients, in evaluation mode; the mode is put back afterwards.

    Parameters
    ----------
    model : nn.Module
    data : VolumeData
    rows : array of positions in ``data``
    batch_size : int
    device : torch.device
    precision : Precision
    flips : bool
        Average the probabilities (and maps) of the volume and its mirror images along D, W and both; the axis H of the
        sound is not mirrored. The logit given is that of the averaged probability.
    pos_weight : tensor of shape (labels,), optional
    loss_weights : (float, float)
        Of the classification and the segmentation, as in `network_loss`.
    on_map : function of (row, map of shape (D, H, W)), optional
        Called for each patient of a multi-task network, in the process that has him.
    processes : Processes
        Each runs the network on its share of the patients; all return the result of all patients.
    """
    was_training = model.training
    model.eval()
    # Kept on the device until the end: each look at a number would make the processor wait.
    kept: list[tuple[Tensor, ...]] = []
    try:
        for chosen in batches_of(processes.share(rows), batch_size):
            batch = data.batch(chosen, device)
            output = _averaged(model, as_input(batch.image), precision, flips)
            loss = network_loss(output, batch.y_true, batch.mask, batch.has_mask, pos_weight=pos_weight)
            n_masks = batch.has_mask.sum() * (output.segmentation is not None)
            counts = torch.stack([(~torch.isnan(batch.y_true)).sum(), n_masks]).double()
            terms = torch.stack([loss.classification.detach(), loss.segmentation.detach()]).double() * counts
            sums = torch.cat([terms, counts])[None]
            kept.append((output.logits.double(), output.features.double(), _dice(output, batch), sums))
            if on_map is not None and output.segmentation is not None:
                for row, segmentation in zip(chosen.tolist(), output.segmentation[:, 0].cpu(), strict=True):
                    on_map(row, segmentation)
    finally:
        model.train(was_training)
    mine = [torch.cat(parts).cpu().numpy() for parts in zip(*kept, strict=True)]
    # A process without a patient has nothing to give.
    given = [arrays for arrays in processes.gathered(mine) if arrays]
    logits, features, dice, totals = (np.concatenate(parts) for parts in zip(*given, strict=True))
    classification, segmentation, n_observed, n_masked = totals.sum(0).tolist()
    means = np.array([classification / max(n_observed, 1), segmentation / max(n_masked, 1)])
    return Inference(
        logits, features, dice, float(means @ np.array(loss_weights)), float(means[0]), float(means[1])
    )


def _averaged(model: nn.Module, image: Tensor, precision: Precision, flips: bool) -> Output:
    sums: list[Tensor] = []
    for axes in _FLIPS if flips else _FLIPS[:1]:
        with precision.autocast():
            output: Output = model(torch.flip(image, axes) if axes else image)
        if not flips:
            return output
        parts = [torch.sigmoid(output.logits.double()), output.features.double()]
        if output.segmentation is not None:
            parts.append(torch.flip(output.segmentation, axes))
        sums = parts if not sums else [a + b for a, b in zip(sums, parts, strict=True)]
    probability, features, *segmentation = (total / len(_FLIPS) for total in sums)
    return Output(torch.logit(probability), segmentation[0] if segmentation else None, features)


def _dice(output: Output, batch: Batch) -> Tensor:
    if output.segmentation is None:
        return torch.full(batch.y_true.shape[:1], torch.nan, dtype=torch.float64, device=batch.y_true.device)
    found = (output.segmentation >= 0.5).flatten(1)
    mask = batch.mask.flatten(1).bool()
    both = 2.0 * (found & mask).sum(1).double()
    total = (found.sum(1) + mask.sum(1)).double()
    # Both empty: they agree.
    dice = torch.where(total > 0, both / total.clamp(min=1), torch.ones_like(total))
    return torch.where(batch.has_mask, dice, torch.nan)
