"""Coverage of intervals and level of tests on simulated studies: a small seeded slice of the simulation.

Scores are binormal with equal spread, 30 positives and 58 negatives; the whole grid is in docs/simulation.md. The
expected coverages were found in an independent simulation, so that both sides have a Monte Carlo error; a rate of
3,000 studies has a standard error of 0.4 to 0.6 percentage points.
"""

import numpy as np
import pytest
from biomark.stats import (
    auc_ci,
    clustered_auc_test,
    delong_contrast_test,
    delong_test,
    delong_test_unpaired,
    optimal_cutoff,
)
from scipy.stats import norm

STUDIES = 3000
Y = np.repeat([1, 0], [30, 58])


def shift_of(area):
    """Distance of the two normal distributions whose AUC this is."""
    return float(np.sqrt(2.0) * norm.ppf(area))


def studies(area, seed):
    return np.random.default_rng(seed).normal(size=(STUDIES, Y.size)) + shift_of(area) * Y


def error(rate, n=STUDIES):
    """Four standard errors of the difference of two such rates."""
    return 4.0 * np.sqrt(2.0 * rate * (1.0 - rate) / n)


@pytest.fixture(scope="module")
def intervals():
    """Each method's intervals of shape (studies, 2), for an AUC of 0.80 and of 0.95."""
    found = {}
    for area in (0.8, 0.95):
        draws = studies(area, seed=30)
        for method in ("delong", "delong-logit", "hanley-mcneil", "newcombe"):
            estimates = [auc_ci(Y, score, method=method) for score in draws]
            found[area, method] = np.array([(one.ci_low, one.ci_high) for one in estimates])
    return found


def covered(bounds, area):
    return float(np.mean((bounds[:, 0] <= area) & (area <= bounds[:, 1])))


@pytest.mark.parametrize(
    ("area", "method", "expected"),
    [
        (0.80, "delong", 0.936),
        (0.80, "delong-logit", 0.953),
        (0.95, "delong", 0.893),
        (0.95, "delong-logit", 0.944),
        (0.95, "hanley-mcneil", 0.955),
    ],
)
def test_coverage_is_the_expected_one(intervals, area, method, expected):
    assert covered(intervals[area, method], area) == pytest.approx(expected, abs=error(expected))


def test_newcombe_never_covers_too_little(intervals):
    for area in (0.8, 0.95):
        assert covered(intervals[area, "newcombe"], area) > 0.95 - error(0.95)


def test_near_one_wald_loses_what_logit_and_newcombe_keep(intervals):
    wald = covered(intervals[0.95, "delong"], 0.95)
    for method in ("delong-logit", "newcombe"):
        # The same studies, so the difference is much surer than either rate.
        assert covered(intervals[0.95, method], 0.95) - wald > 0.03


def test_wald_misses_on_one_side_near_one(intervals):
    low, high = intervals[0.95, "delong"].T
    too_high, too_low = np.mean(low > 0.95), np.mean(high < 0.95)
    assert too_high > 2.5 * too_low


def paired_scores(area_a, area_b, seed):
    rng = np.random.default_rng(seed)
    shared = rng.normal(size=(STUDIES, Y.size))
    # Half of the variance is shared: a correlation of 0.5 within either class.
    return tuple(
        (shared + rng.normal(size=shared.shape)) / np.sqrt(2.0) + shift_of(area) * Y
        for area in (area_a, area_b)
    )


def test_the_paired_test_keeps_its_level():
    a, b = paired_scores(0.8, 0.8, seed=1)
    p = np.array([delong_test(Y, *pair).p_value for pair in zip(a, b, strict=True)])
    assert np.mean(p < 0.05) == pytest.approx(0.05, abs=error(0.05))
    assert np.mean(p < 0.01) == pytest.approx(0.01, abs=error(0.01))


def test_the_interval_of_a_difference_covers_it():
    a, b = paired_scores(0.85, 0.75, seed=2)
    found = [delong_test(Y, *pair) for pair in zip(a, b, strict=True)]
    bounds = np.array([(one.ci_low, one.ci_high) for one in found])
    assert covered(bounds, 0.10) == pytest.approx(0.95, abs=error(0.95))


def test_the_unpaired_test_keeps_its_level():
    y = np.repeat([1, 0], [20, 30])
    a = studies(0.8, seed=3)
    b = np.random.default_rng(4).normal(size=(STUDIES, y.size)) + shift_of(0.8) * y
    p = np.array([delong_test_unpaired(Y, one, y, other).p_value for one, other in zip(a, b, strict=True)])
    assert np.mean(p < 0.05) == pytest.approx(0.05, abs=error(0.05))


def test_the_contrast_of_three_models_keeps_its_level():
    a, b = paired_scores(0.8, 0.8, seed=5)
    c, _ = paired_scores(0.8, 0.8, seed=6)
    p = [delong_contrast_test(Y, rows).p_value for rows in np.stack([a, b, c], axis=1)[:2000]]
    # The chi-square rejects a little too often in samples of this size.
    assert 0.035 < np.mean(np.array(p) < 0.05) < 0.075


@pytest.mark.parametrize(("correlation", "alone", "clustered"), [(0.5, 0.872, 0.920), (0.8, 0.836, 0.916)])
def test_two_lesions_of_a_patient_need_the_clustered_variance(correlation, alone, clustered):
    n = 1500
    rng = np.random.default_rng(44)
    cluster = np.repeat(np.arange(44), 2)
    held = {"alone": 0, "clustered": 0}
    for _ in range(n):
        y = np.repeat(rng.random(44) < 0.34, 2)
        noise = np.sqrt(correlation) * rng.normal(size=44)[cluster]
        score = noise + np.sqrt(1.0 - correlation) * rng.normal(size=88) + shift_of(0.8) * y
        for name, found in (("alone", auc_ci(y, score)), ("clustered", auc_ci(y, score, cluster=cluster))):
            held[name] += found.ci_low <= 0.8 <= found.ci_high
    assert held["alone"] / n == pytest.approx(alone, abs=error(alone, n))
    assert held["clustered"] / n == pytest.approx(clustered, abs=error(clustered, n))
    assert held["clustered"] - held["alone"] > 0.03 * n


def test_the_clustered_test_keeps_its_level_where_delong_does_not():
    n = 1200
    rng = np.random.default_rng(45)
    cluster = np.repeat(np.arange(60), 2)
    rejected = {"alone": 0, "clustered": 0}
    for _ in range(n):
        y = np.repeat(rng.random(60) < 0.4, 2)
        a, b = (
            np.sqrt(0.8) * rng.normal(size=60)[cluster]
            + np.sqrt(0.2) * rng.normal(size=120)
            + shift_of(0.8) * y
            for _ in range(2)
        )
        rejected["alone"] += delong_test(y, a, b).p_value < 0.05
        rejected["clustered"] += clustered_auc_test(y, a, b, cluster).p_value < 0.05
    assert rejected["alone"] / n > 0.11
    assert 0.03 < rejected["clustered"] / n < 0.08


def test_a_cutoff_looks_better_on_the_patients_it_was_chosen_from():
    shift = shift_of(0.8)
    apparent, true = [], []
    for score in studies(0.8, seed=7):
        cutoff = optimal_cutoff(Y, score)
        apparent.append(cutoff.youden)
        true.append(norm.sf(cutoff.threshold - shift) - norm.sf(cutoff.threshold))
    assert np.mean(apparent) == pytest.approx(0.520, abs=0.01)
    assert np.mean(true) == pytest.approx(0.425, abs=0.01)
