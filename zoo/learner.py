"""One step of learning: the network, its optimiser, the scale of its loss, the running average of its weights."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ..errors import FailedWorkError
from .augmentation import augment
from .inference import as_input
from .losses import balanced_pos_weight, network_loss
from .output import Output
from .precision import Precision
from .training_config import TrainingConfig
from .training_data import Batch, VolumeData

__all__ = ["Learner", "NonFiniteLossError", "StepLoss", "learning_rate_at", "seed_of"]


class NonFiniteLossError(FailedWorkError):
    """The loss or its gradient is not a number; the message names the batch. The weights were not changed by it."""


class StepLoss(NamedTuple):
    """Of one batch: the loss, its parts, and the norm of the gradient before clipping."""

    total: float
    classification: float
    segmentation: float
    gradient_norm: float


def seed_of(*numbers: int) -> int:
    """Return a seed that depends on all the numbers (seed, epoch, step or patient), and on nothing that ran before.

    A run that goes on from a state thus draws what the run that was never stopped would have drawn.

    Examples
    --------
    >>> seed_of(0, 1, 2) == seed_of(0, 1, 2) != seed_of(0, 2, 1)
    True
    """
    return int(np.random.SeedSequence(numbers).generate_state(1, np.uint64)[0] >> np.uint64(1))


def learning_rate_at(config: TrainingConfig, done: float) -> float:
    """Return the learning rate after a number of epochs, whole or not.

    r min(1, done / warm-up) for the constant schedule; times (1 + cos(pi t)) / 2 for cosine, t the share of the epochs
    after the warm-up that are done.

    Examples
    --------
    >>> config = TrainingConfig("c.csv", "run", epochs=12, warmup_epochs=2, schedule="cosine", learning_rate=1.0)
    >>> [round(learning_rate_at(config, epoch), 3) for epoch in (0, 1, 2, 7, 12)]
    [0.0, 0.5, 1.0, 0.5, 0.0]
    """
    rate = config.learning_rate
    if done < config.warmup_epochs:
        return rate * done / config.warmup_epochs
    if config.schedule == "constant":
        return rate
    share = (done - config.warmup_epochs) / max(config.epochs - config.warmup_epochs, 1e-9)
    return rate * (1 + math.cos(math.pi * min(share, 1.0))) / 2


class Learner:
    """A network that learns from batches; all that a run must keep between two steps is in its `state`.

    Parameters
    ----------
    config : TrainingConfig
    model : nn.Module
    data : VolumeData
    device : torch.device
    precision : Precision
    """

    def __init__(
        self,
        config: TrainingConfig,
        model: nn.Module,
        data: VolumeData,
        *,
        device: torch.device,
        precision: Precision,
    ) -> None:
        self.config, self.data, self.device, self.precision = config, data, device, precision
        self.model = model.to(device)
        if device.type == "cuda":
            # The order in which tensor cores read volumes.
            self.model = self.model.to(memory_format=torch.channels_last_3d)
        self.optimizer = torch.optim.Adam(
            self.model.parameters(), lr=config.learning_rate, weight_decay=config.weight_decay
        )
        self.scaler = torch.amp.GradScaler(device.type, enabled=precision.scales)
        self.average = None if config.ema is None else copy.deepcopy(self.model).requires_grad_(False)
        self.n_steps = 0
        self.pos_weight = self._pos_weight()

    @property
    def evaluated(self) -> nn.Module:
        """The network that is validated and kept: the running average where there is one."""
        return self.model if self.average is None else self.average

    def step(self, rows: NDArray[np.intp], *, epoch: int, step: int, learning_rate: float) -> StepLoss:
        """Learn from one batch.

        Parameters
        ----------
        rows : array of positions in the data
        epoch, step : int
            From 1; they seed what is random.
        learning_rate : float

        Raises
        ------
        NonFiniteLossError
            Before the weights change.
        """
        self.model.train()
        for group in self.optimizer.param_groups:
            group["lr"] = learning_rate
        # For dropout and the like.
        torch.manual_seed(seed_of(self.config.seed, epoch, step))
        batch = self.data.batch(rows, self.device)
        n_observed, n_masks = int((~torch.isnan(batch.y_true)).sum()), int(batch.has_mask.sum())
        seeds = [seed_of(self.config.seed, epoch, row, 1) for row in rows.tolist()]
        sums = np.zeros(3)
        for part in np.array_split(np.arange(len(rows)), min(self.config.accumulation, len(rows))):
            loss = self._backward(
                Batch(*(tensor[part] for tensor in batch)), [seeds[i] for i in part], n_observed, n_masks
            )
            sums += loss
            if not np.isfinite(loss).all():
                self.optimizer.zero_grad()
                raise NonFiniteLossError(self._told("the loss is not finite", rows[part], epoch, step, loss))
        self.scaler.unscale_(self.optimizer)
        limit = math.inf if self.config.clip_norm is None else self.config.clip_norm
        norm = float(torch.nn.utils.clip_grad_norm_(self.model.parameters(), limit))
        if not math.isfinite(norm) and not self.precision.scales:
            self.optimizer.zero_grad()
            raise NonFiniteLossError(self._told("the gradient is not finite", rows, epoch, step, sums))
        self.scaler.step(self.optimizer)
        self.scaler.update()
        self.optimizer.zero_grad(set_to_none=True)
        self.n_steps += 1
        self._follow()
        total, classification, segmentation = sums.tolist()
        return StepLoss(total, classification, segmentation, norm)

    def state(self) -> dict[str, Any]:
        """Return what `restore` needs."""
        return {
            "model": self.model.state_dict(),
            "average": None if self.average is None else self.average.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "scaler": self.scaler.state_dict(),
            "n_steps": self.n_steps,
        }

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from a state."""
        self.model.load_state_dict(state["model"])
        if self.average is not None:
            self.average.load_state_dict(state["average"])
        self.optimizer.load_state_dict(state["optimizer"])
        self.scaler.load_state_dict(state["scaler"])
        self.n_steps = state["n_steps"]

    def _backward(
        self, batch: Batch, seeds: Sequence[int], n_observed: int, n_masks: int
    ) -> NDArray[np.float64]:
        image, mask = as_input(batch.image), batch.mask.float()
        if self.config.augmentation is not None:
            image, moved = augment(image, mask, seeds=seeds, settings=self.config.augmentation)
            assert moved is not None
            mask = moved
        if self.device.type == "cuda":
            image = image.contiguous(memory_format=torch.channels_last_3d)
        with self.precision.autocast():
            output: Output = self.model(image)
        loss = network_loss(
            output,
            batch.y_true,
            mask,
            batch.has_mask,
            pos_weight=self.pos_weight,
            classification_weight=self.config.classification_weight,
            segmentation_weight=self.config.segmentation_weight,
            n_observed=n_observed,
            n_masks=n_masks,
        )
        self.scaler.scale(loss.total).backward()  # type: ignore[no-untyped-call]
        return np.array(torch.stack([part.detach().double() for part in loss]).tolist())

    def _follow(self) -> None:
        """Move the running average towards the weights; faster in the first steps, which are far off."""
        if self.average is None or self.config.ema is None:
            return
        decay = min(self.config.ema, (1 + self.n_steps) / (10 + self.n_steps))
        with torch.no_grad():
            theirs = self.model.state_dict()
            for name, mine in self.average.state_dict().items():
                if mine.is_floating_point():
                    mine.lerp_(theirs[name], 1 - decay)
                else:
                    mine.copy_(theirs[name])

    def _pos_weight(self) -> Tensor | None:
        asked = self.config.pos_weight
        if asked is None:
            return None
        if asked == "balanced":
            rows = torch.as_tensor(self.data.rows(self.config.train_set), device=self.data.y_true.device)
            return balanced_pos_weight(self.data.y_true[rows]).to(self.device)
        return torch.tensor(asked, dtype=torch.float32, device=self.device)

    def _told(
        self, what: str, rows: NDArray[np.intp], epoch: int, step: int, loss: NDArray[np.float64]
    ) -> str:
        patients = ", ".join(self.data.patient_id[row] for row in rows.tolist())
        total, classification, segmentation = loss
        return (
            f"{what} in epoch {epoch}, step {step}: loss {total:g}, cross-entropy {classification:g}, Dice loss "
            f"{segmentation:g}, learning rate {self.optimizer.param_groups[0]['lr']:g}, precision "
            f"{self.precision.name}; patients of the batch: {patients}"
        )
