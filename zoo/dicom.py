"""DICOM: a folder with one series of slices, or one file with many frames; of its elements only geometry is used."""

from __future__ import annotations

import os
from dataclasses import replace
from typing import Any

import numpy as np

from .claimed_size import check_shape, refusal
from .dicom_elements import DicomGeometry, dicom_geometry
from .itk import simpleitk

__all__ = ["is_dicom", "read_dicom_file", "read_dicom_folder"]

# The best that deflate can do; no medical codec comes near it on a real image.
_BEST_RATIO = 1032
_POSITION = "0020|0032"
_ORIENTATION = "0020|0037"
_BITS = "0028|0100"
# Share of the slice distance by which a gap may differ from it.
_TOLERANCE = 0.02


def is_dicom(head: bytes) -> bool:
    """Whether the first bytes are those of a DICOM file with its preamble."""
    return head[128:132] == b"DICM"


def read_dicom_file(path: str) -> Any:
    """Read one DICOM file, usually of many frames, as a SimpleITK image."""
    geometry = dicom_geometry(path)
    reader = _reader(path)
    check_shape(path, reader.GetSize())
    _check_bytes(path, reader, geometry)
    image = reader.Execute()
    _put_spacing(path, image, geometry, slice_mm=geometry.slice_mm)
    return image


def read_dicom_folder(path: str) -> Any:
    """Read the one series of a folder as a SimpleITK image, slices ordered by position.

    Refused: no series, several, slices of different size or orientation, gaps between slices that differ by more
    than 2% (a slice is missing or was exported twice).
    """
    sitk = simpleitk()
    series = sitk.ImageSeriesReader.GetGDCMSeriesIDs(path)
    if not series:
        raise refusal(
            path, "the folder holds no DICOM series; name a folder of DICOM slices, or a volume file"
        )
    if len(series) > 1:
        counts = [len(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(path, name)) for name in series]
        raise refusal(
            path,
            f"the folder holds {len(series)} DICOM series (of {', '.join(map(str, counts))} files); "
            "keep each series in a folder of its own",
        )
    names = list(sitk.ImageSeriesReader.GetGDCMSeriesFileNames(path, series[0]))
    _refuse_left_out(path, names)
    if len(names) == 1:
        return read_dicom_file(names[0])
    geometry = _check_slices(path, names)
    reader = sitk.ImageSeriesReader()
    reader.SetImageIO("GDCMImageIO")
    reader.SetFileNames(names)
    image = reader.Execute()
    _put_spacing(path, image, geometry, slice_mm=geometry.slice_mm)
    return image


def _put_spacing(path: str, image: Any, geometry: DicomGeometry, *, slice_mm: float | None) -> None:
    """Set the spacing that the elements state; what GDCM makes of them is 1 mm where it does not know."""
    dx, dy, dz = image.GetSpacing()
    if geometry.column_mm is not None and geometry.row_mm is not None:
        dx, dy = geometry.column_mm, geometry.row_mm
    elif dx == dy == 1.0:
        raise refusal(
            path,
            "states no pixel spacing ((0028,0030), or an ultrasound region in centimetres); export it with one",
        )
    if dz == 1.0:
        if slice_mm is None:
            raise refusal(
                path, "states no distance of its frames ((0018,0088) or (0018,0050)); export it with one"
            )
        dz = slice_mm
    image.SetSpacing((dx, dy, dz))


def _reader(name: str) -> Any:
    reader = simpleitk().ImageFileReader()
    reader.SetImageIO("GDCMImageIO")
    reader.SetFileName(name)
    reader.ReadImageInformation()
    return reader


def _check_bytes(path: str, reader: Any, geometry: DicomGeometry) -> None:
    """Hold the size that the header claims against the pixel data."""
    bits = int(reader.GetMetaData(_BITS)) if reader.HasMetaDataKey(_BITS) else 8
    voxels = int(np.prod(reader.GetSize(), dtype=np.int64))
    claimed = voxels * max(bits, 8) // 8 * max(reader.GetNumberOfComponents(), 1)
    held = geometry.pixel_bytes
    if held is None:
        size = os.path.getsize(reader.GetFileName())
        if claimed > size * _BEST_RATIO:
            raise refusal(
                path, f"its header promises {claimed:,} bytes of voxels in a file of {size:,}; copy it again"
            )
    elif not claimed <= held <= claimed + 1:
        raise refusal(
            path,
            f"its header promises {claimed:,} bytes of voxels and its pixel data are {held:,}; copy it again",
        )


def _refuse_left_out(path: str, used: list[str]) -> None:
    """Refuse a folder with DICOM files that GDCM leaves out in silence: a slice that is damaged, or of no series."""
    names = {os.path.basename(name) for name in used}
    for name in sorted(os.listdir(path)):
        file = os.path.join(path, name)
        if name in names or name.upper() == "DICOMDIR" or not os.path.isfile(file):
            continue
        with open(file, "rb") as handle:
            if not is_dicom(handle.read(132)):
                continue
        dicom_geometry(file)
        raise refusal(
            path, f"{name} is a DICOM file that does not belong to the series; keep one series in the folder"
        )


def _check_slices(path: str, names: list[str]) -> DicomGeometry:
    """Check every slice; return the geometry of the first, its slices' distance being that of their positions."""
    size: tuple[int, ...] = ()
    orientation = ""
    positions = []
    geometries = []
    for name in names:
        called = os.path.join(path, os.path.basename(name))
        geometries.append(dicom_geometry(name, called))
        reader = _reader(name)
        here = tuple(reader.GetSize()[:2])
        if size and here != size:
            raise refusal(
                path, f"its slices differ in size ({size[0]} x {size[1]} and {here[0]} x {here[1]})"
            )
        if not size:
            size = here
            check_shape(path, (*size, len(names)))
        _check_bytes(called, reader, geometries[-1])
        if not (reader.HasMetaDataKey(_POSITION) and reader.HasMetaDataKey(_ORIENTATION)):
            raise refusal(path, "its slices have no position (0020,0032); a volume cannot be put together")
        if orientation and reader.GetMetaData(_ORIENTATION).strip() != orientation:
            raise refusal(path, "its slices differ in orientation; keep one stack of parallel slices")
        orientation = reader.GetMetaData(_ORIENTATION).strip()
        positions.append([float(word) for word in reader.GetMetaData(_POSITION).split("\\")])
    gaps = np.linalg.norm(np.diff(np.array(positions), axis=0), axis=1)
    usual = float(np.median(gaps))
    wrong = np.flatnonzero(np.abs(gaps - usual) > _TOLERANCE * max(usual, 1e-6))
    if wrong.size:
        at = int(wrong[0])
        raise refusal(
            path,
            f"the gap after slice {at + 1} of {len(names)} is {gaps[at]:.3g} mm where others are {usual:.3g} mm: "
            "a slice is missing or stands twice",
        )
    return replace(geometries[0], slice_mm=usual)
