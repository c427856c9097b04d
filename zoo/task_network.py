"""An encoder and a task make a network."""

from __future__ import annotations

import inspect
from typing import Any

from torch import nn

from ..errors import BiomarkError
from ..stats.inputs import choice
from .multitask import MultiTaskNetwork
from .output import Encoder
from .registry import TASKS
from .singletask import SingleTaskNetwork

__all__ = ["build_network"]


def build_network(encoder: Encoder, *, task: str, n_labels: int, **options: Any) -> nn.Module:
    """Put the task's head on an encoder.

    Parameters
    ----------
    encoder : Encoder
    task : "single-task" or "multi-task"
    n_labels : int
    **options
        Of `biomark.zoo.singletask.SingleTaskNetwork` or `biomark.zoo.multitask.MultiTaskNetwork`.

    Returns
    -------
    nn.Module
        From (B, C, D, H, W) to `biomark.zoo.Output`.

    Raises
    ------
    BiomarkError
        For an unknown task or option; the message lists those there are.
    """
    choice(task, TASKS, name="task")
    network = SingleTaskNetwork if task == "single-task" else MultiTaskNetwork
    known = [name for name in inspect.signature(network).parameters if name not in ("encoder", "n_labels")]
    for option in options:
        if option not in known:
            raise BiomarkError(f"there is no option {option!r} for {task}; there are {', '.join(known)}")
    return network(encoder, n_labels=n_labels, **options)
