"""Digits that the data support, and nothing that reads as what it is not."""

import math

import pytest
from biomark.viz.number_format import (
    count,
    decimal_places,
    estimate,
    interval,
    number,
    p_equation,
    p_value,
    percentage,
    power,
    proportion,
    ratio,
    threshold,
)
from hypothesis import given
from hypothesis import strategies as st

NAN, INF = math.nan, math.inf
reals = st.floats(-1e6, 1e6)


@given(reals, st.integers(0, 6))
def test_a_number_is_within_half_of_its_last_digit(value, digits):
    shown = number(value, digits)
    assert abs(float(shown.replace("−", "-")) - value) <= 0.5 * 10.0**-digits * (1 + 1e-9) + 1e-9
    assert not shown.startswith("−0.000000") or float(shown.replace("−", "-")) != 0.0


@given(st.floats(0.0, 1.0))
def test_a_p_value_never_crosses_the_level(p):
    shown = p_value(p)
    if shown[0] in "<>":
        assert (p < 0.001) if shown[0] == "<" else (p > 0.99)
    else:
        assert abs(float(shown) - p) <= 0.005
        assert (float(shown) < 0.05) == (p < 0.05)
        assert 0.0 < float(shown) < 1.0


@given(st.floats(1e-9, 1e9))
def test_a_ratio_keeps_three_significant_digits(value):
    assert float(ratio(value).replace(",", "")) == pytest.approx(value, rel=0.005)


@given(st.one_of(st.floats(-1e12, 1e12), st.floats(-1e-8, 1e-8)))
def test_a_threshold_keeps_four_significant_digits(value):
    shown = float(threshold(value).replace(",", "").replace("−", "-"))
    assert shown == pytest.approx(value, rel=5e-4, abs=1e-300)


@pytest.mark.parametrize("shown", [
    number(NAN), interval(NAN, 1.0), interval(0.0, NAN), p_value(NAN), count(NAN), percentage(NAN), ratio(NAN),
    threshold(NAN), estimate(NAN, 0.1, 0.2), power(NAN),
])  # fmt: skip
def test_undefined_is_a_dash(shown):
    assert shown == "–"


def test_infinity_and_minus_have_their_signs():
    assert (number(INF), number(-INF), ratio(INF)) == ("∞", "−∞", "∞")
    assert number(-0.25, 2) == "−0.25"
    assert number(-0.0001, 3) == "0.000"


def test_counts_stand_behind_proportions():
    assert proportion(1372, 1822) == "1,372/1,822"


def test_power_is_never_a_certainty():
    assert power(0.9999999) == "> 99%"
    assert power(0.75) == "75%"


def test_equations_carry_their_sign():
    assert p_equation(0.3) == "p = 0.30"
    assert p_equation(0.9999, "Holm-adjusted p") == "Holm-adjusted p > 0.99"


@pytest.mark.parametrize(
    ("width", "places"), [(0.235, 3), (0.09, 3), (0.5, 2), (0.9, 2), (0.004, 4), (1e-9, 4)]
)
def test_decimals_follow_the_width_of_the_intervals(width, places):
    assert decimal_places([width]) == places


def test_without_an_interval_three_decimals_are_given():
    assert decimal_places([]) == decimal_places([NAN, 0.0]) == 3
