"""A trained network as one file that needs no biomark: TorchScript, torch.export, ONNX.

TorchScript is deprecated upstream in favour of torch.export, and takes volumes of any size; files of torch.export and
ONNX take one size.
"""

from __future__ import annotations

import io
import json
import os
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from .. import __version__
from ..errors import BiomarkError, InputFileError, Problem
from ..stats.inputs import choice
from ..stats.results import Result
from .checkpoint import write_whole

__all__ = ["ExportedModel", "PlainOutput", "export", "exported", "load_script", "scripted"]

FORMATS = ("torchscript", "torch-export", "onnx")
_FACTS = "biomark.json"
# What float32 may differ by when operations are fused or reordered.
_TOLERANCE = 1e-3


@dataclass(frozen=True, slots=True)
class ExportedModel(Result):
    """A file that was written and read back.

    Attributes
    ----------
    path : str
    format : "torchscript", "torch-export" or "onnx"
    max_difference : float
        Largest difference of any output between the file and the network, over the volumes of the self-test.
    n_volumes : int
        Of the self-test, of random intensities.
    """

    path: str
    format: str
    max_difference: float
    n_volumes: int


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


def export(
    run: str | os.PathLike[str],
    out: str | os.PathLike[str],
    *,
    format: str = "torchscript",
    which: str = "best",
) -> ExportedModel:
    """Write the network of a run as one file, read it back, and compare the two.

    Parameters
    ----------
    run : path
        Folder of the run.
    out : path
        The file; written whole or not at all.
    format : "torchscript", "torch-export" or "onnx"
        ONNX needs the packages onnx, onnxscript and onnxruntime.
    which : "best" or "last"

    Returns
    -------
    ExportedModel

    Raises
    ------
    BiomarkError
        For a network that the format cannot hold, or a file whose outputs differ.

    Notes
    -----
    The file takes volumes of shape (B, 1, D, H, W) in [0, 1] and gives logits, segmentation (multi-task) and features,
    in this order. It carries labels, task, preprocessing and its own origin as JSON under the name ``biomark.json``
    (in ONNX as the metadata ``biomark``).
    """
    # Reading a run needs all that training needs; compiling a network does not.
    from .run_folder import RunFolder, load_model

    choice(format, FORMATS, name="format")
    folder = RunFolder(Path(run))
    config = folder.read_config()
    model = load_model(Path(run), which=which)
    facts = json.dumps(
        {
            "biomark": __version__,
            "labels": list(config.labels),
            "task": config.task,
            "model": config.model,
            "simulated": folder.read_data().get("simulated", False),
            "outputs": ["logits", *(["segmentation"] if config.task == "multi-task" else []), "features"],
            "preprocessing": config.preprocessing.to_dict(),
            "cache_dtype": config.cache_dtype,
        }
    )
    generator = torch.Generator().manual_seed(0)
    volumes = torch.rand(3, 1, *config.preprocessing.shape, generator=generator)
    path = Path(out)
    try:
        written = {"torchscript": _torchscript, "torch-export": _torch_export, "onnx": _onnx}[format](
            model, volumes[:2], path, facts
        )
    except BiomarkError:
        raise
    except Exception as error:
        # Compilers raise what they like.
        first = str(error).strip().partition("\n")[0]
        raise BiomarkError(f"{config.model} cannot be written as {format}: {first}") from error
    with torch.no_grad():
        expected = PlainOutput(model)(volumes)
    found = written(volumes)
    difference = max(float((a - b).abs().max()) for a, b in zip(found, expected, strict=True))
    if not difference <= _TOLERANCE:
        path.unlink(missing_ok=True)
        raise BiomarkError(
            f"{path}: the file gives other numbers than the network, by up to {difference:g}; removed"
        )
    return ExportedModel(str(path), format, difference, len(volumes))


def load_script(path: str | os.PathLike[str]) -> tuple[torch.jit.ScriptModule, dict[str, Any]]:
    """Return the network of a TorchScript file of `export`, in evaluation mode, and what it says of itself.

    Raises
    ------
    InputFileError
        For a file that is no such thing.

    Notes
    -----
    TorchScript is a program: load files of people whom you trust.
    """
    name = os.fspath(path)
    if not os.path.isfile(name):
        raise InputFileError(name, [Problem("no such file; check the name and the folder")])
    extra = {_FACTS: ""}
    try:
        with _quiet():
            script: torch.jit.ScriptModule = torch.jit.load(  # type: ignore[no-untyped-call]
                name, map_location="cpu", _extra_files=extra
            )
    except (RuntimeError, ValueError, OSError) as error:
        first = str(error).strip().partition("\n")[0]
        raise InputFileError(name, [Problem(f"is no file of TorchScript: {first}")]) from None
    try:
        facts: dict[str, Any] = json.loads(extra[_FACTS])
    except ValueError:
        raise InputFileError(
            name, [Problem("was not written by `biomark export`: it does not say what it takes")]
        ) from None
    return script.eval(), facts


def scripted(model: nn.Module) -> torch.jit.ScriptModule:
    """Compile a network with TorchScript; it then takes volumes of any size and any number.

    One warning of torch for each call, that TorchScript is deprecated, is kept off the screen.
    """
    with _quiet():
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
    # A batch of one would be taken for a constant.
    batch = torch.export.Dim("batch", min=1)
    return torch.export.export(PlainOutput(model), (example,), dynamic_shapes=({0: batch},))


Run = Callable[[Tensor], tuple[Tensor, ...]]


def _torchscript(model: nn.Module, example: Tensor, path: Path, facts: str) -> Run:
    buffer = io.BytesIO()
    with _quiet():
        torch.jit.save(scripted(model), buffer, _extra_files={_FACTS: facts})
    write_whole(path, lambda handle: handle.write(buffer.getbuffer()))
    return _without_gradient(PlainOutput(load_script(path)[0]))


def _torch_export(model: nn.Module, example: Tensor, path: Path, facts: str) -> Run:
    buffer = io.BytesIO()
    torch.export.save(exported(model, example), buffer, extra_files={_FACTS: facts})
    write_whole(path, lambda handle: handle.write(buffer.getbuffer()))
    # From memory: a file must have the ending .pt2, and the user may have chosen another.
    with _quiet():
        program = torch.export.load(io.BytesIO(buffer.getvalue()))
    return _without_gradient(program.module())


def _onnx(model: nn.Module, example: Tensor, path: Path, facts: str) -> Run:
    try:
        for package in ("onnx", "onnxscript"):
            import_module(package)
        onnxruntime = import_module("onnxruntime")
    except ModuleNotFoundError as error:
        raise BiomarkError(
            f"the format onnx needs the package {error.name}: pip install onnx onnxscript onnxruntime"
        ) from None
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            PlainOutput(model),
            (example,),
            dynamo=True,
            input_names=["volume"],
            output_names=json.loads(facts)["outputs"],
            dynamic_shapes=({0: torch.export.Dim("batch", min=1)},),
            verbose=False,
        )
    assert program is not None
    program.model.metadata_props["biomark"] = facts
    content = program.model_proto.SerializeToString()
    write_whole(path, lambda handle: handle.write(content))
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    given = session.get_inputs()[0].name
    return lambda volumes: tuple(torch.from_numpy(a) for a in session.run(None, {given: volumes.numpy()}))


def _without_gradient(module: nn.Module) -> Run:
    def run(volumes: Tensor) -> tuple[Tensor, ...]:
        with torch.no_grad():
            tensors: tuple[Tensor, ...] = module(volumes)
        return tensors

    return run


@contextmanager
def _quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        # A DeprecationWarning up to torch 2.11, a FutureWarning after it.
        for category in (DeprecationWarning, FutureWarning):
            warnings.filterwarnings("ignore", message=".*torch.jit.*", category=category)
        # Torch 2.11 says this of its own reading of an exported program.
        warnings.filterwarnings("ignore", message="The given buffer is not writable", category=UserWarning)
        yield
