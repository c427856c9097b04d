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


@pytest.mark.parametrize("n", SIZES)
def test_calibration(duel, n):
    import statsmodels.api as sm
    from sklearn.calibration import calibration_curve
    from sklearn.metrics import brier_score_loss
    from statsmodels.nonparametric.smoothers_lowess import lowess

    labels, p = probabilities(n)
    logit = np.log(p / (1 - p))

    def by_hand():
        brier_score_loss(labels, p)
        calibration_curve(labels, p, n_bins=10, strategy="quantile")
        sm.GLM(labels, sm.add_constant(logit), family=sm.families.Binomial()).fit()
        sm.GLM(labels, np.ones((n, 1)), family=sm.families.Binomial(), offset=logit).fit()
        smooth = lowess(labels, p, frac=0.75, it=0, delta=0.01 * np.ptp(p))
        np.abs(smooth[:, 0] - smooth[:, 1]).mean()

    slope = stats.calibration_metrics(labels, p).slope
    fitted = sm.GLM(labels, sm.add_constant(logit), family=sm.families.Binomial()).fit().params[1]
    assert getattr(slope, "value", slope) == pytest.approx(fitted, rel=1e-6)
    duel(
        "calibration: Brier, bins, intercept, slope, smoothed curve", n,
        lambda: stats.calibration_metrics(labels, p),
        {"scikit-learn and statsmodels": by_hand}, rounds=5,
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
    duel(
        "net benefit at 99 thresholds, with intervals (the rival: without)", n,
        lambda: stats.net_benefit(labels, p, thresholds), {"the definition in a loop": loop}, rounds=5,
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
        for heat, mask in zip(maps, masks, strict=True):
            heat[mask].sum() / heat.sum()
            mask.ravel()[heat.argmax()]
            chosen = heat >= np.partition(heat.ravel(), -mask.sum())[-mask.sum()]
            (chosen & mask).sum() / (chosen | mask).sum()

    duel(
        "energy, pointing game and IoU of 20 maps of 48 cubed", 20,
        lambda: [stats.explanation_scores(h, m) for h, m in zip(maps, masks, strict=True)],
        {"the definitions in NumPy": loop}, rounds=5,
    )  # fmt: skip


def test_audit(duel):
    from pathlib import Path

    from biomark.stats import audit

    table = Path(__file__).parents[1] / "examples" / "huang2024" / "published.yaml"
    reason = (
        absent("mlscorecheck") or "checks one row of scores at a time; rates beside ours are in docs/audit.md"
    )
    duel("audit of the paper's tables", 1, lambda: audit(table), {"mlscorecheck": reason}, rounds=3)
