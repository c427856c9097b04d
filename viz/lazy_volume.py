"""A volume that is made when it is looked at, so that many patients' maps fit in memory."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from numpy.typing import NDArray

__all__ = ["LazyVolume"]


class LazyVolume:
    """Stands for an array: `numpy.asarray` makes it, and nothing is kept.

    Parameters
    ----------
    make : function that returns the array, the same each time

    Examples
    --------
    >>> import numpy as np
    >>> volume = LazyVolume(lambda: np.ones((2, 2, 2)))
    >>> float(np.asarray(volume).sum())
    8.0
    """

    def __init__(self, make: Callable[[], NDArray[Any]]) -> None:
        self._make = make

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        made = self._make()
        return made if dtype is None else made.astype(dtype, copy=False)
