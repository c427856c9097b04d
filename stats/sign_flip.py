"""The distribution of a sum whose terms may each have had the other sign."""

from __future__ import annotations

import numpy as np

from .results import FloatArray

__all__ = ["ALL_ASSIGNMENTS", "sign_flip_p_value"]

# Every assignment of signs is tried where there are no more of them than this.
ALL_ASSIGNMENTS = 2**14


def sign_flip_p_value(
    terms: FloatArray, *, n_permutations: int, rng: np.random.Generator
) -> tuple[float, int, bool]:
    """Two-sided p-value of sum(terms) among the sums of their sign flips.

    Parameters
    ----------
    terms : array of shape (k,), without zeros, k >= 1
    n_permutations : int
        Random flips, where 2^k is too many to try all.
    rng : numpy.random.Generator

    Returns
    -------
    p_value : float
        Of all flips the share as extreme, the observed one among them; of random ones (1 + number as extreme) /
        (1 + number).
    tried : int
    all_tried : bool
    """
    observed = float(terms.sum())
    # Sums of the same terms in another order must count as equal.
    bar = abs(observed) - 1e-9 * float(np.sqrt(np.sum(terms**2)))
    if terms.size < 64 and 2**terms.size <= ALL_ASSIGNMENTS:
        bits = np.arange(2**terms.size)[:, None] >> np.arange(terms.size) & 1
        extreme = int(np.count_nonzero(np.abs((2.0 * bits - 1.0) @ terms) >= bar))
        return extreme / bits.shape[0], bits.shape[0], True
    extreme, left = 0, n_permutations
    while left:
        b = min(left, max(1, 2**22 // terms.size))
        kept = rng.integers(0, 2, size=(b, terms.size), dtype=np.int8)
        extreme += int(np.count_nonzero(np.abs(2.0 * (kept @ terms) - observed) >= bar))
        left -= b
    return (1 + extreme) / (1 + n_permutations), n_permutations, False
