"""Type I error of the comparison of two models over several labels, and coverage of the intervals of the difference."""

from __future__ import annotations

import numpy as np
from binormal import separation
from biomark import stats
from kept import Kept

SIZES, PREVALENCES, AUCS = (30, 88, 388, 2000), (0.1, 0.5), (0.6, 0.8, 0.95)
LABELS, REPLICATES, CORRELATION = 3, 500, 0.5
METRICS = {
    "macro_auc": "macro AUC", "macro_accuracy": "macro accuracy", "macro_f1": "macro F1", "hamming": "hamming",
    "subset_accuracy": "subset accuracy",
}  # fmt: skip


def cells(n_sets: int) -> list[dict]:
    return [
        {"n": n, "prevalence": p, "auc": a, "ties": False, "sets": n_sets if n < 388 else n_sets // 5}
        for n in SIZES for p in PREVALENCES for a in AUCS
    ]  # fmt: skip


def levels(cell: dict, rng: np.random.Generator) -> dict:
    """Two models of equal AUC read the same patients; a cut-off midway between the classes, stated beforehand."""
    n, mu = cell["n"], separation(cell["auc"], ties=False)
    kept = Kept()
    for _ in range(cell["sets"]):
        labels = np.zeros((n, LABELS))
        while min(labels.sum(axis=0).min(), (n - labels.sum(axis=0)).min()) < 2:
            labels = (rng.random((n, LABELS)) < cell["prevalence"]).astype(float)
        shared, own = rng.standard_normal((n, LABELS)), rng.standard_normal((2, n, LABELS))
        a, b = mu * labels + np.sqrt(CORRELATION) * shared + np.sqrt(1.0 - CORRELATION) * own
        found = stats.multilabel_test(labels, a, b, [mu / 2.0] * LABELS, n_boot=REPLICATES, rng=rng)
        for name, worded in METRICS.items():
            kept.test(f"two models, {worded}, bootstrap", getattr(found, name).p_value)
            kept.interval(f"difference of {worded}, percentile", getattr(found, name))
    return kept.summary({f"difference of {worded}, percentile": 0.0 for worded in METRICS.values()})
