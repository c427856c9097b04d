import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import SimpleITK as sitk
from biomark.errors import BiomarkError, InputFileError
from biomark.zoo.cohort import Cohort, read_cohort
from biomark.zoo.cohort_check import check_cohort
from biomark.zoo.cohort_split import PAPER_FRACTIONS, fold_cohort, split_cohort
from biomark.zoo.lesion_size import largest_diameter_mm, lesion_parts
from biomark.zoo.volume import Volume
from biomark.zoo.volume_writing import write_volume
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import pdist

SPACING = (0.48, 0.2, 0.3)
SHAPE = (24, 60, 40)
TABLE = """\
patient_id,image,mask,set,size_mm,ER,PR,HER2,age,site
007,a.nrrd,am.nrrd,train,12.5,1,0,,61,x
008,b.nrrd,,test,,0,1,1,47,
009,c.nrrd,cm.nrrd,validation,,,1,0,,y
"""


def read(tmp_path: Path, text: str, **options) -> Cohort:
    (tmp_path / "cohort.csv").write_text(text)
    return read_cohort(tmp_path / "cohort.csv", **options)


def refusal(tmp_path: Path, text: str, **options) -> list[str]:
    with pytest.raises(InputFileError) as caught:
        read(tmp_path, text, **options)
    return [str(problem) for problem in caught.value.problems]


def memory_cohort(y: np.ndarray, **columns) -> Cohort:
    frame = pd.DataFrame(
        {"patient_id": [f"P{at:04d}" for at in range(len(y))], "image": "v.nrrd", "mask": None}
    )
    frame["set"] = pd.Series([None] * len(y), dtype=object)
    frame["size_mm"] = np.nan
    labels = tuple(f"L{at}" for at in range(y.shape[1]))
    for at, label in enumerate(labels):
        frame[label] = y[:, at].astype(float)
    return Cohort(frame.assign(**columns), labels, (), (), Path(), "<memory>")


# The table


def test_table_is_read_with_its_types(tmp_path):
    cohort = read(tmp_path, TABLE)
    assert len(cohort) == 3
    assert cohort.patient_id.tolist() == ["007", "008", "009"]
    assert (cohort.labels, cohort.sets) == (("ER", "PR", "HER2"), ("train", "validation", "test"))
    assert cohort.baseline == ("age", "site")
    nan = np.nan
    np.testing.assert_array_equal(cohort.y_true, [[1, 0, nan], [0, 1, 1], [nan, 1, 0]])
    np.testing.assert_array_equal(cohort.size_mm, [12.5, nan, nan])
    assert cohort.image_path(1) == tmp_path / "b.nrrd"
    assert cohort.mask_path(0) == tmp_path / "am.nrrd"
    assert cohort.mask_path(1) is None
    assert cohort.rows("test").tolist() == [1]
    assert cohort.subset("validation").patient_id.tolist() == ["009"]
    assert cohort.subset("validation").sets == ("validation",)
    with pytest.raises(BiomarkError, match="set must be one of train, validation, test; found 'dev'"):
        cohort.rows("dev")


def test_least_table_is_patients_images_and_one_label(tmp_path):
    cohort = read(tmp_path, "patient_id,image,PR\n1,a.nrrd,1\n2,b.nrrd,\n")
    assert (cohort.labels, cohort.sets, cohort.baseline) == (("PR",), (), ())
    assert cohort.frame["mask"].isna().all()
    with pytest.raises(BiomarkError, match="no patient has a set"):
        cohort.rows("train")


def test_other_labels_are_named(tmp_path):
    cohort = read(tmp_path, "patient_id,image,ER,Ki67\n1,a,1,0\n", labels=("Ki67",))
    assert (cohort.labels, cohort.baseline) == (("Ki67",), ("ER",))
    assert (
        "there is no column of this label"
        in refusal(tmp_path, "patient_id,image,ER\n1,a,1\n", labels=("PR",))[0]
    )


def test_every_problem_of_a_table_is_told_in_one_go(tmp_path):
    text = (
        "patient_id,image,mask,set,size_mm,ER\n"
        "1,a.nrrd,,train,12,1\n"
        "1,b.nrrd,,test,3,0\n"
        "2,,,train,-4,yes\n"
        ",c.nrrd,,train,big,2\n"
    )
    problems = refusal(tmp_path, text)
    assert len(problems) == 8
    for part in (
        "row 3, column 'patient_id': a second row for patient '1'; the first is row 2",
        "row 3, column 'set': patient '1' is in set 'test' here and in set 'train' in row 2",
        "row 4, column 'image': is empty",
        "row 4, column 'size_mm': found '-4'; it cannot be less than 0",
        "row 4, column 'ER': found 'yes'; write 1 for positive and 0 for negative",
        "row 5, column 'patient_id': is empty",
        "row 5, column 'size_mm': found 'big'",
        "row 5, column 'ER': found '2'",
    ):
        assert any(part in problem for problem in problems), part


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("patient_id,ER\n1,1\n", "column 'image': the column is missing"),
        ("image,ER\na,1\n", "column 'patient_id': the column is missing"),
        ("patient_id,image\n1,a\n", "there is no column of labels (ER, PR, HER2)"),
    ],
)
def test_missing_columns_are_named(tmp_path, text, message):
    assert any(message in problem for problem in refusal(tmp_path, text))


def test_lesions_of_one_patient_belong_to_one_set(tmp_path):
    text = "patient_id,cluster_id,image,set,ER\nL1,7,a,train,1\nL2,7,b,test,1\n"
    (problem,) = refusal(tmp_path, text)
    assert "cluster '7' is in set 'test' here and in set 'train' in row 2" in problem


def test_written_table_reads_back_the_same_from_another_folder(tmp_path):
    cohort = read(tmp_path, TABLE)
    (tmp_path / "sub").mkdir()
    cohort.write(tmp_path / "sub" / "again.csv")
    again = read_cohort(tmp_path / "sub" / "again.csv")
    for row in range(3):
        assert again.image_path(row).resolve() == cohort.image_path(row).resolve()
    other = again.frame.assign(image=cohort.frame["image"], mask=cohort.frame["mask"])
    pd.testing.assert_frame_equal(other, cohort.frame)
    assert [path.name for path in (tmp_path / "sub").iterdir()] == ["again.csv"]


# The size


def test_diameter_is_the_feret_diameter_of_itk():
    rng = np.random.default_rng(1)
    feret = sitk.LabelShapeStatisticsImageFilter()
    feret.ComputeFeretDiameterOn()
    z, y, x = np.ogrid[:20, :30, :40]
    for _ in range(8):
        a, b, c = rng.uniform(1, 9), rng.uniform(1, 14), rng.uniform(1, 18)
        mask = ((z - 10) / a) ** 2 + ((y - 15) / b) ** 2 + ((x - 20) / c) ** 2 < 1
        image = sitk.GetImageFromArray(mask.astype(np.uint8))
        image.SetSpacing(SPACING[::-1])
        feret.Execute(image)
        np.testing.assert_allclose(largest_diameter_mm(mask, SPACING), feret.GetFeretDiameter(1), rtol=1e-12)


@given(
    seed=st.integers(0, 2**31),
    density=st.floats(0.02, 0.9),
    flat=st.sampled_from([(6, 7, 8), (1, 40, 40), (1, 1, 50), (14, 14, 14)]),
)
@settings(max_examples=60, deadline=None)
def test_diameter_is_the_largest_of_all_pairs(seed, density, flat):
    mask = np.random.default_rng(seed).random(flat) < density
    parts, sizes = lesion_parts(mask)
    if not mask.any():
        assert np.isnan(largest_diameter_mm(mask, SPACING))
        return
    points = np.argwhere(parts == 1 + np.argmax(sizes)) * SPACING
    expected = pdist(points).max(initial=0.0)
    np.testing.assert_allclose(largest_diameter_mm(mask, SPACING), expected, rtol=1e-12, atol=1e-12)


@pytest.mark.parametrize("shape", [(2, 40, 40), (1, 60, 60), (60, 60, 1)])
def test_full_blocks_and_planes_have_their_diagonal(shape):
    diagonal = np.linalg.norm((np.array(shape) - 1) * SPACING)
    np.testing.assert_allclose(largest_diameter_mm(np.ones(shape), SPACING), diagonal, rtol=1e-12)


def test_stray_voxel_is_no_size():
    mask = np.zeros((10, 10, 10))
    mask[1:4, 1:4, 1:4] = 1
    mask[9, 9, 9] = 1
    np.testing.assert_allclose(largest_diameter_mm(mask, (1, 1, 1)), np.sqrt(12))
    assert lesion_parts(mask)[1].tolist() == [27, 1]


# Sets


def labels_of(n: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    shared = rng.standard_normal(n)
    y = np.stack([(shared + rng.standard_normal(n)) > cut for cut in (-1, -0.7, 0.3)], axis=1).astype(float)
    y[rng.random(y.shape) < 0.05] = np.nan
    return y


def test_sets_have_their_shares_to_one_patient_and_the_mix_of_labels():
    y = labels_of(388)
    cohort = split_cohort(memory_cohort(y), rng=3)
    assert cohort.sets == ("train", "validation", "test")
    for name, share in PAPER_FRACTIONS.items():
        rows = cohort.rows(name)
        assert abs(len(rows) - 388 * share) <= 1
        part = cohort.subset(name).y_true
        patterns, counts = np.unique(np.nan_to_num(y, nan=2), axis=0, return_counts=True)
        for pattern, count in zip(patterns, counts, strict=True):
            found = (np.nan_to_num(part, nan=2) == pattern).all(axis=1).sum()
            assert abs(found - count * share) <= 2.5
        assert (np.abs(np.nansum(part, axis=0) - np.nansum(y, axis=0) * share) <= 4).all()


def test_sets_depend_on_the_seed_and_not_on_the_order_of_the_table():
    cohort = memory_cohort(labels_of(100))
    first = split_cohort(cohort, rng=1).frame.set_index("patient_id")["set"]
    again = split_cohort(cohort, rng=1).frame.set_index("patient_id")["set"]
    shuffled = cohort.take(np.random.default_rng(0).permutation(100))
    moved = split_cohort(shuffled, rng=1).frame.set_index("patient_id")["set"]
    pd.testing.assert_series_equal(first, again)
    pd.testing.assert_series_equal(first, moved.loc[first.index])
    assert not first.equals(split_cohort(cohort, rng=2).frame.set_index("patient_id")["set"])


def test_every_patient_may_go_to_every_set():
    cohort = memory_cohort(labels_of(30))
    seen = [set() for _ in range(30)]
    for seed in range(200):
        for at, name in enumerate(split_cohort(cohort, rng=seed).frame["set"]):
            seen[at].add(name)
    assert all(names == {"train", "validation", "test"} for names in seen)


def test_lesions_of_one_patient_stay_together():
    rng = np.random.default_rng(0)
    cluster = pd.Series([f"{value}" for value in rng.integers(0, 40, 90)], dtype=object)
    cluster[rng.random(90) < 0.2] = None
    cohort = split_cohort(memory_cohort(labels_of(90), cluster_id=cluster), rng=0)
    together = cohort.frame.dropna(subset="cluster_id").groupby("cluster_id")["set"].nunique()
    assert (together == 1).all()
    assert set(cohort.frame["set"]) == {"train", "validation", "test"}


def test_folds_are_equal_and_only_of_the_set_that_is_asked():
    cohort = fold_cohort(memory_cohort(labels_of(53)), folds=5, rng=0)
    assert sorted(cohort.frame["fold"].value_counts()) == [10, 10, 11, 11, 11]
    both = fold_cohort(split_cohort(cohort, rng=0), folds=3, only="train")
    inside = (both.frame["set"] == "train").to_numpy()
    assert both.frame["fold"].notna().to_numpy().tolist() == inside.tolist()
    assert set(both.frame.loc[inside, "fold"]) == {"1", "2", "3"}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"fractions": {"a": 0.5, "b": 0.4}}, "must have the sum 1"),
        ({"fractions": {"a": 1.5, "b": -0.5}}, "must be positive"),
        ({"fractions": {}}, "must be positive"),
        ({"fractions": {str(at): 1 / 40 for at in range(40)}}, "20 patients cannot fill 40 sets"),
    ],
)
def test_wrong_fractions_are_refused(options, message):
    with pytest.raises(BiomarkError, match=message):
        split_cohort(memory_cohort(labels_of(20)), **options)


# The check


def volume(seed: int, spacing=SPACING) -> Volume:
    array = np.random.default_rng(seed).integers(0, 255, SHAPE).astype(np.float32)
    return Volume(array, spacing)


def lesion() -> np.ndarray:
    mask = np.zeros(SHAPE, dtype=bool)
    mask[8:16, 20:40, 10:30] = True
    return mask


def clean_cohort(folder: Path, n: int = 6) -> pd.DataFrame:
    folder.mkdir(exist_ok=True)
    rows = []
    for at in range(n):
        write_volume(folder / f"v{at}.nrrd", volume(at))
        # Each lesion elsewhere, as it would be: one mask under two patients is a problem.
        write_volume(folder / f"m{at}.nrrd", volume(at), np.roll(lesion(), at, axis=1))
        group = ("train", "train", "test")[at % 3] if at < 3 else ("train", "test", "test")[at % 3]
        files = {"patient_id": f"P{at}", "image": f"v{at}.nrrd", "mask": f"m{at}.nrrd"}
        rows.append({**files, "set": group, "size_mm": None, "ER": at % 2, "PR": (at + 1) % 2})
    return pd.DataFrame(rows)


def checked(folder: Path, table: pd.DataFrame):
    table.to_csv(folder / "cohort.csv", index=False)
    return check_cohort(folder / "cohort.csv")


def test_clean_cohort_has_no_problem(tmp_path):
    calls = []
    clean_cohort(tmp_path).to_csv(tmp_path / "cohort.csv", index=False)
    check = check_cohort(tmp_path / "cohort.csv", progress=lambda *at: calls.append(at))
    assert check.ok and len(check.problems) == 0
    assert calls == [(at, 6) for at in range(1, 7)]
    assert str(check) == "6 patients, 6 with a mask: no problem found"
    np.testing.assert_allclose(check.size_mm, np.linalg.norm(np.array([7, 19, 19]) * SPACING))


def found(check, kind: str) -> pd.DataFrame:
    return check.problems[check.problems["kind"] == kind]


def test_every_kind_of_problem_is_found_in_one_run(tmp_path):
    table = clean_cohort(tmp_path, n=16)
    table["set"] = ["train", "test"] * 8
    table["ER"] = [0, 1, 1, 1] * 4
    table.loc[1::2, "PR"] = 1
    (tmp_path / "v0.nrrd").unlink()
    (tmp_path / "m1.nrrd").unlink()
    (tmp_path / "v2.nrrd").write_bytes((tmp_path / "v2.nrrd").read_bytes()[:-500])
    write_volume(tmp_path / "m3.nrrd", volume(3), np.zeros(SHAPE, dtype=bool))
    parts = lesion()
    parts[20, 50, 35] = True
    write_volume(tmp_path / "m4.nrrd", volume(4), parts)
    write_volume(tmp_path / "v5.nrrd", Volume(volume(5).array, (480.0, 200.0, 300.0)))
    table.loc[5, "mask"] = None
    write_volume(tmp_path / "v6.nrrd", volume(6), np.full(SHAPE, 7.0))
    shutil.copy(tmp_path / "v7.nrrd", tmp_path / "v8.nrrd")
    write_volume(tmp_path / "v9.nii.gz", volume(10))
    table.loc[9, "image"] = "v9.nii.gz"
    np.save(tmp_path / "m11.npy", lesion()[1:])
    table.loc[11, "mask"] = "m11.npy"
    table.loc[12, "size_mm"] = 30.0
    edge = np.roll(lesion(), -20, axis=1)
    write_volume(tmp_path / "m13.nrrd", volume(13), edge)
    write_volume(tmp_path / "v14.nrrd", Volume(volume(14).array, (1.0, 1.0, 1.0)))
    table.loc[14, "mask"] = None
    dot = np.zeros(SHAPE, dtype=bool)
    dot[5, 5, 5] = True
    write_volume(tmp_path / "m15.nrrd", volume(15), dot)
    table.loc[15, "patient_id"] = "P2"

    check = checked(tmp_path, table)
    assert not check.ok
    rows = {kind: found(check, kind)["row"].dropna().tolist() for kind in check.problems["kind"].unique()}
    assert rows == {
        "table": [17, 17],
        "one-class": [],
        "missing-file": [2, 3],
        "unreadable": [4],
        "mismatch": [13],
        "empty-mask": [5],
        "multi-part-mask": [6],
        "absurd-spacing": [7, 16],
        "constant-image": [8],
        "duplicate": [10, 12],
        "no-mask": [],
        "size": [14],
        "clipped-mask": [15],
        "tiny-mask": [17],
    }
    messages = " | ".join(check.problems["message"])
    assert "v0.nrrd: no such file" in messages
    assert "m1.nrrd: no such file" in messages
    assert "2 of 16 patients have no mask (P5, P14): no segmentation is learned from them" in messages
    assert "v2.nrrd: is truncated" in messages
    assert "m11.npy: has shape (23, 60, 40) and no spacing; its image has shape (24, 60, 40)" in messages
    assert "its voxels measure 480 x 200 x 300 mm" in messages
    assert "a second row for patient 'P2'" in messages
    assert "the table says 30 mm, the mask measures 7.63 mm" in messages
    duplicates = found(check, "duplicate")["message"].tolist()
    assert "has the same bytes as the image of patient 'P7' in row 9" in duplicates[0]
    assert "has the same voxels as the image of patient 'P9' in row 11" in duplicates[1]
    assert "these are in different sets" in duplicates[0]
    assert "set 'test' has only the class 1 (8) of ER" in messages
    assert check.problems["severity"].tolist() == sorted(check.problems["severity"])
    assert check.n_errors + check.n_warnings == len(check.problems)
    assert "errors" in str(check)


def test_mask_under_two_patients_is_told_unless_their_image_is_the_same(tmp_path):
    table = clean_cohort(tmp_path)
    shutil.copy(tmp_path / "m1.nrrd", tmp_path / "m2.nrrd")
    table.loc[4, ["image", "mask"]] = table.loc[3, ["image", "mask"]]
    for at in (0, 5):
        write_volume(tmp_path / f"m{at}.nrrd", volume(at), np.zeros(SHAPE, dtype=bool))
    told = found(checked(tmp_path, table), "duplicate")[["severity", "row", "column", "message"]]
    assert told.to_numpy().tolist() == [
        [
            "error",
            6,
            "image",
            "has the same bytes as the image of patient 'P3' in row 5, and these are in different sets (train and "
            "test): results on test would be false",
        ],
        ["warning", 4, "mask", "is the mask of patient 'P1' in row 3 too, whose image is another"],
    ]


def test_column_that_tells_patients_apart_is_told(tmp_path):
    table = clean_cohort(tmp_path, n=10)
    table["name"] = [f"Doe, Jane {at}" for at in range(10)]
    table["record"] = 1_000_000 + np.arange(10)
    table["birth"] = [f"1950-01-{at + 1:02d}" for at in range(9)] + [None]
    table["device"] = ["A", "B"] * 5
    table["age"] = np.arange(40, 50)
    table["tumour_volume"] = 12_345.5 + np.arange(10)
    told = found(checked(tmp_path, table), "identifying")
    assert told["column"].tolist() == ["name", "record", "birth"]
    assert (told["severity"] == "warning").all()
    assert "(9 in 9); predictions carry it" in told["message"].iloc[2]


def test_label_of_one_class_and_missing_labels_are_told(tmp_path):
    table = clean_cohort(tmp_path)
    table["ER"] = 1
    table["PR"] = table["PR"].astype("Int64")
    table.loc[2, "PR"] = None
    check = checked(tmp_path, table)
    first = found(check, "one-class").iloc[0]
    assert first["severity"] == "error"
    assert first["message"] == "the cohort has only the class 1 (6) of ER; no AUC can be computed"
    assert found(check, "missing-labels")["message"].tolist() == [
        "1 of 6 patients have no PR; they are left out for it"
    ]


def test_cohort_without_sets_is_told_to_make_them(tmp_path):
    table = clean_cohort(tmp_path)
    table["set"] = None
    check = checked(tmp_path, table)
    assert check.ok
    assert found(check, "no-set")["message"].tolist() == [
        "no patient has a set; make sets with biomark split"
    ]


def test_table_that_is_none_is_refused_and_one_without_images_is_told(tmp_path):
    (tmp_path / "cohort.csv").write_bytes(b"\x89PNG\r\n\x1a\n")
    with pytest.raises(InputFileError):
        check_cohort(tmp_path / "cohort.csv")
    (tmp_path / "cohort.csv").write_text("patient_id,ER\n1,1\n")
    check = check_cohort(tmp_path / "cohort.csv")
    assert check.n_patients == 0 and check.n_errors == 1
