"""Any network of timm-3d as an encoder: ``timm3d/<name>``, imported only when one is asked for.

Channels and reductions are measured by running the network once on a small volume, because some networks of timm-3d
are registered but fail in three dimensions, some have four feature maps, and some begin at the full resolution.
"""

from __future__ import annotations

import contextlib
import io
import logging
import os
import warnings
from collections.abc import Iterator
from functools import cache
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import torch
from torch import Tensor, nn

from ..errors import BiomarkError, InputFileError, MissingExtraError, Problem
from .output import Encoder
from .registry import TASKS, TIMM_PREFIX, ModelRecord, unknown_name
from .task_network import build_network
from .timm3d_weights import check_complete, weights_overlay

__all__ = ["Timm3dEncoder", "list_timm3d", "timm3d_record"]

# Side of the volume that measures an encoder: divisible by every usual reduction.
_PROBE = 64


class Timm3dEncoder(Encoder):
    """A network of timm-3d that gives its feature maps.

    Parameters
    ----------
    name : str
        As timm-3d calls it, without prefix.
    in_channels : int
    weights : path, optional
        A local file of weights for this network, as timm-3d or timm save them (``.safetensors``, or a file of
        ``torch.save`` that holds tensors alone). Kernels of two dimensions are repeated along the third and divided by
        its length; input channels are adapted to ``in_channels``.
    pretrained : bool
        Download the weights that timm names for its network of two dimensions, and take them as those of a file are
        taken. Off unless asked for.
    **options
        Of timm-3d, for instance ``drop_path_rate``.

    Raises
    ------
    BiomarkError
        For an unknown name (close ones are listed), or a network that cannot serve as an encoder, with the reason.
    InputFileError
        For weights that cannot be read or belong to another network.
    """

    def __init__(
        self,
        name: str,
        *,
        in_channels: int = 1,
        weights: str | os.PathLike[str] | None = None,
        pretrained: bool = False,
        **options: Any,
    ) -> None:
        if weights is not None and pretrained:
            raise BiomarkError("weights (a local file) and pretrained (a download) exclude each other")
        known = list_timm3d()
        if name.partition(".")[0] not in known:
            raise BiomarkError(unknown_name(TIMM_PREFIX + name, [TIMM_PREFIX + other for other in known]))
        if weights is not None:
            _check_weights(weights)
            pretrained = True
        elif pretrained:
            options["pretrained_cfg_overlay"] = {"state_dict": _downloaded(name), "source": "timm"}
        try:
            with _silence():
                if weights is not None:
                    options["pretrained_cfg_overlay"] = weights_overlay(name, weights, in_channels)
                # Layers that TorchScript can read, where timm-3d has a choice.
                network = _timm3d().create_model(
                    name,
                    features_only=True,
                    in_chans=in_channels,
                    pretrained=pretrained,
                    scriptable=True,
                    **options,
                )
            if weights is not None and "state_dict" in options["pretrained_cfg_overlay"]:
                check_complete(network, options["pretrained_cfg_overlay"]["state_dict"])
        except Exception as error:
            if weights is not None:
                reason = str(error) if isinstance(error, BiomarkError) else _first_line(error)
                raise InputFileError(
                    os.fspath(weights), [Problem(f"does not fit {TIMM_PREFIX}{name}: {reason}")]
                ) from error
            raise BiomarkError(_cannot(name, f"it is not made: {_first_line(error)}")) from error
        channels, reductions = _measured(name, network, in_channels)
        super().__init__(channels, reductions)
        self.network = network

    def forward(self, volume: Tensor) -> list[Tensor]:
        """Return the feature maps, the finest first."""
        maps: list[Tensor] = self.network(volume)
        return maps


@cache
def list_timm3d() -> tuple[str, ...]:
    """Return the names that timm-3d registers, without prefix.

    Raises
    ------
    MissingExtraError
        Where timm-3d is not installed.
    """
    return tuple(_timm3d().list_models())


def timm3d_record(name: str) -> ModelRecord:
    """Return the registry's record of ``timm3d/<name>``."""
    bare = name.removeprefix(TIMM_PREFIX)
    if bare.partition(".")[0] not in list_timm3d():
        raise BiomarkError(unknown_name(name, [TIMM_PREFIX + other for other in list_timm3d()]))

    def build(
        *,
        task: str,
        n_labels: int,
        in_channels: int,
        refinement_passes: int | None = None,
        decoder_width: int | None = None,
        dropout: float | None = None,
        **options: Any,
    ) -> nn.Module:
        heads = {"refinement_passes": refinement_passes, "decoder_width": decoder_width, "dropout": dropout}
        encoder = Timm3dEncoder(bare, in_channels=in_channels, **options)
        given: dict[str, Any] = {option: value for option, value in heads.items() if value is not None}
        return build_network(encoder, task=task, n_labels=n_labels, **given)

    return ModelRecord(name, build, TASKS, f"{bare} of timm-3d")


@cache
def _timm3d() -> ModuleType:
    try:
        with _silence():
            import timm_3d
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("timm_3d", "timm", "torchvision"):
            raise
        raise MissingExtraError("a model of timm-3d", "zoo") from None
    module: ModuleType = timm_3d
    return module


@contextlib.contextmanager
def _silence() -> Iterator[None]:
    """Keep timm-3d's warnings, log lines and printed lines off the screen; errors still rise."""
    loggers = [logging.getLogger(name) for name in ("timm", "timm_3d")]
    levels = [logger.level for logger in loggers]
    with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
        warnings.simplefilter("ignore")
        for logger in loggers:
            logger.setLevel(logging.CRITICAL)
        try:
            yield
        finally:
            for logger, level in zip(loggers, levels, strict=True):
                logger.setLevel(level)


def _check_weights(weights: str | os.PathLike[str]) -> None:
    if not Path(weights).is_file():
        raise InputFileError(os.fspath(weights), [Problem("there is no such file of weights")])


def _downloaded(name: str) -> dict[str, Tensor]:
    """Return the weights that timm names; timm-3d's own download knows no present version of huggingface-hub."""
    import timm

    try:
        with _silence():
            held: dict[str, Tensor] = timm.create_model(name, pretrained=True).state_dict()
    except Exception as error:
        raise BiomarkError(
            f"the weights of {TIMM_PREFIX}{name} cannot be downloaded: {_first_line(error)}; those that are on this "
            "machine already go in as weights=FILE"
        ) from error
    return held


@torch.no_grad()
def _measured(name: str, network: nn.Module, in_channels: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return channels and reductions of the maps that a volume of 64 voxels a side gives."""
    network.eval()
    try:
        with _silence():
            maps = list(network(torch.zeros(1, in_channels, _PROBE, _PROBE, _PROBE)))
    except Exception as error:
        side = f"a volume of {_PROBE} voxels a side"
        raise BiomarkError(_cannot(name, f"it fails on {side}: {_first_line(error)}")) from error
    finally:
        network.train()
    shapes = [tuple(m.shape) for m in maps]
    if any(len(shape) != 5 or len(set(shape[2:])) != 1 or _PROBE % shape[2] for shape in shapes):
        listed = ", ".join(str(shape) for shape in shapes)
        raise BiomarkError(_cannot(name, f"its feature maps are not cubes, their shapes are {listed}"))
    channels = tuple(shape[1] for shape in shapes)
    reductions = tuple(_PROBE // shape[2] for shape in shapes)
    if not maps or any(b <= a for a, b in pairwise(reductions)):
        raise BiomarkError(_cannot(name, f"its feature maps do not become coarser: reductions {reductions}"))
    return channels, reductions


def _cannot(name: str, reason: str) -> str:
    return f"{TIMM_PREFIX}{name} cannot serve as an encoder: {reason}"


def _first_line(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0]}"
