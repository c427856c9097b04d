"""Grad-CAM++ in three dimensions: which parts of a volume raise a label's logit, after equation 19 of the original.

With S the logit, A^k the k-th map of the layer, g = dS/dA^k and Y = exp(S), the original derives for a network that is
piecewise linear behind the layer::

    alpha = g^2 / (2 g^2 + sum(A^k) g^3)            eq. 19, position by position; sum over the whole map
    w_k   = sum over positions of alpha ReLU(dY/dA^k)    eq. 5, 15
    map   = ReLU(sum over k of w_k A^k)             eq. 6

Two things are written otherwise here and are the same. alpha = 1 / (2 + g sum(A^k)) for g != 0, and for g = 0 its term
is 0: behind a global pooling g is so small that g^2 and g^3 vanish beside any epsilon, and single precision has none of
them left. And dY/dA = exp(S) g: the factor exp(S), one number for the whole volume, overflows for a large logit and is
gone once the map is divided by its peak, so it is left out.

References
----------
Chattopadhay A, Sarkar A, Howlader P, Balasubramanian VN. Grad-CAM++: generalized gradient-based visual explanations for
deep convolutional networks. WACV 2018;839-847 (arXiv:1710.11063).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from ..errors import BiomarkError
from ..stats.inputs import whole_number
from ..stats.results import FloatArray, Result
from .layer_capture import captured_layer, layer_name, logits_of
from .map_enlargement import enlarged_map

__all__ = ["GradCam", "gradcam_plus_plus"]


@dataclass(frozen=True, slots=True, eq=False)
class GradCam(Result):
    """Heat maps of one label, of one volume or of a batch.

    Attributes
    ----------
    heat_map : array of shape (D, H, W), or (B, D, H, W) for a batch, float32 in [0, 1]
        ``coarse`` enlarged, as a share of its own peak: comparable within a volume, not between volumes. 0 everywhere
        where nothing raises the logit.
    coarse : array of shape (d, h, w) or (B, d, h, w), float64, 0 or more
        The map as the layer gives it, exp(S) left out; its size is the resolution of the explanation.
    weights : array of shape (K,) or (B, K)
        w_k of each map of the layer.
    peak : float, or array of shape (B,)
        Largest value of ``coarse``.
    logit : float, or array of shape (B,)
        The label's logit, not negated.
    label, layer : str
    negative : bool
        Whether what lowers the logit is shown.
    first_centre : float or None
        Where the first voxel of ``coarse`` lies, see `gradcam_plus_plus`.
    """

    heat_map: NDArray[np.float32]
    coarse: FloatArray
    weights: FloatArray
    peak: Any
    logit: Any
    label: str
    layer: str
    negative: bool
    first_centre: float | None


def gradcam_plus_plus(
    model: nn.Module,
    volume: ArrayLike | Tensor,
    label: str | int,
    *,
    layer: str | None = None,
    negative: bool = False,
    first_centre: float | str | None = "known",
    batch_size: int = 4,
) -> GradCam:
    """Explain one label of a network by Grad-CAM++ (Chattopadhay 2018, equation 19).

    Parameters
    ----------
    model : nn.Module
        From (B, C, D, H, W) to `biomark.zoo.Output`, or to logits (B, labels). On any device and of any precision; the
        weights of the map are computed in float64.
    volume : array or tensor of shape (D, H, W) or (B, C, D, H, W), finite
        As the network takes it: preprocessed.
    label : str or int
        One of the model's labels, or the place of its logit.
    layer : str, optional
        Name of a layer as ``model.named_modules()`` gives it, whose output has shape (B, K, d, h, w). By default the
        encoder's last map after its ReLU. An earlier block gives a finer map: at 128 cubed the last map of a ResNet is
        4 cubed, the one before it (``encoder.stages.2``) 8 cubed. `biomark.viz.encoder_layers` lists them.
    negative : bool
        Explain the negated logit: what speaks against the label.
    first_centre : float, "known" or None
        Voxel of the volume on which the map's first voxel is centred. "known": 0 for the zoo's own ResNets, whose
        strided layers are centred on even voxels, else None. None: stretch the map over the volume, as most
        libraries do.
    batch_size : int
        Volumes that run together.

    Returns
    -------
    GradCam
        Arrays without the leading axis where one volume of shape (D, H, W) was given.

    Raises
    ------
    BiomarkError
        For an unknown label or layer, a layer of another kind or without influence on the logit, another shape,
        values that are not finite, or a map that is not defined (2 + g sum(A) = 0, which a layer after ReLU
        cannot give).

    Notes
    -----
    The target is the logit: a probability's gradient is exactly 0 once its sigmoid is saturated. The model's own
    gradients, modes and hooks are left as they were.

    The derivation holds where the network is piecewise linear behind the layer, as behind the last map of every
    network of the zoo; for inner layers before a smooth activation equation 19 is a definition.

    Where g sum(A) is far below 1, alpha is 1/2 everywhere and the weights are the plain sums of the positive gradients
    (Lerma and Lucas 2022, arXiv:2205.10838). Behind a global pooling, where g is the same at every position of a map,
    the map then is Grad-CAM's with the negative weights left out.

    Examples
    --------
    >>> from biomark.zoo import create_model
    >>> model = create_model("resnet10_3d", task="single-task", labels=("ER",), width=4)
    >>> found = gradcam_plus_plus(model, np.random.default_rng(0).random((32, 32, 32)), "ER")
    >>> found.heat_map.shape, found.coarse.shape, found.layer
    ((32, 32, 32), (1, 1, 1), 'last_map')
    """
    batch, single = _batch(model, volume)
    index, name = _label(model, label)
    where = layer_name(model, layer)
    whole_number(batch_size, name="batch_size")
    parts = [_explained(model, part, index, where, negative) for part in torch.split(batch, batch_size)]
    coarse = np.concatenate([part[0] for part in parts])
    weights = np.concatenate([part[1] for part in parts])
    logit: Any = np.concatenate([part[2] for part in parts])
    if not np.isfinite(coarse).all():
        at = np.flatnonzero(~np.isfinite(coarse).all(axis=(1, 2, 3))).tolist()
        raise BiomarkError(
            f"equation 19 has no value at layer {where!r} for volumes {at}; choose another layer"
        )
    if isinstance(first_centre, str):
        if first_centre != "known":
            raise BiomarkError(f"first_centre must be a number, 'known' or None, found {first_centre!r}")
        first_centre = _known_centre(model)
    peak: Any = coarse.max(axis=(1, 2, 3))
    share = coarse / np.where(peak > 0.0, peak, 1.0)[:, None, None, None]
    heat = enlarged_map(share, batch.shape[2:], first_centre=first_centre).astype(np.float32)
    negative = bool(negative)
    if single:
        heat, coarse, weights, peak, logit = heat[0], coarse[0], weights[0], float(peak[0]), float(logit[0])
    return GradCam(heat, coarse, weights, peak, logit, name, where, negative, first_centre)


def equation_19(maps: Tensor, gradient: Tensor) -> tuple[Tensor, Tensor]:
    """Return map (B, d, h, w) and weights (B, K) from a layer's maps and the logit's gradient, both (B, K, d, h, w).

    Only positions with g > 0 count, because the ReLU of eq. 5 takes the others out; so alpha is needed there alone.
    """
    a, g = maps.double(), gradient.double()
    alpha = 1.0 / (2.0 + g * a.sum(dim=(2, 3, 4), keepdim=True))
    weights = torch.where(g > 0, alpha * g, 0.0).sum(dim=(2, 3, 4))
    return torch.einsum("bk,bkdhw->bdhw", weights, a).relu(), weights


def _explained(
    model: nn.Module, part: Tensor, index: int, layer: str, negative: bool
) -> tuple[FloatArray, FloatArray, FloatArray]:
    with captured_layer(model, layer) as found:
        logits = logits_of(model, part)
        if not found:
            raise BiomarkError(f"layer {layer!r} did not run; name another")
        if not -logits.shape[1] <= index < logits.shape[1]:
            raise BiomarkError(f"label must be below {logits.shape[1]}, the model's logits; found {index}")
        target = logits[:, index]
        gradient = None
        if target.requires_grad:
            signed = (-target if negative else target).sum()
            (gradient,) = torch.autograd.grad(signed, found[0], allow_unused=True)
    if gradient is None:
        raise BiomarkError(f"layer {layer!r} has no influence on the logits; name one before the classifier")
    coarse, weights = equation_19(found[0].detach(), gradient)
    return coarse.cpu().numpy(), weights.cpu().numpy(), target.detach().double().cpu().numpy()


def _batch(model: nn.Module, volume: ArrayLike | Tensor) -> tuple[Tensor, bool]:
    own = next(model.parameters(), torch.zeros(()))
    tensor = volume.detach() if isinstance(volume, Tensor) else torch.as_tensor(np.asarray(volume))
    if tensor.ndim not in (3, 5):
        raise BiomarkError(
            f"volume must have shape (D, H, W) or (B, C, D, H, W), found {tuple(tensor.shape)}"
        )
    single = tensor.ndim == 3
    tensor = (tensor[None, None] if single else tensor).to(own.device, own.dtype)
    if tensor.numel() == 0 or not bool(torch.isfinite(tensor).all()):
        raise BiomarkError("volume must hold finite values, and at least one")
    return tensor, single


def _label(model: nn.Module, label: str | int) -> tuple[int, str]:
    names: tuple[str, ...] = tuple(getattr(model, "labels", ()))
    if isinstance(label, str):
        if label not in names:
            known = ", ".join(names) or "none by name; give the place of its logit"
            raise BiomarkError(f"label must be one of the model's, {known}; found {label!r}")
        return names.index(label), label
    whole_number(label, name="label", least=0)
    return int(label), names[label] if label < len(names) else str(label)


def _known_centre(model: nn.Module) -> float | None:
    from ..zoo.resnet import ResNetEncoder

    return 0.0 if isinstance(getattr(model, "encoder", None), ResNetEncoder) else None
