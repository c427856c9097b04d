"""The folder of a training run, complete and portable.

What lies in it::

config.yaml        the settings, every default written out
environment.json   versions, device, threads
data.json          digest of what was seen, patients and labels of each set (no patient is named)
metrics.jsonl      one line per epoch
best.safetensors   weights of the best epoch on the validation set
last.safetensors   weights of the last epoch
state.pt           what `--resume` goes on from: weights, optimiser, history
summary.json       the best epoch and its figures
MODEL_CARD.md      what the model is, written from the facts above
curves.html        loss, AUC, Dice, rate and speed by epoch, drawn by `biomark train` and `biomark curves`
"""

from __future__ import annotations

import json
import platform
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn

from .. import __version__
from ..errors import BiomarkError, InputFileError, Problem
from ..stats.predictions import NATURAL_ORDER
from ..stats.results import plain
from .checkpoint import load_weights, write_text
from .precision import Precision, cudnn_version
from .registry import create_model
from .training_config import TrainingConfig, read_config
from .training_data import VolumeData

__all__ = ["RunFolder", "describe_data", "describe_environment", "load_model", "read_metrics"]

Metrics = dict[str, Any]


@dataclass(frozen=True, slots=True)
class RunFolder:
    """Paths of a run's files.

    Parameters
    ----------
    path : Path
    """

    path: Path

    @property
    def config(self) -> Path:
        """Settings, YAML."""
        return self.path / "config.yaml"

    @property
    def environment(self) -> Path:
        """Versions and device, JSON."""
        return self.path / "environment.json"

    @property
    def data(self) -> Path:
        """What was seen, JSON."""
        return self.path / "data.json"

    @property
    def metrics(self) -> Path:
        """One JSON object per line and epoch."""
        return self.path / "metrics.jsonl"

    @property
    def state(self) -> Path:
        """Where `--resume` goes on from."""
        return self.path / "state.pt"

    @property
    def summary(self) -> Path:
        """The best epoch, JSON."""
        return self.path / "summary.json"

    @property
    def card(self) -> Path:
        """The model card, Markdown."""
        return self.path / "MODEL_CARD.md"

    def weights(self, which: str = "best") -> Path:
        """Weights of the ``best`` or the ``last`` epoch, safetensors."""
        return self.path / f"{which}.safetensors"

    def make(self) -> None:
        """Make the folder."""
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise BiomarkError(f"{self.path}: the folder cannot be made: {error.strerror}") from None

    def read_config(self) -> TrainingConfig:
        """Return the run's settings."""
        if not self.config.is_file():
            raise InputFileError(
                str(self.path), [Problem("not the folder of a run: there is no config.yaml in it")]
            )
        return read_config(self.config)

    def read_data(self) -> dict[str, Any]:
        """Return what was seen."""
        return _json(self.data)

    def read_environment(self) -> dict[str, Any]:
        """Return versions and device."""
        return _json(self.environment)

    def write_json(self, path: Path, value: object) -> None:
        """Write a result as JSON that people can read, whole or not at all."""
        text = json.dumps(plain(value), indent=2, ensure_ascii=False, allow_nan=False)
        write_text(path, text + "\n")

    def write_metrics(self, history: list[Metrics]) -> None:
        """Write one line per epoch, whole or not at all."""
        lines = [json.dumps(plain(epoch), ensure_ascii=False, allow_nan=False) for epoch in history]
        write_text(self.metrics, "".join(f"{line}\n" for line in lines))


def read_metrics(run: str | Path) -> list[Metrics]:
    """Return the epochs of a run's ``metrics.jsonl`` as dictionaries; None where a figure is undefined.

    Parameters
    ----------
    run : path
        The folder, or the file.

    Returns
    -------
    list of dict
        ``epoch`` (from 1), ``learning_rate``, ``train_loss``, ``train_classification``, ``train_segmentation``, the
        same for ``validation_``, ``validation_macro_auc``, ``validation_auc_<label>``, ``validation_dice``,
        ``gradient_norm``, ``seconds``, ``volumes_per_second``, ``best`` (whether it was the best so far).
    """
    path = Path(run)
    path = RunFolder(path).metrics if path.is_dir() else path
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        return [json.loads(line) for line in lines if line]
    except OSError as error:
        raise InputFileError(str(path), [Problem(f"cannot be read: {error.strerror}")]) from None
    except ValueError as error:
        raise InputFileError(str(path), [Problem(f"is not one JSON object per line: {error}")]) from None


def load_model(run: str | Path, *, which: str = "best") -> nn.Module:
    """Return a run's network, in evaluation mode on the processor.

    Parameters
    ----------
    run : path
        The folder.
    which : "best" or "last"
    """
    folder = RunFolder(Path(run))
    config = folder.read_config()
    labels = folder.read_data()["labels"]
    # The weights that the network began from are not read again.
    options = {k: v for k, v in config.model_options.items() if k not in ("weights", "pretrained")}
    model = create_model(config.model, task=config.task, labels=labels, **options)
    load_weights(folder.weights(which), model)
    return model.eval()


def describe_environment(device: torch.device, precision: Precision) -> dict[str, Any]:
    """Return versions, device and threads; no name of the machine or of its user."""
    described: dict[str, Any] = {
        "biomark": __version__,
        "python": platform.python_version(),
        "torch": torch.__version__,
        "numpy": np.__version__,
        "system": f"{platform.system()} {platform.machine()}",
        "device": device.type,
        "precision": precision.name,
        "precision_note": precision.note,
        "threads": torch.get_num_threads(),
    }
    if device.type == "cuda":
        described |= {
            "device_name": torch.cuda.get_device_name(device),
            "cuda": torch.version.cuda,
            "cudnn": cudnn_version(),
        }
    return described


def describe_data(data: VolumeData) -> dict[str, Any]:
    """Return the digest, and of each set the patients, masks, positives and negatives; no patient is named."""
    sets = {}
    for name in sorted(data.set_names, key=_place):
        rows = torch.as_tensor(data.rows(name), device=data.y_true.device)
        y = data.y_true[rows]
        sets[name] = {
            "patients": len(rows),
            "masks": int(data.has_mask[rows].sum()),
            "positive": dict(zip(data.labels, (y == 1).sum(0).tolist(), strict=True)),
            "negative": dict(zip(data.labels, (y == 0).sum(0).tolist(), strict=True)),
        }
    return {
        "digest": data.digest,
        "simulated": data.simulated,
        "labels": list(data.labels),
        "volume_shape": list(data.images.shape[2:]),
        "sets": sets,
    }


def _place(name: str) -> int:
    """Return where a set is told: training, validation and test in this order, others after them as they come."""
    return NATURAL_ORDER.index(name) if name in NATURAL_ORDER else len(NATURAL_ORDER)


def _json(path: Path) -> dict[str, Any]:
    try:
        held: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputFileError(str(path), [Problem(f"cannot be read: {error.strerror}")]) from None
    except ValueError as error:
        raise InputFileError(str(path), [Problem(f"is not JSON: {error}")]) from None
    return held
