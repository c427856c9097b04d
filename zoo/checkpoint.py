"""Files that are whole or not there: weights, the state from which a run goes on, and small texts."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import torch
from torch import nn

from ..errors import BiomarkError, InputFileError, Problem

__all__ = [
    "load_state",
    "load_weights",
    "remove_parts",
    "save_state",
    "save_weights",
    "write_text",
    "write_whole",
]


def write_whole(path: Path, write: Callable[[BinaryIO], object]) -> None:
    """Write a file so that its name holds the old content or the new one, whenever the process or the machine stops.

    The content goes to a temporary name, is synced, and renamed; then the folder is synced.

    Parameters
    ----------
    path : Path
    write : function of an open binary file
    """
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with open(part, "wb") as handle:
            write(handle)
            handle.flush()
            os.fsync(handle.fileno())
        os.replace(part, path)
        _sync_folder(path.parent)
    except OSError as error:
        raise BiomarkError(f"{path}: cannot be written: {error.strerror or error}") from None
    finally:
        part.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write a text as UTF-8, whole or not at all."""
    write_whole(path, lambda handle: handle.write(text.encode()))


def remove_parts(folder: Path) -> None:
    """Remove what a process that was killed left half written."""
    for part in folder.glob(".*.part"):
        part.unlink(missing_ok=True)


def save_weights(path: Path, model: nn.Module, facts: Mapping[str, str]) -> None:
    """Write the parameters and buffers of a network as safetensors.

    Parameters
    ----------
    path : Path
    model : nn.Module
    facts : mapping of str to str
        Kept in the file's header as JSON, under ``biomark``.
    """
    from safetensors.torch import save

    tensors = {name: tensor.detach().cpu().contiguous() for name, tensor in model.state_dict().items()}
    # One entry: safetensors writes several in any order, and the file would not be the same twice.
    data = save(tensors, metadata={"biomark": json.dumps(dict(facts))})
    write_whole(path, lambda handle: handle.write(data))


def load_weights(path: str | os.PathLike[str], model: nn.Module) -> None:
    """Read weights into a network; all of them must fit.

    Raises
    ------
    InputFileError
        For a file that cannot be read, or weights of another network.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    name = os.fspath(path)
    if not os.path.isfile(name):
        raise InputFileError(name, [Problem("no such file; has the run ended an epoch?")])
    try:
        tensors = load_file(name)
    except OSError as error:
        raise InputFileError(name, [Problem(f"cannot be read: {error.strerror or error}")]) from None
    except SafetensorError as error:
        raise InputFileError(name, [Problem(f"is no file of weights (safetensors): {error}")]) from None
    wanted = model.state_dict()
    problems = [Problem(f"holds no {key!r}, which the network has") for key in wanted if key not in tensors]
    problems += [Problem(f"holds {key!r}, which the network has not") for key in tensors if key not in wanted]
    problems += [
        Problem(f"{key!r} has shape {tuple(tensors[key].shape)}, the network's is {tuple(wanted[key].shape)}")
        for key in wanted
        if key in tensors and tensors[key].shape != wanted[key].shape
    ]
    if problems:
        raise InputFileError(name, problems)
    model.load_state_dict(tensors)


def save_state(path: Path, state: Mapping[str, Any]) -> None:
    """Write tensors, numbers, texts, and lists and dictionaries of them, for `load_state`."""
    write_whole(path, lambda handle: torch.save(dict(state), handle))


def load_state(path: Path, *, device: torch.device | str = "cpu") -> dict[str, Any]:
    """Read what `save_state` wrote; nothing in the file is run.

    Raises
    ------
    InputFileError
        For a file that cannot be read or holds anything but data.
    """
    try:
        state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
    except OSError as error:
        raise InputFileError(str(path), [Problem(f"cannot be read: {error.strerror or error}")]) from None
    except Exception as error:
        # A broken archive raises RuntimeError, a foreign one pickle's errors.
        first = str(error).strip().partition("\n")[0]
        raise InputFileError(str(path), [Problem(f"is no state of a run: {first}")]) from None
    return state


def _sync_folder(folder: Path) -> None:
    # Windows cannot open a folder; there the rename is all there is.
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
