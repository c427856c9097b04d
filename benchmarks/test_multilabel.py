"""Macro AUC and macro F1 over three labels, 2,000 replicates of whole patients, against a scikit-learn loop."""

import numpy as np
import pytest
from biomark import stats
from simulated import absent, three_labels

REPLICATES = {88: 500, 100_000: 8}
GOALS = {88: 200.0, 100_000: 50.0}
THRESHOLDS = [0.5, 0.5, 0.5]


@pytest.mark.parametrize("n", REPLICATES)
def test_macro_auc_and_f1(duel, n):
    """Ours gives all metrics but the micro AUC with intervals; the loop makes the two."""
    labels, score = three_labels(n)
    few = REPLICATES[n]
    rival = absent("sklearn")
    if rival is None:
        from sklearn.metrics import f1_score, roc_auc_score

        called = (score >= 0.5).astype(int)

        def rival():
            rng = np.random.default_rng(0)
            found = []
            for _ in range(few):
                at = rng.integers(0, n, n)
                auc = roc_auc_score(labels[at], score[at], average="macro")
                found.append((auc, f1_score(labels[at], called[at], average="macro", zero_division=0)))
            return np.quantile(found, [0.025, 0.975], axis=0)

    duel(
        "2,000 replicates of macro AUC and macro F1", n,
        lambda: stats.multilabel_ci(
            labels, score, THRESHOLDS, method="percentile", n_boot=2000, micro_auc=False, rng=0
        ),
        {"scikit-learn loop": rival}, goals={"scikit-learn loop": GOALS[n]}, rounds=3,
        scale={"scikit-learn loop": 2000 / few},
    )  # fmt: skip
