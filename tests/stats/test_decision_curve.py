import json
import math
from pathlib import Path

import numpy as np
import pytest
from biomark import stats
from biomark.errors import BiomarkError
from biomark.stats.decision_curve import net_benefit
from biomark.stats.decision_curve_difference import net_benefit_difference
from hypothesis import given, settings
from hypothesis import strategies as st

ORACLE = json.loads(
    (Path(__file__).parents[1] / "oracles" / "decision_curve.json").read_text(encoding="utf-8")
)
cases = pytest.mark.parametrize("case", ORACLE["cases"])
RIVALS = json.loads(
    (Path(__file__).parents[1] / "oracles" / "python_rivals.json").read_text(encoding="utf-8")
)
rivals = pytest.mark.parametrize("case", RIVALS["cases"])
Z = 1.959963984540054


def column(case, name):
    return np.array([row[name] for row in case["rows"]], dtype=float)


def simulated(n, rng, noise=0.0):
    """Simulated patients with calibrated risks, and a second model that adds noise."""
    x = rng.normal(-0.5, 1.0, n)
    y = rng.random(n) < 1 / (1 + np.exp(-x))
    return y, 1 / (1 + np.exp(-x)), 1 / (1 + np.exp(-x - rng.normal(0, noise, n)))


@cases
def test_curves_and_intervals_match_the_formulas_written_out_in_r(case):
    found = net_benefit(case["y"], case["a"], column(case, "threshold"))
    for mine, theirs, error in (
        ("net_benefit", "net_benefit", "se"),
        ("treat_all", "treat_all", "se_all"),
        ("standardized", "standardized", "se_standardized"),
        ("interventions_avoided", "avoided", "se_avoided"),
    ):
        value, half = column(case, theirs), Z * column(case, error)
        prefix = "" if mine == "net_benefit" else f"{mine}_"
        assert getattr(found, mine) == pytest.approx(value, rel=1e-10, abs=1e-13)
        assert getattr(found, f"{prefix}ci_low") == pytest.approx(value - half, rel=1e-10, abs=1e-12)
        assert getattr(found, f"{prefix}ci_high") == pytest.approx(value + half, rel=1e-10, abs=1e-12)


@cases
def test_net_benefit_at_another_prevalence_matches_r(case):
    found = net_benefit(case["y"], case["a"], column(case, "threshold"), prevalence=ORACLE["prevalence"])
    assert found.net_benefit == pytest.approx(column(case, "at_prevalence"), rel=1e-10, abs=1e-13)
    assert found.treat_all == pytest.approx(0.2 - found.weight * 0.8) and found.prevalence == 0.2
    assert found.treat_all_ci_low == pytest.approx(found.treat_all)


@rivals
@pytest.mark.parametrize("prevalence", [None, 0.1])
def test_net_benefit_matches_dcurves(case, prevalence):
    found = net_benefit(case["y"], case["p"], RIVALS["thresholds"], prevalence=prevalence)
    theirs = case["curve" if prevalence is None else "curve_at_prevalence_0.1"]
    assert found.net_benefit == pytest.approx(theirs["net_benefit"], rel=1e-10, abs=1e-13)
    assert found.treat_all == pytest.approx(theirs["treat_all"], rel=1e-10, abs=1e-13)
    avoided = np.array(theirs["net_intervention_avoided"], dtype=float)
    assert found.interventions_avoided == pytest.approx(avoided, rel=1e-10, abs=1e-12)


@cases
def test_difference_of_two_models_matches_r(case):
    found = net_benefit_difference(case["y"], case["a"], case["b"], column(case, "threshold"))
    value, half = column(case, "difference"), Z * column(case, "se_difference")
    assert found.difference == pytest.approx(value, rel=1e-10, abs=1e-13)
    assert found.ci_low == pytest.approx(value - half, rel=1e-10, abs=1e-12)
    assert found.ci_high == pytest.approx(value + half, rel=1e-10, abs=1e-12)
    told = ~np.isnan(column(case, "p"))
    assert found.p_value[told] == pytest.approx(column(case, "p")[told], rel=1e-9)


def test_a_prediction_equal_to_the_threshold_counts_as_positive():
    found = net_benefit([1, 0, 0, 1], [0.3, 0.3, 0.2, 0.6], [0.3])
    assert found.sensitivity[0] == 1.0 and found.specificity[0] == 0.5
    assert found.net_benefit[0] == pytest.approx(2 / 4 - 1 / 4 * 0.3 / 0.7)


def test_thresholds_keep_their_order_and_repeats():
    y, p, _ = simulated(60, np.random.default_rng(1))
    mixed = net_benefit(y, p, [0.5, 0.1, 0.5, 0.0])
    for k, at in enumerate([0.5, 0.1, 0.5, 0.0]):
        alone = net_benefit(y, p, at)
        assert mixed.net_benefit[k] == alone.net_benefit[0]
        assert mixed.ci_low[k] == pytest.approx(alone.ci_low[0])


def test_at_threshold_zero_everybody_is_treated_and_benefit_is_the_prevalence():
    y, p, _ = simulated(60, np.random.default_rng(2))
    found = net_benefit(y, p, [0.0])
    assert found.net_benefit[0] == found.treat_all[0] == pytest.approx(y.mean())
    assert found.standardized[0] == pytest.approx(1.0) and math.isnan(found.interventions_avoided[0])


@settings(deadline=None, max_examples=60)
@given(
    rows=st.lists(st.tuples(st.integers(0, 1), st.floats(0, 1), st.floats(0, 1)), min_size=1, max_size=30),
    thresholds=st.lists(st.one_of(st.just(0.0), st.floats(1e-6, 0.99)), min_size=1, max_size=6),
    interval=st.sampled_from(["analytic", "bootstrap"]),
    prevalence=st.sampled_from([None, 0.3]),
)
def test_no_input_in_range_warns_and_benefit_never_passes_the_prevalence(
    rows, thresholds, interval, prevalence
):
    y, a, b = (np.array(part) for part in zip(*rows, strict=True))
    options = {"interval": interval, "prevalence": prevalence, "n_boot": 20, "rng": 0}
    found = net_benefit(y, a, thresholds, **options)
    if prevalence is None:
        assert np.all(found.net_benefit <= y.mean() + 1e-12)
        by_hand = [np.mean((a >= t) * (y - (1 - y) * t / (1 - t))) for t in thresholds]
        assert found.net_benefit == pytest.approx(by_hand, abs=1e-12)
    one = net_benefit_difference(y, a, b, thresholds, **options)
    other = net_benefit_difference(y, b, a, thresholds, **options)
    assert one.difference == pytest.approx(-other.difference, nan_ok=True)
    assert one.p_value == pytest.approx(other.p_value, nan_ok=True)


@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10**6))
def test_order_of_patients_and_clusters_of_one_play_no_part(seed):
    rng = np.random.default_rng(seed)
    y, p, _ = simulated(40, rng)
    order = rng.permutation(40)
    one, other = net_benefit(y, p), net_benefit(y[order], p[order], cluster=np.arange(40))
    for name in ("net_benefit", "ci_low", "ci_high", "standardized_ci_low", "interventions_avoided_ci_high"):
        assert getattr(one, name) == pytest.approx(getattr(other, name), abs=1e-12, nan_ok=True)


def test_clusters_of_copies_give_the_interval_of_the_originals():
    y, p, _ = simulated(50, np.random.default_rng(3))
    one = net_benefit(y, p)
    for interval in ("analytic", "bootstrap"):
        options = {"interval": interval, "rng": 5, "n_boot": 400}
        twice = net_benefit(np.repeat(y, 2), np.repeat(p, 2), cluster=np.repeat(np.arange(50), 2), **options)
        assert twice.net_benefit == pytest.approx(one.net_benefit)
        width = (twice.ci_high - twice.ci_low)[10:50] / (one.ci_high - one.ci_low)[10:50]
        assert width == pytest.approx(np.ones(40), rel=1e-9 if interval == "analytic" else 0.35)


def test_identical_models_differ_by_nothing_with_p_one():
    y, p, _ = simulated(50, np.random.default_rng(4))
    found = net_benefit_difference(y, p, p)
    assert np.all(found.difference == 0) and np.all(found.p_value == 1)
    assert np.all(found.ci_low == 0) and np.all(found.ci_high == 0)


def test_bootstrap_agrees_with_the_analytic_interval_and_with_drawing_patients_one_by_one():
    y, p, q = simulated(388, np.random.default_rng(5), noise=1.0)
    at = [0.2, 0.4, 0.6]
    analytic = net_benefit(y, p, at)
    drawn = net_benefit(y, p, at, interval="bootstrap", n_boot=4000, rng=1)
    assert drawn.net_benefit == pytest.approx(analytic.net_benefit)
    scale = analytic.ci_high - analytic.ci_low
    assert np.all(np.abs(drawn.ci_low - analytic.ci_low) < 0.06 * scale)
    rng = np.random.default_rng(6)
    slow = []
    for _ in range(2000):
        rows = rng.integers(0, 388, 388)
        slow.append(net_benefit_difference(y[rows], p[rows], q[rows], at).difference)
    low, high = np.quantile(slow, [0.025, 0.975], axis=0)
    fast = net_benefit_difference(y, p, q, at, interval="bootstrap", n_boot=4000, rng=2)
    assert np.all(np.abs(fast.ci_low - low) < 0.1 * (high - low))
    assert np.all(np.abs(fast.ci_high - high) < 0.1 * (high - low))


def test_seed_alone_decides_the_bootstrap():
    y, p, _ = simulated(50, np.random.default_rng(7))
    one, other, third = (net_benefit(y, p, interval="bootstrap", n_boot=50, rng=seed) for seed in (1, 1, 2))
    assert one.to_dict() == other.to_dict() != third.to_dict()


def test_one_class_leaves_the_share_of_the_most_undefined():
    found = net_benefit([0, 0, 0], [0.1, 0.6, 0.3], [0.2])
    assert found.net_benefit[0] == pytest.approx(-2 / 3 * 0.25) and math.isnan(found.standardized[0])
    assert math.isnan(found.sensitivity[0]) and found.specificity[0] == pytest.approx(1 / 3)


def test_frame_has_a_row_per_threshold_and_treating_none_is_zero():
    y, p, q = simulated(50, np.random.default_rng(8), noise=1)
    frame = net_benefit(y, p).to_frame()
    assert frame.shape[0] == 99 and (frame["treat_none"] == 0).all()
    assert net_benefit_difference(y, p, q).to_frame().columns[0] == "thresholds"


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (([0, 1], [0.1, 1.3]), {}, r"y_prob must lie in \[0, 1\], found 1.3"),
        (([0, 1], [0.1, 0.3], [1.0]), {}, r"thresholds must be probabilities in \[0, 1\).*found 1"),
        (([0, 1], [0.1, 0.3], [math.nan]), {}, "thresholds must be probabilities"),
        (([0, 1], [0.1, 0.3], []), {}, "at least one value"),
        (([], []), {}, "at least one patient"),
        (([0, 1], [0.1, 0.3]), {"interval": "wald"}, "interval must be one of analytic, bootstrap"),
        (([0, 1], [0.1, 0.3]), {"prevalence": 1.0}, "prevalence must lie strictly"),
    ],
)
def test_what_cannot_be_used_is_refused(arguments, options, message):
    with pytest.raises(BiomarkError, match=message):
        net_benefit(*arguments, **options)


def test_interval_covers_the_true_net_benefit_in_simulation():
    rng = np.random.default_rng(9)
    _, risk, _ = simulated(400_000, rng)
    truth = [np.mean((risk >= t) * (risk - (1 - risk) * t / (1 - t))) for t in (0.2, 0.5)]
    covered = []
    for _ in range(1500):
        y, p, _ = simulated(200, rng)
        found = net_benefit(y, p, [0.2, 0.5])
        covered.append((found.ci_low <= truth) & (truth <= found.ci_high))
    # Three standard errors of a share of 0.95 in 1,500 are 0.017.
    assert np.all(np.abs(np.mean(covered, axis=0) - 0.95) < 0.02)


def test_public_names_are_exported():
    assert stats.net_benefit is net_benefit and stats.net_benefit_difference is net_benefit_difference
