import gzip
import itertools
import resource
import struct
import zipfile
from dataclasses import fields
from pathlib import Path

import numpy as np
import pytest
import SimpleITK as sitk
from biomark.errors import BiomarkError, InputFileError
from biomark.zoo import claimed_size
from biomark.zoo.volume import Volume, read_mask, read_volume
from biomark.zoo.volume_writing import write_volume

SPACING = (0.48, 0.073, 0.2)
ARRAY = np.random.default_rng(0).integers(0, 255, (7, 12, 9)).astype(np.uint8)
SECRET = "Doe^Jane"


def image_of(array: np.ndarray, spacing=SPACING, origin=(1.0, 2.0, 3.0)) -> sitk.Image:
    image = sitk.GetImageFromArray(array)
    image.SetSpacing(spacing[::-1])
    image.SetOrigin(origin)
    return image


def write_slices(
    folder: Path,
    array: np.ndarray,
    *,
    series: str = "1.2.3.4",
    modality: str = "CT",
    skip: tuple[int, ...] = (),
) -> Path:
    """Write DICOM slices, named so that the order of their names is not that of their positions."""
    folder.mkdir(exist_ok=True)
    writer = sitk.ImageFileWriter()
    writer.KeepOriginalImageUIDOn()
    for at in range(len(array)):
        if at in skip:
            continue
        slice_ = image_of(array)[:, :, at]
        tags = {
            "0010|0010": SECRET,
            "0008|0060": modality,
            "0008|0018": f"{series}.{at + 1}",
            "0020|000d": "1.2.3",
            "0020|000e": series,
            "0020|0032": f"1\\2\\{3 + 0.48 * at}",
            "0020|0037": "1\\0\\0\\0\\1\\0",
            "0018|0050": "0.48",
            "0020|0013": str(at),
        }
        for tag, value in tags.items():
            slice_.SetMetaData(tag, value)
        writer.SetFileName(str(folder / f"{series}_{(at * 5) % 7}.dcm"))
        writer.Execute(slice_)
    return folder


def write_as(kind: str, folder: Path) -> Path:
    image = image_of(ARRAY)
    if kind == "folder":
        return write_slices(folder / "slices", ARRAY)
    if kind == "npz":
        np.savez(folder / "v.npz", array=ARRAY, spacing=SPACING, origin=(1.0, 2.0, 3.0))
        return folder / "v.npz"
    if kind == "npz-fortran":
        np.savez_compressed(
            folder / "v.npz", volume=np.asfortranarray(ARRAY), spacing=SPACING, origin=(1, 2, 3)
        )
        return folder / "v.npz"
    name, _, compression = kind.partition("-")
    path = folder / f"v.{name}"
    sitk.WriteImage(image, str(path), compression == "gz")
    return path


KINDS = ["nrrd", "nrrd-gz", "nhdr", "nii", "nii.gz", "mha", "mha-gz", "mhd", "mhd-gz", "dcm", "folder"]
KINDS += ["npz", "npz-fortran"]


def refusal(path: Path, *, mask: bool = False) -> str:
    with pytest.raises(InputFileError) as caught:
        read_mask(path, read_volume(path.parent / "image.nrrd")) if mask else read_volume(path)
    (problem,) = caught.value.problems
    assert caught.value.path == str(path)
    return str(problem)


# What is read


@pytest.mark.parametrize("kind", KINDS)
def test_every_format_gives_the_same_array_and_geometry(kind, tmp_path):
    volume = read_volume(write_as(kind, tmp_path))
    assert volume.array.dtype == np.float32
    assert volume.array.flags.c_contiguous
    np.testing.assert_array_equal(volume.array, ARRAY)
    assert volume.spacing == SPACING
    np.testing.assert_allclose(volume.origin, (1, 2, 3), atol=1e-6)
    np.testing.assert_allclose(np.reshape(volume.direction, (3, 3)), np.eye(3), atol=1e-12)
    np.testing.assert_allclose(volume.extent_mm, np.array(ARRAY.shape) * SPACING)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int16, np.uint16, np.int32, np.float32, np.float64])
@pytest.mark.parametrize("kind", ["nrrd-gz", "nii.gz", "mha"])
def test_every_type_of_number_is_read(kind, dtype, tmp_path):
    array = (ARRAY // 2).astype(dtype)
    name = kind.partition("-")[0]
    sitk.WriteImage(image_of(array), str(tmp_path / f"v.{name}"), kind.endswith("gz"))
    np.testing.assert_array_equal(read_volume(tmp_path / f"v.{name}").array, array)


@pytest.mark.parametrize("axes", list(itertools.permutations(range(3))))
@pytest.mark.parametrize("kind", ["nrrd", "nii"])
def test_order_and_sign_of_the_files_axes_play_no_part(kind, axes, tmp_path):
    for flips in itertools.product([False, True], repeat=3):
        image = sitk.Flip(sitk.PermuteAxes(image_of(ARRAY), axes), flips, False)
        sitk.WriteImage(image, str(tmp_path / f"v.{kind}"))
        volume = read_volume(tmp_path / f"v.{kind}")
        np.testing.assert_array_equal(volume.array, ARRAY)
        assert volume.spacing == SPACING
        np.testing.assert_allclose(volume.origin, (1, 2, 3), atol=1e-5)


def test_oblique_volume_keeps_its_direction_and_voxels(tmp_path):
    image = image_of(ARRAY)
    angle = np.deg2rad(20)
    turn = [np.cos(angle), -np.sin(angle), 0, np.sin(angle), np.cos(angle), 0, 0, 0, 1]
    image.SetDirection(turn)
    sitk.WriteImage(image, str(tmp_path / "v.nrrd"))
    volume = read_volume(tmp_path / "v.nrrd")
    np.testing.assert_array_equal(volume.array, ARRAY)
    np.testing.assert_allclose(volume.direction, turn, atol=1e-12)


@pytest.mark.parametrize("compressed", [False, True])
def test_metaimage_is_read_as_simpleitk_reads_it(compressed, tmp_path):
    rng = np.random.default_rng(0)
    for dtype in (np.int16, np.uint32, np.float64, np.int64):
        # Small turns, so that no axis changes its place.
        turn, _ = np.linalg.qr(np.eye(3) + rng.normal(0, 0.1, (3, 3)))
        turn *= np.sign(np.diag(turn))
        image = image_of((ARRAY * 100).astype(dtype))
        image.SetDirection(turn.ravel().tolist())
        sitk.WriteImage(image, str(tmp_path / "v.mha"), compressed)
        expected = sitk.ReadImage(str(tmp_path / "v.mha"))
        volume = read_volume(tmp_path / "v.mha")
        np.testing.assert_array_equal(volume.array, sitk.GetArrayFromImage(expected).astype(np.float32))
        np.testing.assert_allclose(volume.direction, expected.GetDirection(), atol=1e-12)
        np.testing.assert_allclose(volume.origin, expected.GetOrigin())


def test_metaimage_of_other_byte_order_or_with_a_header_in_its_data_is_read(tmp_path):
    head = ["ObjectType = Image", "NDims = 3", "DimSize = 9 12 7", "ElementType = MET_SHORT"]
    head += ["ElementSize = 0.2 0.073 0.48", "Position = 1 2 3"]
    (tmp_path / "v.raw").write_bytes(b"scanner's own" + ARRAY.astype(">i2").tobytes())
    last = ["BinaryDataByteOrderMSB = True", "HeaderSize = -1", "ElementDataFile = v.raw"]
    (tmp_path / "v.mhd").write_text("\n".join([*head, *last]) + "\n")
    volume = read_volume(tmp_path / "v.mhd")
    np.testing.assert_array_equal(volume.array, ARRAY)
    assert (volume.spacing, volume.origin) == (SPACING, (1.0, 2.0, 3.0))


def test_format_is_told_by_content_not_by_name(tmp_path):
    write_as("nrrd-gz", tmp_path).rename(tmp_path / "v.img")
    volume = read_volume(tmp_path / "v.img")
    assert volume.format == "NRRD"
    np.testing.assert_array_equal(volume.array, ARRAY)


def test_npy_needs_a_spacing_and_takes_the_given_one(tmp_path):
    np.save(tmp_path / "v.npy", ARRAY)
    assert "states no spacing" in refusal(tmp_path / "v.npy")
    volume = read_volume(tmp_path / "v.npy", spacing=SPACING)
    np.testing.assert_array_equal(volume.array, ARRAY)
    assert volume.spacing == SPACING
    np.savez(tmp_path / "v.npz", array=ARRAY, spacing=SPACING)
    with pytest.raises(InputFileError, match="states the spacing"):
        read_volume(tmp_path / "v.npz", spacing=(1, 1, 1))


def test_npz_with_a_direction_is_turned_as_other_formats_are(tmp_path):
    direction = np.diag([1.0, -1.0, 1.0])
    np.savez(tmp_path / "v.npz", array=ARRAY[:, ::-1], spacing=SPACING, direction=direction)
    np.testing.assert_array_equal(read_volume(tmp_path / "v.npz").array, ARRAY)


def test_nifti_with_a_fourth_axis_of_one_is_a_volume(tmp_path):
    sitk.WriteImage(sitk.JoinSeries([image_of(ARRAY)]), str(tmp_path / "v.nii.gz"))
    np.testing.assert_array_equal(read_volume(tmp_path / "v.nii.gz").array, ARRAY)


def test_nothing_personal_is_kept(tmp_path):
    image = image_of(ARRAY)
    image.SetMetaData("0010|0010", SECRET)
    image.SetMetaData("ITK_FileNotes", SECRET)
    for name in ("v.nrrd", "v.nii", "v.mha", "v.dcm"):
        sitk.WriteImage(image, str(tmp_path / name))
    assert SECRET.encode() in (tmp_path / "v.dcm").read_bytes()
    for name in ("v.nrrd", "v.nii", "v.mha", "v.dcm"):
        volume = read_volume(tmp_path / name)
        held = [getattr(volume, field.name) for field in fields(Volume)]
        assert SECRET not in repr(held) and "0010" not in repr(held)
        write_volume(tmp_path / "again.nrrd", volume)
        assert SECRET.encode() not in (tmp_path / "again.nrrd").read_bytes()


def test_readers_write_nothing_on_the_terminal(tmp_path, capfd):
    for kind in KINDS:
        read_volume(write_as(kind, tmp_path))
    assert capfd.readouterr() == ("", "")


# Masks


def lesion() -> np.ndarray:
    mask = np.zeros(ARRAY.shape, dtype=np.uint8)
    mask[2:5, 3:9, 2:6] = 1
    return mask


def test_mask_of_any_format_lies_on_its_image(tmp_path):
    volume = read_volume(write_as("nrrd", tmp_path))
    for kind in ("seg.nrrd", "nii.gz", "mha"):
        sitk.WriteImage(image_of(lesion()), str(tmp_path / f"m.{kind}"))
        np.testing.assert_array_equal(read_mask(tmp_path / f"m.{kind}", volume), lesion() > 0)
    np.save(tmp_path / "m.npy", lesion() > 0)
    np.testing.assert_array_equal(read_mask(tmp_path / "m.npy", volume), lesion() > 0)


def test_mask_cropped_to_its_lesion_is_laid_back(tmp_path):
    # As 3D Slicer stores a segment: only the box around it, with an origin of its own.
    volume = read_volume(write_as("nrrd", tmp_path))
    sitk.WriteImage(image_of(lesion())[2:6, 3:9, 2:5], str(tmp_path / "m.seg.nrrd"))
    np.testing.assert_array_equal(read_mask(tmp_path / "m.seg.nrrd", volume), lesion() > 0)


def test_mask_on_a_finer_turned_grid_takes_the_nearest_value(tmp_path):
    volume = read_volume(write_as("nrrd", tmp_path))
    mask = image_of(lesion())
    fine = sitk.Resample(
        mask,
        [3 * n for n in mask.GetSize()],
        sitk.Transform(),
        sitk.sitkNearestNeighbor,
        [o - s / 3 for o, s in zip(mask.GetOrigin(), mask.GetSpacing(), strict=True)],
        [s / 3 for s in mask.GetSpacing()],
        mask.GetDirection(),
    )
    sitk.WriteImage(sitk.Flip(fine, [True, False, True], False), str(tmp_path / "m.nii.gz"))
    np.testing.assert_array_equal(read_mask(tmp_path / "m.nii.gz", volume), lesion() > 0)


def test_segments_and_overlapping_layers_are_one_lesion(tmp_path):
    volume = read_volume(write_as("nrrd", tmp_path))
    second = np.roll(lesion(), 2, axis=1) * 2
    layers = sitk.Compose(image_of(lesion()), image_of(second))
    sitk.WriteImage(layers, str(tmp_path / "m.seg.nrrd"))
    np.testing.assert_array_equal(read_mask(tmp_path / "m.seg.nrrd", volume), (lesion() + second) > 0)


def test_mask_of_another_place_or_shape_is_refused(tmp_path):
    sitk.WriteImage(image_of(ARRAY), str(tmp_path / "image.nrrd"))
    sitk.WriteImage(image_of(lesion(), origin=(500, 0, 0)), str(tmp_path / "m.nrrd"))
    assert "no part of its lesion lies within the image" in refusal(tmp_path / "m.nrrd", mask=True)
    np.save(tmp_path / "m.npy", lesion()[1:])
    assert "has shape (6, 12, 9) and no spacing; its image has shape (7, 12, 9)" in refusal(
        tmp_path / "m.npy", mask=True
    )


# What is refused


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "folder"])
def test_truncated_file_of_every_format_is_refused_by_name(kind, tmp_path):
    path = write_as(kind, tmp_path)
    data = {"nhdr": "v.raw", "mhd": "v.raw", "mhd-gz": "v.zraw"}.get(kind, path.name)
    content = (tmp_path / data).read_bytes()
    for keep in (len(content) - 30, len(content) // 2, 150):
        (tmp_path / data).write_bytes(content[:keep])
        assert refusal(path)


def test_truncated_slice_of_a_folder_is_refused(tmp_path):
    folder = write_slices(tmp_path / "slices", ARRAY)
    for victim in sorted(folder.iterdir()):
        content = victim.read_bytes()
        for keep in (len(content) - 1, len(content) - 40, len(content) // 2, 140):
            victim.write_bytes(content[:keep])
            with pytest.raises(InputFileError, match=r"slices.*(truncated|damaged|does not belong)"):
                read_volume(folder)
        victim.write_bytes(content)
    np.testing.assert_array_equal(read_volume(folder).array, ARRAY)


def test_damaged_gzip_is_refused(tmp_path):
    path = write_as("nii.gz", tmp_path)
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0xFF
    path.write_bytes(bytes(content))
    assert "damaged" in refusal(path)


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("picture.nrrd", b"\x89PNG\r\n\x1a\n" + b"\0" * 400),
        ("report.nii", b"%PDF-1.7\n" + b"x" * 400),
        ("table.csv", b"patient_id,image\n1,a.nrrd\n" * 40),
        ("noise.mha", bytes(range(256)) * 4),
        ("zero.nii.gz", gzip.compress(b"\0" * 1000, mtime=0)),
        ("short.dcm", b"DICM"),
    ],
)
def test_files_that_are_no_volume_are_refused_by_name(name, content, tmp_path):
    (tmp_path / name).write_bytes(content)
    assert refusal(tmp_path / name).startswith("is no volume that is known here; expected NRRD")


def test_absent_and_empty_files_are_refused(tmp_path):
    assert refusal(tmp_path / "v.nrrd") == "no such file; check the name and the folder"
    (tmp_path / "v.nrrd").touch()
    assert refusal(tmp_path / "v.nrrd").startswith("the file is empty")
    assert "holds no DICOM series" in refusal(tmp_path)


def nrrd_header(sizes: str, *more: str) -> bytes:
    lines = ["NRRD0004", "type: unsigned char", "dimension: 3", f"sizes: {sizes}", "encoding: raw", *more]
    return ("\n".join(lines) + "\n\n").encode()


def nifti_header(shape: tuple[int, int, int], bits: int = 8) -> bytes:
    head = bytearray(352)
    struct.pack_into("<i", head, 0, 348)
    struct.pack_into("<8h", head, 40, 3, *shape, 1, 1, 1, 1)
    struct.pack_into("<2h", head, 70, {8: 2, 16: 4}[bits], bits)
    struct.pack_into("<8f", head, 76, 1, 1, 1, 1, 1, 1, 1, 1)
    struct.pack_into("<f", head, 108, 352)
    head[344:348] = b"n+1\0"
    return bytes(head)


def npy_header(shape: str) -> bytes:
    text = f"{{'descr': '|u1', 'fortran_order': False, 'shape': {shape}, }}".encode().ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + struct.pack("<H", len(text)) + text


def mha_header(sizes: str, *more: str) -> bytes:
    lines = ["ObjectType = Image", "NDims = 3", f"DimSize = {sizes}", "ElementType = MET_UCHAR", *more]
    return ("\n".join([*lines, "ElementDataFile = LOCAL"]) + "\n").encode()


GIANT = {
    "v.nrrd": nrrd_header("100000 100000 100000"),
    "v.nii": nifti_header((32767, 32767, 32767)),
    "v.nii.gz": gzip.compress(nifti_header((32767, 32767, 32767)) + b"\0" * 100),
    "v.mha": mha_header("100000 100000 100000"),
    "v.npy": npy_header("(100000, 100000, 100000)"),
}


@pytest.mark.parametrize("name", GIANT)
def test_giant_header_is_refused_without_the_memory_it_asks_for(name, tmp_path):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    (tmp_path / name).write_bytes(GIANT[name] + b"\0" * 64)
    assert "at most 536,870,912 are read" in refusal(tmp_path / name)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000  # KiB


@pytest.mark.parametrize("name", GIANT)
def test_header_that_promises_more_than_the_file_holds_is_refused(name, tmp_path):
    # 512 MiB: allowed by the limit, and not there.
    modest = {
        "v.nrrd": nrrd_header("1024 1024 512"),
        "v.nii": nifti_header((1024, 1024, 512)),
        "v.nii.gz": gzip.compress(nifti_header((1024, 1024, 512)) + b"\0" * 100),
        "v.mha": mha_header("1024 1024 512"),
        "v.npy": npy_header("(512, 1024, 1024)"),
    }
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    (tmp_path / name).write_bytes(modest[name] + (b"" if name.endswith("gz") else b"\0" * 64))
    assert "is truncated" in refusal(tmp_path / name)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50_000


@pytest.mark.parametrize(
    "sizes", ["0 5 5", "-3 5 5", "99999999999999999999 1 1", "5 5", "5 5 5 5", "a b c", ""]
)
def test_impossible_sizes_are_refused(sizes, tmp_path):
    (tmp_path / "v.nrrd").write_bytes(nrrd_header(sizes) + b"\0" * 200)
    assert refusal(tmp_path / "v.nrrd")
    (tmp_path / "v.mha").write_bytes(mha_header(sizes) + b"\0" * 200)
    assert refusal(tmp_path / "v.mha")


@pytest.mark.parametrize("name", ["v.nii.gz", "v.nrrd", "v.mha"])
def test_decompression_bomb_is_refused_before_it_is_inflated(name, tmp_path):
    bomb = b"\0" * 2**26
    if name == "v.nii.gz":
        content = gzip.compress(nifti_header((5, 5, 5)) + bomb)
    elif name == "v.nrrd":
        content = nrrd_header("5 5 5").replace(b"raw", b"gzip") + gzip.compress(bomb)
    else:
        content = mha_header("5 5 5", "CompressedData = True") + gzip.zlib.compress(bomb)
    (tmp_path / name).write_bytes(content)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert "go on after the" in refusal(tmp_path / name)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 30_000


@pytest.mark.parametrize("kind", ["nrrd", "nrrd-gz", "nii", "mha", "npz", "dcm"])
def test_damaged_header_is_refused_or_read_and_nothing_else_happens(kind, tmp_path):
    path = write_as(kind, tmp_path)
    content = path.read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(150):
        damaged = bytearray(content)
        for at in rng.integers(0, min(len(content), 420), size=rng.integers(1, 5)):
            if rng.random() < 0.3:
                del damaged[at : at + int(rng.integers(1, 6))]
            else:
                damaged[min(at, len(damaged) - 1)] = rng.choice([*b"0123456789 -", *rng.integers(0, 256, 12)])
        path.write_bytes(bytes(damaged))
        try:
            read_volume(path)
        except InputFileError as error:
            assert str(path) in str(error)


def test_limit_is_stated_and_holds(tmp_path, monkeypatch):
    monkeypatch.setattr(claimed_size, "MOST_VOXELS", ARRAY.size - 1)
    for kind in KINDS:
        assert "at most 755 are read" in refusal(write_as(kind, tmp_path))


OUTSIDE = ["../secret.raw", "/etc/hostname", "sub/secret.raw", "..", "C:\\secret.raw", "%03d.raw"]


@pytest.mark.parametrize("where", OUTSIDE)
def test_header_cannot_name_a_file_outside_its_folder(where, tmp_path):
    (tmp_path / "secret.raw").write_bytes(ARRAY.tobytes())
    home = tmp_path / "home"
    (home / "sub").mkdir(parents=True)
    (home / "sub" / "secret.raw").write_bytes(ARRAY.tobytes())
    (home / "v.mhd").write_bytes(mha_header("9 12 7").replace(b"LOCAL", where.encode()))
    assert "must lie in the header's own folder" in refusal(home / "v.mhd")
    (home / "v.nhdr").write_bytes(nrrd_header("9 12 7", f"data file: {where}"))
    assert "must lie in the header's own folder" in refusal(home / "v.nhdr")


def test_link_out_of_the_folder_and_lists_of_files_are_refused(tmp_path):
    (tmp_path / "secret.raw").write_bytes(ARRAY.tobytes())
    home = tmp_path / "home"
    home.mkdir()
    (home / "v.raw").symlink_to(tmp_path / "secret.raw")
    (home / "v.mhd").write_bytes(mha_header("9 12 7").replace(b"LOCAL", b"v.raw"))
    assert "a link that leads out of the folder" in refusal(home / "v.mhd")
    (home / "w.mhd").write_bytes(mha_header("9 12 7").replace(b"LOCAL", b"LIST"))
    assert "list of files" in refusal(home / "w.mhd")
    (home / "x.mhd").write_bytes(mha_header("9 12 7").replace(b"LOCAL", b"absent.raw"))
    assert "where there is no such file" in refusal(home / "x.mhd")


def test_pickles_are_never_loaded(tmp_path):
    np.save(tmp_path / "v.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    assert "objects are never unpickled" in refusal(tmp_path / "v.npy")
    np.savez(tmp_path / "v.npz", array=np.array([{"a": 1}], dtype=object), spacing=SPACING)
    assert "objects are never unpickled" in refusal(tmp_path / "v.npz")


def test_npz_without_a_volume_or_with_wrong_geometry_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "v.npz", "w") as archive:
        archive.writestr("word/document.xml", "<x/>")
    assert "expected 'array' and 'spacing'" in refusal(tmp_path / "v.npz")
    np.savez(tmp_path / "v.npz", array=ARRAY, spacing=[1.0, 2.0])
    assert "its 'spacing' has shape (2,)" in refusal(tmp_path / "v.npz")
    np.savez(tmp_path / "v.npz", array=ARRAY, spacing=[1.0, 0.0, 1.0])
    assert "it must be positive" in refusal(tmp_path / "v.npz")
    np.savez(tmp_path / "v.npz", array=ARRAY)
    assert "states no spacing" in refusal(tmp_path / "v.npz")


def test_wrong_dimensions_colours_and_values_are_refused(tmp_path):
    sitk.WriteImage(image_of(ARRAY)[:, :, 3], str(tmp_path / "flat.nrrd"))
    assert "dimensions" in refusal(tmp_path / "flat.nrrd")
    sitk.WriteImage(sitk.JoinSeries([image_of(ARRAY)] * 2), str(tmp_path / "four.nii"))
    assert "has 4 dimensions" in refusal(tmp_path / "four.nii")
    sitk.WriteImage(sitk.Compose([image_of(ARRAY)] * 3), str(tmp_path / "colour.nrrd"))
    assert "has 3 values per voxel" in refusal(tmp_path / "colour.nrrd")
    array = ARRAY.astype(np.float32)
    array[1, 2, 3] = np.nan
    array[1, 2, 4] = np.inf
    sitk.WriteImage(image_of(array), str(tmp_path / "nan.nrrd"))
    assert "voxels that are not finite: 2;" in refusal(tmp_path / "nan.nrrd")


LONG = ("OB", "OW", "SQ")


def element(group: int, number: int, kind: str, value: bytes, *, explicit: bool) -> bytes:
    value += b"\0" * (len(value) % 2)
    if not explicit:
        return struct.pack("<2HI", group, number, len(value)) + value
    if kind in LONG:
        return struct.pack("<2H2sHI", group, number, kind.encode(), 0, len(value)) + value
    return struct.pack("<2H2sH", group, number, kind.encode(), len(value)) + value


def ultrasound_file(path: Path, *, explicit: bool, undefined: bool = False, spacing: bool = True) -> Path:
    """Write a multi-frame ultrasound file by hand: its spacing is that of a region, after another in seconds."""

    def region(unit: int, dx: float, dy: float) -> bytes:
        elements = [
            element(0x18, 0x6024, "US", struct.pack("<H", unit), explicit=explicit),
            element(0x18, 0x6026, "US", struct.pack("<H", unit), explicit=explicit),
            element(0x18, 0x602C, "FD", struct.pack("<d", dx), explicit=explicit),
            element(0x18, 0x602E, "FD", struct.pack("<d", dy), explicit=explicit),
        ]
        inner = b"".join(elements)
        if undefined:
            return (
                struct.pack("<2HI", 0xFFFE, 0xE000, 0xFFFFFFFF)
                + inner
                + struct.pack("<2HI", 0xFFFE, 0xE00D, 0)
            )
        return struct.pack("<2HI", 0xFFFE, 0xE000, len(inner)) + inner

    regions = element(0x18, 0x6011, "SQ", region(3, 0.02, 0.0073), explicit=explicit)
    if undefined:
        head = 12 if explicit else 8
        regions = regions[: head - 4] + b"\xff" * 4 + regions[head:] + struct.pack("<2HI", 0xFFFE, 0xE0DD, 0)
    # An icon has pixel data of its own, which are not those of the image.
    icon = element(0x7FE0, 0x10, "OB", b"\1" * 16, explicit=explicit)
    icons = element(
        0x88, 0x200, "SQ", struct.pack("<2HI", 0xFFFE, 0xE000, len(icon)) + icon, explicit=explicit
    )
    d, h, w = ARRAY.shape
    us = [
        (0x28, 2, 1),
        (0x28, 0x10, h),
        (0x28, 0x11, w),
        (0x28, 0x100, 8),
        (0x28, 0x101, 8),
        (0x28, 0x102, 7),
    ]
    shorts = {
        key: element(*key, "US", struct.pack("<H", n), explicit=explicit)
        for *key_, n in us
        for key in [tuple(key_)]
    }
    parts = [
        element(8, 0x16, "UI", b"1.2.840.10008.5.1.4.1.1.3.1", explicit=explicit),
        element(8, 0x18, "UI", b"1.2.3.4.5", explicit=explicit),
        element(8, 0x60, "CS", b"US", explicit=explicit),
        element(0x10, 0x10, "PN", SECRET.encode(), explicit=explicit),
        element(0x18, 0x50, "DS", b"0.48", explicit=explicit),
        regions if spacing else b"",
        element(0x20, 0xD, "UI", b"1.2.3", explicit=explicit),
        element(0x20, 0xE, "UI", b"1.2.3.4", explicit=explicit),
        shorts[(0x28, 2)],
        element(0x28, 4, "CS", b"MONOCHROME2", explicit=explicit),
        element(0x28, 8, "IS", str(d).encode(), explicit=explicit),
        *(shorts[(0x28, n)] for n in (0x10, 0x11, 0x100, 0x101, 0x102)),
        element(0x28, 0x103, "US", struct.pack("<H", 0), explicit=explicit),
        icons,
        element(0x7FE0, 0x10, "OB" if explicit else "OW", ARRAY.tobytes(), explicit=explicit),
    ]
    syntax = b"1.2.840.10008.1.2.1" if explicit else b"1.2.840.10008.1.2"
    meta = element(2, 0x10, "UI", syntax, explicit=True)
    length = element(2, 0, "UL", struct.pack("<I", len(meta)), explicit=True)
    path.write_bytes(b"\0" * 128 + b"DICM" + length + meta + b"".join(parts))
    return path


def test_ultrasound_that_states_no_spacing_is_refused_not_taken_for_1_mm(tmp_path):
    folder = write_slices(tmp_path / "slices", ARRAY, modality="US")
    assert "states no pixel spacing" in refusal(folder)
    image = image_of(ARRAY)
    image.SetMetaData("0008|0060", "US")
    sitk.WriteImage(image, str(tmp_path / "v.dcm"))
    assert "states no pixel spacing" in refusal(tmp_path / "v.dcm")


@pytest.mark.parametrize("undefined", [False, True])
@pytest.mark.parametrize("explicit", [False, True])
def test_spacing_of_an_ultrasound_region_is_used(tmp_path, explicit, undefined):
    path = ultrasound_file(tmp_path / "v.dcm", explicit=explicit, undefined=undefined)
    volume = read_volume(path)
    np.testing.assert_array_equal(volume.array, ARRAY)
    assert volume.spacing == SPACING
    assert SECRET not in repr([getattr(volume, field.name) for field in fields(Volume)])
    content = path.read_bytes()
    for keep in range(140, len(content), 97):
        path.write_bytes(content[:keep])
        assert refusal(path)


def test_dicom_elements_that_lead_astray_are_refused(tmp_path):
    path = ultrasound_file(tmp_path / "v.dcm", explicit=True)
    content = path.read_bytes()
    rng = np.random.default_rng(0)
    for _ in range(300):
        damaged = bytearray(content)
        for at in rng.integers(132, len(content) - ARRAY.size, size=4):
            damaged[at] = rng.integers(256)
        path.write_bytes(bytes(damaged))
        # Some damage does not show; the rest is refused, and nothing else happens.
        try:
            assert read_volume(path).array.shape == ARRAY.shape
        except InputFileError as error:
            assert str(path) in str(error)


def test_folder_with_two_series_or_a_missing_slice_is_refused(tmp_path):
    folder = write_slices(tmp_path / "gap", ARRAY, skip=(3,))
    assert "a slice is missing or stands twice" in refusal(folder)
    both = write_slices(tmp_path / "both", ARRAY)
    write_slices(both, ARRAY[:4], series="1.2.3.5")
    assert "holds 2 DICOM series (of 7, 4 files)" in refusal(both)


# What is written


@pytest.mark.parametrize("ending", [".nrrd", ".nii", ".nii.gz", ".mha", ".seg.nrrd"])
def test_written_volume_reads_back_with_its_note_in_the_header(ending, tmp_path):
    volume = Volume(ARRAY.astype(np.float32), SPACING, (4.0, 5.0, 6.0))
    write_volume(tmp_path / f"v{ending}", volume, ARRAY, note="SIMULATED, no patient")
    again = read_volume(tmp_path / f"v{ending}")
    assert again.same_grid(volume)
    np.testing.assert_array_equal(again.array, ARRAY)
    content = (tmp_path / f"v{ending}").read_bytes()
    assert b"SIMULATED, no patient" in (gzip.decompress(content) if ending == ".nii.gz" else content)
    assert [path.name for path in tmp_path.iterdir()] == [f"v{ending}"]


def test_volume_that_cannot_be_written_leaves_nothing(tmp_path):
    volume = Volume(ARRAY.astype(np.float32), SPACING)
    with pytest.raises(BiomarkError, match="a volume is written as"):
        write_volume(tmp_path / "v.png", volume)
    with pytest.raises(BiomarkError, match="must have the volume's shape"):
        write_volume(tmp_path / "v.nrrd", volume, ARRAY[1:])
    with pytest.raises(BiomarkError, match="cannot be written"):
        write_volume(tmp_path / "absent" / "v.nrrd", volume)
    assert not list(tmp_path.iterdir())
