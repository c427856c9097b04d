"""The whole road through the command line: a simulated cohort, check, train, predict, report, export."""

import json
from pathlib import Path

import pandas as pd
import pytest

pytest.importorskip("torch", reason="needs biomark[zoo]")

from biomark.__main__ import main


@pytest.fixture(scope="module")
def road(tmp_path_factory):
    folder = tmp_path_factory.mktemp("road")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setenv("OMP_NUM_THREADS", "1")
        assert main(["phantom", "--patients", "16", "--out", "cohort", "--seed", "3", "--quiet"]) == 0
        common = [
            "--cohort",
            "cohort/cohort.csv",
            "--model",
            "resnet10_3d",
            "--size",
            "24",
            "--epochs",
            "1",
            "--quiet",
        ]
        for task in ("single-task", "multi-task"):
            assert main(["train", *common, "--task", task]) == 0
            run = f"runs/{task}-resnet10_3d"
            said = ["--run", run, "--cohort", "cohort/cohort.csv", "--out", f"{task}.csv", "--quiet"]
            assert main(["predict", *said]) == 0
        both = pd.concat([pd.read_csv(f"{task}.csv") for task in ("single-task", "multi-task")])
        both.to_csv("preds.csv", index=False)
        yield folder


def test_the_predictions_of_both_networks_make_a_report(road, monkeypatch, capsys):
    monkeypatch.chdir(road)
    assert main(["report", "--preds", "preds.csv", "--out", "report", "--n-boot", "20", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["models"] == ["single-task", "multi-task"] and found["main_set"] == "test"
    assert found["cutoff_set"] == "validation" and found["calibration"]
    assert (Path("report") / "report.html").stat().st_size > 1e6


def test_every_patient_is_predicted_and_still_called_simulated(road):
    frame = pd.read_csv(road / "preds.csv")
    assert frame["patient_id"].nunique() == 16
    assert set(frame["origin"]) == {"simulated"} and frame["y_score"].between(0, 1).all()


def test_each_run_leaves_its_curves(road):
    for task in ("single-task", "multi-task"):
        page = (road / "runs" / f"{task}-resnet10_3d" / "curves.html").read_text(encoding="utf-8")
        assert f"{task}-resnet10_3d" in page and "Simulated patients." in page


def test_a_run_is_not_overwritten(road, monkeypatch, capsys):
    monkeypatch.chdir(road)
    assert (
        main(["train", "--cohort", "cohort/cohort.csv", "--model", "resnet10_3d", "--epochs", "1", "--quiet"])
        == 2
    )
    assert "runs/multi-task-resnet10_3d" in capsys.readouterr().err


def test_an_exported_network_predicts_the_same(road, monkeypatch, capsys):
    monkeypatch.chdir(road)
    assert main(["export", "--run", "runs/multi-task-resnet10_3d", "--out", "network.pt"]) == 0
    assert "max_difference" in capsys.readouterr().out
    said = ["--torchscript", "network.pt", "--cohort", "cohort/cohort.csv", "--out", "again.csv", "--quiet"]
    assert main(["predict", *said]) == 0
    first, again = pd.read_csv("multi-task.csv"), pd.read_csv("again.csv")
    pd.testing.assert_frame_equal(first.drop(columns="model"), again.drop(columns="model"), atol=1e-6, rtol=0)


def test_the_cohort_is_checked_and_split(road, monkeypatch, capsys):
    monkeypatch.chdir(road)
    assert main(["check", "cohort/cohort.csv", "--json"]) == 0
    assert all(row["severity"] == "warning" for row in json.loads(capsys.readouterr().out))
    assert main(["split", "cohort/cohort.csv", "--out", "cohort/folds.csv", "--folds", "4"]) == 0
    assert "fold 1: 4" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["train", "--cohort", "nowhere.csv"], "no such file"),
        (["train"], "cohort must be named"),
        (
            ["train", "--cohort", "cohort/cohort.csv", "--model", "resnet51_3d", "--out", "runs/x"],
            "resnet50_3d",
        ),
        (["train", "--config", "nowhere.yaml", "--cohort", "cohort/cohort.csv"], "nowhere.yaml"),
        (["predict", "--cohort", "cohort/cohort.csv", "--out", "p.csv"], "run"),
        (["predict", "--cohort", "cohort/cohort.csv", "--run", "nowhere", "--out", "p.csv"], "nowhere"),
        (["export", "--run", "nowhere", "--out", "n.pt"], "nowhere"),
        (["phantom", "--patients", "16", "--out", "cohort"], "cohort"),
    ],
)
def test_what_cannot_be_is_refused_in_a_line(road, monkeypatch, capsys, arguments, says):
    monkeypatch.chdir(road)
    assert main(arguments) == 2
    said = capsys.readouterr().err
    assert says in said and "Traceback" not in said
