"""Volumes that are mapped from files are the volumes that are read into memory."""

import numpy as np
import pytest
import torch
from biomark import zoo
from biomark.errors import BiomarkError
from biomark.zoo import mapped_volumes
from biomark.zoo.mapped_volumes import available_memory, stored_arrays
from biomark.zoo.precision import Precision
from biomark.zoo.training_data import volume_data
from biomark.zoo.varied_batches import VariedBatches


@pytest.fixture
def cached(tmp_path):
    rng = np.random.default_rng(0)
    lines = ["patient_id,image,mask,set,ER"]
    for i in range(5):
        spacing = {"spacing": np.array([0.5, 0.5, 0.5])}
        np.savez(tmp_path / f"{i}.npz", array=rng.random((12, 10, 9), dtype=np.float32), **spacing)
        mask = np.zeros((12, 10, 9), dtype=np.uint8)
        mask[3:8, 3:7, 2:6] = 1
        np.savez(tmp_path / f"{i}m.npz", array=mask, **spacing)
        lines.append(f"P{i},{i}.npz,{f'{i}m.npz' if i % 2 else ''},train,{i % 2}")
    (tmp_path / "cohort.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    cohort = zoo.read_cohort(tmp_path / "cohort.csv")
    return zoo.cache_cohort(cohort, tmp_path / "cache", zoo.Preprocessing(size=8))


def test_mapped_volumes_are_those_in_memory(cached):
    rows = np.array([3, 0, 4, 1])
    for mapped, held in zip(stored_arrays(cached, rows, "mapped"), cached.arrays(rows), strict=True):
        assert mapped.dtype == held.dtype
        np.testing.assert_array_equal(mapped, held)
    assert isinstance(stored_arrays(cached, rows, "mapped")[0], np.memmap)
    assert not list(cached.folder.glob("*.part"))


def test_they_are_mapped_by_themselves_where_memory_is_short(cached, monkeypatch):
    rows = np.arange(5)
    assert not isinstance(stored_arrays(cached, rows)[0], np.memmap)
    monkeypatch.setattr(mapped_volumes, "available_memory", lambda: 5 * 8**3 * 2 * 1.9)
    assert isinstance(stored_arrays(cached, rows)[0], np.memmap)
    assert 2**20 < available_memory()


def test_files_that_were_cut_are_made_anew(cached):
    rows = np.arange(5)
    stored_arrays(cached, rows, "mapped")
    (images,) = cached.folder.glob("*.images")
    images.write_bytes(images.read_bytes()[:100])
    np.testing.assert_array_equal(stored_arrays(cached, rows, "mapped")[0], cached.arrays(rows)[0])


def test_a_folder_that_cannot_be_written_is_told(cached, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(mapped_volumes.os, "replace", full)
    with pytest.raises(BiomarkError, match="cannot be written: No space left on device"):
        stored_arrays(cached, np.arange(5), "mapped")
    assert not list(cached.folder.glob("*.part"))


def test_an_unknown_storage_is_refused(cached):
    with pytest.raises(BiomarkError, match="storage"):
        stored_arrays(cached, np.arange(5), "tape")


def test_a_batch_prepared_ahead_is_the_batch(cached):
    data = volume_data(cached, storage="mapped")
    batches = VariedBatches(
        data,
        None,
        batch_size=2,
        with_masks=True,
        device=torch.device("cpu"),
        precision=Precision("fp32", "cpu"),
    )
    first, other = np.array([4, 1]), np.array([0, 2])
    expected = batches.batch(first, [1, 2])
    batches.prepare(first)
    prepared = batches.batch(first, [1, 2])
    batches.prepare(other)
    not_that = batches.batch(first, [1, 2])
    for found in (prepared, not_that):
        assert all(torch.equal(a, b) for a, b in zip(found, expected, strict=True))
    assert expected.has_mask.tolist() == [False, True]
