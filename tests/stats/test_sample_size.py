import itertools
import json
import math
from pathlib import Path

import numpy as np
import pytest
from biomark.errors import BiomarkError
from biomark.stats.planned_variance import VARIANCE_METHODS, binormal_auc_correlation, planned_auc_variance
from biomark.stats.proportion import PROPORTION_METHODS, proportion_ci
from biomark.stats.sample_size import auc_power, auc_power_curve, auc_sample_size
from biomark.stats.sample_size_paired import (
    paired_auc_power,
    paired_auc_power_curve,
    paired_auc_sample_size,
)
from biomark.stats.sample_size_proportion import proportion_sample_size
from biomark.stats.sample_size_unpaired import (
    unpaired_auc_power,
    unpaired_auc_power_curve,
    unpaired_auc_sample_size,
)
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import norm, rankdata

ORACLE = json.loads((Path(__file__).parents[1] / "oracles" / "sample_size.json").read_text(encoding="utf-8"))
Z = norm.ppf(0.975)
areas = st.floats(0.05, 0.95)


def test_sizes_match_proc():
    for row in ORACLE["sizes"]:
        size = auc_sample_size(
            row["auc"],
            ratio=row["ratio"],
            power=row["power"],
            alternative=row["alternative"].replace(".", "-"),
            method="obuchowski-proc",
        )
        assert (size.n_pos_exact, size.n_neg_exact) == pytest.approx((row["n_pos"], row["n_neg"]), rel=1e-10)


def test_powers_match_proc():
    for row in ORACLE["powers"]:
        power = auc_power(row["auc"], row["n_pos"], row["n_neg"], method="obuchowski-proc")
        assert power == pytest.approx(row["power"], rel=1e-10)


def test_obuchowski_sizes_follow_equation_three():
    for auc, ratio in itertools.product([0.6, 0.735, 0.9], [0.3, 1.0, 2.0]):
        a = math.sqrt(2) * norm.ppf(auc)
        null = 0.0792 * (1 + 1 / ratio)
        alternative = 0.0099 * math.exp(-(a**2) / 2) * ((5 * a**2 + 8) + (a**2 + 8) / ratio)
        slow = ((Z * math.sqrt(null) + norm.ppf(0.8) * math.sqrt(alternative)) / (auc - 0.5)) ** 2
        assert auc_sample_size(auc, ratio=ratio).n_pos_exact == pytest.approx(slow, rel=1e-12)


@pytest.mark.parametrize(
    ("auc", "hanley_mcneil", "obuchowski"),
    [(0.6, 129.4, 123.7), (0.7, 31.3, 30.3), (0.8, 13.1, 12.7), (0.9, 6.63, 6.25), (0.95, 4.81, 4.28)],
)
def test_hanley_mcneil_asks_for_more_than_obuchowski(auc, hanley_mcneil, obuchowski):
    digits = 0.05 if auc < 0.85 else 0.005
    assert auc_sample_size(auc, method="hanley-mcneil").n_pos_exact == pytest.approx(
        hanley_mcneil, abs=digits
    )
    assert auc_sample_size(auc).n_pos_exact == pytest.approx(obuchowski, abs=digits)


def test_hanley_mcneil_variance_is_that_of_exponential_scores():
    # Positives exponential with the larger mean: AUC = m / (1 + m); counted pair by pair.
    rng = np.random.default_rng(2)
    auc, n_pos, n_neg = 0.8, 12, 20
    scores = rng.exponential(np.r_[np.full(n_pos, auc / (1 - auc)), np.ones(n_neg)], (40_000, n_pos + n_neg))
    found = (scores[:, :n_pos, None] > scores[:, None, n_pos:]).mean(axis=(1, 2))
    assert found.mean() == pytest.approx(auc, abs=0.002)
    planned = planned_auc_variance(auc, n_pos, n_neg, method="hanley-mcneil")
    assert found.var() == pytest.approx(planned, rel=0.03)


def test_large_sample_variance_is_the_limit_of_the_full_one():
    full, limit = (
        planned_auc_variance(0.8, 3e6, 2e6, method=method)
        for method in ("hanley-mcneil", "hanley-mcneil-large-sample")
    )
    assert full == pytest.approx(limit, rel=1e-5)
    assert auc_sample_size(0.51, method="hanley-mcneil").n_pos_exact == pytest.approx(
        auc_sample_size(0.51, method="hanley-mcneil-large-sample").n_pos_exact, rel=1e-3
    )


@pytest.mark.parametrize("method", VARIANCE_METHODS)
@given(auc=areas, null=areas, ratio=st.floats(0.1, 10), power=st.floats(0.6, 0.99), one_sided=st.booleans())
def test_power_of_the_size_is_the_power_asked_for(method, auc, null, ratio, power, one_sided):
    if abs(auc - null) < 0.01:
        return
    alternative = "one-sided" if one_sided else "two-sided"
    options = {"null_auc": null, "method": method, "alternative": alternative}
    size = auc_sample_size(auc, ratio=ratio, power=power, **options)
    total = size.n_pos_exact + size.n_neg_exact
    curve = auc_power_curve(auc, [total], ratio=ratio, **options)
    assert curve.power[0] == pytest.approx(power, rel=1e-9)
    assert size.n_neg_exact == pytest.approx(ratio * size.n_pos_exact)
    assert size.n_pos == max(1, math.ceil(size.n_pos_exact - 1e-9))
    assert size.n_neg == max(1, math.ceil(size.n_neg_exact - 1e-9))
    assert size.total == size.n_pos + size.n_neg
    assert size.achieved_power == auc_power(auc, size.n_pos, size.n_neg, **options) >= power - 1e-9


def test_rounding_by_ratio_gives_each_rounded_positive_its_negatives():
    size = auc_sample_size(0.697, ratio=0.76, rounding="ratio", method="hanley-mcneil-large-sample")
    assert (size.n_pos, size.n_neg) == (math.ceil(size.n_pos_exact), math.ceil(0.76 * size.n_pos))
    whole = auc_sample_size(0.697, ratio=0.76, method="hanley-mcneil-large-sample")
    assert size.n_pos == whole.n_pos and size.n_neg == whole.n_neg + 1


def test_obuchowski_size_does_not_depend_on_the_side_of_one_half():
    assert auc_sample_size(0.7).n_pos_exact == pytest.approx(auc_sample_size(0.3).n_pos_exact, rel=1e-10)


def test_hanley_mcneil_power_is_kept_by_exchange_of_the_classes():
    # The label flip: AUC becomes 1 - AUC and positives become negatives.
    direct = auc_power(0.7, 30, 50, null_auc=0.6, method="hanley-mcneil")
    flipped = auc_power(0.3, 50, 30, null_auc=0.4, method="hanley-mcneil")
    assert direct == pytest.approx(flipped, rel=1e-12)


def test_one_sided_needs_fewer_and_a_closer_null_needs_more():
    two_sided = auc_sample_size(0.8).n_pos_exact
    assert auc_sample_size(0.8, alternative="one-sided").n_pos_exact < two_sided
    assert auc_sample_size(0.8, null_auc=0.7).n_pos_exact > two_sided


def test_power_rises_with_size_in_a_curve():
    curve = auc_power_curve(0.7, np.arange(10, 200, 10), ratio=2.0)
    assert (np.diff(curve.power) > 0).all()
    np.testing.assert_allclose(curve.n_neg, 2 * curve.n_pos)
    np.testing.assert_allclose(curve.n_pos + curve.n_neg, curve.total)


def test_a_curve_of_two_groups_gives_the_power_of_its_sizes():
    curve = unpaired_auc_power_curve(0.85, 0.75, [180, 900], ratio=2.0, allocation=0.5)
    assert curve.n_pos.tolist() == [60.0, 300.0] and curve.n_neg.tolist() == [120.0, 600.0]
    assert curve.power[0] == pytest.approx(unpaired_auc_power(0.85, 0.75, 40, 80, 20, 40), rel=1e-12)
    assert curve.power[1] == pytest.approx(unpaired_auc_power(0.85, 0.75, 200, 400, 100, 200), rel=1e-12)
    # One group without the other's is a curve that turns round with its groups.
    turned = unpaired_auc_power_curve(0.75, 0.85, [180, 900], ratio=2.0, allocation=2.0)
    assert turned.power == pytest.approx(curve.power, rel=1e-12)
    with pytest.raises(BiomarkError, match="total"):
        unpaired_auc_power_curve(0.85, 0.75, [0])


def simulated_aucs(auc, n_pos, n_neg, replicates, rng, corr_pos=0.0, corr_neg=0.0):
    """AUCs of two models with normal scores, of shape (replicates, 2), by rank sums."""
    shift = math.sqrt(2) * norm.ppf(np.asarray(auc))
    pos = rng.multivariate_normal(shift, [[1, corr_pos], [corr_pos, 1]], (replicates, n_pos))
    neg = rng.multivariate_normal([0, 0], [[1, corr_neg], [corr_neg, 1]], (replicates, n_neg))
    ranks = rankdata(np.concatenate([pos, neg], axis=1), axis=1)[:, :n_pos].sum(axis=1)
    return (ranks - n_pos * (n_pos + 1) / 2) / (n_pos * n_neg)


def test_simulated_power_is_close_to_the_planned_one_and_not_below():
    rng = np.random.default_rng(4)
    auc, n_pos, n_neg = 0.7, 35, 35
    found = simulated_aucs((auc, 0.5), n_pos, n_neg, 4000, rng)
    null_se = math.sqrt((n_pos + n_neg + 1) / (12 * n_pos * n_neg))  # exact under H0 (Mann-Whitney)
    power = (np.abs(found[:, 0] - 0.5) > Z * null_se).mean()
    level = (np.abs(found[:, 1] - 0.5) > Z * null_se).mean()
    assert level == pytest.approx(0.05, abs=0.012)
    for method in VARIANCE_METHODS:
        assert power == pytest.approx(auc_power(auc, n_pos, n_neg, method=method), abs=0.03)


def test_binormal_correlation_is_that_of_simulated_aucs():
    rng = np.random.default_rng(6)
    found = simulated_aucs((0.8, 0.75), 60, 120, 3000, rng, corr_pos=0.6, corr_neg=0.4)
    planned = binormal_auc_correlation(0.8, 0.75, corr_pos=0.6, corr_neg=0.4, ratio=2.0)
    assert np.corrcoef(found.T)[0, 1] == pytest.approx(planned, abs=0.04)
    assert binormal_auc_correlation(0.8, 0.8, corr_pos=1.0, corr_neg=1.0) == pytest.approx(1.0, abs=1e-14)
    assert binormal_auc_correlation(0.8, 0.7, corr_pos=0.0, corr_neg=0.0) == 0.0


def test_paired_power_is_close_to_the_simulated_one():
    rng = np.random.default_rng(8)
    auc_a, auc_b, n = 0.8, 0.7, 90
    found = simulated_aucs((auc_a, auc_b), n, n, 3000, rng, corr_pos=0.5, corr_neg=0.5)
    null = simulated_aucs((0.75, 0.75), n, n, 3000, rng, corr_pos=0.5, corr_neg=0.5)
    reached = (np.abs(found[:, 0] - found[:, 1]) > Z * (null[:, 0] - null[:, 1]).std()).mean()
    correlation = binormal_auc_correlation(auc_a, auc_b, corr_pos=0.5, corr_neg=0.5)
    assert paired_auc_power(auc_a, auc_b, n, n, correlation=correlation) <= reached + 0.02
    planned = paired_auc_power(auc_a, auc_b, n, n, correlation=correlation, method="hanley-mcneil")
    assert planned == pytest.approx(reached, abs=0.08)


def test_paired_size_follows_its_definition():
    auc_a, auc_b, r, ratio = 0.85, 0.75, 0.4, 1.5

    def variance(x, y):
        var_x, var_y = (planned_auc_variance(auc, 1.0, ratio) for auc in (x, y))
        return var_x + var_y - 2 * r * math.sqrt(var_x * var_y)

    root = Z * math.sqrt(variance(0.8, 0.8)) + norm.ppf(0.9) * math.sqrt(variance(auc_a, auc_b))
    size = paired_auc_sample_size(auc_a, auc_b, correlation=r, ratio=ratio, power=0.9)
    assert size.n_pos_exact == pytest.approx((root / 0.1) ** 2, rel=1e-12)
    root = Z * math.sqrt(variance(0.825, 0.775)) + norm.ppf(0.9) * math.sqrt(variance(auc_a, auc_b))
    size = paired_auc_sample_size(auc_a, auc_b, correlation=r, ratio=ratio, power=0.9, null_difference=0.05)
    assert size.n_pos_exact == pytest.approx((root / 0.05) ** 2, rel=1e-12)


@given(auc_a=areas, auc_b=areas, r=st.floats(-0.5, 0.9), null=st.floats(-0.05, 0.05), ratio=st.floats(0.2, 5))
def test_paired_answer_is_the_same_whichever_auc_comes_first(auc_a, auc_b, r, null, ratio):
    if abs(auc_a - auc_b - null) < 0.01 or not 0.05 < (auc_a + auc_b) / 2 < 0.95:
        return
    options = {"correlation": r, "ratio": ratio}
    one = paired_auc_sample_size(auc_a, auc_b, null_difference=null, **options)
    other = paired_auc_sample_size(auc_b, auc_a, null_difference=-null, **options)
    assert one.n_pos_exact == pytest.approx(other.n_pos_exact, rel=1e-12)
    assert one.achieved_power >= 0.8 - 1e-9
    curve = paired_auc_power_curve(
        auc_a, auc_b, one.n_pos_exact * (1 + ratio), null_difference=null, **options
    )
    assert curve.power[0] == pytest.approx(0.8, rel=1e-9)


def test_a_null_variance_from_the_first_auc_alone_depends_on_the_order_and_ours_lies_between():
    paired = ORACLE["paired"]
    assert paired["obuchowski_s100b_first"] > 1.3 * paired["obuchowski_wfns_first"]  # pROC's own answers
    aucs, r, ratio = (paired["auc_wfns"], paired["auc_s100b"]), paired["correlation"], paired["ratio"]
    var = [planned_auc_variance(auc, 1.0, ratio) for auc in aucs]
    covariance = r * math.sqrt(var[0] * var[1])
    reach = norm.ppf(0.8) * math.sqrt(sum(var) - 2 * covariance)
    by_order = [((Z * math.sqrt(2 * v - 2 * covariance) + reach) / (aucs[0] - aucs[1])) ** 2 for v in var]
    ours = paired_auc_sample_size(*aucs, correlation=r, ratio=ratio).n_pos_exact
    assert by_order[1] > 1.2 * by_order[0]
    assert by_order[0] < ours < by_order[1]


def test_non_inferiority_allows_equal_aucs():
    size = paired_auc_sample_size(0.8, 0.8, null_difference=-0.05, alternative="one-sided", correlation=0.6)
    assert size.n_pos > 100
    power = paired_auc_power(
        0.8, 0.8, size.n_pos, size.n_neg, null_difference=-0.05, alternative="one-sided", correlation=0.6
    )
    assert power == size.achieved_power >= 0.8


def test_correlation_saves_patients_and_none_makes_pairing_like_two_groups():
    sizes = [paired_auc_sample_size(0.85, 0.75, correlation=r).n_pos_exact for r in (0.0, 0.3, 0.6)]
    assert sizes == sorted(sizes, reverse=True)
    unpaired = unpaired_auc_sample_size(0.85, 0.75)
    assert unpaired.n_pos_a_exact == unpaired.n_pos_b_exact == pytest.approx(sizes[0], rel=1e-12)


@given(auc_a=areas, auc_b=areas, ratio=st.floats(0.2, 5), allocation=st.floats(0.2, 5))
def test_unpaired_answer_is_the_same_whichever_group_comes_first(auc_a, auc_b, ratio, allocation):
    if abs(auc_a - auc_b) < 0.01:
        return
    one = unpaired_auc_sample_size(auc_a, auc_b, ratio=ratio, allocation=allocation)
    other = unpaired_auc_sample_size(auc_b, auc_a, ratio=ratio, allocation=1 / allocation)
    assert one.n_pos_a_exact == pytest.approx(other.n_pos_b_exact, rel=1e-9)
    assert one.n_neg_b_exact == pytest.approx(other.n_neg_a_exact, rel=1e-9)
    rounded = (one.n_pos_a, one.n_neg_a, one.n_pos_b, one.n_neg_b)
    assert one.total == sum(rounded)
    assert one.achieved_power == unpaired_auc_power(auc_a, auc_b, *rounded) >= 0.8 - 1e-9


@pytest.mark.parametrize(
    ("function", "arguments", "message"),
    [
        (auc_sample_size, {"auc": 0.5}, "auc must differ from null_auc, found 0.5 for both"),
        (auc_sample_size, {"auc": 0.0}, "auc must lie strictly between 0 and 1"),
        (auc_sample_size, {"auc": 1.0}, "auc must lie strictly between 0 and 1"),
        (auc_sample_size, {"auc": 0.8, "null_auc": 1.2}, "null_auc must lie strictly between 0 and 1"),
        (auc_sample_size, {"auc": 0.8, "ratio": 0}, "ratio must be a number above 0"),
        (auc_sample_size, {"auc": 0.8, "power": 80}, "power must lie strictly between 0 and 1"),
        (auc_sample_size, {"auc": 0.8, "power": 0.01}, "power 0.01 is reached by any sample"),
        (auc_sample_size, {"auc": 0.8, "alpha": 5}, "alpha must lie strictly between 0 and 1"),
        (
            auc_sample_size,
            {"auc": 0.8, "method": "delong"},
            "method must be one of obuchowski, hanley-mcneil",
        ),
        (auc_sample_size, {"auc": 0.8, "alternative": "greater"}, "alternative must be one of two-sided"),
        (auc_sample_size, {"auc": 0.8, "rounding": "nearest"}, "rounding must be one of each, ratio"),
        (auc_power, {"auc": 0.8, "n_pos": 0, "n_neg": 9}, "n_pos must be a whole number of at least 1"),
        (auc_power_curve, {"auc": 0.8, "total": [10, -1]}, "total must hold numbers of patients above 0"),
        (
            planned_auc_variance,
            {"auc": 0.8, "n_pos": 0, "n_neg": 9},
            "n_pos must be a number of patients above 0",
        ),
        (
            paired_auc_sample_size,
            {"auc_a": 0.8, "auc_b": 0.8},
            "must not be null_difference, found 0 for both",
        ),
        (
            paired_auc_sample_size,
            {"auc_a": 0.85, "auc_b": 0.75, "null_difference": 0.1},
            "must not be null_difference, found 0.1 for both",
        ),
        (
            paired_auc_sample_size,
            {"auc_a": 0.98, "auc_b": 0.97, "null_difference": -0.1},
            "puts the AUCs under the null at 0.925 and 1.025",
        ),
        (
            paired_auc_sample_size,
            {"auc_a": 0.8, "auc_b": 0.7, "correlation": 1.0},
            "correlation must lie strictly",
        ),
        (
            unpaired_auc_sample_size,
            {"auc_a": 0.8, "auc_b": 0.7, "allocation": -1},
            "allocation must be a number",
        ),
        (
            binormal_auc_correlation,
            {"auc_a": 0.8, "auc_b": 0.7, "corr_pos": 2, "corr_neg": 0},
            "corr_pos must lie",
        ),
        (
            binormal_auc_correlation,
            {"auc_a": 0.8, "auc_b": 0.7, "corr_pos": 0, "corr_neg": 0, "ratio": 0},
            "ratio must be a number of negatives per positive",
        ),
        (proportion_sample_size, {"proportion": 1.0, "half_width": 0.1}, "proportion must lie strictly"),
        (proportion_sample_size, {"proportion": 0.9, "half_width": 5}, "half_width must lie strictly"),
        (
            proportion_sample_size,
            {"proportion": 0.9, "half_width": 0.499, "interval": "jeffreys"},
            "half_width 0.499 is met without any patient",
        ),
        (
            proportion_sample_size,
            {"proportion": 0.9, "half_width": 0.1, "prevalence": 0},
            "prevalence must lie strictly",
        ),
    ],
)
def test_designs_that_cannot_be_are_refused_with_what_would_be_right(function, arguments, message):
    with pytest.raises(BiomarkError, match=message):
        function(**arguments)


def test_wald_precision_follows_buderer():
    size = proportion_sample_size(0.9, 0.05, prevalence=0.2, interval="wald")
    assert size.n_exact == pytest.approx(Z**2 * 0.09 / 0.05**2, rel=1e-10)
    assert size.total_exact == pytest.approx(size.n_exact / 0.2) and size.total == math.ceil(size.n / 0.2)
    negatives = proportion_sample_size(0.9, 0.05, prevalence=0.2, interval="wald", metric="specificity")
    assert negatives.n == size.n and negatives.total == math.ceil(size.n / 0.8)
    assert proportion_sample_size(0.9, 0.05).total is None


@pytest.mark.parametrize("interval", PROPORTION_METHODS)
def test_precision_is_met_at_the_size_and_missed_with_one_patient_fewer(interval):
    for k, n in [(90, 100), (35, 50), (388, 400)]:
        low, high = proportion_ci(k, n, method=interval, confidence=0.9)
        size = proportion_sample_size(k / n, (high - low) / 2, interval=interval, confidence=0.9)
        assert size.n_exact == pytest.approx(
            n, rel=1e-6
        )  # the size gives back the n that made the half-width
        assert size.achieved_half_width <= size.half_width * (1 + 1e-9)
        wider = proportion_sample_size(k / n, (high - low) / 2 * 1.001, interval=interval, confidence=0.9)
        assert wider.n <= n
