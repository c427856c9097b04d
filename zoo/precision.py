"""In which precision a device computes, and where the fast one is not safe."""

from __future__ import annotations

from dataclasses import dataclass

import torch

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


def choose_precision(asked: str, device: torch.device) -> Precision:
    """Return the precision for a device.

    Parameters
    ----------
    asked : "auto", "fp32", "bf16" or "fp16"
    device : torch.device

    Notes
    -----
    cuDNN 9.8 to 9.14 can give wrong convolutions of volumes in bf16 without a word; there fp16 is taken instead.
    """
    if device.type == "cpu":
        if asked == "fp16":
            raise BiomarkError("precision fp16 needs a CUDA device; on the processor take fp32 or bf16")
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
