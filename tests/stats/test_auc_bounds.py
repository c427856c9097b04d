from itertools import combinations

import numpy as np
import pytest
from biomark import stats
from biomark.stats.auc_bounds import auc_range_at, delong_variance_bounds


def orders(m, n):
    for places in combinations(range(m + n), m):
        truth = np.zeros(m + n, dtype=int)
        truth[list(places)] = 1
        yield truth


def variance(truth, score):
    estimate = stats.auc_ci(truth, score)
    return estimate.auc, estimate.variance


@pytest.mark.parametrize(("m", "n"), [(2, 2), (3, 5), (5, 3), (4, 4)])
def test_every_order_of_a_few_patients_has_its_variance_between_the_bounds(m, n):
    least_excess = []
    for truth in orders(m, n):
        area, found = variance(truth, -np.arange(m + n))
        least, greatest = delong_variance_bounds(area, m, n)
        assert least - 1e-12 <= found <= greatest + 1e-12
        least_excess.append(found - least)
    # All positives first: nothing varies, and the bound says so.
    assert min(least_excess) == pytest.approx(0.0, abs=1e-12)


def test_random_orders_of_many_patients_have_their_variance_between_the_bounds():
    rng = np.random.default_rng(1)
    for _ in range(200):
        m, n = rng.integers(2, 60, 2)
        truth = np.repeat([1, 0], [m, n])
        area, found = variance(
            truth, rng.normal(size=m + n) * rng.uniform(0.2, 3, m + n) + rng.uniform(-2, 2) * truth
        )
        least, greatest = delong_variance_bounds(area, m, n)
        assert least - 1e-12 <= found <= greatest + 1e-12


def test_the_least_variance_is_reached_by_the_line_that_is_said_to_have_it():
    # R(x) = c + x m/n-wise, made of many small steps: 400 positives and 400 negatives, slope 1, cut at 1.
    n, c = 400, 0.3675
    heights = np.minimum(1.0, c + (np.arange(n) + 0.5) / n)
    above = np.round(heights * n).astype(int)
    truth = []
    for before, now in zip([0, *above[:-1]], above, strict=True):
        truth += [1] * (now - before) + [0]
    truth += [1] * (n - above[-1])
    area, found = variance(np.array(truth), -np.arange(len(truth)))
    least, _ = delong_variance_bounds(area, n, n)
    assert found == pytest.approx(least, rel=1e-3)


def test_an_auc_of_one_has_no_variance():
    assert delong_variance_bounds(1.0, 10, 12) == (0.0, 0.0)


@pytest.mark.parametrize(("m", "n"), [(3, 4), (4, 3)])
def test_every_curve_through_a_point_has_its_auc_in_the_range(m, n):
    for truth in orders(m, n):
        area = stats.auc(truth, -np.arange(m + n))
        tp, fp = np.cumsum(truth), np.cumsum(1 - truth)
        index = tp / m - fp / n
        for at in range(m + n):
            low, high = auc_range_at(tp[at] / m, 1 - fp[at] / n)
            assert low - 1e-12 <= area <= high + 1e-12
            if index[at] >= index.max() - 1e-12 and index[at] >= 0:
                assert area <= auc_range_at(tp[at] / m, 1 - fp[at] / n, best=True)[1] + 1e-12


def test_ties_across_the_classes_stay_in_the_range_too():
    rng = np.random.default_rng(2)
    for _ in range(200):
        truth = rng.permutation([0] * 12 + [1] * 9)
        score = rng.integers(0, 5, truth.size) + truth
        area = stats.auc(truth, score)
        cutoff = stats.optimal_cutoff(truth, score)
        low, high = auc_range_at(cutoff.sensitivity, cutoff.specificity, best=True)
        assert low - 1e-12 <= area <= high + 1e-12
