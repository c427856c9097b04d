"""In which precision a device computes, and where the fast one is not safe."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import torch
from torch import nn
from torch.nn import functional

from ..errors import BiomarkError
from ..stats.results import Result

__all__ = ["Precision", "choose_device", "choose_precision", "cudnn_version"]


@dataclass(frozen=True, slots=True)
class Precision(Result):
    """How a network is run.

    Attributes
    ----------
    name : "fp32", "bf16" or "fp16"
    device_type : "cpu" or "cuda"
    note : str
        Why it is another than was asked for; empty where it is not.
    """

    name: str
    device_type: str
    note: str = ""

    def autocast(self) -> torch.autocast:
        """Return the context in which the network runs."""
        half = torch.bfloat16 if self.name == "fp32" else self.kind
        return torch.autocast(self.device_type, dtype=half, enabled=self.name != "fp32")

    @property
    def kind(self) -> torch.dtype:
        """The type that convolutions compute in."""
        return {"fp32": torch.float32, "bf16": torch.bfloat16, "fp16": torch.float16}[self.name]

    def placed(self, model: nn.Module, device: torch.device) -> nn.Module:
        """Move a network to a device, its weights in the order in which the device reads volumes fastest."""
        model = model.to(device)
        if self.device_type == "cuda":
            for parameter in model.parameters():
                # By hand: `Module.to` refuses networks with parameters of four dimensions.
                if parameter.dim() == 5:
                    parameter.data = parameter.data.contiguous(memory_format=torch.channels_last_3d)
        return model

    @property
    def scales(self) -> bool:
        """Whether the loss must be scaled, because small gradients would vanish."""
        return self.name == "fp16"


def choose_device(asked: str = "auto") -> torch.device:
    """Return the device: CUDA where there is one, if ``auto``.

    Raises
    ------
    BiomarkError
        For a device that is not there.
    """
    if asked == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        device = torch.device(asked)
    except RuntimeError:
        raise BiomarkError(f"device must be auto, cpu, cuda or cuda:<number>, found {asked!r}") from None
    if device.type == "cuda" and (device.index or 0) >= torch.cuda.device_count():
        raise BiomarkError(f"there is no device {asked}; torch sees {torch.cuda.device_count()} CUDA devices")
    if device.type not in ("cpu", "cuda"):
        raise BiomarkError(f"device must be auto, cpu, cuda or cuda:<number>, found {asked!r}")
    return device


def choose_precision(asked: str, device: torch.device, *, learns: bool = False) -> Precision:
    """Return the precision for a device.

    Parameters
    ----------
    asked : "auto", "fp32", "bf16" or "fp16"
    device : torch.device
    learns : bool
        Whether gradients will be asked for.

    Notes
    -----
    cuDNN 9.8 to 9.14 can give wrong convolutions of volumes in bf16 without a word; there fp16 is taken instead. On a
    processor, torch 2.14 left parts of the gradient of a kernel unwritten in bf16 where a map has one or two voxels a
    side; a network that learns there in bf16 is therefore tried first, and learns in fp32 where such a gradient is
    wrong.
    """
    if device.type == "cpu":
        if asked == "fp16":
            raise BiomarkError("precision fp16 needs a CUDA device; on the processor take fp32 or bf16")
        if asked == "bf16" and learns and not bf16_learns_on_the_processor():
            why = f"torch {torch.__version__} gives wrong bf16 gradients of small volumes on this processor"
            return Precision("fp32", "cpu", why)
        return Precision("fp32" if asked == "auto" else asked, "cpu")
    if asked in ("fp32", "fp16"):
        return Precision(asked, "cuda")
    if not torch.cuda.is_bf16_supported():
        return Precision("fp16", "cuda", "the device has no bf16")
    version = cudnn_version()
    if version is not None and unsafe_for_bf16(version):
        return Precision("fp16", "cuda", f"cuDNN {version} may give wrong bf16 convolutions of volumes")
    return Precision("bf16", "cuda")


def cudnn_version() -> int | None:
    """Return the version of cuDNN, 91500 for 9.15; None where there is none."""
    version: int | None = torch.backends.cudnn.version()  # type: ignore[no-untyped-call]
    return version


def unsafe_for_bf16(version: int) -> bool:
    """Return whether a version of cuDNN (91500 is 9.15) may give wrong bf16 convolutions of volumes.

    Examples
    --------
    >>> unsafe_for_bf16(90100), unsafe_for_bf16(91002), unsafe_for_bf16(91500)
    (False, True, False)
    """
    return 90800 <= version < 91500


@cache
def bf16_learns_on_the_processor() -> bool:
    """Return whether bf16 gives the gradients of small convolutions that fp32 gives, within its rounding."""
    draw = torch.Generator().manual_seed(0)
    for side, stride in ((2, 1), (1, 2), (2, 1), (1, 2)):
        volume, kernel = (
            torch.randn(shape, generator=draw) for shape in ((3, 32, *3 * (side,)), (32, 32, 3, 3, 3))
        )
        gradients = []
        for kind in (torch.float32, torch.bfloat16):
            weight = kernel.to(kind, copy=True).requires_grad_()
            mapped = functional.conv3d(volume.to(kind), weight, stride=stride, padding=1)
            gradients.append(torch.autograd.grad(mapped.float().square().sum(), weight)[0].float())
        exact, rounded = gradients
        if not float((rounded - exact).norm()) < 0.05 * float(exact.norm()):
            return False
    return True
