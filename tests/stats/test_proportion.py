import json
import math
from pathlib import Path

import numpy as np
import pytest
from biomark.errors import BiomarkError
from biomark.stats.proportion import PROPORTION_METHODS, proportion_ci, proportion_estimate
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom, norm
from statsmodels.stats.proportion import proportion_confint

ORACLE = json.loads(
    (Path(__file__).parents[1] / "oracles" / "operating_point.json").read_text(encoding="utf-8")
)
methods = pytest.mark.parametrize("method", PROPORTION_METHODS)


@pytest.mark.parametrize(
    ("method", "column"),
    [("wilson", "wilson"), ("clopper-pearson", "clopper_pearson"), ("jeffreys", "jeffreys")],
)
def test_intervals_match_r(method, column):
    for row in ORACLE["proportions"]:
        found = proportion_ci(row["k"], row["n"], method=method, confidence=row["confidence"])
        assert found == pytest.approx(row[column], rel=1e-10, abs=1e-12)


def test_wilson_bounds_solve_the_score_equation():
    k, n = np.array([1, 7, 45, 380]), np.array([3, 20, 68, 388])
    for bound in proportion_ci(k, n, confidence=0.9):
        score = (k / n - bound) / np.sqrt(bound * (1 - bound) / n)
        np.testing.assert_allclose(np.abs(score), norm.ppf(0.95), rtol=1e-10)


def test_clopper_pearson_bounds_have_the_tails_of_their_definition():
    low, high = proportion_ci(7, 20, method="clopper-pearson")
    assert binom.sf(6, 20, low) == pytest.approx(0.025, rel=1e-9)
    assert binom.cdf(7, 20, high) == pytest.approx(0.025, rel=1e-9)


def test_agresti_coull_and_wald_match_their_formulas():
    k, n, z = 9, 40, norm.ppf(0.975)
    centre = (k + z**2 / 2) / (n + z**2)
    half = z * math.sqrt(centre * (1 - centre) / (n + z**2))
    expected = pytest.approx((centre - half, centre + half), rel=1e-12)
    assert proportion_ci(k, n, method="agresti-coull") == expected
    half = z * math.sqrt(k / n * (1 - k / n) / n)
    assert proportion_ci(k, n, method="wald") == pytest.approx((k / n - half, k / n + half), rel=1e-12)


@methods
def test_zero_and_all_successes_reach_the_edge_exactly(method):
    low, high = proportion_ci([0, 12], 12, method=method)
    assert low[0] == 0.0 and high[1] == 1.0
    if method == "wald":
        assert high[0] == 0.0 and low[1] == 1.0
    else:
        assert 0.15 < high[0] < 0.4 and high[0] == pytest.approx(1.0 - low[1], rel=1e-12)


def test_jeffreys_edge_differs_from_statsmodels_only_at_the_edge():
    theirs = np.array(proportion_confint(np.arange(13), 12, method="jeffreys"))
    ours = np.array(proportion_ci(np.arange(13), 12, method="jeffreys"))
    assert theirs[0, 0] > 0.0 and ours[0, 0] == 0.0
    np.testing.assert_allclose(ours[:, 1:-1], theirs[:, 1:-1], rtol=1e-13)


@methods
def test_no_patient_gives_nan_beside_defined_neighbours(method):
    low, high = proportion_ci([0, 3], [0, 4], method=method)
    assert np.isnan([low[0], high[0]]).all() and 0 < low[1] < high[1]
    assert np.isnan(proportion_ci(0, 0, method=method)).all()


def test_scalars_give_floats_and_arrays_broadcast():
    assert all(type(bound) is float for bound in proportion_ci(3, 9))
    low, high = proportion_ci(np.array([[0], [5]]), np.array([10, 20, 30]))
    assert low.shape == high.shape == (2, 3)


@methods
@given(n=st.integers(1, 3000), share=st.floats(0, 1), confidence=st.floats(0.5, 0.999))
def test_bounds_lie_in_the_unit_interval_and_mirror_under_exchange(method, n, share, confidence):
    k = round(share * n)
    low, high = proportion_ci(k, n, method=method, confidence=confidence)
    assert 0.0 <= low <= high <= 1.0
    assert low - 1e-12 <= k / n <= high + 1e-12
    mirrored = proportion_ci(n - k, n, method=method, confidence=confidence)
    assert mirrored == pytest.approx((1 - high, 1 - low), abs=1e-9)


@methods
def test_bounds_rise_with_successes(method):
    low, high = proportion_ci(np.arange(41), 40, method=method)
    interior = slice(1, -1) if method == "wald" else slice(None)
    assert (np.diff(low[interior]) >= 0).all() and (np.diff(high[interior]) >= 0).all()


def test_clopper_pearson_never_covers_less_than_nominal_and_wald_does():
    p = np.linspace(0.01, 0.99, 197)
    k = np.arange(31)
    covered = {}
    for method in PROPORTION_METHODS:
        low, high = proportion_ci(k, 30, method=method)
        inside = (low <= p[:, None]) & (p[:, None] <= high)
        covered[method] = (binom.pmf(k, 30, p[:, None]) * inside).sum(axis=1)
    assert covered["clopper-pearson"].min() >= 0.95
    assert covered["wald"].min() < 0.5 < covered["wilson"].min()
    assert covered["wilson"].mean() == pytest.approx(0.95, abs=0.006)


@pytest.mark.parametrize(
    ("k", "n", "message"),
    [
        (5, 4, "k must not exceed n, found k = 5 of n = 4"),
        (-1, 4, "k must hold whole numbers of 0 or more, found -1"),
        (1.5, 4, "k must hold whole numbers of 0 or more, found 1.5"),
        (1, float("nan"), "n must hold whole numbers of 0 or more, found nan"),
        (1, float("inf"), "n must hold whole numbers of 0 or more, found inf"),
        ("a", 3, "k must hold whole numbers"),
    ],
)
def test_counts_that_cannot_be_are_refused(k, n, message):
    with pytest.raises(BiomarkError, match=message):
        proportion_ci(k, n)


def test_unknown_method_and_confidence_are_refused():
    with pytest.raises(BiomarkError, match="method must be one of wilson, clopper-pearson"):
        proportion_ci(1, 2, method="exact")
    with pytest.raises(BiomarkError, match="confidence must lie strictly between 0 and 1, found 95"):
        proportion_ci(1, 2, confidence=95)


def test_estimate_says_its_denominator_and_when_it_is_undefined():
    assert proportion_estimate(3, 4).method == "wilson, 3/4"
    empty = proportion_estimate(0, 0)
    assert math.isnan(empty.value) and empty.method.startswith("undefined")
    assert empty.to_dict()["ci_low"] is None
