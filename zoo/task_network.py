"""An encoder and a task make a network."""

from __future__ import annotations

import inspect
from collections.abc import Sequence
from typing import Any

from torch import nn

from ..errors import BiomarkError
from ..stats.inputs import choice
from .multitask import MultiTaskNetwork
from .output import Encoder
from .registry import TASKS
from .singletask import SingleTaskNetwork

__all__ = ["build_network", "options_of_task"]


def build_network(
    encoder: Encoder, *, task: str, n_labels: int, encoder_options: Sequence[str] = (), **options: Any
) -> nn.Module:
    """Put the task's head on an encoder.

    Parameters
    ----------
    encoder : Encoder
    task : "single-task" or "multi-task"
    n_labels : int
    encoder_options : sequence of str
        What the encoder takes, for the message about an option that there is not.
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
    known = options_of_task(task)
    for option in options:
        if option not in known:
            listed = ", ".join([*known, *encoder_options])
            raise BiomarkError(f"there is no option {option!r} for {task}; there are {listed}")
    return network(encoder, n_labels=n_labels, **options)


def options_of_task(task: str) -> tuple[str, ...]:
    """Return the names of a task's own options, those of the encoder apart.

    Examples
    --------
    >>> options_of_task("single-task"), options_of_task("multi-task")
    (('dropout',), ('refinement_passes', 'decoder_width', 'dropout'))
    """
    network = SingleTaskNetwork if task == "single-task" else MultiTaskNetwork
    return tuple(
        name for name in inspect.signature(network).parameters if name not in ("encoder", "n_labels")
    )
