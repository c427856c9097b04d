"""Bootstrap and permutation tests of two models, against their slow definitions."""

from itertools import product

import numpy as np
import pytest
from biomark.errors import BiomarkError
from biomark.stats import (
    auc,
    average_precision,
    bootstrap_test,
    delong_test,
    operating_point_from_counts,
    partial_auc,
    permutation_test,
)
from biomark.stats.replicated_metric import AT_THRESHOLD
from biomark.stats.resampling import resampling_counts
from scipy.stats import rankdata


def data(n=60, seed=0, digits=1):
    rng = np.random.default_rng(seed)
    y = (np.arange(n) % 5 < 2).astype(int)
    return y, np.round(rng.normal(size=n) + y, digits), np.round(rng.normal(size=n) + 0.5 * y, digits)


def youden(y, score):
    cuts = np.append(np.unique(score), np.inf)
    return max(np.mean(score[y == 1] >= c) + np.mean(score[y == 0] < c) - 1 for c in cuts)


@pytest.mark.parametrize(
    ("metric", "slow"),
    [
        ("auc", auc),
        ("partial-auc", lambda y, s: partial_auc(y, s, bounds=(0.7, 0.95))),
        ("average-precision", average_precision),
        ("youden", youden),
    ],
)
def test_replicates_are_the_metric_of_the_repeated_patients(metric, slow):
    y, a, b = data()
    found = bootstrap_test(y, a, b, metric=metric, bounds=(0.7, 0.95), n_boot=30, rng=3)
    groups = (np.flatnonzero(y == 1), np.flatnonzero(y == 0))
    drawn = []
    for counts in resampling_counts(60, 30, np.random.default_rng(3), groups=groups):
        for row in counts.astype(int):
            y_b, a_b, b_b = (np.repeat(v, row) for v in (y, a, b))
            drawn.append(slow(y_b, a_b) - slow(y_b, b_b))
    assert found.value_a == pytest.approx(slow(y, a), rel=1e-12)
    assert found.difference == pytest.approx(slow(y, a) - slow(y, b), rel=1e-12)
    assert found.statistic == pytest.approx(found.difference / np.std(drawn, ddof=1), rel=1e-9)
    assert (found.ci_low, found.ci_high) == pytest.approx(tuple(np.quantile(drawn, [0.025, 0.975])), rel=1e-9)


def test_any_function_of_labels_and_scores_can_be_tested():
    y, a, b = data()
    by_name = bootstrap_test(y, a, b, metric="auc", n_boot=50, rng=1)
    by_function = bootstrap_test(y, a, b, metric=auc, n_boot=50, rng=1)
    assert by_function.p_value == pytest.approx(by_name.p_value, rel=1e-10)


def point(name):
    def slow(y, score):
        called = score >= 0.6
        tp, fp = np.sum(called & (y == 1)), np.sum(called & (y == 0))
        fn, tn = np.sum(~called & (y == 1)), np.sum(~called & (y == 0))
        return getattr(operating_point_from_counts(tp, fp, tn, fn), name.replace("-", "_")).value

    return slow


@pytest.mark.parametrize("metric", list(AT_THRESHOLD))
@pytest.mark.parametrize("stratified", [True, False])
def test_metrics_at_a_threshold_are_those_of_the_repeated_patients(metric, stratified):
    y, a, b = data()
    found = bootstrap_test(y, a, b, metric=metric, threshold=0.6, n_boot=25, stratified=stratified, rng=3)
    slow = bootstrap_test(y, a, b, metric=point(metric), n_boot=25, stratified=stratified, rng=3)
    assert found.value_b == pytest.approx(slow.value_b, rel=1e-12)
    assert found.difference == pytest.approx(slow.difference, rel=1e-12)
    assert found.p_value == pytest.approx(slow.p_value, rel=1e-9)
    assert (found.ci_low, found.ci_high) == pytest.approx((slow.ci_low, slow.ci_high), rel=1e-9)


def test_each_model_may_have_its_own_threshold():
    y, a, b = data()
    found = bootstrap_test(y, a, 10.0 * b, metric="f1", threshold=(0.6, 6.0), n_boot=50, rng=0)
    same = bootstrap_test(y, a, b, metric="f1", threshold=0.6, n_boot=50, rng=0)
    assert found.p_value == pytest.approx(same.p_value, rel=1e-9)


def test_the_bootstrap_agrees_with_delong_in_large_samples():
    y, a, b = data(n=1500, digits=6)
    assert bootstrap_test(y, a, b, rng=0).statistic == pytest.approx(delong_test(y, a, b).statistic, rel=0.08)


def test_sensitivity_at_a_specificity_lies_on_the_curve():
    found = bootstrap_test(
        [0, 0, 0, 0, 1, 1], [1, 2, 3, 4, 3.5, 5], [1, 2, 3, 4, 0, 5],
        metric="sensitivity-at-specificity", specificity=0.75, n_boot=20, rng=0,
    )  # fmt: skip
    assert (found.value_a, found.value_b) == (1.0, 0.5)


def test_identical_scores_give_p_one():
    y, a, _ = data()
    for found in (bootstrap_test(y, a, a, n_boot=50, rng=0), permutation_test(y, a, a)):
        assert (found.difference, found.statistic, found.p_value) == (0.0, 0.0, 1.0)


def test_rank_equivalent_scores_give_p_one():
    y, a, _ = data()
    assert permutation_test(y, a, np.exp(a)).p_value == 1.0


def brute_force(y, a, b):
    """Exchange the ranks of every subset of patients and compute both AUCs anew."""
    ranks = rankdata(a), rankdata(b)
    observed = auc(y, ranks[0]) - auc(y, ranks[1])
    differences = []
    for swap in product([False, True], repeat=len(y)):
        first, second = np.where(swap, ranks[1], ranks[0]), np.where(swap, ranks[0], ranks[1])
        differences.append(auc(y, first) - auc(y, second))
    return observed, np.mean(np.abs(differences) >= abs(observed) - 1e-12)


@pytest.mark.parametrize("seed", range(6))
def test_small_data_are_enumerated_exactly(seed):
    rng = np.random.default_rng(seed)
    y = np.array([0, 0, 0, 0, 1, 1, 1, 1, 0])
    a, b = np.round(rng.normal(size=9) + y, 0), rng.normal(size=9)
    observed, p_value = brute_force(y, a, b)
    found = permutation_test(y, a, b)
    assert found.difference == pytest.approx(observed, abs=1e-12)
    assert found.p_value == pytest.approx(p_value, abs=1e-12)


def test_random_exchanges_agree_with_all_of_them(monkeypatch):
    y, a, b = data(n=12, seed=5)
    exact = permutation_test(y, a, b).p_value
    monkeypatch.setattr("biomark.stats.sign_flip.ALL_ASSIGNMENTS", 0)
    assert permutation_test(y, a, b, n_permutations=40_000, rng=0).p_value == pytest.approx(exact, abs=0.01)


def test_the_permutation_test_keeps_its_level_in_small_samples():
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], 10)
    p_values = []
    for k in range(500):
        shared = rng.normal(size=20) + y
        a, b = shared + rng.normal(size=20), shared + rng.normal(size=20)
        p_values.append(permutation_test(y, a, b, n_permutations=499, rng=k).p_value)
    assert 0.02 < np.mean(np.array(p_values) < 0.05) < 0.08


def test_clusters_are_resampled_whole():
    y, a, b = data()
    thrice = [np.repeat(v, 3) for v in (y, a, b)]
    alone = bootstrap_test(*thrice, n_boot=400, rng=0)
    whole = bootstrap_test(*thrice, n_boot=400, rng=0, cluster=np.repeat(np.arange(60), 3))
    assert whole.ci_high - whole.ci_low > 1.3 * (alone.ci_high - alone.ci_low)


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"metric": "dice"}, "metric must be one of"),
        ({"metric": "accuracy"}, "metric 'accuracy' needs a threshold, found None"),
        ({"metric": "f1", "threshold": (1.0, 2.0, 3.0)}, "one for each model"),
        ({"metric": "partial-auc", "bounds": (0.9, 0.1)}, "bounds"),
        ({"metric": "sensitivity-at-specificity", "specificity": 90}, "specificity"),
        ({"n_boot": 1}, "n_boot"),
    ],
)
def test_bad_options_are_refused(options, says):
    with pytest.raises(BiomarkError, match=says):
        bootstrap_test(*data(), **options)
