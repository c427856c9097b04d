"""The header of an NRRD file (and of Slicer's ``.seg.nrrd``), as far as the size of its voxels goes."""

from __future__ import annotations

from pathlib import Path

from ..stats.input_table import shown
from .claimed_size import HeaderClaim, file_beside, refusal

__all__ = ["nrrd_claim"]

# Segmentations with many segments carry long headers; more than this is none.
_LONGEST = 2**22

_BYTES = {
    1: "signed char,int8,int8_t,uchar,unsigned char,uint8,uint8_t",
    2: "short,short int,signed short,signed short int,int16,int16_t,ushort,unsigned short,unsigned short int,uint16,"
    "uint16_t",
    4: "int,signed int,int32,int32_t,uint,unsigned int,uint32,uint32_t,float",
    8: "longlong,long long,long long int,signed long long,signed long long int,int64,int64_t,ulonglong,"
    "unsigned long long,unsigned long long int,uint64,uint64_t,double",
}
_TYPES = {name: size for size, names in _BYTES.items() for name in names.split(",")}
_ENCODINGS = {
    "raw": "none",
    "gzip": "gzip",
    "gz": "gzip",
    "ascii": "text",
    "text": "text",
    "txt": "text",
    "hex": "text",
}
_SPATIAL = ("domain", "space", "time", "none", "???")


def nrrd_claim(path: str) -> HeaderClaim:
    """Return what the header of an NRRD file claims.

    A first axis that is not spatial (the overlapping layers of a ``.seg.nrrd``, a vector) counts as components of
    the voxel.

    References
    ----------
    Definition of NRRD File Format, teem.sourceforge.net/nrrd/format.html.
    """
    fields, end = _fields(path)
    kind = fields.get("type", "")
    if kind not in _TYPES:
        raise refusal(
            path, f"its NRRD header has the type {shown(kind)}; it must be a number of 8 to 64 bits"
        )
    encoding = _ENCODINGS.get(fields.get("encoding", ""))
    if encoding is None:
        raise refusal(
            path, f"its NRRD encoding is {shown(fields.get('encoding', ''))}; raw and gzip are read"
        )
    try:
        sizes = tuple(int(word) for word in fields["sizes"].split())
        skip_lines, skip = int(fields.get("line skip", 0)), int(fields.get("byte skip", 0))
    except (KeyError, ValueError):
        raise refusal(path, "its NRRD header has no readable sizes; write the file again") from None
    components = 1
    kinds = fields.get("kinds", "").split()
    if len(sizes) == 4 and len(kinds) == 4 and kinds[0] not in _SPATIAL:
        components, sizes = max(sizes[0], 1), sizes[1:]
    name = fields.get("data file", fields.get("datafile"))
    if name is None:
        data, offset = Path(path), end
    else:
        data, offset = file_beside(path, name), 0
    if skip_lines:
        raise refusal(path, "its NRRD header skips lines of its data file, which is not read; write it again")
    compressed = encoding == "gzip"
    if skip and compressed:
        raise refusal(
            path, "its NRRD header skips bytes of compressed data, which is not read; write it again"
        )
    return HeaderClaim(sizes, _TYPES[kind] * components, data, skip if skip < 0 else offset + skip, encoding)


def _fields(path: str) -> tuple[dict[str, str], int]:
    """Return the fields of the header in lower case, and the position after its empty line."""
    try:
        with open(path, "rb") as handle:
            head = handle.read(_LONGEST)
    except OSError as error:
        raise refusal(path, f"cannot be read: {error.strerror}") from None
    ends = [at + len(mark) for mark in (b"\n\n", b"\r\n\r\n") if (at := head.find(mark)) >= 0]
    if not ends:
        if len(head) == _LONGEST:
            raise refusal(path, f"its NRRD header is longer than {_LONGEST:,} bytes; write the file again")
        # A detached header may end with its file.
        ends = [len(head)]
    end = min(ends)
    fields: dict[str, str] = {}
    for line in head[:end].decode("latin-1").splitlines()[1:]:
        name, colon, value = line.partition(": ")
        if colon and not line.startswith("#") and ":=" not in line:
            fields[name.strip().lower()] = value.strip() if "file" in name else value.strip().lower()
    # Kinds are compared in lower case, the name of a file is not changed.
    return fields, end
