"""The turbo colour map of the heat maps, as 256 colours."""

from __future__ import annotations

import numpy as np

__all__ = ["turbo_colours"]


def turbo_colours() -> list[list[int]]:
    """Return turbo as 256 triples of 0 to 255, Plotly's colours with steps in between.

    Examples
    --------
    >>> colours = turbo_colours()
    >>> len(colours), colours[0], colours[255]
    (256, [48, 18, 59], [122, 4, 2])
    """
    from plotly.colors import hex_to_rgb, sequential

    anchors = np.array([hex_to_rgb(colour) for colour in sequential.Turbo], dtype=np.float64)
    at = np.linspace(0.0, len(anchors) - 1.0, 256)
    columns = [np.interp(at, np.arange(len(anchors)), anchors[:, channel]) for channel in range(3)]
    colours: list[list[int]] = np.rint(np.stack(columns, axis=1)).astype(int).tolist()
    return colours
