"""Bootstrap-corrected optimism of a cut-off, against a loop over replicates and against the truth."""

import numpy as np
import pytest
from biomark.stats import cutoff_optimism, operating_point, optimal_cutoff
from biomark.stats.resampling import resampling_counts
from scipy.stats import norm


def data(n=60, seed=0, digits=1):
    rng = np.random.default_rng(seed)
    y = (np.arange(n) % 3 == 0).astype(int)
    return y, np.round(rng.normal(size=n) + y, digits)


def test_it_is_the_loop_of_its_definition():
    y, score = data()
    found = cutoff_optimism(y, score, n_boot=80, rng=4)
    gaps = []
    for counts in resampling_counts(60, 80, np.random.default_rng(4)):
        for row in counts.astype(int):
            y_b, score_b = np.repeat(y, row), np.repeat(score, row)
            cut = optimal_cutoff(y_b, score_b).threshold
            here, there = (operating_point(*pair, cut) for pair in ((y_b, score_b), (y, score)))
            gaps.append(
                [
                    getattr(here, name).value - getattr(there, name).value
                    for name in ("youden", "sensitivity", "specificity", "accuracy")
                ]
            )
    expected = np.mean(gaps, axis=0)
    measured = [found.youden, found.sensitivity, found.specificity, found.accuracy]
    assert [m.optimism for m in measured] == pytest.approx(expected, rel=1e-10)
    assert all(m.corrected == pytest.approx(m.apparent - m.optimism) for m in measured)


def test_the_apparent_values_are_those_of_the_chosen_cutoff():
    y, score = data()
    found, chosen = cutoff_optimism(y, score, n_boot=10, rng=0), optimal_cutoff(y, score)
    assert found.threshold == chosen.threshold
    assert found.sensitivity.apparent == pytest.approx(chosen.sensitivity)
    assert found.youden.apparent == pytest.approx(chosen.youden)


def test_the_correction_removes_most_of_the_bias():
    # 30 positives, 58 negatives at a true AUC of 0.8: the apparent index flatters by about 0.06 to 0.1.
    shift = np.sqrt(2) * norm.ppf(0.8)
    rng = np.random.default_rng(5)
    y = np.repeat([0, 1], [58, 30])
    apparent, corrected = [], []
    for k in range(150):
        score = rng.normal(size=88) + shift * y
        found = cutoff_optimism(y, score, n_boot=200, rng=k)
        true = norm.cdf(found.threshold) - norm.cdf(found.threshold - shift)
        apparent.append(found.youden.apparent - true)
        corrected.append(found.youden.corrected - true)
    assert np.mean(apparent) > 0.06
    assert abs(np.mean(corrected)) < 0.4 * np.mean(apparent)


def test_replicates_without_both_classes_are_counted():
    found = cutoff_optimism([0, 0, 0, 0, 1], [1, 2, 3, 4, 5], n_boot=500, rng=0)
    # A replicate lacks the one positive with probability 0.8^5 = 0.33, or all negatives with 0.2^5.
    assert 120 < found.n_undefined < 210


def test_clusters_are_resampled_whole():
    y, score = data()
    found = cutoff_optimism(y, score, n_boot=100, rng=0, cluster=np.arange(60) // 2)
    assert found.n_boot == 100 and found.youden.optimism > 0
