"""Clustered AUCs against Obuchowski's own worked example and against pair-by-pair sums in R (auc_interval.R)."""

import json
from pathlib import Path

import numpy as np
import pytest
from biomark.stats import auc_ci, clustered_auc_test, obuchowski_covariance
from biomark.stats.clustered import _cluster_sums

CASES = json.loads((Path(__file__).parents[1] / "oracles" / "auc_interval.json").read_text(encoding="utf-8"))[
    "clustered"
]

# Obuchowski 1997: stenosis of the left and right carotid artery by magnetic resonance angiography, two readers;
# patient, stenosis at surgery, reader 1, reader 2. The 65 arteries that both readers scored.
ARTERIES = np.array(
    [
        *[(1, 1, 87, 87), (1, 1, 79, 83), (2, 1, 88, 94), (2, 1, 95, 93), (3, 1, 100, 100), (3, 1, 68, 79)],
        *[(4, 1, 65, 61), (4, 1, 89, 91), (5, 1, 97, 97), (5, 1, 100, 100), (6, 1, 100, 99), (6, 1, 89, 88)],
        *[(7, 1, 77, 77), (8, 1, 94, 89), (8, 0, 45, 44), (9, 1, 89, 92), (9, 0, -11, -17), (10, 1, 95, 91)],
        *[(10, 0, 30, 14), (11, 1, 95, 95), (11, 0, 10, -122), (12, 1, 100, 100), (12, 0, 19, -3)],
        *[(13, 1, 75, 75), (14, 0, 70, 73), (14, 1, 70, 81), (15, 0, 26, 27), (15, 1, 86, 93), (16, 0, 0, 8)],
        *[(16, 1, 65, 70), (17, 0, 6, 23), (17, 1, 100, 100), (18, 0, 76, 79), (18, 1, 96, 95)],
        *[(19, 0, 44, 55), (19, 1, 100, 100), (20, 0, 73, 67), (20, 1, 97, 94), (21, 1, 85, 86)],
        *[(22, 0, 58, 60), (22, 1, 100, 99), (23, 0, -2, -2), (23, 1, 100, 100), (24, 0, -3, -14)],
        *[(24, 0, 0, -11), (25, 0, 47, -3), (25, 0, -94, -90), (26, 0, -16, 17), (26, 0, 75, 85)],
        *[(27, 0, 5, -22), (27, 0, -1, -14), (28, 0, -6, -52), (29, 0, 37, 38), (29, 0, 47, 35)],
        *[
            (30, 0, 42, 40),
            (30, 0, 4, 6),
            (31, 0, 55, 23),
            (31, 0, 55, 45),
            (32, 0, 4, -87),
            (32, 0, -13, -65),
        ],
        *[(33, 0, 49, 24), (33, 0, 35, 9), (34, 0, 53, 66), (35, 0, 2, -15), (36, 0, -48, -78)],
    ]
)
PATIENT, STENOSIS, READERS = ARTERIES[:, 0], ARTERIES[:, 1], ARTERIES[:, 2:].T


def test_the_papers_example_has_its_printed_areas_and_standard_errors():
    assert (STENOSIS.size, np.unique(PATIENT).size, STENOSIS.sum()) == (65, 36, 29)
    aucs, covariance = obuchowski_covariance(STENOSIS, READERS, PATIENT)
    assert aucs.round(4).tolist() == [0.9837, 0.9852]
    assert np.sqrt(np.diag(covariance)).round(4).tolist() == [0.0108, 0.0097]


def test_the_papers_example_has_its_printed_components():
    sums = _cluster_sums(STENOSIS, READERS, PATIENT)
    assert (sums.n_pos, sums.n_neg, sums.with_pos, sums.with_neg) == (29, 36, 23, 27)
    s10 = 23 / (22 * 29) * sums.of_pos @ sums.of_pos.T
    s01 = 27 / (26 * 36) * sums.of_neg @ sums.of_neg.T
    s11 = 36 / 35 * sums.of_pos @ sums.of_neg.T
    assert s10 == pytest.approx(
        np.array([[0.0013151307, 0.0008484357], [0.0008484357, 0.0009284122]]), abs=5.1e-11
    )
    assert s01 == pytest.approx(
        np.array([[0.0022375873, 0.0019241250], [0.0019241250, 0.0022598583]]), abs=5.1e-11
    )
    assert s11 == pytest.approx(
        np.array([[0.0051785478, 0.0028648340], [-0.0015136931, -0.0005015760]]), abs=5.1e-11
    )


def test_the_papers_example_has_its_printed_comparison():
    found = clustered_auc_test(STENOSIS, READERS[1], READERS[0], PATIENT)
    assert round(found.difference, 4) == 0.0014
    assert (round(np.sqrt(found.variance), 4), round(found.p_value, 4)) == (0.0066, 0.8271)
    assert (round(found.ci_low, 4), round(found.ci_high, 4)) == (-0.0115, 0.0143)


def test_the_papers_interval_is_ours_but_for_the_part_above_one():
    found = auc_ci(STENOSIS, READERS[0], cluster=PATIENT)
    assert (round(found.ci_low, 4), found.ci_high) == (0.9625, 1.0)


def test_covariances_are_those_of_the_pairwise_sums_in_r():
    for case in CASES:
        aucs, covariance = obuchowski_covariance(case["y"], case["scores"], case["cluster"])
        assert aucs == pytest.approx(np.array(case["aucs"]), rel=1e-10)
        scale = float(np.abs(covariance).max())
        assert covariance == pytest.approx(np.array(case["covariance"]), rel=1e-10, abs=1e-12 * scale)


def test_the_test_uses_the_variance_of_the_difference():
    for case in CASES:
        _, covariance = obuchowski_covariance(case["y"], case["scores"], case["cluster"])
        found = clustered_auc_test(case["y"], *case["scores"], case["cluster"])
        expected = covariance[0, 0] + covariance[1, 1] - 2.0 * covariance[0, 1]
        assert found.variance == pytest.approx(expected, rel=1e-10)


def test_a_constant_difference_is_undefined_and_not_overwhelming():
    # Every patient differs by one third between the models: rounding must not pass for a variance.
    y, a, b = [0, 1, 0, 1, 0, 1], [1, 2, 3, 4, 5, 6], [2, 1, 4, 3, 6, 5]
    found = clustered_auc_test(y, a, b, range(6))
    assert found.variance == 0.0 and np.isnan(found.p_value) and "undefined" in found.method
