"""What must hold for every data set: the mathematics of the statistics, stated once and tried on generated data.

The examples are the same in every run; BIOMARK_EXPLORE=1000 in the environment draws a thousand others each time.
"""

import os
import resource

import numpy as np
import pytest
from biomark.stats import (
    auc,
    auc_ci,
    average_precision,
    benjamini_hochberg,
    bonferroni,
    bootstrap_test,
    clustered_auc_test,
    delong_contrast_test,
    delong_covariance,
    delong_test,
    delong_test_unpaired,
    hanley_mcneil_variance,
    holm,
    multilabel_metrics,
    obuchowski_covariance,
    operating_point,
    optimal_cutoff,
    paired_auc_sample_size,
    partial_auc,
    permutation_test,
    proportion_ci,
    roc_curve,
    venkatraman_test,
)
from biomark.stats.placement import placement_values
from biomark.stats.proportion import PROPORTION_METHODS
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from scipy.stats import norm

CLOSED_FORMS = ("delong", "delong-logit", "hanley-mcneil", "newcombe")
BOOTSTRAPS = ("bootstrap-percentile", "bootstrap-bca")
EXAMPLES = int(os.environ.get("BIOMARK_EXPLORE", "60"))
properties = settings(
    deadline=None,
    max_examples=EXAMPLES,
    derandomize="BIOMARK_EXPLORE" not in os.environ,
    database=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
# Few distinct values make ties; all finite doubles include 1e308, -1e308, denormals and both zeros.
few = st.integers(-3, 3).map(float)
extreme = st.sampled_from([1.7e308, -1.7e308, 1e308, 5e-324, -5e-324, 0.0, -0.0, 1.0, 1.0 + 2**-52, 1e-300])
wide = st.floats(allow_nan=False, allow_infinity=False)
scores = st.one_of(few, st.one_of(wide, extreme), st.floats(-5, 5))


@st.composite
def studies(draw, models=1, least=1, most=30):
    """Labels of shape (n,) with ``least`` or more of either class, in any order, and scores of shape (models, n)."""
    n_pos, n_neg = draw(st.integers(least, most)), draw(st.integers(least, most))
    y = np.array(draw(st.permutations([1] * n_pos + [0] * n_neg)))
    kind = draw(st.sampled_from([few, st.one_of(wide, extreme), st.floats(-5, 5)]))
    rows = [draw(st.lists(kind, min_size=y.size, max_size=y.size)) for _ in range(models)]
    return y, np.array(rows)


def stretched(score, seed):
    """A strictly increasing transform of the scores, as irregular as can be."""
    steps = np.exp(np.random.default_rng(seed).normal(0.0, 5.0, score.size))
    return (np.cumsum(steps) - 0.5 * steps.sum())[np.unique(score, return_inverse=True)[1]]


def area_trapezoids(curve):
    return float(np.sum(np.diff(curve.fpr) * (curve.tpr[1:] + curve.tpr[:-1])) / 2.0)


# --- strictly increasing transforms


@properties
@given(studies(models=2, least=2), st.integers(0, 99))
def test_only_the_order_of_scores_matters(study, seed):
    y, (a, b) = study
    a2, b2 = stretched(a, seed), stretched(b, seed + 1)
    assert auc(y, a2) == auc(y, a)
    assert average_precision(y, a2) == average_precision(y, a)
    for focus in ("specificity", "sensitivity"):
        assert partial_auc(y, a2, focus=focus, bounds=(0.2, 0.9)) == partial_auc(
            y, a, focus=focus, bounds=(0.2, 0.9)
        )
    for method in CLOSED_FORMS:
        assert auc_ci(y, a2, method=method) == auc_ci(y, a, method=method)
    # As text, because NaN is not equal to itself.
    assert str(delong_test(y, a2, b2)) == str(delong_test(y, a, b))
    assert str(delong_test_unpaired(y, a2, y, b)) == str(delong_test_unpaired(y, a, y, b))
    for criterion in ("youden", "closest-topleft"):
        before, after = (optimal_cutoff(y, score, criterion=criterion) for score in (a, a2))
        assert (before.sensitivity, before.specificity) == (after.sensitivity, after.specificity)
        assert before.ties.size == after.ties.size


@settings(properties, max_examples=EXAMPLES // 4)
@given(studies(models=2, least=2, most=12), st.integers(0, 99))
def test_only_the_order_of_scores_matters_to_resampling(study, seed):
    y, (a, b) = study
    a2, b2 = stretched(a, seed), stretched(b, seed + 1)
    for method in BOOTSTRAPS:
        assert auc_ci(y, a2, method=method, n_boot=50, rng=1) == auc_ci(y, a, method=method, n_boot=50, rng=1)
    for test in (bootstrap_test, permutation_test, venkatraman_test):
        size = {"n_boot" if test is bootstrap_test else "n_permutations": 50}
        assert str(test(y, a2, b2, rng=1, **size)) == str(test(y, a, b, rng=1, **size))


@properties
@given(studies(least=2), st.integers(0, 99))
def test_rank_equivalent_models_do_not_differ(study, seed):
    y, (score,) = study
    other = stretched(score, seed)
    found = delong_test(y, score, other)
    assert (found.difference, found.variance, found.statistic, found.p_value) == (0.0, 0.0, 0.0, 1.0)
    assert (found.ci_low, found.ci_high) == (0.0, 0.0)
    contrast = delong_contrast_test(y, [score, other, score])
    assert (contrast.statistic, contrast.df, contrast.p_value) == (0.0, 0.0, 1.0)
    clustered = clustered_auc_test(y, score, other, np.arange(y.size))
    assert (clustered.difference, clustered.p_value) == (0.0, 1.0)
    assert permutation_test(y, score, other).p_value == 1.0
    assert bootstrap_test(y, score, other, n_boot=20, rng=0).p_value == 1.0
    unpaired = delong_test_unpaired(y, score, y, other)
    assert (unpaired.difference, unpaired.statistic, unpaired.p_value) == (0.0, 0.0, 1.0)


# --- exchanging the classes


@properties
@given(studies(models=2, least=2))
def test_exchanged_labels_mirror_the_auc_and_keep_its_variance(study):
    y, (a, b) = study
    assert auc(1 - y, a) == pytest.approx(1.0 - auc(y, a), abs=1e-15)
    aucs, covariance = delong_covariance(y, [a, b])
    mirrored, same = delong_covariance(1 - y, [a, b])
    assert mirrored == pytest.approx(1.0 - aucs, abs=1e-14)
    assert same == pytest.approx(covariance, rel=1e-10, abs=1e-15)
    there, back = delong_test(y, a, b), delong_test(1 - y, a, b)
    assert back.difference == pytest.approx(-there.difference, abs=1e-14)
    assert back.variance == pytest.approx(there.variance, rel=1e-9)
    assert back.p_value == pytest.approx(there.p_value, rel=1e-6, abs=1e-9, nan_ok=True)
    assert back.ci_low == pytest.approx(-there.ci_high, abs=1e-9, nan_ok=True)


@properties
@given(studies(least=1))
def test_exchanged_labels_mirror_every_interval(study):
    y, (score,) = study
    for method in CLOSED_FORMS:
        there, back = auc_ci(y, score, method=method), auc_ci(1 - y, score, method=method)
        if method == "hanley-mcneil" and there.n_pos != there.n_neg:
            continue  # its exponential model treats the classes differently
        assert back.ci_low == pytest.approx(1.0 - there.ci_high, abs=1e-9), method
        assert back.ci_high == pytest.approx(1.0 - there.ci_low, abs=1e-9), method


@properties
@given(studies(models=2, least=2))
def test_reversed_scores_and_labels_are_the_same_study(study):
    y, (a, b) = study
    assert auc(1 - y, -a) == auc(y, a)
    there, back = delong_test(y, a, b), delong_test(1 - y, -a, -b)
    assert back.difference == pytest.approx(there.difference, abs=1e-14)
    assert back.variance == pytest.approx(there.variance, rel=1e-9)
    straight, turned = roc_curve(y, a), roc_curve(1 - y, -a)
    assert turned.fpr == pytest.approx(1.0 - straight.tpr[::-1], abs=1e-15)
    assert turned.tpr == pytest.approx(1.0 - straight.fpr[::-1], abs=1e-15)


# --- order and repetition of patients


@properties
@given(studies(models=2, least=2), st.randoms(use_true_random=False))
def test_the_order_of_patients_plays_no_part(study, random):
    y, (a, b) = study
    order = list(range(y.size))
    random.shuffle(order)
    assert auc(y[order], a[order]) == auc(y, a)
    assert average_precision(y[order], a[order]) == average_precision(y, a)
    for method in CLOSED_FORMS:
        assert auc_ci(y[order], a[order], method=method) == auc_ci(y, a, method=method)
    there, back = delong_test(y, a, b), delong_test(y[order], a[order], b[order])
    assert back.difference == pytest.approx(there.difference, abs=1e-14)
    assert back.variance == pytest.approx(there.variance, rel=1e-10, abs=1e-300)
    assert str(optimal_cutoff(y[order], a[order])) == str(optimal_cutoff(y, a))


@properties
@given(studies(least=2, most=12), st.integers(2, 4))
def test_patients_repeated_keep_the_auc_and_shrink_the_variance_as_the_formula_says(study, times):
    y, (score,) = study
    y2, score2 = np.repeat(y, times), np.repeat(score, times)
    assert auc(y2, score2) == pytest.approx(auc(y, score), abs=1e-15)
    assert average_precision(y2, score2) == pytest.approx(average_precision(y, score), rel=1e-12)
    # SS / (m - 1) / m becomes k SS / (k m - 1) / (k m).
    parts = [(np.var(v, ddof=1) / v.size, v.size) for v in placement_values(y == 1, score)]
    expected = sum(part * (m - 1) / (times * m - 1) for part, m in parts)
    assert delong_covariance(y2, [score2])[1][0, 0] == pytest.approx(expected, rel=1e-9, abs=1e-18)


@properties
@given(studies(models=2, least=2, most=12), st.integers(2, 4))
def test_copies_of_a_patient_in_one_cluster_add_no_information(study, times):
    y, rows = study
    _, once = delong_covariance(y, rows)
    _, copied = obuchowski_covariance(
        np.repeat(y, times), np.repeat(rows, times, axis=1), np.repeat(np.arange(y.size), times)
    )
    assert copied == pytest.approx(once, rel=1e-9, abs=1e-15)


# --- the curve and its area


@properties
@given(studies())
def test_the_curve_rises_from_corner_to_corner_and_holds_its_area(study):
    y, (score,) = study
    curve = roc_curve(y, score)
    assert (curve.fpr[0], curve.tpr[0], curve.fpr[-1], curve.tpr[-1]) == (0.0, 0.0, 1.0, 1.0)
    assert (np.diff(curve.fpr) >= 0).all() and (np.diff(curve.tpr) >= 0).all()
    assert (np.diff(curve.thresholds) < 0).all() and curve.thresholds[0] == np.inf
    assert area_trapezoids(curve) == pytest.approx(auc(y, score), abs=1e-12)


@properties
@given(studies(), st.floats(0.0, 1.0), st.floats(0.0, 1.0), st.floats(0.0, 1.0))
def test_strips_of_the_area_add_up(study, first, second, third):
    low, middle, high = sorted([first, second, third])
    assume(high - middle > 1e-6 and middle - low > 1e-6)
    y, (score,) = study
    for focus in ("specificity", "sensitivity"):
        lower, upper, whole = (
            partial_auc(y, score, focus=focus, bounds=bounds)
            for bounds in ((low, middle), (middle, high), (low, high))
        )
        assert lower + upper == pytest.approx(whole, abs=1e-12)
        assert 0.0 <= whole <= high - low + 1e-12


# --- intervals


@properties
@given(studies())
def test_every_interval_lies_in_range_holds_the_auc_and_is_no_point(study):
    y, (score,) = study
    for method in CLOSED_FORMS:
        found = auc_ci(y, score, method=method)
        assert 0.0 <= found.ci_low <= found.auc <= found.ci_high <= 1.0, method
        assert found.ci_low < found.ci_high, method


@properties
@given(studies(), st.floats(0.05, 0.9), st.floats(0.005, 0.09))
def test_more_confidence_is_a_wider_interval(study, confidence, more):
    y, (score,) = study
    for method in CLOSED_FORMS:
        narrow = auc_ci(y, score, method=method, confidence=confidence)
        broad = auc_ci(y, score, method=method, confidence=confidence + more)
        assert broad.ci_low <= narrow.ci_low + 1e-12 and narrow.ci_high <= broad.ci_high + 1e-12, method


@settings(properties, max_examples=EXAMPLES // 2)
@given(studies())
def test_bootstrap_intervals_lie_in_range_and_are_ordered(study):
    y, (score,) = study
    for method in BOOTSTRAPS:
        found = auc_ci(y, score, method=method, n_boot=60, rng=3)
        assert 0.0 <= found.ci_low <= found.ci_high <= 1.0, method
        assert found == auc_ci(y, score, method=method, n_boot=60, rng=3)


@pytest.mark.parametrize("method", [*CLOSED_FORMS, *BOOTSTRAPS])
@pytest.mark.parametrize("n_pos, n_neg", [(1, 1), (1, 20), (20, 1), (2, 2), (500, 3)])
@pytest.mark.parametrize("area", [0.0, 0.5, 1.0])
def test_areas_of_0_half_and_1_have_intervals_that_are_no_points(method, n_pos, n_neg, area):
    y = np.repeat([1, 0], [n_pos, n_neg])
    score = {0.0: 1.0 - y, 0.5: np.zeros(y.size), 1.0: 1.0 * y}[area]
    found = auc_ci(y, score, method=method, n_boot=100, rng=0)
    assert found.auc == area
    assert 0.0 <= found.ci_low <= area <= found.ci_high <= 1.0
    if not (area == 0.5 and method.startswith("bootstrap")):
        assert found.ci_high - found.ci_low > 0.005


@properties
@given(st.floats(0.0, 1.0), st.integers(1, 10**6), st.integers(1, 10**6))
def test_hanley_mcneil_variance_is_never_negative_and_zero_only_at_the_ends(area, n_pos, n_neg):
    variance = hanley_mcneil_variance(area, n_pos, n_neg)
    assert variance >= -1e-17
    assert variance > 0.0 or min(area, 1.0 - area) < 1e-12


# --- comparisons


@properties
@given(studies(models=2, least=2))
def test_exchanged_models_change_the_sign_and_nothing_else(study):
    y, (a, b) = study
    there, back = delong_test(y, a, b), delong_test(y, b, a)
    assert back.difference == -there.difference
    assert back.variance == pytest.approx(there.variance, rel=1e-12)
    assert back.p_value == pytest.approx(there.p_value, rel=1e-9, nan_ok=True)
    assert (back.ci_low, back.ci_high) == pytest.approx(
        (-there.ci_high, -there.ci_low), abs=1e-12, nan_ok=True
    )
    there, back = delong_test_unpaired(y, a, y, b), delong_test_unpaired(y, b, y, a)
    assert back.difference == -there.difference
    assert back.df == pytest.approx(there.df, rel=1e-12, nan_ok=True)
    assert back.p_value == pytest.approx(there.p_value, rel=1e-9, nan_ok=True)
    there, back = permutation_test(y, a, b, rng=0), permutation_test(y, b, a, rng=0)
    assert (back.difference, back.p_value) == (-there.difference, there.p_value)


@properties
@given(studies(models=2, least=2))
def test_the_interval_of_a_difference_leaves_out_zero_just_when_p_is_below_alpha(study):
    y, (a, b) = study
    for found in (delong_test(y, a, b), delong_test_unpaired(y, a, y, b)):
        if np.isnan(found.p_value) or abs(found.p_value - 0.05) < 1e-9:
            continue
        assert -1.0 <= found.ci_low <= found.difference <= found.ci_high <= 1.0
        excluded = not found.ci_low <= 0.0 <= found.ci_high
        assert excluded == (found.p_value < 0.05)


@properties
@given(studies(models=2, least=2))
def test_a_contrast_of_two_models_is_the_square_of_z(study):
    y, (a, b) = study
    z, chi = delong_test(y, a, b), delong_contrast_test(y, [a, b])
    if z.variance > 1e-9:
        assert chi.statistic == pytest.approx(z.statistic**2, rel=1e-6, abs=1e-9)
        assert chi.p_value == pytest.approx(z.p_value, rel=1e-5, abs=1e-9)


@properties
@given(studies(models=3, least=4), st.permutations([0, 1, 2]))
def test_the_order_of_models_does_not_change_a_contrast(study, order):
    y, rows = study
    there, back = delong_contrast_test(y, rows), delong_contrast_test(y, rows[list(order)])
    assert there.df == back.df
    spread = np.linalg.eigvalsh(there.covariance)
    if spread[0] > 1e-6 * spread[-1]:
        assert back.statistic == pytest.approx(there.statistic, rel=1e-6, abs=1e-9)


areas = st.floats(0.05, 0.95)


@properties
@given(areas, areas, st.floats(-0.5, 0.9), st.floats(0.2, 5.0))
def test_a_paired_sample_size_is_the_same_whichever_auc_comes_first(first, second, correlation, ratio):
    assume(abs(first - second) > 0.01)
    there = paired_auc_sample_size(first, second, correlation=correlation, ratio=ratio)
    back = paired_auc_sample_size(second, first, correlation=correlation, ratio=ratio)
    assert there.n_pos_exact == pytest.approx(back.n_pos_exact, rel=1e-10)
    assert there.total == back.total


# --- cut-offs and operating points


@properties
@given(
    studies(),
    st.sampled_from(["youden", "closest-topleft", "cost"]),
    st.sampled_from(["observed", "midpoint"]),
)
def test_a_cutoff_applied_gives_what_its_choice_promised(study, criterion, at):
    y, (score,) = study
    found = optimal_cutoff(y, score, criterion=criterion, at=at)
    called = score >= found.threshold
    assert found.sensitivity == np.mean(called[y == 1])
    assert found.specificity == pytest.approx(np.mean(~called[y == 0]), abs=1e-15)
    assert found.threshold in found.ties
    if np.isfinite(found.threshold):
        point = operating_point(y, score, found.threshold)
        assert point.sensitivity.value == found.sensitivity and point.specificity.value == found.specificity


@properties
@given(studies())
def test_no_other_cutoff_has_a_larger_youden_index(study):
    y, (score,) = study
    found = optimal_cutoff(y, score)
    curve = roc_curve(y, score)
    best = curve.tpr - curve.fpr
    assert found.youden == pytest.approx(best.max(), abs=1e-12) and found.youden >= 0.0
    assert found.ties.size == np.count_nonzero(best > best.max() - 1e-12)


@properties
@given(studies(), st.floats(0.0, 1.0))
def test_a_required_rate_is_reached_at_the_least_price(study, minimum):
    y, (score,) = study
    curve = roc_curve(y, score)
    # In whole patients, with the same hair of slack that makes 0.9 of 10 be 9.
    enough_pos, enough_neg = (
        np.round(rate * n) >= np.ceil(minimum * n - 1e-9)
        for rate, n in ((curve.tpr, curve.n_pos), (1.0 - curve.fpr, curve.n_neg))
    )
    sensitive = optimal_cutoff(y, score, criterion="min-sensitivity", minimum=minimum)
    assert sensitive.sensitivity >= minimum - 1e-9
    assert sensitive.specificity == pytest.approx(1.0 - curve.fpr[enough_pos].min(), abs=1e-12)
    specific = optimal_cutoff(y, score, criterion="min-specificity", minimum=minimum)
    assert specific.specificity >= minimum - 1e-9
    assert specific.sensitivity == curve.tpr[enough_neg].max()


# --- proportions and corrections


@properties
@given(st.integers(1, 10**6), st.floats(0.0, 1.0), st.sampled_from(PROPORTION_METHODS), st.floats(0.5, 0.98))
def test_proportion_intervals_are_in_range_nested_and_mirrored(n, share, method, confidence):
    k = round(share * n)
    low, high = proportion_ci(k, n, method=method, confidence=confidence)
    assert 0.0 <= low <= k / n <= high <= 1.0
    wider = proportion_ci(k, n, method=method, confidence=confidence + 0.01)
    assert wider[0] <= low + 1e-12 and high <= wider[1] + 1e-12
    mirrored = proportion_ci(n - k, n, method=method, confidence=confidence)
    assert mirrored == pytest.approx((1.0 - high, 1.0 - low), abs=1e-9)


p_lists = st.lists(st.one_of(st.floats(0.0, 1.0), st.just(float("nan"))), max_size=20)


@properties
@given(p_lists)
def test_corrections_raise_p_values_in_order_and_in_the_known_ranking(values):
    p = np.array(values, dtype=float)
    stepped, single, discovery = holm(p), bonferroni(p), benjamini_hochberg(p)
    there = ~np.isnan(p)
    for adjusted in (stepped, single, discovery):
        assert (np.isnan(adjusted) == ~there).all()
        order = np.argsort(p[there], kind="stable")
        assert (np.diff(adjusted[there][order]) >= -1e-15).all()
        assert ((adjusted[there] >= p[there] - 1e-15) & (adjusted[there] <= 1.0)).all()
    assert (single[there] >= stepped[there] - 1e-12).all()
    assert (stepped[there] >= discovery[there] - 1e-12).all()


@settings(properties, max_examples=EXAMPLES // 2)
@given(studies(models=3, least=3, most=12), st.permutations([0, 1, 2]), st.integers(0, 99))
def test_macro_metrics_know_neither_the_order_of_labels_nor_of_patients(study, order, seed):
    first, rows = study
    random = np.random.default_rng(seed)
    truth = np.stack([first, random.permutation(first), random.permutation(first)], axis=1)
    cuts = np.array([np.median(row) for row in rows])
    patients = random.permutation(first.size)
    labels = list(order)
    there = multilabel_metrics(truth, rows.T, cuts).to_dict()
    back = multilabel_metrics(truth[patients][:, labels], rows.T[patients][:, labels], cuts[labels]).to_dict()
    for name in ("macro_auc", "macro_accuracy", "macro_f1", "micro_f1", "hamming", "subset_accuracy"):
        assert back[name] == pytest.approx(there[name], rel=1e-12), name


# --- size


def test_two_patients_are_enough_for_an_auc():
    assert (auc([0, 1], [1, 2]), auc([0, 1], [2, 1]), auc([1, 0], [3, 3])) == (1.0, 0.0, 0.5)
    assert optimal_cutoff([0, 1], [1, 2]).threshold == 2.0
    assert average_precision([0, 1], [2, 1]) == 0.5


def test_repeating_a_small_study_a_million_times_over_keeps_the_auc_exact():
    rng = np.random.default_rng(0)
    small_y, small = np.arange(50) % 3 == 0, np.round(rng.normal(size=50), 1)
    assert auc(np.tile(small_y, 20_000), np.tile(small, 20_000)) == auc(small_y, small)


ten_million = pytest.param(
    10_000_000,
    marks=[
        pytest.mark.slow,
        pytest.mark.skipif("BIOMARK_LARGE" not in os.environ, reason="needs 4 GiB: set BIOMARK_LARGE=1"),
    ],
)


@pytest.mark.parametrize("n", [1_000_000, ten_million])
def test_millions_of_patients_keep_the_known_answers_in_memory_that_grows_with_n_alone(n):
    rng = np.random.default_rng(1)
    y = rng.random(n) < 0.3
    a = rng.normal(size=n) + y
    b = a + rng.normal(size=n)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    alone, pair = auc_ci(y, a), delong_test(y, a, b)
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    # Binormal: Phi(1 / sqrt 2) and Phi(1 / 2); ten standard errors.
    assert alone.auc == pytest.approx(norm.cdf(np.sqrt(0.5)), abs=5.0 / np.sqrt(n))
    assert pair.difference == pytest.approx(norm.cdf(np.sqrt(0.5)) - norm.cdf(0.5), abs=5.0 / np.sqrt(n))
    # A variance falls like 1 / n.
    part = auc_ci(y[: n // 100], a[: n // 100])
    assert alone.variance == pytest.approx(part.variance / 100.0, rel=0.1)
    assert grown * 1024 < 64 * 8 * n
