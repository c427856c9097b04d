"""The models by name: one dictionary of records, filled by a decorator; nothing of torch is loaded by asking for names.

A model of your own::

    @zoo.register("mine")
    def mine(*, task, n_labels, in_channels, width=32):
        '''One line that says what it is.'''
        return build_network(MyEncoder(in_channels, width), task=task, n_labels=n_labels)
"""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, TypeVar

from ..errors import BiomarkError, MissingExtraError
from ..stats.inputs import choice, whole_number
from ..stats.results import Result

if TYPE_CHECKING:
    from torch import nn

    Builder = Callable[..., nn.Module]

__all__ = ["TASKS", "ModelRecord", "create_model", "list_models", "model_record", "register"]

TASKS = ("single-task", "multi-task")
TIMM_PREFIX = "timm3d/"

B = TypeVar("B", bound="Builder")


@dataclass(frozen=True, slots=True)
class ModelRecord(Result):
    """What the registry knows of a model.

    Attributes
    ----------
    name : str
    build : function of (task, n_labels, in_channels, **options), all by keyword
        Returns the network: from (B, in_channels, D, H, W) to `biomark.zoo.Output`.
    tasks : tuple of str
        Those it serves.
    summary : str
        First line of the builder's docstring.
    """

    name: str
    build: Builder
    tasks: tuple[str, ...]
    summary: str


_RECORDS: dict[str, ModelRecord] = {}
# Modules whose import registers models.
_OWN = ("resnet",)


def register(name: str, *, tasks: Sequence[str] = TASKS) -> Callable[[B], B]:
    """Enter the decorated builder under a name.

    Parameters
    ----------
    name : str
        Without the prefix ``timm3d/``, which belongs to timm-3d.
    tasks : sequence of str
        Those that the model serves, of "single-task" and "multi-task".

    Raises
    ------
    BiomarkError
        For a name that is taken by another builder, an empty one, or an unknown task.
    """
    if not name or name.startswith(TIMM_PREFIX):
        raise BiomarkError(f"a model's name must not be empty or begin with {TIMM_PREFIX}, found {name!r}")
    for task in tasks:
        choice(task, TASKS, name="tasks")

    def enter(build: B) -> B:
        # A module that is loaded anew brings the same builder again.
        known = _RECORDS.get(name)
        if known is not None and _origin(known.build) != _origin(build):
            raise BiomarkError(f"the model name {name!r} is taken by {'.'.join(_origin(known.build))}")
        summary = (inspect.getdoc(build) or "").partition("\n")[0]
        _RECORDS[name] = ModelRecord(name, build, tuple(tasks), summary)
        return build

    return enter


def list_models(pattern: str = "", *, timm: bool = False) -> list[str]:
    """Return the names of the models, sorted; those with numbers by number.

    Parameters
    ----------
    pattern : str
        Keep names that contain this text.
    timm : bool
        Add those of timm-3d as ``timm3d/<name>`` (its import takes seconds). Not all of them can serve as encoders;
        `create_model` says which cannot, and why.

    Examples
    --------
    >>> list_models("resnet")
    ['resnet10_3d', 'resnet18_3d', 'resnet34_3d', 'resnet50_3d']
    """
    _load_own()
    names = sorted(_RECORDS)
    if timm:
        from .timm3d import list_timm3d

        names += [TIMM_PREFIX + name for name in list_timm3d()]
    return [name for name in names if pattern in name]


def model_record(name: str) -> ModelRecord:
    """Return the record of a name, of one with the prefix ``timm3d/`` too.

    Raises
    ------
    BiomarkError
        For an unknown name; the message lists close ones.
    """
    _load_own()
    if name.startswith(TIMM_PREFIX):
        from .timm3d import timm3d_record

        return timm3d_record(name)
    if name not in _RECORDS:
        raise BiomarkError(unknown_name(name, list(_RECORDS)))
    return _RECORDS[name]


def create_model(
    name: str,
    *,
    task: str = "multi-task",
    labels: Sequence[str] = ("ER", "PR", "HER2"),
    in_channels: int = 1,
    **options: object,
) -> nn.Module:
    """Make a network with new weights.

    Parameters
    ----------
    name : str
        One of `list_models`, or ``timm3d/<name>`` for any encoder of timm-3d.
    task : "multi-task" or "single-task"
        Labels and a segmentation, or labels alone.
    labels : sequence of str
        What the logits stand for, in this order.
    in_channels : int
        Channels of the volume.
    **options
        Of the model: ``width`` of the ResNets (64 in the paper), ``dropout``; for multi-task ``refinement_passes`` and
        ``decoder_width``; for timm-3d ``weights`` (a local file) and ``pretrained``. See `biomark.zoo.resnet`,
        `biomark.zoo.multitask` and `biomark.zoo.timm3d`.

    Returns
    -------
    nn.Module
        From (B, in_channels, D, H, W), any D, H and W from 16 on, to `biomark.zoo.Output`. Its attributes ``labels``,
        ``task`` and ``name`` are those given.

    Raises
    ------
    BiomarkError
        For an unknown name (close ones are listed), task or option, or a model that does not serve the task.
    MissingExtraError
        Without torch, or without timm-3d where it is asked for.

    Examples
    --------
    >>> import torch
    >>> model = create_model("resnet10_3d", width=8).eval()
    >>> output = model(torch.zeros(2, 1, 47, 50, 61))
    >>> output.logits.shape, output.segmentation.shape, output.features.shape
    (torch.Size([2, 3]), torch.Size([2, 1, 47, 50, 61]), torch.Size([2, 64]))
    """
    record = model_record(name)
    if choice(task, TASKS, name="task") not in record.tasks:
        raise BiomarkError(f"{name} serves {', '.join(record.tasks)}, not {task}")
    names = (labels,) if isinstance(labels, str) else tuple(labels)
    if not names or len(set(names)) != len(names) or not all(isinstance(label, str) for label in names):
        raise BiomarkError(f"labels must be different names, at least one; found {labels!r}")
    whole_number(in_channels, name="in_channels")
    model = record.build(task=task, n_labels=len(names), in_channels=in_channels, **options)
    model.labels, model.task, model.name = names, task, name  # type: ignore[assignment]
    return model


def unknown_name(name: str, known: Sequence[str]) -> str:
    """Return the message for a name that is not there."""
    bare = name.removeprefix(TIMM_PREFIX)
    close = difflib.get_close_matches(name, known, n=5, cutoff=0.5)
    close += [other for other in known if bare and bare in other and other not in close][: 5 - len(close)]
    if close:
        return f"there is no model {name!r}; close ones are {', '.join(close)}"
    listed = ", ".join(sorted(known)[:8])
    return f"there is no model {name!r}; there are {listed}, and {TIMM_PREFIX}<name> for those of timm-3d"


def _load_own() -> None:
    for module in _OWN:
        try:
            import_module(f".{module}", __package__)
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] != "torch":
                raise
            raise MissingExtraError("biomark.zoo", "zoo") from None


def _origin(build: Builder) -> tuple[str, str]:
    return build.__module__, build.__qualname__
