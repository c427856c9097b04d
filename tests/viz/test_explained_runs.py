"""From trained runs and a cohort to the folders of `biomark explain` and `biomark embed`, in the program itself."""

import json

import numpy as np
import pandas as pd
import pytest
from biomark import zoo
from biomark.__main__ import main
from biomark.errors import BiomarkError
from biomark.stats import embedding_separation
from biomark.viz.embedding_of_runs import embed, features_of_runs
from biomark.viz.explained_runs import read_runs
from biomark.viz.gradcam import gradcam_plus_plus
from biomark.viz.run_findings import findings_of_runs
from biomark.zoo.phantom import PhantomGrid
from biomark.zoo.prediction import predict
from biomark.zoo.preprocessing import Preprocessing
from biomark.zoo.training import train
from biomark.zoo.training_config import TrainingConfig


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    """A simulated cohort, and a run of each task on it."""
    folder = tmp_path_factory.mktemp("runs")
    grid = PhantomGrid((24.0, 30.0, 24.0), (1.2, 0.6, 0.8))
    zoo.write_phantom_cohort(folder / "cohort", patients=20, grid=grid, seed=1)
    for task, options in (("multi-task", {"width": 4, "decoder_width": 2}), ("single-task", {"width": 4})):
        train(
            TrainingConfig(
                cohort=str(folder / "cohort" / "cohort.csv"), out=str(folder / task), model="resnet10_3d", task=task,
                model_options=options, preprocessing=Preprocessing(size=32), epochs=1, device="cpu",
            )
        )  # fmt: skip
    return folder


@pytest.fixture(scope="module")
def read(home):
    return read_runs(
        [home / "multi-task", home / "single-task"], home / "cohort" / "cohort.csv", set_name="train"
    )


def test_networks_see_what_they_see_in_prediction(read, home):
    predicted = predict(home / "cohort" / "cohort.csv", runs=home / "single-task")
    frame = predicted.frame.set_index(["patient_id", "label"])["y_score"]
    case = read.cases()[2]
    made = gradcam_plus_plus(read.models["single-task"], np.asarray(case.image), "PR")
    assert abs(1 / (1 + np.exp(-made.logit)) - frame[case.patient_id, "PR"]) < 1e-5
    features = features_of_runs(read)
    places = [predicted.patient_id.index(name) for name in read.patient_id]
    np.testing.assert_allclose(features["single-task"], predicted.features[places], atol=1e-5)
    assert case.mask.any() and case.mask.shape == np.asarray(case.image).shape


def test_sets_and_patients_are_chosen(home):
    table = home / "cohort" / "cohort.csv"
    cohort = zoo.read_cohort(table)
    assert read_runs([home / "multi-task"], table).patient_id == tuple(cohort.subset("test").patient_id)
    two = [cohort.patient_id[7], cohort.patient_id[3]]
    chosen = read_runs([home / "multi-task"], table, patients=two)
    assert chosen.patient_id == tuple(two) and chosen.set_name == ""
    np.testing.assert_array_equal(chosen.y_true("ER"), cohort.y_true[[7, 3], cohort.labels.index("ER")])


def test_runs_that_do_not_fit_are_refused(home, tmp_path):
    table = home / "cohort" / "cohort.csv"
    with pytest.raises(BiomarkError, match="at least one"):
        read_runs([], table)
    with pytest.raises(BiomarkError, match="nobody"):
        read_runs([home / "multi-task"], table, patients=["nobody"])
    with pytest.raises(BiomarkError, match="differ"):
        read_runs([home / "multi-task", home / "multi-task"], table)
    with pytest.raises(BiomarkError, match="set"):
        read_runs([home / "multi-task"], table, set_name="holdout")


def test_separation_is_measured_on_the_features():
    rng = np.random.default_rng(0)
    y = np.r_[np.repeat([0.0, 1.0], 20), np.nan]
    points = rng.normal(size=(41, 6)) + np.nan_to_num(y)[:, None]
    lonely = np.r_[1.0, np.zeros(40)]
    found = embed({"m": points}, {"ER": y, "PR": lonely}, [f"P{i}" for i in range(41)], perplexity=8)
    assert found.separations["m", "ER"] == embedding_separation(points[:40], y[:40], rng=0)
    assert found.separations["m", "PR"] is None
    assert [(p.label, p.embedding.method) for p in found.panels] == [
        ("ER", "t-SNE"), ("ER", "PCA"), ("PR", "t-SNE"), ("PR", "PCA"),
    ]  # fmt: skip


def test_explain_writes_its_folder(home, tmp_path, capsys):
    runs = ["--run", str(home / "multi-task"), "--run", str(home / "single-task")]
    given = [
        *runs,
        "--cohort",
        str(home / "cohort" / "cohort.csv"),
        "--label",
        "ER",
        "--out",
        str(tmp_path / "out"),
    ]
    assert main(["explain", *given, "--simulated", "--device", "cpu"]) == 0
    told = capsys.readouterr().out
    assert "Energy in the lesion, multi-task − single-task, ER" in told and "index.html" in told
    summary = json.loads((tmp_path / "out" / "attention.json").read_text(encoding="utf-8"))
    assert list(summary) == ["ER"] and len(summary["ER"]["differences"]) == 3
    pages = list((tmp_path / "out" / "patients").iterdir())
    assert len(pages) == len(zoo.read_cohort(home / "cohort" / "cohort.csv").subset("test"))
    assert "Simulated volumes" in pages[0].read_text(encoding="utf-8")


def test_embed_writes_its_folder(home, tmp_path, capsys):
    given = [
        "--run",
        str(home / "multi-task"),
        "--cohort",
        str(home / "cohort" / "cohort.csv"),
        "--set",
        "train",
    ]
    out = ["--out", str(tmp_path / "out"), "--quiet", "--device", "cpu"]
    assert main(["embed", *given, *out, "--perplexity", "3"]) == 0
    assert capsys.readouterr().out == ""
    frame = pd.read_csv(tmp_path / "out" / "embedding.csv")
    n = len(zoo.read_cohort(home / "cohort" / "cohort.csv").subset("train"))
    assert len(frame) == n * 2 * 3 and set(frame["method"]) == {"t-SNE", "PCA"}
    assert len(json.loads((tmp_path / "out" / "separation.json").read_text(encoding="utf-8"))) == 3
    assert "Patients of the set train" in (tmp_path / "out" / "embedding.html").read_text(encoding="utf-8")


def test_a_perplexity_that_does_not_fit_is_refused_in_one_line(home, tmp_path, capsys):
    given = ["--run", str(home / "multi-task"), "--cohort", str(home / "cohort" / "cohort.csv")]
    assert main(["embed", *given, "--out", str(tmp_path / "out"), "--perplexity", "900", "--quiet"]) == 2
    assert "perplexity must be" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_report_holds_what_the_runs_look_at(home, tmp_path, capsys):
    table = home / "cohort" / "cohort.csv"
    runs = ["--run", str(home / "multi-task"), "--run", str(home / "single-task")]
    predict(table, runs=home / "multi-task", out=tmp_path / "preds.csv")
    given = [
        "--preds",
        str(tmp_path / "preds.csv"),
        "--out",
        str(tmp_path / "out"),
        "--n-boot",
        "20",
        "--quiet",
    ]
    assert main(["report", *given, *runs]) == 2
    assert "--run and --cohort belong together" in capsys.readouterr().err
    for wrong, says in (
        (["--run", "nowhere", "--cohort", str(table)], "not the folder of a run"),
        ([*runs, "--cohort", "x.csv"], "x.csv"),
    ):
        assert main(["report", "--preds", "not-looked-at.csv", *wrong]) == 2
        assert says in capsys.readouterr().err
    assert not (tmp_path / "out").exists()
    assert main(["report", *given, *runs, "--cohort", str(table), "--viewers", "2", "--device", "cpu"]) == 0
    text = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    n = len(zoo.read_cohort(table).subset("test"))
    assert f"in the {n} patients of the test set" in text and "Simulated patients." in text
    assert 'id="look"' in text and 'id="learnt"' not in text  # too few patients for an embedding
    assert len(list((tmp_path / "out" / "explanation" / "patients").iterdir())) == 2
    assert not (tmp_path / "out" / "embedding").exists()


def test_a_set_that_the_cohort_lacks_falls_back_to_the_test_set(home):
    table = home / "cohort" / "cohort.csv"
    found = findings_of_runs([home / "single-task"], table, set_name="holdout", device="cpu", n_viewers=1)
    assert "of the test set" in found.patients and found.simulated and found.embeddings is None
    whole = findings_of_runs([home / "single-task"], table, set_name="train", device="cpu")
    assert whole.embeddings is not None and list(whole.explanation.models) == ["single-task"]
    with pytest.raises(BiomarkError, match="at least one patient"):
        findings_of_runs([home / "single-task"], table, n_viewers=0)


def test_curves_are_drawn_of_runs(home, tmp_path, capsys):
    both = [str(home / "multi-task"), str(home / "single-task")]
    assert main(["curves", *both, "--out", str(tmp_path / "curves.html")]) == 0
    text = (tmp_path / "curves.html").read_text(encoding="utf-8")
    assert "Simulated patients." in text  # the cohort says so
    epoch = zoo.read_metrics(home / "multi-task")[0]
    assert f"{epoch['validation_macro_auc']:.3f}" in text
    assert main(["curves", both[0], "--quiet"]) == 0
    assert (home / "multi-task" / "curves.html").is_file()
    assert main(["curves", str(tmp_path)]) == 2
    assert "not the folder of a run" in capsys.readouterr().err
