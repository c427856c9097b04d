import json
import math
from pathlib import Path

import numpy as np
import pytest
from biomark.errors import BiomarkError
from biomark.stats.paired_proportions import paired_accuracy_test, paired_proportion_test
from biomark.stats.proportion import proportion_ci
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq, minimize_scalar
from scipy.stats import norm
from statsmodels.stats.contingency_tables import mcnemar

ORACLE = json.loads(
    (Path(__file__).parents[1] / "oracles" / "operating_point.json").read_text(encoding="utf-8")
)
counts = st.integers(0, 60)


@pytest.mark.parametrize(
    ("method", "column"),
    [
        ("exact", "exact"),
        ("mid-p", "mid_p"),
        ("asymptotic", "asymptotic"),
        ("asymptotic-corrected", "corrected"),
    ],
)
def test_p_values_match_r(method, column):
    for row in ORACLE["mcnemar"]:
        found = paired_proportion_test(10, row["b"], row["c"], 10, method=method)
        assert found.p_value == pytest.approx(row[column], rel=1e-9)


def test_p_values_and_statistics_match_statsmodels():
    table = [[20, 9], [3, 5]]
    assert paired_proportion_test(20, 9, 3, 5).p_value == pytest.approx(mcnemar(table, exact=True).pvalue)
    for method, correction in (("asymptotic", False), ("asymptotic-corrected", True)):
        theirs = mcnemar(table, exact=False, correction=correction)
        ours = paired_proportion_test(20, 9, 3, 5, method=method)
        assert (ours.statistic, ours.p_value) == pytest.approx((theirs.statistic, theirs.pvalue), rel=1e-12)


def test_intervals_match_a_published_table():
    # Airway hyper-responsiveness before and after transplantation; Fagerland, Lydersen and Laake, Stat Med 2014.
    tango = paired_proportion_test(1, 1, 7, 12)
    newcombe = paired_proportion_test(1, 1, 7, 12, interval="newcombe")
    assert (tango.ci_low, tango.ci_high) == pytest.approx((-0.517, -0.026), abs=5e-4)
    assert (newcombe.ci_low, newcombe.ci_high) == pytest.approx((-0.507, -0.026), abs=5e-4)


def slow_score(b, c, n, difference):
    """The score statistic of a difference, its variance from the likelihood maximised by brute force."""

    def loss(p_c):
        p_b = p_c + difference
        terms = ((b, p_b), (c, p_c), (n - b - c, 1 - p_b - p_c))
        return -sum(k * math.log(p) for k, p in terms if k)

    least, most = max(0.0, -difference), (1 - difference) / 2
    edge = 1e-12
    p_c = minimize_scalar(
        loss, bounds=(least + edge, most - edge), method="bounded", options={"xatol": 1e-13}
    ).x
    return (b - c - n * difference) / math.sqrt(n * (2 * p_c + difference * (1 - difference)))


@pytest.mark.parametrize(("b", "c", "n"), [(5, 2, 40), (1, 7, 21), (9, 3, 15), (4, 4, 30)])
def test_tango_inverts_the_restricted_likelihood_score_test(b, c, n):
    found = paired_proportion_test(n - b - c, b, c, 0)
    z, estimate = norm.ppf(0.975), (b - c) / n
    low = brentq(lambda d: slow_score(b, c, n, d) - z, estimate - 0.6, estimate - 1e-3)
    high = brentq(lambda d: slow_score(b, c, n, d) + z, estimate + 1e-3, min(estimate + 0.5, 0.99))
    assert (found.ci_low, found.ci_high) == pytest.approx((low, high), abs=1e-6)


@pytest.mark.parametrize("n", [3, 20, 500])
def test_tango_without_disagreement_is_the_closed_form(n):
    found = paired_proportion_test(n, 0, 0, 0)
    bound = norm.ppf(0.975) ** 2 / (n + norm.ppf(0.975) ** 2)
    assert (found.ci_low, found.ci_high) == pytest.approx((-bound, bound), rel=1e-9)


def test_newcombe_without_correlation_is_square_and_add_of_wilson():
    found = paired_proportion_test(0, 12, 0, 8, interval="newcombe")  # a margin of 0: phi is 0
    (low_a, low_b), (high_a, high_b) = proportion_ci([12, 0], 20)
    expected = (0.6 - math.hypot(0.6 - low_a, high_b), 0.6 + math.hypot(high_a - 0.6, 0.0 - low_b))
    assert (found.ci_low, found.ci_high) == pytest.approx(expected, rel=1e-12)


@given(both=counts, only_a=counts, only_b=counts, neither=counts)
def test_tango_leaves_out_zero_just_when_the_asymptotic_test_rejects(both, only_a, only_b, neither):
    found = paired_proportion_test(both, only_a, only_b, neither, method="asymptotic")
    if found.n:
        assert (found.p_value < 0.05) == (found.ci_low > 1e-12 or found.ci_high < -1e-12)


@pytest.mark.parametrize("interval", ["tango", "newcombe"])
@given(both=counts, only_a=counts, only_b=counts, neither=counts)
def test_exchange_of_the_models_mirrors_the_interval(interval, both, only_a, only_b, neither):
    one = paired_proportion_test(both, only_a, only_b, neither, interval=interval)
    other = paired_proportion_test(both, only_b, only_a, neither, interval=interval)
    if one.n == 0:
        assert math.isnan(one.p_value) and math.isnan(one.ci_low) and math.isnan(one.difference)
        return
    assert one.p_value == other.p_value
    assert (one.ci_low, one.ci_high) == pytest.approx((-other.ci_high, -other.ci_low), abs=1e-9)
    assert -1.0 <= one.ci_low <= one.difference <= one.ci_high <= 1.0
    assert one.ci_low < one.ci_high


@pytest.mark.parametrize("method", ["exact", "mid-p", "asymptotic", "asymptotic-corrected"])
def test_identical_calls_give_p_one_and_an_interval_around_zero(method):
    calls = [1, 0, 1, 1]
    found = paired_accuracy_test([1, 1, 1, 0], calls, calls, method=method)
    assert found.p_value == 1.0 and found.difference == 0.0
    assert found.ci_low < -0.1 and found.ci_high > 0.1


def test_models_that_always_disagree_reach_the_end_of_the_scale():
    found = paired_proportion_test(0, 9, 0, 0)
    assert found.difference == found.ci_high == 1.0 and 0.3 < found.ci_low < 1.0
    assert found.p_value == pytest.approx(2 * 0.5**9)


def test_mid_p_lies_below_the_exact_p():
    for b, c in [(1, 7), (3, 12), (0, 4)]:
        exact, mid = (paired_proportion_test(0, b, c, 0, method=m).p_value for m in ("exact", "mid-p"))
        assert mid < exact


def test_each_metric_is_judged_on_its_own_patients():
    rng = np.random.default_rng(5)
    y_true, call_a, call_b = rng.integers(0, 2, (3, 60))
    for metric, judged in {
        "sensitivity": y_true == 1,
        "specificity": y_true == 0,
        "accuracy": np.full(60, True),
    }.items():
        found = paired_accuracy_test(y_true, call_a, call_b, metric=metric)
        right_a, right_b = (call_a == y_true)[judged], (call_b == y_true)[judged]
        assert found.metric == metric and found.n == judged.sum()
        assert found.value_a == pytest.approx(right_a.mean()) and found.value_b == pytest.approx(
            right_b.mean()
        )
        assert found.only_a == (right_a & ~right_b).sum() and found.both == (right_a & right_b).sum()


def test_no_negative_leaves_the_specificities_undefined():
    found = paired_accuracy_test([1, 1], [1, 0], [1, 1], metric="specificity")
    assert found.n == 0 and math.isnan(found.p_value) and found.to_dict()["ci_low"] is None


def test_asymptotic_test_keeps_its_level_in_simulation():
    rng = np.random.default_rng(11)
    draws = rng.multinomial(60, [0.5, 0.15, 0.15, 0.2], size=1500)
    rejected = dict.fromkeys(("exact", "mid-p", "asymptotic"), 0)
    covered = 0
    for draw in draws:
        for method in rejected:
            result = paired_proportion_test(*draw, method=method)
            rejected[method] += result.p_value < 0.05
        covered += result.ci_low <= 0.0 <= result.ci_high
    assert rejected["exact"] < rejected["mid-p"] <= 0.065 * len(draws)
    assert 0.03 * len(draws) < rejected["asymptotic"] < 0.065 * len(draws)
    assert covered == len(draws) - rejected["asymptotic"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1, 0], [1], [1, 0]), r"positive_a must have shape \(2,\) like y_true"),
        (([1, 0], [1, 0], [0.4, 0]), "positive_b must hold 0 and 1 only"),
    ],
)
def test_calls_of_another_shape_or_kind_are_refused(arguments, message):
    with pytest.raises(BiomarkError, match=message):
        paired_accuracy_test(*arguments)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"method": "chi-square"}, "method must be one of exact, mid-p"),
        ({"interval": "wald"}, "interval must be one of tango, newcombe"),
        ({"metric": "ppv"}, "metric must be one of sensitivity, specificity, accuracy"),
        ({"confidence": 2}, "confidence must lie strictly between 0 and 1"),
    ],
)
def test_unknown_options_are_refused(options, message):
    with pytest.raises(BiomarkError, match=message):
        paired_accuracy_test([1, 0], [1, 0], [0, 0], **options)
    with pytest.raises(BiomarkError, match="only_a must be a whole number"):
        paired_proportion_test(1, -1, 0, 0)
