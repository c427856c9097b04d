"""Superiority, non-inferiority and equivalence."""

import numpy as np
import pytest
from biomark.errors import BiomarkError
from biomark.stats import (
    delong_test,
    delong_test_unpaired,
    equivalence_test,
    noninferiority_test,
    superiority_test,
)


def comparison(seed=0, n=200, gain=0.0):
    rng = np.random.default_rng(seed)
    y = np.arange(n) % 2
    shared = rng.normal(size=n)
    return delong_test(y, shared + 0.5 * rng.normal(size=n) + (1 + gain) * y, shared + y)


def test_superiority_without_margin_is_half_of_the_two_sided_test():
    found = comparison(gain=0.3)
    assert found.difference > 0
    assert superiority_test(found).p_value == pytest.approx(found.p_value / 2, rel=1e-12)


def test_the_interval_decides_as_the_test_does():
    for seed in range(30):
        found = comparison(seed=seed, n=60)
        for margin in (0.03, 0.1):
            noninferior = noninferiority_test(found, margin=margin)
            assert noninferior.shown == (noninferior.ci_low > -margin)
            equal = equivalence_test(found, margin=margin)
            assert equal.shown == (-margin < equal.ci_low and equal.ci_high < margin)


def test_a_wider_margin_is_easier():
    found = comparison()
    p_values = [noninferiority_test(found, margin=m).p_value for m in (0.01, 0.05, 0.2)]
    assert p_values == sorted(p_values, reverse=True)


def test_identical_models_are_noninferior_equivalent_and_not_superior():
    found = delong_test([0, 0, 1, 1], [1, 3, 2, 4], [1, 3, 2, 4])
    assert noninferiority_test(found, margin=0.05).p_value == 0.0
    assert equivalence_test(found, margin=0.05).shown
    assert superiority_test(found).p_value == 1.0


def test_unpaired_comparisons_use_t():
    rng = np.random.default_rng(0)
    y = np.arange(30) % 2
    found = delong_test_unpaired(y, rng.normal(size=30) + 2 * y, y, rng.normal(size=30) + y)
    assert superiority_test(found).p_value == pytest.approx(
        found.p_value / 2 if found.difference > 0 else 1 - found.p_value / 2
    )


def test_the_level_of_noninferiority_holds_at_the_margin():
    rng = np.random.default_rng(4)
    y = np.repeat([0, 1], 100)
    from scipy.stats import norm

    shift_b = np.sqrt(2) * norm.ppf(0.85)
    shift_a = np.sqrt(2) * norm.ppf(0.80)
    shown = 0
    for _ in range(800):
        a, b = rng.normal(size=200) + shift_a * y, rng.normal(size=200) + shift_b * y
        shown += noninferiority_test(delong_test(y, a, b), margin=0.05).shown
    assert 0.01 < shown / 800 < 0.045


@pytest.mark.parametrize("margin", [0.0, -0.1, float("nan"), float("inf")])
def test_margins_must_be_positive(margin):
    with pytest.raises(BiomarkError, match="margin must be positive"):
        noninferiority_test(comparison(), margin=margin)


def test_a_comparison_without_variance_is_refused():
    constant = delong_test([0, 0, 1, 1], [1, 2, 3, 4], [1, 1, 1, 1])
    with pytest.raises(BiomarkError, match="variance of the difference is 0"):
        superiority_test(constant)
