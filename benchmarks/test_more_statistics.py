"""Statistics beside the AUC: a part of it, average precision, one threshold, calibration, net benefit, maps, audit.

Each rival computes the same thing, and must give the same number before it is timed; where no program has it, the rival
is its definition written out with scikit-learn and statsmodels.
"""

from __future__ import annotations

import numpy as np
import pytest
from biomark import stats
from simulated import absent, two_models

SIZES = (88, 10_000)


def probabilities(n: int):
    labels, score, _ = two_models(n)
    return labels, 1.0 / (1.0 + np.exp(0.9 - score))


@pytest.mark.parametrize("n", (*SIZES, 1_000_000))
def test_partial_auc(duel, n):
    from sklearn.metrics import roc_auc_score

    labels, score, _ = two_models(n)
    ours = lambda: stats.partial_auc(labels, score, bounds=(0.9, 1.0), standardized=True)  # noqa: E731
    theirs = lambda: [roc_auc_score(labels, score, max_fpr=0.1)]  # noqa: E731
    assert ours() == pytest.approx(roc_auc_score(labels, score, max_fpr=0.1), rel=1e-9)
    duel("partial AUC, standardized, specificity 0.9 to 1", n, ours, {"scikit-learn": theirs}, rounds=5)


@pytest.mark.parametrize("n", (*SIZES, 1_000_000))
def test_average_precision(duel, n):
    from sklearn.metrics import average_precision_score

    labels, score, _ = two_models(n)
    ours = lambda: stats.average_precision(labels, score)  # noqa: E731
    assert ours() == pytest.approx(average_precision_score(labels, score), rel=1e-9)
    theirs = lambda: [average_precision_score(labels, score)]  # noqa: E731
    duel("average precision", n, ours, {"scikit-learn": theirs}, rounds=5)


@pytest.mark.parametrize("n", SIZES)
def test_operating_point(duel, n):
    from sklearn.metrics import cohen_kappa_score, confusion_matrix, f1_score, matthews_corrcoef
    from statsmodels.stats.proportion import proportion_confint

    labels, score, _ = two_models(n)

    def by_hand():
        positive = (score >= 0.5).astype(int)
        tn, fp, fn, tp = confusion_matrix(labels, positive).ravel()
        for count, total in ((tp + tn, n), (tp, tp + fn), (tn, tn + fp), (tp, tp + fp), (tn, tn + fn)):
            proportion_confint(count, total, method="wilson")
        f1_score(labels, positive), matthews_corrcoef(labels, positive), cohen_kappa_score(labels, positive)

    duel(
        "operating point, 11 measures (the rival: 8, of which 5 have an interval)", n,
        lambda: stats.operating_point(labels, score, 0.5),
        {"scikit-learn and statsmodels": by_hand},
    )  # fmt: skip


@pytest.mark.parametrize("part", ("whole", "fits", "smooth"))
@pytest.mark.parametrize("n", SIZES)
def test_calibration(duel, n, part):
    import statsmodels.api as sm
    from sklearn.calibration import calibration_curve
    from sklearn.metrics import brier_score_loss
    from statsmodels.nonparametric.smoothers_lowess import lowess

    labels, p = probabilities(n)
    logit = np.log(p / (1 - p))

    def fits():
        slope = sm.GLM(labels, sm.add_constant(logit), family=sm.families.Binomial()).fit()
        held = sm.GLM(labels, np.ones((n, 1)), family=sm.families.Binomial(), offset=logit).fit()
        return [held.params[0], slope.params[1]]

    def smooth():
        curve = lowess(labels, p, frac=0.75, it=0, delta=0.01 * np.ptp(p))
        return [np.abs(curve[:, 0] - curve[:, 1]).mean()]

    def whole():
        brier_score_loss(labels, p)
        calibration_curve(labels, p, n_bins=10, strategy="quantile")
        return fits(), smooth()

    found = stats.logistic_recalibration(labels, p)
    assert [found.intercept.value, found.slope.value] == pytest.approx(fits(), rel=1e-6)
    assert [stats.calibration_indices(labels, p, degree=1)["ici"]] == pytest.approx(smooth(), rel=0.05)
    what, ours, rival = {
        "whole": (
            "calibration: Brier, bins, intercept, slope, smoothed curve (ours also: intervals, ECE, tests)",
            lambda: stats.calibration_metrics(labels, p),
            whole,
        ),
        "fits": (
            "calibration intercept and slope alone",
            lambda: stats.logistic_recalibration(labels, p),
            fits,
        ),
        "smooth": (
            "mean distance of a locally linear smooth alone (the rival's at 100 places, ours at 1,000)",
            lambda: stats.calibration_indices(labels, p, degree=1),
            smooth,
        ),
    }[part]
    duel(what, n, ours, {"scikit-learn and statsmodels" if part == "whole" else "statsmodels": rival})


@pytest.mark.parametrize("n", (*SIZES, 1_000_000))
def test_calibration_error(duel, n):
    labels, p = probabilities(n)
    rivals = {"MAPIE": absent("mapie")}
    if rivals["MAPIE"] is None:
        from mapie.metrics.calibration import expected_calibration_error, spiegelhalter_statistic

        def of_mapie():
            # MAPIE counts edges: eleven make ten bins.
            error = expected_calibration_error(labels, p, num_bins=11, split_strategy="uniform")
            return error, spiegelhalter_statistic(labels, p)

        error = stats.binned_calibration(labels, p, binning="equal-width").ece
        z = stats.spiegelhalter_test(labels, p).statistic
        assert of_mapie() == pytest.approx((error, z), rel=1e-9)
        rivals["MAPIE"] = of_mapie
    duel(
        "ECE in ten bins, with the bins' intervals, and Spiegelhalter's z (the rival: without intervals)", n,
        lambda: (
            stats.binned_calibration(labels, p, binning="equal-width"), stats.spiegelhalter_test(labels, p),
        ), rivals, rounds=5,
    )  # fmt: skip


@pytest.mark.parametrize("n", SIZES)
def test_calibration_of_pycaleva(duel, n):
    labels, p = probabilities(n)
    rivals = {"pycaleva": absent("pycaleva")}
    if rivals["pycaleva"] is None:
        from pycaleva import CalibrationEvaluator

        def of_pycaleva():
            # Without Hosmer and Lemeshow's test, which we do not have: it depends on its groups.
            found = CalibrationEvaluator(labels, p, outsample=True, n_groups=10)
            return found.brier, found.z_test().statistic

        ours = stats.calibration_metrics(labels, p)
        assert of_pycaleva() == pytest.approx((ours.brier.value, ours.spiegelhalter_z), rel=1e-9)
        rivals["pycaleva"] = of_pycaleva
    duel(
        "all of `calibration_metrics` (the rival: Brier, ACE, MCE, smooth, z; no slope, no interval)", n,
        lambda: stats.calibration_metrics(labels, p), rivals, rounds=5,
    )  # fmt: skip


@pytest.mark.parametrize("n", (*SIZES, 1_000_000))
def test_net_benefit(duel, n):
    labels, p = probabilities(n)
    thresholds = np.linspace(0.01, 0.99, 99)

    def loop():
        found = []
        for t in thresholds:
            positive = p >= t
            tp, fp = (positive & (labels == 1)).sum(), (positive & (labels == 0)).sum()
            found.append(tp / n - fp / n * t / (1 - t))
        return np.array(found)

    curve = stats.net_benefit(labels, p, thresholds).to_frame()
    column = next(name for name in ("net_benefit", "model") if name in curve)
    np.testing.assert_allclose(
        curve[column].to_numpy(float)[: len(thresholds)], loop(), rtol=1e-9, atol=1e-12
    )
    rivals = {"the definition in a loop": loop, "dcurves": absent("dcurves")}
    if rivals["dcurves"] is None:
        import dcurves
        import pandas as pd

        frame = pd.DataFrame({"y": labels, "p": p})

        def of_dcurves():
            return dcurves.dca(frame, "y", ["p"], thresholds=thresholds)

        table = of_dcurves()
        np.testing.assert_allclose(table[table.model == "p"].net_benefit, loop(), rtol=1e-9, atol=1e-12)
        rivals["dcurves"] = of_dcurves
    duel(
        "net benefit at 99 thresholds, with intervals (the rivals: without)", n,
        lambda: stats.net_benefit(labels, p, thresholds), rivals, rounds=5,
    )  # fmt: skip


def test_embedding(duel):
    from sklearn.metrics import silhouette_score

    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], [50, 38])
    features = rng.standard_normal((88, 2048)) + 0.05 * y[:, None]

    def loop():
        permuted = np.random.default_rng(0)
        return [silhouette_score(features, permuted.permutation(y)) for _ in range(99)]

    found = stats.embedding_separation(features, y, n_permutations=99, rng=0)
    silhouette = found.silhouette
    assert getattr(silhouette, "value", silhouette) == pytest.approx(silhouette_score(features, y), rel=1e-6)
    duel(
        "separation of 88 x 2,048 features: silhouette and neighbours' AUC, 99 permutations", 88,
        lambda: stats.embedding_separation(features, y, n_permutations=99, rng=0),
        {"scikit-learn loop, silhouette alone": loop}, rounds=5,
    )  # fmt: skip


def test_explanation(duel):
    rng = np.random.default_rng(0)
    maps, masks = rng.random((20, 48, 48, 48)), np.zeros((20, 48, 48, 48), dtype=bool)
    masks[:, 10:25, 12:30, 14:28] = True

    def loop():
        rows = []
        for heat, mask in zip(maps, masks, strict=True):
            chosen = heat >= np.partition(heat.ravel(), -mask.sum())[-mask.sum()]
            overlap = (chosen & mask).sum() / (chosen | mask).sum()
            rows.append((heat[mask].sum() / heat.sum(), mask.ravel()[heat.argmax()], overlap))
        return np.transpose(rows)

    found = stats.explanation_scores(maps, masks)
    np.testing.assert_allclose((found.energy, found.pointing, found.iou), loop(), rtol=1e-9)
    duel(
        "energy, pointing game and IoU of 20 maps of 48 cubed (ours also: checks, ties, chance)", 20,
        lambda: stats.explanation_scores(maps, masks), {"the definitions in NumPy": loop}, rounds=15,
    )  # fmt: skip


def test_audit(duel):
    from pathlib import Path

    from biomark.stats import audit

    table = Path(__file__).parents[1] / "examples" / "huang2024" / "published.yaml"
    reason = (
        "checks one row of scores at a time: see the next line, and docs/audit.md for the rates beside ours"
    )
    duel("audit of the paper's tables", 1, lambda: audit(table), {"mlscorecheck": reason}, rounds=3)


@pytest.mark.parametrize("n_wrong", [0, 3])
def test_audit_of_rows(duel, n_wrong):
    """Six rows of one table, the last with an accuracy that no count gives: both must say so."""
    from biomark.stats import audit

    # Accuracy, sensitivity and specificity of 68 positive and 20 negative patients.
    possible = [(p + n, p, n) for p, n in ((52, 8), (46, 15), (56, 17), (61, 11), (40, 19), (66, 3))]
    rows = [
        (f"{a / 88 - 0.031 * (k >= 6 - n_wrong):.3f}", f"{b / 68:.3f}", f"{c / 20:.3f}")
        for k, (a, b, c) in enumerate(possible)
    ]
    table = {
        "sets": {
            "test": {
                "n": 88, "labels": {"ER": {"pos": 68, "neg": 20}},
                "rows": [
                    {"model": f"m{k}", "label": "ER", "acc": [a], "sen": [b], "spec": [c]}
                    for k, (a, b, c) in enumerate(rows)
                ],
            }
        }
    }  # fmt: skip
    blamed = {finding.where.split("/")[1] for finding in audit(table)}
    assert blamed == {f"m{k}" for k in range(6 - n_wrong, 6)}
    rival = absent("mlscorecheck")
    if rival is None:
        import logging

        from mlscorecheck.check.binary import check_1_testset_no_kfold

        logging.disable(logging.CRITICAL)
        printed = [dict(zip(("acc", "sens", "spec"), map(float, row), strict=True)) for row in rows]

        def rival():
            return [
                check_1_testset_no_kfold(testset={"p": 68, "n": 20}, scores=row, eps=0.0005)["inconsistency"]
                for row in printed
            ]

        assert rival() == [k >= 6 - n_wrong for k in range(6)]
    wrong = f", {n_wrong} of them impossible (ours also: by which misprint)" if n_wrong else ""
    duel(
        f"audit of 6 rows of accuracy, sensitivity and specificity{wrong}", 6,
        lambda: audit(table), {"mlscorecheck": rival}, rounds=15,
    )  # fmt: skip
