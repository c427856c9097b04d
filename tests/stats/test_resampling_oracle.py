"""Tests that resample against pROC's own, within the Monte Carlo error of both (tests/oracles/resampling.R)."""

import json
from pathlib import Path

import numpy as np
import pytest
from biomark.stats import bootstrap_test, delong_test, permutation_test, venkatraman_test

ORACLE = json.loads((Path(__file__).parents[1] / "oracles" / "resampling.json").read_text(encoding="utf-8"))
CASES = ORACLE["cases"]
N = ORACLE["n_resamples"]


@pytest.mark.parametrize("case", CASES)
def test_venkatramans_p_value_is_that_of_proc(case):
    ours = venkatraman_test(case["y"], *case["scores"], n_permutations=4000, rng=0)
    p = case["venkatraman"]["p"]
    assert ours.statistic == case["venkatraman"]["statistic"]
    assert ours.p_value == pytest.approx(p, abs=4.5 * np.sqrt(p * (1 - p) * (1 / N + 1 / 4000)) + 1e-3)


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("bootstrap", {"metric": "auc"}),
        ("partial", {"metric": "partial-auc", "bounds": (0.7, 1.0)}),
        ("at_specificity", {"metric": "sensitivity-at-specificity", "specificity": 0.8}),
    ],
)
def test_the_bootstrap_statistic_is_that_of_proc(case, name, options):
    ours = bootstrap_test(case["y"], *case["scores"], n_boot=N, rng=0, **options)
    # A standard deviation of 10,000 draws has a relative error of 0.7%; that of skewed ones a little more.
    assert ours.statistic == pytest.approx(case[name], rel=0.05)


@pytest.mark.parametrize("case", CASES)
def test_resampling_and_asymptotic_answers_lie_close(case):
    delong = delong_test(case["y"], *case["scores"])
    assert delong.p_value == pytest.approx(case["delong_p"], rel=1e-10)
    bootstrap = bootstrap_test(case["y"], *case["scores"], n_boot=N, rng=1)
    permutation = permutation_test(case["y"], *case["scores"], rng=1)
    # Not the same test: some 50 to 90 patients leave the statistics within about a tenth of each other.
    assert bootstrap.statistic == pytest.approx(delong.statistic, rel=0.1)
    assert permutation.statistic == pytest.approx(delong.statistic, rel=0.15)
    assert permutation.p_value == pytest.approx(delong.p_value, abs=0.04)


@pytest.mark.parametrize("specificity", [0.8, 0.7, 0.9, 0.6])
def test_a_vertical_step_is_climbed_whatever_the_rounding_of_one_minus_specificity(specificity):
    # 1 - 0.8 is a hair below 8 / 40: rounding must not decide which end of the step counts.
    y = np.repeat([0, 1], 40)
    score = np.concatenate([np.arange(40.0), np.arange(40.0) + 0.5])
    found = bootstrap_test(y, score, -score, metric="sensitivity-at-specificity", specificity=specificity,
                           n_boot=10, rng=0)  # fmt: skip
    below = round(specificity * 40)
    assert found.value_a == np.mean(score[y == 1] > below - 1)
