"""The output of one named layer of a network, and what the logits gain where it changes."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.func import functional_call

from ..errors import BiomarkError

__all__ = ["LAST_MAP", "captured_layer", "encoder_layers", "layer_name", "logits_of"]

LAST_MAP = "last_map"
"""The layer of every network of the zoo that passes on the encoder's last map."""


def layer_name(model: nn.Module, layer: str | None) -> str:
    """Return ``layer`` if the model has it, and for None the encoder's last map.

    Raises
    ------
    BiomarkError
        For an unknown name (close ones are listed), or None where the model has no `LAST_MAP`.
    """
    names = [name for name, _ in model.named_modules() if name]
    if layer is None:
        if LAST_MAP in names:
            return LAST_MAP
        raise BiomarkError(
            f"this model has no layer {LAST_MAP!r}; name the last convolutional block with layer=, one of "
            f"{', '.join(names[-8:])} or another"
        )
    if layer in names:
        return layer
    # Without a name that is close: the last map, and the parts that the encoder itself is made of.
    ends = [
        name for name in names if name == LAST_MAP or (name.startswith("encoder.") and name.count(".") <= 2)
    ]
    close = difflib.get_close_matches(layer, names, n=5, cutoff=0.6) or ends[-8:] or names[-8:]
    raise BiomarkError(f"the model has no layer {layer!r}; some that it has are {', '.join(close)}")


@contextmanager
def captured_layer(model: nn.Module, layer: str) -> Iterator[list[Tensor]]:
    """Run the model inside with one layer's output cut out as a variable of its own; the list receives it.

    Nothing of the model is changed by it: the modules are put in evaluation mode and back, each to its own, and the
    hook is removed, whatever happens inside. Passes that the model itself runs without gradient (the earlier ones
    of the iterative refinement) are left alone.
    """
    modules = dict(model.named_modules())
    training = {name: module.training for name, module in modules.items()}
    found: list[Tensor] = []

    def cut(_module: nn.Module, _given: Any, output: Any) -> Tensor | None:
        if not torch.is_grad_enabled():
            return None
        if not isinstance(output, Tensor) or output.ndim != 5:
            what = f"shape {tuple(output.shape)}" if isinstance(output, Tensor) else type(output).__name__
            raise BiomarkError(f"layer {layer!r} must give maps of shape (B, K, d, h, w), it gives {what}")
        if found:
            raise BiomarkError(f"layer {layer!r} runs more than once in a pass; name one that runs once")
        found.append(output.detach().requires_grad_(True))
        # A copy goes on: the next layer may work in place.
        return found[0].clone()

    handle = modules[layer].register_forward_hook(cut)
    try:
        model.eval()
        with torch.inference_mode(False), torch.enable_grad():
            yield found
    finally:
        handle.remove()
        for name, module in modules.items():
            module.training = training[name]


def logits_of(model: nn.Module, volume: Tensor) -> Tensor:
    """Return the logits (B, labels) of a batch, with a graph that begins at a captured layer and not at the weights.

    So the layers before the captured one keep nothing for a backward pass, and no weight gets a gradient.
    """
    constants: Mapping[str, Tensor] = {name: p.detach() for name, p in model.named_parameters()}
    with torch.autocast(volume.device.type, enabled=False):
        output = functional_call(model, dict(constants), (volume,))
    logits = getattr(output, "logits", output)
    if not isinstance(logits, Tensor) or logits.ndim != 2 or logits.shape[0] != volume.shape[0]:
        found = tuple(logits.shape) if isinstance(logits, Tensor) else type(logits).__name__
        raise BiomarkError(f"the model must give logits of shape ({volume.shape[0]}, labels), found {found}")
    return logits


@torch.no_grad()
def encoder_layers(model: nn.Module, volume: Tensor) -> dict[str, tuple[int, ...]]:
    """Return the layers that give the encoder's maps, with the shape (K, d, h, w) of each, the finest first.

    Parameters
    ----------
    model : nn.Module
        A network of the zoo: its ``encoder`` returns a list of maps.
    volume : tensor of shape (B, C, D, H, W)

    Examples
    --------
    >>> from biomark.zoo import create_model
    >>> model = create_model("resnet10_3d", width=4)
    >>> encoder_layers(model, torch.zeros(1, 1, 64, 64, 64))["encoder.stages.2"]
    (16, 4, 4, 4)
    """
    encoder = getattr(model, "encoder", None)
    if not isinstance(encoder, nn.Module):
        raise BiomarkError("the model has no encoder; name the layer with layer=")
    outputs: list[tuple[str, Any]] = []
    modules = [
        (name, module) for name, module in encoder.named_modules(prefix="encoder") if module is not encoder
    ]
    training = [(module, module.training) for module in encoder.modules()]

    def keep(name: str) -> Any:
        return lambda _module, _given, output: outputs.append((name, output))

    handles = [module.register_forward_hook(keep(name)) for name, module in modules]
    try:
        encoder.eval()
        maps = encoder(volume)
    finally:
        for handle in handles:
            handle.remove()
        for module, was in training:
            module.training = was
    named = {}
    for feature_map in maps:
        # The outermost module that gave this very tensor.
        names = sorted(
            (name for name, output in outputs if output is feature_map), key=lambda n: n.count(".")
        )
        if names:
            named[names[0]] = tuple(feature_map.shape[1:])
    return named
