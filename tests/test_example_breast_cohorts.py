import hashlib
import importlib.util
import json
import re
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import biomark
import numpy as np
import pandas as pd
import pytest
from biomark import stats

ROOT = Path(__file__).resolve().parents[1]
EXAMPLE = ROOT / "examples" / "breast_cohorts"
SCRIPT = EXAMPLE / "make_predictions.py"
ORACLES = ROOT / "tests" / "oracles"
STORED = ORACLES / "breast_cohorts_preds.csv.gz"
ORACLE = json.loads((ORACLES / "breast_cohorts.json").read_text(encoding="utf-8"))
CHARACTERISTICS = ["size_mm", "age", "menopausal_status", "size_class_mm", "grade", "positive_nodes"]


def load_script():
    spec = importlib.util.spec_from_file_location("make_predictions", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def script():
    return load_script()


@pytest.fixture(scope="module")
def written(tmp_path_factory):
    folder = tmp_path_factory.mktemp("example") / "not" / "there" / "yet"
    done = subprocess.run(
        [sys.executable, "-W", "error", SCRIPT, "--out", folder],
        capture_output=True,
        encoding="utf-8",
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert sorted(path.name for path in folder.iterdir()) == ["preds.csv", "preds_wide.csv"]
    return folder


@pytest.fixture(scope="module")
def tidy(written):
    return pd.read_csv(written / "preds.csv")


@pytest.fixture(scope="module")
def wide(written):
    return pd.read_csv(written / "preds_wide.csv")


@pytest.fixture(scope="module")
def stored():
    return pd.read_csv(STORED)


@pytest.mark.parametrize("name", ["rotterdam.csv", "gbsg.csv"])
def test_data_files_are_those_that_the_readme_names(name):
    digest = hashlib.sha256((EXAMPLE / name).read_bytes()).hexdigest()
    assert f"| `{name}` | `{digest}` |" in (EXAMPLE / "README.md").read_text(encoding="utf-8")


def test_readme_states_the_cohorts_as_they_are(script):
    patients = script.read_cohorts()
    lines = (EXAMPLE / "README.md").read_text(encoding="utf-8").splitlines()
    for cohort, group in patients.groupby("cohort"):
        cells = next(line for line in lines if line.startswith(f"| `{cohort}.csv` | ") and "%" in line)
        expected = [f"{len(group):,}", f"{100 * group['ER'].mean():.1f}%", f"{100 * group['PR'].mean():.1f}%"]
        assert [cells.split("|")[at].strip() for at in (2, 4, 5)] == expected


def test_a_marker_is_positive_from_ten_fmol_per_litre(tmp_path, script):
    assay = pd.DataFrame({"pid": [1, 2, 3], "age": 50, "meno": 0, "grade": 2, "nodes": 1})
    assay["er"], assay["pgr"] = [9, 10, 11], [10, 0, 9]
    assay.assign(size=["<=20", "20-50", ">50"]).to_csv(tmp_path / "rotterdam.csv")
    assay.assign(size=[20, 50, 51]).to_csv(tmp_path / "gbsg.csv")
    patients = script.read_cohorts(tmp_path)
    for _, cohort in patients.groupby("cohort"):
        assert cohort["ER"].tolist() == [0, 1, 1]
        assert cohort["PR"].tolist() == [1, 0, 0]
        assert cohort["size_class_mm"].tolist() == ["<=20", "20-50", ">50"]
    assert patients["size_mm"].isna().tolist() == [True, True, True, False, False, False]


def test_cohorts_share_their_predictors(script):
    patients = script.read_cohorts()
    x = script.predictors(patients)
    assert np.isfinite(x).all()
    for _, group in patients.groupby("cohort"):
        assert np.unique(x[group.index, 2]).tolist() == [0, 1, 2]
        assert np.unique(x[group.index, 3]).tolist() == [0, 1]


def test_training_and_validation_are_split_by_patient_and_stratified_by_both_markers(script):
    patients = script.read_cohorts()
    sets = script.assign_sets(patients, seed=0)
    assert patients["patient_id"].is_unique
    assert (sets[patients["cohort"] == "gbsg"] == "test").all()
    at_home = patients["cohort"] == "rotterdam"
    markers = patients["ER"].astype(str) + patients["PR"].astype(str)
    share = (sets == "validation")[at_home].groupby(markers[at_home]).mean()
    assert len(share) == 4
    assert share.between(0.19, 0.21).all()
    assert (script.assign_sets(patients, seed=1) != sets).any()


def test_tidy_and_wide_describe_the_same_predictions(tidy, wide):
    assert not tidy.duplicated(["patient_id", "model", "label"]).any()
    assert len(tidy) == 4 * len(wide)
    for (model, label), block in tidy.groupby(["model", "label"]):
        other = wide.set_index("patient_id").loc[block["patient_id"]].reset_index()
        block = block.reset_index(drop=True)
        assert (block["set"] == other["set"]).all()
        assert (block["y_true"] == other[label]).all()
        assert (block["y_score"] == other[f"{model}:{label}"]).all()
        pd.testing.assert_frame_equal(block[CHARACTERISTICS], other[CHARACTERISTICS])


def test_scores_have_at_most_six_decimals(written):
    scores = pd.read_csv(written / "preds.csv", dtype=str)["y_score"]
    assert scores.str.fullmatch(r"0\.\d{1,6}").all()


def test_script_writes_the_predictions_that_the_oracle_saw(wide, stored):
    pinned = re.search(
        r"^scikit-learn==(\S+)$", (ROOT / "constraints.txt").read_text(encoding="utf-8"), re.MULTILINE
    )[1]
    if version("scikit-learn") != pinned:
        pytest.skip(f"the stored scores are those of scikit-learn {pinned}")
    # One unit of the last decimal: a sum that lies between two of them may be rounded either way.
    pd.testing.assert_frame_equal(wide, stored, rtol=0, atol=1.01e-6)


def scores_of(stored, set_name, label, model):
    rows = stored[stored["set"] == set_name]
    return rows[label].to_numpy(), rows[f"{model}:{label}"].to_numpy()


@pytest.mark.parametrize(
    "expected", ORACLE["individual"], ids=lambda row: "-".join([row["set"], row["label"], row["model"]])
)
def test_auc_and_delong_interval_agree_with_proc(stored, expected):
    found = stats.auc_ci(*scores_of(stored, expected["set"], expected["label"], expected["model"]))
    for name in ("auc", "variance", "ci_low", "ci_high", "n_pos", "n_neg"):
        assert getattr(found, name) == pytest.approx(expected[name], rel=1e-10, abs=0), name


@pytest.mark.parametrize("expected", ORACLE["paired"], ids=lambda row: "-".join([row["set"], row["label"]]))
def test_paired_test_agrees_with_proc(stored, expected):
    y_true, score_a = scores_of(stored, expected["set"], expected["label"], expected["model_a"])
    _, score_b = scores_of(stored, expected["set"], expected["label"], expected["model_b"])
    found = stats.delong_test(y_true, score_a, score_b)
    for name in ("statistic", "ci_low", "ci_high", "p_value"):
        assert getattr(found, name) == pytest.approx(expected[name], rel=1e-10, abs=0), name


@pytest.mark.parametrize(
    "expected",
    ORACLE["unpaired"],
    ids=lambda row: "-".join([row["label"], row["model"], row["set_a"], row["set_b"]]),
)
def test_unpaired_test_agrees_with_proc(stored, expected):
    found = stats.delong_test_unpaired(
        *scores_of(stored, expected["set_a"], expected["label"], expected["model"]),
        *scores_of(stored, expected["set_b"], expected["label"], expected["model"]),
    )
    for name in ("statistic", "df", "p_value"):
        assert getattr(found, name) == pytest.approx(expected[name], rel=1e-10, abs=0), name


@pytest.fixture(scope="module")
def reports(tmp_path_factory, script, stored):
    """Write report.json of the stored predictions in either form."""
    folder = tmp_path_factory.mktemp("reports")
    script.write_whole(stored, folder / "wide.csv")
    script.write_whole(script.tidy_table(stored), folder / "tidy.csv")
    found = {}
    for form in ("tidy", "wide"):
        evaluation = biomark.evaluate(biomark.read_predictions(folder / f"{form}.csv"), n_boot=50)
        evaluation.to_json(folder / f"{form}.json")
        found[form] = json.loads((folder / f"{form}.json").read_text(encoding="utf-8"))
    return found


def test_tidy_and_wide_give_the_same_report(reports):
    tidy, wide = reports["tidy"], reports["wide"]
    assert tidy.pop("provenance")["input"]["layout"] == "tidy"
    assert wide.pop("provenance")["input"]["layout"] == "wide"
    assert tidy == wide


def agree(found, expected, names):
    """Compare the rows that share the values of ``names`` with pROC's; returns how many there were."""
    for row in expected:
        key = [row[name] for name in names]
        (match,) = [one for one in found if [one[name] for name in names] == key]
        for name in row.keys() - set(names):
            assert match[name] == pytest.approx(row[name], rel=1e-10, abs=0), (key, name)
    return len(expected)


def test_report_agrees_with_proc_on_aucs_and_intervals(reports):
    found = [row for row in reports["tidy"]["individual"] if row["cutoff"] == "same-set"]
    renamed = {"ci_low": "auc_ci_low", "ci_high": "auc_ci_high"}
    expected = [
        {renamed.get(name, name): value for name, value in row.items() if name != "variance"}
        | {"auc_se": row["variance"] ** 0.5}
        for row in ORACLE["individual"]
    ]
    assert agree(found, expected, ["set", "label", "model"]) == len(found) == 12


def test_report_agrees_with_proc_on_paired_tests_and_holm(reports):
    found = reports["tidy"]["comparisons"]
    assert agree(found, ORACLE["paired"], ["set", "label", "model_a", "model_b"]) == len(found) == 6


def test_report_agrees_with_proc_on_unpaired_tests(reports):
    found = reports["tidy"]["overfitting"]
    expected = [row for row in ORACLE["unpaired"] if row["set_b"] == "test"]
    assert agree(found, expected, ["label", "model", "set_a", "set_b"]) == len(found) == 8
