"""Local polynomial regression on one predictor: loess, fitted directly at each point.

The fit at x is a weighted least-squares polynomial in the nearest patients, with tricube weights that fall to 0 at
the distance of the last of them. It is linear in y, so that its variance needs no simulation.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import BiomarkError
from .inputs import fraction
from .results import FloatArray

__all__ = ["LocalFit", "LocalRegression"]

# Beyond this number of distinct predictors, neighbours are joined to groups at their means.
MOST_GROUPS = 1000
# Rows of the weight matrix that are made at once.
CHUNK_CELLS = 2**19
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
        self._y = np.add.reduceat(up, first) / sizes
        self._sizes = sizes

    def __call__(self, at: ArrayLike) -> LocalFit:
        """Return the smooth at the points ``at``, of shape (g,)."""
        points = np.asarray(at, dtype=np.float64)
        reach = self._reach(points)
        value, effective_n = np.empty(points.size), np.empty(points.size)
        step = max(1, CHUNK_CELLS // self.x.size)
        for start in range(0, points.size, step):
            part = slice(start, start + step)
            weight = self._smoother(points[part], reach[part])
            value[part] = weight @ (self._sizes * self._y)
            effective_n[part] = 1.0 / (weight**2 @ self._sizes)
        return LocalFit(value, effective_n)

    def at_patients(self, x: FloatArray) -> FloatArray:
        """Return the smooth at predictors within the range of the data: at each group, linear between groups."""
        knots = np.unique(np.concatenate([self.x, self._sorted[[0, -1]]]))
        return np.asarray(np.interp(x, knots, self(knots).value))

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

    def _smoother(self, points: FloatArray, reach: FloatArray) -> FloatArray:
        """Weights l(x) per patient of each group in the fit at each point, shape (g, groups)."""
        distance = self.x[None, :] - points[:, None]
        # A window this narrow holds one place; wider ones need no number beyond their edge.
        same = SAME_PLACE * (self._sorted[-1] - self._sorted[0])
        flat = reach <= same
        u = np.clip(distance / np.where(flat, 1.0, reach)[:, None], -2.0, 2.0)
        u[flat] = 0.0
        kernel = np.clip(1.0 - np.abs(u) ** 3, 0.0, None) ** 3
        kernel[flat] = np.abs(distance[flat]) <= same
        mass = kernel * self._sizes
        total = mass.sum(axis=1)
        edge = total < NO_WEIGHT
        kernel[edge] = np.abs(u[edge]) <= 1.0 + 1e-9
        mass[edge] = kernel[edge] * self._sizes
        total[edge] = mass[edge].sum(axis=1)
        smoother: FloatArray = kernel / total[:, None]
        if self._degree == 0:
            return smoother
        mean = (mass * u).sum(axis=1) / total
        # Polynomials orthogonal under the mass; the fit at u = 0 is the sum of their projections there.
        linear = u - mean[:, None]
        smoother = smoother + _projection(linear, -mean, kernel, mass, total)
        if self._degree == 1:
            return smoother
        norm = (mass * linear**2).sum(axis=1)
        held = norm > NEGLIGIBLE * total
        safe = np.where(held, norm, 1.0)
        tilt = np.where(held, (mass * linear**2 * u).sum(axis=1) / safe, 0.0)
        drop = norm / total
        square = (u - tilt[:, None]) * linear - drop[:, None]
        return smoother + _projection(square, tilt * mean - drop, kernel, mass, total)


def _group_starts(x: FloatArray, most: int) -> NDArray[np.intp]:
    """First patient of each group: cut evenly by half the rank and half the place, so that sparse tails stay fine."""
    place = (x - x[0]) / (x[-1] - x[0]) + np.arange(x.size) / x.size
    return np.flatnonzero(np.append(True, np.diff(np.floor(place * (most / 2.0))) > 0.0))


def _projection(
    basis: FloatArray, at_zero: FloatArray, kernel: FloatArray, mass: FloatArray, total: FloatArray
) -> FloatArray:
    norm = (mass * basis**2).sum(axis=1)
    held: NDArray[np.bool_] = norm > NEGLIGIBLE * total
    share = np.where(held, at_zero / np.where(held, norm, 1.0), 0.0)
    return np.asarray(share[:, None] * basis * kernel)
