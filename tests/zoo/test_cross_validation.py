"""Out-of-fold prediction: nothing of a patient reaches the network that predicts him."""

import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest
from biomark import read_predictions, zoo
from biomark.__main__ import main
from biomark.errors import BiomarkError
from biomark.zoo import cross_validation
from biomark.zoo.phantom import PhantomGrid
from safetensors.numpy import load_file

N = 18


@pytest.fixture(scope="module")
def cohort(tmp_path_factory):
    home = tmp_path_factory.mktemp("folds")
    grid = PhantomGrid((24.0, 30.0, 24.0), (0.8, 0.6, 0.8))
    made = zoo.write_phantom_cohort(home, patients=N, grid=grid, missing_labels=0, missing_masks=0, seed=2)
    zoo.fold_cohort(made.cohort, folds=3, rng=0).write(home / "folds.csv")
    return home / "folds.csv"


def settings(cohort, out, **changes):
    given = {
        "cohort": str(cohort),
        "out": str(out),
        "task": "single-task",
        "model": "resnet10_3d",
        "model_options": {"width": 2},
        "preprocessing": zoo.Preprocessing(size=24),
        "cache": str(cohort.parent / "cache"),
        "epochs": 1,
        "sync_batch_norm": True,
    }
    return zoo.TrainingConfig(**{**given, **changes})


@pytest.fixture(scope="module")
def done(cohort, tmp_path_factory):
    """The cross-validation, and for each fold the patients that its network was given."""
    seen = []
    fit = cross_validation.fit
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            cross_validation,
            "fit",
            lambda config, data, **rest: seen.append(data) or fit(config, data, **rest),
        )
        found = zoo.cross_validate(settings(cohort, tmp_path_factory.mktemp("cv") / "run"))
    return found, dict(zip(found.runs, seen, strict=True))


def test_every_patient_is_predicted_once_by_the_fold_he_was_held_out_in(done, cohort):
    found, _ = done
    table = pd.read_csv(cohort, dtype={"fold": str}).set_index("patient_id")
    assert len(found.frame) == 3 * N and not found.frame.duplicated(["patient_id", "label"]).any()
    assert (found.frame["fold"].to_numpy() == table.loc[found.frame["patient_id"], "fold"].to_numpy()).all()
    assert set(found.frame["set"]) == {"out-of-fold"} and set(found.frame["origin"]) == {"simulated"}


def test_no_network_is_given_a_patient_whom_it_predicts(done):
    found, given = done
    for fold, data in given.items():
        held_out = set(found.frame.loc[found.frame["fold"] == fold, "patient_id"])
        assert len(held_out) == N // 3 and held_out.isdisjoint(data.patient_id)
        assert len(data) == N - len(held_out) and set(data.sets) == {"train", "validation"}


def test_what_is_held_out_does_not_move_a_weight(done, cohort, tmp_path):
    """Other images and other labels for one fold: its own network stays as it was, bit for bit, others do not."""
    found, _ = done
    table = pd.read_csv(cohort, dtype={"fold": str})
    there = table["fold"] == "1"
    for label in ("ER", "PR", "HER2"):
        table.loc[there, label] = 1 - table.loc[there, label]
    for name in ("image", "mask"):
        table[name] = [str(cohort.parent / path) for path in table[name]]
    rows = np.flatnonzero(there)
    table.loc[rows, ["image", "mask"]] = table.loc[np.roll(rows, 1), ["image", "mask"]].to_numpy()
    table.to_csv(tmp_path / "folds.csv", index=False)
    other = zoo.cross_validate(
        settings(tmp_path / "folds.csv", tmp_path / "run", cache=str(cohort.parent / "cache"))
    )
    for fold, same in (("1", True), ("2", False)):
        mine, theirs = (
            load_file(f"{run.runs[fold].folder}/best.safetensors")["classifier.weight"]
            for run in (found, other)
        )
        assert np.array_equal(mine, theirs) == same


def test_processes_of_torchrun_share_each_fold_and_give_the_same_table(done, cohort, tmp_path):
    found, _ = done
    (tmp_path / "settings.yaml").write_text(settings(cohort, tmp_path / "run", device="cpu").to_yaml())
    ended = subprocess.run(
        [
            sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m", "biomark",
            "cross-validate", "--config", str(tmp_path / "settings.yaml"),
        ],
        capture_output=True,
        encoding="utf-8",
        timeout=240,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )  # fmt: skip
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout.count("predicted by 3 networks") == 1
    table = pd.read_csv(tmp_path / "run" / "preds.csv", dtype={"fold": str})
    assert table["y_score"].to_numpy() == pytest.approx(found.frame["y_score"].to_numpy(), rel=1e-4)
    columns = ["patient_id", "fold", "label", "y_true"]
    assert table[columns].astype(str).equals(found.frame[columns].astype(str))
    for fold, run in found.runs.items():
        mine, theirs = (
            load_file(f"{folder}/best.safetensors")["classifier.weight"]
            for folder in (run.folder, tmp_path / "run" / f"fold-{fold}")
        )
        assert theirs == pytest.approx(mine, abs=1e-5)


def test_the_table_makes_a_report(done):
    found, _ = done
    read = read_predictions(f"{found.folder}/preds.csv")
    assert read.sets == ("out-of-fold",) and read.models == ("single-task",)


def test_a_cross_validation_goes_on_with_its_own_folds_only(done, cohort):
    found, _ = done
    with pytest.raises(BiomarkError, match="holds a cross-validation already"):
        zoo.cross_validate(settings(cohort, found.folder))
    again = zoo.cross_validate(settings(cohort, found.folder), resume=True)
    pd.testing.assert_frame_equal(again.frame, found.frame)
    with pytest.raises(BiomarkError, match="begun with other folds"):
        zoo.cross_validate(settings(cohort, found.folder), folds=2, resume=True)


def changed(cohort, folder, change):
    table = pd.read_csv(cohort, dtype={"fold": str})
    for name in ("image", "mask"):
        table[name] = [str(cohort.parent / path) for path in table[name]]
    change(table)
    table.to_csv(folder / "folds.csv", index=False)
    return settings(folder / "folds.csv", folder / "run", cache=str(cohort.parent / "cache"))


def one_volume_twice(table):
    first, second = (table.index[table["fold"] == fold][0] for fold in ("1", "2"))
    table.loc[second, ["image", "mask"]] = table.loc[first, ["image", "mask"]].to_numpy()


def one_cluster_twice(table):
    first, second = (table.index[table["fold"] == fold][0] for fold in ("1", "2"))
    table["cluster_id"], table["set"] = table["patient_id"], None
    table.loc[second, "cluster_id"] = table.loc[first, "cluster_id"]


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (one_volume_twice, "have the same volume"),
        (one_cluster_twice, "lies in two folds"),
        (lambda table: table.pop("fold"), "has no column fold"),
        (lambda table: table.__setitem__("fold", "1"), "two folds or more"),
        (lambda table: table.__setitem__("fold", ["../x", "2"] * (N // 2)), "name becomes that of a folder"),
    ],
)
def test_folds_that_leak_or_are_none_are_refused(cohort, tmp_path, change, says):
    with pytest.raises(BiomarkError, match=says):
        zoo.cross_validate(changed(cohort, tmp_path, change))
    assert not (tmp_path / "run").exists()


def test_the_command_writes_the_table(cohort, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    said = [
        "--cohort",
        str(cohort),
        "--model",
        "resnet10_3d",
        "--task",
        "single-task",
        "--size",
        "24",
        "--folds",
        "2",
    ]
    assert main(["cross-validate", *said, "--epochs", "1", "--out", "cv"]) == 0
    assert f"{N} patients predicted by 2 networks" in capsys.readouterr().out
    assert len(pd.read_csv("cv/preds.csv")) == 3 * N
    assert (tmp_path / "cv" / "fold-1" / "curves.html").is_file()
