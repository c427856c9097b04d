"""Coverage of the intervals of the partial area and of average precision, for many data sets at once."""

from __future__ import annotations

import numpy as np
from auc_interval_coverage import AUCS, PREVALENCES, SIZES, classes, one_set
from binormal import counted, grid, rating_chances, separation
from biomark import stats
from scipy.integrate import quad
from scipy.special import expit, logit, ndtr, ndtri
from scipy.stats import norm
from vectorised import Z, coverage

# The strip of false positive rates: specificities above 0.9.
WIDTH = 0.1
METHODS = ("delong", "delong-logit")


def cells(n_sets: int) -> list[dict]:
    return grid(SIZES, PREVALENCES, AUCS, n_sets)


def intervals(cell: dict, rng: np.random.Generator) -> dict:
    """Partial area over specificities above 0.9 by both methods, and average precision by the logit."""
    sizes = classes(cell)
    kept: dict[str, list] = {}
    chunk = max(1, 100_000 // cell["n"])
    for start in range(0, cell["sets"], chunk):
        counts = counted(rng, min(chunk, cell["sets"] - start), *sizes, cell["auc"], ties=cell["ties"])
        descending = [of_class[:, ::-1] for of_class in counts]
        bounds = partial_auc_bounds(*descending, *sizes)
        bounds["average precision, logit"] = average_precision_bounds(*descending, sizes[0])
        if start == 0:
            _check(counts, bounds)
        for name, both in bounds.items():
            kept.setdefault(name, []).append(np.stack(both))
    truths = {f"partial AUC, {method}": true_partial_auc(cell) for method in METHODS}
    truths["average precision, logit"] = true_average_precision(cell)
    return {name: coverage(np.concatenate(kept[name], axis=1), truth) for name, truth in truths.items()}


def partial_auc_bounds(of_pos, of_neg, m: int, n: int) -> dict[str, tuple]:
    """Bounds from counts at descending scores, arrays of shape (sets, k): the curve's placements cut to the strip."""
    zero = np.zeros((of_pos.shape[0], 1))
    x = np.concatenate([zero, np.cumsum(of_neg, axis=1) / n], axis=1)
    y = np.concatenate([zero, np.cumsum(of_pos, axis=1) / m], axis=1)
    steps = np.diff(x, axis=1)
    inside = WIDTH - np.minimum(x, WIDTH)
    above = _over_steps((WIDTH**2 - inside**2) / 2.0, steps, np.maximum(WIDTH - x[:, 1:], 0.0))
    area = np.concatenate([zero, np.cumsum(steps * (y[:, 1:] + y[:, :-1]) / 2.0, axis=1)], axis=1)
    # Where the strip ends: the first point at or beyond it, and the one before.
    after = np.argmax(x >= WIDTH, axis=1)[:, None]
    (x0, x1), (y0, y1) = ([np.take_along_axis(v, after - k, axis=1) for k in (1, 0)] for v in (x, y))
    height = y0 + (y1 - y0) * ((WIDTH - x0) / (x1 - x0))
    whole = np.take_along_axis(area, after - 1, axis=1) + (WIDTH - x0) * (y0 + height) / 2.0
    beyond = np.where(x >= WIDTH, whole, np.minimum(area, whole)) + height * np.maximum(x - WIDTH, 0.0)
    of_negative = _over_steps(beyond, steps, np.zeros_like(steps))
    share = (of_pos * above).sum(axis=1) / m / WIDTH
    variance = sum(
        (weight * np.square(v - ((weight * v).sum(axis=1) / size)[:, None])).sum(axis=1) / (size - 1) / size
        for weight, v, size in ((of_pos, above, m), (of_neg, of_negative, n))
    )
    known = variance > 1e-20 * WIDTH**2
    wilson = stats.proportion_ci(np.rint(share * m).astype(int), m, method="wilson")
    fallen = np.minimum(wilson[0], share), np.maximum(wilson[1], share)
    half = Z * np.sqrt(variance) / WIDTH
    safe = np.where(known, share, 0.5)
    wald = np.maximum(share - half, 0.0), np.minimum(share + half, 1.0)
    on_logit = tuple(expit(logit(safe) + side * half / (safe * (1.0 - safe))) for side in (-1.0, 1.0))
    return {
        f"partial AUC, {method}": tuple(
            WIDTH * np.where(known, a, b) for a, b in zip(bounds, fallen, strict=True)
        )
        for method, bounds in zip(METHODS, (wald, on_logit), strict=True)
    }


def _over_steps(cumulative, steps, upright):
    """Mean of a function over each step of the curve; ``upright`` where the step has no width."""
    return np.divide(np.diff(cumulative, axis=1), steps, out=upright, where=steps > 0.0)


def average_precision_bounds(of_pos, of_neg, m: int) -> tuple:
    tp, fp = np.cumsum(of_pos, axis=1), np.cumsum(of_neg, axis=1)
    value = (of_pos * (tp / np.maximum(tp + fp, 1))).sum(axis=1) / m
    centre = np.minimum(value, 1.0 - 0.5 / m)
    half = Z / np.sqrt(m * centre * (1.0 - centre))
    high = np.where(value > 1.0 - 1e-12, 1.0, expit(logit(centre) + half))
    return expit(logit(centre) - half), high


def true_partial_auc(cell: dict) -> float:
    mu = separation(cell["auc"], ties=cell["ties"])
    if not cell["ties"]:
        return float(quad(lambda rate: ndtr(mu + ndtri(rate)), 0.0, WIDTH)[0])
    tpr, fpr = (np.append(0.0, np.cumsum(chances[::-1])) for chances in rating_chances(mu))
    at = np.append(fpr[fpr < WIDTH], WIDTH)
    return float(np.trapezoid(np.interp(at, fpr, tpr), at))


def true_average_precision(cell: dict) -> float:
    share = classes(cell)[0] / cell["n"]
    mu = separation(cell["auc"], ties=cell["ties"])
    if cell["ties"]:
        of_pos, of_neg = (chances[::-1] for chances in rating_chances(mu))
        tp, fp = share * np.cumsum(of_pos), (1.0 - share) * np.cumsum(of_neg)
        return float(of_pos @ (tp / (tp + fp)))

    def density(x: float) -> float:
        tp, fp = share * norm.sf(x - mu), (1.0 - share) * norm.sf(x)
        return float(tp / (tp + fp) * norm.pdf(x - mu))

    return float(quad(density, mu - 9.0, mu + 9.0)[0])


def _check(counts, bounds) -> None:
    """Hold the first data sets against the package."""
    for at in range(min(10, counts[0].shape[0])):
        labels, score = one_set(counts[0][at], counts[1][at])
        found = {f"partial AUC, {m}": stats.partial_auc_ci(labels, score, method=m) for m in METHODS}
        found["average precision, logit"] = stats.average_precision_ci(labels, score)
        for name, one in found.items():
            np.testing.assert_allclose(
                [one.ci_low, one.ci_high], [side[at] for side in bounds[name]], atol=1e-8, err_msg=name
            )
