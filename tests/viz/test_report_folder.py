"""The report's folder appears whole or not at all, and the same evaluation gives the same bytes."""

import dataclasses
import os
import re
import stat
import subprocess
import sys

import biomark
import pytest
from biomark.errors import BiomarkError
from biomark.viz import report, report_html, write_report
from biomark.viz.report_folder import replace_folder


def files(folder):
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()
    }


def test_a_report_holds_the_page_the_tables_and_the_numbers(evaluation_of, tmp_path):
    write_report(evaluation_of("one of each"), tmp_path / "new" / "report", figures=False)
    found = set(files(tmp_path / "new" / "report"))
    assert {"report.html", "report.json", "tables/individual.csv"} <= found
    assert os.listdir(tmp_path / "new") == ["report"]
    assert stat.S_IMODE((tmp_path / "new" / "report").stat().st_mode) & 0o500 == 0o500


@pytest.mark.parametrize("step", ["write_tables", "report_html"])
def test_a_failure_inside_leaves_the_old_report_whole(evaluation_of, tmp_path, monkeypatch, step):
    write_report(evaluation_of("one of each"), tmp_path / "report", figures=False)
    (tmp_path / "report" / "notes.txt").write_text("mine")
    before = files(tmp_path / "report")

    def fail(*_arguments, **_options):
        raise OSError("no space left")

    monkeypatch.setattr(report, step, fail)
    with pytest.raises(OSError, match="no space left"):
        write_report(evaluation_of("one set"), tmp_path / "report", figures=False)
    assert files(tmp_path / "report") == before
    with pytest.raises(OSError, match="no space left"):
        write_report(evaluation_of("one set"), tmp_path / "other", figures=False)
    assert os.listdir(tmp_path) == ["report"]


def test_a_new_report_replaces_the_old_one_and_leaves_other_files(evaluation_of, tmp_path):
    write_report(evaluation_of("one of each"), tmp_path / "report", figures=False)
    (tmp_path / "report" / "notes.txt").write_text("mine")
    write_report(evaluation_of("one set"), tmp_path / "report", figures=False, title="second")
    assert "<title>second</title>" in (tmp_path / "report" / "report.html").read_text(encoding="utf-8")
    assert (tmp_path / "report" / "notes.txt").read_text(encoding="utf-8") == "mine"


def test_a_failure_while_files_move_puts_the_old_ones_back(tmp_path, monkeypatch):
    target = tmp_path / "out"
    target.mkdir()
    for name in "ab":
        (target / name).write_text("old")
    before, replace = files(target), os.replace

    def fails_at_b(source, destination):
        if str(source).endswith(os.path.join("new", "b")):
            raise OSError("lost the disk")
        replace(source, destination)

    monkeypatch.setattr(os, "replace", fails_at_b)
    with pytest.raises(OSError, match="lost the disk"), replace_folder(target) as fresh:
        (fresh / "more").mkdir()
        (fresh / "more" / "0").write_text("new")
        for name in "ab":
            (fresh / name).write_text("new")
    assert files(target) == before
    assert sorted(os.listdir(target)) == ["a", "b"]


def test_a_file_in_the_place_of_the_folder_is_refused(evaluation_of, tmp_path):
    (tmp_path / "report").write_text("a file")
    with pytest.raises(BiomarkError, match="is a file; name a folder"):
        write_report(evaluation_of("one of each"), tmp_path / "report", figures=False)
    assert (tmp_path / "report").read_text(encoding="utf-8") == "a file"


def test_the_same_evaluation_and_title_give_the_same_bytes(evaluation_of):
    evaluation = evaluation_of("three models")
    assert report_html(evaluation, title="t") == report_html(evaluation, title="t")


def test_the_page_depends_on_the_date_and_on_no_hash_seed(tmp_path):
    table = tmp_path / "preds.csv"
    rows = ["patient_id,set,model,label,y_true,y_score"]
    rows += [f"{s}{i},{s},{m},ER,{i % 2},{(i * 37 % 11 + i % 2 * k) / 20}" for s in ("validation", "test")
             for i in range(30) for k, m in ((3, "a"), (5, "b"))]  # fmt: skip
    table.write_text("\n".join(rows) + "\n")
    make = (
        "import sys, biomark; from biomark.viz import report_html;"
        "sys.stdout.reconfigure(encoding='utf-8');"
        "print(report_html(biomark.evaluate(biomark.read_predictions(sys.argv[1]), n_boot=20)), end='')"
    )
    other = subprocess.run(
        [sys.executable, "-c", make, str(table)], capture_output=True, check=True,
        env={**os.environ, "PYTHONHASHSEED": "1"},
    ).stdout.decode()  # fmt: skip
    here = report_html(biomark.evaluate(biomark.read_predictions(table), n_boot=20))
    date = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC")
    assert date.sub("DATE", other) == date.sub("DATE", here)


def test_the_date_is_that_of_the_evaluation(evaluation_of):
    evaluation = evaluation_of("one of each")
    dated = dataclasses.replace(
        evaluation, provenance={**evaluation.provenance, "date": "2001-02-03 04:05 UTC"}
    )
    assert report_html(dated, figures=False).count("2001-02-03 04:05 UTC") == 2


def test_the_page_tells_its_command_without_the_folder_of_the_input(evaluation_of):
    evaluation = evaluation_of("plain")
    page = report_html(evaluation, figures=False, title="a title")
    folder = os.path.dirname(evaluation.provenance["input"]["name"])
    assert os.path.isabs(folder)
    assert folder not in page
    assert "biomark report --preds plain.csv --cutoff-from validation" in page
    assert "--title &#39;a title&#39;" in page


def test_the_default_title_names_labels_and_models(evaluation_of):
    assert "<title>ER and PR predicted by multi-task and single-task</title>" in report_html(
        evaluation_of("plain"), figures=False
    )
    assert "<title>3 labels predicted by 3 models</title>" in report_html(
        evaluation_of("hostile"), figures=False
    )


def test_the_figures_take_most_of_the_page(evaluation_of):
    evaluation = evaluation_of("one of each")
    whole, bare = len(report_html(evaluation)), len(report_html(evaluation, figures=False))
    assert bare < 110_000
    assert whole < 6_000_000


def test_the_same_version_is_printed(evaluation_of):
    assert f"biomark {biomark.__version__}" in report_html(evaluation_of("one of each"), figures=False)


def test_the_command_names_every_column_to_stratify_by(evaluation_of):
    page = report_html(evaluation_of("carried columns"), figures=False)
    assert "--size-threshold 15 --stratify-by grade --stratify-by age:50,65 --stratify-by &#39;" in page
