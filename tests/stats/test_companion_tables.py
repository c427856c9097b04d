"""Rows beside the main tables, traced to the functions that make them."""

import numpy as np
import pandas as pd
import pytest
from biomark import stats
from biomark.errors import BiomarkError
from biomark.stats.evaluation import evaluate
from biomark.stats.predictions import Predictions


def simulated(models=3, clustered=False, probabilities=True, n=120, seed=0):
    rng = np.random.default_rng(seed)
    rows = []
    for name in ("validation", "test"):
        truth = {label: rng.integers(0, 2, n) for label in ("ER", "PR")}
        age = rng.integers(30, 80, n)
        for label, y in truth.items():
            for m in range(models):
                score = rng.normal(size=n) + (0.5 + 0.4 * m) * y
                frame = pd.DataFrame(
                    {
                        "patient_id": [f"{name}{i}" for i in range(n)], "set": name, "model": f"M{m}", "label": label,
                        "y_true": y, "y_score": 1 / (1 + np.exp(-score)) if probabilities else score,
                        "age": age, "grade": np.where(age > 55, "high", "low"),
                    }
                )  # fmt: skip
                if clustered:
                    frame["cluster_id"] = [f"{name}{i // 2}" for i in range(n)]
                rows.append(frame)
    return Predictions.from_frame(pd.concat(rows))


@pytest.fixture(scope="module")
def evaluation():
    return evaluate(simulated(), n_boot=50, stratify_by=["grade", "age:50,65"])


def cell(predictions, name, label, model):
    frame = predictions.frame.query("set == @name and label == @label and model == @model").sort_values(
        "patient_id"
    )
    return frame["y_true"].to_numpy(), frame["y_score"].to_numpy()


def test_average_precision_stands_beside_the_prevalence(evaluation):
    y, score = cell(simulated(), "test", "ER", "M1")
    row = evaluation.precision_recall.query("set == 'test' and label == 'ER' and model == 'M1'").iloc[0]
    expected = stats.average_precision_ci(y, score)
    assert (row["average_precision"], row["ci_low"], row["ci_high"]) == (
        expected.value, expected.ci_low, expected.ci_high,
    )  # fmt: skip
    assert row["prevalence"] == y.mean()


def test_other_cutoffs_are_those_of_their_criteria(evaluation):
    y, score = cell(simulated(), "validation", "PR", "M0")
    rows = evaluation.cutoffs.query("set == 'validation' and label == 'PR' and model == 'M0'")
    assert rows["criterion"].tolist() == [
        "youden",
        "closest-topleft",
        "min-sensitivity 0.9",
        "min-specificity 0.9",
    ]
    found = stats.optimal_cutoff(y, score, criterion="min-sensitivity", minimum=0.9)
    assert rows["threshold"].iloc[2] == found.threshold and rows["sensitivity"].iloc[2] >= 0.9


def test_paired_accuracies_are_judged_at_the_locked_cutoffs(evaluation):
    predictions = simulated()
    rows = evaluation.paired_accuracy.query(
        "set == 'test' and label == 'ER' and model_a == 'M0' and model_b == 'M2'"
    )
    assert rows["cutoff"].unique().tolist() == ["locked"]
    calls = []
    for model in ("M0", "M2"):
        y, score = cell(predictions, "test", "ER", model)
        threshold = stats.optimal_cutoff(*cell(predictions, "validation", "ER", model)).threshold
        calls.append(score >= threshold)
    for metric in ("sensitivity", "specificity"):
        expected = stats.paired_accuracy_test(y, *calls, metric=metric)
        row = rows.query("metric == @metric").iloc[0]
        assert (row["difference"], row["p_value"], row["only_a"]) == (
            expected.difference, expected.p_value, expected.only_a,
        )  # fmt: skip


def test_paired_accuracies_of_a_set_share_holms_correction(evaluation):
    rows = evaluation.paired_accuracy.query("set == 'test'")
    np.testing.assert_array_equal(rows["p_holm"], stats.holm(rows["p_value"].to_numpy()))


def test_three_models_are_tested_at_once(evaluation):
    predictions = simulated()
    y = cell(predictions, "test", "ER", "M0")[0]
    expected = stats.delong_contrast_test(y, [cell(predictions, "test", "ER", f"M{m}")[1] for m in range(3)])
    row = evaluation.contrast.query("set == 'test' and label == 'ER'").iloc[0]
    assert (row["chi_square"], row["df"], row["p_value"]) == (
        expected.statistic,
        expected.df,
        expected.p_value,
    )
    assert row["models"] == "M0, M1, M2"


def test_two_models_need_no_joint_test():
    assert len(evaluate(simulated(models=2), n_boot=20).contrast) == 0


def test_clusters_reach_the_joint_test_and_the_interaction():
    predictions = simulated(clustered=True)
    found = evaluate(predictions, n_boot=20, stratify_by=["grade"])
    frame = predictions.frame.query("set == 'test' and label == 'ER'").sort_values("patient_id")
    scores = [frame.query(f"model == 'M{m}'")["y_score"].to_numpy() for m in range(3)]
    one = frame.query("model == 'M0'")
    expected = stats.clustered_contrast_test(one["y_true"], scores, one["cluster_id"])
    assert found.contrast.query("set == 'test' and label == 'ER'")["p_value"].iloc[0] == expected.p_value
    strata = stats.stratify(one["grade"].to_numpy(dtype=object))
    interaction = stats.interaction_test(
        one["y_true"], scores[0], strata.codes, cluster=one["cluster_id"].to_numpy()
    )
    row = found.interaction.query(
        "set == 'test' and label == 'ER' and model == 'M0' and variable == 'grade'"
    ).iloc[0]
    assert row["p_value"] == pytest.approx(interaction.p_value, rel=1e-12)


def test_calibration_and_net_benefit_are_those_of_the_judged_set(evaluation):
    y, score = cell(simulated(), "test", "PR", "M2")
    assert evaluation.calibration["set"].unique().tolist() == ["test"]
    row = evaluation.calibration.query("label == 'PR' and model == 'M2'").iloc[0]
    expected = stats.calibration_metrics(y, score)
    assert (row["slope"], row["slope_ci_low"], row["brier"]) == (
        expected.slope.value, expected.slope.ci_low, expected.brier.value,
    )  # fmt: skip
    benefit = evaluation.net_benefit.query("label == 'PR' and model == 'M2' and threshold == 0.3").iloc[0]
    assert benefit["net_benefit"] == stats.net_benefit(y, score, [0.3]).net_benefit[0]
    assert len(evaluation.calibration_curves) == 6


def test_scores_that_are_no_probabilities_are_not_judged_as_such():
    found = evaluate(simulated(probabilities=False), n_boot=20)
    assert (
        found.calibration["slope"].isna().all()
        and found.calibration["note"].str.contains("no probabilities").all()
    )
    assert not found.calibration_curves and not len(found.net_benefit_differences)


def test_the_baseline_describes_patients_by_set(evaluation):
    age = evaluation.baseline.query("variable == 'age' and group == 'test'").iloc[0]
    known = simulated().patient_columns("test")["age"]
    assert age["n"] == 120 and age["mean"] == pytest.approx(known.mean())


def test_further_columns_are_strata_too(evaluation):
    found = evaluation.strata.query("set == 'test' and label == 'ER' and model == 'M0'")
    assert found.query("variable == 'grade'")["stratum"].tolist() == ["high", "low"]
    assert found.query("variable == 'age'")["stratum"].tolist() == ["≤ 50", "> 50 to 65", "> 65"]
    assert evaluation.interaction["variable"].unique().tolist() == ["grade", "age"]


@pytest.mark.parametrize(
    ("by", "says"),
    [
        ("side", "no such column"),
        ("age", "different values; name thresholds"),
        ("age:fifty", "a column with thresholds such as"),
        ("grade:1", "it holds text"),
    ],
)
def test_columns_that_cannot_be_strata_are_refused(by, says):
    with pytest.raises(BiomarkError, match=says):
        evaluate(simulated(), n_boot=20, stratify_by=[by])
