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
MOST_PARTIAL = 1_000_000
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


def _log_weight(tables: NDArray[np.int64]) -> NDArray[np.float64]:
    """Log of what a table's probability is proportional to, given its margins."""
    return np.asarray(-gammaln(tables + 1.0).sum(axis=(-2, -1)))


def _enumerated(counts: NDArray[np.int64]) -> float | None:
    """Walk the columns; where two partial tables leave the same rows to fill with the same weight, they are one.

    Returns None where there are too many of them.
    """
    # Of each partial table: what is left of the rows, the log of its weight, and how many are like it.
    left, weight, number = counts.sum(axis=1)[None], np.zeros(1), np.ones(1)
    visited = 0
    # The largest column comes last, where what is left of the rows must fill it and nothing is to choose.
    for total in np.sort(counts.sum(axis=0))[:-1].tolist():
        rows, node = np.unique(left, axis=0, return_inverse=True)
        node = node.reshape(-1)
        columns = _columns(total, rows, MOST_PARTIAL)
        if columns is None:
            return None
        source, column = columns
        like = np.bincount(node)
        visited += int(like[source].sum())
        if visited > MOST_PARTIAL:
            return None
        # Every partial table of a node goes on with every column that the node can take.
        tables, starts = np.argsort(node, kind="stable"), np.cumsum(like) - like
        pair, at = _ranges(like[source])
        table = tables[starts[source[pair]] + at]
        left = rows[source[pair]] - column[pair]
        weight = weight[table] + _log_weight(column[:, None])[pair]
        left, weight, number = _merged(left, weight, number[table])
    weight = weight + _log_weight(left[:, None])
    chance = number * np.exp(weight - weight.max())
    as_extreme = weight <= float(_log_weight(counts)) + TOLERANCE
    return min(1.0, float(chance[as_extreme].sum() / chance.sum()))


def _columns(
    total: int, rows: NDArray[np.int64], most: int
) -> tuple[NDArray[np.intp], NDArray[np.int64]] | None:
    """All ways to put ``total`` patients into one column without overfilling a row, for each of several nodes.

    Returns the node of each way, and the ways of shape (ways, rows); None where they are more than ``most``.
    """
    node = np.flatnonzero(rows.sum(axis=1) >= total)
    to_place = np.full(node.size, total)
    placed: list[NDArray[np.int64]] = []
    for k in range(rows.shape[1]):
        room = rows[node]
        least = np.maximum(0, to_place - room[:, k + 1 :].sum(axis=1))
        ways = np.minimum(room[:, k], to_place) - least + 1
        if ways.sum() > most:
            return None
        way, more = _ranges(ways)
        here = least[way] + more
        node, to_place = node[way], to_place[way] - here
        placed = [each[way] for each in placed] + [here]
    return node, np.stack(placed, axis=1)


def _ranges(sizes: NDArray[np.int64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
    """For each of several ranges 0 to size - 1, one after the other: which range, and where in it."""
    which = np.repeat(np.arange(sizes.size), sizes)
    return which, np.arange(which.size) - np.repeat(np.cumsum(sizes) - sizes, sizes)


def _merged(
    left: NDArray[np.int64], weight: NDArray[np.float64], number: NDArray[np.float64]
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]:
    """Add up partial tables that are alike."""
    # Rounded, so that equal weights that were summed in another order meet.
    order = np.lexsort((np.rint(weight * 1e9), *left.T))
    left, weight, number = left[order], weight[order], number[order]
    rounded = np.rint(weight * 1e9)
    new = np.append(True, (left[1:] != left[:-1]).any(axis=1) | (rounded[1:] != rounded[:-1]))
    first = np.flatnonzero(new)
    return left[first], weight[first], np.add.reduceat(number, first)
