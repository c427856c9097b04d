import gzip
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from biomark.__main__ import main
from biomark.errors import BiomarkError
from biomark.stats import auc
from biomark.zoo.breast_anatomy import breast_tissue
from biomark.zoo.cohort_check import check_cohort
from biomark.zoo.latent_traits import TRAITS, LatentModel
from biomark.zoo.lesion_size import largest_diameter_mm, lesion_parts
from biomark.zoo.phantom import DEVICES, SCANNER_SPACING, PhantomGrid, simulate_phantom
from biomark.zoo.phantom_cohort import NOTE, write_phantom_cohort
from biomark.zoo.phantom_mass import MassLook
from biomark.zoo.random_field import smooth_field
from biomark.zoo.speckle import RAYLEIGH_SNR, PointSpread, log_compressed, speckle_envelope
from biomark.zoo.volume import read_mask, read_volume
from biomark.zoo.volume_writing import write_volume
from scipy import ndimage

COARSE = PhantomGrid(extent_mm=(30.0, 34.0, 30.0), spacing=(1.0, 0.4, 0.8))
SPACING = (0.6, 0.2, 0.4)
TRAIT = {name: at for at, name in enumerate(TRAITS)}


def traits(**values: float) -> np.ndarray:
    z = np.zeros(len(TRAITS))
    for name, value in values.items():
        z[TRAIT[name]] = value
    return z


# Speckle


def homogeneous(seed: int = 0, shape=(60, 180, 90)) -> np.ndarray:
    return speckle_envelope(np.ones(shape, np.float32), SPACING, np.random.default_rng(seed))


def test_homogeneous_speckle_has_the_rayleigh_signal_to_noise_ratio_at_every_depth():
    envelope = np.concatenate([homogeneous(seed) for seed in range(3)])
    assert round(RAYLEIGH_SNR, 2) == 1.91
    assert abs(envelope.mean() / envelope.std() - RAYLEIGH_SNR) < 0.02
    for at in range(0, 180, 45):
        part = envelope[:, at : at + 45]
        assert abs(part.mean() / part.std() - RAYLEIGH_SNR) < 0.06
        assert abs((part**2).mean() - 1) < 0.04


def test_envelope_is_rayleigh_distributed():
    envelope = homogeneous()[::5, ::6, ::6].ravel()  # far enough apart to be nearly independent
    expected = np.sqrt(-2 * np.log(1 - np.array([0.1, 0.5, 0.9]))) / np.sqrt(2)
    np.testing.assert_allclose(np.quantile(envelope, [0.1, 0.5, 0.9]), expected, rtol=0.04)


def test_speckle_is_wider_away_from_the_focus_and_as_wide_as_the_pulse_there():
    psf = PointSpread(lateral=0.4, elevation=0.7, focus=10.0, lateral_range=8.0)
    shape, spacing = (40, 150, 300), (0.6, 0.2, 0.2)
    envelope = speckle_envelope(np.ones(shape, np.float32), spacing, np.random.default_rng(0), psf=psf) ** 2

    def width(at: int) -> float:
        # Intensities of Gaussian speckle correlate as exp(-d^2 / (2 s^2)): from the value one step of 0.4 mm apart.
        rows = envelope[:, at - 3 : at + 3]
        rows = rows - rows.mean()
        correlation = float((rows[..., 2:] * rows[..., :-2]).mean() / (rows**2).mean())
        return float(np.sqrt(0.4**2 / (2 * -np.log(correlation))))

    np.testing.assert_allclose(width(50), 0.4, rtol=0.08)
    np.testing.assert_allclose(width(130), 0.4 * np.sqrt(1 + (16 / 8) ** 2), rtol=0.12)


def test_mean_intensity_follows_the_amplitude():
    amplitude = np.ones((60, 180, 90), np.float32)
    amplitude[:, 90:] = 0.1
    envelope = speckle_envelope(amplitude, SPACING, np.random.default_rng(0))
    assert abs((envelope[:, :80] ** 2).mean() - 1) < 0.03
    assert abs((envelope[:, 100:] ** 2).mean() - 0.01) < 0.0003


def test_log_compression_maps_the_dynamic_range_to_255_steps():
    envelope = np.array([[[1.0, 10**-1.2, 1e-3, 1e-4, 0.0, 5.0]]], np.float32)
    assert log_compressed(envelope, dynamic_range_db=60).ravel().tolist() == [255, 153, 0, 0, 0, 255]
    assert log_compressed(envelope, dynamic_range_db=60, gain_db=-24).ravel().tolist()[0] == 153


def test_smooth_field_has_unit_variance_and_its_scale():
    rng = np.random.default_rng(0)
    values = np.stack(
        [smooth_field((6, 7, 8), (1.0, 1.0, 1.0), 3.0, rng)[::3, ::3, ::4] for _ in range(3000)]
    )
    np.testing.assert_allclose(values.var(axis=0), 1, atol=0.12)
    np.testing.assert_allclose(values.mean(axis=0), 0, atol=0.08)


# The latent model


def test_best_auc_is_that_of_the_posterior_odds():
    model = LatentModel()
    z, y = model.draw(200_000, np.random.default_rng(0))
    for at, (label, best) in enumerate(model.best_auc().items()):
        chance = model.probabilities(z)[:, at]
        assert abs(auc(y[:, at], chance) - best) < 0.003
        assert abs(y[:, at].mean() - model.prevalence[label]) < 0.004
        # Calibrated: the posterior is the truth.
        middle = (chance > 0.4) & (chance < 0.6)
        assert abs(y[middle, at].mean() - chance[middle].mean()) < 0.02


def test_no_other_score_of_the_traits_beats_the_best():
    model = LatentModel()
    z, y = model.draw(50_000, np.random.default_rng(1))
    rng = np.random.default_rng(2)
    for at, best in enumerate(model.best_auc().values()):
        direction = model.coefficients()[at]
        for _ in range(5):
            other = direction / np.linalg.norm(direction) + rng.normal(0, 0.3, len(TRAITS))
            assert auc(y[:, at], z @ other) < best + 0.002


@pytest.mark.parametrize("target", [0.5, 0.6, 0.75, 0.9, 0.99])
def test_asked_auc_is_met(target):
    model = LatentModel().with_best_auc(target)
    for value in model.best_auc().values():
        assert abs(value - target) < 1e-8
    own = LatentModel().with_best_auc({"ER": 0.8, "PR": 0.7, "HER2": 0.5}).best_auc()
    np.testing.assert_allclose(list(own.values()), [0.8, 0.7, 0.5], atol=1e-8)


def test_control_has_the_same_traits_and_labels_that_know_nothing_of_them():
    real, control = LatentModel().with_best_auc(0.95), LatentModel().with_best_auc(0.5)
    z, y = control.draw(100_000, np.random.default_rng(0))
    np.testing.assert_array_equal(z, real.draw(100_000, np.random.default_rng(0))[0])
    for at in range(3):
        assert abs(auc(y[:, at], z @ real.coefficients()[at]) - 0.5) < 0.007
        assert np.abs(np.corrcoef(z.T, y[:, at])[-1, :-1]).max() < 0.015
    # Labels still agree among themselves, by the copula alone.
    assert np.corrcoef(y.T)[0, 1] > 0.15


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: LatentModel(effects={}), "at least one label"),
        (
            lambda: LatentModel(effects={"ER": {"colour": 1.0}}),
            "unknown trait 'colour' of ER; known are spiculation",
        ),
        (lambda: LatentModel(effects={"Ki67": {"size": 1.0}}), "the prevalence of Ki67 is missing"),
        (lambda: LatentModel(agreement=1.0), "agreement must be"),
        (lambda: LatentModel().with_best_auc(0.4), "must lie within 0.5 to 0.999"),
        (lambda: LatentModel().with_best_auc({"ER": 0.9}), "best AUC of PR"),
        (lambda: LatentModel(effects={"ER": {}}).with_best_auc(0.9), "has no effect to scale"),
    ],
)
def test_wrong_models_are_refused(make, message):
    with pytest.raises(BiomarkError, match=message):
        make()


# The picture


def test_each_look_follows_its_own_trait_alone():
    base = MassLook.from_traits(traits())
    follows = {
        "size": {"diameter_mm"},
        "shadow": {"shadow_db"},
        "echo": {"echo_db"},
        "spiculation": {"spicules", "irregularity"},
        "retraction": {"retraction"},
        "calcification": {"calcifications"},
    }
    for trait, fields in follows.items():
        low, high = (MassLook.from_traits(traits(**{trait: z})) for z in (-1.5, 1.5))
        for name in MassLook.__dataclass_fields__:
            values = [getattr(look, name) for look in (low, base, high)]
            assert (values[0] < values[1] < values[2]) if name in fields else len(set(values)) == 1


def test_tissue_has_its_layers_in_order():
    shape = COARSE.shape
    tissue = breast_tissue(shape, COARSE.spacing, np.random.default_rng(0))
    assert (tissue.gland_top + 7.9 < tissue.gland_bottom).all()
    assert tissue.echo_db.shape == tissue.loss_db_per_mm.shape == shape
    assert np.isfinite(tissue.echo_db).all()
    # Bone at the bottom takes everything, soft tissue next to nothing.
    assert tissue.loss_db_per_mm[:, -1].max() > 10
    assert np.abs(tissue.loss_db_per_mm[:, : shape[1] // 2]).max() < 0.2


def behind_and_beside(look: np.ndarray, seed: int) -> tuple[float, float]:
    """Return mean grey below the mass, and beside that at the same depth."""
    phantom = simulate_phantom(look, rng=np.random.default_rng(seed), grid=PhantomGrid())
    grey, mask = phantom.volume.array, phantom.mask
    step = phantom.volume.spacing
    d, _, w = (round(at) for at in ndimage.center_of_mass(mask))
    bottom = int(np.nonzero(mask[:, :, w].any(axis=0))[0].max())
    depth = slice(bottom + int(1.0 / step[1]), bottom + int(4.0 / step[1]))
    core, side = int(2.0 / step[2]), int(12.0 / step[2])
    behind = grey[d - 3 : d + 4, depth, w - core : w + core + 1]
    left = grey[d - 3 : d + 4, depth, max(0, w - side - core) : max(1, w - side + core)]
    right = grey[d - 3 : d + 4, depth, w + side - core : w + side + core]
    return float(behind.mean()), float(np.concatenate([left.ravel(), right.ravel()]).mean())


def test_posterior_shadow_is_strong_enough_to_see_and_enhancement_is_bright():
    differences = {}
    for name, z in (("shadow", 1.5), ("enhancement", -2.0)):
        pairs = [behind_and_beside(traits(shadow=z, size=-0.5), seed) for seed in range(3)]
        differences[name] = np.mean([behind - beside for behind, beside in pairs])
    # Of 255 grey values; a dozen are easily seen.
    assert differences["shadow"] < -50
    assert differences["enhancement"] > 10


def test_mass_is_darker_than_its_surroundings_and_lighter_with_more_echo():
    inside, around = [], []
    for z in (-1.5, 1.5):
        phantom = simulate_phantom(traits(echo=z, shadow=-1), rng=np.random.default_rng(3))
        ring = ndimage.binary_dilation(phantom.mask, iterations=8) & ~ndimage.binary_dilation(
            phantom.mask, iterations=3
        )
        inside.append(phantom.volume.array[ndimage.binary_erosion(phantom.mask, iterations=3)].mean())
        around.append(phantom.volume.array[ring].mean())
    assert inside[0] + 15 < inside[1] < around[1] - 10


@pytest.mark.parametrize("seed", range(6))
def test_mask_is_one_part_of_about_the_asked_diameter(seed):
    z = np.random.default_rng(seed).standard_normal(len(TRAITS))
    phantom = simulate_phantom(z, rng=np.random.default_rng(seed), grid=COARSE)
    _, sizes = lesion_parts(phantom.mask)
    assert len(sizes) == 1
    size = largest_diameter_mm(phantom.mask, phantom.volume.spacing)
    # The body may be longer than its mean diameter, and spicules reach beyond it.
    assert 0.8 * phantom.look.diameter_mm < size < 2.2 * phantom.look.diameter_mm


def test_size_trait_is_in_the_measured_size():
    sizes, asked = [], []
    for seed in range(8):
        z = np.random.default_rng(seed).standard_normal(len(TRAITS))
        z[TRAIT["size"]] = -1.5 + 3 * seed / 7
        phantom = simulate_phantom(z, rng=np.random.default_rng(seed), grid=COARSE)
        sizes.append(np.cbrt(phantom.mask.sum()))
        asked.append(z[TRAIT["size"]])
    assert np.corrcoef(sizes, asked)[0, 1] > 0.9


def test_command_takes_a_strength_for_each_label(tmp_path, capsys):
    given = ["phantom", "--patients", "8", "--best-auc"]
    assert main([*given, "ER=0.9,PR=0.7,HER2=0.5", "--out", str(tmp_path / "c"), "--quiet"]) == 0
    best = json.loads((tmp_path / "c" / "phantom.json").read_text(encoding="utf-8"))["best_possible_auc"]
    assert best == pytest.approx({"ER": 0.9, "PR": 0.7, "HER2": 0.5}, abs=1e-6)
    for wrong, says in (
        ("ER=0.9,KI67=0.9", "no label 'KI67'"),
        ("ER=0.9", "AUC of PR"),
        ("ER=high", "LABEL=A"),
    ):
        assert main([*given, wrong, "--out", str(tmp_path / "d")]) == 2
        assert says in capsys.readouterr().err
    assert not (tmp_path / "d").exists()


def test_phantom_depends_on_its_seed_alone():
    a, b = (simulate_phantom(traits(), rng=np.random.default_rng(1), grid=COARSE) for _ in range(2))
    np.testing.assert_array_equal(a.volume.array, b.volume.array)
    np.testing.assert_array_equal(a.mask, b.mask)
    c = simulate_phantom(traits(), rng=np.random.default_rng(2), grid=COARSE)
    assert (a.volume.array != c.volume.array).mean() > 0.5


def test_devices_differ_in_gain():
    means = [
        simulate_phantom(
            traits(), rng=np.random.default_rng(1), grid=COARSE, device=device
        ).volume.array.mean()
        for device in DEVICES
    ]
    assert max(means) - min(means) > 8
    assert all(60 < mean < 160 for mean in means)


@pytest.mark.parametrize("wrong", [{"extent_mm": (10, 36, 36)}, {"spacing": (0.5, 0, 0.5)}])
def test_wrong_grids_are_refused(wrong):
    with pytest.raises(BiomarkError):
        PhantomGrid(**wrong)


# The cohort on disk


@pytest.fixture(scope="module")
def cohort_folder(tmp_path_factory) -> Path:
    home = tmp_path_factory.mktemp("phantom") / "cohort"
    made = write_phantom_cohort(home, patients=16, grid=COARSE, missing_masks=0.2, missing_labels=0.1, seed=5)
    assert "SIMULATED" in str(made) and "best possible AUC" in str(made)
    assert made.best_auc == {"ER": 0.95, "PR": 0.95, "HER2": 0.95}
    return home


def test_written_cohort_reads_back_through_the_real_readers(cohort_folder):
    check = check_cohort(cohort_folder / "cohort.csv")
    assert check.ok, str(check)
    # This grid is smaller than the default one, so that spicules reach its edge.
    assert set(check.problems["kind"]) <= {"missing-labels", "no-mask", "one-class", "clipped-mask"}
    table = pd.read_csv(cohort_folder / "cohort.csv")
    assert len(table) == 16 and check.n_masks == table["mask"].notna().sum() < 16
    assert table[["ER", "PR", "HER2"]].isna().any(axis=None)
    assert set(table["set"]) == {"train", "validation", "test"}
    measured = np.where(table["size_mm"].notna(), table["size_mm"], check.size_mm)
    assert np.isfinite(measured).all() and 0 < table["size_mm"].isna().sum() < 16
    assert {path.name.partition(".")[2] for path in (cohort_folder / "images").iterdir()} == {
        "nrrd",
        "nii.gz",
    }
    assert {path.name.partition(".")[2] for path in (cohort_folder / "masks").iterdir()} == {
        "seg.nrrd",
        "nii.gz",
    }
    row = table[table["mask"].notna()].iloc[0]
    volume = read_volume(cohort_folder / row["image"])
    assert volume.spacing == COARSE.spacing and volume.array.shape == COARSE.shape
    assert read_mask(cohort_folder / row["mask"], volume).any()


def test_everything_says_that_it_is_simulated(cohort_folder):
    table = pd.read_csv(cohort_folder / "cohort.csv")
    assert (table["origin"] == "simulated").all()
    assert table["patient_id"].str.startswith("SIM").all()
    readme = (cohort_folder / "README.md").read_text(encoding="utf-8")
    assert readme.startswith("# Simulated data") and "| ER | 0.950 |" in readme
    assert "SIMULATED" in json.loads((cohort_folder / "phantom.json").read_text(encoding="utf-8"))["note"]
    for path in [*(cohort_folder / "images").iterdir(), *(cohort_folder / "masks").iterdir()]:
        content = path.read_bytes()
        content = gzip.decompress(content) if path.name.endswith(".gz") else content
        assert NOTE[:70].encode() in content


def test_truth_lies_beside_and_has_no_gaps(cohort_folder):
    truth = pd.read_csv(cohort_folder / "traits.csv")
    table = pd.read_csv(cohort_folder / "cohort.csv")
    assert list(truth.columns[:7]) == ["patient_id", *TRAITS]
    for label in ("ER", "PR", "HER2"):
        known = table[label].notna()
        assert (truth.loc[known, f"{label}_true"] == table.loc[known, label]).all()
        assert truth[f"{label}_probability"].between(0, 1).all()


def test_control_has_the_same_images_and_the_workers_play_no_part(cohort_folder, tmp_path):
    control = write_phantom_cohort(
        tmp_path / "control", patients=16, grid=COARSE, missing_masks=0.2, missing_labels=0.1, seed=5, best_auc=0.5,
        workers=1,
    )  # fmt: skip
    assert control.best_auc == {"ER": 0.5, "PR": 0.5, "HER2": 0.5}
    real = pd.read_csv(cohort_folder / "cohort.csv")
    assert control.cohort.frame["image"].tolist() == real["image"].tolist()
    for image in real["image"].iloc[:6]:
        one, other = read_volume(cohort_folder / image), read_volume(tmp_path / "control" / image)
        np.testing.assert_array_equal(one.array, other.array)
    assert not real["ER"].equals(control.cohort.frame["ER"])


@pytest.mark.parametrize("ending", [".nrrd", ".nii.gz"])
def test_scanner_geometry_is_written_and_read_back(ending, tmp_path):
    grid = PhantomGrid.scanner(extent_mm=(24.0, 24.0, 24.0))
    assert grid.spacing == SCANNER_SPACING == (0.48, 0.073, 0.20)
    phantom = simulate_phantom(traits(size=-1), rng=np.random.default_rng(0), grid=grid)
    write_volume(tmp_path / f"v{ending}", phantom.volume, note=NOTE)
    write_volume(tmp_path / f"m{ending}", phantom.volume, phantom.mask, note=NOTE)
    volume = read_volume(tmp_path / f"v{ending}")
    assert volume.spacing == (0.48, 0.073, 0.2)
    assert volume.array.shape == (50, 329, 120)
    np.testing.assert_array_equal(volume.array, phantom.volume.array)
    np.testing.assert_array_equal(read_mask(tmp_path / f"m{ending}", volume), phantom.mask)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"patients": 3}, "patients must be a whole number of at least 8"),
        ({"file_format": "png"}, "file_format must be one of mixed, nrrd, nifti"),
        ({"missing_masks": 1.0}, "missing_masks must be"),
        ({"best_auc": 0.2}, "must lie within 0.5 to 0.999"),
    ],
)
def test_wrong_options_are_refused_before_anything_is_written(options, message, tmp_path):
    with pytest.raises(BiomarkError, match=message):
        write_phantom_cohort(tmp_path / "c", **options)
    assert not (tmp_path / "c").exists()


def test_existing_cohort_is_not_overwritten(cohort_folder):
    before = (cohort_folder / "cohort.csv").read_bytes()
    with pytest.raises(BiomarkError, match="holds a cohort already"):
        write_phantom_cohort(cohort_folder, patients=8)
    assert (cohort_folder / "cohort.csv").read_bytes() == before
