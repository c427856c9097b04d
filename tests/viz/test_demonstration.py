"""The whole road in one call: what it leaves behind, and what it refuses."""

import io
import json

import pandas as pd
import pytest

pytest.importorskip("torch", reason="needs biomark[zoo]")

from biomark.__main__ import main
from biomark.viz import demonstration
from biomark.viz.terminal import print_demonstration
from rich.console import Console


@pytest.fixture(scope="module")
def told():
    return []


@pytest.fixture(scope="module")
def made(tmp_path_factory, told):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(demonstration, "_N_BOOT", 20)
        patch.setattr(demonstration, "_SIDE", 32)
        return demonstration.demonstrate(
            tmp_path_factory.mktemp("road") / "demo",
            patients=32,
            epochs=1,
            seed=4,
            progress=lambda what, done, total: told.append(what),
        )


def test_every_page_is_there_and_says_that_it_is_simulated(made):
    assert {"report", "where the networks look", "training curves"} <= set(made.pages)
    for page in made.pages.values():
        assert "imulated" in page.read_text(encoding="utf-8")


def test_both_networks_are_predicted_judged_and_exported(made):
    table = pd.read_csv(made.folder / "preds.csv")
    assert table["patient_id"].nunique() == 32 and set(table["model"]) == set(demonstration.TASKS)
    assert set(table["origin"]) == {"simulated"}
    report = json.loads((made.folder / "report" / "report.json").read_text(encoding="utf-8"))
    assert report["models"] == list(demonstration.TASKS) and report["main_set"] == "test"
    for task in demonstration.TASKS:
        assert (made.folder / f"{task}.pt").stat().st_size > 1e4 and made.max_difference[task] < 1e-4
    assert set(made.networks.explanation.attention) == {"ER", "PR", "HER2"}


def test_the_work_is_told_as_it_goes(made, told):
    for what in (
        "simulating",
        "checking",
        "preprocessing",
        "training the single-task",
        "explaining",
        "exporting",
    ):
        assert any(line.startswith(what) for line in told), what


def test_the_summary_names_what_to_open(made):
    console = Console(width=200, record=True, file=io.StringIO())
    print_demonstration(made, console=console)
    said = console.export_text()
    assert said.startswith("SIMULATED patients")
    assert "Energy in the lesion, single-task" in said
    for page in made.pages.values():
        assert str(page) in said


def test_a_folder_that_holds_something_is_left_alone(tmp_path, capsys):
    (tmp_path / "mine.txt").write_text("mine")
    assert main(["demo", "--out", str(tmp_path), "--quiet"]) == 2
    assert "holds something already" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]
