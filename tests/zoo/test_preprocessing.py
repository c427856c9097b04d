import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from biomark.errors import BiomarkError, InputFileError
from biomark.zoo.cohort import read_cohort
from biomark.zoo.crop import Box, breast_box, lesion_box
from biomark.zoo.preprocessing import Preprocessing, antialiased_weights, preprocess, resampled
from biomark.zoo.preprocessing_cache import cache_cohort
from biomark.zoo.volume import Volume
from biomark.zoo.volume_writing import write_volume
from hypothesis import given, settings
from hypothesis import strategies as st

SPACING = (0.48, 0.073, 0.2)


def sphere(shape=(40, 260, 90), radius=4.0, spacing=SPACING) -> np.ndarray:
    axes = [(np.arange(n) - n / 2) * step for n, step in zip(shape, spacing, strict=True)]
    z, y, x = np.meshgrid(*axes, indexing="ij", sparse=True)
    return z * z + y * y + x * x <= radius**2


def noisy(mask: np.ndarray, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return (rng.uniform(80, 120, mask.shape) - 60.0 * mask).astype(np.float32)


# Crop


def test_lesion_box_is_the_bounding_box_and_the_margin_in_mm():
    mask = np.zeros((20, 200, 50), dtype=bool)
    mask[5:8, 100:120, 10:30] = True
    box = lesion_box(mask, SPACING, margin_mm=0.96)
    np.testing.assert_allclose(box.d, (3, 10))
    np.testing.assert_allclose(box.h, (100 - 0.96 / 0.073, 120 + 0.96 / 0.073))
    np.testing.assert_allclose(box.w, (10 - 4.8, 30 + 4.8))
    with pytest.raises(BiomarkError, match="the mask is empty"):
        lesion_box(mask & False, SPACING, margin_mm=1)


def test_cube_has_equal_sides_in_mm_and_keeps_the_centre():
    box = Box((2, 10), (30, 90), (0, 20)).cube(SPACING)
    sides = [(b - a) * step for (a, b), step in zip(box.sides(), SPACING, strict=True)]
    np.testing.assert_allclose(sides, max(8 * 0.48, 60 * 0.073, 20 * 0.2))
    np.testing.assert_allclose([sum(side) / 2 for side in box.sides()], (6, 60, 10))


def test_box_is_moved_into_the_volume_and_centred_where_it_does_not_fit():
    box = Box((-3, 5), (95, 120), (-10, 30)).inside((20, 100, 30))
    assert box == Box((0, 8), (75, 100), (-5, 35))


@pytest.mark.parametrize("side", [(3.0, 3.0), (5.0, 2.0), (0.0, float("nan"))])
def test_box_without_extent_is_refused(side):
    with pytest.raises(BiomarkError, match="from low to high"):
        Box(side, (0, 1), (0, 1))


def test_breast_box_leaves_out_the_dark_around_and_keeps_dark_tissue():
    array = np.random.default_rng(0).uniform(0, 3, (60, 130, 70)).astype(np.float32)
    array[10:50, :100, 7:63] += 60
    array[20:30, 40:60, 20:40] -= 30
    box = breast_box(array)
    for found, true in zip(box.sides(), ((10, 50), (0, 100), (7, 63)), strict=True):
        np.testing.assert_allclose(found, true, atol=2)
    whole = breast_box(np.random.default_rng(0).uniform(30, 200, (60, 130, 70)).astype(np.float32))
    assert whole == Box((0, 60), (0, 130), (0, 70))
    assert breast_box(np.ones((5, 6, 7), np.float32)) == Box((0, 5), (0, 6), (0, 7))


# Resampling


@given(
    n=st.integers(1, 60),
    m=st.integers(1, 60),
    start=st.floats(-20, 20),
    length=st.floats(0.5, 90),
)
@settings(max_examples=200, deadline=None)
def test_weights_sum_to_one_inside_and_nothing_outside(n, m, start, length):
    weights, inside = antialiased_weights(n, (start, start + length), m)
    dense = weights.toarray()
    assert (dense >= 0).all()
    np.testing.assert_allclose(dense.sum(axis=1), inside.astype(float), atol=1e-5)


@given(n=st.integers(8, 60), m=st.integers(2, 60))
@settings(max_examples=60, deadline=None)
def test_a_straight_line_stays_straight_away_from_the_ends(n, m):
    weights, _ = antialiased_weights(n, (0.0, float(n)), m)
    at = (np.arange(m) + 0.5) * n / m
    reach = max(n / m, 1.0) + 0.5
    inner = (at > reach) & (at < n - reach)
    found = weights @ (np.arange(n) + 0.5)
    np.testing.assert_allclose(found[inner], at[inner], rtol=0, atol=0.26 if n / m % 1 else 1e-4)


def test_the_same_grid_is_the_identity():
    array = np.random.default_rng(0).random((9, 11, 13)).astype(np.float32)
    same, covered = resampled(array, Box((0, 9), (0, 11), (0, 13)), (9, 11, 13))
    np.testing.assert_allclose(same, array, atol=1e-6)
    assert covered.all()


def test_resampling_is_the_slow_sum_of_triangles():
    rng = np.random.default_rng(0)
    array = rng.random((9, 20, 7)).astype(np.float32)
    box, shape = Box((1.3, 8.0), (-2.0, 21.0), (2.0, 4.5)), (5, 6, 8)
    found, covered = resampled(array, box, shape)

    def triangle(n: int, side: tuple[float, float], m: int) -> np.ndarray:
        step = (side[1] - side[0]) / m
        matrix = np.zeros((m, n))
        for j in range(m):
            centre = side[0] + (j + 0.5) * step
            if 0 <= centre <= n:
                for i in range(n):
                    matrix[j, i] = max(0.0, 1 - abs(i + 0.5 - centre) / max(step, 1))
                matrix[j] /= matrix[j].sum()
        return matrix

    d, h, w = (triangle(*one) for one in zip(array.shape, box.sides(), shape, strict=True))
    np.testing.assert_allclose(found, np.einsum("ai,bj,ck,ijk", d, h, w, array), atol=1e-5)
    assert not covered[:, 0].any() and covered[:, 1:5].all()


def test_fine_stripes_are_averaged_not_aliased():
    # Stripes of two voxels, seen eight times coarser: a plain linear interpolation would show beats.
    stripes = np.zeros((4, 512, 4), np.float32)
    stripes[:, ::2] = 1.0
    found, _ = resampled(stripes, Box((0, 4), (0, 512), (0, 4)), (4, 61, 4))
    np.testing.assert_allclose(found, 0.5, atol=0.02)


# The whole


def test_result_is_scaled_to_0_and_1_at_the_percentiles():
    mask = sphere()
    result = preprocess(Volume(noisy(mask), SPACING), mask, size=32, margin_mm=3, percentiles=(1, 99))
    assert result.image.shape == (32, 32, 32)
    assert result.image.dtype == np.float32
    assert result.image.min() == 0.0 and result.image.max() == 1.0
    for edge in (0.0, 1.0):
        assert abs((result.image == edge).mean() - 0.01) < 0.002


def test_sphere_stays_a_sphere_of_its_size():
    mask = sphere()
    result = preprocess(Volume(noisy(mask), SPACING), mask, size=48, margin_mm=3)
    assert max(result.spacing) - min(result.spacing) < 1e-9
    assert result.mask is not None
    extents = [np.ptp(at) + 1 for at in np.nonzero(result.mask)]
    assert max(extents) - min(extents) <= 2  # a slice of the volume is thicker than a voxel of the result
    volume = result.mask.sum() * np.prod(result.spacing)
    np.testing.assert_allclose(volume, 4 / 3 * np.pi * 4**3, rtol=0.03)
    # The dark of the image is where the mask is.
    assert result.image[result.mask].mean() < 0.25 < 0.7 < result.image[~result.mask].mean()


def test_large_and_small_lesions_stay_apart_with_a_margin_in_mm():
    shares = []
    for radius in (2.0, 5.0):
        mask = sphere(radius=radius)
        found = preprocess(Volume(noisy(mask), SPACING), mask, size=32, margin_mm=4).mask
        assert found is not None
        shares.append(found.mean())
    assert shares[1] > 2 * shares[0]


def test_without_isotropy_each_side_is_scaled_on_its_own():
    mask = sphere(radius=2.0)
    mask[:, :30] = False
    result = preprocess(Volume(noisy(mask), SPACING), mask, size=(8, 16, 24), margin_mm=1, isotropic=False)
    assert result.image.shape == (8, 16, 24)
    extents = [(b - a) * s for (a, b), s in zip(result.box.sides(), SPACING, strict=True)]
    np.testing.assert_allclose(np.array(extents) / (8, 16, 24), result.spacing)


def test_what_lies_outside_the_volume_is_zero():
    array = np.full((10, 40, 10), 50.0, np.float32)
    array[:, ::2] = 60.0
    result = preprocess(Volume(array, (1.0, 1.0, 1.0)), size=40, crop="none")
    assert (result.image[:14] == 0).all() and (result.image[:, :, 26:] == 0).all()
    assert result.image[15:25, :, 15:25].max() == 1.0


def test_given_box_is_used_as_it_is():
    array = np.random.default_rng(0).random((10, 12, 14)).astype(np.float32)
    box = Box((2, 6), (3, 7), (4, 8))
    result = preprocess(Volume(array, SPACING), size=4, box=box, percentiles=(0, 100))
    part = array[2:6, 3:7, 4:8]
    np.testing.assert_allclose(result.image, (part - part.min()) / np.ptp(part), atol=1e-5)


def test_lesion_smaller_than_a_voxel_of_the_result_is_not_lost():
    mask = np.zeros((40, 260, 90), dtype=bool)
    mask[20, 130, 45] = True
    result = preprocess(Volume(noisy(mask), SPACING), mask, size=16, crop="breast")
    assert result.mask is not None and result.mask.any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"size": 0}, "size must be a whole number"),
        ({"crop": "all"}, "crop must be one of lesion, breast, none"),
        ({"margin_mm": -1}, "margin_mm must be 0 or more"),
        ({"percentiles": (99, 1)}, "percentiles must rise"),
        ({"percentiles": (0, 101)}, "percentiles must rise"),
    ],
)
def test_wrong_settings_are_refused(options, message):
    with pytest.raises(BiomarkError, match=message):
        Preprocessing(**options)


def test_wrong_masks_and_empty_crops_are_refused():
    volume = Volume(np.full((8, 8, 8), 3.0, np.float32), (1, 1, 1))
    with pytest.raises(BiomarkError, match="must have the volume's shape"):
        preprocess(volume, np.zeros((8, 8, 9), dtype=bool))
    with pytest.raises(BiomarkError, match="nothing to scale"):
        preprocess(volume, size=8)
    with pytest.raises(BiomarkError, match="outside the volume"):
        preprocess(volume, size=8, box=Box((20, 30), (0, 8), (0, 8)))


# The cache

SMALL = Preprocessing(size=12, margin_mm=2.0)


def make_cohort(folder: Path, n: int = 4) -> Path:
    folder.mkdir(exist_ok=True)
    rows = []
    for at in range(n):
        mask = sphere((16, 60, 24), radius=0.8 + 0.1 * at)
        volume = Volume(noisy(mask, at), SPACING)
        write_volume(folder / f"doe_jane_{at}.nrrd", volume, note="Doe^Jane")
        mask_name = None
        if at != 1:
            mask_name = f"m{at}.nii.gz"
            write_volume(folder / mask_name, volume, mask)
        rows.append(
            {"patient_id": f"Jane{at}", "image": f"doe_jane_{at}.nrrd", "mask": mask_name, "ER": at % 2}
        )
    pd.DataFrame(rows).to_csv(folder / "cohort.csv", index=False)
    return folder / "cohort.csv"


def files(folder: Path) -> dict[str, int]:
    return {path.name: path.stat().st_mtime_ns for path in folder.iterdir()}


def test_cached_arrays_are_those_of_preprocess(tmp_path):
    cohort = read_cohort(make_cohort(tmp_path / "c"))
    calls = []
    cached = cache_cohort(cohort, tmp_path / "cache", SMALL, progress=lambda *at: calls.append(at))
    assert calls == [(1, 4), (2, 4), (3, 4), (4, 4)]
    images, masks, has_mask = cached.arrays()
    assert images.shape == masks.shape == (4, 12, 12, 12)
    assert (images.dtype, masks.dtype) == (np.uint8, np.uint8)
    assert has_mask.tolist() == [True, False, True, True]
    for at in range(4):
        lesion = sphere((16, 60, 24), radius=0.8 + 0.1 * at)
        volume = Volume(noisy(lesion, at), SPACING)
        expected = preprocess(volume, lesion if at != 1 else None, size=12, margin_mm=2.0)
        assert np.abs(images[at] / 255 - expected.image).max() <= 0.5 / 255 + 1e-6
        assert np.array_equal(masks[at] > 0, expected.mask if at != 1 else np.zeros((12, 12, 12), bool))
        np.testing.assert_allclose(cached.geometry(at)["spacing"], expected.spacing)
    subset, _, _ = cached.arrays(np.array([2, 0]))
    np.testing.assert_array_equal(subset, images[[2, 0]])
    half, _, _ = cache_cohort(cohort, tmp_path / "cache", SMALL, dtype="float16").arrays()
    assert half.dtype == np.float16
    assert np.abs(half.astype(float) - images / 255).max() < 0.5 / 255 + 1e-3


def test_sizes_are_measured_where_the_table_has_none(tmp_path):
    path = make_cohort(tmp_path / "c")
    cached = cache_cohort(read_cohort(path), tmp_path / "cache", SMALL)
    np.testing.assert_allclose(cached.cohort.size_mm, read_cohort(path).measured().size_mm)
    assert np.isnan(cached.cohort.size_mm).tolist() == [False, True, False, False]
    again = cache_cohort(read_cohort(path), tmp_path / "cache", SMALL)
    np.testing.assert_allclose(again.cohort.size_mm, cached.cohort.size_mm)


def test_second_call_makes_nothing_and_reads_no_volume(tmp_path, monkeypatch):
    cohort = read_cohort(make_cohort(tmp_path / "c"))
    first = cache_cohort(cohort, tmp_path / "cache", SMALL)
    before = files(tmp_path / "cache")
    from biomark.zoo import preprocessing_cache

    def never(*_args):
        raise AssertionError("a file was read again")

    monkeypatch.setattr(preprocessing_cache, "read_volume", never)
    monkeypatch.setattr(preprocessing_cache, "content_digest", never)
    second = cache_cohort(cohort, tmp_path / "cache", SMALL)
    assert (first.n_made, second.n_made) == (4, 0)
    assert second.keys == first.keys and second.digest == first.digest
    assert files(tmp_path / "cache") == before


def test_key_follows_content_and_settings_not_names(tmp_path):
    path = make_cohort(tmp_path / "c")
    cohort = read_cohort(path)
    keys = cache_cohort(cohort, tmp_path / "cache", SMALL).keys
    assert len(set(keys)) == 4
    for other in (
        replace(SMALL, margin_mm=3.0),
        replace(SMALL, percentiles=(1, 99)),
        replace(SMALL, crop="breast"),
    ):
        assert not set(cache_cohort(cohort, tmp_path / "cache", other).keys) & set(keys)
    (tmp_path / "c").rename(tmp_path / "moved")
    moved = cache_cohort(read_cohort(tmp_path / "moved" / "cohort.csv"), tmp_path / "cache", SMALL)
    assert (moved.keys, moved.n_made) == (keys, 0)
    # A volume of the same length and name but other voxels has another key.
    mask = sphere((16, 60, 24))
    write_volume(tmp_path / "moved" / "doe_jane_2.nrrd", Volume(noisy(mask, 99), SPACING))
    changed = cache_cohort(read_cohort(tmp_path / "moved" / "cohort.csv"), tmp_path / "cache", SMALL)
    assert [a == b for a, b in zip(changed.keys, keys, strict=True)] == [True, True, False, True]


def test_cache_holds_no_name_path_or_tag_of_a_patient(tmp_path):
    cached = cache_cohort(read_cohort(make_cohort(tmp_path / "c")), tmp_path / "cache", SMALL)
    for path in cached.folder.iterdir():
        content = path.read_bytes().lower() + path.name.lower().encode()
        for secret in (b"doe", b"jane", str(tmp_path).lower().encode()):
            assert secret not in content


def test_broken_entry_is_made_again(tmp_path):
    cohort = read_cohort(make_cohort(tmp_path / "c"))
    cached = cache_cohort(cohort, tmp_path / "cache", SMALL)
    images, _, _ = cached.arrays()
    victim = tmp_path / "cache" / f"{cached.keys[2]}.npz"
    victim.write_bytes(victim.read_bytes()[:-100])
    again = cache_cohort(cohort, tmp_path / "cache", SMALL)
    assert again.n_made == 1
    np.testing.assert_array_equal(again.arrays()[0], images)


def test_every_bad_volume_is_named_and_the_others_are_kept(tmp_path):
    path = make_cohort(tmp_path / "c")
    (tmp_path / "c" / "doe_jane_0.nrrd").write_bytes(b"no volume")
    (tmp_path / "c" / "m3.nii.gz").unlink()
    with pytest.raises(InputFileError) as caught:
        cache_cohort(read_cohort(path), tmp_path / "cache", SMALL)
    first, second = (str(problem) for problem in caught.value.problems)
    assert "patient 'Jane0'" in first and "is no volume" in first
    assert "patient 'Jane3'" in second and "no such file" in second
    assert len(list((tmp_path / "cache").glob("*.npz"))) == 2


def test_detached_data_file_counts_as_content(tmp_path):
    folder = tmp_path / "c"
    folder.mkdir()
    mask = sphere((16, 60, 24))
    for seed in (1, 2):
        noisy(mask, seed).astype("<f4").tofile(folder / "v.raw")
        lines = ["ObjectType = Image", "NDims = 3", "DimSize = 24 60 16", "ElementSpacing = 0.2 0.073 0.48"]
        lines += ["ElementType = MET_FLOAT", "ElementDataFile = v.raw"]
        (folder / "v.mhd").write_text("\n".join(lines) + "\n")
        (folder / "cohort.csv").write_text("patient_id,image,ER\n1,v.mhd,1\n")
        os.utime(folder / "v.raw", ns=(seed, seed))
        cached = cache_cohort(read_cohort(folder / "cohort.csv"), tmp_path / "cache", SMALL)
        assert cached.n_made == 1


def test_interrupted_call_goes_on_where_it_stopped(tmp_path):
    cohort = read_cohort(make_cohort(tmp_path / "c", n=12))

    def stop_at_four(done: int, total: int) -> None:
        if done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        cache_cohort(cohort, tmp_path / "cache", SMALL, workers=1, progress=stop_at_four)
    made = list((tmp_path / "cache").glob("*.npz"))
    assert 4 <= len(made) < 12
    assert not list((tmp_path / "cache").glob(".*"))
    # What a killed process leaves behind under another name is no entry.
    (tmp_path / "cache" / f".{made[0].name}.1.2.part").write_bytes(b"half")
    cached = cache_cohort(cohort, tmp_path / "cache", SMALL)
    assert cached.n_made == 12 - len(made)
    whole = cache_cohort(cohort, tmp_path / "other", SMALL)
    assert whole.keys == cached.keys
    np.testing.assert_array_equal(whole.arrays()[0], cached.arrays()[0])


def test_number_of_workers_plays_no_part(tmp_path):
    cohort = read_cohort(make_cohort(tmp_path / "c"))
    one = cache_cohort(cohort, tmp_path / "one", SMALL, workers=1)
    many = cache_cohort(cohort, tmp_path / "many", SMALL, workers=5)
    assert one.keys == many.keys
    np.testing.assert_array_equal(one.arrays()[0], many.arrays()[0])


def test_memory_of_digests_may_be_broken(tmp_path):
    cohort = read_cohort(make_cohort(tmp_path / "c"))
    keys = cache_cohort(cohort, tmp_path / "cache", SMALL).keys
    memory = tmp_path / "cache" / "digests.json"
    assert len(json.loads(memory.read_text(encoding="utf-8"))) == 7
    memory.write_text("{broken")
    again = cache_cohort(cohort, tmp_path / "cache", SMALL)
    assert (again.keys, again.n_made) == (keys, 0)
