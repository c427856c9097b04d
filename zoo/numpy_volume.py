"""NumPy files as volumes: ``.npy`` (an array alone) and ``.npz`` (an array with its spacing). Nothing is unpickled."""

from __future__ import annotations

import os
import zipfile
from dataclasses import dataclass
from typing import IO, Any

import numpy as np
from numpy.typing import NDArray

from ..errors import InputFileError
from ..stats.input_table import listed
from .claimed_size import check_shape, refusal
from .header_lock import HEADER_LOCK

__all__ = ["NumpyVolume", "read_npy", "read_npz"]

_ARRAY_NAMES = ("array", "volume", "image", "mask")
_LONGEST_HEADER = 10_000
_SMALL = 2**16


@dataclass(frozen=True, slots=True, eq=False)
class NumpyVolume:
    """The content of a NumPy file; None where the file does not say.

    Attributes
    ----------
    array : array of shape (D, H, W)
    spacing : array of shape (3,), (dz, dy, dx) in mm
    origin : array of shape (3,), (x, y, z) in mm
    direction : array of shape (3, 3)
    """

    array: NDArray[Any]
    spacing: NDArray[np.float64] | None = None
    origin: NDArray[np.float64] | None = None
    direction: NDArray[np.float64] | None = None


def read_npy(path: str) -> NumpyVolume:
    """Read a ``.npy`` file of a three-dimensional array of numbers."""
    with open(path, "rb") as handle:
        held = os.path.getsize(path)
        return NumpyVolume(_array(path, handle, held, volume=True))


def read_npz(path: str) -> NumpyVolume:
    """Read a ``.npz`` file of an array and its geometry.

    It holds ``array`` (D, H, W) and ``spacing`` (dz, dy, dx) in mm, and if given ``origin`` (x, y, z) in mm and
    ``direction`` (3, 3), whose columns are the directions of W, H and D as in ITK.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            members = {info.filename.removesuffix(".npy"): info for info in archive.infolist()}
            name = next((name for name in _ARRAY_NAMES if name in members), None)
            if name is None:
                raise refusal(
                    path, f"holds {listed(list(members), 5) or 'nothing'}; expected 'array' and 'spacing'"
                )

            def member(key: str, *, volume: bool = False) -> NDArray[Any] | None:
                if key not in members:
                    return None
                with archive.open(members[key]) as handle:
                    return _array(path, handle, members[key].file_size, volume=volume)

            array = member(name, volume=True)
            assert array is not None
            small = {key: member(key) for key in ("spacing", "origin", "direction")}
    except (InputFileError, MemoryError):
        raise
    except Exception as error:
        # A damaged archive makes zipfile raise whatever it stumbles over, an IndexError too.
        raise refusal(path, f"is no readable .npz file ({error}); write it again with numpy.savez") from None
    shapes = {"spacing": (3,), "origin": (3,), "direction": (3, 3)}
    for key, value in small.items():
        if value is not None and value.shape != shapes[key]:
            raise refusal(path, f"its {key!r} has shape {value.shape}; expected {shapes[key]}")
    return NumpyVolume(array, *(None if v is None else v.astype(np.float64) for v in small.values()))


def _array(path: str, handle: IO[bytes], held: int, *, volume: bool) -> NDArray[Any]:
    """Read one array whose header was checked against the bytes that follow it."""
    try:
        version = np.lib.format.read_magic(handle)
        if version[0] not in (1, 2):
            raise refusal(path, f"is of NumPy format {version[0]}.{version[1]}; 1.0 and 2.0 are read")
        read_header = (
            np.lib.format.read_array_header_1_0 if version[0] == 1 else np.lib.format.read_array_header_2_0
        )
        with HEADER_LOCK:
            shape, fortran, dtype = read_header(handle, max_header_size=_LONGEST_HEADER)
        start = handle.tell()
    except InputFileError:
        raise
    except Exception:
        # The header is a Python literal, and a damaged one makes the parser raise whatever it stumbles over.
        raise refusal(path, "its NumPy header is damaged; write the file again with numpy.save") from None
    if dtype.hasobject or dtype.kind not in "biuf":
        raise refusal(
            path, f"holds values of type {dtype}; a volume holds numbers (objects are never unpickled)"
        )
    if volume:
        check_shape(path, shape)
    promised = int(np.prod(shape, dtype=object)) * dtype.itemsize
    if not volume and promised > _SMALL:
        raise refusal(path, f"its geometry is an array of shape {shape}; expected a few numbers")
    if held - start < promised:
        raise refusal(
            path,
            f"is truncated: its header promises {promised:,} bytes and {max(held - start, 0):,} follow; copy it again",
        )
    data = handle.read(promised)
    if len(data) < promised:
        raise refusal(path, f"is truncated: {promised:,} bytes promised, {len(data):,} found; copy it again")
    flat = np.frombuffer(data, dtype=dtype)
    return flat.reshape(shape[::-1]).T if fortran else flat.reshape(shape)
