"""Family-wise error and false discovery rate of the adjustments for many tests."""

from __future__ import annotations

import numpy as np
from biomark import stats
from scipy.special import ndtr
from vectorised import LEVEL

METHODS = {"holm": stats.holm, "bonferroni": stats.bonferroni, "benjamini-hochberg": stats.benjamini_hochberg}


def cells(n_sets: int) -> list[dict]:
    return [
        {"tests": m, "false_nulls": m // 3 if some else 0, "correlation": r, "sets": n_sets}
        for m in (3, 6, 15) for some in (False, True) for r in (0.0, 0.5, 0.9)
    ]  # fmt: skip


def errors(cell: dict, rng: np.random.Generator) -> dict:
    """Normal test statistics of equal correlation; a false null hypothesis moves its own by 3."""
    m, r = cell["tests"], cell["correlation"]
    shared = np.sqrt(r) * rng.standard_normal((cell["sets"], 1))
    z = shared + np.sqrt(1.0 - r) * rng.standard_normal((cell["sets"], m))
    true = np.arange(m) >= cell["false_nulls"]
    p_values = 2.0 * ndtr(-np.abs(z + 3.0 * ~true))
    found = {}
    for name, adjust in METHODS.items():
        rejected = np.array([adjust(row) for row in p_values]) <= LEVEL
        wrong = (rejected & true).sum(axis=1)
        found[name] = {
            "family_wise": round(float((wrong > 0).mean()), 5),
            "false_discovery": round(float((wrong / np.maximum(rejected.sum(axis=1), 1)).mean()), 5),
        }
    return found
