"""Type I error of the tests over strata, and of those that count clusters and more than two groups or models."""

from __future__ import annotations

import numpy as np
from binormal import separation
from biomark import stats
from biomark.stats.subgroups import macro_stratum_tables
from kept import Kept

# Patients in all, of whom each of three strata has a third.
SIZES, PREVALENCES, AUCS = (88, 388, 2000), (0.3, 0.5), (0.7, 0.9)
LABELS, STRATA, REPLICATES = 3, 3, 500
CORRELATION = 0.5


def cells(n_sets: int) -> list[dict]:
    return [
        {"n": n, "prevalence": p, "auc": a, "ties": False, "sets": n_sets}
        for n in SIZES for p in PREVALENCES for a in AUCS
    ]  # fmt: skip


def levels(cell: dict, rng: np.random.Generator) -> dict:
    """Two models of equal AUC in every stratum, three labels; the tests of one label use the first."""
    n = cell["n"]
    stratum = np.arange(n) % STRATA
    strata = stats.Strata(("a", "b", "c"), stratum, "by size")
    pairs = np.arange(n) // 2
    kept = Kept()
    for _ in range(cell["sets"]):
        labels, scores = _drawn(cell, stratum, rng)
        _, rows = macro_stratum_tables(
            "test", ("a", "b"), labels, scores, strata, "size",
            n_boot=REPLICATES, cluster=None, rng=rng, confidence=0.95,
        )  # fmt: skip
        for name, row in zip(("macro AUC", "difference of two macro AUCs"), (rows[0], rows[2]), strict=True):
            kept.test(f"{name} over three strata, joint", row.get("p_value", np.nan))
        y, a, b = labels[:, 0], scores[0, :, 0], scores[1, :, 0]
        kept.test("AUC over three strata, Q", stats.interaction_test(y, a, stratum).p_value)
        apart = stats.interaction_test(y, a, stratum, score_b=b)
        kept.test("difference of two AUCs over three strata, Q", apart.p_value)
        y, of_models = _in_pairs(cell, rng)
        kept.test("three AUCs, clusters", stats.clustered_contrast_test(y, of_models, pairs).p_value)
        of_third = stats.interaction_test(y, of_models[0], np.arange(n) % 2, cluster=pairs)
        kept.test("AUC over two strata, clusters in both", of_third.p_value)
        other, of_other = _in_pairs(cell, rng)
        unpaired = stats.clustered_auc_test_unpaired(y, of_models[0], pairs, other, of_other[0], pairs)
        kept.test("two AUCs unpaired, clusters", unpaired.p_value)
    return kept.summary({})


def _drawn(cell: dict, stratum, rng):
    """Labels of shape (n, labels) and scores of shape (models, n, labels); both classes in each stratum."""
    n, mu = cell["n"], separation(cell["auc"], ties=False)
    while True:
        labels = (rng.random((n, LABELS)) < cell["prevalence"]).astype(float)
        each = np.array([labels[stratum == k].sum(axis=0) for k in range(STRATA)])
        sizes = np.bincount(stratum)[:, None]
        if (each >= 2).all() and (sizes - each >= 2).all():
            break
    shared = rng.standard_normal((n, LABELS))
    own = rng.standard_normal((2, n, LABELS))
    return labels, mu * labels + np.sqrt(CORRELATION) * shared + np.sqrt(1.0 - CORRELATION) * own


def _in_pairs(cell: dict, rng):
    """Labels of lesions in pairs, and scores of three models whose errors are shared within a pair and a lesion."""
    n, mu = cell["n"], separation(cell["auc"], ties=False)
    labels = np.zeros(n)
    while min(labels.sum(), n - labels.sum()) < 8:
        labels = (rng.random(n) < cell["prevalence"]).astype(float)
    of_pair = np.repeat(rng.standard_normal((n + 1) // 2), 2)[:n]
    noise = 0.5 * of_pair + 0.5 * rng.standard_normal(n) + np.sqrt(0.5) * rng.standard_normal((3, n))
    return labels, mu * labels + noise
