"""Precision, recall and average precision, against scikit-learn."""

import numpy as np
import pytest
from biomark.stats import average_precision, average_precision_ci, precision_recall_curve
from sklearn import metrics


def data(seed, ties):
    rng = np.random.default_rng(seed)
    y = rng.random(70) < 0.3
    score = rng.normal(size=70) + y
    return y, np.round(score, 0) if ties else score


@pytest.mark.parametrize("ties", [False, True])
@pytest.mark.parametrize("seed", range(5))
def test_curve_and_area_agree_with_scikit_learn(seed, ties):
    y, score = data(seed, ties)
    ours = precision_recall_curve(y, score)
    precision, recall, thresholds = metrics.precision_recall_curve(y, score)
    assert ours.precision[::-1] == pytest.approx(precision[:-1], rel=1e-12)
    assert ours.recall[::-1] == pytest.approx(recall[:-1], rel=1e-12)
    assert (ours.thresholds[::-1] == thresholds).all()
    expected = metrics.average_precision_score(y, score)
    assert average_precision(y, score) == pytest.approx(expected, rel=1e-12)


def test_constant_scores_give_the_prevalence():
    assert average_precision([0, 0, 0, 1], [1, 1, 1, 1]) == 0.25


def test_perfect_scores_give_one_and_an_interval_that_is_no_point():
    estimate = average_precision_ci([0] * 20 + [1] * 10, range(30))
    assert estimate.value == 1.0 and estimate.ci_low < 0.9 and estimate.ci_high == 1.0


def test_one_positive_still_gets_an_interval():
    estimate = average_precision_ci([0, 0, 0, 1], [1, 2, 3, 4])
    assert 0 < estimate.ci_low < estimate.ci_high <= 1


@pytest.mark.parametrize("method", ["logit", "bootstrap-percentile"])
def test_the_interval_holds_the_value(method):
    estimate = average_precision_ci(*data(0, False), method=method, n_boot=500, rng=0)
    assert estimate.ci_low < estimate.value < estimate.ci_high


def test_the_logit_interval_covers_the_truth():
    rng = np.random.default_rng(0)
    y = np.repeat([0, 1], [58, 30])
    big = np.repeat([0, 1], [580_000, 300_000])
    truth = average_precision(big, rng.normal(size=big.size) + 1.2 * big)
    held = 0
    for _ in range(600):
        estimate = average_precision_ci(y, rng.normal(size=88) + 1.2 * y)
        held += estimate.ci_low <= truth <= estimate.ci_high
    assert held / 600 > 0.93
