import json
from pathlib import Path

import numpy as np
import pytest
from biomark.errors import BiomarkError
from biomark.stats.local_regression import LocalRegression
from hypothesis import given, settings
from hypothesis import strategies as st

ORACLE = json.loads((Path(__file__).parents[1] / "oracles" / "calibration.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize("case", ORACLE["cases"])
def test_fit_and_its_weights_match_r_loess_with_a_direct_surface(case):
    smooth = LocalRegression(case["p"], case["y"], span=case["span"], degree=case["degree"])
    fit = smooth(case["at"])
    assert fit.value == pytest.approx(case["curve"], rel=1e-10, abs=1e-11)
    assert 1.0 / fit.effective_n == pytest.approx(case["norm2"], rel=1e-9)


def slow_fit(x, y, at, span, degree):
    """Weighted least squares on the q nearest, as the definition says it."""
    distance = np.abs(x - at)
    reach = np.sort(distance)[int(span * x.size + 1e-5) - 1]
    weight = np.clip(1 - (distance / reach) ** 3, 0, None) ** 3
    design = np.vander(x - at, degree + 1, increasing=True) * np.sqrt(weight)[:, None]
    return np.linalg.lstsq(design, y * np.sqrt(weight), rcond=None)[0][0]


@pytest.mark.parametrize("degree", [0, 1, 2])
def test_fit_is_weighted_least_squares_on_the_nearest(degree):
    rng = np.random.default_rng(1)
    x, y = rng.normal(size=(2, 60))
    for at in (-1.0, 0.0, 0.3, 2.5):
        found = LocalRegression(x, y, span=0.4, degree=degree)([at]).value[0]
        assert found == pytest.approx(slow_fit(x, y, at, 0.4, degree), rel=1e-9)


@settings(deadline=None, max_examples=40)
@given(seed=st.integers(0, 10**6), n=st.integers(5, 60), ties=st.booleans())
def test_a_parabola_is_reproduced_and_the_order_of_patients_plays_no_part(seed, n, ties):
    rng = np.random.default_rng(seed)
    x = rng.integers(0, 12, n) / 11 if ties else rng.random(n)
    y = 1 - 2 * x + 3 * x**2
    at = np.linspace(x.min(), x.max(), 5)
    window = LocalRegression(x, y, span=1.0)
    if np.unique(x).size > 4:
        assert window(at).value == pytest.approx(1 - 2 * at + 3 * at**2, abs=1e-6)
    order = rng.permutation(n)
    noisy = rng.random(n)
    one, other = LocalRegression(x, noisy)(at), LocalRegression(x[order], noisy[order])(at)
    assert one.value == pytest.approx(other.value, rel=1e-7, abs=1e-9)


def test_patients_at_one_place_are_averaged():
    fit = LocalRegression([0.3] * 4, [0, 1, 1, 1])([0.3])
    assert fit.value[0] == pytest.approx(0.75) and fit.effective_n[0] == pytest.approx(4.0)


def test_two_places_give_the_two_means():
    x, y = np.repeat([0.2, 0.6], 10), np.tile([0, 1, 1, 1, 1], 4)
    assert LocalRegression(x, y, span=0.75).at_patients(x) == pytest.approx(np.full(20, 0.8))
    y = np.repeat([0.0, 1.0], 10)
    assert LocalRegression(x, y, span=0.75).at_patients(x) == pytest.approx(y, abs=1e-9)


def test_grouping_of_many_patients_moves_the_curve_by_less_than_a_hundredth_of_its_error():
    rng = np.random.default_rng(3)
    x = rng.beta(0.6, 2.0, 4000)
    y = rng.random(4000) < x
    at = np.linspace(x.min(), x.max(), 41)
    grouped, exact = LocalRegression(x, y)(at), LocalRegression(x, y, most_groups=4000)(at)
    error = np.sqrt(exact.value * (1 - exact.value) / exact.effective_n)
    assert np.all(np.abs(grouped.value - exact.value) < 0.01 * error)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"span": 0.0}, "span must lie strictly"),
        ({"span": 1.5}, "span must lie"),
        ({"degree": 3}, "degree must be 0, 1"),
    ],
)
def test_options_out_of_range_are_refused(options, message):
    with pytest.raises(BiomarkError, match=message):
        LocalRegression([1, 2, 3], [1, 2, 3], **options)
