"""Write a volume or a mask with its geometry, and nothing else but a note; complete or not at all."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..errors import BiomarkError
from .itk import simpleitk
from .volume import Volume

__all__ = ["write_volume"]

ENDINGS = (".seg.nrrd", ".nii.gz", ".nrrd", ".nii", ".mha")


def write_volume(
    path: str | os.PathLike[str],
    volume: Volume,
    array: NDArray[np.generic] | None = None,
    *,
    note: str = "",
) -> None:
    """Write an array on the grid of a volume.

    Parameters
    ----------
    path : str or path
        Ending in ``.nrrd``, ``.nii``, ``.nii.gz`` or ``.mha``; compressed but for ``.nii``.
    volume : Volume
        Gives spacing, origin and direction, and the voxels if ``array`` is not given.
    array : array of shape (D, H, W), optional
        A mask (bool becomes uint8) or a map of the same shape.
    note : str
        A line for the header (NIfTI keeps 79 characters); for instance that the volume is simulated.

    Raises
    ------
    BiomarkError
        For another ending or shape, or if the file cannot be written; nothing is left then.
    """
    target = Path(path)
    ending = next((end for end in ENDINGS if target.name.endswith(end)), None)
    if ending is None:
        raise BiomarkError(f"{target}: a volume is written as {', '.join(ENDINGS[1:])}; name the file so")
    values = volume.array if array is None else np.asarray(array)
    if values.shape != volume.array.shape:
        raise BiomarkError(f"array must have the volume's shape {volume.array.shape}, found {values.shape}")
    if values.dtype == np.bool_:
        values = values.astype(np.uint8)
    sitk = simpleitk()
    image = sitk.GetImageFromArray(np.ascontiguousarray(values))
    image.SetSpacing(volume.spacing[::-1])
    image.SetOrigin(volume.origin)
    image.SetDirection(volume.direction)
    if note:
        # The name under which every one of the writers keeps a free text.
        image.SetMetaData("ITK_FileNotes", note)
    part = target.with_name(f".{os.getpid()}.{target.name.removesuffix(ending)}.part{ending}")
    try:
        sitk.WriteImage(image, str(part), ending != ".nii")
        os.replace(part, target)
    except (RuntimeError, OSError) as error:
        reason = error.strerror if isinstance(error, OSError) else "is the folder there, and writable?"
        raise BiomarkError(f"{target}: cannot be written: {reason}") from None
    finally:
        part.unlink(missing_ok=True)
