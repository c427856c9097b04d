"""Local polynomial regression on one predictor: loess, fitted directly at each point.

The fit at x is a weighted least-squares polynomial in the nearest patients, with tricube weights that fall to 0 at
the distance of the last of them. It is linear in y, so that its variance needs no simulation.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import BiomarkError
from .inputs import fraction
from .results import FloatArray

__all__ = ["LocalFit", "LocalRegression"]

# Beyond this number of distinct predictors, neighbours are joined to groups at their means.
MOST_GROUPS = 1000
# Cells of the weight matrix that are made at once: few enough for the second-level cache.
CHUNK_CELLS = 2**17
# Squared norm of a polynomial, relative to that of a constant, below which the window does not determine it.
NEGLIGIBLE = 1e-24
# Sum of the weights below which all neighbours lie at the very edge of the window.
NO_WEIGHT = 1e-9
# Distance, as a share of the range, below which two patients stand at the same place.
SAME_PLACE = 1e-12


class LocalFit(NamedTuple):
    """The smooth at some points.

    Attributes
    ----------
    value : array of shape (g,)
    effective_n : array of shape (g,)
        1 / sum_i l_i(x)^2, where l_i(x) is the weight of patient i in the fit at x: the number of patients whose
        plain mean would vary as much.
    """

    value: FloatArray
    effective_n: FloatArray


class LocalRegression:
    """A loess smooth of y on x.

    At x0 the q = floor(span n) nearest patients count, with weights (1 - (d / h)^3)^3, d the distance from x0 and h
    that of the q-th nearest [1]_. Patients at the same x stand and fall together.

    Parameters
    ----------
    x, y : arrays of shape (n,), finite
    span : float in (0, 1]
        Share of the patients in a window.
    degree : {0, 1, 2}
        Of the local polynomial.
    most_groups : int
        With more distinct x than this, patients are joined in order of x to at most so many groups, each at the mean
        of its x and y; with m groups none holds more than 2 n / m patients or spans more than 2 / m of the range.
        Windows are measured on the patients all the same.

    Raises
    ------
    BiomarkError
        For a span outside (0, 1] or another degree.

    Notes
    -----
    Without grouping this is R's ``loess(y ~ x, span, degree, family = "gaussian")`` with ``surface = "direct"``; R's
    default surface interpolates between the corners of a k-d tree and so differs a little. Orthogonal polynomials take
    the place of R's singular value decomposition. Where a window holds too few distinct x for its degree, the degree
    drops; where h is 0 (below 1e-12 of the range), because q patients share x0, the fit is their mean; where all in the
    window lie at the distance h, which leaves no weight, it is their mean as well (R refuses both).

    References
    ----------
    .. [1] Cleveland WS, Devlin SJ. Locally weighted regression: an approach to regression analysis by local fitting.
       J Am Stat Assoc 1988;83:596-610.

    Examples
    --------
    >>> smooth = LocalRegression([1.0, 2.0, 3.0, 4.0, 5.0], [1.0, 4.0, 9.0, 16.0, 25.0], span=1.0)
    >>> smooth([2.5, 3.0]).value.round(6).tolist()
    [6.25, 9.0]
    """

    def __init__(
        self,
        x: ArrayLike,
        y: ArrayLike,
        *,
        span: float = 0.75,
        degree: int = 2,
        most_groups: int = MOST_GROUPS,
    ) -> None:
        if span != 1.0:
            span = fraction(span, name="span")
        if degree not in (0, 1, 2):
            raise BiomarkError(f"degree must be 0, 1 or 2, found {degree!r}")
        across, up = np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64)
        order = np.argsort(across, kind="stable")
        self._sorted, up = across[order], up[order]
        # As in R, so that a product that is whole but for rounding is not floored to the number below.
        self._q = max(1, int(np.floor(span * across.size + 1e-5)))
        self._degree = degree
        first = np.flatnonzero(np.append(True, np.diff(self._sorted) > 0.0))
        if first.size > most_groups:
            first = _group_starts(self._sorted, most_groups)
        sizes = np.diff(np.append(first, across.size)).astype(np.float64)
        self.x: FloatArray = np.add.reduceat(self._sorted, first) / sizes
        # The mean of equal numbers may be off by a rounding error, and a distance of 0 must be 0.
        whole = self._sorted[first] == self._sorted[np.append(first[1:], across.size) - 1]
        self.x[whole] = self._sorted[first][whole]
        self._outcomes = np.add.reduceat(up, first)
        self._sizes = sizes

    def __call__(self, at: ArrayLike) -> LocalFit:
        """Return the smooth at the points ``at``, of shape (g,)."""
        fits = list(self._fits(np.asarray(at, dtype=np.float64), spread=True))
        return LocalFit(*(np.concatenate(part) for part in zip(*fits, strict=True)))

    def at_patients(self, x: FloatArray) -> FloatArray:
        """Return the smooth at predictors within the range of the data: at each group, linear between groups."""
        knots = np.unique(np.concatenate([self.x, self._sorted[[0, -1]]]))
        value = np.concatenate([value for value, _ in self._fits(knots, spread=False)])
        return np.asarray(np.interp(x, knots, value))

    def _reach(self, points: FloatArray) -> FloatArray:
        """Distance of the q-th nearest patient: the best of the windows of q consecutive ones."""
        x, q = self._sorted, self._q
        low, high = x[: x.size - q + 1], x[q - 1 :]
        # The first window that leans to the right, or the one before it.
        right = np.searchsorted(low + high, 2.0 * points, side="left")
        reaches = [
            np.maximum(points - low[k], high[k] - points)
            for k in (np.minimum(right, low.size - 1), np.maximum(right - 1, 0))
        ]
        return np.asarray(np.minimum(*reaches))

    def _fits(self, points: FloatArray, *, spread: bool) -> Iterator[tuple[FloatArray, FloatArray]]:
        """Yield values and effective numbers of a few points at a time; without ``spread`` the second are empty."""
        reach = self._reach(points)
        step = max(1, CHUNK_CELLS // self.x.size)
        for start in range(0, points.size, step):
            yield self._fit(points[start : start + step], reach[start : start + step], spread=spread)

    def _fit(self, points: FloatArray, reach: FloatArray, *, spread: bool) -> tuple[FloatArray, FloatArray]:
        """Fit by polynomials in u = (x - x0) / h, orthogonal under the weights.

        The fit at u = 0 is the sum of the projections there, so that the weight of a patient is
        l = kernel (1 / total + slope linear(u) + bend square(u)). Arrays of cells are written over once they have
        served: the time goes into memory, not into arithmetic.
        """
        u, kernel, sizes, of_y = self._window(points, reach)
        both = np.column_stack([sizes, of_y])
        total, outcome = (kernel @ both).T
        mean = (kernel * u) @ sizes / total
        linear = np.subtract(u, mean[:, None], out=u)
        scratch = kernel * linear
        rise = scratch @ of_y
        scratch *= linear
        norm = scratch @ sizes
        slope = _share(norm, total, -mean) if self._degree > 0 else np.zeros_like(total)
        value = outcome / total + slope * rise
        square, bend = linear, np.zeros_like(total)
        if self._degree == 2:
            scratch *= linear
            # The mean of u under mass linear^2, less that of u under mass.
            tilt = _share(norm, total, scratch @ sizes)
            drop = norm / total
            square = linear - tilt[:, None]
            square *= linear
            square -= drop[:, None]
            np.multiply(kernel, square, out=scratch)
            curve = scratch @ of_y
            scratch *= square
            bend = _share(scratch @ sizes, total, (mean + tilt) * mean - drop)
            value += bend * curve
        if not spread:
            return value, total[:0]
        weight = kernel * (1.0 / total[:, None] + slope[:, None] * linear + bend[:, None] * square)
        return value, 1.0 / (weight**2 @ sizes)

    def _window(
        self, points: FloatArray, reach: FloatArray
    ) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
        """Return u and tricube of shape (g, k), sizes and sums of outcomes of shape (k,), of the groups in reach."""
        # A window this narrow holds one place; wider ones need no number beyond their edge.
        same = SAME_PLACE * (self._sorted[-1] - self._sorted[0])
        slack = (1.0 + 1e-6) * reach + same
        first = np.searchsorted(self.x, (points - slack).min(), side="left")
        last = np.searchsorted(self.x, (points + slack).max(), side="right")
        x, sizes = self.x[first:last], self._sizes[first:last]
        u = np.subtract(x, points[:, None])
        flat = reach <= same
        alone = np.abs(u[flat]) <= same
        u /= np.where(flat, 1.0, reach)[:, None]
        u[flat] = 0.0
        # (1 - |u|^3)^3 by products: a power of floats takes ten times as long.
        near = np.abs(u)
        np.minimum(near, 1.0, out=near)
        kernel = near * near
        kernel *= near
        np.subtract(1.0, kernel, out=kernel)
        np.multiply(kernel, kernel, out=near)
        kernel *= near
        kernel[flat] = alone
        edge = kernel @ sizes < NO_WEIGHT
        kernel[edge] = np.abs(u[edge]) <= 1.0 + 1e-9
        return u, kernel, sizes, self._outcomes[first:last]


def _group_starts(x: FloatArray, most: int) -> NDArray[np.intp]:
    """First patient of each group: cut evenly by half the rank and half the place, so that sparse tails stay fine."""
    place = (x - x[0]) / (x[-1] - x[0]) + np.arange(x.size) / x.size
    return np.flatnonzero(np.append(True, np.diff(np.floor(place * (most / 2.0))) > 0.0))


def _share(norm: FloatArray, total: FloatArray, of: FloatArray) -> FloatArray:
    """``of / norm``, or 0 where the window does not determine the polynomial."""
    held: NDArray[np.bool_] = norm > NEGLIGIBLE * total
    return np.where(held, of / np.where(held, norm, 1.0), 0.0)
