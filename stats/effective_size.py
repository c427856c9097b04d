"""Wilson's interval of a proportion whose variance replicates tell."""

from __future__ import annotations

from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike

from .proportion import real_valued_bounds
from .results import FloatArray

__all__ = ["wilson_at_effective_size"]

# Of a proportion: nearer to 0 or 1 than this it is there; of a variance: below it all replicates agree.
EDGE, AGREED = 1e-9, 1e-12


def wilson_at_effective_size(
    proportion: ArrayLike,
    mean: ArrayLike,
    variance: ArrayLike,
    n: int,
    n_independent: int,
    confidence: float,
) -> tuple[FloatArray, FloatArray]:
    """Wilson's interval at the number of independent patients that would vary as replicates do.

    Parameters
    ----------
    proportion : array of shape (g,), in [0, 1]
        What was observed.
    mean, variance : arrays of shape (g,)
        Of the replicates.
    n : int
        The proportion's denominator, which the effective size does not exceed.
    n_independent : int
        The denominator in patients, or in clusters where they are drawn whole.
    confidence : float in (0, 1)

    Returns
    -------
    low, high : arrays of shape (g,), with ``low <= proportion <= high``

    Notes
    -----
    The effective size is m (1 - m) / v with the replicates' mean m and variance v. At a proportion of 0 or 1 they
    hardly vary: m is then Agresti and Coull's (n p + z^2/2) / (n + z^2) with n the independent ones, which the
    effective size does not exceed there.

    References
    ----------
    Korn EL, Graubard BI. Surv Methodol 1998;24:193-201 (effective size). Dean N, Pagano M. J Surv Stat Methodol
    2015;3:484-503 (with Wilson's formula).
    """
    p, m, v = (np.asarray(values, dtype=np.float64) for values in (proportion, mean, variance))
    squared = NormalDist().inv_cdf(0.5 + confidence / 2.0) ** 2
    at_edge = np.minimum(p, 1.0 - p) < EDGE
    m = np.where(at_edge, (n_independent * p + squared / 2.0) / (n_independent + squared), m)
    with np.errstate(divide="ignore", invalid="ignore"):
        size = np.where(v > AGREED, m * (1.0 - m) / v, np.inf)
    size = np.minimum(size, np.where(at_edge | (v <= AGREED), n_independent, n))
    low, high = real_valued_bounds(p * size, size, method="wilson", confidence=confidence)
    return np.clip(low, 0.0, p), np.clip(high, p, 1.0)
