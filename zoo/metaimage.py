"""The header of a MetaImage (``.mha``, or ``.mhd`` with its data file), as far as the size of its voxels goes."""

from __future__ import annotations

from pathlib import Path

from ..stats.input_table import shown
from .claimed_size import HeaderClaim, file_beside, refusal

__all__ = ["is_metaimage", "metaimage_claim"]

_LONGEST = 2**16
_TYPES = {
    **dict.fromkeys(("MET_CHAR", "MET_UCHAR"), 1),
    **dict.fromkeys(("MET_SHORT", "MET_USHORT"), 2),
    **dict.fromkeys(("MET_INT", "MET_UINT", "MET_FLOAT"), 4),
    **dict.fromkeys(("MET_LONG", "MET_ULONG", "MET_LONG_LONG", "MET_ULONG_LONG", "MET_DOUBLE"), 8),
}


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
    fields, end = _fields(path)
    kind = fields.get("ElementType", "")
    if kind not in _TYPES:
        raise refusal(path, f"its MetaImage header has the ElementType {shown(kind)}; it must be a number")
    try:
        sizes = tuple(int(word) for word in fields["DimSize"].split())
        components = int(fields.get("ElementNumberOfChannels", 1))
        skip = int(fields.get("HeaderSize", 0))
    except (KeyError, ValueError):
        raise refusal(path, "its MetaImage header has no readable DimSize; write the file again") from None
    name = fields["ElementDataFile"]
    if name.upper() == "LIST":
        raise refusal(path, "its voxels lie in a list of files, which is not read; save it as one .mha file")
    local = name.upper() == "LOCAL"
    data, offset = (Path(path), end) if local else (file_beside(path, name), 0)
    if skip > 0 and not local:
        offset = skip
    compression = "zlib" if fields.get("CompressedData", "").lower() == "true" else "none"
    if fields.get("BinaryData", "True").lower() == "false":
        compression = "text"
    return HeaderClaim(sizes, _TYPES[kind] * max(components, 1), data, offset, compression)


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
