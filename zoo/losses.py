"""The losses of the paper, cross-entropy on logits and Dice on the map, both blind to what is missing."""

from __future__ import annotations

from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from ..errors import BiomarkError
from .output import Output

__all__ = ["LossTerms", "balanced_pos_weight", "dice_loss", "masked_cross_entropy", "network_loss"]


class LossTerms(NamedTuple):
    """The loss of a batch and its parts, each a tensor of no dimension.

    Attributes
    ----------
    total : what is minimised: the weighted sum of the others
    classification : cross-entropy over the labels that are there; 0 if none is
    segmentation : Dice loss over the masks that are there; 0 if none is, or for the single task
    """

    total: Tensor
    classification: Tensor
    segmentation: Tensor


def masked_cross_entropy(
    logits: Tensor,
    y_true: Tensor,
    *,
    pos_weight: Tensor | None = None,
    n_observed: int | Tensor | None = None,
) -> Tensor:
    """Return the binary cross-entropy over the labels that are not missing.

    -sum [w y log s + (1 - y) log(1 - s)] / n over the n observed labels, s = sigmoid(logit), w the positive weight.

    Parameters
    ----------
    logits : tensor of shape (B, labels)
    y_true : tensor of shape (B, labels): 0, 1, or NaN where missing
    pos_weight : tensor of shape (labels,), optional
        How many times a positive counts (`balanced_pos_weight`); once if not given.
    n_observed : int or tensor of no dimension, optional
        What the sum is divided by, instead of n: with gradient accumulation, n of all the batches that make one step.

    Returns
    -------
    tensor of no dimension, float32
        0, with gradient 0, where every label is missing.

    Examples
    --------
    >>> logits = torch.zeros(2, 2, requires_grad=True)
    >>> loss = masked_cross_entropy(logits, torch.tensor([[1.0, float("nan")], [0.0, float("nan")]]))
    >>> loss.backward()
    >>> round(loss.item(), 4), logits.grad.tolist()
    (0.6931, [[-0.25, 0.0], [0.25, 0.0]])
    """
    if logits.shape != y_true.shape:
        raise BiomarkError(
            f"y_true must have the logits' shape {tuple(logits.shape)}, found {tuple(y_true.shape)}"
        )
    observed = ~torch.isnan(y_true)
    # NaN times 0 is NaN: a missing label is replaced before the product, not masked after it.
    target = torch.where(observed, y_true, torch.zeros_like(y_true))
    entropy = functional.binary_cross_entropy_with_logits(
        logits.float(),
        target.float(),
        weight=observed.float(),
        pos_weight=pos_weight,
        reduction="sum",
    )
    count = observed.sum() if n_observed is None else torch.as_tensor(n_observed, device=logits.device)
    return entropy / count.clamp(min=1)


def dice_loss(
    probability: Tensor, mask: Tensor, has_mask: Tensor | None = None, *, n_masks: int | Tensor | None = None
) -> Tensor:
    """Return 1 - Dice, the mean over the volumes that have a mask.

    Dice = (2 sum p m + 1) / (sum p + sum m + 1) over the voxels of one volume.

    Parameters
    ----------
    probability : tensor of shape (B, 1, D, H, W) in [0, 1]
    mask : tensor of that shape, 0 or 1, of any type
    has_mask : tensor of shape (B,), bool, optional
        Volumes without a mask are left out: an unknown mask is not an empty one. All have one if not given.
    n_masks : int or tensor of no dimension, optional
        What the sum over volumes is divided by, instead of their number: with gradient accumulation, the number of all
        the batches that make one step.

    Returns
    -------
    tensor of no dimension, float32
        0, with gradient 0, where no volume has a mask.

    Notes
    -----
    The 1 makes the loss of an empty mask small where the map is empty, and leaves a lesion of a few hundred voxels
    alone. Each volume has a Dice of its own, so that small lesions weigh as much as large ones.

    References
    ----------
    Milletari F, Navab N, Ahmadi SA (2016) V-Net: fully convolutional neural networks for volumetric medical image
    segmentation. 3DV, pp 565-571, section 3; here without the squares, which flatten the gradient at p = 0.

    Examples
    --------
    >>> mask = torch.zeros(1, 1, 4, 4, 4)
    >>> mask[..., :2] = 1
    >>> round(dice_loss(mask, mask).item(), 4), round(dice_loss(1 - mask, mask).item(), 4)
    (0.0, 0.9846)
    """
    if probability.shape != mask.shape:
        raise BiomarkError(
            f"mask must have the map's shape {tuple(probability.shape)}, found {tuple(mask.shape)}"
        )
    p, m = probability.flatten(1).float(), mask.flatten(1).float()
    loss = 1 - (2 * (p * m).sum(1) + 1) / (p.sum(1) + m.sum(1) + 1)
    kept = torch.ones_like(loss) if has_mask is None else has_mask.to(loss)
    count = kept.sum() if n_masks is None else torch.as_tensor(n_masks, device=loss.device)
    return (loss * kept).sum() / count.clamp(min=1)


def network_loss(
    output: Output,
    y_true: Tensor,
    mask: Tensor | None = None,
    has_mask: Tensor | None = None,
    *,
    pos_weight: Tensor | None = None,
    classification_weight: float = 1.0,
    segmentation_weight: float = 1.0,
    n_observed: int | Tensor | None = None,
    n_masks: int | Tensor | None = None,
) -> LossTerms:
    """Return the loss of a network's output: total = a * cross-entropy + b * Dice loss.

    Parameters
    ----------
    output : Output
    y_true : tensor of shape (B, labels): 0, 1, or NaN where missing
    mask, has_mask : tensors, optional
        As in `dice_loss`; not used for the single task.
    pos_weight : tensor of shape (labels,), optional
    classification_weight, segmentation_weight : float
        a and b. The paper names none, so both are 1.
    n_observed, n_masks : int or tensor of no dimension, optional
        As in `masked_cross_entropy` and `dice_loss`.
    """
    classification = masked_cross_entropy(output.logits, y_true, pos_weight=pos_weight, n_observed=n_observed)
    if output.segmentation is None or mask is None:
        segmentation = torch.zeros_like(classification)
    else:
        segmentation = dice_loss(output.segmentation, mask, has_mask, n_masks=n_masks)
    total = classification_weight * classification + segmentation_weight * segmentation
    return LossTerms(total, classification, segmentation)


def balanced_pos_weight(y_true: Tensor) -> Tensor:
    """Return negatives per positive of each label, so that both classes weigh the same; 1 where one is absent.

    Parameters
    ----------
    y_true : tensor of shape (n, labels): 0, 1, or NaN where missing

    Returns
    -------
    tensor of shape (labels,), float32

    Examples
    --------
    >>> balanced_pos_weight(torch.tensor([[1.0], [0.0], [0.0], [float("nan")]]))
    tensor([2.])
    """
    positive, negative = (y_true == 1).sum(0).float(), (y_true == 0).sum(0).float()
    both = (positive > 0) & (negative > 0)
    return torch.where(both, negative / positive.clamp(min=1), torch.ones_like(positive))
