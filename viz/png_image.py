"""An array of colours as a PNG file in memory."""

from __future__ import annotations

import base64
import struct
import zlib

import numpy as np
from numpy.typing import NDArray

__all__ = ["png_bytes", "png_uri", "with_density"]


def png_bytes(pixels: NDArray[np.uint8]) -> bytes:
    r"""Return an image of shape (rows, columns, 3) as PNG (RGB, 8 bits), the same bytes at every run.

    Examples
    --------
    >>> png_bytes(np.zeros((2, 3, 3), dtype=np.uint8))[:8]
    b'\x89PNG\r\n\x1a\n'
    """
    rows, columns, channels = pixels.shape
    assert channels == 3 and pixels.dtype == np.uint8

    # Each row begins with the number of its filter: 0, none.
    raw = np.concatenate([np.zeros((rows, 1), np.uint8), pixels.reshape(rows, columns * 3)], axis=1)
    head = struct.pack(">IIBBBBB", columns, rows, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + _chunk(b"IHDR", head)
        + _chunk(b"IDAT", zlib.compress(raw.tobytes(), 9))
        + _chunk(b"IEND", b"")
    )


def png_uri(pixels: NDArray[np.uint8]) -> str:
    """Return the PNG as a data URI, for an SVG or a page."""
    return "data:image/png;base64," + base64.b64encode(png_bytes(pixels)).decode()


def with_density(png: bytes, dpi: float) -> bytes:
    """Return a PNG that says how many pixels it has per inch, as journals look for it.

    Examples
    --------
    >>> made = with_density(png_bytes(np.zeros((2, 3, 3), dtype=np.uint8)), 300)
    >>> struct.unpack(">II", made[made.index(b"pHYs") + 4 :][:8])
    (11811, 11811)
    """
    per_metre = round(dpi / 0.0254)
    head = 33  # signature and first chunk
    return png[:head] + _chunk(b"pHYs", struct.pack(">IIB", per_metre, per_metre, 1)) + png[head:]


def _chunk(kind: bytes, content: bytes) -> bytes:
    check = zlib.crc32(kind + content)
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", check)
