"""Corrections for several tests at once."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
from numpy.typing import ArrayLike

from ..errors import BiomarkError
from .results import FloatArray

__all__ = ["benjamini_hochberg", "bonferroni", "holm"]


def holm(p_values: ArrayLike) -> FloatArray:
    """Adjust p-values so that the chance of any false positive stays below the level (Holm 1979).

    Parameters
    ----------
    p_values : array of shape (m,), in [0, 1]
        NaN marks a test that could not be made: it stays NaN and does not count among the m.

    Returns
    -------
    array of shape (m,)
        max over the smaller p-values of (m - rank + 1) p, at most 1.

    Raises
    ------
    BiomarkError
        For values outside [0, 1] or another shape.

    References
    ----------
    Holm S. Scand J Stat 1979;6:65-70.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03, float("nan")]).tolist()
    [0.03, 0.06, 0.06, nan]
    """
    return _adjusted(p_values, "holm")


def bonferroni(p_values: ArrayLike) -> FloatArray:
    """Multiply each p-value by the number of tests, at most 1; the simplest and least powerful correction.

    Parameters
    ----------
    p_values : array of shape (m,), in [0, 1]; NaN stays NaN and does not count

    Examples
    --------
    >>> bonferroni([0.01, 0.5]).tolist()
    [0.02, 1.0]
    """
    return _adjusted(p_values, "bonferroni")


def benjamini_hochberg(p_values: ArrayLike) -> FloatArray:
    """Adjust p-values for the expected share of false positives among the rejected (false discovery rate).

    Parameters
    ----------
    p_values : array of shape (m,), in [0, 1]; NaN stays NaN and does not count

    References
    ----------
    Benjamini Y, Hochberg Y. J R Stat Soc B 1995;57:289-300.

    Examples
    --------
    >>> benjamini_hochberg([0.25, 0.125, 0.5]).tolist()
    [0.375, 0.375, 0.5]
    """
    return _adjusted(p_values, "fdr_bh")


def _adjusted(p_values: ArrayLike, method: str) -> FloatArray:
    from statsmodels.stats.multitest import multipletests

    p = np.asarray(p_values, dtype=np.float64)
    present = ~np.isnan(p)
    if p.ndim != 1 or ((p[present] < 0.0) | (p[present] > 1.0)).any():
        raise BiomarkError("p_values must be one-dimensional with values in [0, 1]")
    adjusted = np.full(p.shape, np.nan)
    if present.any():
        with _quick_collection():
            adjusted[present] = multipletests(p[present], method=method)[1]
    return adjusted


@contextmanager
def _quick_collection() -> Iterator[None]:
    """Let a garbage collection look at new objects only.

    statsmodels collects at every adjustment, which costs a tenth of a second once its imports fill the heap.
    """
    if gc.get_freeze_count():
        yield
        return
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
