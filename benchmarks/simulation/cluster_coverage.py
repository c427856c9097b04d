"""Coverage with two lesions a patient: Obuchowski's variance, and DeLong's that takes lesions for independent."""

from __future__ import annotations

import numpy as np
from binormal import separation
from biomark import stats
from vectorised import coverage


def cells(n_sets: int) -> list[dict]:
    return [
        {"patients": k, "correlation": r, "auc": a, "sets": n_sets}
        for k in (44, 194) for r in (0.0, 0.5, 0.8) for a in (0.7, 0.8, 0.9, 0.95)
    ]  # fmt: skip


def intervals(cell: dict, rng: np.random.Generator) -> dict:
    """One lesion in three is positive; the second lesion has the label of the first in two patients of three."""
    k, r, mu = cell["patients"], cell["correlation"], separation(cell["auc"], ties=False)
    cluster = np.repeat(np.arange(k), 2)
    bounds: dict[str, list] = {
        name: [] for name in ("obuchowski", "obuchowski-logit", "delong", "delong-logit")
    }
    rejected = {"obuchowski-paired": 0, "delong-paired": 0}
    for _ in range(cell["sets"]):
        labels = _labels(k, rng)
        scores = [
            mu * labels
            + np.sqrt(r) * np.repeat(rng.standard_normal(k), 2)
            + np.sqrt(1.0 - r) * rng.standard_normal(2 * k)
            for _ in range(2)
        ]
        for name in bounds:
            method = "delong-logit" if name.endswith("logit") else "delong"
            found = stats.auc_ci(
                labels, scores[0], method=method, cluster=cluster if name.startswith("o") else None
            )
            bounds[name].append((found.ci_low, found.ci_high))
        tests = {
            "obuchowski-paired": stats.clustered_auc_test(labels, *scores, cluster),
            "delong-paired": stats.delong_test(labels, *scores),
        }
        for name, result in tests.items():
            rejected[name] += result.p_value <= 0.05
    found = {name: coverage(tuple(np.array(kept).T), cell["auc"]) for name, kept in bounds.items()}
    return found | {name: {"level": round(count / cell["sets"], 5)} for name, count in rejected.items()}


def _labels(k: int, rng: np.random.Generator) -> np.ndarray:
    while True:
        first = rng.random(k) < 1.0 / 3.0
        second = np.where(rng.random(k) < 0.5, first, rng.random(k) < 1.0 / 3.0)
        labels = np.stack([first, second], axis=1)
        # Both classes in at least two patients: less has no variance.
        if labels.any(axis=1).sum() >= 2 and (~labels).any(axis=1).sum() >= 2:
            return labels.ravel().astype(int)
