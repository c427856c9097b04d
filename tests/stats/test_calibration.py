import json
import math
from pathlib import Path

import numpy as np
import pytest
from biomark import stats
from biomark.errors import BiomarkError
from biomark.stats.brier import brier_decomposition, brier_score
from biomark.stats.calibration import CALIBRATION_ESTIMATES, calibration_metrics
from biomark.stats.calibration_bins import binned_calibration
from biomark.stats.calibration_slope import logistic_recalibration
from biomark.stats.recalibration import recalibrate
from biomark.stats.smoothed_calibration import calibration_curve, calibration_indices
from biomark.stats.spiegelhalter import spiegelhalter_test
from hypothesis import given, settings
from hypothesis import strategies as st

ORACLE = json.loads((Path(__file__).parents[1] / "oracles" / "calibration.json").read_text(encoding="utf-8"))
cases = pytest.mark.parametrize("case", ORACLE["cases"])
RIVALS = json.loads(
    (Path(__file__).parents[1] / "oracles" / "python_rivals.json").read_text(encoding="utf-8")
)
rivals = pytest.mark.parametrize("case", RIVALS["cases"])


def bounds(estimate):
    return [estimate.value, estimate.ci_low, estimate.ci_high]


def simulated(n, rng, *, intercept=0.0, slope=1.0, spread=1.0):
    """Simulated patients whose risk is a logistic recalibration of the prediction."""
    x = rng.normal(0.0, spread, n)
    y = rng.random(n) < 1 / (1 + np.exp(-(intercept + slope * x)))
    return y, 1 / (1 + np.exp(-x))


@rivals
def test_brier_score_z_and_errors_in_bins_match_mapie_and_pycaleva(case):
    y, p = case["y"], case["p"]
    assert brier_score(y, p).value == pytest.approx(case["brier"], rel=1e-12)
    test = spiegelhalter_test(y, p)
    assert (test.statistic, test.p_value) == pytest.approx((case["z"], case["z_p_value"]), rel=1e-10)
    if "mce_equal_mass" in case:
        assert binned_calibration(y, p).mce == pytest.approx(case["mce_equal_mass"], rel=1e-10)
    # MAPIE closes its bins at the right, so that predictions on an edge fall into another.
    if not np.isin(np.array(p) * 10, np.arange(11)).any():
        found = binned_calibration(y, p, binning="equal-width").ece
        assert found == pytest.approx(case["ece_equal_width"], rel=1e-10)


def test_some_cases_of_the_rivals_have_every_value_that_is_compared():
    assert sum("mce_equal_mass" in case for case in RIVALS["cases"]) >= 2
    free = [not np.isin(np.array(case["p"]) * 10, np.arange(11)).any() for case in RIVALS["cases"]]
    assert sum(free) >= 2


@cases
def test_intercept_and_slope_match_glm_of_r(case):
    found = logistic_recalibration(case["y"], case["p"])
    assert bounds(found.intercept) == pytest.approx(case["intercept"], rel=1e-10, abs=1e-11)
    assert bounds(found.slope) == pytest.approx(case["slope"], rel=1e-10)
    assert bounds(found.intercept_beside_slope) == pytest.approx(case["beside"], rel=1e-10, abs=1e-11)
    assert found.statistic == pytest.approx(case["lr"], rel=1e-9, abs=1e-11)


@cases
def test_clustered_errors_are_the_sandwich(case):
    found = logistic_recalibration(case["y"], case["p"], cluster=case["cluster"])
    width = [(e.ci_high - e.ci_low) / (2 * 1.959963984540054) for e in (
        found.intercept, found.intercept_beside_slope, found.slope)]  # fmt: skip
    assert width == pytest.approx(case["robust_se"], rel=1e-9)
    assert math.isnan(found.p_value)


@cases
def test_brier_interval_matches_riskregression(case):
    assert bounds(brier_score(case["y"], case["p"])) == pytest.approx(case["brier"], rel=1e-10)


@cases
def test_values_match_val_prob_of_rms_where_the_definition_is_the_same(case):
    found, theirs = calibration_metrics(case["y"], case["p"]), case["val_prob"]
    assert found.brier.value == pytest.approx(theirs["Brier"], rel=1e-12)
    assert (found.spiegelhalter_z, found.spiegelhalter_p_value) == pytest.approx(
        (theirs["S:z"], theirs["S:p"]), rel=1e-10
    )
    # lrm.fit of rms stops earlier than glm in the oracle does.
    assert found.slope.value == pytest.approx(theirs["Slope"], rel=1e-4)
    assert found.intercept_beside_slope.value == pytest.approx(theirs["Intercept"], rel=1e-3, abs=1e-5)
    assert found.recalibration_statistic == pytest.approx(theirs["U:Chi-sq"], rel=1e-5, abs=1e-6)
    assert found.recalibration_p_value == pytest.approx(theirs["U:p"], rel=1e-5, abs=1e-7)


@cases
def test_indices_match_r_loess(case):
    found = calibration_indices(case["y"], case["p"], span=case["span"], degree=case["degree"])
    assert list(found.values()) == pytest.approx(case["indices"], rel=1e-10)


@cases
def test_isotonic_and_platt_match_r(case):
    isotonic = recalibrate(case["y"], case["p"], method="isotonic")
    assert isotonic.apply(case["p"]) == pytest.approx(case["isotonic"], rel=1e-12)
    platt = recalibrate(case["y"], case["p"], method="platt")
    assert [platt.intercept, platt.slope] == pytest.approx(case["platt"], rel=1e-9, abs=1e-10)


@cases
def test_difference_in_the_large_and_scaled_score_match_their_formulas(case):
    y, p = np.array(case["y"]), np.array(case["p"])
    found = calibration_metrics(y, p)
    half = 1.959963984540054 * np.std(y - p, ddof=1) / np.sqrt(y.size)
    gap = np.mean(y) - np.mean(p)
    assert bounds(found.in_the_large) == pytest.approx([gap, gap - half, gap + half], rel=1e-10)
    assert found.brier_scaled.value == pytest.approx(1 - np.mean((y - p) ** 2) / np.var(y), rel=1e-12)
    ratio = y.sum() / p.sum()
    se = math.sqrt((1 - y.mean()) / y.sum())
    assert bounds(found.observed_expected) == pytest.approx(
        [ratio, ratio * math.exp(-1.959963984540054 * se), ratio * math.exp(1.959963984540054 * se)],
        rel=1e-12,
    )


probability_lists = st.lists(
    st.tuples(st.integers(0, 1), st.one_of(st.floats(0, 1), st.sampled_from([0.0, 0.25, 0.5, 1.0]))),
    min_size=1,
    max_size=40,
)


@settings(deadline=None, max_examples=60)
@given(
    rows=probability_lists,
    n_bins=st.integers(1, 12),
    binning=st.sampled_from(["equal-mass", "equal-width", "distinct"]),
)
def test_terms_of_the_brier_score_add_up_to_it(rows, n_bins, binning):
    y, p = (np.array(column) for column in zip(*rows, strict=True))
    parts = brier_decomposition(y, p, n_bins=n_bins, binning=binning)
    total = (
        parts.reliability
        - parts.resolution
        + parts.uncertainty
        + parts.within_variance
        - parts.within_covariance
    )
    assert total == pytest.approx(parts.brier, abs=1e-12) and parts.brier == pytest.approx(
        np.mean((y - p) ** 2)
    )
    if binning == "distinct":
        assert parts.within_variance == pytest.approx(0, abs=1e-15)
        assert parts.within_covariance == pytest.approx(0, abs=1e-15)


@settings(deadline=None, max_examples=60)
@given(rows=probability_lists, seed=st.integers(0, 99))
def test_no_input_in_range_warns_or_fails_and_order_plays_no_part(rows, seed):
    y, p = (np.array(column) for column in zip(*rows, strict=True))
    found = calibration_metrics(y, p)
    order = np.random.default_rng(seed).permutation(y.size)
    again = calibration_metrics(y[order], p[order])
    for name in CALIBRATION_ESTIMATES:
        one, other = getattr(found, name), getattr(again, name)
        assert one.method == other.method
        # Logits of hundreds make rounding visible; that nothing fails holds there too.
        if np.all((p == 0) | (p == 1) | ((p > 1e-6) & (p < 1 - 1e-6))):
            assert one.value == pytest.approx(other.value, rel=1e-5, abs=1e-7, nan_ok=True)
        if math.isnan(one.value):
            assert "undefined" in one.method and any(name in note for note in found.notes)
    assert 0 <= found.brier.ci_low or math.isnan(found.brier.ci_low)


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 10**6), n=st.integers(20, 80))
def test_label_flip_mirrors_what_has_a_direction_and_keeps_the_rest(seed, n):
    rng = np.random.default_rng(seed)
    y, p = simulated(n, rng)
    one, other = calibration_metrics(y, p), calibration_metrics(~y, 1 - p)
    for name in ("brier", "brier_scaled", "slope", "ici", "emax"):
        assert getattr(one, name).value == pytest.approx(
            getattr(other, name).value, rel=1e-6, abs=1e-9, nan_ok=True
        )
    for name in ("in_the_large", "intercept", "intercept_beside_slope"):
        assert getattr(one, name).value == pytest.approx(
            -getattr(other, name).value, rel=1e-6, abs=1e-9, nan_ok=True
        )
    assert one.spiegelhalter_z == pytest.approx(other.spiegelhalter_z, rel=1e-7, abs=1e-9)


def test_a_logistic_change_of_the_predictions_is_found_exactly():
    rng = np.random.default_rng(4)
    y, p = simulated(500, rng)
    base = logistic_recalibration(y, p)
    moved = 1 / (1 + np.exp(-(0.7 + 2.0 * np.log(p / (1 - p)))))
    found = logistic_recalibration(y, moved)
    assert found.slope.value == pytest.approx(base.slope.value / 2, rel=1e-10)
    assert found.intercept_beside_slope.value == pytest.approx(
        base.intercept_beside_slope.value - 0.7 * base.slope.value / 2, rel=1e-9
    )


def test_recalibrated_predictions_have_intercept_zero_and_slope_one():
    y, p = simulated(300, np.random.default_rng(5), intercept=-0.6, slope=0.5, spread=1.5)
    after = logistic_recalibration(y, recalibrate(y, p).apply(p))
    assert after.slope.value == pytest.approx(1, abs=1e-9)
    assert after.intercept.value == pytest.approx(0, abs=1e-9) and after.p_value == pytest.approx(1, abs=1e-6)
    only = recalibrate(y, p, method="intercept")
    assert only.slope == 1.0 and only.apply(p).mean() == pytest.approx(y.mean(), rel=1e-10)
    assert only.brier_after <= only.brier_before


def test_predictions_of_zero_or_one_leave_the_slope_undefined_and_the_rest_stands():
    found = calibration_metrics([0, 0, 1, 1, 0], [0.0, 0.2, 0.7, 1.0, 0.4])
    assert math.isnan(found.slope.value) and math.isnan(found.intercept.value)
    assert found.slope.method == "undefined: 2 predictions of exactly 0 or 1, whose logit is infinite"
    assert found.brier.value == pytest.approx((0.04 + 0.09 + 0.16) / 5)
    assert math.isfinite(found.ici.value) and math.isfinite(found.spiegelhalter_z)
    assert found.notes == (
        "intercept, slope, intercept_beside_slope undefined: 2 predictions of exactly 0 or 1, whose logit is infinite",
    )


@pytest.mark.parametrize(
    ("y", "p", "reason"),
    [
        ([0, 0, 1, 1], [0.1, 0.2, 0.6, 0.9], "the predictions separate the classes, the slope grows"),
        ([0, 0, 1, 1], [0.1, 0.5, 0.5, 0.9], "the predictions separate the classes, the slope grows"),
        ([1, 1, 0, 0], [0.1, 0.2, 0.6, 0.9], "wrong way round"),
        ([1, 0, 1, 0], [0.3, 0.3, 0.3, 0.3], "all predictions are equal"),
    ],
)
def test_no_slope_where_no_finite_maximum_exists(y, p, reason):
    found = logistic_recalibration(y, p)
    assert math.isnan(found.slope.value) and reason in found.slope.method
    assert math.isfinite(found.intercept.value) and found.intercept.ci_low < found.intercept.ci_high


def test_nearly_separated_and_extreme_predictions_still_have_a_slope():
    y = [0] * 50 + [1] * 50
    p = np.concatenate(
        [np.linspace(1e-12, 1e-3, 49), [0.9999], [0.9998], np.linspace(0.99999, 1 - 1e-12, 49)]
    )
    found = logistic_recalibration(y, p)
    assert 0 < found.slope.value < 10 and found.slope.ci_low < found.slope.ci_high


def test_one_class_keeps_what_needs_no_other():
    found = calibration_metrics([0, 0, 0], [0.1, 0.2, 0.3])
    assert found.brier.value == pytest.approx(0.14 / 3) and math.isnan(found.brier_scaled.value)
    assert "one class only" in found.slope.method and found.observed_expected.value == 0.0
    assert "no positive is observed" in found.observed_expected.method
    assert math.isnan(calibration_metrics([0, 0], [0.0, 0.0]).observed_expected.value)


def test_one_patient_has_values_and_no_interval():
    found = calibration_metrics([1], [0.7])
    assert found.brier.value == pytest.approx(0.09) and math.isnan(found.brier.ci_low)
    assert "one patient only" in found.brier.method


def test_scores_that_are_no_probabilities_are_refused():
    for function in (calibration_metrics, calibration_curve, brier_score, spiegelhalter_test, recalibrate):
        with pytest.raises(BiomarkError, match=r"y_prob must lie in \[0, 1\], found 1.2 at position 1"):
            function([0, 1], [0.5, 1.2])
        with pytest.raises(BiomarkError, match="at least one patient"):
            function([], [])
    with pytest.raises(BiomarkError, match="binning must be one of equal-mass"):
        binned_calibration([0, 1], [0.1, 0.2], binning="quantile")


def test_spiegelhalter_needs_a_prediction_that_says_something():
    found = spiegelhalter_test([0, 1, 1], [0.5, 1.0, 0.5])
    assert math.isnan(found.statistic) and "no prediction other than 0, 0.5 and 1" in found.method


def test_recalibration_that_does_not_exist_is_refused_and_platt_and_isotonic_stay_finite():
    y, p = [0, 0, 1, 1], [0.1, 0.2, 0.6, 0.9]
    with pytest.raises(BiomarkError, match="no logistic recalibration exists: the predictions separate"):
        recalibrate(y, p)
    with pytest.raises(BiomarkError, match="1 prediction of exactly 0 or 1"):
        recalibrate(y, [0.0, 0.2, 0.6, 0.9], method="platt")
    assert math.isfinite(recalibrate(y, p, method="platt").slope)
    isotonic = recalibrate(y, [0.0, 0.2, 0.6, 1.0], method="isotonic")
    assert isotonic.apply([0.0, 0.1, 0.4, 0.6, 1.0]).tolist() == [0, 0, 0.5, 1, 1]
    assert isotonic.brier_after == 0.0 < isotonic.brier_before


def test_bins_never_part_ties_and_hold_everybody():
    rng = np.random.default_rng(6)
    p = rng.integers(0, 7, 100) / 6
    y = rng.integers(0, 2, 100)
    for binning in ("equal-mass", "equal-width", "distinct"):
        table = binned_calibration(y, p, binning=binning, n_bins=5)
        assert table.n.sum() == 100 and table.n_pos.sum() == y.sum()
        assert np.all(table.low[1:] > table.high[:-1])
        gaps = np.abs(table.observed - table.predicted)
        assert table.ece == pytest.approx(np.sum(table.n * gaps) / 100) and table.mce == gaps.max()
    even = binned_calibration(np.arange(103) % 2, np.arange(103) / 103, n_bins=10)
    assert set(even.n) <= {10, 11}
    edges = binned_calibration([0, 1, 0, 1], [0.0, 0.5, 0.49, 1.0], n_bins=2, binning="equal-width")
    assert edges.n.tolist() == [2, 2] and edges.to_frame().shape == (2, 8)


def test_ece_of_equal_width_bins_is_the_weighted_gap():
    y, p = [0, 1, 1, 1], [0.1, 0.3, 0.6, 0.9]
    assert calibration_metrics(y, p, n_bins=2).ece.value == pytest.approx(0.5 * 0.3 + 0.5 * 0.25)


def test_curve_stays_within_bounds_and_has_a_width_everywhere():
    y, p = simulated(88, np.random.default_rng(7))
    curve = calibration_curve(y, p)
    assert curve.predicted[0] == p.min() and curve.predicted[-1] == p.max()
    assert np.all((curve.ci_low >= 0) & (curve.ci_low <= curve.observed))
    assert np.all((curve.observed <= curve.ci_high) & (curve.ci_high <= 1)) and np.all(
        curve.ci_low < curve.ci_high
    )
    wider = calibration_curve(y, p, confidence=0.99)
    assert np.all(wider.ci_high - wider.ci_low > curve.ci_high - curve.ci_low - 1e-12)
    single = calibration_curve([0, 1, 1, 1], [0.6] * 4)
    assert single.predicted.tolist() == [0.6] and single.observed[0] == pytest.approx(0.75)
    assert curve.to_frame().shape == (101, 5)


def test_clusters_of_copies_give_the_interval_of_the_originals():
    y, p = simulated(60, np.random.default_rng(8))
    one = calibration_metrics(y, p)
    twice = calibration_metrics(np.repeat(y, 2), np.repeat(p, 2), cluster=np.repeat(np.arange(60), 2))
    for name in ("brier", "brier_scaled", "in_the_large"):
        assert bounds(getattr(twice, name)) == pytest.approx(bounds(getattr(one, name)), rel=1e-9)
    assert math.isnan(twice.spiegelhalter_p_value) and any("clustered" in note for note in twice.notes)


def test_bootstrap_intervals_hold_their_estimate_and_depend_on_the_seed_alone():
    y, p = simulated(88, np.random.default_rng(9), slope=0.4, spread=1.5)
    one = calibration_metrics(y, p, n_boot=100, rng=1)
    assert one.to_dict() == calibration_metrics(y, p, n_boot=100, rng=1).to_dict()
    plain = calibration_metrics(y, p, n_boot=100, interval="percentile", rng=1)
    for name in ("ici", "ece", "ece_adaptive"):
        estimate, percentile = getattr(one, name), getattr(plain, name)
        assert 0 < percentile.ci_low < percentile.value < percentile.ci_high < 0.5
        # The basic interval is the percentile one mirrored at the value, and never below 0.
        assert estimate.ci_high == pytest.approx(2 * estimate.value - percentile.ci_low)
        assert estimate.ci_low == pytest.approx(max(2 * estimate.value - percentile.ci_high, 0.0))
    with pytest.raises(BiomarkError, match="interval must be one of"):
        calibration_metrics(y, p, n_boot=100, interval="bca")
    assert "no interval: n_boot is 0" in calibration_metrics(y, p).ici.method
    assert one.to_frame()["metric"].tolist() == list(CALIBRATION_ESTIMATES)


def test_spiegelhalter_keeps_its_level_and_the_slope_interval_covers_in_simulation():
    rng = np.random.default_rng(10)
    rejected = covered = joint = 0
    for _ in range(1500):
        y, p = simulated(200, rng, spread=1.2)
        rejected += spiegelhalter_test(y, p).p_value < 0.05
        fit = logistic_recalibration(y, p)
        covered += fit.slope.ci_low <= 1.0 <= fit.slope.ci_high
        joint += fit.p_value < 0.05
    # Three standard errors of a share of 0.05 in 1,500 are 0.017.
    assert 0.033 < rejected / 1500 < 0.067
    assert 0.933 < covered / 1500 < 0.967
    assert 0.033 < joint / 1500 < 0.067


def test_spiegelhalter_finds_predictions_that_are_too_extreme():
    rng = np.random.default_rng(11)
    found = [
        spiegelhalter_test(*simulated(200, rng, slope=0.4, spread=1.5)).p_value < 0.05 for _ in range(100)
    ]
    assert np.mean(found) > 0.9


def test_band_covers_the_true_risk_in_simulation():
    rng = np.random.default_rng(12)
    covered = []
    for _ in range(300):
        y, p = simulated(200, rng)
        curve = calibration_curve(y, p, points=11)
        covered.append((curve.ci_low <= curve.predicted) & (curve.predicted <= curve.ci_high))
    inside = np.mean(covered, axis=0)
    assert 0.92 < inside.mean() < 0.985 and inside.min() > 0.88


def test_public_names_are_exported():
    assert stats.calibration_metrics is calibration_metrics and stats.calibration_curve is calibration_curve


@pytest.mark.parametrize("scale", [5e-324, 1e-300, 1e-20])
def test_intercept_and_slope_of_predictions_near_nothing_are_found_without_a_warning(scale):
    from scipy.optimize import brentq
    from scipy.special import expit, logit

    rng = np.random.default_rng(0)
    y = np.arange(20) % 2
    p = ((rng.normal(size=20) + y).argsort().argsort() + 1) * scale
    found = logistic_recalibration(y, p)
    x = logit(p)
    root = brentq(lambda a: expit(x + a).sum() - y.sum(), -x.max() - 50, -x.min() + 50, xtol=1e-13)
    assert found.intercept.value == pytest.approx(root, rel=1e-12)
    # Away from 1 the logit is the logarithm, so that a factor moves the intercept alone.
    other = logistic_recalibration(y, p / scale * 1e-30)
    assert found.slope.value == pytest.approx(other.slope.value, rel=1e-6)
