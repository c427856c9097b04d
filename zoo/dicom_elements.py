"""The few elements of a DICOM file that say how large its voxels are and where they lie in the file.

GDCM gives pixels of 1 mm to ultrasound whatever the file says, and fills what a truncated slice lacks; this reads the
elements themselves. Elements of people are passed over by their length and never decoded.
"""

from __future__ import annotations

import mmap
import struct
from dataclasses import dataclass

from ..errors import InputFileError
from .claimed_size import refusal

__all__ = ["DicomGeometry", "dicom_geometry"]

_IMPLICIT = "1.2.840.10008.1.2"
_UNREADABLE = {"1.2.840.10008.1.2.2": "big-endian", "1.2.840.10008.1.2.1.99": "deflated"}
_LONG = {b"OB", b"OW", b"OF", b"OD", b"OL", b"OV", b"SQ", b"UC", b"UR", b"UT", b"UN", b"SV", b"UV"}
_SHORT = {
    b"AE",
    b"AS",
    b"AT",
    b"CS",
    b"DA",
    b"DS",
    b"DT",
    b"FL",
    b"FD",
    b"IS",
    b"LO",
    b"LT",
    b"PN",
    b"SH",
    b"SL",
}
_SHORT |= {b"SS", b"ST", b"TM", b"UI", b"UL", b"US"}
_UNDEFINED = 0xFFFFFFFF
_PIXELS = (0x7FE0, 0x0010)
_ITEM, _ITEM_END, _SEQUENCE_END = (0xFFFE, 0xE000), (0xFFFE, 0xE00D), (0xFFFE, 0xE0DD)
# Functional groups, pixel measures, ultrasound regions: what may hold a spacing.
_SEQUENCES = {(0x5200, 0x9229), (0x5200, 0x9230), (0x0028, 0x9110), (0x0018, 0x6011)}
_PIXEL_SPACING, _IMAGER_SPACING = (0x0028, 0x0030), (0x0018, 0x1164)
_BETWEEN, _THICKNESS = (0x0018, 0x0088), (0x0018, 0x0050)
_REGION_UNIT_X, _REGION_UNIT_Y = (0x0018, 0x6024), (0x0018, 0x6026)
_REGION_X, _REGION_Y = (0x0018, 0x602C), (0x0018, 0x602E)
_TEXT = (_PIXEL_SPACING, _IMAGER_SPACING, _BETWEEN, _THICKNESS)
_CENTIMETRES = 3

Tag = tuple[int, int]


@dataclass(frozen=True, slots=True)
class DicomGeometry:
    """What a DICOM file says of its voxels; None where it does not say.

    Attributes
    ----------
    row_mm, column_mm : float or None
        Distance of rows (along H) and of columns (along W).
    slice_mm : float or None
        Distance of slices or frames, of (0018,0088), else their thickness, of (0018,0050).
    pixel_bytes : int or None
        Length of the pixel data; None where they are compressed.
    """

    row_mm: float | None
    column_mm: float | None
    slice_mm: float | None
    pixel_bytes: int | None


def dicom_geometry(path: str, name: str | None = None) -> DicomGeometry:
    """Read the geometry of a DICOM file, and check that its pixel data are complete.

    Parameters
    ----------
    path : str
    name : str, optional
        What messages call the file.

    Raises
    ------
    InputFileError
        For a file that stops before its pixel data end, or cannot be followed.

    Notes
    -----
    Pixel spacing is that of (0028,0030); else of the first ultrasound region in centimetres, (0018,602C) and
    (0018,602E); else that of (0018,1164).

    References
    ----------
    DICOM PS3.5 chapter 7, PS3.3 C.8.5.5 (ultrasound regions) and C.7.6.16.2.1 (pixel measures).
    """
    called = path if name is None else name
    try:
        with open(path, "rb") as handle, mmap.mmap(handle.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return _geometry(content, called)
    except InputFileError:
        raise
    except (struct.error, IndexError, ValueError):
        raise refusal(called, "its DICOM elements are cut off or damaged; copy or export it again") from None
    except OSError as error:
        raise refusal(called, f"cannot be read: {error.strerror}") from None


def _geometry(content: mmap.mmap, called: str) -> DicomGeometry:
    found: dict[Tag, bytes] = {}
    explicit, at, depth = True, 132, 0
    syntax = ""
    while True:
        if at + 8 > len(content):
            raise refusal(called, "is truncated: it stops before its pixel data; copy it again")
        tag: Tag = struct.unpack_from("<2H", content, at)
        if syntax == "" and tag[0] != 2:
            syntax = found.get((2, 0x10), b"").rstrip(b"\0 ").decode("ascii", "replace") or "?"
            explicit = syntax != _IMPLICIT
            if syntax in _UNREADABLE:
                raise refusal(
                    called, f"its DICOM encoding is {_UNREADABLE[syntax]}; export it as little-endian"
                )
        kind, start, length = _header(content, at, explicit=explicit or tag[0] == 2)
        if tag == _PIXELS and depth == 0:
            _check_pixels(content, called, start, length)
            _check_rest(content, called, start, length, explicit=explicit)
            return _interpreted(found, None if length == _UNDEFINED else length)
        # GDCM would ask for the memory first and look at the file afterwards.
        if length != _UNDEFINED and start + length > len(content):
            raise refusal(called, "its DICOM elements are cut off or damaged; copy or export it again")
        is_sequence = kind == b"SQ" or tag in _SEQUENCES or length == _UNDEFINED
        if tag == _SEQUENCE_END:
            depth -= 1
            at = start
        elif tag in (_ITEM, _ITEM_END):
            at = start
        elif is_sequence and (length == _UNDEFINED or tag in _SEQUENCES):
            depth += length == _UNDEFINED
            at = start
        else:
            if tag in _TEXT or tag in (_REGION_X, _REGION_Y, _REGION_UNIT_X, _REGION_UNIT_Y, (2, 0x10)):
                # The first counts: that of all frames, or of the first region.
                found.setdefault(tag, content[start : start + min(length, 256)])
            at = start + length


def _header(content: mmap.mmap, at: int, *, explicit: bool) -> tuple[bytes, int, int]:
    """Return the value representation, where the value begins, and its length."""
    if not explicit or content[at : at + 2] == b"\xfe\xff":
        return b"", at + 8, struct.unpack_from("<I", content, at + 4)[0]
    kind = bytes(content[at + 4 : at + 6])
    if kind in _LONG:
        return kind, at + 12, struct.unpack_from("<I", content, at + 8)[0]
    if kind not in _SHORT:
        raise ValueError("unknown value representation")
    return kind, at + 8, struct.unpack_from("<H", content, at + 6)[0]


def _check_pixels(content: mmap.mmap, called: str, start: int, length: int) -> None:
    if length == _UNDEFINED:
        if content.rfind(b"\xfe\xff\xdd\xe0", start) < 0:
            raise refusal(called, "is truncated: its compressed pixel data have no end; copy it again")
    elif start + length > len(content):
        raise refusal(
            called,
            f"is truncated: its pixel data should take {length:,} bytes and the file holds "
            f"{len(content) - start:,}; copy it again",
        )


def _check_rest(content: mmap.mmap, called: str, start: int, length: int, *, explicit: bool) -> None:
    """Follow what stands after the pixel data (padding, digital signatures): GDCM reads that too."""
    at = len(content) if length == _UNDEFINED else start + length
    while at + 8 <= len(content) and content[at : at + 8] != b"\0" * 8:
        _, inner, size = _header(content, at, explicit=explicit)
        if size == _UNDEFINED or inner + size > len(content):
            raise refusal(called, "its DICOM elements are cut off or damaged; copy or export it again")
        at = inner + size


def _interpreted(found: dict[Tag, bytes], pixel_bytes: int | None) -> DicomGeometry:
    row, column = _numbers(found.get(_PIXEL_SPACING), 2)
    if row is None and all(_unit(found.get(tag)) == _CENTIMETRES for tag in (_REGION_UNIT_X, _REGION_UNIT_Y)):
        row, column = _centimetres(found.get(_REGION_Y)), _centimetres(found.get(_REGION_X))
    if row is None or column is None:
        row, column = _numbers(found.get(_IMAGER_SPACING), 2)
    between = _numbers(found.get(_BETWEEN), 1)[0]
    return DicomGeometry(row, column, between or _numbers(found.get(_THICKNESS), 1)[0], pixel_bytes)


def _numbers(value: bytes | None, count: int) -> tuple[float | None, ...]:
    try:
        numbers = [float(word) for word in (value or b"").decode("ascii").rstrip("\0 ").split("\\")]
    except ValueError:
        return (None,) * count
    return (
        tuple(numbers[:count]) if len(numbers) >= count and all(n > 0 for n in numbers) else (None,) * count
    )


def _unit(value: bytes | None) -> int | None:
    return None if value is None or len(value) < 2 else int(struct.unpack_from("<H", value)[0])


def _centimetres(value: bytes | None) -> float | None:
    if value is None or len(value) < 8:
        return None
    size = abs(float(struct.unpack_from("<d", value)[0])) * 10
    return size if size > 0 else None
