"""Coverage of the intervals of one AUC."""

from __future__ import annotations

import numpy as np
from binormal import counted, grid
from biomark import stats
from biomark.stats.bootstrap import WeightedAuc, acceleration, bootstrap_interval
from vectorised import auc_and_variance, auc_intervals, coverage, newcombe

SIZES, PREVALENCES = (30, 88, 388, 2000), (0.1, 0.3, 0.5, 0.7, 0.9)
AUCS = (0.6, 0.7, 0.8, 0.9, 0.95, 0.98)
REPLICATES = 1000


def analytic_cells(n_sets: int) -> list[dict]:
    return grid(SIZES, PREVALENCES, AUCS, n_sets)


def bootstrap_cells(n_sets: int) -> list[dict]:
    return [
        {"n": n, "prevalence": p, "auc": a, "ties": t, "sets": n_sets}
        for n in SIZES for t in (False, True) for p in (0.1, 0.3, 0.5) for a in (0.6, 0.8, 0.95)
    ]  # fmt: skip


def classes(cell: dict) -> tuple[int, int]:
    n_pos = round(cell["n"] * cell["prevalence"])
    return n_pos, cell["n"] - n_pos


def one_set(of_pos, of_neg):
    """Labels and scores of one data set from its counts."""
    at = np.arange(of_pos.size)
    score = np.concatenate([np.repeat(at, of_pos), np.repeat(at, of_neg)])
    return np.repeat([1, 0], [of_pos.sum(), of_neg.sum()]), score.astype(float)


def analytic(cell: dict, rng: np.random.Generator) -> dict:
    n_pos, n_neg = classes(cell)
    areas, variances = [], []
    chunk = max(1, 2_000_000 // cell["n"])
    for start in range(0, cell["sets"], chunk):
        size = min(chunk, cell["sets"] - start)
        counts = counted(rng, size, n_pos, n_neg, cell["auc"], ties=cell["ties"])
        area, variance = auc_and_variance(*counts)
        if start == 0:
            _check(counts, area, variance, n_pos, n_neg)
        areas.append(area)
        variances.append(variance)
    area, variance = np.concatenate(areas), np.concatenate(variances)
    bounds = auc_intervals(area, variance, n_pos, n_neg)
    return {method: coverage(bounds[method], cell["auc"]) for method in bounds}


def _check(counts, area, variance, n_pos, n_neg) -> None:
    bounds = auc_intervals(area[:10], variance[:10], n_pos, n_neg)
    for at in range(min(10, area.size)):
        labels, score = one_set(counts[0][at], counts[1][at])
        for method, (low, high) in bounds.items():
            found = stats.auc_ci(labels, score, method=method)
            np.testing.assert_allclose(
                [found.auc, found.ci_low, found.ci_high], [area[at], low[at], high[at]], atol=1e-9
            )


def bootstrap(cell: dict, rng: np.random.Generator) -> dict:
    """Percentile and BCa; the same resampled positions serve 50 data sets.

    Positives and negatives stand in the order of their scores, so that how often each is drawn is summed once for
    all 50; a data set looks up the sums at the ranks of its positives.
    """
    m, n = classes(cell)
    low_high: dict[str, list] = {"bootstrap-percentile": [], "bootstrap-bca": []}
    for start in range(0, cell["sets"], 50):
        counts = counted(rng, min(50, cell["sets"] - start), m, n, cell["auc"], ties=cell["ties"])
        drawn_pos = rng.multinomial(m, np.full(m, 1.0 / m), size=REPLICATES).T.astype(np.float32)
        drawn_neg = rng.multinomial(n, np.full(n, 1.0 / n), size=REPLICATES).T
        lower = np.zeros((n + 1, REPLICATES), dtype=np.float32)
        np.cumsum(drawn_neg, axis=0, out=lower[1:])
        for of_pos, of_neg in zip(*counts, strict=True):
            before = np.cumsum(of_neg) - of_neg
            first, last = np.repeat(before, of_pos), np.repeat(before + of_neg, of_pos)
            area = float((first + last).sum() / (2.0 * m * n))
            if area in (0.0, 1.0):
                bounds = tuple(float(b[0]) for b in newcombe(np.array([area]), m, n))
                for kept in low_high.values():
                    kept.append(bounds)
                continue
            won = np.einsum("jb,jb->b", lower[first], drawn_pos)
            if cell["ties"]:
                won = (won + np.einsum("jb,jb->b", lower[last], drawn_pos)) / 2.0
            replicates = won.astype(float) / (m * n)
            above = m - np.cumsum(of_pos) + of_pos / 2.0
            a = acceleration((first + last) / (2.0 * n) - area, np.repeat(above / m, of_neg) - area)
            if start == 0 and len(low_high["bootstrap-bca"]) < 3:
                _check_replicates(of_pos, of_neg, drawn_pos, drawn_neg, replicates)
            for method, kept in low_high.items():
                kind = method.removeprefix("bootstrap-")
                kept.append(bootstrap_interval(replicates, kind=kind, estimate=area, acceleration=a))
    return {method: coverage(tuple(np.array(kept).T), cell["auc"]) for method, kept in low_high.items()}


def _check_replicates(of_pos, of_neg, drawn_pos, drawn_neg, replicates) -> None:
    """Hold a data set's replicates against the AUCs that the package gives to the same counts."""
    labels, score = one_set(of_pos, of_neg)
    of_package = WeightedAuc(labels == 1, score)
    counts = np.concatenate([drawn_pos, drawn_neg]).T
    np.testing.assert_allclose(of_package(counts), replicates, atol=1e-9)
