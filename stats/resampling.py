"""Drawing bootstrap replicates as counts: how often each patient stands in each replicate.

The counts of n draws from n patients are multinomial. In large samples they are not drawn one by one but as
independent Poisson numbers, topped up with single draws to n: given their sum, independent Poisson counts of
equal mean are multinomial, and a multinomial sample with further draws added is a larger multinomial sample, so
the result has exactly the distribution of n single draws.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray
from scipy import stats

__all__ = ["Counts", "class_counts", "resampling_counts"]

Counts = NDArray[np.uint8]

# Cells (replicates times patients) of one chunk: small enough for the second-level cache.
CHUNK_CELLS = 2**18
# Below this number of patients single draws are as quick.
SINGLE_DRAWS = 256
# Counts below this are decided by 16 random bits; the rest, about two in a hundred, by a full double.
DECIDED = 4


def resampling_counts(
    n: int,
    n_boot: int,
    rng: np.random.Generator,
    *,
    groups: tuple[NDArray[np.intp], ...] | None = None,
    cluster: NDArray[np.intp] | None = None,
) -> Iterator[Counts]:
    """Draw bootstrap replicates and yield how often each patient was drawn.

    Parameters
    ----------
    n : int
        Patients.
    n_boot : int
        Replicates in all.
    rng : numpy.random.Generator
    groups : tuple of index arrays, optional
        Parts to resample apart, each keeping its size (positives and negatives, for instance).
    cluster : array of shape (n,), codes 0..K-1, optional
        Whole clusters are drawn, K of them, with all their patients.

    Yields
    ------
    array of shape (b, n), uint8
        The chunk's size ``b`` follows from ``n`` alone, so that the stream of random numbers does too.

    References
    ----------
    Efron B. Ann Stat 1979;7:1-26 (the bootstrap). Johnson NL, Kotz S, Balakrishnan N. Discrete Multivariate
    Distributions. Wiley 1997, chapter 35, section 4 (multinomial counts from Poisson counts).
    """
    per_chunk = max(1, CHUNK_CELLS // max(n, 1))
    drawn = n if cluster is None else int(cluster.max()) + 1
    draw = UniformCounts(drawn)
    parts = None if groups is None else [(group, UniformCounts(group.size)) for group in groups]
    for start in range(0, n_boot, per_chunk):
        b = min(per_chunk, n_boot - start)
        if parts is not None:
            counts = np.zeros((b, n), dtype=np.uint8)
            for group, draw_group in parts:
                counts[:, group] = draw_group(b, rng)
            yield counts
        elif cluster is not None:
            yield np.take(draw(b, rng), cluster, axis=1)
        else:
            yield draw(b, rng)


def class_counts(
    n_pos: int, n_neg: int, n_boot: int, rng: np.random.Generator
) -> Iterator[tuple[Counts, Counts]]:
    """Draw positives and negatives apart; yield their counts, of shape (b, n_pos) and (b, n_neg).

    Parameters
    ----------
    n_pos, n_neg : int
    n_boot : int
    rng : numpy.random.Generator
    """
    per_chunk = max(1, CHUNK_CELLS // (n_pos + n_neg))
    draw_pos, draw_neg = UniformCounts(n_pos), UniformCounts(n_neg)
    for start in range(0, n_boot, per_chunk):
        b = min(per_chunk, n_boot - start)
        yield draw_pos(b, rng), draw_neg(b, rng)


class UniformCounts:
    """Counts of ``n`` draws with replacement from ``n`` patients, many replicates at a time.

    Parameters
    ----------
    n : int
    """

    def __init__(self, n: int) -> None:
        self._n = n
        # Five standard deviations below n: the sum then hardly ever passes n, and few draws are left to add.
        mean = 1.0 - 5.0 / np.sqrt(max(n, 1))
        if n < SINGLE_DRAWS:
            return
        chances = stats.poisson.pmf(np.arange(40), mean)
        whole = np.floor(chances[:DECIDED] * 2**16)
        self._bounds = np.cumsum(whole).astype(np.uint16)
        left = chances.copy()
        left[:DECIDED] -= whole / 2**16
        self._rest = np.cumsum(left / left.sum())

    def __call__(self, b: int, rng: np.random.Generator) -> Counts:
        """Return counts of shape (b, n), uint8; each row sums to n."""
        n = self._n
        if n < SINGLE_DRAWS:
            draws = rng.integers(0, n, size=(b, n), dtype=np.int32)
            draws += np.arange(0, b * n, n, dtype=np.int32)[:, None]
            return np.bincount(draws.ravel(), minlength=b * n).reshape(b, n).astype(np.uint8)
        counts = self._poisson(b, rng)
        missing = n - counts.sum(axis=1, dtype=np.int64)
        while (missing < 0).any():
            again = np.flatnonzero(missing < 0)
            counts[again] = self._poisson(again.size, rng)
            missing = n - counts.sum(axis=1, dtype=np.int64)
        cells = rng.integers(0, n, size=int(missing.sum()))
        cells += np.repeat(np.arange(0, b * n, n), missing)
        np.add.at(counts.reshape(-1), cells, np.uint8(1))
        return counts

    def _poisson(self, b: int, rng: np.random.Generator) -> Counts:
        """Independent Poisson counts, exact: the bits decide what they can, the rest is drawn from what is left."""
        size = b * self._n
        # Whole words are the fastest way to random bits; four cells share one.
        words = rng.integers(0, 2**64, size=size // 4 + 1, dtype=np.uint64)
        bits = words.view(np.uint16)[:size]
        counts = (bits >= self._bounds[0]).view(np.uint8)
        for bound in self._bounds[1:-1]:
            counts += (bits >= bound).view(np.uint8)
        undecided = np.flatnonzero(bits >= self._bounds[-1])
        counts[undecided] = np.searchsorted(self._rest, rng.random(undecided.size), side="right")
        return np.asarray(counts.reshape(b, self._n))
