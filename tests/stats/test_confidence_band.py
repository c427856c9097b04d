"""Bands of the ROC curve."""

import json
from pathlib import Path

import numpy as np
import pytest
from biomark.errors import BiomarkError
from biomark.stats import proportion_ci, roc_band, roc_curve
from biomark.stats.bootstrap import WeightedCurve
from biomark.stats.confidence_band import sensitivity_at
from biomark.stats.effective_size import wilson_at_effective_size

ORACLE = json.loads((Path(__file__).parents[1] / "oracles" / "roc_band.json").read_text(encoding="utf-8"))


def data(n=80, seed=0, ties=False):
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    score = rng.normal(size=n) + y
    return y, np.round(score, 0) if ties else score


@pytest.mark.parametrize("ties", [False, True])
def test_sensitivity_at_a_rate_follows_the_curve(ties):
    y, score = data(ties=ties)
    curve = roc_curve(y, score)
    pos, neg = curve.tpr[1:] * curve.n_pos, curve.fpr[1:] * curve.n_neg
    grid = np.linspace(0, 1, 57)
    found = sensitivity_at(pos[None], neg[None], grid)[0]
    # The definition: linear between points, the top of a vertical step.
    for rate, value in zip(grid, found, strict=True):
        on = curve.tpr[np.isclose(curve.fpr, rate, atol=1e-12)]
        if on.size:
            assert value == pytest.approx(on.max(), abs=1e-9)
        else:
            k = np.searchsorted(curve.fpr, rate)
            x0, x1, y0, y1 = curve.fpr[k - 1], curve.fpr[k], curve.tpr[k - 1], curve.tpr[k]
            assert value == pytest.approx(y0 + (rate - x0) / (x1 - x0) * (y1 - y0), abs=1e-9)


@pytest.mark.parametrize("name", list(ORACLE["sets"]))
def test_intervals_at_a_specificity_are_those_of_r_on_the_same_draws(name):
    known, fpr = ORACLE["sets"][name], 1.0 - np.array(ORACLE["specificity"])
    n_pos, n_neg = len(known["pos"]), len(known["neg"])
    curve = WeightedCurve(np.arange(n_pos + n_neg) < n_pos, np.array(known["pos"] + known["neg"]))
    drawn = [
        np.append(np.bincount(pos, minlength=n_pos), np.bincount(neg, minlength=n_neg))
        for pos, neg in zip(known["draws_pos"], known["draws_neg"], strict=True)
    ]
    replicates = sensitivity_at(*curve(np.stack(drawn)), fpr)
    here = sensitivity_at(*curve(np.ones((1, n_pos + n_neg))), fpr)[0]
    mean, variance = replicates.mean(axis=0), replicates.var(axis=0)
    low, high = wilson_at_effective_size(here, mean, variance, n_pos, n_pos, 0.95)
    assert here == pytest.approx(known["sensitivity"], rel=1e-10)
    assert low == pytest.approx(known["wilson_low"], rel=1e-10)
    assert high == pytest.approx(known["wilson_high"], rel=1e-10)
    percentiles = np.quantile(replicates, [0.025, 0.975], axis=0)
    assert percentiles[0] == pytest.approx(known["percentile_low"], rel=1e-10)
    assert percentiles[1] == pytest.approx(known["percentile_high"], rel=1e-10)


@pytest.mark.parametrize("how", [{}, {"interval": "percentile"}, {"method": "simultaneous"}])
@pytest.mark.parametrize("ties", [False, True])
def test_the_band_holds_the_curve_and_rises(how, ties):
    y, score = data(ties=ties)
    band = roc_band(y, score, **how, n_boot=500, rng=0)
    curve = roc_curve(y, score)
    pos, neg = curve.tpr[1:] * curve.n_pos, curve.fpr[1:] * curve.n_neg
    inside = sensitivity_at(pos[None], neg[None], 1 - band.specificity)[0]
    assert (band.ci_low <= inside + 1e-9).all() and (inside <= band.ci_high + 1e-9).all()
    assert (np.diff(band.ci_low) >= 0).all() and (np.diff(band.ci_high) >= 0).all()
    assert band.ci_low.min() >= 0 and band.ci_high.max() <= 1


def test_the_same_seed_gives_the_same_band():
    y, score = data()
    first, second = (roc_band(y, score, n_boot=200, rng=3) for _ in range(2))
    assert (first.ci_low == second.ci_low).all() and (first.ci_high == second.ci_high).all()


def test_the_simultaneous_band_covers_the_whole_true_curve():
    from scipy.stats import norm

    rng = np.random.default_rng(0)
    held = 0
    for _ in range(400):
        y = np.repeat([0, 1], [58, 30])
        band = roc_band(y, rng.normal(size=88) + 1.2 * y, method="simultaneous", points=201)
        truth = norm.sf(norm.isf(1 - band.specificity) - 1.2)
        held += bool(((band.ci_low <= truth + 1e-12) & (truth <= band.ci_high + 1e-12)).all())
    assert held / 400 >= 0.95


@pytest.mark.parametrize("interval", ["wilson", "percentile"])
def test_the_pointwise_band_covers_one_point_about_as_often_as_it_says(interval):
    from scipy.stats import norm

    rng = np.random.default_rng(1)
    truth = norm.sf(norm.isf(0.3) - 1.2)
    held = 0
    for k in range(300):
        y = np.repeat([0, 1], [58, 30])
        band = roc_band(y, rng.normal(size=88) + 1.2 * y, interval=interval, points=11, n_boot=300, rng=k)
        held += band.ci_low[3] <= truth <= band.ci_high[3]
    assert 0.90 <= held / 300 <= 0.99


def test_a_band_of_clusters_is_that_of_patients_drawn_whole():
    y, score = data(n=40)
    cluster = np.arange(40) // 2
    band = roc_band(y, score, interval="percentile", cluster=cluster, points=11, n_boot=3000, rng=0)
    rng = np.random.default_rng(5)
    slow = []
    for _ in range(1500):
        drawn = np.concatenate([np.flatnonzero(cluster == k) for k in rng.integers(0, 20, 20)])
        curve = roc_curve(y[drawn], score[drawn])
        pos, neg = curve.tpr[1:] * curve.n_pos, curve.fpr[1:] * curve.n_neg
        slow.append(sensitivity_at(pos[None], neg[None], np.linspace(0, 1, 11))[0])
    low, high = np.quantile(slow, [0.025, 0.975], axis=0)
    assert band.ci_low == pytest.approx(low, abs=0.08) and band.ci_high == pytest.approx(high, abs=0.08)
    assert band.method == "pointwise, percentiles of 3000 replicates of whole clusters"


def test_no_positive_below_the_negatives_still_leaves_the_band_a_width():
    y = np.repeat([0, 1], [30, 12])
    band = roc_band(y, y.astype(float), points=11, n_boot=200, rng=0)
    low, high = proportion_ci(12, 12)
    assert band.ci_low[:-1] == pytest.approx(low) and (band.ci_high[1:] == high).all()
    assert band.ci_low[-1] == 1.0
    pairs = roc_band(y, y.astype(float), cluster=np.arange(42) // 2, points=11, n_boot=200, rng=0)
    assert pairs.ci_low[:-1] == pytest.approx(proportion_ci(6, 6)[0])
    bare = roc_band(y, y.astype(float), interval="percentile", points=11, n_boot=200, rng=0)
    assert (bare.ci_low == 1.0).all()


def test_nine_positives_above_all_negatives_are_no_proof():
    """Where percentiles have no width and missed the truth in a third of simulated sets (docs/simulation.md)."""
    y = np.repeat([0, 1], [79, 9])
    score = np.append(np.arange(79.0), np.linspace(75.5, 90, 9))
    wilson, percentile = (
        roc_band(y, score, interval=kind, points=11, n_boot=500, rng=0) for kind in ("wilson", "percentile")
    )
    assert percentile.ci_low[2] == 1.0 and wilson.ci_low[2] == pytest.approx(proportion_ci(9, 9)[0])


def test_the_effective_size_follows_the_variance():
    low, high = wilson_at_effective_size([0.7, 0.7], [0.7, 0.7], [0.7 * 0.3 / 20] * 2, 400, 400, 0.95)
    expected = proportion_ci(14, 20)
    assert (low[0], high[0]) == pytest.approx(expected) and low[1] == low[0]
    low, high = wilson_at_effective_size(0.7, 0.7, 0.7 * 0.3 / 20, 10, 10, 0.95)
    assert (low, high) == pytest.approx(proportion_ci(7, 10))
    low, high = wilson_at_effective_size(1.0, 0.999, 1e-5, 150, 30, 0.95)
    assert (low, high) == pytest.approx(proportion_ci(30, 30))


def test_copies_of_a_lesion_in_one_patient_do_not_narrow_the_band():
    y, score = data(n=60)
    once = roc_band(y, score, points=21, n_boot=2000, rng=0)
    copied = roc_band(
        np.repeat(y, 5),
        np.repeat(score, 5),
        cluster=np.repeat(np.arange(60), 5),
        points=21,
        n_boot=2000,
        rng=0,
    )
    apart = roc_band(np.repeat(y, 5), np.repeat(score, 5), points=21, n_boot=2000, rng=0)
    width = [float(np.mean(band.ci_high - band.ci_low)) for band in (once, copied, apart)]
    assert width[1] == pytest.approx(width[0], rel=0.1) and width[2] < 0.6 * width[0]


def test_clusters_of_one_class_leave_out_the_draws_that_have_no_curve():
    band = roc_band([0, 0, 1, 1], [1, 2, 2, 3], cluster=["a", "a", "b", "b"], points=3, n_boot=200, rng=0)
    assert np.isfinite(band.ci_low).all()


def test_a_simultaneous_band_of_clusters_is_refused():
    with pytest.raises(BiomarkError, match="independent patients"):
        roc_band([0, 1], [0, 1], cluster=[0, 1], method="simultaneous")


def test_fewer_than_two_points_are_refused():
    with pytest.raises(BiomarkError, match="points"):
        roc_band([0, 1], [0, 1], points=1)
