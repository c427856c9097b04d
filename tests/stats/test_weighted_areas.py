"""Partial areas and average precision of replicates, against the curve of each replicate and of repeated patients."""

import numpy as np
import pytest
from biomark.stats import average_precision, bootstrap_test, partial_auc
from biomark.stats.bootstrap import WeightedCurve
from biomark.stats.weighted_areas import (
    average_precision_by,
    average_precision_of,
    partial_areas_by,
    partial_areas_of,
)


def patients(n, decimals, seed=0):
    rng = np.random.default_rng(seed)
    y = rng.random(n) < 0.4
    y[:2] = True, False
    score = (rng.normal(size=n) + y).round(decimals)
    return y, score, rng.multinomial(n, np.full(n, 1.0 / n), size=40).astype(np.uint8)


@pytest.mark.parametrize("decimals", [9, 1, 0])
@pytest.mark.parametrize("n", [5, 60, 300])
def test_the_sum_over_positives_is_the_area_under_the_curve(n, decimals):
    y, score, counts = patients(n, decimals)
    curve = WeightedCurve(y, score)(counts)
    for low, high in ((0.0, 0.1), (0.2, 0.35), (0.0, 1.0), (0.9, 1.0)):
        found = partial_areas_by(y, score, low, high)(counts)
        assert found == pytest.approx(partial_areas_of(*curve, low, high), rel=1e-12, abs=1e-14, nan_ok=True)
    found = average_precision_by(y, score)(counts)
    assert found == pytest.approx(average_precision_of(*curve), rel=1e-12, nan_ok=True)


@pytest.mark.parametrize("decimals", [9, 1])
def test_a_replicate_is_the_same_as_its_patients_repeated(decimals):
    y, score, counts = patients(50, decimals, seed=1)
    areas, precisions = partial_areas_by(y, score, 0.0, 0.2)(counts), average_precision_by(y, score)(counts)
    for times, area, precision in zip(counts, areas, precisions, strict=True):
        repeated = np.repeat(y, times), np.repeat(score, times)
        assert area == pytest.approx(partial_auc(*repeated, bounds=(0.8, 1.0)), rel=1e-12)
        assert precision == pytest.approx(average_precision(*repeated), rel=1e-12)


def test_replicates_without_a_class_have_no_area():
    y, score = np.array([True, False, False]), np.array([0.7, 0.2, 0.5])
    counts = np.array([[3, 0, 0], [0, 1, 2], [1, 1, 1]], dtype=np.uint8)
    assert partial_areas_by(y, score, 0.0, 0.5)(counts) == pytest.approx([np.nan, np.nan, 0.5], nan_ok=True)
    assert average_precision_by(y, score)(counts) == pytest.approx([1.0, np.nan, 1.0], nan_ok=True)


@pytest.mark.parametrize("metric", ["partial-auc", "average-precision"])
def test_the_bootstrap_test_of_either_says_nothing_of_equal_models(metric):
    y, score, _ = patients(80, 9, seed=2)
    result = bootstrap_test(y, score, score, metric=metric, n_boot=50, rng=0)
    assert result.difference == 0.0 and result.p_value == 1.0
