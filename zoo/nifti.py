"""The header of a NIfTI file (1 or 2, plain or gzip), as far as the size of its voxels goes."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

from .claimed_size import HeaderClaim, refusal

__all__ = ["is_nifti", "nifti_claim", "nifti_head"]

_LENGTH = 544
_BITS = {2: 8, 4: 16, 8: 32, 16: 32, 64: 64, 256: 8, 512: 16, 768: 32, 1024: 64, 1280: 64, 128: 24, 2304: 32}


def nifti_head(head: bytes) -> bytes:
    """Return the first bytes of the NIfTI header, inflated if the file is gzip; empty if that fails."""
    if not head.startswith(b"\x1f\x8b"):
        return head
    try:
        return zlib.decompressobj(15 + 16).decompress(head, _LENGTH)
    except zlib.error:
        return b""


def is_nifti(head: bytes) -> bool:
    """Whether the (inflated) first bytes are a NIfTI header: of one file, or of a pair."""
    return head[344:347] in (b"n+1", b"ni1") or head[4:7] in (b"n+2", b"ni2")


def nifti_claim(path: str, head: bytes, *, compressed: bool) -> HeaderClaim:
    """Return what a NIfTI header claims.

    References
    ----------
    The NIfTI-1 and NIfTI-2 data formats, nifti.nimh.nih.gov.
    """
    second = head[4:7] in (b"n+2", b"ni2")
    if (head[4:7] if second else head[344:347]).startswith(b"ni"):
        raise refusal(path, "is half of a NIfTI pair (.hdr and .img); save it as one file, .nii or .nii.gz")
    if len(head) < (540 if second else 348):
        raise refusal(path, "is truncated within its NIfTI header; copy it again")
    length = 540 if second else 348
    order = next((mark for mark in "<>" if struct.unpack_from(f"{mark}i", head)[0] == length), None)
    if order is None:
        raise refusal(
            path, "its NIfTI header is damaged: it does not state its own length; write the file again"
        )
    if second:
        datatype, _ = struct.unpack_from(f"{order}2h", head, 12)
        dim = struct.unpack_from(f"{order}8q", head, 16)
        offset = struct.unpack_from(f"{order}q", head, 168)[0]
    else:
        dim = struct.unpack_from(f"{order}8h", head, 40)
        datatype, _ = struct.unpack_from(f"{order}2h", head, 70)
        given = struct.unpack_from(f"{order}f", head, 108)[0]
        offset = int(given) if 0 <= given < 2**31 else -1
    if not 1 <= dim[0] <= 7 or offset < length:
        raise refusal(path, "its NIfTI header is damaged (dimensions or offset); write the file again")
    if datatype not in _BITS:
        raise refusal(
            path, f"its NIfTI header has the data type {datatype}; it must be a number of 8 to 64 bits"
        )
    sizes = list(dim[1 : dim[0] + 1])
    # A fourth axis of one volume is how some write three-dimensional images.
    while len(sizes) > 3 and sizes[-1] == 1:
        sizes.pop()
    return HeaderClaim(
        tuple(int(n) for n in sizes),
        _BITS[datatype] // 8,
        Path(path),
        offset,
        "gzip" if compressed else "none",
        whole=compressed,
    )
