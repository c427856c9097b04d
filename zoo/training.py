"""Train a network on a cohort; stop it at any moment and go on as if nothing had happened."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from ..errors import BiomarkError, BiomarkWarning, OneClassError
from ..stats.results import FloatArray, Result, plain
from ..stats.roc import auc
from .checkpoint import load_state, remove_parts, save_state, save_weights, write_text
from .cohort import read_cohort
from .inference import Inference, batches_of, run_network
from .learner import Learner, NonFiniteLossError, StepLoss, learning_rate_at, seed_of
from .model_card import model_card
from .precision import Precision, choose_precision
from .preprocessing_cache import cache_cohort
from .process_group import ALONE, Processes, device_of, process_group
from .registry import create_model
from .run_folder import Metrics, RunFolder, describe_data, describe_environment
from .training_config import TrainingConfig
from .training_data import VolumeData, volume_data

__all__ = ["NonFiniteLossError", "TrainingProgress", "TrainingRun", "fit", "train"]

_STATE_VERSION = 1
# Seconds between two looks at what the steps lost.
_READ_EVERY = 0.5
# Steps that earn the minute which compiling a network takes.
_WORTH_COMPILING = 2000


@dataclass(frozen=True, slots=True)
class TrainingProgress(Result):
    """What `train` tells while it runs.

    Attributes
    ----------
    phase : "preprocessing", "step" or "epoch"
    done, total : int
        Volumes preprocessed, steps of the epoch, or epochs.
    epoch, epochs : int
        The epoch that runs or has just ended, from 1.
    metrics : dict
        Of the epoch that has just ended (see `biomark.zoo.read_metrics`); empty in the other phases.
    volumes_per_second, seconds_left : float
        Of training; NaN before the first epoch has ended. The time left is that of all epochs: stopping early is not
        foreseen.
    """

    phase: str
    done: int
    total: int
    epoch: int = 0
    epochs: int = 0
    metrics: Metrics = field(default_factory=dict)
    volumes_per_second: float = float("nan")
    seconds_left: float = float("nan")


@dataclass(frozen=True, slots=True)
class TrainingRun(Result):
    """A finished run.

    Attributes
    ----------
    folder : str
    best_epoch : int
        Whose weights are ``best.safetensors``.
    macro_auc : float
        Of the best epoch on the validation set; NaN where no label has both classes there.
    epochs : int
        That were run.
    stopped_early : bool
    history : list of dict
        See `biomark.zoo.read_metrics`.
    """

    folder: str
    best_epoch: int
    macro_auc: float
    epochs: int
    stopped_early: bool
    history: list[Metrics] = field(repr=False)


Progress = Callable[[TrainingProgress], None]


def train(config: TrainingConfig, *, progress: Progress | None = None, resume: bool = False) -> TrainingRun:
    """Preprocess a cohort and train a network on it.

    Parameters
    ----------
    config : TrainingConfig
    progress : function of TrainingProgress, optional
    resume : bool
        Go on with the run in ``config.out``: with the same settings and data, the same result, bit for bit on the
        processor with as many threads, as if it had never stopped. Starts anew where the folder has no state yet.

    Returns
    -------
    TrainingRun

    Raises
    ------
    BiomarkError
        For settings or data that cannot be used, a folder that holds a run already, or a resumed run with other
        settings or data.
    NonFiniteLossError
        Where the loss is no longer a number; the message names the batch.
    """
    with process_group(config.device) as processes:
        return _train(config, progress, resume, processes)


def _train(
    config: TrainingConfig, progress: Progress | None, resume: bool, processes: Processes
) -> TrainingRun:
    folder = RunFolder(Path(config.out))
    _check_folder(folder, config, resume)
    cohort = read_cohort(config.cohort, labels=config.labels or None)
    rows = np.concatenate(
        [cohort.rows(name) for name in dict.fromkeys([config.train_set, config.validation_set])]
    )

    def tell(done: int, total: int) -> None:
        if progress is not None:
            progress(TrainingProgress("preprocessing", done, total))

    cached = cache_cohort(
        cohort.take(np.sort(rows)),
        config.cache_folder,
        config.preprocessing,
        dtype=config.cache_dtype,
        progress=tell,
        processes=processes,
    )
    with processes.first_before_others():
        data = volume_data(cached, storage=config.storage)
    return fit(config, data, progress=progress, resume=resume, processes=processes)


def fit(
    config: TrainingConfig,
    data: VolumeData,
    *,
    progress: Progress | None = None,
    resume: bool = False,
    processes: Processes = ALONE,
) -> TrainingRun:
    """Train a network on volumes in memory; see `train`.

    Notes
    -----
    The best epoch is that of the highest macro AUC on the validation set, the lower loss deciding between equal ones.
    Labels of one class there are left out of the mean.
    """
    folder = RunFolder(Path(config.out))
    _check_folder(folder, config, resume)
    # All have looked before the first one writes.
    processes.wait()
    config = replace(config, labels=data.labels)
    device = device_of(config.device, processes)
    precision = choose_precision(config.precision, device, learns=True)
    if precision.note and processes.is_first:
        what = f"precision {config.precision}: {precision.note}; the network learns in {precision.name}"
        warnings.warn(BiomarkWarning(what), stacklevel=2)
    if isinstance(config.pos_weight, tuple) and len(config.pos_weight) != len(data.labels):
        raise BiomarkError(f"pos_weight must have one number for each of {', '.join(data.labels)}")
    trained, validated = data.rows(config.train_set), data.rows(config.validation_set)
    if len(trained) < max(2, processes.size):
        raise BiomarkError(
            f"the set {config.train_set!r} must hold two patients or more, and one for each process, "
            f"found {len(trained)}"
        )
    if config.batch_size < processes.size:
        raise BiomarkError(
            f"batch_size must be at least the number of processes ({processes.size}), found {config.batch_size}"
        )
    torch.manual_seed(seed_of(config.seed))
    model = create_model(config.model, task=config.task, labels=data.labels, **dict(config.model_options))
    if device.type == "cuda":
        torch.backends.cudnn.benchmark = True
    learner = Learner(
        config,
        model,
        data.placed(device),
        device=device,
        precision=precision,
        acceleration=chosen_acceleration(config, len(trained), device, precision, processes),
        processes=processes,
    )
    history: list[Metrics] = []
    if resume and folder.state.is_file():
        history = _go_on(folder, learner, data)
    elif processes.is_first:
        folder.make()
        folder.write_json(folder.environment, describe_environment(device, precision))
        folder.write_json(folder.data, describe_data(data))
        write_text(folder.config, config.to_yaml())
    processes.wait()
    writer = None
    if processes.is_first:
        remove_parts(folder.path)
        folder.write_metrics(history)
        writer = _events(config, folder, len(history))
    while len(history) < config.epochs and not _is_stale(history, config.patience):
        epoch = len(history) + 1
        metrics = _epoch(learner, trained, epoch, history, progress)
        learner.agree()
        metrics |= _validation(learner, validated)
        metrics["best"] = not history or _rank(metrics) > max(_rank(other) for other in history)
        history.append(_told_plainly(metrics))
        last = epoch == config.epochs or _is_stale(history, config.patience)
        if processes.is_first:
            _keep(folder, learner, history, whole=last or epoch % config.checkpoint_every == 0)
        # Nobody runs ahead of what is written.
        processes.wait()
        if writer is not None:
            _write_events(writer, history[-1])
        if progress is not None:
            progress(_told_epoch(history, config.epochs))
    if writer is not None:
        writer.close()
    run = _finish(folder, config, learner, history)
    processes.wait()
    return run


def _check_folder(folder: RunFolder, config: TrainingConfig, resume: bool) -> None:
    if config.tensorboard:
        # Before anything is written: a folder that is begun is not begun again.
        _summary_writer()
    if not folder.config.is_file():
        return
    if not resume:
        raise BiomarkError(
            f"{folder.path} holds a run already; go on with it (--resume), or name another folder"
        )
    held = folder.read_config()
    # Labels that were not named are those of the cohort, which the data's digest guards.
    asked = config if config.labels else replace(config, labels=held.labels)
    changed = held.differences(asked)
    if changed:
        told = ", ".join(
            f"{name} {held.to_dict()[name]!r} became {asked.to_dict()[name]!r}" for name in changed
        )
        raise BiomarkError(
            f"{folder.path} was begun with other settings ({told}); a run goes on with its own"
        )


def _go_on(folder: RunFolder, learner: Learner, data: VolumeData) -> list[Metrics]:
    held = folder.read_data()
    if held.get("digest") != data.digest:
        raise BiomarkError(f"{folder.path} was begun with other data; a run goes on with its own")
    state = load_state(folder.state, device=learner.device)
    if state.get("version") != _STATE_VERSION:
        raise BiomarkError(
            f"{folder.state} is a state of version {state.get('version')}, not {_STATE_VERSION}"
        )
    learner.restore(state["learner"])
    history: list[Metrics] = state["history"]
    return history


def _epoch(
    learner: Learner, rows: NDArray[np.intp], epoch: int, history: list[Metrics], progress: Progress | None
) -> Metrics:
    config = learner.config
    order = np.random.default_rng([config.seed, epoch]).permutation(rows)
    # A process that norms by its own share needs two patients, as one process alone does.
    least = learner.processes.size if config.sync_batch_norm else 2 * learner.processes.size
    batches = list(batches_of(order, config.batch_size, max(2, least)))
    began = read = time.perf_counter()
    losses: list[StepLoss] = []
    rate = 0.0
    for step, batch in enumerate(batches, start=1):
        # The rate of the middle of the step: never 0, neither first nor last.
        rate = learning_rate_at(config, epoch - 1 + (step - 0.5) / len(batches))
        learner.step(batch, epoch=epoch, step=step, learning_rate=rate)
        if step < len(batches):
            learner.prepare(batches[step])
        # Reading waits for the device, so it is done seldom.
        if step == len(batches) or time.perf_counter() - read > _READ_EVERY:
            losses += learner.losses()
            read = time.perf_counter()
            if progress is not None:
                mean = _weighted(losses, batches)[0]
                progress(_told_step(history, config.epochs, epoch, step, len(batches), mean))
    seconds = time.perf_counter() - began
    total, classification, segmentation = _weighted(losses, batches).tolist()
    return {
        "epoch": epoch,
        "learning_rate": rate,
        "train_loss": total,
        "train_classification": classification,
        "train_segmentation": segmentation,
        "gradient_norm": float(np.mean([loss.gradient_norm for loss in losses])),
        "seconds": seconds,
        "volumes_per_second": len(rows) / seconds,
    }


def _weighted(losses: list[StepLoss], batches: list[NDArray[np.intp]]) -> FloatArray:
    """Return the mean loss and its parts over the patients of the steps that are done."""
    weights = np.array([len(batch) for batch in batches[: len(losses)]], dtype=np.float64)
    terms = np.array([loss[:3] for loss in losses])
    means: FloatArray = weights @ terms / weights.sum()
    return means


def _validation(learner: Learner, rows: NDArray[np.intp]) -> Metrics:
    config = learner.config
    began = time.perf_counter()
    with learner.stepping.as_written():
        found = run_network(
            learner.evaluated,
            learner.data,
            rows,
            batch_size=config.batch_size,
            device=learner.device,
            precision=learner.precision,
            pos_weight=learner.pos_weight,
            loss_weights=(config.classification_weight, config.segmentation_weight),
            processes=learner.processes,
        )
    aucs = label_aucs(found, learner.data.y_true[torch.as_tensor(rows)].double().cpu().numpy())
    defined = aucs[~np.isnan(aucs)]
    dice = found.dice[~np.isnan(found.dice)]
    return {
        "validation_loss": found.loss,
        "validation_classification": found.classification,
        "validation_segmentation": found.segmentation,
        "validation_macro_auc": float(defined.mean()) if defined.size else float("nan"),
        **{
            f"validation_auc_{label}": float(value)
            for label, value in zip(learner.data.labels, aucs, strict=True)
        },
        "validation_dice": float(dice.mean()) if dice.size else float("nan"),
        "validation_seconds": time.perf_counter() - began,
    }


def label_aucs(found: Inference, y_true: FloatArray) -> FloatArray:
    """Return the AUC of each label over the patients who have it; NaN where they are of one class."""
    values = np.full(y_true.shape[1], np.nan)
    for i in range(len(values)):
        known = ~np.isnan(y_true[:, i])
        try:
            values[i] = auc(y_true[known, i], found.logits[known, i])
        except OneClassError:
            continue
    return values


def _rank(metrics: Metrics) -> tuple[float, float]:
    """Higher is better: first the macro AUC, undefined below all others, then the loss."""
    macro = metrics["validation_macro_auc"]
    return (-1.0 if macro is None or np.isnan(macro) else macro, -metrics["validation_loss"])


def _best(history: list[Metrics]) -> Metrics:
    return [epoch for epoch in history if epoch["best"]][-1]


def _is_stale(history: list[Metrics], patience: int | None) -> bool:
    return bool(history) and patience is not None and len(history) - _best(history)["epoch"] >= patience


def _told_plainly(metrics: Metrics) -> Metrics:
    held: Metrics = plain(metrics)
    return held


def _keep(folder: RunFolder, learner: Learner, history: list[Metrics], *, whole: bool) -> None:
    """Write weights first and the state last: what a state that was not reached did to them is done again."""
    epoch = history[-1]
    facts = {"epoch": str(epoch["epoch"]), "model": learner.config.model, "task": learner.config.task}
    if epoch["best"]:
        save_weights(folder.weights("best"), learner.evaluated, facts)
    if whole:
        save_weights(folder.weights("last"), learner.evaluated, facts)
        state = {"version": _STATE_VERSION, "learner": learner.state(), "history": history}
        save_state(folder.state, state)
    folder.write_metrics(history)


def _finish(
    folder: RunFolder, config: TrainingConfig, learner: Learner, history: list[Metrics]
) -> TrainingRun:
    best = _best(history)
    macro = best["validation_macro_auc"]
    run = TrainingRun(
        str(folder.path),
        best["epoch"],
        float("nan") if macro is None else macro,
        len(history),
        len(history) < config.epochs,
        history,
    )
    if not learner.processes.is_first:
        return run
    summary: dict[str, Any] = {
        "best_epoch": run.best_epoch,
        "epochs": run.epochs,
        "stopped_early": run.stopped_early,
        "best": best,
        "seconds": sum(epoch["seconds"] + epoch["validation_seconds"] for epoch in history),
        "acceleration": learner.stepping.acceleration,
        "acceleration_note": learner.stepping.note,
    }
    folder.write_json(folder.summary, summary)
    write_text(folder.card, model_card(folder, learner.model, summary))
    return run


def chosen_acceleration(
    config: TrainingConfig,
    n_trained: int,
    device: torch.device,
    precision: Precision,
    processes: Processes = ALONE,
) -> str:
    """Return what ``auto`` stands for: see `TrainingConfig.acceleration`."""
    if processes.several and config.acceleration in ("auto", "captured"):
        # The exchange of gradients is not recorded.
        return "eager"
    if config.acceleration == "captured" and precision.scales:
        # A scaled step decides on the processor.
        return "compiled"
    if config.acceleration != "auto":
        return config.acceleration
    steps = config.epochs * max(n_trained // config.batch_size, 1)
    worth = device.type == "cuda" and not precision.scales and steps >= _WORTH_COMPILING
    return "captured" if worth else "eager"


def _told_step(
    history: list[Metrics], epochs: int, epoch: int, step: int, steps: int, loss: float
) -> TrainingProgress:
    past = _told_epoch(history, epochs) if history else TrainingProgress("epoch", 0, 0)
    return replace(
        past,
        phase="step",
        done=step,
        total=steps,
        epoch=epoch,
        epochs=epochs,
        metrics={"train_loss": float(loss)},
    )


def _told_epoch(history: list[Metrics], epochs: int) -> TrainingProgress:
    spent = [epoch["seconds"] + epoch["validation_seconds"] for epoch in history[-5:]]
    left = float(np.mean(spent)) * (epochs - len(history))
    done = len(history)
    return TrainingProgress(
        "epoch", done, epochs, done, epochs, history[-1], history[-1]["volumes_per_second"], left
    )


def _events(config: TrainingConfig, folder: RunFolder, done: int) -> Any:
    if not config.tensorboard:
        return None
    return _summary_writer()(str(folder.path / "events"), purge_step=done + 1)


def _summary_writer() -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ModuleNotFoundError:
        raise BiomarkError("events for TensorBoard need it installed: pip install tensorboard") from None
    return SummaryWriter


def _write_events(writer: Any, metrics: Metrics) -> None:
    for name, value in metrics.items():
        if isinstance(value, float):
            part, _, rest = name.partition("_")
            told = f"{part}/{rest}" if part in ("train", "validation") else name
            writer.add_scalar(told, value, metrics["epoch"])
    writer.flush()
