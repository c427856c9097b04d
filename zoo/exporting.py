"""A trained network as one file that needs no biomark: TorchScript, torch.export, ONNX.

TorchScript is deprecated upstream in favour of torch.export, and takes volumes of any size; a file of torch.export
takes one size.
"""

from __future__ import annotations

import warnings

import torch
from torch import Tensor, nn

__all__ = ["PlainOutput", "exported", "scripted"]


class PlainOutput(nn.Module):
    """A network that returns a tuple of tensors: (logits, features), or (logits, segmentation, features).

    Files of torch.export and ONNX thus know no type of biomark.
    """

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, volume: Tensor) -> tuple[Tensor, ...]:
        """Return the tensors of `biomark.zoo.Output` that are there, in its order."""
        return tuple(tensor for tensor in self.model(volume) if tensor is not None)


def scripted(model: nn.Module) -> torch.jit.ScriptModule:
    """Compile a network with TorchScript; it then takes volumes of any size and any number.

    One warning of torch for each call, that TorchScript is deprecated, is kept off the screen.
    """
    with warnings.catch_warnings():
        # A DeprecationWarning up to torch 2.11, a FutureWarning after it.
        warnings.filterwarnings("ignore", message=".*torch.jit.*", category=DeprecationWarning)
        warnings.filterwarnings("ignore", message=".*torch.jit.*", category=FutureWarning)
        script: torch.jit.ScriptModule = torch.jit.script(model)
    return script


def exported(model: nn.Module, example: Tensor) -> torch.export.ExportedProgram:
    """Export a network with torch.export: any number of volumes, of the example's size.

    Parameters
    ----------
    model : nn.Module
        In evaluation mode; its output becomes a plain tuple (`PlainOutput`).
    example : tensor of shape (B, C, D, H, W), B at least 2
    """
    plain = PlainOutput(model)
    # A batch of one would be taken for a constant.
    batch = torch.export.Dim("batch", min=1)
    return torch.export.export(plain, (example,), dynamic_shapes=({0: batch},))
