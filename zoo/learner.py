"""One step of learning: the network, its optimiser, the scale of its loss, the running average of its weights."""

from __future__ import annotations

import copy
import inspect
import math
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ..errors import BiomarkError, FailedWorkError
from ..stats.results import FloatArray
from .loss_journal import LossJournal
from .losses import balanced_pos_weight, network_loss
from .output import Output
from .precision import Precision
from .process_group import ALONE, Processes
from .step_queue import StepQueue
from .synchronised_norm import synchronise_batch_norm
from .training_config import TrainingConfig
from .training_data import Batch, VolumeData
from .varied_batches import VariedBatches

__all__ = ["Learner", "NonFiniteLossError", "StepLoss", "learning_rate_at", "seed_of"]


# Buffers are not exchanged at every step: `Learner.agree` does it once an epoch. Torch renamed the option.
_OWN_BUFFERS: dict[str, Any] = {
    next(
        name
        for name in ("forward_sync_buffers", "broadcast_buffers")
        if name in inspect.signature(nn.parallel.DistributedDataParallel).parameters
    ): False
}


class NonFiniteLossError(FailedWorkError):
    """The loss or its gradient is not a number; the message names the batch. The weights were not changed by it."""


class StepLoss(NamedTuple):
    """Of one batch: the loss, its parts, and the norm of the gradient before clipping."""

    total: float
    classification: float
    segmentation: float
    gradient_norm: float


class _Step(NamedTuple):
    """Which batch a step saw, for the message if it fails."""

    rows: NDArray[np.intp]
    epoch: int
    step: int
    learning_rate: float


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
    acceleration : "eager", "compiled" or "captured"
        On CUDA alone: whether the network's regions are compiled (`biomark.zoo.acceleration`), and whether whole steps
        are then recorded in a CUDA graph.
    processes : Processes
        That learn together: each from its share of a batch, with the gradient of the whole.

    Notes
    -----
    On CUDA `step` puts work on a queue and returns; nothing in it waits for the device. What the steps lost is read
    with `losses`, at the end of an epoch or twice a second.
    """

    def __init__(
        self,
        config: TrainingConfig,
        model: nn.Module,
        data: VolumeData,
        *,
        device: torch.device,
        precision: Precision,
        acceleration: str = "eager",
        processes: Processes = ALONE,
    ) -> None:
        self.processes = processes
        self.config, self.data, self.device, self.precision = config, data, device, precision
        cuda = device.type == "cuda"
        self.model = precision.placed(model, device)
        self.average = None if config.ema is None else copy.deepcopy(self.model).requires_grad_(False)
        self._parallel: nn.Module = self.model
        if processes.several:
            if config.sync_batch_norm:
                synchronise_batch_norm(self.model)
            # Gradients are averaged in buckets while the backward pass still runs.
            self._parallel = nn.parallel.DistributedDataParallel(
                self.model,
                device_ids=[device] if cuda else None,
                gradient_as_bucket_view=True,
                **_OWN_BUFFERS,
            )
        # On the device, so that a recorded step can be told another rate.
        self._rate = torch.tensor(config.learning_rate, device=device) if cuda else config.learning_rate
        self.optimizer = torch.optim.Adam(
            self.model.parameters(),
            lr=self._rate,
            weight_decay=config.weight_decay,
            fused=True,
            capturable=cuda,
        )
        self.scaler = torch.amp.GradScaler(device.type, enabled=precision.scales)
        self.n_steps = 0
        self._n_updates = torch.zeros((), device=device)
        self.pos_weight = self._pos_weight()
        self.journal = LossJournal(len(StepLoss._fields), device)
        self._asked: list[_Step] = []
        self._failed = torch.zeros((), device=device)
        if cuda and not precision.scales:
            # The fused Adam leaves the weights alone where this is 1.
            self.optimizer.found_inf = self._failed  # type: ignore[attr-defined]
        self.batches = VariedBatches(
            data,
            config.augmentation,
            batch_size=processes.largest_share(config.batch_size),
            with_masks=config.task == "multi-task",
            device=device,
            precision=precision,
        )
        self.stepping = StepQueue(
            self._learn,
            self.model,
            device=device,
            batch_size=processes.largest_share(config.batch_size),
            acceleration=acceleration,
        )

    @property
    def evaluated(self) -> nn.Module:
        """The network that is validated and kept: the running average where there is one."""
        return self.model if self.average is None else self.average

    def step(self, rows: NDArray[np.intp], *, epoch: int, step: int, learning_rate: float) -> None:
        """Learn from one batch.

        Parameters
        ----------
        rows : array of positions in the data
            The whole batch, of which each process learns its share.
        epoch, step : int
            From 1; they seed what is random.
        learning_rate : float

        Raises
        ------
        NonFiniteLossError
            On the processor, before the weights change. On CUDA `losses` raises it: from the step that failed on, no
            weight has changed.
        """
        if self.journal.is_full:
            raise FailedWorkError(
                "more steps were asked for than the journal of losses has rows: read them first"
            )
        self.model.train()
        self._set_rate(learning_rate)
        # For dropout and the like.
        rank = self.processes.rank
        torch.manual_seed(seed_of(self.config.seed, epoch, step, *([rank] if rank else [])))
        mine = self.processes.share(rows)
        seeds = [seed_of(self.config.seed, epoch, row, 1) for row in mine.tolist()]
        self._asked.append(_Step(rows, epoch, step, learning_rate))
        self.stepping.run(lambda: self.batches.batch(mine, seeds))
        self.journal.expect()
        self.n_steps += 1
        if self.device.type == "cpu":
            self._check(self.journal.peek())

    def prepare(self, rows: NDArray[np.intp]) -> None:
        """Begin to gather this process's share of the batch that comes next."""
        self.batches.prepare(self.processes.share(rows))

    def agree(self) -> None:
        """Give all processes the first one's buffers, which differ where batch norm is not synchronised."""
        for network in (self.model, self.average):
            if network is not None:
                self.processes.from_first(list(network.buffers()))

    def losses(self) -> list[StepLoss]:
        """Return what each step since the last call lost. Waits for the device.

        Raises
        ------
        NonFiniteLossError
            With the first batch whose loss or gradient was no number.
        """
        self.stepping.join()
        rows = self.journal.read()
        if self.device.type != "cpu":
            self._check(rows)
        self._asked.clear()
        return [StepLoss(*row) for row in rows.tolist()]

    def state(self) -> dict[str, Any]:
        """Return what `restore` needs."""
        self.stepping.join()
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
        for group in self.optimizer.param_groups:
            group["lr"] = self._rate
        self.scaler.load_state_dict(state["scaler"])
        self.n_steps = state["n_steps"]
        self._n_updates.fill_(self.n_steps)
        # A recorded step knows the old optimiser's tensors.
        self.stepping.forget()

    def _set_rate(self, rate: float) -> None:
        if isinstance(self._rate, Tensor):
            with self.stepping.queue():
                self._rate.fill_(rate)
            return
        for group in self.optimizer.param_groups:
            group["lr"] = rate

    def _learn(self, batch: Batch) -> None:
        """Do one step, from the varied batch to the new weights, without waiting for the device."""
        n = batch.image.shape[0]
        # Of the batch of all processes: the gradient is then that of its mean.
        counts = self.processes.summed(
            torch.stack([(~torch.isnan(batch.y_true)).sum(), batch.has_mask.sum()])
        )
        terms = torch.zeros(3, dtype=torch.float64, device=self.device)
        parts = self._parts(n)
        for k, part in enumerate(parts):
            at = slice(int(part[0]), int(part[-1]) + 1)
            with self._without_exchange(k + 1 < len(parts)):
                terms += self._backward(Batch(*(tensor[at] for tensor in batch)), counts[0], counts[1])
        terms = self.processes.summed(terms)
        self.scaler.unscale_(self.optimizer)
        parameters = list(self.model.parameters())
        norm = torch.nn.utils.get_total_norm([p.grad for p in parameters if p.grad is not None])
        if self.config.clip_norm is not None:
            torch.nn.utils.clip_grads_with_norm_(parameters, self.config.clip_norm, norm)
        row = torch.cat([terms, norm.detach().double().reshape(1)])
        self.journal.add(row)
        if self._may_update(row):
            self.scaler.step(self.optimizer)
            self.scaler.update()
            self._follow()
        self.optimizer.zero_grad(set_to_none=True)

    def _parts(self, n: int) -> list[NDArray[np.intp]]:
        """Return the parts that this process's share goes through in: as large as those of one process alone.

        Batch norm may be unable to learn from one patient, so no part has one alone, unless a whole batch's have.
        """
        count = max(1, self.config.accumulation // self.processes.size)
        whole = self.processes.largest_share(self.config.batch_size)
        least = 1 if count >= whole else 2
        return np.array_split(np.arange(n), max(1, min(count, n // least)))

    def _without_exchange(self, wanted: bool) -> AbstractContextManager[Any]:
        """Gradients of all parts but the last are summed here before they are averaged over the processes."""
        if wanted and isinstance(self._parallel, nn.parallel.DistributedDataParallel):
            return self._parallel.no_sync()
        return nullcontext()

    def _may_update(self, row: Tensor) -> bool:
        """Keep the weights as they are from the first step on whose loss or gradient is no number."""
        if self.precision.scales:
            # The scaler leaves out steps whose gradient overflowed, and tries smaller scales.
            return True
        if self.device.type == "cpu":
            return bool(torch.isfinite(row).all())
        self._failed.copy_(torch.maximum(self._failed, (~torch.isfinite(row).all()).float()))
        return True

    def _backward(self, batch: Batch, n_observed: Tensor, n_masks: Tensor) -> Tensor:
        try:
            with self.precision.autocast():
                output: Output = self._parallel(batch.image)
        except ValueError as error:
            if "more than 1 value per channel" not in str(error):
                raise
            raise BiomarkError(
                "batch norm cannot learn from one volume whose last map is one voxel: take larger volumes "
                f"(preprocessing size {tuple(batch.image.shape[2:])}), or more of them at once (batch_size "
                f"{self.config.batch_size}, accumulation {self.config.accumulation}, {self.processes.size} processes)"
            ) from None
        loss = network_loss(
            output,
            batch.y_true,
            batch.mask,
            batch.has_mask,
            pos_weight=self.pos_weight,
            classification_weight=self.config.classification_weight,
            segmentation_weight=self.config.segmentation_weight,
            n_observed=n_observed,
            n_masks=n_masks,
        )
        # Gradients are averaged over the processes, and the mean of the whole batch is a sum over them.
        self.scaler.scale(loss.total * self.processes.size).backward()  # type: ignore[no-untyped-call]
        return torch.stack([part.detach().double() for part in loss])

    def _follow(self) -> None:
        """Move the running average towards the weights; faster in the first steps, which are far off."""
        if self.average is None or self.config.ema is None:
            return
        self._n_updates += 1
        decay = torch.clamp((1 + self._n_updates) / (10 + self._n_updates), max=self.config.ema)
        mine, theirs = self.average.state_dict(), self.model.state_dict()
        moving = [name for name, tensor in mine.items() if tensor.is_floating_point()]
        with torch.no_grad():
            averages = [mine[name] for name in moving]
            steps = torch._foreach_sub([theirs[name] for name in moving], averages)
            torch._foreach_mul_(steps, 1 - decay)
            torch._foreach_add_(averages, steps)
            for name in mine.keys() - set(moving):
                mine[name].copy_(theirs[name])

    def _pos_weight(self) -> Tensor | None:
        asked = self.config.pos_weight
        if asked is None:
            return None
        if asked == "balanced":
            rows = torch.as_tensor(self.data.rows(self.config.train_set), device=self.data.y_true.device)
            return balanced_pos_weight(self.data.y_true[rows]).to(self.device)
        return torch.tensor(asked, dtype=torch.float32, device=self.device)

    def _check(self, rows: FloatArray) -> None:
        """Raise for the first row that is no number."""
        for asked, row in zip(self._asked[-len(rows) :], rows, strict=True):
            # With a scaled loss, a gradient that overflows is left out and tried again with a smaller scale.
            looked_at = row[:3] if self.precision.scales else row
            if not np.isfinite(looked_at).all():
                what = (
                    "the gradient is not finite" if np.isfinite(row[:3]).all() else "the loss is not finite"
                )
                raise NonFiniteLossError(self._told(what, asked, row))

    def _told(self, what: str, asked: _Step, row: FloatArray) -> str:
        patients = ", ".join(self.data.patient_id[at] for at in asked.rows.tolist())
        total, classification, segmentation, _ = row
        return (
            f"{what} in epoch {asked.epoch}, step {asked.step}: loss {total:g}, cross-entropy {classification:g}, "
            f"Dice loss {segmentation:g}, learning rate {asked.learning_rate:g}, precision {self.precision.name}; "
            f"patients of the batch: {patients}"
        )
