"""AUC with DeLong's variance, and the paired test."""

import numpy as np
import pytest
from biomark import stats
from simulated import absent, two_models

SIZES = (88, 10_000, 1_000_000)
GOALS = {"pauc": 1.5, "pROC": 5.0, "confidenceinterval": 5.0, "MLstatkit": 5.0}
NO_R = "R with pROC is not installed"


@pytest.mark.parametrize("n", SIZES)
def test_auc_with_variance(duel, r_session, n):
    labels, score, _ = two_models(n)
    expected = stats.auc_ci(labels, score)
    rivals = {
        "pauc": absent("pauc"),
        "confidenceinterval": absent("confidenceinterval"),
        "pROC": NO_R if r_session is None else None,
    }
    if rivals["pauc"] is None:
        import pauc

        def of_pauc():
            curve = pauc.ROC(labels, score, direction="<")
            return curve.auc, pauc.var(curve)

        np.testing.assert_allclose(of_pauc(), (expected.auc, expected.variance), rtol=1e-6)
        rivals["pauc"] = of_pauc
    if rivals["confidenceinterval"] is None:
        from confidenceinterval import roc_auc_score

        def of_confidenceinterval():
            return roc_auc_score(labels, score)

        assert abs(of_confidenceinterval()[0] - expected.auc) < 1e-4
        rivals["confidenceinterval"] = of_confidenceinterval
    if rivals["pROC"] is None:
        r_session.give(y=labels, a=score)
        many = _loops(n)
        code = f'for (i in 1:{many}) {{ r <- roc(y, a, levels=c(0, 1), direction="<", quiet=TRUE); v <- var(r) }}'
        r_session.run(code)
        np.testing.assert_allclose(
            float(r_session.run("cat(format(v, digits=15))")), expected.variance, rtol=1e-9
        )
        rivals["pROC"] = lambda: r_session.seconds(code) / many
    duel(
        "AUC and DeLong variance", n, lambda: stats.auc_ci(labels, score), rivals,
        goals=GOALS if n == 1_000_000 else None, rounds=_rounds(n), loops=_loops(n),
    )  # fmt: skip


@pytest.mark.parametrize("n", SIZES)
def test_paired_test(duel, r_session, n):
    labels, score_a, score_b = two_models(n)
    expected = stats.delong_test(labels, score_a, score_b)
    rivals = {
        "pauc": absent("pauc"),
        "MLstatkit": absent("MLstatkit"),
        "pROC": NO_R if r_session is None else None,
    }
    if rivals["pauc"] is None:
        import pauc

        def of_pauc():
            return pauc.compare(*(pauc.ROC(labels, score, direction="<") for score in (score_a, score_b)))

        assert abs(of_pauc().stat - expected.statistic) < 1e-6 * max(1.0, abs(expected.statistic))
        rivals["pauc"] = of_pauc
    if rivals["MLstatkit"] is None:
        from MLstatkit import Delong_test

        def of_mlstatkit():
            return Delong_test(labels, score_a, score_b)

        assert abs(abs(of_mlstatkit()[0]) - abs(expected.statistic)) < 1e-6 * max(
            1.0, abs(expected.statistic)
        )
        rivals["MLstatkit"] = of_mlstatkit
    if rivals["pROC"] is None:
        r_session.give(y=labels, a=score_a, b=score_b)
        many = _loops(n)
        curves = ", ".join(f'roc(y, {s}, levels=c(0, 1), direction="<", quiet=TRUE)' for s in "ab")
        code = f'for (i in 1:{many}) t <- roc.test({curves}, method="delong", paired=TRUE)'
        r_session.run(code)
        z = float(r_session.run("cat(format(t$statistic, digits=15))"))
        np.testing.assert_allclose(z, expected.statistic, rtol=1e-8)
        rivals["pROC"] = lambda: r_session.seconds(code) / many
    duel(
        "paired DeLong test", n, lambda: stats.delong_test(labels, score_a, score_b), rivals,
        goals=GOALS if n == 1_000_000 else None, rounds=_rounds(n), loops=_loops(n),
    )  # fmt: skip


def _rounds(n: int) -> int:
    return {88: 31, 10_000: 15}.get(n, 3)


def _loops(n: int) -> int:
    return {88: 50, 10_000: 5}.get(n, 1)
