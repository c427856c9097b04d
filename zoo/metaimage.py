"""MetaImage: ``.mha``, or ``.mhd`` with its data file.

Read here, element by element, and not by the format's own library: a damaged header makes that one corrupt memory.
"""

from __future__ import annotations

import zlib
from pathlib import Path
from typing import Any

import numpy as np

from ..stats.input_table import shown
from .claimed_size import HeaderClaim, check_claim, file_beside, refusal
from .itk import simpleitk

__all__ = ["is_metaimage", "metaimage_claim", "read_metaimage"]

_LONGEST = 2**16
_TYPES = {
    "MET_CHAR": "i1",
    "MET_UCHAR": "u1",
    "MET_SHORT": "i2",
    "MET_USHORT": "u2",
    "MET_INT": "i4",
    "MET_UINT": "u4",
    # Four bytes on every machine, whatever the machine calls long.
    "MET_LONG": "i4",
    "MET_ULONG": "u4",
    "MET_LONG_LONG": "i8",
    "MET_ULONG_LONG": "u8",
    "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}
_SPACING = ("ElementSpacing", "ElementSize")
_ORIGIN = ("Offset", "Position", "Origin")
_DIRECTION = ("TransformMatrix", "Rotation", "Orientation")
_BIG_ENDIAN = ("BinaryDataByteOrderMSB", "ElementByteOrderMSB")


def is_metaimage(head: bytes) -> bool:
    """Whether the first bytes are a MetaImage header."""
    first = head.lstrip().split(b"=", 1)[0].strip()
    return first in (b"ObjectType", b"NDims", b"Comment")


def metaimage_claim(path: str) -> HeaderClaim:
    """Return what the header of a MetaImage claims.

    ``ElementDataFile`` must be ``LOCAL`` or name one file in the same folder: lists and patterns of slices are
    refused.

    References
    ----------
    MetaIO, itk.org/Wiki/MetaIO/Documentation.
    """
    return _claim(path, *_fields(path))


def read_metaimage(path: str) -> Any:
    """Read a MetaImage as a SimpleITK image, its header held against its voxels first."""
    fields, end = _fields(path)
    claim = _claim(path, fields, end)
    check_claim(path, claim)
    spacing = _numbers(path, fields, _SPACING, 3, (1.0, 1.0, 1.0))
    if min(spacing) <= 0:
        raise refusal(path, f"its spacing is {' x '.join(f'{s:g}' for s in spacing)} mm; it must be positive")
    origin = _numbers(path, fields, _ORIGIN, 3, (0.0, 0.0, 0.0))
    matrix = _numbers(path, fields, _DIRECTION, 9, tuple(np.eye(3).ravel().tolist()))
    array = _voxels(path, fields, claim)
    image = simpleitk().GetImageFromArray(array, isVector=array.ndim == 4)
    image.SetSpacing(spacing)
    image.SetOrigin(origin)
    # The rows of the file's matrix are the directions of the axes, ITK's columns.
    image.SetDirection(np.reshape(matrix, (3, 3)).T.ravel().tolist())
    return image


def _claim(path: str, fields: dict[str, str], end: int) -> HeaderClaim:
    kind = fields.get("ElementType", "")
    if kind not in _TYPES:
        raise refusal(path, f"its MetaImage header has the ElementType {shown(kind)}; it must be a number")
    try:
        sizes = tuple(int(word) for word in fields["DimSize"].split())
        components = int(fields.get("ElementNumberOfChannels", 1))
        skip = int(fields.get("HeaderSize", 0))
        dimensions = int(fields.get("NDims", len(sizes)))
    except (KeyError, ValueError):
        raise refusal(path, "its MetaImage header has no readable DimSize; write the file again") from None
    if dimensions != len(sizes) or components < 1 or skip < -1:
        raise refusal(path, "its MetaImage header contradicts itself (NDims, DimSize); write the file again")
    if fields.get("BinaryData", "True").lower() == "false":
        raise refusal(path, "its voxels are written as text; save it as binary data")
    name = fields["ElementDataFile"]
    if name.upper() == "LIST":
        raise refusal(path, "its voxels lie in a list of files, which is not read; save it as one .mha file")
    local = name.upper() == "LOCAL"
    data, offset = (Path(path), end) if local else (file_beside(path, name), max(skip, 0))
    compressed = fields.get("CompressedData", "").lower() == "true"
    if skip == -1 and not local and not compressed:
        offset = -1
    item = np.dtype(_TYPES[kind]).itemsize
    return HeaderClaim(sizes, item * components, data, offset, "zlib" if compressed else "none")


def _voxels(path: str, fields: dict[str, str], claim: HeaderClaim) -> Any:
    """Return the voxels as an array of shape (D, H, W), or (D, H, W, components)."""
    count = int(np.prod(claim.shape, dtype=np.int64)) * claim.bytes_per_voxel
    with open(claim.data, "rb") as handle:
        if claim.offset < 0:
            handle.seek(-count, 2)
        else:
            handle.seek(claim.offset)
        if claim.compression == "zlib":
            stream = zlib.decompressobj(15 + 32)
            data = bytearray()
            while len(data) < count and (chunk := handle.read(2**22)):
                data += stream.decompress(chunk, count - len(data))
        else:
            data = bytearray(handle.read(count))
    if len(data) < count:
        raise refusal(
            path, f"is truncated: {count:,} bytes of voxels promised, {len(data):,} found; copy it again"
        )
    big = any(fields.get(name, "").lower() == "true" for name in _BIG_ENDIAN)
    dtype = np.dtype(_TYPES[fields["ElementType"]])
    components = claim.bytes_per_voxel // dtype.itemsize
    shape = claim.shape[::-1] if components == 1 else (*claim.shape[::-1], components)
    # To the machine's own order, which is all that SimpleITK takes.
    return np.frombuffer(data, dtype=dtype.newbyteorder(">" if big else "<")).reshape(shape).astype(dtype)


def _numbers(
    path: str, fields: dict[str, str], names: tuple[str, ...], count: int, otherwise: tuple[float, ...]
) -> tuple[float, ...]:
    """Return the numbers under the first of the names that the header has."""
    name = next((name for name in names if name in fields), None)
    if name is None:
        return otherwise
    try:
        numbers = tuple(float(word) for word in fields[name].split())
    except ValueError:
        numbers = ()
    if len(numbers) != count or not np.isfinite(numbers).all():
        raise refusal(
            path, f"its MetaImage header has the {name} {shown(fields[name])}; expected {count} numbers"
        )
    return numbers


def _fields(path: str) -> tuple[dict[str, str], int]:
    """Return the fields of the header, and the position after its last line (``ElementDataFile``)."""
    fields: dict[str, str] = {}
    try:
        with open(path, "rb") as handle:
            while handle.tell() < _LONGEST:
                line = handle.readline(_LONGEST)
                if not line:
                    break
                name, _, value = line.decode("latin-1").partition("=")
                fields[name.strip()] = value.strip()
                if name.strip() == "ElementDataFile":
                    return fields, handle.tell()
    except OSError as error:
        raise refusal(path, f"cannot be read: {error.strerror}") from None
    raise refusal(path, "its MetaImage header has no ElementDataFile; write the file again")
