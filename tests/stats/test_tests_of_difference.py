"""Corrections for several tests, against their definitions."""

import numpy as np
import pytest
from biomark.errors import BiomarkError
from biomark.stats import benjamini_hochberg, bonferroni, holm

P = [0.01, 0.04, 0.03, 0.005, 0.5]


def test_holm_steps_down():
    order = np.argsort(P)
    expected = np.empty(5)
    expected[order] = np.minimum(np.maximum.accumulate(np.sort(P) * np.arange(5, 0, -1)), 1)
    assert holm(P) == pytest.approx(expected)


def test_benjamini_hochberg_steps_up():
    order = np.argsort(P)
    expected = np.empty(5)
    raised = np.sort(P) * 5 / np.arange(1, 6)
    expected[order] = np.minimum.accumulate(raised[::-1])[::-1]
    assert benjamini_hochberg(P) == pytest.approx(expected)


def test_bonferroni_multiplies():
    assert bonferroni(P) == pytest.approx(np.minimum(np.array(P) * 5, 1))


@pytest.mark.parametrize("adjust", [holm, bonferroni, benjamini_hochberg])
def test_missing_tests_stay_missing_and_do_not_count(adjust):
    with_gap = adjust([0.01, np.nan, 0.04])
    assert np.isnan(with_gap[1])
    assert with_gap[[0, 2]] == pytest.approx(adjust([0.01, 0.04]))


@pytest.mark.parametrize("adjust", [holm, bonferroni, benjamini_hochberg])
def test_no_test_at_all_gives_nothing(adjust):
    assert adjust([]).size == 0


@pytest.mark.parametrize("wrong", [[1.2], [-0.1], [[0.1]]])
def test_values_that_are_no_p_values_are_refused(wrong):
    with pytest.raises(BiomarkError, match="p_values"):
        holm(wrong)
