"""2,000 stratified bootstrap replicates of an AUC, a partial area and average precision, percentile intervals."""

import pytest
from biomark import stats
from simulated import absent, two_models

# Rivals that would take a minute a round are timed over fewer replicates, and their time is multiplied.
REPLICATES = {88: 2000, 1000: 2000, 100_000: 40}
GOALS = {
    88: {"scipy + scikit-learn": 100.0, "pauc": 10.0},
    100_000: {"scipy + scikit-learn": 40.0, "pauc": 15.0},
}


@pytest.mark.parametrize("n", REPLICATES)
def test_one_auc(duel, r_session, n):
    labels, score, _ = two_models(n)
    few = REPLICATES[n]
    rivals = {
        "scipy + scikit-learn": absent("sklearn"),
        "pauc": absent("pauc"),
        "pROC": "R with pROC is not installed" if r_session is None else None,
    }
    if rivals["scipy + scikit-learn"] is None:
        import numpy as np
        from scipy.stats import bootstrap
        from sklearn.metrics import roc_auc_score

        pos, neg = score[labels == 1], score[labels == 0]
        truth = np.repeat([1, 0], [pos.size, neg.size])

        def statistic(of_pos, of_neg):
            return roc_auc_score(truth, np.concatenate([of_pos, of_neg]))

        def of_scipy():
            return bootstrap(
                (pos, neg), statistic, n_resamples=few, method="percentile", vectorized=False,
                rng=np.random.default_rng(0),
            )  # fmt: skip

        rivals["scipy + scikit-learn"] = of_scipy
    if rivals["pauc"] is None:
        import pauc

        curve = pauc.ROC(labels, score, direction="<")
        rivals["pauc"] = lambda: pauc.ci_auc(curve, method="bootstrap", n_boot=few)
    if rivals["pROC"] is None:
        r_session.give(y=labels, a=score)
        r_session.run('r <- roc(y, a, levels=c(0, 1), direction="<", quiet=TRUE)')
        code = f'ci.auc(r, method="bootstrap", boot.n={few}, boot.stratified=TRUE, progress="none")'
        r_session.run(f"x <- {code}")
        rivals["pROC"] = lambda: r_session.seconds(code)
    duel(
        "2,000 bootstrap replicates of one AUC", n,
        lambda: stats.auc_ci(labels, score, method="bootstrap-percentile", n_boot=2000, rng=0),
        rivals, goals=GOALS.get(n), rounds=3,
        scale=dict.fromkeys(rivals, 2000 / few) if few < 2000 else None,
    )  # fmt: skip


@pytest.mark.parametrize("n", [88, 1000])
def test_partial_auc(duel, r_session, n):
    labels, score, _ = two_models(n)
    rivals = {"pROC": "R with pROC is not installed" if r_session is None else None}
    if rivals["pROC"] is None:
        r_session.give(y=labels, a=score)
        r_session.run('r <- roc(y, a, levels=c(0, 1), direction="<", quiet=TRUE, partial.auc=c(0.9, 1))')
        code = 'ci.auc(r, method="bootstrap", boot.n=2000, boot.stratified=TRUE, progress="none")'
        r_session.run(f"x <- {code}")
        rivals["pROC"] = lambda: r_session.seconds(code)
    duel(
        "2,000 bootstrap replicates of a partial AUC, specificity 0.9 to 1", n,
        lambda: stats.partial_auc_ci(labels, score, method="bootstrap-percentile", n_boot=2000, rng=0),
        rivals, rounds=3,
    )  # fmt: skip


@pytest.mark.parametrize("n", [88, 10_000])
def test_average_precision(duel, n):
    labels, score, _ = two_models(n)
    few = 2000 if n == 88 else 100
    rivals = {"scikit-learn loop": absent("sklearn")}
    if rivals["scikit-learn loop"] is None:
        import numpy as np
        from sklearn.metrics import average_precision_score

        classes = np.flatnonzero(labels == 1), np.flatnonzero(labels == 0)

        def loop():
            rng = np.random.default_rng(0)
            for _ in range(few):
                rows = np.concatenate([rng.choice(each, each.size) for each in classes])
                average_precision_score(labels[rows], score[rows])

        rivals["scikit-learn loop"] = loop
    duel(
        "2,000 bootstrap replicates of average precision", n,
        lambda: stats.average_precision_ci(labels, score, method="bootstrap-percentile", n_boot=2000, rng=0),
        rivals, rounds=3, scale={"scikit-learn loop": 2000 / few} if few < 2000 else None,
    )  # fmt: skip
