"""Contrasts of correlated AUCs: the chi-square that DeLong's and Obuchowski's covariances share."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike
from scipy import special

from ..errors import BiomarkError
from .results import FloatArray, Result

__all__ = ["AucContrast", "contrast_of"]


@dataclass(frozen=True, slots=True)
class AucContrast(Result):
    """Several AUCs of the same patients compared at once.

    Attributes
    ----------
    aucs : array of shape (k,)
    covariance : array of shape (k, k)
    statistic, df : float
        Chi-square and its degrees of freedom, the rank of the contrasts' covariance.
    p_value : float
    method : str
    """

    aucs: FloatArray
    covariance: FloatArray
    statistic: float
    df: float
    p_value: float
    method: str


def contrast_of(
    aucs: FloatArray, covariance: FloatArray, contrast: ArrayLike | None, *, method: str
) -> AucContrast:
    """Test L theta = 0 by (L theta)' (L S L')^-1 (L theta), DeLong 1988, eq. 8.

    Parameters
    ----------
    aucs : array of shape (k,), k >= 2
    covariance : array of shape (k, k)
    contrast : array of shape (r, k), optional
        Rows that sum to 0; by default each AUC less the next.
    method : str
    """
    if aucs.size < 2:
        raise BiomarkError("scores must hold at least two rows to compare, found 1")
    if contrast is None:
        rows = np.eye(aucs.size)[:-1] - np.eye(aucs.size)[1:]
    else:
        rows = np.atleast_2d(np.asarray(contrast, dtype=np.float64))
        if rows.shape[1] != aucs.size or not np.allclose(rows.sum(axis=1), 0.0, atol=1e-12):
            raise BiomarkError(
                f"contrast must have {aucs.size} columns and rows that sum to 0, found shape {rows.shape}"
            )
    effect = rows @ aucs
    values, directions = np.linalg.eigh(rows @ covariance @ rows.T)
    # Relative to the variances, which shrink with n, and to the contrasts, which a caller may scale: what is below
    # is rounding of a redundant contrast.
    scale = float(np.trace(covariance)) * float(np.max(np.sum(rows**2, axis=1)))
    kept = values > 1e-12 * max(scale, np.finfo(np.float64).tiny)
    rank = int(np.count_nonzero(kept))
    if rank == 0:
        p_value = 1.0 if np.allclose(effect, 0.0, atol=1e-12) else float("nan")
        return AucContrast(aucs, covariance, 0.0 if p_value == 1.0 else np.inf, 0.0, p_value, method)
    statistic = float(np.sum((effect @ directions[:, kept]) ** 2 / values[kept]))
    p_value = float(special.chdtrc(rank, statistic))
    return AucContrast(aucs, covariance, statistic, float(rank), p_value, method)
