"""Bootstrap replicates in blocks, each with random numbers of its own, on every core or on a user's cluster.

How many replicates a block holds follows from the data alone, and each block draws from a seed of its own. So the
numbers are the same, bit for bit, whatever the number of workers and whatever runs them: threads, processes, or the
backend that `joblib.parallel_config` names (Dask, Ray).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import numpy as np

__all__ = ["block_sizes", "in_blocks"]

# Cells (replicates times patients) of a block: enough work that handing it to a worker costs nothing beside it. What
# is smaller is one block, and is done where it is asked for.
BLOCK_CELLS = 2**24

T = TypeVar("T")


def block_sizes(n: int, n_boot: int) -> list[int]:
    """Return how many replicates each block holds.

    Examples
    --------
    >>> block_sizes(88, 2000), block_sizes(1_000_000, 40)
    ([2000], [16, 16, 8])
    """
    most = max(1, BLOCK_CELLS // max(n, 1))
    return [min(most, n_boot - start) for start in range(0, n_boot, most)]


def in_blocks(
    work: Callable[[int, np.random.Generator], T],
    n: int,
    n_boot: int,
    rng: np.random.Generator,
    *,
    progress: Callable[[int], None] | None = None,
) -> list[T]:
    """Do bootstrap replicates in blocks and return what each block gave, in order.

    Parameters
    ----------
    work : callable of (replicates, rng)
        Draws and evaluates that many replicates. It is sent to the workers, so it and what it holds must be picklable.
    n : int
        Patients.
    n_boot : int
        Replicates in all.
    rng : numpy.random.Generator
        A single block draws from it; several draw from seeds that it gives.
    progress : callable, optional
        Told how many replicates each block has finished.

    Returns
    -------
    list
        One item per block.

    Notes
    -----
    Without further word threads on every core are used: what takes time here are operations of NumPy that let other
    threads run. Within ``with joblib.parallel_config(backend=..., n_jobs=...)`` that is followed instead.
    """
    sizes = block_sizes(n, n_boot)
    if len(sizes) == 1:
        results = [work(n_boot, rng)]
        if progress is not None:
            progress(n_boot)
        return results
    seeds = np.random.SeedSequence(rng.integers(2**32, size=4).tolist()).spawn(len(sizes))
    results = []
    for size, result in zip(sizes, _on_workers(work, sizes, seeds), strict=True):
        results.append(result)
        if progress is not None:
            progress(size)
    return results


def _on_workers(
    work: Callable[[int, np.random.Generator], T], sizes: list[int], seeds: list[np.random.SeedSequence]
) -> Iterator[T]:
    from joblib import Parallel, delayed
    from joblib.parallel import get_active_backend

    backend, asked = get_active_backend()
    # Not every backend hands over blocks as they end; progress then moves once, at the end.
    how = "generator" if getattr(backend, "supports_return_generator", False) else "list"
    parallel: Any = Parallel(
        n_jobs=-1 if asked is None or not isinstance(asked, int) else asked,
        prefer="threads",
        return_as=how,
        batch_size=1,
    )
    yield from parallel(delayed(_block)(work, size, seed) for size, seed in zip(sizes, seeds, strict=True))


def _block(work: Callable[[int, np.random.Generator], T], size: int, seed: np.random.SeedSequence) -> T:
    return work(size, np.random.default_rng(seed))
