"""The test that the spread of bootstrap replicates of a difference gives."""

from __future__ import annotations

import numpy as np
from scipy import special

from .results import FloatArray

__all__ = ["z_of_replicates"]


def z_of_replicates(difference: float, replicates: FloatArray) -> tuple[float, float]:
    """Return z = difference / sd(replicates) and its two-sided normal p, as pROC's bootstrap test.

    Parameters
    ----------
    difference : float
    replicates : array of shape (B,)
        NaN marks a replicate in which the difference is undefined; it is left out.

    Returns
    -------
    statistic, p_value : float
        0 and 1 where all replicates are alike and the difference is 0; NaN where they are alike and it is not,
        and where fewer than two replicates are defined.
    """
    defined = replicates[~np.isnan(replicates)]
    if defined.size < 2 or np.isnan(difference):
        return float("nan"), float("nan")
    if np.ptp(defined) == 0.0:
        return (0.0, 1.0) if difference == 0.0 else (float("nan"), float("nan"))
    statistic = float(difference / np.std(defined, ddof=1))
    return statistic, 2.0 * float(special.ndtr(-abs(statistic)))
