"""DeLong's variance and tests against R's pROC, on 232 data sets and on aSAH (tests/oracles/proc.R).

pROC takes the variance of a difference as Var_a + Var_b - 2 Cov_ab and so loses digits where that is small;
biomark takes it from the differences of the placement values. The tolerance of 1e-10 is widened by exactly that
loss (a few rounding errors of Var_a + Var_b over the variance of the difference), nowhere else.
"""

import gzip
import json
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from biomark.stats import (
    auc_ci,
    delong_contrast_test,
    delong_covariance,
    delong_test,
    delong_test_unpaired,
)

ORACLES = Path(__file__).parents[1] / "oracles"
with gzip.open(ORACLES / "proc.json.gz", "rt") as handle:
    PROC = json.load(handle)
CASES = [*PROC["data_sets"], PROC["asah"]]
# One positive or one negative: pROC says NA, and has no pairs.
WITH_VARIANCE = [case for case in CASES if "pairs" in case]
PAIRS = list(combinations(range(3), 2))


def labels(text):
    return np.array([int(c) for c in text])


def close(ours, theirs, rel=1e-10):
    """Equal to ``rel``; where the truth is 0, pROC's sums end a few rounding errors beside it."""
    return ours == pytest.approx(float(theirs), rel=rel, abs=1e-15)


def rounding(case, first, second, comparison):
    """What pROC's subtraction can lose of the variance of a difference, relative to it."""
    total = case["rocs"][first]["variance"] + case["rocs"][second]["variance"]
    return 1e-10 + 16.0 * np.finfo(float).eps * total / comparison.variance


def test_the_oracle_is_what_it_is_said_to_be():
    assert len(PROC["data_sets"]) >= 200
    scores = [np.array(case["scores"][0]) for case in PROC["data_sets"]]
    tied = sum(np.unique(score).size < score.size for score in scores)
    areas = [case["rocs"][0]["auc"] for case in PROC["data_sets"]]
    prevalences = [labels(case["y"]).mean() for case in PROC["data_sets"]]
    assert 60 <= tied <= len(scores) - 60
    assert min(areas) == 0.0 and max(areas) == 1.0 and np.ptp(prevalences) > 0.85
    assert max(np.abs(score).max() for score in scores) > 1e150
    assert min(np.abs(score).max() for score in scores) < 1e-299
    assert (min(map(len, scores)), max(map(len, scores))) == (3, 500)
    assert PROC["made_by"]["pROC"] == "1.18.0"


def test_aucs_and_covariances_are_those_of_proc():
    for case in WITH_VARIANCE:
        aucs, covariance = delong_covariance(labels(case["y"]), case["scores"])
        for k, roc in enumerate(case["rocs"]):
            assert close(aucs[k], roc["auc"]), case["name"]
            assert close(covariance[k, k], roc["variance"]), case["name"]
        for (i, j), pair in zip(PAIRS, case["pairs"], strict=True):
            # A covariance is a difference of larger terms: its error scales with the two variances.
            scale = np.sqrt(covariance[i, i] * covariance[j, j])
            assert covariance[i, j] == pytest.approx(pair["covariance"], rel=1e-10, abs=1e-13 * scale + 1e-18)


def test_one_variance_serves_the_interval_and_the_test():
    for case in WITH_VARIANCE:
        for score, roc in zip(case["scores"], case["rocs"], strict=True):
            assert close(auc_ci(labels(case["y"]), score).variance, roc["variance"]), case["name"]


def test_paired_tests_are_those_of_proc():
    compared = 0
    for case in WITH_VARIANCE:
        for (i, j), pair in zip(PAIRS, case["pairs"], strict=True):
            ours = delong_test(labels(case["y"]), case["scores"][i], case["scores"][j])
            if pair["statistic"] is None or np.isinf(float(pair["statistic"])) or not ours.variance > 1e-28:
                continue
            rel = rounding(case, i, j, ours)
            assert close(ours.statistic, pair["statistic"], rel), case["name"]
            # p falls off like exp(-z^2 / 2): an error of z grows z^2-fold on its way to p.
            assert close(ours.p_value, pair["p"], rel * (1.0 + ours.statistic**2)), case["name"]
            # An AUC difference lies in [-1, 1]; pROC lets its interval run out of that.
            low, high = np.clip(np.array(pair["ci"], dtype=float), -1.0, 1.0)
            assert close(ours.ci_low, low, 10.0 * rel), case["name"]
            assert close(ours.ci_high, high, 10.0 * rel), case["name"]
            compared += 1
    assert compared >= 550


def test_where_the_variance_of_the_difference_is_zero_the_definitions_part():
    """0 / 0 is NaN in pROC and 'no difference' here; x / 0 is p = 0 in pROC and undefined here."""
    seen = {"no difference": 0, "undefined": 0}
    for case in WITH_VARIANCE:
        for (i, j), pair in zip(PAIRS, case["pairs"], strict=True):
            ours = delong_test(labels(case["y"]), case["scores"][i], case["scores"][j])
            if ours.variance > 1e-28:
                continue
            if ours.difference == 0.0:
                assert (ours.statistic, ours.p_value) == (0.0, 1.0)
                ranks = [np.unique(case["scores"][k], return_inverse=True)[1] for k in (i, j)]
                if (ranks[0] == ranks[1]).all():
                    assert (ours.ci_low, ours.ci_high) == (0.0, 0.0)
                else:
                    assert ours.ci_low < 0.0 < ours.ci_high and "Newcombe" in ours.method
                assert pair["statistic"] is None or abs(float(pair["statistic"])) < np.inf, case["name"]
                seen["no difference"] += 1
            else:
                assert np.isnan(ours.p_value) and "undefined" in ours.method, case["name"]
                seen["undefined"] += 1
    assert min(seen.values()) >= 2


def test_unpaired_tests_are_those_of_proc():
    compared = 0
    for case in WITH_VARIANCE:
        if case.get("unpaired") is None or case["unpaired"]["df"] is None:
            continue
        ours = delong_test_unpaired(
            labels(case["y"]), case["scores"][0], labels(case["other_y"]), case["other_score"]
        )
        theirs = case["unpaired"]
        assert close(ours.df, theirs["df"]), case["name"]
        assert close(ours.statistic, theirs["statistic"]), case["name"]
        assert close(ours.p_value, theirs["p"]), case["name"]
        compared += 1
    assert compared >= 200


def test_unpaired_tests_of_asah_are_those_of_proc():
    case = PROC["asah"]
    y = labels(case["y"])
    for (i, j), theirs in zip(PAIRS, case["unpaired_pairs"], strict=True):
        ours = delong_test_unpaired(y, case["scores"][i], y, case["scores"][j])
        assert close(ours.statistic, theirs["statistic"])
        assert close(ours.df, theirs["df"])
        assert close(ours.p_value, theirs["p"])


def test_asah_gives_the_numbers_that_are_known_from_papers():
    case = PROC["asah"]
    y, (s100b, wfns, ndka) = labels(case["y"]), case["scores"]
    aucs, covariance = delong_covariance(y, [s100b, wfns, ndka])
    assert aucs == pytest.approx([0.731368563686, 0.823678861789, 0.61195799458], abs=1e-11)
    assert np.diag(covariance) == pytest.approx(
        [0.00266868245717, 0.00146991470882, 0.00319081054939], rel=1e-11
    )
    paired, unpaired = delong_test(y, s100b, wfns), delong_test_unpaired(y, s100b, y, wfns)
    assert (paired.statistic, paired.p_value) == pytest.approx((-2.20898359144, 0.0271757822292), rel=1e-11)
    assert (unpaired.statistic, unpaired.df, unpaired.p_value) == pytest.approx(
        (-1.43490640927, 206.661063788, 0.152825378809), rel=1e-11
    )


def test_the_oracle_holds_the_asah_of_the_csv_file():
    rows = (ORACLES / "asah.csv").read_text(encoding="utf-8").splitlines()
    columns = rows[0].replace('"', "").split(",")
    values = [dict(zip(columns, row.replace('"', "").split(","), strict=True)) for row in rows[1:]]
    case = PROC["asah"]
    assert len(values) == 113
    assert labels(case["y"]).tolist() == [int(row["outcome"] == "Poor") for row in values]
    for name, score in zip(("s100b", "wfns", "ndka"), case["scores"], strict=True):
        assert score == [float(row[name]) for row in values]


def test_contrasts_of_three_models_are_those_of_the_matrix_formula():
    answers = json.loads((ORACLES / "auc_interval.json").read_text(encoding="utf-8"))["intervals"]
    compared = 0
    for case, answer in zip(PROC["data_sets"], answers, strict=True):
        if not answer["contrast"]:
            continue
        ours = delong_contrast_test(labels(case["y"]), case["scores"])
        # R's covariance of the contrasts is inverted as it stands; up to 1e4 in condition number.
        assert close(ours.statistic, answer["contrast"][0], 1e-9), case["name"]
        assert close(ours.p_value, answer["contrast"][1], 1e-9 * (1.0 + ours.statistic)), case["name"]
        assert ours.df == 2.0
        compared += 1
    assert compared >= 150


def test_nearly_equal_models_of_a_large_study_are_not_taken_for_the_same():
    # The variance of the difference is then far below that of either AUC, and still no rounding.
    rng = np.random.default_rng(3)
    y = np.arange(100_000) % 3 == 0
    a = rng.normal(size=y.size) + y
    b = a.copy()
    b[:400] += rng.normal(0.0, 0.005, 400)
    z, chi = delong_test(y, a, b), delong_contrast_test(y, [a, b])
    assert 0.0 < z.variance < 1e-12
    assert chi.df == 1.0
    assert chi.statistic == pytest.approx(z.statistic**2, rel=1e-4)
