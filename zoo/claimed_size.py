"""What a volume's header claims, held against what the file holds, before anything of that size is allocated.

Readers allocate what a header asks for, and some fill what a truncated file lacks with zeros in silence. Both are
found out here at the price of reading a compressed file twice.
"""

from __future__ import annotations

import math
import os
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputFileError, Problem
from ..stats.input_file import shown_name
from ..stats.input_table import shown

__all__ = ["MOST_VOXELS", "HeaderClaim", "check_claim", "check_shape", "file_beside", "refusal"]

MOST_VOXELS = 2**29
"""Most voxels that are read: 2 GiB as float32, four times a whole-breast scan of 841 x 482 x 350."""

_CHUNK = 2**20
# What may follow the voxels without being suspect (padding of tapes and blocks).
_SLACK = 2**16


@dataclass(frozen=True, slots=True)
class HeaderClaim:
    """What a header says of its voxels.

    Attributes
    ----------
    shape : tuple of int
        As in the file, fastest axis first.
    bytes_per_voxel : int
        Of all components together.
    data : Path
        The file that holds the voxels.
    offset : int
        Where they begin; within the inflated stream if the whole file is compressed.
    compression : "none", "gzip", "zlib" or "text"
        ``text`` stands for voxels written as characters, at least two bytes each.
    whole : bool
        Whether the compressed stream begins with the file (NIfTI) and not at ``offset``.
    """

    shape: tuple[int, ...]
    bytes_per_voxel: int
    data: Path
    offset: int
    compression: str = "none"
    whole: bool = False


def check_claim(path: str, claim: HeaderClaim) -> None:
    """Refuse a header that asks for too much, or for more (or far less) than its file holds.

    Raises
    ------
    InputFileError
    """
    check_shape(path, claim.shape)
    promised = math.prod(claim.shape) * claim.bytes_per_voxel
    size = _file_size(path, claim.data)
    if claim.compression in ("gzip", "zlib"):
        start, wanted = (0, claim.offset + promised) if claim.whole else (claim.offset, promised)
        held = _inflated_size(path, claim, start, wanted)
        if held < wanted:
            raise _truncated(path, wanted, held, " after decompression")
        return
    # A skip counted from the end (-1 of NRRD) leaves the whole file to the voxels.
    held = size - max(claim.offset, 0)
    least = 2 * math.prod(claim.shape) - 1 if claim.compression == "text" else promised
    if held < least:
        raise _truncated(path, least, max(held, 0), "")


def check_shape(path: str, shape: Sequence[int]) -> None:
    """Refuse a shape (any order) that is not three-dimensional or holds more than `MOST_VOXELS`."""
    extents = " x ".join(f"{n:,}" for n in shape)
    if any(n < 1 for n in shape):
        raise refusal(path, f"its header gives the shape {extents}; every axis must have at least one voxel")
    if len(shape) != 3:
        raise refusal(path, f"has {len(shape)} dimensions ({extents}); a volume has three")
    if math.prod(shape) > MOST_VOXELS:
        raise refusal(
            path,
            f"its header claims {extents} voxels, {math.prod(shape):,} in all; at most {MOST_VOXELS:,} are read. "
            "Crop the volume, or write the file again if the header is wrong",
        )


def file_beside(path: str, name: str) -> Path:
    """Return the file of voxels that a header names, which must lie in the header's own folder.

    Anything else would let a header from elsewhere pull any file of this machine into a cache, so absolute
    names, names with folders and links that lead out of the folder are refused.
    """
    folder = Path(path).resolve().parent
    if not name or name in (".", "..") or "/" in name or "\\" in name or "\0" in name or "%" in name:
        raise refusal(
            path,
            f"its voxels are said to lie in {shown(name)}; the file must lie in the header's own folder and be named "
            "without one",
        )
    data = folder / name
    if not data.is_file():
        raise refusal(
            path, f"its voxels should lie in {shown(name)} in the same folder, where there is no such file"
        )
    if data.resolve().parent != folder:
        raise refusal(
            path, f"its voxels lie in {shown(name)}, a link that leads out of the folder; put the file there"
        )
    return data


def refusal(path: str, message: str) -> InputFileError:
    """Return the error that names the file and says what is wrong with it."""
    return InputFileError(shown_name(path), [Problem(message)])


def _file_size(path: str, data: Path) -> int:
    try:
        return os.path.getsize(data)
    except OSError as error:
        raise refusal(path, f"cannot be read: {error.strerror}") from None


def _inflated_size(path: str, claim: HeaderClaim, start: int, wanted: int) -> int:
    """Count the inflated bytes in chunks, up to a little more than ``wanted``; verifies the checksum at the end."""
    held = 0
    window = 15 + 32  # told apart by the stream's own header: zlib or gzip
    try:
        with open(claim.data, "rb") as handle:
            handle.seek(start)
            stream = zlib.decompressobj(window)
            pending = b""
            while pending or (pending := handle.read(_CHUNK)):
                held += len(stream.decompress(pending, _CHUNK))
                pending = stream.unconsumed_tail
                if held > wanted + _SLACK:
                    raise refusal(
                        path,
                        f"its compressed voxels go on after the {wanted:,} bytes that its header promises; "
                        "the header is wrong, or the file was made to exhaust memory",
                    )
                if stream.eof:
                    rest = stream.unused_data
                    if not rest.startswith(b"\x1f\x8b"):
                        break
                    stream, pending = zlib.decompressobj(window), rest
            else:
                if held >= wanted:
                    raise refusal(path, "its compressed data stop before their end; copy the file again")
    except zlib.error as error:
        raise refusal(path, f"its compressed data are damaged ({error}); copy the file again") from None
    except OSError as error:
        raise refusal(path, f"cannot be read: {error.strerror}") from None
    return held


def _truncated(path: str, promised: int, held: int, when: str) -> InputFileError:
    return refusal(
        path,
        f"is truncated: its header promises {promised:,} bytes of voxels and the file holds {held:,}{when}; "
        "copy it again",
    )
