"""The slice viewer: a volume in three planes under its heat maps, in one page that needs no network."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from ..errors import BiomarkError
from .packed_volume import pack_volume
from .page_assets import plain_page
from .theme import model_styles
from .turbo import turbo_colours

__all__ = ["ViewedMap", "ViewedPatient", "slice_viewer"]


_FEW_VOXELS = 4
"""Of a map's side, below which it says little; the last map of a ResNet at 128 cubed has as many."""


@dataclass(frozen=True, slots=True, eq=False)
class ViewedMap:
    """A heat map of one model for one label.

    Attributes
    ----------
    model, label : str
    heat_map : array of shape (D, H, W), in [0, 1]
        On the volume's grid.
    resolution : (d, h, w), optional
        Voxels of the map before it was enlarged; the page tells them.
    layer : str
        Where the map was made.
    facts : mapping of str to str
        What is known of it, for instance the probability or the share of energy in the lesion, as it is to be read.
    """

    model: str
    label: str
    heat_map: ArrayLike
    resolution: tuple[int, ...] | None = None
    layer: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, eq=False)
class ViewedPatient:
    """One patient of the viewer.

    Attributes
    ----------
    patient_id : str
    image : array of shape (D, H, W), finite
        D from feet to head, H from front to back, W from right to left, as `biomark.zoo.read_volume` gives it.
    spacing : (dz, dy, dx) in mm
    maps : sequence of ViewedMap
    mask : array of shape (D, H, W), 0 or 1, optional
        The lesion.
    segmentations : mapping of model to array of shape (D, H, W)
        Probabilities; the contour is drawn at one half.
    facts : mapping of str to str
        What is known of the patient.
    """

    patient_id: str
    image: ArrayLike
    spacing: Sequence[float]
    maps: Sequence[ViewedMap] = ()
    mask: ArrayLike | None = None
    segmentations: Mapping[str, ArrayLike] = field(default_factory=dict)
    facts: Mapping[str, str] = field(default_factory=dict)


def slice_viewer(
    patients: Sequence[ViewedPatient],
    path: str | os.PathLike[str] | None = None,
    *,
    title: str = "Where the networks look",
    simulated: bool = False,
    opacity: float = 0.5,
    threshold: float = 0.3,
    back: str = "",
) -> str:
    """Return a page that shows volumes in axial, coronal and sagittal slices under their heat maps.

    Parameters
    ----------
    patients : sequence of ViewedPatient, at least one
    path : path, optional
        Where to write the page too.
    title : str
    simulated : bool
        Say on the page that the volumes are simulated.
    opacity, threshold : float in [0, 1]
        Of the overlay at first: how much it covers, and from which share of the peak on.
    back : str
        Address of the page that leads here.

    Returns
    -------
    str
        HTML; the same input gives the same text.

    Raises
    ------
    BiomarkError
        Without a patient, for a patient named twice, other shapes or spacings, values that are not finite, or a
        heat map outside [0, 1].

    Notes
    -----
    Volumes travel once, in 256 steps, as packed bytes; slices are cut and coloured in the browser, so that window,
    opacity and threshold cost nothing. Each plane keeps the proportions of the body, and all planes have one scale.
    """
    if not patients:
        raise BiomarkError("the slice viewer needs at least one patient")
    names = [patient.patient_id for patient in patients]
    if len(set(names)) < len(names):
        raise BiomarkError(f"patients must differ in patient_id, found {names}")
    for value, called in ((opacity, "opacity"), (threshold, "threshold")):
        if not 0.0 <= value <= 1.0:
            raise BiomarkError(f"{called} must lie in [0, 1], found {value!r}")
    models = list(dict.fromkeys(m.model for p in patients for m in p.maps))
    models += [m for p in patients for m in p.segmentations if m not in models]
    labels = list(dict.fromkeys(m.label for p in patients for m in p.maps))
    blocks: dict[str, str] = {}
    data = {
        "patients": [_patient_data(at, patient, blocks) for at, patient in enumerate(patients)],
        "models": models,
        "labels": labels,
        "slots": [style.slot for style in model_styles(models).values()],
        "turbo": turbo_colours(),
        "opacity": opacity,
        "threshold": threshold,
    }
    page = plain_page(
        "viewer.html.j2",
        ("viewer.js",),
        data,
        title=title,
        simulated=simulated,
        back=back,
        blocks=blocks,
        patients=patients,
        models=models,
        labels=labels,
        has_mask=any(p.mask is not None for p in patients),
        has_segmentation=any(p.segmentations for p in patients),
        has_maps=bool(labels),
    )
    if path is not None:
        Path(path).write_text(page, encoding="utf-8", newline="\n")
    return page


def _patient_data(at: int, patient: ViewedPatient, blocks: dict[str, str]) -> dict[str, Any]:
    where = f"patient {patient.patient_id!r}"
    shape = np.shape(patient.image)
    spacing = [float(step) for step in patient.spacing]
    if len(spacing) != 3 or not all(np.isfinite(step) and step > 0 for step in spacing):
        raise BiomarkError(
            f"{where}: spacing must be three positive numbers in mm, found {patient.spacing!r}"
        )

    def block(name: str, array: ArrayLike, called: str, low: float | None, high: float | None) -> str:
        if np.shape(array) != shape:
            raise BiomarkError(
                f"{where}: {called} must have the image's shape {shape}, found {np.shape(array)}"
            )
        packed = pack_volume(array, low=low, high=high, name=f"{where}: {called}")
        bounds.append((packed.low, packed.high))
        key = f"p{at}-{name}"
        blocks[key] = packed.text
        return key

    bounds: list[tuple[float, float]] = []
    image = block("image", patient.image, "image", None, None)
    low, high = bounds[0]
    data: dict[str, Any] = {
        "id": patient.patient_id,
        "shape": list(shape),
        "spacing": spacing,
        "low": low,
        "high": high,
        "image": image,
        "mask": None,
        "facts": list(patient.facts.items()),
        "segmentations": {},
        "maps": [],
        "centre": [n // 2 for n in shape],
    }
    if patient.mask is not None:
        mask = np.asarray(patient.mask) != 0
        data["mask"] = block("mask", mask, "mask", 0.0, 255.0)
        if mask.any():
            data["centre"] = [int(np.median(axis)) for axis in np.nonzero(mask)]
    for k, (model, probability) in enumerate(patient.segmentations.items()):
        inside = np.asarray(probability) >= 0.5
        data["segmentations"][model] = block(f"segmentation-{k}", inside, "segmentation", 0.0, 255.0)
    for k, found in enumerate(patient.maps):
        called = f"heat map of {found.model} for {found.label}"
        heat = np.asarray(found.heat_map)
        if heat.size and not (heat.min() >= 0.0 and heat.max() <= 1.0):
            raise BiomarkError(f"{where}: {called} must lie in [0, 1]")
        data["maps"].append(
            {
                "model": found.model,
                "label": found.label,
                "block": block(f"map-{k}", heat, called, 0.0, 1.0),
                "facts": list(found.facts.items()),
                "note": resolution_note(found, shape, spacing),
            }
        )
    return data


def resolution_note(found: ViewedMap, shape: Sequence[int], spacing: Sequence[float]) -> str:
    """Return in words how fine a heat map really is.

    Examples
    --------
    >>> found = ViewedMap("m", "ER", np.zeros((1, 1, 1)), resolution=(4, 4, 4), layer="last_map")
    >>> resolution_note(found, (128, 128, 128), (0.5, 0.5, 0.5))
    'Layer last_map: 4 × 4 × 4 voxels of 16.0 × 16.0 × 16.0 mm, interpolated in between.'
    """
    if found.resolution is None:
        return f"Layer {found.layer}." if found.layer else ""
    voxels = " × ".join(str(n) for n in found.resolution)
    size = " × ".join(
        f"{n * step / few:.1f}" for n, step, few in zip(shape, spacing, found.resolution, strict=True)
    )
    start = f"Layer {found.layer}: " if found.layer else "The map has "
    return f"{start}{voxels} voxels of {size} mm, interpolated in between."


def coarse_map_warning(found: ViewedMap) -> str:
    """Return what must be said of a map that is too coarse to tell a lesion from what is around it, if it is.

    Examples
    --------
    >>> coarse_map_warning(ViewedMap("m", "ER", np.zeros((1, 1, 1)), resolution=(1, 1, 1)))[:31]
    'A map of 1 × 1 × 1 voxels is fl'
    >>> coarse_map_warning(ViewedMap("m", "ER", np.zeros((1, 1, 1)), resolution=(4, 4, 4)))
    ''
    """
    if found.resolution is None or min(found.resolution) >= _FEW_VOXELS:
        return ""
    voxels = " × ".join(str(n) for n in found.resolution)
    says = (
        "flat, and agrees with every lesion as chance does"
        if max(found.resolution) == 1
        else "too coarse to tell a lesion from what is around it"
    )
    return f"A map of {voxels} voxels is {says}: take an earlier layer (--layer, in ResNets encoder.stages.1 or .2)."
