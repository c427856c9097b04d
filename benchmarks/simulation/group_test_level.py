"""Type I error of the tests of a baseline table: two or three sets of patients that do not differ."""

from __future__ import annotations

import numpy as np
from biomark import stats
from kept import Kept

SIZES = (30, 88, 388, 2000)
SHARES = {2: (0.7, 0.3), 3: (0.6, 0.2, 0.2)}


def cells(n_sets: int) -> list[dict]:
    return [{"n": n, "groups": k, "sets": n_sets} for n in SIZES for k in SHARES]


def levels(cell: dict, rng: np.random.Generator) -> dict:
    """Normal, skewed (log-normal) and whole-numbered values; a characteristic of two and one of four kinds."""
    n, groups = cell["n"], cell["groups"]
    ends = np.rint(np.cumsum(SHARES[groups]) * n).astype(int)[:-1]
    codes = np.repeat(np.arange(groups), np.diff(np.concatenate([[0], ends, [n]])))
    kept = Kept()
    for _ in range(cell["sets"]):
        normal = rng.standard_normal(n)
        for name, values in (("normal", normal), ("skewed", np.exp(normal))):
            kept.test(f"Welch, {name} values", stats.mean_group_test(np.split(values, ends)).p_value)
        grades = np.digitize(normal, (-0.5, 0.5)).astype(float)
        for name, values in (("distinct", normal), ("tied", grades)):
            kept.test(f"ranks, {name} values", stats.rank_group_test(np.split(values, ends)).p_value)
        for name, chances in (("two kinds", (0.85, 0.15)), ("four kinds", (0.5, 0.3, 0.15, 0.05))):
            kind = rng.choice(len(chances), size=n, p=chances)
            table = np.zeros((groups, len(chances)))
            np.add.at(table, (codes, kind), 1.0)
            kept.test(
                f"categories, {name}", stats.categorical_group_test(table[:, table.any(axis=0)]).p_value
            )
    return kept.summary({})
