"""The road from a simulated cohort on disk to the predictions table and segmentations."""

import gzip
import shutil

import numpy as np
import pandas as pd
import pytest
from biomark import read_predictions, zoo
from biomark.__main__ import main
from biomark.errors import BiomarkError
from biomark.viz.run_findings import check_runs
from biomark.zoo.exporting import export, load_script
from biomark.zoo.phantom import PhantomGrid
from biomark.zoo.prediction import predict
from biomark.zoo.preprocessing import Preprocessing
from biomark.zoo.run_folder import RunFolder
from biomark.zoo.segmentation_scores import segmentation_score
from biomark.zoo.training import train
from biomark.zoo.training_config import TrainingConfig


def settings(folder, cohort, **changes):
    given = {
        "cohort": str(cohort),
        "out": str(folder),
        "model": "resnet10_3d",
        "model_options": {"width": 4, "decoder_width": 2},
        "preprocessing": Preprocessing(size=32),
        "epochs": 2,
    }
    return TrainingConfig(**{**given, **changes})


@pytest.fixture(scope="module")
def chain(tmp_path_factory):
    """A simulated cohort, and a run of each task on it."""
    home = tmp_path_factory.mktemp("chain")
    grid = PhantomGrid((24.0, 30.0, 24.0), (0.8, 0.4, 0.6))
    zoo.write_phantom_cohort(home / "cohort", patients=16, grid=grid, missing_labels=0.1, seed=1)
    table = home / "cohort" / "cohort.csv"
    told = []
    train(settings(home / "multi", table), progress=told.append)
    train(settings(home / "single", table, task="single-task", model_options={"width": 4}))
    assert told[0].phase == "preprocessing" and told[-1].phase == "epoch"
    return home


def test_the_table_is_what_report_reads(chain, tmp_path):
    found = predict(chain / "cohort" / "cohort.csv", runs=chain / "multi", out=tmp_path / "preds.csv")
    read = read_predictions(tmp_path / "preds.csv")
    cohort = zoo.read_cohort(chain / "cohort" / "cohort.csv")
    assert read.labels == cohort.labels and read.sets == cohort.sets and read.models == ("multi-task",)
    assert len(read.frame) == len(cohort) * 3 == len(found.frame)
    assert found.frame["y_score"].between(0, 1).all() and found.features.shape == (len(cohort), 32)
    wide = found.frame.pivot(index="patient_id", columns="label", values="y_true")
    truth = cohort.frame.set_index("patient_id")[list(cohort.labels)]
    pd.testing.assert_frame_equal(
        wide[list(cohort.labels)].astype(float), truth.loc[wide.index], check_names=False
    )
    assert set(cohort.baseline) <= set(found.frame.columns)


def test_a_batch_does_not_change_a_score(chain):
    table = chain / "cohort" / "cohort.csv"
    one, three = (predict(table, runs=chain / "multi", batch_size=b).frame for b in (2, 5))
    np.testing.assert_allclose(one["y_score"], three["y_score"], rtol=1e-5)


def test_an_ensemble_is_the_mean_of_its_members(chain):
    table = chain / "cohort" / "cohort.csv"
    multi, single, both = (
        predict(table, runs=runs, name="m").frame["y_score"].to_numpy()
        for runs in (chain / "multi", chain / "single", [chain / "multi", chain / "single"])
    )
    np.testing.assert_allclose(both, (multi + single) / 2, rtol=1e-6)


def test_flips_average_over_mirror_images(chain):
    table = chain / "cohort" / "cohort.csv"
    plain, flipped = (predict(table, runs=chain / "single", flips=f).frame["y_score"] for f in (False, True))
    assert not np.allclose(plain, flipped, rtol=1e-6) and np.corrcoef(plain, flipped)[0, 1] > 0.5


def test_a_script_predicts_what_its_run_predicts(chain, tmp_path):
    table = chain / "cohort" / "cohort.csv"
    export(chain / "multi", tmp_path / "model.pt")
    run = predict(table, runs=chain / "multi").frame
    script = predict(table, torchscript=tmp_path / "model.pt", cache=chain / "cache").frame
    pd.testing.assert_frame_equal(run, script, rtol=1e-5)


def test_segmentations_lie_on_the_grid_of_their_volumes(chain, tmp_path):
    table = chain / "cohort" / "cohort.csv"
    found = predict(table, runs=chain / "multi", segmentations=tmp_path / "maps")
    cohort = zoo.read_cohort(table)
    scores = found.segmentations.set_index("patient_id")
    assert list(scores.index) == list(cohort.patient_id)
    with_mask = cohort.frame.set_index("patient_id")["mask"].notna()
    assert (scores["dice"].notna() == with_mask).all() and scores["dice"].dropna().between(0, 1).all()
    for row in (0, 1):
        volume = zoo.read_volume(cohort.image_path(row))
        written = zoo.read_volume(tmp_path / "maps" / scores["file"].iloc[row])
        assert written.same_grid(volume) and set(np.unique(written.array)) <= {0.0, 1.0}
    table = pd.read_csv(tmp_path / "maps" / "scores.csv")
    assert len(table) == len(cohort) and set(table["origin"]) == {"simulated"}


def test_what_comes_of_simulated_volumes_says_so(chain, tmp_path):
    assert RunFolder(chain / "multi").read_data()["simulated"] is True
    assert "**Trained on simulated volumes**" in (chain / "multi" / "MODEL_CARD.md").read_text(
        encoding="utf-8"
    )
    export(chain / "multi", tmp_path / "model.pt")
    assert load_script(tmp_path / "model.pt")[1]["simulated"] is True
    found = predict(chain / "cohort" / "cohort.csv", runs=chain / "multi", segmentations=tmp_path / "maps")
    with gzip.open(tmp_path / "maps" / found.segmentations["file"].iloc[0]) as handle:
        assert b"SIMULATED" in handle.read(348)


def test_what_cannot_be_written_or_read_is_told_before_the_work(chain, tmp_path):
    table = chain / "cohort" / "cohort.csv"
    with pytest.raises(BiomarkError, match="there is no folder"):
        predict(table, runs=chain / "multi", out=tmp_path / "none" / "preds.csv")
    with pytest.raises(BiomarkError, match=r"gone\.pt: no such file"):
        predict(table, torchscript=tmp_path / "gone.pt")
    with pytest.raises(BiomarkError, match=r"last\.safetensors: no such file"):
        shutil.copytree(chain / "multi", tmp_path / "cut", ignore=shutil.ignore_patterns("*.safetensors"))
        predict(table, runs=tmp_path / "cut", which="last")


def test_labels_of_other_names_go_the_whole_road_of_commands(chain, tmp_path, monkeypatch, capsys):
    text = (chain / "cohort" / "cohort.csv").read_text(encoding="utf-8")
    (chain / "cohort" / "other.csv").write_text(
        text.replace("ER,PR,HER2", "KI67,TNBC,LUMINAL", 1), encoding="utf-8"
    )
    monkeypatch.chdir(tmp_path)
    cohort, named = str(chain / "cohort" / "other.csv"), ["--label", "KI67", "--label", "TNBC"]
    assert main(["check", cohort]) == 1 and "(--label)" in "".join(capsys.readouterr().out.split())
    assert main(["check", cohort, *named, "--quiet"]) == 0
    assert main(["split", cohort, *named, "--out", str(chain / "cohort" / "split.csv")]) == 0
    (tmp_path / "c.yaml").write_text(f"model_options: {{width: 2}}\ncache: {chain / 'cache'}\n")
    train_on = [
        "--config",
        "c.yaml",
        "--task",
        "single-task",
        "--model",
        "resnet10_3d",
        "--size",
        "32",
        "--epochs",
        "1",
    ]
    assert main(["train", "--cohort", cohort, *named, *train_on, "--out", "run", "--quiet"]) == 0
    assert main(["predict", "--cohort", cohort, "--run", "run", "--out", "preds.csv", "--quiet"]) == 0
    assert read_predictions("preds.csv").labels == ("KI67", "TNBC")
    check_runs(["run"], cohort)


def test_patients_with_like_names_get_files_of_their_own():
    from biomark.zoo.prediction import _file_names

    names = _file_names(["x y", "x_y", "x_y-2", "X/Y", "..", "é"])
    assert names == [
        "x_y.nii.gz",
        "x_y-2.nii.gz",
        "x_y-2-2.nii.gz",
        "X_Y-3.nii.gz",
        "patient.nii.gz",
        "_.nii.gz",
    ]


def test_a_mask_put_back_from_its_cube_is_the_mask(chain):
    from biomark.zoo.prediction import _on_grid

    cohort = zoo.read_cohort(chain / "cohort" / "cohort.csv")
    cached = zoo.cache_cohort(cohort, chain / "cache", Preprocessing(size=64))
    row = next(i for i in range(len(cohort)) if cohort.mask_path(i) is not None)
    volume = zoo.read_volume(cohort.image_path(row))
    mask = zoo.read_mask(cohort.mask_path(row), volume)
    back = _on_grid(cached.entry(row)[1], cached.geometry(row)["box"], volume.array.shape) >= 0.5
    assert segmentation_score(back, mask, volume.spacing).dice > 0.93


def test_segmentations_of_a_single_task_network_are_refused(chain, tmp_path):
    with pytest.raises(BiomarkError, match="segmentations need networks of the task multi-task"):
        predict(chain / "cohort" / "cohort.csv", runs=chain / "single", segmentations=tmp_path)


def test_runs_of_other_preprocessing_are_not_averaged(chain, tmp_path):
    shutil.copytree(chain / "multi", tmp_path / "other")
    text = (tmp_path / "other" / "config.yaml").read_text(encoding="utf-8")
    (tmp_path / "other" / "config.yaml").write_text(text.replace("margin_mm: 10.0", "margin_mm: 5.0"))
    with pytest.raises(BiomarkError, match=r"other cannot be averaged with .*multi: its preprocessing is"):
        predict(chain / "cohort" / "cohort.csv", runs=[chain / "multi", tmp_path / "other"])


def test_a_run_and_a_script_exclude_each_other(chain):
    with pytest.raises(BiomarkError, match="name the folder of a run"):
        predict(chain / "cohort" / "cohort.csv")


def ball(centre, radius, shape=(24, 24, 24)):
    grid = np.stack(np.meshgrid(*[np.arange(n) for n in shape], indexing="ij"))
    return ((grid - np.array(centre)[:, None, None, None]) ** 2).sum(0) <= radius**2


def test_scores_of_a_segmentation_are_those_of_their_definition():
    a, b = ball((10, 12, 12), 6), ball((13, 12, 11), 5)
    spacing = (0.5, 1.0, 2.0)
    score = segmentation_score(a, b, spacing)
    assert score.dice == pytest.approx(2 * (a & b).sum() / (a.sum() + b.sum()))

    def surface(mask):
        padded = np.pad(mask, 1)
        inner = np.ones_like(mask)
        for axis in range(3):
            for shift in (-1, 1):
                inner &= np.roll(padded, shift, axis)[1:-1, 1:-1, 1:-1]
        return np.argwhere(mask & ~inner) * np.array(spacing)

    distances = np.linalg.norm(surface(a)[:, None] - surface(b)[None], axis=2)
    there, back = distances.min(1), distances.min(0)
    assert score.hausdorff_mm == pytest.approx(max(there.max(), back.max()))
    assert score.hausdorff95_mm == pytest.approx(max(np.percentile(there, 95), np.percentile(back, 95)))


def test_an_empty_segmentation_has_no_distance():
    score = segmentation_score(np.zeros((4, 4, 4), bool), ball((2, 2, 2), 1, (4, 4, 4)), (1.0, 1.0, 1.0))
    assert score.dice == 0 and np.isnan(score.hausdorff_mm)
    empty = np.zeros((4, 4, 4), bool)
    assert segmentation_score(empty, empty, (1.0, 1.0, 1.0)).dice == 1.0
