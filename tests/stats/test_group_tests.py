import itertools
import json
import math
from pathlib import Path

import numpy as np
import pytest
from biomark.errors import BiomarkError
from biomark.stats import exact_tables
from biomark.stats.exact_tables import fisher_exact_test
from biomark.stats.group_tests import categorical_group_test, mean_group_test, rank_group_test
from biomark.stats.standardized_difference import (
    standardized_categorical_difference,
    standardized_mean_difference,
)
from hypothesis import given, settings
from hypothesis import strategies as st

ORACLE = json.loads((Path(__file__).parents[1] / "oracles" / "baseline.json").read_text(encoding="utf-8"))
continuous = pytest.mark.parametrize("case", ORACLE["continuous"])
categorical = pytest.mark.parametrize("case", ORACLE["categorical"])


def groups_of(case):
    return [np.array(group, dtype=float) for group in case["groups"]]


@continuous
def test_welch_tests_match_r(case):
    found = mean_group_test(groups_of(case))
    mine = [found.statistic, found.df, found.df_within, found.p_value]
    assert [value for value in mine if not math.isnan(value)] == pytest.approx(case["welch"], rel=1e-10)


@continuous
def test_rank_tests_match_r(case):
    found = rank_group_test(groups_of(case))
    assert [found.statistic, found.p_value] == pytest.approx(case["rank"], rel=1e-10)


@continuous
def test_mean_difference_matches_its_formula_in_r(case):
    first, second = groups_of(case)[:2]
    assert standardized_mean_difference(first, second) == pytest.approx(case["smd"], rel=1e-12)


@categorical
def test_categorical_tests_match_r_and_fisher_comes_where_counts_are_small(case):
    found = categorical_group_test(case["counts"])
    expected = np.array(case["expected"])
    if expected.min() < 1 or np.mean(expected < 5) > 0.2:
        assert found.test.startswith("Fisher's exact test") and math.isnan(found.statistic)
    else:
        assert found.test == "chi-square test"
        assert [found.statistic, found.df, found.p_value] == pytest.approx(case["chi"], rel=1e-10)


@categorical
def test_exact_p_matches_fisher_test_of_r(case):
    if case["exact"] is not None:
        found = fisher_exact_test(case["counts"])
        assert found.method == "Fisher's exact test"
        assert found.p_value == pytest.approx(case["exact"], rel=1e-7)


@categorical
def test_categorical_difference_matches_its_formula_in_r(case):
    counts = np.array(case["counts"])
    found = standardized_categorical_difference(counts[:, 0], counts[:, 1])
    if case["smd"] is not None:
        assert found == pytest.approx(case["smd"], rel=1e-9)
    backwards = standardized_categorical_difference(counts[::-1, 1], counts[::-1, 0])
    assert found == pytest.approx(backwards, rel=1e-9)


def brute_force(table):
    """All tables with the margins, by counting."""
    rows, columns = table.sum(axis=1), table.sum(axis=0)
    weights = []
    for cells in itertools.product(*(range(min(r, c) + 1) for r in rows for c in columns)):
        tried = np.array(cells).reshape(table.shape)
        if (tried.sum(axis=1) == rows).all() and (tried.sum(axis=0) == columns).all():
            weights.append(1 / np.prod([float(math.factorial(x)) for x in cells]))
    observed = 1 / np.prod([float(math.factorial(x)) for x in table.ravel()])
    return sum(w for w in weights if w <= observed * (1 + 1e-7)) / sum(weights)


@settings(deadline=None, max_examples=25)
@given(cells=st.lists(st.integers(0, 3), min_size=6, max_size=6))
def test_enumeration_is_the_sum_over_all_tables(cells):
    table = np.array(cells).reshape(2, 3)
    found = fisher_exact_test(table)
    if (table.sum(axis=1) > 0).all() and (table.sum(axis=0) > 0).sum() > 1:
        assert found.p_value == pytest.approx(brute_force(table), rel=1e-9)
    else:
        assert math.isnan(found.p_value) and "undefined" in found.method


def test_sampled_p_agrees_with_the_exact_one(monkeypatch):
    table = [[8, 2, 3], [1, 5, 4], [3, 3, 9], [2, 6, 1]]
    exact = fisher_exact_test(table)
    monkeypatch.setattr(exact_tables, "MOST_PARTIAL", 10)
    sampled = fisher_exact_test(table, rng=1)
    assert sampled.method == "Fisher's exact test, 100,000 sampled tables"
    assert sampled.p_value == pytest.approx(exact.p_value, abs=4 * math.sqrt(exact.p_value / 100_000))
    assert sampled == fisher_exact_test(table, rng=1)


def test_large_tables_are_sampled_and_say_so():
    table = np.random.default_rng(1).poisson(6, (6, 5)) + np.eye(6, 5, dtype=int) * 30
    assert "sampled tables" in fisher_exact_test(table, n_samples=2000).method


@settings(deadline=None, max_examples=50)
@given(
    values=st.lists(st.lists(st.sampled_from([0.0, 1.0, 2.5, 1e8, -3.0]), max_size=6), min_size=1, max_size=4)
)
def test_no_groups_warn_or_fail_and_undefined_says_why(values):
    groups = [np.array(group, dtype=float) for group in values]
    for test in (mean_group_test, rank_group_test):
        found = test(groups)
        assert math.isnan(found.p_value) == bool(found.note)
        assert math.isnan(found.p_value) or 0 <= found.p_value <= 1


def test_undefined_tests_say_why():
    one, flat, spread = np.array([3.0]), np.array([2.0, 2.0]), np.array([1.0, 2.0, 4.0])
    assert "one group only" in mean_group_test([spread, np.empty(0)]).note
    assert "a group of one patient has no variance" in mean_group_test([spread, one]).note
    assert "no spread within the groups" in mean_group_test([flat, flat + 1]).note
    assert "no spread within a group" in mean_group_test([flat, spread, spread]).note
    assert "all values are equal" in rank_group_test([flat, flat]).note
    assert "one level only" in categorical_group_test([[4, 5]]).note
    assert "one group only" in categorical_group_test([[4], [5]]).note


def test_differences_at_the_edges():
    assert standardized_mean_difference([1, 1], [1, 1]) == 0.0
    assert standardized_mean_difference([0.1] * 10, [0.1] * 10) == 0.0
    assert standardized_mean_difference([1, 1], [2, 2]) == -math.inf
    assert math.isnan(standardized_mean_difference([1], [1, 2]))
    assert standardized_categorical_difference([5, 0], [0, 4]) == math.inf
    assert standardized_categorical_difference([5], [4]) == 0.0
    assert math.isnan(standardized_categorical_difference([0, 0], [1, 2]))
    assert standardized_categorical_difference([3, 0, 4], [6, 0, 8]) == pytest.approx(0, abs=1e-12)


@pytest.mark.parametrize("factor", [1e-158, 1e150])
def test_units_play_no_part(factor):
    one, other = np.array([1.0, 2.0, 4.0]), np.array([2.0, 5.0, 6.0, 6.5])
    for test in (mean_group_test, rank_group_test):
        assert test([one * factor, other * factor]).p_value == pytest.approx(
            test([one, other]).p_value, rel=1e-9
        )
    expected = standardized_mean_difference(one, other)
    assert standardized_mean_difference(one * factor, other * factor) == pytest.approx(expected, rel=1e-9)


def test_binary_difference_is_austins():
    p, q = 0.3, 0.5
    expected = (q - p) / math.sqrt((p * (1 - p) + q * (1 - q)) / 2)
    assert standardized_categorical_difference([3, 7], [10, 10]) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("table", [[1, 2], [[1, -1], [2, 3]], [[1, 2.5], [2, 3]], [[]]])
def test_what_is_no_table_is_refused(table):
    with pytest.raises(BiomarkError, match="table must"):
        fisher_exact_test(table)


def test_levels_are_kept_in_simulation():
    rng = np.random.default_rng(2)
    rejected = np.zeros(3)
    for _ in range(1000):
        groups = [rng.normal(0, spread, n) for spread, n in ((1, 15), (3, 40), (2, 25))]
        same = [rng.exponential(1, n) for n in (15, 40, 25)]
        counts = np.stack([rng.multinomial(n, [0.5, 0.3, 0.2]) for n in (60, 40)], axis=1)
        rejected += [
            mean_group_test(groups).p_value < 0.05,
            rank_group_test(same).p_value < 0.05,
            categorical_group_test(counts).p_value < 0.05,
        ]
    # Three standard errors of a share of 0.05 in 1,000 are 0.021.
    assert np.all(np.abs(rejected / 1000 - 0.05) < 0.021)
