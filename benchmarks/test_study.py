"""What a study asks beside its AUCs: sample size, tests that resample, lesions of one patient, strata, Table 2."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from biomark import stats
from simulated import absent, two_models

NO_R = "R with pROC is not installed"
CURVES = ", ".join(f'roc(y, {s}, levels=c(0, 1), direction="<", quiet=TRUE)' for s in "ab")


def test_sample_size(duel, r_session):
    rivals = {"pROC": NO_R if r_session is None else None}
    if r_session is not None:
        code = "for (i in 1:200) s <- power.roc.test(auc=0.735, sig.level=0.05, power=0.8, kappa=20/68)"
        r_session.run(code)
        cases = float(r_session.run("cat(format(s$ncases, digits=15))"))
        ours = stats.auc_sample_size(0.735, ratio=20 / 68, method="obuchowski-proc")
        assert ours.n_pos_exact == pytest.approx(cases, rel=1e-6)
        rivals["pROC"] = lambda: r_session.seconds(code) / 200
    duel(
        "sample size of one AUC", 88, lambda: stats.auc_sample_size(0.735, ratio=20 / 68), rivals, loops=200,
    )  # fmt: skip


def roc_test(r_session, labels, a, b, method, replicates):
    """Return pROC's paired test of two curves to be timed, or why there is none."""
    if r_session is None:
        return NO_R
    r_session.give(y=labels, a=a, b=b)
    code = f'roc.test({CURVES}, method="{method}", paired=TRUE, boot.n={replicates}, progress="none")'
    return lambda: r_session.seconds(f"x <- {code}")


@pytest.mark.parametrize("n", (88, 1000))
def test_bootstrap_test(duel, r_session, n):
    labels, a, b = two_models(n)
    rivals = {"pROC": roc_test(r_session, labels, a, b, "bootstrap", 2000)}
    duel(
        "bootstrap test of two AUCs, 2,000 replicates", n,
        lambda: stats.bootstrap_test(labels, a, b, n_boot=2000, rng=0), rivals, rounds=3,
    )  # fmt: skip


@pytest.mark.parametrize("n", (88, 388))
def test_venkatraman(duel, r_session, n):
    labels, a, b = two_models(n)
    few = {88: 200, 388: 20}[n]
    rivals = {"pROC": roc_test(r_session, labels, a, b, "venkatraman", few)}
    duel(
        "Venkatraman's test, 2,000 permutations", n,
        lambda: stats.venkatraman_test(labels, a, b, n_permutations=2000, rng=0), rivals, rounds=3,
        scale={"pROC": 2000 / few},
    )  # fmt: skip


@pytest.mark.parametrize("n", (88, 10_000))
def test_permutation(duel, n):
    from scipy.stats import rankdata
    from sklearn.metrics import roc_auc_score

    labels, a, b = two_models(n)
    few = {88: 1000, 10_000: 100}[n]
    ranks = np.stack([rankdata(a), rankdata(b)])

    def loop():
        rng = np.random.default_rng(0)
        found = []
        for _ in range(few):
            first = rng.integers(0, 2, n)
            one, other = (np.take_along_axis(ranks, row[None], axis=0)[0] for row in (first, 1 - first))
            found.append(roc_auc_score(labels, one) - roc_auc_score(labels, other))
        return np.array(found)

    duel(
        "permutation test of two AUCs, 10,000 exchanges", n,
        lambda: stats.permutation_test(labels, a, b, n_permutations=10_000, rng=0),
        {"scikit-learn loop": loop}, rounds=3, scale={"scikit-learn loop": 10_000 / few},
    )  # fmt: skip


@pytest.mark.parametrize("n", (88, 1000))
def test_clustered(duel, n):
    labels, a, b = two_models(n)
    patient = np.arange(n) // 2

    def definition():
        """Obuchowski's variance of the difference, patient by patient."""
        pos, neg = labels == 1, labels == 0
        v10, v01 = np.zeros((2, pos.sum())), np.zeros((2, neg.sum()))
        for k, score in enumerate((a, b)):
            wins = (score[pos][:, None] > score[neg]) + 0.5 * (score[pos][:, None] == score[neg])
            v10[k], v01[k] = wins.mean(axis=1), wins.mean(axis=0)
        auc, m, total = v10.mean(axis=1), pos.sum(), neg.sum()
        s10, s01, s11 = np.zeros((2, 2)), np.zeros((2, 2)), np.zeros((2, 2))
        owners_pos, owners_neg = patient[pos], patient[neg]
        with_pos, with_neg = np.unique(owners_pos).size, np.unique(owners_neg).size
        for each in np.unique(patient):
            x = v10[:, owners_pos == each]
            y = v01[:, owners_neg == each]
            of_x, of_y = x.sum(axis=1) - x.shape[1] * auc, y.sum(axis=1) - y.shape[1] * auc
            s10, s01, s11 = (
                s10 + np.outer(of_x, of_x), s01 + np.outer(of_y, of_y), s11 + np.outer(of_x, of_y),
            )  # fmt: skip
        all_of_them = np.unique(patient).size
        covariance = (
            s10 * with_pos / ((with_pos - 1) * m * m) + s01 * with_neg / ((with_neg - 1) * total * total)
            + (s11 + s11.T) * all_of_them / ((all_of_them - 1) * m * total)
        )  # fmt: skip
        return [covariance[0, 0] + covariance[1, 1] - 2.0 * covariance[0, 1]]

    found = stats.clustered_auc_test(labels, a, b, patient)
    assert definition() == pytest.approx([found.variance], rel=1e-9)
    duel(
        "two AUCs, two lesions a patient (Obuchowski 1997)", n,
        lambda: stats.clustered_auc_test(labels, a, b, patient), {"the definition in NumPy": definition},
    )  # fmt: skip


@pytest.mark.parametrize("n", (388, 10_000))
def test_strata(duel, n):
    labels, score, _ = two_models(n)
    size = np.random.default_rng(3).uniform(5, 40, n)
    by_size = stats.stratify(size, thresholds=[15, 25])
    rivals = {"confidenceinterval, a loop": absent("confidenceinterval")}
    if rivals["confidenceinterval, a loop"] is None:
        from confidenceinterval import roc_auc_score

        def loop():
            parts = [labels >= 0, *(by_size.codes == k for k in range(3))]
            return [roc_auc_score(labels[part], score[part]) for part in parts]

        rivals["confidenceinterval, a loop"] = loop
    duel(
        "AUC by three strata (ours also: the test of interaction)", n,
        lambda: stats.auc_by_stratum(labels, score, {"size": by_size}), rivals, loops=5,
    )  # fmt: skip


@pytest.mark.parametrize("n", (388, 10_000))
def test_baseline(duel, n):
    rng = np.random.default_rng(4)
    frame = pd.DataFrame(
        {
            "set": np.where(rng.random(n) < 0.77, "train", "test"),
            "age": rng.normal(52, 12, n).round(),
            "size_mm": np.exp(rng.normal(2.9, 0.6, n)).round(1),
            "menopause": rng.choice(["yes", "no"], n),
            "grade": rng.choice(["I", "II", "III"], n, p=[0.1, 0.5, 0.4]),
        }
    )
    rivals = {"tableone": absent("tableone")}
    if rivals["tableone"] is None:
        from tableone import TableOne

        def of_tableone():
            return TableOne(
                frame, columns=["age", "size_mm", "menopause", "grade"], categorical=["menopause", "grade"],
                nonnormal=["size_mm"], groupby="set", pval=True, smd=True,
            )  # fmt: skip

        rivals["tableone"] = of_tableone
    duel(
        "baseline table of four characteristics, with tests and differences", n,
        lambda: stats.baseline_table(frame, group="set"), rivals, rounds=5,
    )  # fmt: skip
