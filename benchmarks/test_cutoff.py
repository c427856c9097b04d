"""The interval of a Youden cut-off, against a loop that draws patients and calls scikit-learn's roc_curve."""

import numpy as np
import pytest
from biomark import stats
from simulated import absent, two_models

REPLICATES = 200


@pytest.mark.parametrize("n", (88, 10_000))
def test_cutoff_chosen_anew_in_every_replicate(duel, n):
    labels, score, _ = two_models(n)
    rivals = {"scikit-learn loop": absent("sklearn")}
    if rivals["scikit-learn loop"] is None:
        from sklearn.metrics import roc_curve

        def loop():
            rng = np.random.default_rng(0)
            pos, neg = np.flatnonzero(labels == 1), np.flatnonzero(labels == 0)
            chosen = []
            for _ in range(REPLICATES):
                drawn = np.concatenate([rng.choice(pos, pos.size), rng.choice(neg, neg.size)])
                fpr, tpr, thresholds = roc_curve(labels[drawn], score[drawn], drop_intermediate=False)
                chosen.append(thresholds[np.argmax(tpr - fpr)])
            return np.quantile(chosen, [0.025, 0.975])

        rivals["scikit-learn loop"] = loop
    duel(
        f"interval of the Youden cut-off, {REPLICATES} replicates", n,
        lambda: stats.cutoff_ci(labels, score, n_boot=REPLICATES, rng=0), rivals,
    )  # fmt: skip
