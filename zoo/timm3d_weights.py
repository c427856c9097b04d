"""A local file of weights for a network of timm-3d, of two dimensions or of three.

timm-3d reads kernels of two dimensions and turns them into three; its adaptation of the input channels then fails on
kernels that had three from the start, and a name that the file lacks goes unsaid. Both are mended here.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import BiomarkError

__all__ = ["check_complete", "weights_overlay"]


def weights_overlay(name: str, path: str | os.PathLike[str], in_channels: int) -> dict[str, Any]:
    """Return what timm-3d takes as ``pretrained_cfg_overlay`` to load a file.

    Parameters
    ----------
    name : str
        Of the network, without prefix.
    path : path
        Of a file that exists.
    in_channels : int
        First kernels of another number of channels are summed to one, or repeated from one and divided by the number.

    Raises
    ------
    BiomarkError
        For kernels of three dimensions whose channels cannot be adapted.
    """
    from timm_3d.models._helpers import load_state_dict
    from timm_3d.models._registry import get_pretrained_cfg

    state = load_state_dict(os.fspath(path))
    if not any(tensor.ndim == 5 for tensor in state.values()):
        return {"file": os.fspath(path), "source": "file"}
    first = getattr(get_pretrained_cfg(name), "first_conv", None) or ()
    for layer in (first,) if isinstance(first, str) else first:
        kernel = f"{layer}.weight"
        if kernel not in state:
            raise BiomarkError(f"holds no {kernel!r}, which the network has")
        state[kernel] = _of_channels(kernel, state[kernel], in_channels)
    return {"state_dict": state, "source": "timm", "first_conv": None}


def check_complete(network: nn.Module, state: Mapping[str, Tensor]) -> None:
    """Refuse weights in which a name of the network is missing.

    timm-3d takes its networks apart where only feature maps are wanted, and may write dots of a name as underscores.
    """
    held = {key.replace(".", "_") for key in state}
    missing = [key for key in network.state_dict() if key.replace(".", "_") not in held]
    if missing:
        more = f" and {len(missing) - 1} others" if len(missing) > 1 else ""
        raise BiomarkError(f"holds no {missing[0]!r}{more}, which the network has")


def _of_channels(name: str, kernel: Tensor, in_channels: int) -> Tensor:
    held = kernel.shape[1]
    if held == in_channels:
        return kernel
    if in_channels == 1:
        return kernel.sum(1, keepdim=True)
    if held == 1:
        return torch.cat([kernel] * in_channels, dim=1) / in_channels
    raise BiomarkError(f"{name!r} has {held} input channels, the network has {in_channels}")
