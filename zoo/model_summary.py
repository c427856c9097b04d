"""What each model of the zoo costs: the table of ``biomark zoo list``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

from .exporting import scripted
from .registry import create_model, list_models, model_record

__all__ = ["model_table", "n_flops", "n_parameters"]


def n_parameters(model: nn.Module) -> int:
    """Return the number of weights that are learnt."""
    return sum(parameter.numel() for parameter in model.parameters() if parameter.requires_grad)


def n_flops(model: nn.Module, *, size: int = 128, in_channels: int = 1) -> int:
    """Return the floating-point operations of one volume through a network, forward, all refinement passes included.

    A multiplication and an addition count as two. Convolutions and matrix products are counted; batch norm, pooling
    and interpolation, a percent or two, are not. Nothing is computed: the network is moved to the meta device for it
    and cannot be used afterwards.

    Parameters
    ----------
    model : nn.Module
    size : int
        Side of the volume.
    in_channels : int
    """
    model = model.to("meta").eval()
    volume = torch.empty(1, in_channels, size, size, size, device="meta")
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(volume)
    return int(counter.get_total_flops())


def model_table(names: Sequence[str] | None = None, *, size: int = 128) -> pd.DataFrame:
    """Return one row per model and task.

    Parameters
    ----------
    names : sequence of str, optional
        Those of `biomark.zoo.list_models` if not given; ``timm3d/<name>`` is taken too.
    size : int
        Side of the volume for which operations are counted.

    Returns
    -------
    pandas.DataFrame
        ``model``, ``task``, ``parameters``, ``flops`` (forward, one volume; see `n_flops`), ``features`` (length of
        the feature vector), ``scriptable`` (whether TorchScript compiles it), ``summary``.

    Examples
    --------
    >>> table = model_table(["resnet10_3d"], size=32)
    >>> list(table["task"]), table["parameters"].tolist(), table["scriptable"].tolist()
    (['single-task', 'multi-task'], [14361283, 16975460], [True, True])
    """
    rows: list[dict[str, Any]] = []
    for name in list_models() if names is None else names:
        record = model_record(name)
        for task in record.tasks:
            if name.startswith("timm3d/"):
                # Some of them compute while they are made, which the meta device cannot.
                model = create_model(name, task=task)
            else:
                with torch.device("meta"):
                    model = create_model(name, task=task)
            rows.append(
                {
                    "model": name,
                    "task": task,
                    "parameters": n_parameters(model),
                    "flops": n_flops(model, size=size),
                    "features": int(model.classifier.in_features),  # type: ignore[union-attr, arg-type]
                    "scriptable": _is_scriptable(model),
                    "summary": record.summary,
                }
            )
    return pd.DataFrame(rows)


def _is_scriptable(model: nn.Module) -> bool:
    try:
        scripted(model)
    except Exception:
        # What TorchScript cannot read raises half a dozen types.
        return False
    return True
