import dataclasses
import gzip
import hashlib
import io
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from biomark import Predictions, read_predictions
from biomark.errors import BiomarkError, InputFileError
from hypothesis import given, settings
from hypothesis import strategies as st

TIDY = """\
patient_id,set,model,label,y_true,y_score,size_mm,age
007,test,multi,ER,1,0.9,12.5,61
007,test,multi,PR,0,0.25,12.5,61
007,test,single,ER,1,-3,12.5,61
007,test,single,PR,0,1e-3,12.5,61
008,train,multi,ER,,0.1,,47
008,train,multi,PR,1.0,0.30000000000000004,,47
008,train,single,ER,,2,,47
008,train,single,PR,1.0,0.5,,47
"""
WIDE = """\
patient_id,set,size_mm,age,ER,PR,multi:ER,multi:PR,single:ER,single:PR
007,test,12.5,61,1,0,0.9,0.25,-3,1e-3
008,train,,47,,1.0,0.1,0.30000000000000004,2,0.5
"""
HEADER = "patient_id,set,model,label,y_true,y_score,size_mm\n"


def read(text: str | bytes) -> Predictions:
    return read_predictions(io.BytesIO(text.encode() if isinstance(text, str) else text))


def refusal(text: str | bytes) -> list[str]:
    with pytest.raises(InputFileError) as caught:
        read(text)
    assert caught.value.path == "<stream>"
    return [str(problem) for problem in caught.value.problems]


def ordered(predictions: Predictions) -> pd.DataFrame:
    keys = ["patient_id", "set", "model", "label"]
    return predictions.frame.sort_values(keys).reset_index(drop=True)


# What is read


def test_tidy_table_is_read_with_its_types():
    predictions = read(TIDY)
    frame = predictions.frame
    assert list(frame) == ["patient_id", "set", "model", "label", "y_true", "y_score", "size_mm", "age"]
    assert frame["patient_id"].tolist() == ["007"] * 4 + ["008"] * 4
    assert frame["y_score"].tolist() == [0.9, 0.25, -3.0, 1e-3, 0.1, 0.30000000000000004, 2.0, 0.5]
    np.testing.assert_array_equal(frame["y_true"], [1, 0, 1, 0, np.nan, 1, np.nan, 1])
    np.testing.assert_array_equal(frame["size_mm"], [12.5] * 4 + [np.nan] * 4)
    for name in ("y_true", "y_score", "size_mm", "age"):
        assert frame[name].dtype == np.float64
    assert predictions.labels == ("ER", "PR")
    assert predictions.models == ("multi", "single")
    assert predictions.sets == ("train", "test")


def test_both_layouts_give_equal_frames_and_arrays():
    tidy, wide = read(TIDY), read(WIDE)
    pd.testing.assert_frame_equal(ordered(tidy), ordered(wide))
    assert (tidy.labels, tidy.models, tidy.sets) == (wide.labels, wide.models, wide.sets)
    assert (tidy.source.layout, wide.source.layout) == ("tidy", "wide")
    assert (tidy.source.n_rows, wide.source.n_rows) == (8, 2)
    for name in tidy.sets:
        a, b = tidy.arrays(name), wide.arrays(name)
        for field in dataclasses.fields(a):
            np.testing.assert_array_equal(getattr(a, field.name), getattr(b, field.name))
        pd.testing.assert_frame_equal(tidy.patient_columns(name), wide.patient_columns(name))


def test_arrays_are_sorted_by_patient_and_nan_where_nothing_was_given():
    text = "patient_id,model,label,y_true,y_score\nb,m,ER,1,4\nB,k,PR,0,2\na,m,ER,,1\nb,k,ER,1,3\n"
    arrays = read(text).arrays("all")
    nan = np.nan
    assert arrays.patient_id.tolist() == ["B", "a", "b"]
    np.testing.assert_array_equal(arrays.y_true, [[nan, 0], [nan, nan], [1, nan]])
    np.testing.assert_array_equal(
        arrays.y_score, [[[nan, nan], [1, nan], [4, nan]], [[nan, 2], [nan, nan], [3, nan]]]
    )
    assert arrays.size_mm is None
    assert arrays.cluster is None


def test_table_without_set_and_model_has_one_of_each():
    predictions = read("patient_id,label,y_true,y_score\n1,ER,1,0.5\n")
    assert (predictions.sets, predictions.models) == (("all",), ("model",))


def test_sets_stand_in_natural_order_then_by_appearance():
    rows = "".join(
        f"{i},{name},ER,1,1\n" for i, name in enumerate(["site B", "test", "site A", "train", "validation"])
    )
    predictions = read("patient_id,set,label,y_true,y_score\n" + rows)
    assert predictions.sets == ("train", "validation", "test", "site B", "site A")


def test_cluster_and_fold_are_text_and_follow_the_patient():
    text = "patient_id,cluster_id,fold,label,y_true,y_score\nL2,7,01,ER,1,1\nL1,7,,ER,0,2\nL3,08,2,ER,0,2\n"
    predictions = read(text)
    assert predictions.arrays("all").cluster.tolist() == ["7", "7", "08"]
    assert predictions.frame["cluster_id"].tolist() == ["7", "7", "08"]
    assert predictions.frame["fold"].isna().tolist() == [False, True, False]
    assert predictions.frame["fold"].tolist()[0] == "01"


def test_wide_label_name_follows_the_last_colon():
    predictions = read("patient_id,ER,v1:2:ER\n1,1,0.5\n")
    assert (predictions.models, predictions.labels) == (("v1:2",), ("ER",))


def test_wide_labels_stand_in_the_order_of_their_truth_columns():
    predictions = read("patient_id,ER,PR,grade,m:PR,m:ER\n1,1,0,2,0.5,0.25\n")
    assert predictions.labels == ("ER", "PR")
    assert predictions.frame["label"].tolist() == ["ER", "PR"]
    assert predictions.frame["y_score"].tolist() == [0.25, 0.5]
    assert predictions.frame["grade"].tolist() == [2.0, 2.0]


def test_a_model_may_score_some_labels_only():
    arrays = read("patient_id,ER,PR,m:ER,m:PR,k:PR\n1,1,0,1,2,3\n").arrays("all")
    np.testing.assert_array_equal(arrays.y_score, [[[1, 2]], [[np.nan, 3]]])


@pytest.mark.parametrize("written", ["0", "1", "0.0", "1.0", " 1 ", "1.00", ""])
def test_truth_is_read_as_it_is_usually_written(written):
    value = read(f"patient_id,label,y_true,y_score\n1,ER,{written},3\n").frame["y_true"].iloc[0]
    np.testing.assert_equal(value, float(written) if written.strip() else np.nan)


def test_blanks_around_values_and_names_do_not_count():
    predictions = read(" patient_id , label,y_true,y_score \n P 1 , ER ,1, 0.5 \nP2,ER,0,\t2\n")
    assert predictions.frame["patient_id"].tolist() == ["P 1", "P2"]
    assert predictions.frame["y_score"].tolist() == [0.5, 2.0]
    assert predictions.labels == ("ER",)


def test_one_class_only_is_no_reason_for_refusal():
    assert read("patient_id,label,y_true,y_score\n1,ER,1,1\n2,ER,1,2\n").labels == ("ER",)


def test_unnamed_columns_are_left_out():
    predictions = read(",patient_id,label,y_true,y_score,\n0,P1,ER,1,0.5,\n1,P2,ER,0,0.25,\n")
    assert list(predictions.frame) == ["patient_id", "set", "model", "label", "y_true", "y_score"]


def test_carried_text_is_numbers_only_where_no_value_is_changed_by_it():
    header = "patient_id,label,y_true,y_score,grade,site,note\n"
    frame = read(header + "1,ER,1,1,2,01,\n2,ER,0,1,,1,x\n").frame
    np.testing.assert_array_equal(frame["grade"], [2.0, np.nan])
    assert frame["site"].tolist() == ["01", "1"]
    assert frame["note"].isna().tolist() == [True, False]


def test_patient_columns_keep_what_is_constant_in_each_patient():
    text = (
        "patient_id,set,model,label,y_true,y_score,size_mm,age,site,reader,seconds\n"
        "b,test,m,ER,1,1,20,60,,r1,1\nb,test,k,ER,1,1,20,60,,r2,2\na,test,m,ER,0,1,,50,X,r1,3\nc,train,m,ER,1,1,9,1,Y,r1,4\n"
    )
    known = read(text).patient_columns("test")
    assert known.index.tolist() == ["a", "b"]
    assert known.index.name == "patient_id"
    assert list(known) == ["size_mm", "age", "site"]
    np.testing.assert_array_equal(known["size_mm"], [np.nan, 20])
    assert known["site"].tolist()[0] == "X"
    assert known["site"].isna().tolist() == [False, True]


def test_unknown_set_is_refused_with_those_that_exist():
    with pytest.raises(BiomarkError, match="set must be one of train, test; found 'valid'"):
        read(TIDY).arrays("valid")
    with pytest.raises(BiomarkError, match="one of train, test"):
        read(TIDY).patient_columns("valid")


def test_more_scores_than_an_array_can_hold_are_refused(monkeypatch):
    monkeypatch.setattr("biomark.stats.predictions._MOST_CELLS", 3)
    with pytest.raises(BiomarkError, match="1 patients, 2 labels and 2 models, too many"):
        read(TIDY).arrays("test")


# Where it is read from


def test_path_file_object_and_gzip_give_the_same(tmp_path):
    plain, packed = tmp_path / "preds.csv", tmp_path / "preds.data"
    plain.write_text(TIDY)
    packed.write_bytes(gzip.compress(TIDY.encode()))
    expected = read(TIDY)
    with plain.open("rb") as handle:
        from_handle = read_predictions(handle)
    for found, name in (
        (read_predictions(plain), str(plain)),
        (read_predictions(str(packed)), str(packed)),
        (from_handle, str(plain)),
    ):
        pd.testing.assert_frame_equal(found.frame, expected.frame)
        assert found.source.name == name
    assert read_predictions(plain).source.sha256 == hashlib.sha256(TIDY.encode()).hexdigest()
    assert read_predictions(packed).source.sha256 == hashlib.sha256(packed.read_bytes()).hexdigest()


def test_standard_input_is_read():
    program = "import biomark; p = biomark.read_predictions('-'); print(p.source.name, p.source.sha256, p.frame.shape)"
    done = subprocess.run(
        [sys.executable, "-c", program], input=TIDY.encode(), capture_output=True, check=True
    )
    assert done.stdout.decode().split(maxsplit=2) == [
        "<stdin>",
        hashlib.sha256(TIDY.encode()).hexdigest(),
        "(8, 8)\n",
    ]


@pytest.mark.parametrize("delimiter", ["\t", ";"])
def test_tabs_and_semicolons_are_recognised(delimiter):
    pd.testing.assert_frame_equal(read(TIDY.replace(",", delimiter)).frame, read(TIDY).frame)


@pytest.mark.parametrize("layout", [TIDY, WIDE])
def test_parquet_gives_the_same_as_text(tmp_path, layout):
    path = tmp_path / "preds.csv"
    types = {"patient_id": str, "ER": "Int64", "PR": "Int64", "y_true": "Int64"}
    pd.read_csv(io.StringIO(layout), dtype=types).to_parquet(path)
    found, expected = read_predictions(path), read(layout)
    pd.testing.assert_frame_equal(found.frame, expected.frame, check_dtype=False)
    assert found.frame.dtypes[:-1].equals(expected.frame.dtypes[:-1])
    assert found.source.layout == expected.source.layout


def test_parquet_with_categories_and_index_gives_the_same(tmp_path):
    path = tmp_path / "preds.parquet"
    frame = pd.read_csv(io.StringIO(TIDY), dtype={"patient_id": str}).iloc[::-1]
    for name in ("set", "model", "label", "patient_id"):
        frame[name] = frame[name].astype("category")
    frame.to_parquet(path)
    found = read_predictions(path)
    pd.testing.assert_frame_equal(ordered(found), ordered(read(TIDY)), check_dtype=False)
    # Reversed rows: the last label and model of the file come first, whatever the order of the categories.
    assert found.labels == ("PR", "ER")
    assert found.models == ("single", "multi")


# Frames


def test_from_frame_agrees_with_the_file_and_leaves_the_frame_alone():
    for text in (TIDY, WIDE):
        frame = pd.read_csv(io.StringIO(text), dtype={"patient_id": str})
        frame.index = pd.Index(range(100, 100 + len(frame)))
        before = frame.copy(deep=True)
        predictions = Predictions.from_frame(frame)
        pd.testing.assert_frame_equal(frame, before)
        pd.testing.assert_frame_equal(predictions.frame, read(text).frame, check_dtype=False)
        assert predictions.source == dataclasses.replace(
            read(text).source, name="<frame>", sha256=None, layout="frame"
        )
        predictions.frame.loc[:, "y_score"] = 0.0
        pd.testing.assert_frame_equal(frame, before)


def test_from_frame_accepts_its_own_frame():
    first = read(TIDY)
    pd.testing.assert_frame_equal(Predictions.from_frame(first.frame).frame, first.frame)


def test_from_frame_writes_whole_numbers_as_text_and_takes_booleans_as_truth():
    frame = pd.DataFrame(
        {
            "patient_id": [7.0, 8.0],
            "fold": [1, 2],
            "label": "ER",
            "y_true": [True, False],
            "y_score": np.float32([1, 2]),
        }
    )
    found = Predictions.from_frame(frame).frame
    assert found["patient_id"].tolist() == ["7", "8"]
    assert found["fold"].tolist() == ["1", "2"]
    assert found["y_true"].tolist() == [1.0, 0.0]
    assert found["y_score"].dtype == np.float64


def test_from_frame_counts_rows_by_position():
    frame = pd.DataFrame(
        {"patient_id": ["a", None], "label": "ER", "y_true": [1, 3], "y_score": [np.inf, np.nan]}
    )
    with pytest.raises(InputFileError) as caught:
        Predictions.from_frame(frame)
    assert str(caught.value).splitlines() == [
        "<frame>: row 0, column 'y_score': found 'inf'; it must be a finite number",
        "<frame>: row 1, column 'patient_id': is empty; every row needs its patient_id",
        "<frame>: row 1, column 'y_true': found '3'; it must be 0, 1, or empty where the label is missing",
        "<frame>: row 1, column 'y_score': is missing; it must be a finite number",
    ]


def test_from_frame_judges_mixed_values_as_text():
    frame = pd.DataFrame(
        {
            "patient_id": ["a", 2, "c"],
            "label": "ER",
            "y_true": [1, "x", None],
            "y_score": [1, "2.5", "\ud800"],
        }
    )
    with pytest.raises(InputFileError) as caught:
        Predictions.from_frame(frame)
    assert [str(problem) for problem in caught.value.problems] == [
        "row 1, column 'y_true': found 'x'; it must be 0, 1, or empty where the label is missing",
        r"row 2, column 'y_score': found '\\ud800'; it must be a number such as 0.73",
    ]


@pytest.mark.parametrize(
    ("column", "values", "message"),
    [
        ("patient_id", [0.5, 1.5], "holds values of type double; identifiers and names must be text"),
        ("label", [True, False], "holds values of type bool; identifiers and names must be text"),
        ("y_score", [True, False], "holds values of type bool; it must hold numbers"),
        ("y_score", pd.to_datetime(["2020-01-01", "2021-01-01"]), "holds values of type timestamp"),
        ("y_true", pd.to_datetime(["2020-01-01", "2021-01-01"]), "holds values of type timestamp"),
    ],
)
def test_from_frame_refuses_other_kinds_of_values(column, values, message):
    frame = pd.DataFrame({"patient_id": ["a", "b"], "label": "ER", "y_true": [1, 0], "y_score": [1.0, 2.0]})
    frame[column] = values
    with pytest.raises(InputFileError, match=message):
        Predictions.from_frame(frame)


def test_from_frame_refuses_what_is_no_frame_or_has_no_rows():
    with pytest.raises(BiomarkError, match="expected a pandas DataFrame, found dict"):
        Predictions.from_frame({"patient_id": [1]})
    with pytest.raises(InputFileError, match="has no rows"):
        Predictions.from_frame(pd.DataFrame(columns=["patient_id", "label", "y_true", "y_score"]))
    with pytest.raises(InputFileError, match="found no columns"):
        Predictions.from_frame(pd.DataFrame())


def test_lists_are_carried_but_no_stratum():
    frame = pd.DataFrame({"patient_id": [1], "label": "ER", "y_true": [1], "y_score": [1.0], "box": [[1, 2]]})
    predictions = Predictions.from_frame(frame)
    assert predictions.frame["box"].iloc[0] == [1, 2]
    assert list(predictions.patient_columns("all")) == []


# What is refused: the header


def test_unknown_encoding_is_refused_with_the_place_and_the_remedy():
    assert refusal((HEADER + "P1,test,m,ER,1,0.5,3\nMüller,test,m,ER,0,0.5,3\n").encode("latin-1")) == [
        "row 3: unknown encoding: byte 0xFC at position 72 is not UTF-8; save the file as UTF-8 (in Excel: 'CSV UTF-8')"
    ]


def test_missing_columns_are_named_with_what_was_found():
    assert refusal("Patient_ID,label,truth,y_scor\n1,ER,1,0.5\n") == [
        "row 1, column 'patient_id': the column is missing; found 'Patient_ID', 'label', 'truth', 'y_scor'; "
        "rename 'Patient_ID' to 'patient_id'?",
        "row 1, column 'y_true': the column is missing; found 'Patient_ID', 'label', 'truth', 'y_scor'; "
        "rename 'truth' to 'y_true'?",
        "row 1, column 'y_score': the column is missing; found 'Patient_ID', 'label', 'truth', 'y_scor'; "
        "rename 'y_scor' to 'y_score'?",
    ]


def test_missing_columns_do_not_hide_wrong_values():
    assert refusal("patient_id,label,y_score\n1,ER,x\n") == [
        "row 1, column 'y_true': the column is missing; found 'patient_id', 'label', 'y_score'",
        "row 2, column 'y_score': found 'x'; it must be a number such as 0.73",
    ]


def test_missing_label_and_score_point_to_the_wide_layout():
    problems = refusal("patient_id,ER,age\n1,1,50\n")
    assert problems[0].endswith("'age'; in the wide layout, score columns are named <model>:<label>")


def test_missing_header_is_refused():
    assert refusal("P1,test,m,ER,1,0.5\nP2,test,m,ER,0,0.25\n") == [
        "row 1: no header: the first row holds 'P1', 'test', 'm', 'ER', '1', '0.5'; it must name the columns "
        "(patient_id, set, model, label, y_true, y_score)"
    ]


def test_column_that_occurs_twice_is_refused():
    assert refusal("patient_id,label,y_true,y_score,label\n1,ER,1,0.5,PR\n") == [
        "row 1, column 'label': the name stands over columns 2 and 5; each must be unique"
    ]


@pytest.mark.parametrize("name", ["Set", "split", "MODEL", "Size (mm)", "cluster-id", "Fold"])
def test_column_that_is_nearly_an_optional_one_is_refused(name):
    problems = refusal(f"patient_id,label,y_true,y_score,{name}\n1,ER,1,0.5,7\n")
    assert len(problems) == 1
    assert problems[0].startswith(f"row 1, column {name!r}: is not read as '")
    assert problems[0].endswith("'; rename it to that, or to a name unlike it")


def test_mixture_of_layouts_is_refused():
    assert refusal("patient_id,label,y_true,y_score,m:ER\n1,ER,1,0.5,1\n") == [
        "row 1: mixes the layouts: 'label', 'y_true', 'y_score' belong to the tidy one, 'm:ER' to the wide one "
        "(score columns are named <model>:<label>); keep one layout, and no colon in other names"
    ]


@pytest.mark.parametrize(
    ("header", "message"),
    [
        (
            "patient_id,er,m:ER",
            "column 'm:ER': there is no column 'ER' with the truth of these scores; "
            "found 'patient_id', 'er', 'm:ER'; rename 'er' to 'ER'?",
        ),
        ("patient_id,ER,:ER", "column ':ER': a score column must be named <model>:<label>"),
        ("patient_id,ER,m:", "column 'm:': a score column must be named <model>:<label>"),
        (
            "patient_id,set,m:set",
            "column 'm:set': 'set' cannot be a label: the name has a meaning of its own",
        ),
        (
            "id,ER,m:ER",
            "column 'patient_id': the column is missing; found 'id', 'ER', 'm:ER'; rename 'id' to 'patient_id'?",
        ),
        ("patient_id,ER,m:ER,m: ER", "column 'm: ER': model 'm' has two score columns for 'ER'"),
    ],
)
def test_wrong_wide_header_is_refused(header, message):
    values = ",".join(["1"] * len(header.split(",")))
    assert f"row 1, {message}" in refusal(f"{header}\n{values}\n")


# What is refused: values


@pytest.mark.parametrize(
    ("score", "message"),
    [
        ("", "is missing; it must be a finite number"),
        ("  ", "is missing; it must be a finite number"),
        ("NA", "found 'NA'; it must be a finite number"),
        ("nan", "found 'nan'; it must be a finite number"),
        ("inf", "found 'inf'; it must be a finite number"),
        ("-Infinity", "found '-Infinity'; it must be a finite number"),
        ("1e999", "found '1e999'; it must be a finite number"),
        ("high", "found 'high'; it must be a number such as 0.73"),
        ("1_000", "found '1_000'; it must be a number such as 0.73"),
        ("0x1p3", "found '0x1p3'; it must be a number such as 0.73"),
        ('"0,73"', "found '0,73'; write the decimal mark as a point: '0.73'"),
        ("73 %", "found '73 %'; write a number without a percent sign"),
        ("٣", "found '٣'; it must be a number such as 0.73"),
    ],
)
def test_score_that_is_no_finite_number_is_refused(score, message):
    assert refusal(f"{HEADER}P1,test,m,ER,1,0.5,3\nP2,test,m,ER,0,{score},3\n") == [
        f"row 3, column 'y_score': {message}"
    ]
    assert refusal(f"patient_id,ER,m:ER\nP1,1,{score}\n") == [f"row 2, column 'm:ER': {message}"]


@pytest.mark.parametrize(
    ("truth", "message"),
    [
        ("2", "found '2'; it must be 0, 1, or empty where the label is missing"),
        ("0.5", "found '0.5'; it must be 0, 1, or empty where the label is missing"),
        ("-1", "found '-1'; it must be 0, 1, or empty where the label is missing"),
        ("NA", "found 'NA'; leave the cell empty where the label is missing"),
        ("nan", "found 'nan'; leave the cell empty where the label is missing"),
        ("True", "found 'True'; write 1 for positive and 0 for negative"),
        ("negative", "found 'negative'; write 1 for positive and 0 for negative"),
    ],
)
def test_truth_other_than_zero_one_and_empty_is_refused(truth, message):
    assert refusal(f"{HEADER}P1,test,m,ER,{truth},0.5,3\n") == [f"row 2, column 'y_true': {message}"]
    assert refusal(f"patient_id,ER,m:ER\nP1,{truth},2\n") == [f"row 2, column 'ER': {message}"]


@pytest.mark.parametrize("column", ["patient_id", "set", "model", "label"])
def test_empty_identifier_is_refused(column):
    row = dict(zip(HEADER.strip().split(","), ["P1", "test", "m", "ER", "1", "0.5", "3"], strict=True)) | {
        column: " "
    }
    assert refusal(f"{HEADER}{','.join(row.values())}\n") == [
        f"row 2, column '{column}': is empty; every row needs its {column}"
    ]


def test_second_row_for_one_prediction_is_refused_naming_both():
    assert refusal(f"{HEADER}P1,test,m,ER,1,0.5,3\n\nP1,test,m,PR,1,0.5,3\nP1,test,m,ER,1,0.6,3\n") == [
        "row 5, column 'patient_id': a second row for patient 'P1', set 'test', model 'm', label 'ER'; "
        "the first is row 2"
    ]
    assert refusal("patient_id,ER,m:ER\nP1,1,2\nP2,1,2\nP1,0,2\n") == [
        "row 4, column 'patient_id': a second row for patient 'P1', set 'all'; the first is row 2; "
        "the wide layout has one row per patient"
    ]


def test_patient_with_two_truths_is_refused_naming_both():
    assert refusal(
        f"{HEADER}P1,test,m,ER,1,0.5,3\nP2,test,m,ER,0,1,2\nP1,test,k,ER,0,0.5,3\nP1,test,j,ER,,0.5,3\n"
    ) == [
        "row 4, column 'y_true': patient 'P1' has 0 for label 'ER' here and 1 in row 2; a patient has one truth"
    ]


def test_truth_given_here_and_missing_there_is_refused():
    assert refusal(f"{HEADER}P1,test,m,ER,1,0.5,3\nP1,test,k,ER,,0.5,3\n") == [
        "row 3, column 'y_true': patient 'P1' has nothing for label 'ER' here and 1 in row 2; a patient has one truth"
    ]


def test_patient_in_two_sets_is_refused_naming_both():
    message = (
        "column 'set': patient 'P1' is in set 'train' here and in set 'test' in row 2; "
        "a patient belongs to one set"
    )
    assert refusal(f"{HEADER}P1,test,m,ER,1,0.5,3\nP1,train,m,PR,1,0.5,3\nP1,train,k,PR,1,0.5,3\n") == [
        f"row 3, {message}"
    ]
    assert refusal("patient_id,set,ER,m:ER\nP1,test,1,2\nP1,train,1,2\n") == [f"row 3, {message}"]


def test_cluster_that_does_not_fit_is_refused():
    header = "patient_id,set,cluster_id,label,y_true,y_score\n"
    assert refusal(
        f"{header}L1,test,P1,ER,1,1\nL2,train,P1,ER,1,1\nL1,test,P2,PR,1,1\nL3,test,,ER,0,1\n"
    ) == [
        "row 3, column 'cluster_id': cluster 'P1' is in set 'train' here and in set 'test' in row 2; "
        "a cluster belongs to one set",
        "row 4, column 'cluster_id': patient 'L1' is in cluster 'P2' here and in 'P1' in row 2; it belongs to one",
        "row 5, column 'cluster_id': is empty; every row needs its cluster_id",
    ]


@pytest.mark.parametrize(
    ("size", "message"),
    [
        ("-1", "found '-1'; it cannot be less than 0"),
        ("big", "found 'big'; it must be a number such as 0.73"),
        ("inf", "found 'inf'; it must be a finite number"),
        ("NA", "found 'NA'; leave the cell empty where there is no number"),
        ('"1,5"', "found '1,5'; write the decimal mark as a point: '1.5'"),
    ],
)
def test_size_that_is_no_length_is_refused(size, message):
    assert refusal(f"{HEADER}P1,test,m,ER,1,0.5,{size}\nP1,test,m,PR,1,0.5,3\n") == [
        f"row 2, column 'size_mm': {message}"
    ]


def test_patient_with_two_sizes_is_refused_naming_both():
    assert refusal(
        f"{HEADER}P1,test,m,ER,1,0.5,3\nP1,test,m,PR,1,0.5,4.5\nP2,test,m,PR,1,0.5,4\nP2,test,m,ER,1,0.5,\n"
    ) == [
        "row 3, column 'size_mm': patient 'P1' has 4.5 mm here and 3 mm in row 2; a patient has one size",
        "row 5, column 'size_mm': patient 'P2' has no size here and 4 mm in row 4; a patient has one size",
    ]


def test_too_many_names_are_refused():
    rows = "".join(f"1,L{i},1,1\n" for i in range(1_001))
    assert refusal("patient_id,label,y_true,y_score\n" + rows) == [
        "column 'label': holds 1,001 different names, at most 1,000 are read; is it the right column?"
    ]


def test_all_problems_are_counted_and_the_first_twenty_shown_in_the_order_of_the_file():
    rows = "".join(
        f"P{i},test,m,ER,{'2' if i % 2 else '1'},{'x' if i % 3 == 0 else '1'},-1\n" for i in range(60)
    )
    with pytest.raises(InputFileError) as caught:
        read(HEADER + rows)
    error = caught.value
    assert len(error.problems) == 20
    assert error.total == 30 + 20 + 60
    assert str(error).splitlines()[-1] == "<stream>: and 90 more problems of the same file"
    assert [problem.row for problem in error.problems] == sorted(problem.row for problem in error.problems)
    assert [(p.row, p.column) for p in error.problems[:5]] == [
        (2, "y_score"), (2, "size_mm"), (3, "y_true"), (3, "size_mm"), (4, "size_mm"),
    ]  # fmt: skip


def test_row_numbers_count_blank_lines_and_lines_within_quotes_as_a_spreadsheet_does():
    text = 'patient_id,label,y_true,y_score,note\n\n\n1,ER,1,0.5,"two\nlines"\n,,,,\n   \n2,ER,1,x,\n'
    assert refusal(text) == ["row 7, column 'y_score': found 'x'; it must be a number such as 0.73"]


def test_rows_after_a_row_of_other_length_keep_their_number():
    assert refusal(f"{HEADER}P1,test,m,ER,1,0,5,3\nP2,test,m,ER,1\nP3,test,m,ER,1,x,3\n") == [
        "row 2: has 8 fields where the header has 7; put a value that holds a comma in double quotes, "
        "and write decimals with a point",
        "row 3: has 5 fields where the header has 7; leave a field empty rather than out",
        "row 4, column 'y_score': found 'x'; it must be a number such as 0.73",
    ]


def test_found_values_are_shortened_and_control_characters_made_visible():
    (problem,) = refusal(f"{HEADER}P1,test,m,ER,1,\x1b]0;title\x07{'9' * 100}z,3\n")
    assert problem == (
        r"row 2, column 'y_score': found '\x1b]0;title\x07"
        + "9" * 29
        + "…'; it must be a number such as 0.73"
    )
    (column,) = refusal("patient_id,ER,m\x1b[2J\u202e:PR\n1,1,1\n")
    assert column.startswith(r"row 1, column 'm\x1b[2J\u202e:PR': there is no column 'PR'")


def test_file_name_with_control_characters_is_made_visible():
    with pytest.raises(InputFileError) as caught:
        read_predictions("no\x1b[31m such\nfile")
    assert str(caught.value) == r"no\x1b[31m such\nfile: no such file; check the name and the folder"


def test_twenty_problems_of_many_duplicates_cost_no_message_each():
    text = "patient_id,label,y_true,y_score\n" + "1,ER,1,1\n" * 50_000
    with pytest.raises(InputFileError) as caught:
        read(text)
    assert caught.value.total == 49_999
    assert len(caught.value.problems) == 20


# Properties

identifier = st.text(
    st.characters(codec="utf-8", exclude_categories=("Cc", "Zs", "Zl", "Zp", "Cs")), min_size=1, max_size=8
)
finite = st.floats(allow_nan=False, allow_infinity=False)


@st.composite
def tables(draw: st.DrawFn) -> pd.DataFrame:
    patients = draw(st.lists(identifier, min_size=1, max_size=8, unique=True))
    labels = draw(st.lists(identifier, min_size=1, max_size=3, unique=True))
    models = draw(st.lists(identifier, min_size=1, max_size=2, unique=True))
    of_set = {patient: draw(st.sampled_from(["train", "test", "elsewhere"])) for patient in patients}
    size = {patient: draw(st.none() | st.floats(0, 1e300)) for patient in patients}
    truth = {(p, k): draw(st.sampled_from([0.0, 1.0, None])) for p in patients for k in labels}
    keys = [(p, m, k) for p in patients for m in models for k in labels]
    return pd.DataFrame(
        {
            "patient_id": [p for p, _, _ in keys],
            "set": [of_set[p] for p, _, _ in keys],
            "model": [m for _, m, _ in keys],
            "label": [k for _, _, k in keys],
            "y_true": pd.array([truth[p, k] for p, _, k in keys], dtype="Float64"),
            "y_score": [draw(finite) for _ in keys],
            "size_mm": pd.array([size[p] for p, _, _ in keys], dtype="Float64"),
        }
    )


def plain(frame: pd.DataFrame) -> list[tuple[object, ...]]:
    columns = [[None if pd.isna(value) else value for value in frame[name].tolist()] for name in frame]
    return sorted(zip(*columns, strict=True), key=lambda row: row[:4])


def assert_same_arrays(a: Predictions, b: Predictions) -> None:
    assert (set(a.labels), set(a.models), set(a.sets)) == (set(b.labels), set(b.models), set(b.sets))
    for name in a.sets:
        one, other = a.arrays(name), b.arrays(name)
        models = [b.models.index(model) for model in a.models]
        labels = [b.labels.index(label) for label in a.labels]
        assert one.patient_id.tolist() == other.patient_id.tolist()
        np.testing.assert_array_equal(one.y_true, other.y_true[:, labels])
        np.testing.assert_array_equal(one.y_score, other.y_score[models][:, :, labels])
        np.testing.assert_array_equal(one.size_mm, other.size_mm)


@settings(deadline=None, max_examples=60)
@given(tables(), st.sampled_from([",", "\t", ";"]), st.randoms())
def test_written_tables_come_back_the_same_in_any_order_of_rows(frame, delimiter, random):
    order = list(range(len(frame)))
    random.shuffle(order)
    once = read(frame.to_csv(index=False, sep=delimiter))
    again = read(gzip.compress(("\ufeff" + frame.iloc[order].to_csv(index=False, sep=delimiter)).encode()))
    assert plain(once.frame) == plain(frame)
    assert plain(again.frame) == plain(frame)
    assert_same_arrays(once, again)
    assert_same_arrays(once, Predictions.from_frame(frame.iloc[order]))


@settings(deadline=None, max_examples=60)
@given(tables())
def test_wide_form_of_a_table_reads_as_the_tidy_one(frame):
    wide = {"patient_id": [], "set": [], "size_mm": []}
    blocks = dict(list(frame.groupby("patient_id", sort=False)))
    for patient, block in blocks.items():
        wide["patient_id"].append(patient)
        wide["set"].append(block["set"].iloc[0])
        wide["size_mm"].append(block["size_mm"].iloc[0])
    # A prefix keeps drawn names from meeting those of the columns.
    for label in frame["label"].unique():
        wide[f"L{label}"] = [b.loc[b["label"] == label, "y_true"].iloc[0] for b in blocks.values()]
        for model in frame["model"].unique():
            cells = [
                b.loc[(b["label"] == label) & (b["model"] == model), "y_score"].iloc[0]
                for b in blocks.values()
            ]
            wide[f"{model}:L{label}"] = cells
    if any(":" in label for label in frame["label"]):
        return
    tidy = read(frame.assign(label="L" + frame["label"]).to_csv(index=False))
    assert_same_arrays(tidy, read(pd.DataFrame(wide).to_csv(index=False)))


decimal = st.from_regex(
    r"[+-]?([0-9]{1,30}\.?[0-9]{0,30}|\.[0-9]{1,30})([eE][+-]?[0-9]{1,3})?", fullmatch=True
)


@settings(deadline=None, max_examples=300)
@given(st.lists(finite.map(repr) | decimal, min_size=1, max_size=20))
def test_scores_are_the_doubles_that_python_reads(written):
    kept = [text for text in written if np.isfinite(float(text))] or ["0.1"]
    rows = "".join(f"{i},ER,1,{text}\n" for i, text in enumerate(kept))
    found = read("patient_id,label,y_true,y_score\n" + rows).frame["y_score"].tolist()
    assert [np.float64(value).tobytes() for value in found] == [np.float64(float(t)).tobytes() for t in kept]


noise = st.one_of(
    st.binary(max_size=300),
    st.text(alphabet='patient_idlabely_trueyscore,;\t"\r\n0159.:eER \x00é', max_size=300).map(str.encode),
    st.text(alphabet='P1,\n\r"0.:;', max_size=200).map(lambda text: (HEADER + text).encode()),
    st.binary(max_size=100).map(lambda tail: b"PAR1" + tail),
    st.binary(max_size=100).map(lambda tail: b"\x1f\x8b\x08" + tail),
    st.binary(max_size=200).map(gzip.compress),
)


@settings(deadline=None, max_examples=400)
@given(noise)
def test_any_bytes_are_read_or_refused_and_never_crash(content):
    try:
        read(content)
    except InputFileError as error:
        message = str(error)
        assert all(part.isprintable() for part in message.split("\n"))


def test_result_does_not_depend_on_how_the_reader_cuts_the_file():
    # Larger than one block of the parser, with quotes that hold delimiters and line ends.
    n = 60_000
    rng = np.random.default_rng(5)
    frame = pd.DataFrame(
        {
            "patient_id": [f"patient, number\n{i:06d}" for i in range(n)],
            "label": "ER",
            "y_true": rng.integers(0, 2, n),
            "y_score": rng.normal(size=n),
            "note": "x" * 300,
        }
    )
    text = frame.to_csv(index=False)
    assert len(text) > 2**24
    found = read(text).frame
    assert found["patient_id"].tolist() == frame["patient_id"].tolist()
    np.testing.assert_array_equal(found["y_score"], frame["y_score"])
    (problem,) = refusal(text + "last,ER,1,?,\n")
    assert problem == f"row {n + 2}, column 'y_score': found '?'; it must be a finite number"


def test_file_is_closed_after_a_refusal(tmp_path: Path):
    path = tmp_path / "preds.csv"
    path.write_text("x,y\n1,2\n")
    with pytest.raises(InputFileError, match=f"^{os.fspath(path)}: "):
        read_predictions(path)
