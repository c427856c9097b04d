"""Strata, and whether an AUC differs between them."""

import numpy as np
import pytest
from biomark.errors import BiomarkError
from biomark.stats import delong_test, delong_test_unpaired, interaction_test, stratify


def data(n=120, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.integers(0, 2, n)
    return y, rng.normal(size=n) + y, rng.normal(size=n) + y, rng.integers(0, 2, n)


def test_a_value_on_the_threshold_belongs_below_it():
    assert stratify([14.9, 15.0, 15.1], thresholds=15.0).codes.tolist() == [0, 0, 1]


def test_several_thresholds_make_named_strata_even_when_empty():
    strata = stratify([5.0, 60.0], thresholds=[20, 50], unit="mm")
    assert strata.names == ("≤ 20 mm", "> 20 to 50 mm", "> 50 mm")
    assert strata.codes.tolist() == [0, 2]


@pytest.mark.parametrize("missing", [float("nan"), None, ""])
def test_missing_categories_belong_nowhere(missing):
    strata = stratify(["b", missing, "a"])
    assert strata.names == ("a", "b") and strata.codes.tolist() == [1, -1, 0]


def test_missing_sizes_belong_nowhere():
    assert stratify([np.nan, 3.0], thresholds=5).codes.tolist() == [-1, 0]


def test_text_cannot_be_compared_with_a_threshold():
    with pytest.raises(BiomarkError, match="must be numbers"):
        stratify(["big"], thresholds=15)


def test_two_strata_give_the_unpaired_z_test():
    y, score, _, stratum = data()
    found = interaction_test(y, score, stratum)
    first, second = (stratum == 0), (stratum == 1)
    unpaired = delong_test_unpaired(y[first], score[first], y[second], score[second])
    assert found.statistic == pytest.approx(unpaired.statistic**2, rel=1e-10)
    assert found.difference == pytest.approx(unpaired.difference, rel=1e-10)


def test_the_difference_of_models_is_tested_across_strata():
    y, a, b, stratum = data()
    found = interaction_test(y, a, stratum, score_b=b)
    parts = [delong_test(y[stratum == k], a[stratum == k], b[stratum == k]) for k in (0, 1)]
    expected = (parts[0].difference - parts[1].difference) / np.sqrt(sum(p.variance for p in parts))
    assert found.statistic == pytest.approx(expected**2, rel=1e-9)


def test_identical_models_never_interact():
    y, a, _, stratum = data()
    found = interaction_test(y, a, stratum, score_b=a)
    assert found.p_value == 1.0 and found.statistic == 0.0


def test_several_strata_give_cochrans_q():
    y, score, _, _ = data(n=300)
    stratum = np.arange(300) % 3
    found = interaction_test(y, score, stratum)
    weights = 1 / found.variances
    centre = np.average(found.estimates, weights=weights)
    assert found.df == 2
    assert found.statistic == pytest.approx(np.sum(weights * (found.estimates - centre) ** 2), rel=1e-12)
    assert np.isnan(found.difference)


def test_patients_without_a_stratum_are_left_out():
    y, score, _, stratum = data()
    codes = np.where(np.arange(120) < 20, -1, stratum)
    assert interaction_test(y, score, codes).statistic == pytest.approx(
        interaction_test(y[20:], score[20:], stratum[20:]).statistic
    )


def test_the_level_of_the_test_is_kept():
    rng = np.random.default_rng(0)
    y = np.tile([0, 0, 1, 0, 1], 24)
    stratum = np.repeat([0, 1], 60)
    rejected = np.mean(
        [interaction_test(y, rng.normal(size=120) + y, stratum).p_value < 0.05 for _ in range(600)]
    )
    assert 0.03 < rejected < 0.085


def test_a_single_stratum_is_refused():
    with pytest.raises(BiomarkError, match="at least two strata"):
        interaction_test([0, 0, 1, 1], [1, 2, 3, 4], [0, 0, 0, 0])


def test_a_stratum_without_a_class_is_refused():
    with pytest.raises(BiomarkError, match="positives and negatives"):
        interaction_test([0, 1, 0, 1, 0, 0], [1, 2, 3, 4, 5, 6], [0, 0, 0, 0, 1, 1])
