"""The settings of a training run: a dataclass, read from YAML, written into the run's folder."""

from __future__ import annotations

import difflib
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import yaml

from ..errors import BiomarkError, InputFileError, Problem
from ..stats.inputs import choice, whole_number
from .acceleration import ACCELERATIONS
from .augmentation import Augmentation
from .mapped_volumes import STORAGES
from .preprocessing import Preprocessing
from .registry import TASKS
from .task_network import options_of_task

__all__ = ["TrainingConfig", "config_from_dict", "read_config"]

_PACKAGED = Path(__file__).with_name("configs")


@dataclass(frozen=True, slots=True)
class TrainingConfig:
    """Everything that a run depends on, but the data.

    Attributes
    ----------
    cohort : str
        The cohort table (`biomark.zoo.read_cohort`).
    out : str
        Folder of the run; made by it.
    task, model, model_options
        See `biomark.zoo.create_model`.
    labels : tuple of str
        Columns of the cohort to predict; those of ER, PR and HER2 that it has, if empty.
    preprocessing : Preprocessing
    cache : str
        Folder of preprocessed volumes; ``cache`` beside the run's folder if empty. Runs may share it.
    cache_dtype : "uint8" or "float16"
    storage : "auto", "memory" or "mapped"
        Whether preprocessed volumes are read into memory or mapped from a file in the cache; auto: mapped where they
        would take more than half of the memory that is free.
    augmentation : Augmentation or None
        None trains on the volumes as they are.
    epochs, batch_size : int
    accumulation : int
        Parts of a batch that go through the network one after the other, where memory is short. The gradient is that
        of the whole batch; batch norm sees the parts.
    learning_rate, weight_decay : float
        Of Adam; the decay is that of Adam's L2 term.
    schedule : "constant" or "cosine"
        Cosine falls to 0 at the end.
    warmup_epochs : float
        Over which the learning rate rises from 0.
    clip_norm : float or None
        Largest norm of the gradient.
    ema : float or None
        Decay of the running average of the weights, which then is what is validated and kept as best.
    pos_weight : None, "balanced", or one number per label
        How many times a positive counts; balanced: negatives per positive in the training set.
    classification_weight, segmentation_weight : float
    patience : int or None
        Epochs without a better validation after which training stops.
    train_set, validation_set : str
    seed : int
    device : str
        "auto" (CUDA where there is one), "cpu", "cuda", "cuda:1".
    precision : "auto", "fp32", "bf16" or "fp16"
        auto: bf16 on CUDA, fp16 where that is unsafe; fp32 on the processor.
    acceleration : "auto", "eager", "compiled" or "captured"
        On CUDA: run the network as written, with its blocks compiled, or also with whole steps recorded in a CUDA
        graph. auto: captured, where the run has steps enough to earn the minute that compiling takes, and the precision
        is not fp16.
    checkpoint_every : int
        Epochs between states from which a run can be resumed.
    sync_batch_norm : bool
        Under torchrun: batch norm over the volumes of all processes, as one process would see them; else over each
        process's own.
    tensorboard : bool
        Also write events for TensorBoard.
    """

    cohort: str
    out: str
    task: str = "multi-task"
    model: str = "resnet50_3d"
    model_options: Mapping[str, Any] = field(default_factory=dict)
    labels: tuple[str, ...] = ()
    preprocessing: Preprocessing = field(default_factory=Preprocessing)
    cache: str = ""
    cache_dtype: str = "uint8"
    storage: str = "auto"
    augmentation: Augmentation | None = field(default_factory=Augmentation)
    epochs: int = 250
    batch_size: int = 8
    accumulation: int = 1
    learning_rate: float = 1e-3
    weight_decay: float = 0.0
    schedule: str = "constant"
    warmup_epochs: float = 0.0
    clip_norm: float | None = None
    ema: float | None = None
    pos_weight: str | tuple[float, ...] | None = None
    classification_weight: float = 1.0
    segmentation_weight: float = 1.0
    patience: int | None = None
    train_set: str = "train"
    validation_set: str = "validation"
    seed: int = 0
    device: str = "auto"
    precision: str = "auto"
    acceleration: str = "auto"
    checkpoint_every: int = 1
    sync_batch_norm: bool = False
    tensorboard: bool = False

    def __post_init__(self) -> None:
        choice(self.task, TASKS, name="task")
        choice(self.schedule, ("constant", "cosine"), name="schedule")
        choice(self.precision, ("auto", "fp32", "bf16", "fp16"), name="precision")
        choice(self.acceleration, ACCELERATIONS, name="acceleration")
        choice(self.storage, STORAGES, name="storage")
        choice(self.cache_dtype, ("uint8", "float16"), name="cache_dtype")
        for name in ("epochs", "batch_size", "accumulation", "checkpoint_every"):
            whole_number(getattr(self, name), name=name)
        whole_number(self.seed, name="seed", least=0)
        if self.patience is not None:
            whole_number(self.patience, name="patience")
        for name in ("learning_rate", "clip_norm"):
            _number(name, getattr(self, name), positive=True, optional=name == "clip_norm")
        for name in ("weight_decay", "warmup_epochs", "classification_weight", "segmentation_weight"):
            _number(name, getattr(self, name), positive=False)
        if self.ema is not None and not 0.0 < self.ema < 1.0:
            raise BiomarkError(f"ema must lie strictly between 0 and 1, found {self.ema!r}")
        if isinstance(self.pos_weight, str):
            choice(self.pos_weight, ("balanced",), name="pos_weight")
        elif self.pos_weight is not None:
            for weight in self.pos_weight:
                _number("pos_weight", weight, positive=True)
        if self.batch_size < self.accumulation:
            raise BiomarkError(
                f"accumulation must be at most batch_size ({self.batch_size}), found {self.accumulation}"
            )
        for name in ("cohort", "out"):
            if not getattr(self, name):
                raise BiomarkError(f"{name} must be named")

    @property
    def cache_folder(self) -> Path:
        """The folder of preprocessed volumes."""
        return Path(self.cache) if self.cache else Path(self.out).parent / "cache"

    def to_dict(self) -> dict[str, Any]:
        """Return the settings as plain values that YAML and JSON can hold."""
        plain: dict[str, Any] = {}
        for entry in fields(self):
            value = getattr(self, entry.name)
            if isinstance(value, (Preprocessing, Augmentation)):
                value = value.to_dict()
            elif isinstance(value, tuple):
                value = list(value)
            elif isinstance(value, Mapping):
                value = dict(value)
            plain[entry.name] = value
        return plain

    def to_yaml(self) -> str:
        """Return the settings as YAML, in the order of the fields."""
        return yaml.safe_dump(self.to_dict(), sort_keys=False, allow_unicode=True, width=10_000)

    def differences(self, other: TrainingConfig) -> list[str]:
        """Return the names of the settings that differ and change what is learnt."""
        free = (
            "cohort",
            "out",
            "cache",
            "device",
            "storage",
            "acceleration",
            "checkpoint_every",
            "tensorboard",
        )
        mine, theirs = self.to_dict(), other.to_dict()
        return [name for name in mine if name not in free and mine[name] != theirs[name]]


def read_config(
    path: str | os.PathLike[str] | None = None, *, size: int | None = None, **settings: Any
) -> TrainingConfig:
    """Read settings from YAML and put the given ones over them.

    Parameters
    ----------
    path : str or path, optional
        A file, or the name of a configuration that comes with biomark: ``paper``. Defaults hold for what it leaves out.
    size : int, optional
        Side of the volumes, for ``preprocessing: {size: ...}``.
    **settings
        Fields of `TrainingConfig`; those that are None are ignored. With ``task``, options of the file that only the
        other task has are left out, so that one file serves both networks. Without ``out`` anywhere the folder is
        ``runs/<task>-<model>``.

    Raises
    ------
    InputFileError
        With every unknown or unusable setting of the file.
    BiomarkError
        For a setting that cannot be.

    Examples
    --------
    >>> config = read_config("paper", cohort="cohort.csv", out="runs/one", epochs=3)
    >>> config.epochs, config.batch_size, config.learning_rate, config.model
    (3, 8, 0.001, 'resnet50_3d')
    """
    held = {} if path is None else _read_yaml(path)
    if settings.get("task") is not None and isinstance(held.get("model_options"), dict):
        held["model_options"] = _for_task(held["model_options"], settings["task"])
    held.update({name: value for name, value in settings.items() if value is not None})
    if size is not None:
        held["preprocessing"] = {**(held.get("preprocessing") or {}), "size": size}
    # A folder named for what is trained, so that single-task and multi-task runs do not meet.
    held.setdefault(
        "out",
        f"runs/{held.get('task', 'multi-task')}-{held.get('model', 'resnet50_3d')}".replace("/timm3d/", "/"),
    )
    return config_from_dict(held, name="settings" if path is None else os.fspath(path))


def config_from_dict(values: Mapping[str, Any], *, name: str = "settings") -> TrainingConfig:
    """Return the settings of a dictionary, as `TrainingConfig.to_dict` gives it.

    Parameters
    ----------
    values : mapping
    name : str
        What a message calls it.
    """
    known = [entry.name for entry in fields(TrainingConfig)]
    problems = [Problem(_unknown(key, known)) for key in values if key not in known]
    missing = [key for key in ("cohort", "out") if not values.get(key)]
    problems += [Problem(f"{key} must be named") for key in missing]
    made: dict[str, Any] = {}
    for key, value in values.items():
        try:
            made[str(key)] = _field(str(key), value)
        except (BiomarkError, TypeError, ValueError) as error:
            problems.append(Problem(f"{key}: {error}"))
    if problems:
        raise InputFileError(name, problems)
    try:
        return TrainingConfig(**made)
    except BiomarkError as error:
        raise InputFileError(name, [Problem(str(error))]) from None
    except (TypeError, ValueError) as error:
        raise InputFileError(name, [Problem(f"a setting has a wrong type: {error}")]) from None


def _for_task(options: Mapping[str, Any], task: str) -> dict[str, Any]:
    if task not in TASKS:
        return dict(options)
    mine = options_of_task(task)
    others = {name for other in TASKS for name in options_of_task(other) if name not in mine}
    return {name: value for name, value in options.items() if name not in others}


def _field(name: str, value: Any) -> Any:
    if name == "preprocessing":
        return value if isinstance(value, Preprocessing) else _part(Preprocessing(), value)
    if name == "augmentation" and value is not None:
        return value if isinstance(value, Augmentation) else _part(Augmentation(), value)
    if name == "model_options" and not isinstance(value, Mapping):
        raise BiomarkError(f"must be names with values, found {value!r}")
    if name in ("learning_rate", "weight_decay") and isinstance(value, str):
        # YAML takes 1e-3 for text; it wants 1.0e-3.
        return float(value)
    return tuple(value) if isinstance(value, list) else value


def _part(default: Any, value: Any) -> Any:
    if not isinstance(value, Mapping):
        raise BiomarkError(f"must be names with values, found {value!r}")
    known = [entry.name for entry in fields(default)]
    for key in value:
        if key not in known:
            raise BiomarkError(_unknown(key, known))
    return replace(default, **{k: tuple(v) if isinstance(v, list) else v for k, v in value.items()})


def _unknown(key: object, known: list[str]) -> str:
    close = difflib.get_close_matches(str(key), known, n=3)
    return f"there is no setting {key!r}; " + (
        f"close ones are {', '.join(close)}" if close else f"there are {', '.join(known)}"
    )


def _number(name: str, value: object, *, positive: bool, optional: bool = False) -> None:
    if value is None and optional:
        return
    what = "above 0" if positive else "0 or more"
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise BiomarkError(f"{name} must be a number {what}, found {value!r}")
    if value < 0 or (positive and value == 0):
        raise BiomarkError(f"{name} must be {what}, found {value!r}")


def _read_yaml(path: str | os.PathLike[str]) -> dict[str, Any]:
    name = os.fspath(path)
    file = Path(path)
    packaged = _PACKAGED / f"{name}.yaml"
    if not file.exists() and packaged.is_file():
        file = packaged
    try:
        held = yaml.safe_load(file.read_text(encoding="utf-8"))
    except OSError as error:
        there = ", ".join(sorted(entry.stem for entry in _PACKAGED.glob("*.yaml")))
        reason = f"cannot be read: {error.strerror}; configurations that come with biomark: {there}"
        raise InputFileError(name, [Problem(reason)]) from None
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        reason = " ".join(str(error).split())
        raise InputFileError(name, [Problem(f"is not YAML: {reason}")]) from None
    if held is None:
        return {}
    if not isinstance(held, dict):
        raise InputFileError(name, [Problem(f"must hold names with values, found {type(held).__name__}")])
    return held
