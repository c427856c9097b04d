"""What is wrong with the image and the mask of one patient."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import InputFileError, MaskMismatchError
from .cohort import Cohort
from .cohort_problem import CohortProblem, LookedAt
from .content_digest import content_digest
from .lesion_size import largest_diameter_mm, lesion_parts
from .volume import Volume, read_mask, read_volume

__all__ = ["look_at"]

# A voxel of breast imaging measures from hundredths of a millimetre to a few; a breast some centimetres.
LEAST_SPACING_MM, MOST_SPACING_MM = 0.01, 6.0
LEAST_EXTENT_MM, MOST_EXTENT_MM = 5.0, 600.0
_SIZE_TOLERANCE = 0.25
_FEWEST_VOXELS = 8


def look_at(cohort: Cohort, at: int, row: int) -> LookedAt:
    """Read the image and the mask of one patient, and say all that is wrong with them.

    Parameters
    ----------
    cohort : Cohort
    at : int
        Position of the patient.
    row : int
        Of the file.
    """
    found: list[CohortProblem] = []
    patient = cohort.frame["patient_id"].iloc[at]

    def add(severity: str, kind: str, message: str, column: str = "image") -> None:
        found.append(
            CohortProblem(severity, kind, message, row, None if pd.isna(patient) else patient, column)
        )

    if pd.isna(cohort.frame["image"].iloc[at]):
        return LookedAt()
    image, mask = cohort.image_path(at), cohort.mask_path(at)
    if mask is not None and not mask.exists():
        add("error", "missing-file", f"{mask.name}: no such file; check the name and the folder", "mask")
        mask = None
    if not image.exists():
        add("error", "missing-file", f"{image.name}: no such file; check the name and the folder")
        return LookedAt(tuple(found))
    try:
        digest = content_digest(image)
        volume = read_volume(image)
    except InputFileError as error:
        add("error", "unreadable", _short(error, image))
        return LookedAt(tuple(found))
    _look_at_volume(volume, add)
    size, mask_digest = float("nan"), None
    if mask is not None:
        try:
            size = _look_at_mask(mask, volume, float(cohort.size_mm[at]), add)
            mask_digest = content_digest(mask) if np.isfinite(size) else None
        except MaskMismatchError as error:
            add("error", "mismatch", _short(error, mask), "mask")
        except InputFileError as error:
            add("error", "unreadable", _short(error, mask), "mask")
    voxels = hashlib.blake2b(np.ascontiguousarray(volume.array).data).hexdigest() + str(volume.array.shape)
    return LookedAt(tuple(found), digest, mask_digest, voxels, size)


def _look_at_volume(volume: Volume, add: Callable[..., None]) -> None:
    shown = " x ".join(f"{step:g}" for step in volume.spacing)
    if not all(LEAST_SPACING_MM <= step <= MOST_SPACING_MM for step in volume.spacing):
        add(
            "error",
            "absurd-spacing",
            f"its voxels measure {shown} mm; expected {LEAST_SPACING_MM:g} to {MOST_SPACING_MM:g} mm (is the unit mm?)",
        )
    elif not all(LEAST_EXTENT_MM <= side <= MOST_EXTENT_MM for side in volume.extent_mm):
        sides = " x ".join(f"{side:.4g}" for side in volume.extent_mm)
        add(
            "error",
            "absurd-spacing",
            f"it measures {sides} mm; expected {LEAST_EXTENT_MM:g} to {MOST_EXTENT_MM:g} mm a side (is the unit mm?)",
        )
    elif volume.spacing == (1.0, 1.0, 1.0):
        add(
            "warning",
            "absurd-spacing",
            "its voxels measure 1 x 1 x 1 mm, as where a file states no spacing; check it",
        )
    if volume.array.min() == volume.array.max():
        add("error", "constant-image", f"every voxel has the value {volume.array.flat[0]:g}")


def _look_at_mask(path: Path, volume: Volume, stated: float, add: Callable[..., None]) -> float:
    lesion = read_mask(path, volume)
    _, sizes = lesion_parts(lesion)
    if not sizes.size:
        add("error", "empty-mask", "holds no lesion", "mask")
        return float("nan")
    if sizes.size > 1:
        share = 100 * sizes.max() / sizes.sum()
        add(
            "warning",
            "multi-part-mask",
            f"has {sizes.size} parts that do not touch, the largest with {share:.3g}% of the voxels; "
            "the size is that of the largest",
            "mask",
        )
    if sizes.max() < _FEWEST_VOXELS:
        add(
            "warning",
            "tiny-mask",
            f"its lesion has {sizes.max()} voxel{'s' if sizes.max() > 1 else ''}",
            "mask",
        )
    if _on_edge(lesion):
        add("warning", "clipped-mask", "its lesion touches the edge of the image", "mask")
    size = largest_diameter_mm(lesion, volume.spacing)
    if np.isfinite(stated) and abs(stated - size) > _SIZE_TOLERANCE * max(stated, size):
        add("warning", "size", f"the table says {stated:g} mm, the mask measures {size:.3g} mm", "size_mm")
    return size


def _on_edge(lesion: NDArray[np.bool_]) -> bool:
    return any(bool(np.take(lesion, (0, -1), axis=axis).any()) for axis in range(3))


def _short(error: InputFileError, path: Path) -> str:
    return "; ".join(f"{path.name}: {problem.message}" for problem in error.problems)
