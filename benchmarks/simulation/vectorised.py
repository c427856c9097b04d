"""AUC, DeLong's variance and placement values of many data sets at once.

The package computes one data set at a time; ten thousand of them in a hundred cells need this form. `run.py`
holds the first data sets of every cell against the package's own functions.
"""

from __future__ import annotations

import numpy as np
from scipy.special import expit, logit, ndtri

Z = float(ndtri(0.975))
# Of the tests, two-sided.
LEVEL = 0.05


def auc_and_variance(of_pos, of_neg):
    """AUC and DeLong's variance from counts at ascending scores, arrays of shape (sets, k)."""
    m, n = int(of_pos[0].sum()), int(of_neg[0].sum())
    below = (np.cumsum(of_neg, axis=1) - 0.5 * of_neg) / n
    above = (m - np.cumsum(of_pos, axis=1) + 0.5 * of_pos) / m
    area = (of_pos * below).sum(axis=1) / m
    s10 = (of_pos * np.square(below - area[:, None])).sum(axis=1) / (m - 1)
    s01 = (of_neg * np.square(above - area[:, None])).sum(axis=1) / (n - 1)
    variance = s10 / m + s01 / n
    return area, np.where(variance > 1e-15, variance, 0.0)


def hanley_mcneil(a, m, n):
    q1, q2 = a / (2.0 - a), 2.0 * a**2 / (1.0 + a)
    return (a * (1.0 - a) + (m - 1) * (q1 - a**2) + (n - 1) * (q2 - a**2)) / (m * n)


def newcombe(area, m, n):
    """Bounds of Newcombe's method 5, by bisection."""
    half = (m + n) / 2.0

    def excess(value):
        spread = 1.0 + (half - 1.0) * ((1.0 - value) / (2.0 - value) + value / (1.0 + value))
        return (area - value) ** 2 - Z**2 * value * (1.0 - value) * spread / (m * n)

    def root(inner, outer):
        for _ in range(50):
            middle = (inner + outer) / 2.0
            accepted = excess(middle) < 0.0
            inner, outer = np.where(accepted, middle, inner), np.where(accepted, outer, middle)
        return (inner + outer) / 2.0

    edge = 1e-9
    low = np.where(area <= 0.0, 0.0, root(np.minimum(area, 1.0 - edge), np.zeros_like(area)))
    return low, np.where(area >= 1.0, 1.0, root(np.maximum(area, edge), np.ones_like(area)))


def auc_intervals(area, variance, m, n):
    """Bounds by each method without a bootstrap, with the package's rule where the variance is 0."""
    score = newcombe(area, m, n)
    bounds = {"newcombe": score}
    for method, v in (("delong", variance), ("hanley-mcneil", hanley_mcneil(area, m, n))):
        half = Z * np.sqrt(v)
        wald = np.maximum(area - half, 0.0), np.minimum(area + half, 1.0)
        bounds[method] = tuple(np.where(v > 0.0, w, s) for w, s in zip(wald, score, strict=True))
    inside = (variance > 0.0) & (area > 0.0) & (area < 1.0)
    safe = np.where(inside, area, 0.5)
    half = Z * np.sqrt(variance) / (safe * (1.0 - safe))
    bounds["delong-logit"] = tuple(
        np.where(inside, expit(logit(safe) + side * half), s)
        for side, s in zip((-1.0, 1.0), score, strict=True)
    )
    return bounds


def doubled_ranks(pos, neg, *, ties: bool):
    """Twice the mid-rank of each score within its row, whole numbers; shapes as given, (rows, m) and (rows, n).

    With ``ties`` the scores are ratings 0, 1, 2, ... and are counted, not sorted.
    """
    m = pos.shape[1]
    whole = np.concatenate([pos, neg], axis=1)
    if ties:
        levels = whole.astype(np.int64)
        counts = _counts(levels, int(levels.max()) + 1)
        ranks = np.take_along_axis(2 * np.cumsum(counts, axis=1) - counts + 1, levels, axis=1)
    else:
        order = np.argsort(whole, axis=1)
        ranks = np.empty(order.shape, dtype=np.int64)
        np.put_along_axis(ranks, order, 2 * np.arange(1, order.shape[1] + 1)[None], axis=1)
    return ranks[:, :m], ranks[:, m:]


def placements(pos, neg):
    """Placement values of each row from doubled ranks, (rows, m) and (rows, n), by counting."""
    top = int(max(pos.max(), neg.max())) + 1
    placed = []
    for own, other in ((pos, neg), (neg, pos)):
        counts = _counts(other, top)
        twice_below = 2 * np.cumsum(counts, axis=1) - counts
        placed.append(np.take_along_axis(twice_below, own, axis=1) / (2.0 * other.shape[1]))
    return placed[0], 1.0 - placed[1]


def _counts(values, top: int):
    """How often each of 0..top - 1 stands in each row."""
    rows = values.shape[0]
    flat = (values + top * np.arange(rows)[:, None]).ravel()
    return np.bincount(flat, minlength=rows * top).reshape(rows, top)


def coverage(bounds, truth: float) -> dict[str, float]:
    """Share of intervals that hold the truth, of those that lie above it and below it, and their mean width."""
    low, high = bounds
    above, below = float(np.mean(low > truth)), float(np.mean(high < truth))
    return {
        "coverage": round(1.0 - above - below, 5),
        "too_high": round(above, 5),
        "too_low": round(below, 5),
        "width": round(float(np.mean(high - low)), 5),
    }
