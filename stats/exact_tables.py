"""Fisher's exact test of tables of any size: by enumeration where that is feasible, else by sampling tables."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import gammaln
from scipy.stats import fisher_exact, random_table

from ..errors import BiomarkError
from .inputs import Seed, generator, whole_number
from .results import Result

__all__ = ["FisherTest", "fisher_exact_test"]

# Distinct partial tables that enumeration may visit before sampling takes its place.
MOST_PARTIAL = 200_000
# Tables whose probability exceeds the observed one by less than this count as no more probable, as in R.
TOLERANCE = 1e-7


@dataclass(frozen=True, slots=True)
class FisherTest(Result):
    """Fisher's exact test.

    Attributes
    ----------
    p_value : float
        Two-sided; NaN where fewer than two rows or columns hold patients.
    method : str
        Says whether p is exact or from sampled tables, and how many.
    """

    p_value: float
    method: str


def fisher_exact_test(table: ArrayLike, *, n_samples: int = 100_000, rng: Seed = 0) -> FisherTest:
    """Test that rows and columns of a table of counts are independent (Fisher; Freeman and Halton 1951).

    p is the probability, given both margins, of all tables that are no more probable than the observed one.

    Parameters
    ----------
    table : array of shape (r, c), whole numbers of 0 or more
    n_samples : int
        Tables to sample where there are too many to enumerate; then p = (1 + k) / (1 + n_samples), k of them being no
        more probable than the observed one.
    rng : seed or numpy.random.Generator
        Of the sampling; by default a fixed seed, so that a table has one p.

    Returns
    -------
    FisherTest

    Raises
    ------
    BiomarkError
        For what is no table of counts.

    Notes
    -----
    Empty rows and columns play no part. Probabilities within 1e-7 of each other, relatively, count as equal, as in R's
    ``fisher.test``.

    References
    ----------
    Freeman GH, Halton JH. Note on an exact treatment of contingency, goodness of fit and other problems of
    significance. Biometrika 1951;38:141-149.

    Examples
    --------
    >>> round(fisher_exact_test([[3, 1, 0], [1, 2, 4]]).p_value, 6)
    0.10303
    """
    counts = np.asarray(table)
    if counts.ndim != 2 or not np.issubdtype(counts.dtype, np.number) or counts.size == 0:
        raise BiomarkError(f"table must be counts of shape (rows, columns), found shape {counts.shape}")
    if not (np.isfinite(counts).all() and (counts >= 0).all() and (counts == np.floor(counts)).all()):
        raise BiomarkError("table must hold whole numbers of 0 or more")
    n_samples = whole_number(n_samples, name="n_samples")
    counts = counts.astype(np.int64)
    counts = counts[counts.sum(axis=1) > 0][:, counts.sum(axis=0) > 0]
    if min(counts.shape) < 2:
        return FisherTest(np.nan, "Fisher's exact test; undefined: one row or column only")
    if counts.shape == (2, 2):
        return FisherTest(float(fisher_exact(counts)[1]), "Fisher's exact test")
    exact = _enumerated(counts if counts.shape[0] <= counts.shape[1] else counts.T)
    if exact is not None:
        return FisherTest(exact, "Fisher's exact test")
    tables = random_table(counts.sum(axis=1), counts.sum(axis=0)).rvs(n_samples, random_state=generator(rng))
    observed, drawn = _log_weight(counts), _log_weight(np.asarray(tables))
    k = int(np.count_nonzero(drawn <= observed + TOLERANCE))
    return FisherTest((1.0 + k) / (1.0 + n_samples), f"Fisher's exact test, {n_samples:,} sampled tables")


# Of partial tables that leave the same rows to fill: log of the weight, and how many have it, by the rounded log.
Ways = dict[float, tuple[float, float]]


def _log_weight(tables: NDArray[np.int64]) -> NDArray[np.float64]:
    """Log of what a table's probability is proportional to, given its margins."""
    return np.asarray(-gammaln(tables + 1.0).sum(axis=(-2, -1)))


def _enumerated(counts: NDArray[np.int64]) -> float | None:
    """Walk the columns; where two partial tables leave the same rows to fill with the same weight, they are one.

    Returns None where there are too many of them.
    """
    nodes: dict[tuple[int, ...], Ways] = {tuple(counts.sum(axis=1).tolist()): {0.0: (0.0, 1.0)}}
    visited = 0
    # The largest column comes last, where what is left of the rows must fill it and nothing is to choose.
    for total in np.sort(counts.sum(axis=0))[:-1].tolist():
        following: dict[tuple[int, ...], Ways] = {}
        for left, ways in nodes.items():
            for column in _columns(total, left):
                weight = -sum(_LOG_FACTORIAL(x) for x in column)
                into = following.setdefault(tuple(a - b for a, b in zip(left, column, strict=True)), {})
                for past, number in ways.values():
                    # Rounded, so that equal weights that were summed in another order meet.
                    key = round(past + weight, 9)
                    known, already = into.get(key, (past + weight, 0.0))
                    into[key] = (known, already + number)
                visited += len(ways)
                if visited > MOST_PARTIAL:
                    return None
        nodes = following
    log_weights, numbers = [], []
    for left, ways in nodes.items():
        last = -sum(_LOG_FACTORIAL(x) for x in left)
        log_weights += [past + last for past, _ in ways.values()]
        numbers += [number for _, number in ways.values()]
    log_weight = np.array(log_weights)
    weight = np.array(numbers) * np.exp(log_weight - log_weight.max())
    as_extreme = log_weight <= float(_log_weight(counts)) + TOLERANCE
    return min(1.0, float(weight[as_extreme].sum() / weight.sum()))


def _columns(total: int, left: tuple[int, ...]) -> list[tuple[int, ...]]:
    """All ways to put ``total`` patients into one column without overfilling a row."""
    if len(left) == 1:
        return [(total,)] if total <= left[0] else []
    rest = sum(left[1:])
    return [
        (x, *more)
        for x in range(max(0, total - rest), min(left[0], total) + 1)
        for more in _columns(total - x, left[1:])
    ]


class _LogFactorials:
    """Logarithms of factorials, computed once each."""

    def __init__(self) -> None:
        self._known: dict[int, float] = {}

    def __call__(self, x: int) -> float:
        if x not in self._known:
            self._known[x] = float(gammaln(x + 1.0))
        return self._known[x]


_LOG_FACTORIAL = _LogFactorials()
