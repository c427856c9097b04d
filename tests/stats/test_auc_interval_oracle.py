"""Intervals of an AUC against R: pROC for DeLong, the papers' formulas for the others (tests/oracles)."""

import gzip
import json
from pathlib import Path

import numpy as np
import pytest
from biomark.stats import auc, auc_ci, hanley_mcneil_variance, unpaired_auc_sample_size
from scipy.stats import norm

ORACLES = Path(__file__).parents[1] / "oracles"
with gzip.open(ORACLES / "proc.json.gz", "rt") as handle:
    PROC = json.load(handle)
ANSWERS = json.loads((ORACLES / "auc_interval.json").read_text(encoding="utf-8"))
CASES = [
    (
        case["name"],
        np.array([int(c) for c in case["y"]]),
        np.array(case["scores"][0], dtype=float),
        case,
        answer,
    )
    for case, answer in zip(PROC["data_sets"], ANSWERS["intervals"], strict=True)
]
# Hanley and McNeil 1982, table I: CT ratings 1 to 5 of 58 normal and 51 abnormal patients.
CT_NORMAL, CT_ABNORMAL = [33, 6, 6, 11, 2], [3, 2, 2, 11, 33]


def bounds(estimate):
    return estimate.ci_low, estimate.ci_high


def test_delong_intervals_are_those_of_proc():
    compared = 0
    for name, y, _, case, _ in CASES:
        for score, roc in zip(case["scores"], case["rocs"], strict=True):
            # NA with one of a class, a point where the variance is 0: there biomark gives Newcombe's interval.
            if roc["ci"][0] is None or roc["variance"] < 1e-20:
                continue
            for confidence, theirs in ((0.95, roc["ci"]), (0.8, roc["ci80"])):
                ours = auc_ci(y, score, confidence=confidence)
                assert ours.method == "delong", name
                assert bounds(ours) == pytest.approx(theirs, rel=1e-10, abs=1e-12), name
            compared += 1
    assert compared >= 580


def test_where_proc_has_a_point_or_nothing_the_interval_is_newcombes():
    degenerate = 0
    for name, y, score, case, answer in CASES:
        roc = case["rocs"][0]
        if roc["ci"][0] is None or roc["variance"] < 1e-20:
            ours = auc_ci(y, score)
            assert ours.method.startswith("newcombe (the variance of delong is"), name
            assert bounds(ours) == pytest.approx(answer["newcombe"], rel=1e-10, abs=1e-12), name
            assert 0.0 <= ours.ci_low < ours.ci_high <= 1.0, name
            degenerate += 1
    assert degenerate >= 8


def test_logit_intervals_are_the_formula_with_the_variance_of_proc():
    compared = 0
    for name, y, score, _, answer in CASES:
        if answer["logit"][0] is None or not auc_ci(y, score).variance > 1e-20:
            continue
        ours = auc_ci(y, score, method="delong-logit")
        assert bounds(ours) == pytest.approx(answer["logit"], rel=1e-10), name
        compared += 1
    assert compared >= 190


def test_hanley_mcneil_intervals_are_the_formula():
    for name, y, score, _, answer in CASES:
        ours = auc_ci(y, score, method="hanley-mcneil")
        variance = hanley_mcneil_variance(answer["auc"], int(y.sum()), int((1 - y).sum()))
        assert variance == pytest.approx(answer["hm_variance"], rel=1e-10, abs=1e-18), name
        if answer["hm_variance"] > 1e-20:
            assert bounds(ours) == pytest.approx(answer["hm"], rel=1e-10, abs=1e-12), name


def test_newcombe_intervals_are_the_roots_that_r_finds():
    for name, y, score, _, answer in CASES:
        ours = auc_ci(y, score, method="newcombe")
        assert ours.auc == pytest.approx(answer["auc"], abs=1e-15), name
        # R's root finder stops at about 1e-14, absolute.
        assert bounds(ours) == pytest.approx(answer["newcombe"], rel=1e-10, abs=2e-13), name


def ct_example():
    y = np.repeat([0, 1], [58, 51])
    return y, np.concatenate([np.repeat(np.arange(1, 6), CT_NORMAL), np.repeat(np.arange(1, 6), CT_ABNORMAL)])


def test_hanley_and_mcneils_worked_example():
    # The paper prints an area of 0.893 with a standard error of 0.032.
    estimate = auc_ci(*ct_example(), method="hanley-mcneil")
    assert round(estimate.auc, 3) == 0.893
    assert round(np.sqrt(estimate.variance), 3) == pytest.approx(0.032, abs=0.0011)


def test_the_exponential_model_is_where_hanley_and_mcneils_variance_is_exact():
    # Q1 and Q2 of exponential scores by counting triples of a million draws, not by the formula.
    rng = np.random.default_rng(4)
    pos, neg = rng.exponential(4.0, (2, 1_000_000)), rng.exponential(1.0, (2, 1_000_000))
    area = 0.8
    q1 = np.mean((pos[0] > neg[0]) & (pos[1] > neg[0]))
    q2 = np.mean((pos[0] > neg[0]) & (pos[0] > neg[1]))
    counted = (area * (1 - area) + 29 * (q1 - area**2) + 57 * (q2 - area**2)) / (30 * 58)
    assert hanley_mcneil_variance(area, 30, 58) == pytest.approx(counted, rel=0.03)


def test_hanley_and_mcneils_table_of_sizes():
    """Table III, first row: 652, 897 and 1,131 of either class to tell 0.70 from 0.75 with 80, 90 and 95% power.

    R reproduces it from the paper's form: twice the variance at the first area under H0, quantiles of two or three
    figures, truncated. biomark puts the null pair at the mean of the two areas, so that their order does not matter;
    its numbers lie between those of the paper's form with the one and with the other area first.
    """
    table = {(0.7, 0.75): (652, 897, 1131)}
    for row in ANSWERS["sizes"]:
        first, second = row["first"], row["second"]
        printed = table.get((first, second))
        assert printed is None or tuple(int(size) for size in row["size"]) == printed
        for k, power in enumerate((0.8, 0.9, 0.95)):
            ours, back = (
                unpaired_auc_sample_size(
                    *pair, power=power, alternative="one-sided", method="hanley-mcneil-large-sample"
                ).n_pos_a_exact
                for pair in ((first, second), (second, first))
            )
            assert ours == pytest.approx(back, rel=1e-12)
            assert row["exchanged"][k] < ours < row["size"][k]


def test_bounds_solve_the_score_equation():
    y, score = ct_example()
    estimate = auc_ci(y, score, method="newcombe", confidence=0.9)
    for bound in bounds(estimate):
        variance = hanley_mcneil_variance(bound, 54.5, 54.5) * 54.5**2 / (51 * 58)
        assert abs(estimate.auc - bound) == pytest.approx(norm.ppf(0.95) * np.sqrt(variance), rel=1e-9)


def test_bootstrap_intervals_agree_with_delong_in_large_samples():
    rng = np.random.default_rng(8)
    y = np.repeat([0, 1], 1500)
    score = rng.normal(size=3000) + y
    delong = auc_ci(y, score)
    for method in ("bootstrap-percentile", "bootstrap-bca"):
        ours = auc_ci(y, score, method=method, n_boot=4000, rng=1)
        # A bound is a quantile of 4,000 draws: its standard error is about 4% of the half width.
        assert bounds(ours) == pytest.approx(bounds(delong), abs=0.12 * (delong.ci_high - delong.ci_low))
        assert ours.auc == auc(y, score)
