import numpy as np
import pandas as pd
import pytest
from biomark import Predictions, stats
from biomark.stats.baseline import BASELINE_COLUMNS
from biomark.stats.individual import Cell
from biomark.stats.patient_baseline import baseline_of_predictions, baseline_rows
from biomark.stats.probability_tables import (
    CALIBRATION_COLUMNS,
    NET_BENEFIT_COLUMNS,
    NET_BENEFIT_DIFFERENCE_COLUMNS,
    calibration_curve_of_cell,
    calibration_rows,
    net_benefit_difference_rows,
    net_benefit_rows,
)


def cell(model="net", n=80, seed=0, **changes):
    """A cell of simulated patients."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    truth = np.random.default_rng(99).random(n) < 0.4
    parts = {"y_true": truth, "y_score": 1 / (1 + np.exp(-x - truth)), "cluster": None} | changes
    n = parts["y_true"].size
    return Cell("test", "ER", model, parts["y_true"], parts["y_score"], np.arange(n), parts["cluster"])


def simulated_predictions(n=60):
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(
        {"patient_id": [f"P{k}" for k in range(n)], "set": ["validation", "test"] * (n // 2)}
    )
    frame["size_mm"], frame["age"] = rng.uniform(5, 40, n), rng.normal(50, 10, n).round()
    frame["menopause"] = rng.choice(["yes", "no"], n)
    for label in ("ER", "PR"):
        frame[label] = rng.integers(0, 2, n)
        frame[f"net:{label}"] = rng.random(n)
    frame.loc[3, "ER"] = np.nan
    return frame


def test_calibration_row_holds_what_calibration_metrics_gives():
    one = cell()
    (row,) = calibration_rows(one, 0.95)
    assert set(row) == set(CALIBRATION_COLUMNS)
    found = stats.calibration_metrics(one.y_true, one.y_score)
    assert row["slope"] == found.slope.value and row["brier_ci_high"] == found.brier.ci_high
    assert row["reliability"] == found.decomposition.reliability and row["note"] == ""
    (drawn,) = calibration_rows(one, 0.95, n_boot=50, rng=1)
    assert drawn["ici_ci_low"] < drawn["ici_ci_high"] and np.isnan(row["ici_ci_low"])


def test_net_benefit_rows_hold_what_net_benefit_gives():
    one = cell()
    rows = pd.DataFrame(net_benefit_rows(one, 0.9), columns=list(NET_BENEFIT_COLUMNS))
    assert len(rows) == 99 and not rows.drop(columns="note").isna().any().any()
    found = stats.net_benefit(one.y_true, one.y_score, confidence=0.9)
    assert rows["net_benefit"].tolist() == found.net_benefit.tolist()
    assert rows["ci_low"].tolist() == found.ci_low.tolist() and (rows["treat_none"] == 0).all()


def test_difference_rows_take_the_patients_that_both_models_judge():
    a, b = cell("a"), cell("b", seed=5)
    b = b.subset(np.arange(80) > 9)
    rows = pd.DataFrame(net_benefit_difference_rows([a, b], 0.95, thresholds=[0.2, 0.5]))
    assert tuple(rows.columns) == NET_BENEFIT_DIFFERENCE_COLUMNS and (rows["n"] == 70).all()
    found = stats.net_benefit_difference(a.y_true[10:], a.y_score[10:], b.y_score, [0.2, 0.5])
    assert rows["p_value"].tolist() == found.p_value.tolist()
    (refused,) = net_benefit_difference_rows([a, cell("b", y_score=np.full(80, 2.0))], 0.95)
    assert "must lie in [0, 1]" in refused["note"]


def test_scores_that_are_no_probabilities_give_a_row_that_says_so():
    odd = cell(y_score=np.linspace(-3, 3, 80))
    (row,) = calibration_rows(odd, 0.95)
    assert row["note"].startswith(
        "the scores are no probabilities: 67 of 80 lie outside [0, 1], for instance -3"
    )
    (benefit,) = net_benefit_rows(odd, 0.95)
    assert benefit["note"] == row["note"] and calibration_curve_of_cell(odd, 0.95) is None


def test_empty_cell_says_why_and_one_class_keeps_what_it_can():
    nobody = cell(y_true=np.empty(0, bool), y_score=np.empty(0))
    (row,) = calibration_rows(nobody, 0.95)
    assert row["note"] == "no patient has both a label and a score"
    (benefit,) = net_benefit_rows(nobody, 0.95)
    assert benefit["note"] == row["note"] and calibration_curve_of_cell(nobody, 0.95) is None
    (one,) = calibration_rows(cell(y_true=np.zeros(80, bool)), 0.95)
    assert one["brier"] > 0 and np.isnan(one["slope"]) and "one class only" in one["note"]


def test_clusters_widen_the_rows_and_are_named():
    codes = np.repeat(np.arange(40), 2).astype(object)
    one, clustered = cell(), cell(cluster=codes)
    (row,), (wide,) = calibration_rows(one, 0.95), calibration_rows(clustered, 0.95)
    assert row["brier"] == wide["brier"] and row["brier_ci_low"] != wide["brier_ci_low"]
    assert "clustered" in wide["note"] and np.isnan(wide["spiegelhalter_z"])
    assert "these are clustered" in calibration_curve_of_cell(clustered, 0.95)["band_method"]


def test_curve_of_a_cell_counts_everybody():
    curve = calibration_curve_of_cell(cell(), 0.95)
    assert (
        curve["n"] == 80
        and curve["bin_n"].sum() == 80
        and curve["predicted"].size == curve["band_low"].size == 101
    )


def test_baseline_of_predictions_has_labels_size_and_carried_columns_by_set():
    table = baseline_of_predictions(Predictions.from_frame(simulated_predictions()))
    assert table.groups == ("validation", "test") and table.sizes == (30, 30)
    assert [item.name for item in table.characteristics] == ["size_mm", "age", "menopause", "ER", "PR"]
    er = table.characteristics[3]
    assert er.levels == ("negative", "positive") and er.n_missing.tolist() == [0, 1, 1]
    rows = pd.DataFrame(baseline_rows(Predictions.from_frame(simulated_predictions())))
    assert tuple(rows.columns) == BASELINE_COLUMNS and (rows["note"] == "").all()


def test_baseline_of_clustered_rows_says_that_they_were_taken_as_independent():
    frame = simulated_predictions().assign(cluster_id=[f"C{k // 4}" for k in range(60)])
    frame["set"] = ["validation"] * 32 + ["test"] * 28
    notes = {row["note"] for row in baseline_rows(Predictions.from_frame(frame))}
    assert notes == {"rows of one cluster were taken as independent"}


def test_a_single_set_is_described_without_tests():
    frame = simulated_predictions().drop(columns="set")
    rows = pd.DataFrame(baseline_rows(Predictions.from_frame(frame)))
    assert rows["p_value"].isna().all() and rows["note"].str.contains("one group only").all()


@pytest.mark.parametrize("columns", [CALIBRATION_COLUMNS, NET_BENEFIT_COLUMNS, BASELINE_COLUMNS])
def test_columns_are_named_once(columns):
    assert len(set(columns)) == len(columns)
