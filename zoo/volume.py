"""A volume in memory, and how it is read from any of the formats, checked and freed of everything personal."""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BiomarkError, InputFileError, MaskMismatchError, Problem
from ..stats.input_file import shown_name
from .claimed_size import check_claim, refusal
from .dicom import is_dicom, read_dicom_file, read_dicom_folder
from .itk import simpleitk
from .metaimage import is_metaimage, read_metaimage
from .nifti import is_nifti, nifti_claim, nifti_head
from .nrrd import nrrd_claim
from .numpy_volume import NumpyVolume, read_npy, read_npz

__all__ = ["Volume", "read_mask", "read_volume"]

_EXPECTED = "expected NRRD, NIfTI, MetaImage, DICOM (a folder or a file) or NumPy (.npy, .npz)"
_HEAD = 2**14

FloatVolume = NDArray[np.float32]
Triple = tuple[float, float, float]


@dataclass(frozen=True, slots=True, eq=False)
class Volume:
    """A scalar volume with its place in the patient; nothing else of the file is kept.

    Attributes
    ----------
    array : array of shape (D, H, W), float32
        Axes in the order of the patient: D runs from feet to head (S), H from front to back (P), W from right to left
        (L), as closely as the file's axes allow; no resampling is done for it.
    spacing : (dz, dy, dx) in mm
        Distance of voxel centres along D, H and W, rounded to a nanometre.
    origin : (x, y, z) in mm
        Centre of the voxel [0, 0, 0] in the LPS system of DICOM and ITK.
    direction : tuple of nine floats
        Cosines row by row as in ITK: its columns are the directions of W, H and D.
    format : str
        The format that was read, for instance ``"NRRD"``.
    """

    array: FloatVolume
    spacing: Triple
    origin: Triple = (0.0, 0.0, 0.0)
    direction: tuple[float, ...] = (1.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 1.0)
    format: str = "memory"

    def __repr__(self) -> str:
        d, h, w = self.array.shape
        dz, dy, dx = self.spacing
        return (
            f"Volume of {d} x {h} x {w} voxels of {dz:g} x {dy:g} x {dx:g} mm (D, H, W), from {self.format}"
        )

    @property
    def extent_mm(self) -> Triple:
        """Length of D, H and W in mm, voxels counted whole."""
        (d, h, w), (dz, dy, dx) = self.array.shape, self.spacing
        return d * dz, h * dy, w * dx

    def same_grid(self, other: Volume) -> bool:
        """Whether another volume has the same voxels at the same places, to a thousandth of a voxel."""
        least = min(self.spacing)
        return (
            self.array.shape == other.array.shape
            and bool(np.allclose(self.spacing, other.spacing, rtol=1e-4))
            and bool(np.allclose(self.origin, other.origin, rtol=0, atol=1e-3 * least + 1e-4))
            and bool(np.allclose(self.direction, other.direction, rtol=0, atol=1e-4))
        )


def read_volume(path: str | os.PathLike[str], *, spacing: Triple | None = None) -> Volume:
    """Read a volume; the format is told by the content, not by the name.

    Parameters
    ----------
    path : str or path
        NRRD, Slicer's ``.seg.nrrd``, NIfTI (``.nii``, ``.nii.gz``), MetaImage (``.mha``, ``.mhd`` with its data file),
        a DICOM folder with one series, a DICOM file of many frames, or NumPy: ``.npz`` with ``array`` (D, H, W) and
        ``spacing`` (dz, dy, dx), or ``.npy``, which needs ``spacing=``.
    spacing : (dz, dy, dx) in mm, optional
        For a NumPy file that does not state it; it must not contradict a file that does.

    Returns
    -------
    Volume
        The same for every format that holds the same volume, whatever the order and sign of the file's axes.

    Raises
    ------
    InputFileError
        For a file that is absent, of another kind, broken, truncated, or larger than `MOST_VOXELS`; the header is
        held against the file before memory is asked for.
    MissingExtraError
        Without SimpleITK.

    Notes
    -----
    Names, dates and every other tag of the file are dropped: a `Volume` holds numbers and geometry alone.
    Voxels must be finite and of one component; several layers of a ``.seg.nrrd`` are read by `read_mask`.
    """
    volume = _read(_name(path), spacing, layers=False)
    finite = np.isfinite(volume.array)
    if not finite.all():
        count = int(finite.size - np.count_nonzero(finite))
        raise refusal(_name(path), f"voxels that are not finite: {count:,}; replace them before")
    return volume


def read_mask(path: str | os.PathLike[str], volume: Volume) -> NDArray[np.bool_]:
    """Read a mask and lay it on the grid of its image.

    Parameters
    ----------
    path : str or path
        Any format of `read_volume`. Every value but 0 is the lesion, in any segment and any layer.
    volume : Volume
        The image.

    Returns
    -------
    array of shape (D, H, W), bool
        On the image's grid: each of its voxels takes the value of the nearest voxel of the mask, and nothing
        where the mask does not reach. A NumPy mask without spacing must have the image's shape.

    Raises
    ------
    InputFileError
        As `read_volume`.
    MaskMismatchError
        For a mask of another shape than its image where no spacing tells more, and for one that has a lesion, none of
        which lies within the image.
    """
    name = _name(path)
    mask = _read(name, None, layers=True, like=volume)
    lesion: NDArray[np.bool_] = mask.array != 0
    if mask.same_grid(volume):
        return lesion
    moved = _on_grid(lesion, mask, volume)
    if lesion.any() and not moved.any():
        raise _mismatch(name, "no part of its lesion lies within the image; is it the mask of another image?")
    return moved


def _name(path: str | os.PathLike[str]) -> str:
    name = os.fspath(path)
    if not isinstance(name, str):
        raise BiomarkError(f"path must be text, found {name!r}")
    return name


def _read(name: str, spacing: Triple | None, *, layers: bool, like: Volume | None = None) -> Volume:
    kind, head = _kind(name)
    try:
        if kind == "NumPy":
            held = read_npz(name) if head.startswith(b"PK") else read_npy(name)
            return _from_numpy(name, held, spacing, like)
        image = _image(name, kind, head)
    except InputFileError:
        raise
    except MemoryError:
        raise refusal(name, "there is not enough memory to read it; crop the volume") from None
    except (RuntimeError, OSError) as error:
        raise refusal(name, f"cannot be read as {kind}: {_reason(error)}") from None
    return _from_image(name, kind, image, layers=layers)


def _kind(name: str) -> tuple[str, bytes]:
    if os.path.isdir(name):
        return "DICOM folder", b""
    try:
        with open(name, "rb") as handle:
            head = handle.read(_HEAD)
    except FileNotFoundError:
        raise refusal(name, "no such file; check the name and the folder") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        raise refusal(name, f"cannot be read: {reason}") from None
    if not head:
        raise refusal(name, f"the file is empty; {_EXPECTED}")
    if head.startswith(b"NRRD00"):
        return "NRRD", head
    if head.startswith((b"\x93NUMPY", b"PK\x03\x04")):
        return "NumPy", head
    if is_dicom(head):
        return "DICOM", head
    if is_nifti(nifti_head(head)):
        return "NIfTI", head
    if is_metaimage(head):
        return "MetaImage", head
    raise refusal(name, f"is no volume that is known here; {_EXPECTED}")


def _image(name: str, kind: str, head: bytes) -> Any:
    sitk = simpleitk()
    if kind == "DICOM folder":
        return read_dicom_folder(name)
    if kind == "DICOM":
        return read_dicom_file(name)
    if kind == "NRRD":
        check_claim(name, nrrd_claim(name))
    elif kind == "NIfTI":
        check_claim(name, nifti_claim(name, nifti_head(head), compressed=head.startswith(b"\x1f\x8b")))
    else:
        return read_metaimage(name)
    reader = sitk.ImageFileReader()
    reader.SetImageIO({"NRRD": "NrrdImageIO", "NIfTI": "NiftiImageIO"}[kind])
    reader.SetFileName(name)
    return reader.Execute()


def _from_image(name: str, kind: str, image: Any, *, layers: bool) -> Volume:
    sitk = simpleitk()
    if image.GetDimension() == 4 and image.GetSize()[3] == 1:
        image = image[:, :, :, 0]
    if image.GetDimension() != 3:
        raise refusal(name, f"has {image.GetDimension()} dimensions; a volume has three")
    components = image.GetNumberOfComponentsPerPixel()
    if components > 1 and not layers:
        raise refusal(name, f"has {components} values per voxel (a colour image?); save it as a grey one")
    try:
        image = sitk.DICOMOrient(image, "LPS")
    except RuntimeError as error:
        raise refusal(name, f"its orientation cannot be used: {_reason(error)}") from None
    array = sitk.GetArrayViewFromImage(image)
    if array.dtype.kind == "c":
        raise refusal(name, "holds complex numbers; a volume holds real ones")
    if components > 1:
        array = (array != 0).any(axis=-1)
    dx, dy, dz = image.GetSpacing()
    return _checked(
        name,
        np.array(array, dtype=np.float32, order="C"),
        (dz, dy, dx),
        image.GetOrigin(),
        image.GetDirection(),
        kind.removesuffix(" folder"),
    )


def _from_numpy(name: str, held: NumpyVolume, spacing: Triple | None, like: Volume | None) -> Volume:
    if held.spacing is None and spacing is None:
        if like is None:
            raise refusal(
                name,
                "states no spacing; give spacing=(dz, dy, dx) in mm, or save a .npz with 'array' and 'spacing'",
            )
        if held.array.shape != like.array.shape:
            raise _mismatch(
                name, f"has shape {held.array.shape} and no spacing; its image has shape {like.array.shape}"
            )
        array = held.array.astype(np.float32)
        return Volume(array, like.spacing, like.origin, like.direction, "NumPy")
    stated = held.spacing if held.spacing is not None else np.asarray(spacing, dtype=np.float64)
    if spacing is not None and not np.allclose(stated, spacing, rtol=1e-4):
        raise refusal(name, f"states the spacing {tuple(stated.tolist())}, not {tuple(spacing)}")
    origin = np.zeros(3) if held.origin is None else held.origin
    direction = np.eye(3) if held.direction is None else held.direction
    dz, dy, dx = stated.tolist()
    array = np.array(held.array, dtype=np.float32, order="C")
    volume = _checked(name, array, (dz, dy, dx), origin.tolist(), direction.ravel().tolist(), "NumPy")
    if held.direction is None:
        return volume
    image = simpleitk().GetImageFromArray(array)
    _place(image, volume)
    return _from_image(name, "NumPy", image, layers=False)


def _checked(name: str, array: Any, spacing: Any, origin: Any, direction: Any, kind: str) -> Volume:
    dz, dy, dx = (round(float(value), 6) for value in spacing)
    if not all(np.isfinite(value) and value > 0 for value in (dz, dy, dx)):
        raise refusal(name, f"its spacing is {dz:g} x {dy:g} x {dx:g} mm; it must be positive")
    x, y, z = (float(value) for value in origin)
    cosines = tuple(float(value) for value in direction)
    if not np.isfinite([x, y, z, *cosines]).all():
        raise refusal(name, "its origin or direction is not finite; write the file again")
    return Volume(array, (dz, dy, dx), (x, y, z), cosines, kind)


def _place(image: Any, volume: Volume) -> None:
    image.SetSpacing(volume.spacing[::-1])
    image.SetOrigin(volume.origin)
    image.SetDirection(volume.direction)


def _on_grid(lesion: NDArray[np.bool_], mask: Volume, volume: Volume) -> NDArray[np.bool_]:
    sitk = simpleitk()
    image = sitk.GetImageFromArray(lesion.astype(np.uint8))
    _place(image, mask)
    resample = sitk.ResampleImageFilter()
    resample.SetSize(volume.array.shape[::-1])
    resample.SetOutputSpacing(volume.spacing[::-1])
    resample.SetOutputOrigin(volume.origin)
    resample.SetOutputDirection(volume.direction)
    resample.SetInterpolator(sitk.sitkNearestNeighbor)
    return np.asarray(sitk.GetArrayFromImage(resample.Execute(image)) != 0)


def _mismatch(name: str, message: str) -> MaskMismatchError:
    return MaskMismatchError(shown_name(name), [Problem(message)])


def _reason(error: BaseException) -> str:
    """Return the sentence of a reader's message that says something, without addresses and source files."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    told = next((line for line in reversed(lines) if "ERROR" not in line and "Exception" not in line), "")
    return told[:160] or "the reader refuses it; write or copy the file again"
