"""Venkatraman and Begg's test, against the definition of its statistic and against simulation."""

import numpy as np
import pytest
from biomark.stats import venkatraman_test
from biomark.stats.venkatraman import venkatraman_statistic


def by_definition(positive, rank_a, rank_b):
    """The sum over k of |e_k|, counting each patient's disagreement as in the paper."""
    total = 0
    for k in range(1, positive.size):
        a, b = rank_a <= k, rank_b <= k
        cases = np.sum(positive & a & ~b) - np.sum(positive & ~a & b)
        controls = np.sum(~positive & ~a & b) - np.sum(~positive & a & ~b)
        total += abs(cases + controls)
    return total


@pytest.mark.parametrize("seed", range(10))
def test_the_statistic_is_that_of_the_definition(seed):
    rng = np.random.default_rng(seed)
    positive = rng.random(25) < 0.4
    a, b = rng.permutation(25) + 1, rng.permutation(25) + 1
    found = venkatraman_statistic(positive, a[None], b[None])
    assert found.tolist() == [by_definition(positive, a, b)]


def test_crossing_curves_of_equal_area_are_told_apart():
    rng = np.random.default_rng(1)
    y = np.repeat([0, 1], 150)
    a = rng.normal(size=300) + 1.0 * y
    # Twice the spread among the positives: another shape, nearly the same area.
    b = rng.normal(size=300) * np.where(y == 1, 3.0, 1.0) + 2.2 * y
    found = venkatraman_test(y, a, b, n_permutations=499, rng=0)
    assert abs(found.difference) < 0.06
    assert found.p_value < 0.02


def test_the_level_is_kept():
    rng = np.random.default_rng(2)
    y = np.repeat([0, 1], 20)
    p_values = []
    for k in range(300):
        shared = rng.normal(size=40) + y
        a, b = shared + rng.normal(size=40), shared + rng.normal(size=40)
        p_values.append(venkatraman_test(y, a, b, n_permutations=199, rng=k).p_value)
    assert 0.02 < np.mean(np.array(p_values) <= 0.05) < 0.09


def test_the_order_of_the_models_does_not_matter():
    rng = np.random.default_rng(3)
    y, a, b = np.repeat([0, 1], 30), rng.normal(size=60), rng.normal(size=60)
    there, back = venkatraman_test(y, a, b, rng=0), venkatraman_test(y, b, a, rng=0)
    assert there.statistic == back.statistic


def test_ties_are_broken_alike_in_both_scores():
    y = [0, 0, 1, 1, 0, 1]
    tied = [1, 1, 1, 2, 2, 2]
    assert venkatraman_test(y, tied, tied, n_permutations=50, rng=0).statistic == 0.0
