"""Type I error of the tests of two or three AUCs, and coverage of the interval of their difference."""

from __future__ import annotations

import numpy as np
from auc_interval_coverage import classes
from binormal import counted, grid, paired
from biomark import stats
from scipy.special import chdtrc, ndtr, stdtr, stdtrit
from vectorised import Z, auc_and_variance, coverage, doubled_ranks, newcombe, placements

SIZES, PREVALENCES, AUCS = (30, 88, 388, 2000), (0.1, 0.3, 0.5, 0.9), (0.6, 0.8, 0.9, 0.98)
CORRELATION = 0.5
REPLICATES = EXCHANGES = 999
BOOTSTRAP_UP_TO = 388
LEVEL = 0.05


def cells(n_sets: int) -> list[dict]:
    return grid(SIZES, PREVALENCES, AUCS, n_sets)


def venkatraman_cells(n_sets: int) -> list[dict]:
    return [
        {"n": n, "prevalence": p, "auc": a, "ties": t, "sets": n_sets}
        for n in (30, 88, 388) for t in (False, True) for p in (0.1, 0.5) for a in (0.6, 0.9)
    ]  # fmt: skip


def unpaired(cell: dict, rng: np.random.Generator) -> dict:
    """Two groups of n patients each: DeLong's t, and z as the test of interaction between two strata."""
    sizes = classes(cell)
    groups = []
    for _ in range(2):
        parts = [
            auc_and_variance(*counted(rng, size, *sizes, cell["auc"], ties=cell["ties"]))
            for size in _chunks(cell["sets"], 2_000_000 // cell["n"])
        ]
        groups.append([np.concatenate(part) for part in zip(*parts, strict=True)])
    (area_a, var_a), (area_b, var_b) = groups
    total, difference = var_a + var_b, area_a - area_b
    with np.errstate(invalid="ignore", divide="ignore"):
        z = difference / np.sqrt(total)
        df = total**2 / ((var_a**2 + var_b**2) / (cell["n"] - 1))
        by_t, by_z = 2.0 * stdtr(df, -np.abs(z)), 2.0 * ndtr(-np.abs(z))
    return {
        "delong-unpaired": _level(by_t, difference, total),
        "interaction": _level(by_z, difference, total),
    }


def paired_tests(cell: dict, rng: np.random.Generator) -> dict:
    """Three models of equal AUC on the same patients; the first two for the tests of two.

    The same random exchanges, and the same resampled positions, serve the data sets of one chunk.
    """
    p_values: dict[str, list] = {"delong-paired": [], "delong-contrast": [], "permutation": []}
    extra = {"difference": [], "variance": []}
    per_chunk = 100
    if cell["n"] <= BOOTSTRAP_UP_TO:
        p_values["bootstrap"] = []
    done = 0
    for size in _chunks(cell["sets"], per_chunk):
        pos, neg = paired(
            rng, size, *classes(cell), [cell["auc"]] * 3, correlation=CORRELATION, ties=cell["ties"]
        )
        ranks = [doubled_ranks(p, n, ties=cell["ties"]) for p, n in zip(pos, neg, strict=True)]
        placed = [placements(*of_model) for of_model in ranks]
        v10, v01 = (np.stack([values[k] for values in placed], axis=1) for k in (0, 1))
        difference, variance, p_value = _delong(v10, v01)
        p_values["delong-paired"].append(p_value)
        p_values["delong-contrast"].append(_contrast(v10, v01))
        extra["difference"].append(difference)
        extra["variance"].append(variance)
        permuted = _permutation(ranks, placed, rng)
        p_values["permutation"].append(permuted)
        if cell["n"] <= BOOTSTRAP_UP_TO:
            p_values["bootstrap"].append(_bootstrap(pos, neg, difference, rng))
        if done == 0:
            _check(pos, neg, p_value, p_values["delong-contrast"][0], permuted)
        done += size
    difference, variance = (np.concatenate(extra[name]) for name in ("difference", "variance"))
    found = {}
    for name, kept in p_values.items():
        values = np.concatenate(kept)
        n = values.size
        found[name] = _level(values, difference[:n], np.ones(n) if name != "delong-paired" else variance[:n])
        found[name]["sets"] = n
    return found


def venkatraman(cell: dict, rng: np.random.Generator) -> dict:
    n_pos, n_neg = classes(cell)
    labels = np.repeat([1, 0], [n_pos, n_neg])
    pos, neg = paired(
        rng, cell["sets"], n_pos, n_neg, [cell["auc"]] * 2, correlation=CORRELATION, ties=cell["ties"]
    )
    scores = np.concatenate([pos, neg], axis=2)
    p_values = [
        stats.venkatraman_test(labels, *scores[:, at], n_permutations=199, rng=rng).p_value
        for at in range(cell["sets"])
    ]
    return {"venkatraman": {"level": round(float(np.mean(np.array(p_values) <= LEVEL)), 5)}}


def difference_coverage(cell: dict, rng: np.random.Generator) -> dict:
    """The interval of the difference of two AUCs that differ by 0.1, paired and unpaired."""
    aucs = (cell["auc"], cell["auc"] - 0.1)
    sizes, ties = classes(cell), cell["ties"]
    bounds: dict[str, list] = {"paired": [], "unpaired": []}
    for size in _chunks(cell["sets"], max(1, 1_000_000 // cell["n"])):
        pos, neg = paired(rng, size, *sizes, aucs, correlation=CORRELATION, ties=ties)
        placed = [placements(*doubled_ranks(p, n, ties=ties)) for p, n in zip(pos, neg, strict=True)]
        v10, v01 = (np.stack([values[k] for values in placed], axis=1) for k in (0, 1))
        _, variance, _ = _delong(v10, v01)
        bounds["paired"].append(_difference_bounds(*v10.mean(axis=2).T, variance, Z, sizes))
        (area_a, var_a), (area_b, var_b) = (
            auc_and_variance(*counted(rng, size, *sizes, auc, ties=ties)) for auc in aucs
        )
        total = var_a + var_b
        with np.errstate(invalid="ignore", divide="ignore"):
            df = total**2 / ((var_a**2 + var_b**2) / (cell["n"] - 1))
        quantile = stdtrit(np.where(total > 0.0, df, 1.0), 0.975)
        bounds["unpaired"].append(_difference_bounds(area_a, area_b, total, quantile, sizes))
    return {name: coverage(tuple(np.concatenate(kept, axis=1)), 0.1) for name, kept in bounds.items()}


def _difference_bounds(a, b, variance, quantile, sizes):
    """Bounds of a - b; recovered from Newcombe's interval of each AUC where the variance is 0."""
    half = quantile * np.sqrt(variance)
    (low_a, high_a), (low_b, high_b) = (newcombe(area, *sizes) for area in (a, b))
    low = np.where(variance > 0.0, a - b - half, a - b - np.hypot(a - low_a, high_b - b))
    high = np.where(variance > 0.0, a - b + half, a - b + np.hypot(high_a - a, b - low_b))
    return np.clip([low, high], -1.0, 1.0)


def _chunks(total: int, size: int) -> list[int]:
    size = max(1, min(size, total))
    return [min(size, total - start) for start in range(0, total, size)]


def _level(p_value, difference, variance) -> dict[str, float]:
    """Share rejected at 5%, and the share of data sets without an answer (counted as not rejected)."""
    defined = (variance > 0.0) | (difference == 0.0)
    rejected = np.where(defined & (variance > 0.0), np.nan_to_num(p_value, nan=1.0), 1.0) <= LEVEL
    return {"level": round(float(rejected.mean()), 5), "undefined": round(float((~defined).mean()), 5)}


def _delong(v10, v01):
    d10, d01 = v10[:, 0] - v10[:, 1], v01[:, 0] - v01[:, 1]
    difference = d10.mean(axis=1)
    difference[np.abs(difference) < 1e-12] = 0.0
    variance = d10.var(axis=1, ddof=1) / d10.shape[1] + d01.var(axis=1, ddof=1) / d01.shape[1]
    variance[variance < 1e-15] = 0.0
    with np.errstate(invalid="ignore", divide="ignore"):
        p_value = 2.0 * ndtr(-np.abs(difference) / np.sqrt(variance))
    return difference, variance, np.where(difference == 0.0, 1.0, p_value)


def _contrast(v10, v01):
    """Chi-square of three AUCs; pseudo-inverse and rank where the covariance is singular, as the package does."""
    rows = np.array([[1.0, -1.0, 0.0], [0.0, 1.0, -1.0]])
    effect = v10.mean(axis=2) @ rows.T
    covariance = 0.0
    trace = 0.0
    for values in (v10, v01):
        centred = values - values.mean(axis=2, keepdims=True)
        whole = centred @ centred.transpose(0, 2, 1) / ((values.shape[2] - 1) * values.shape[2])
        covariance = covariance + rows @ whole @ rows.T
        trace = trace + np.trace(whole, axis1=1, axis2=2)
    values, directions = np.linalg.eigh(covariance)
    kept = values > np.maximum(2e-12 * trace, 1e-300)[:, None]
    along = np.einsum("si,sij->sj", effect, directions)
    statistic = np.where(kept, along**2 / np.where(kept, values, 1.0), 0.0).sum(axis=1)
    rank = kept.sum(axis=1)
    return np.where(rank == 0, 1.0, chdtrc(np.maximum(rank, 1), statistic))


def _permutation(ranks, placed, rng):
    crossed = [placements(ranks[k][0], ranks[1 - k][1]) for k in (0, 1)]
    m, n = (values.shape[1] for values in placed[0])
    terms = np.concatenate(
        [
            ((placed[0][0] - placed[1][0]) + (crossed[0][0] - crossed[1][0])) / (2.0 * m),
            ((placed[0][1] - placed[1][1]) - (crossed[0][1] - crossed[1][1])) / (2.0 * n),
        ],
        axis=1,
    )
    observed = terms.sum(axis=1)
    bar = np.abs(observed) - 1e-9 * np.sqrt(np.square(terms).sum(axis=1))
    kept = rng.integers(0, 2, size=(terms.shape[1], EXCHANGES), dtype=np.int8).astype(np.float64)
    flipped = np.abs(2.0 * (terms @ kept) - observed[:, None])
    return (1 + (flipped >= bar[:, None]).sum(axis=1)) / (1 + EXCHANGES)


def _bootstrap(pos, neg, difference, rng):
    m, n = pos.shape[2], neg.shape[2]
    drawn_pos = rng.multinomial(m, np.full(m, 1.0 / m), size=REPLICATES).astype(np.float32)
    drawn_neg = rng.multinomial(n, np.full(n, 1.0 / n), size=REPLICATES).astype(np.float32)
    p_values = np.ones(difference.size)
    for at in range(difference.size):
        won = [(pos[k, at][:, None] > neg[k, at]) + 0.5 * (pos[k, at][:, None] == neg[k, at]) for k in (0, 1)]
        pairs = (won[0] - won[1]).astype(np.float32)
        replicates = np.einsum("bj,bj->b", drawn_pos @ pairs, drawn_neg) / (m * n)
        spread = float(replicates.std(ddof=1, dtype=np.float64))
        if spread > 0.0:
            p_values[at] = 2.0 * ndtr(-abs(difference[at]) / spread)
    return p_values


def _check(pos, neg, delong, contrast, permuted) -> None:
    """Hold the first data sets against the package."""
    labels = np.repeat([1, 0], [pos.shape[2], neg.shape[2]])
    for at in range(5):
        scores = np.concatenate([pos[:, at], neg[:, at]], axis=1)
        one = stats.delong_test(labels, scores[0], scores[1])
        if not np.isnan(one.p_value):
            np.testing.assert_allclose(one.p_value, delong[at], atol=1e-9)
        np.testing.assert_allclose(
            stats.delong_contrast_test(labels, scores).p_value, contrast[at], atol=1e-9
        )
        other = stats.permutation_test(labels, scores[0], scores[1], n_permutations=EXCHANGES, rng=at)
        # Two random samples of exchanges: five standard errors of their difference.
        spread = np.sqrt(2.0 * max(other.p_value * (1.0 - other.p_value), 0.01) / EXCHANGES)
        assert abs(other.p_value - permuted[at]) < 5.0 * spread + 0.01, (other.p_value, permuted[at])
