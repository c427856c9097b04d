"""`biomark audit` and `biomark reconstruct` at the command line: output, exit codes, hostile names."""

import json
from pathlib import Path

import pandas as pd
import pytest
from biomark.__main__ import main

PUBLISHED = str(Path(__file__).parents[1] / "examples" / "huang2024" / "published.yaml")
CLEAN = """
sets:
  test:
    labels: {ER: {pos: 20, neg: 30}}
    rows: [{model: A, label: ER, auc: ["0.800", "0.673", "0.927"], sen: "0.850", spec: "0.700", acc: "0.760"}]
"""
HOSTILE = "[red]\x1b[31m\N{RIGHT-TO-LEFT OVERRIDE}A[/]"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "clean.yaml").write_text(CLEAN)
    (tmp_path / "wrong.yaml").write_text(CLEAN.replace('"0.850"', '"0.830"'))
    return tmp_path


def test_a_clean_table_says_so(folder, capsys):
    assert main(["audit", "clean.yaml"]) == 0
    assert capsys.readouterr().out.startswith("No finding")


def test_findings_are_printed_with_their_evidence_and_counted(folder, capsys):
    assert main(["audit", "wrong.yaml"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("Proven\n  misprint  test/A/ER/sen\n")
    assert "sen 0.850 in place of 0.830" in " ".join(out.split())
    assert out.endswith("\n1 finding\n")


def test_json_holds_every_field_of_every_finding(folder, capsys):
    assert main(["audit", "wrong.yaml", "--json"]) == 0
    (finding,) = json.loads(capsys.readouterr().out)
    assert finding["kind"] == "misprint"
    assert set(finding) == {"kind", "where", "message", "evidence", "weight"}
    assert main(["audit", "clean.yaml", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == []


def test_quiet_prints_nothing(folder, capsys):
    assert main(["audit", "wrong.yaml", "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")


def test_many_cells_with_one_trouble_are_told_once(capsys):
    assert main(["audit", PUBLISHED]) == 0
    out = capsys.readouterr().out
    assert out.count("The normal approximation on all 88 patients") == 1
    assert "test, 12 cells" in out


def test_a_table_that_cannot_be_read_is_refused_by_place(folder, capsys):
    (folder / "bad.yaml").write_text(CLEAN.replace('"0.850"', "0.85"))
    for command in (["audit", "bad.yaml"], ["reconstruct", "bad.yaml", "--out", "preds.csv"]):
        assert main(command) == 2
        out, err = capsys.readouterr()
        assert out == ""
        assert "bad.yaml: sets/test/rows[1]/sen: found 0.85; write the figure as printed, in quotes" in err
    assert not (folder / "preds.csv").exists()


def test_a_missing_file_and_a_missing_argument_are_refused(folder, capsys):
    assert main(["audit", "not-there.yaml"]) == 2
    assert main(["audit"]) == 2
    assert main(["reconstruct", "clean.yaml"]) == 2
    assert "--out" in capsys.readouterr().err


def test_hostile_names_are_shown_and_do_nothing(folder, capsys):
    row = {"model": HOSTILE, "label": "ER", "sen": "0.830"}
    table = {"sets": {"test": {"labels": {"ER": {"pos": 20, "neg": 30}}, "rows": [row]}}}
    (folder / "hostile.yaml").write_text(json.dumps(table))
    assert main(["audit", "hostile.yaml"]) == 0
    out = capsys.readouterr().out
    assert "\x1b" not in out
    assert "\N{RIGHT-TO-LEFT OVERRIDE}" not in out
    assert "[red]" in out
    assert main(["reconstruct", "hostile.yaml", "--out", "preds.csv"]) == 2
    assert "\x1b" not in capsys.readouterr().err
    row["sen"] = "0.850"
    (folder / "hostile.yaml").write_text(json.dumps(table))
    assert main(["reconstruct", "hostile.yaml", "--out", "preds.csv"]) == 0
    assert "\x1b" not in capsys.readouterr().out


def test_a_reconstruction_is_written_and_told(folder, capsys):
    assert main(["reconstruct", "clean.yaml", "--out", "preds.csv", "--seed", "3"]) == 0
    out = capsys.readouterr().out
    assert "test: 5 of 5 values, AUC intervals and p-values as printed" in out
    frame = pd.read_csv("preds.csv")
    assert len(frame) == 50
    assert set(frame["origin"]) == {"reconstruction"}
    assert main(["report", "--preds", "preds.csv", "--n-boot", "20", "--quiet"]) == 0


def test_json_of_a_reconstruction_holds_the_agreement(folder, capsys):
    assert main(["reconstruct", "clean.yaml", "--out", "preds.csv", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert found["set"] == "test"
    assert all(row["agrees"] for row in found["agreement"])
    assert main(["reconstruct", "clean.yaml", "--out", "preds.csv", "--quiet"]) == 0
    assert capsys.readouterr() == ("", "")


def test_a_set_that_is_not_there_is_refused(folder, capsys):
    assert main(["reconstruct", PUBLISHED, "--out", "preds.csv"]) == 2
    assert "the table has validation, test" in capsys.readouterr().err
    assert main(["reconstruct", PUBLISHED, "--set", "train", "--out", "preds.csv"]) == 2
    assert not (folder / "preds.csv").exists()


def test_a_folder_that_is_not_there_is_a_failure_that_leaves_nothing(folder, capsys):
    assert main(["reconstruct", "clean.yaml", "--out", "nowhere/preds.csv"]) in (1, 2)
    assert "nowhere" in capsys.readouterr().err
    assert sorted(path.name for path in folder.iterdir()) == ["clean.yaml", "wrong.yaml"]
