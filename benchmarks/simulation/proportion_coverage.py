"""Coverage of intervals of a proportion and level of McNemar's tests: enumerated, so exact."""

from __future__ import annotations

import numpy as np
from biomark import stats
from biomark.stats.proportion import PROPORTION_METHODS
from scipy.stats import binom

SIZES = (9, 20, 26, 44, 68, 88, 200, 388, 1000)
CHANCES = np.round(np.arange(0.01, 0.9901, 0.001), 3)


def interval_cells(n_sets: int) -> list[dict]:
    return [{"n": n} for n in SIZES]


def intervals(cell: dict, rng: np.random.Generator) -> dict:
    """Coverage over the true proportions 0.01 to 0.99 in steps of 0.001."""
    n = cell["n"]
    k = np.arange(n + 1)
    weight = binom.pmf(k[:, None], n, CHANCES)
    found = {}
    for method in PROPORTION_METHODS:
        low, high = stats.proportion_ci(k, n, method=method)
        holds = (low[:, None] <= CHANCES) & (CHANCES <= high[:, None])
        covered = (weight * holds).sum(axis=0)
        central = covered[(CHANCES >= 0.6) & (CHANCES <= 0.95)]
        found[method] = {
            "mean": round(float(covered.mean()), 5),
            "least": round(float(covered.min()), 5),
            "at": float(CHANCES[np.argmin(covered)]),
            "mean_60_95": round(float(central.mean()), 5),
            "least_60_95": round(float(central.min()), 5),
            "width": round(float((weight * (high - low)[:, None]).sum(axis=0).mean()), 5),
        }
    return found


def mcnemar_cells(n_sets: int) -> list[dict]:
    return [{"n": n, "disagreeing": q} for n in (20, 44, 68, 88, 388) for q in (0.05, 0.1, 0.2, 0.4)]


def mcnemar(cell: dict, rng: np.random.Generator) -> dict:
    """Level of each test and coverage of each interval where both models are right equally often.

    The models disagree on a share of the patients, either way with the same chance; on the others both are
    right three times of four. Coverage of Newcombe's interval depends on that; it is taken at the expected
    number of patients on whom both are right.
    """
    n, q = cell["n"], cell["disagreeing"]
    total = dict.fromkeys(("exact", "mid-p", "asymptotic", "asymptotic-corrected"), 0.0)
    missed = {"tango": 0.0, "newcombe": 0.0}
    for d in range(n + 1):
        weight = float(binom.pmf(d, n, q))
        if weight < 1e-9:
            continue
        both = round(0.75 * (n - d))
        for b in range(d + 1):
            share = weight * float(binom.pmf(b, d, 0.5))
            if share < 1e-10:
                continue
            for name in total:
                interval = "tango" if name != "exact" else "newcombe"
                result = stats.paired_proportion_test(
                    both, b, d - b, n - d - both, method=name, interval=interval
                )
                total[name] += share * (result.p_value <= 0.05)
                if name in ("exact", "mid-p"):
                    missed[interval] += share * (result.ci_low > 0.0 or result.ci_high < 0.0)
    levels = {name: {"level": round(value, 5)} for name, value in total.items()}
    return levels | {name: {"coverage": round(1.0 - value, 5)} for name, value in missed.items()}
