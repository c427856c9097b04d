"""Make a network's parts one kernel each where that pays, and do without where it fails."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import nn

from .output import Encoder

__all__ = ["ACCELERATIONS", "compile_network", "eagerly", "regions_of", "release"]

# What a run may ask for; see `TrainingConfig.acceleration`.
ACCELERATIONS = ("auto", "eager", "compiled", "captured")
# Blocks of one kind share what is compiled; a network has some dozens of kinds and modes.
_MOST_KINDS = 256


def regions_of(model: nn.Module) -> Iterator[nn.Module]:
    """Yield the parts that are compiled one by one: small enough to be quick, large enough to fuse what can be."""
    for part in model.children():
        regions: Callable[[], list[nn.Module]] | None = getattr(part, "compiled_regions", None)
        if regions is not None:
            yield from regions()
        elif isinstance(part, Encoder):
            yield part


def compile_network(model: nn.Module) -> None:
    """Let every region compile itself at its first use; parameters and their names stay."""
    limits: Any = torch._dynamo.config
    limits.recompile_limit = max(limits.recompile_limit, _MOST_KINDS)
    for region in regions_of(model):
        region.compile(dynamic=False)


def release(model: nn.Module) -> None:
    """Take `compile_network` back."""
    for region in regions_of(model):
        region._compiled_call_impl = None


def eagerly(compiled: bool) -> AbstractContextManager[Any]:
    """Return a context in which compiled regions run as written: for sizes that come too seldom to compile for."""
    return torch.compiler.set_stance("force_eager") if compiled else nullcontext()
