"""A simulated cohort on disk: volumes, masks, labels and baseline columns, with the best AUC that is possible known."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import BiomarkError
from ..stats.inputs import choice, whole_number
from ..stats.results import FloatArray
from .cohort import Cohort, read_cohort
from .cohort_split import split_cohort
from .latent_traits import TRAITS, LatentModel
from .lesion_size import largest_diameter_mm
from .phantom import DEVICES, Phantom, PhantomGrid, simulate_phantom
from .volume_writing import write_volume

__all__ = ["NOTE", "PhantomCohort", "write_phantom_cohort"]

NOTE = "SIMULATED breast ultrasound (biomark phantom); no patient, no measurement"
FORMATS = ("mixed", "nrrd", "nifti")

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, eq=False)
class PhantomCohort:
    """What `write_phantom_cohort` made.

    Attributes
    ----------
    cohort : Cohort
        Read back from the table that was written.
    best_auc : dict of label to float
        The largest AUC that is possible in the population, given the latent traits.
    folder : Path
    """

    cohort: Cohort
    best_auc: dict[str, float]
    folder: Path

    def __str__(self) -> str:
        best = ", ".join(f"{label} {value:.3f}" for label, value in self.best_auc.items())
        return (
            f"{len(self.cohort)} SIMULATED patients in {self.folder}\n"
            f"best possible AUC, from the latent traits: {best}"
        )


def write_phantom_cohort(
    folder: str | os.PathLike[str],
    *,
    patients: int = 96,
    best_auc: float | Mapping[str, float] | None = 0.95,
    model: LatentModel | None = None,
    grid: PhantomGrid | None = None,
    file_format: str = "mixed",
    missing_masks: float = 0.06,
    missing_labels: float = 0.03,
    seed: int = 0,
    workers: int | None = None,
    progress: Progress | None = None,
) -> PhantomCohort:
    """Simulate a cohort and write it: volumes, masks, ``cohort.csv``, ``traits.csv``, ``phantom.json``, ``README.md``.

    Parameters
    ----------
    folder : str or path
        Made if need be; must not hold a cohort already.
    patients : int, 8 or more
    best_auc : float or mapping of label to float, optional
        The best AUC that an image may allow, 0.5 (no effect: the control) to 0.999. None leaves the model's strength.
    model : LatentModel, optional
        How labels hang on traits.
    grid : PhantomGrid, optional
        ``PhantomGrid.scanner()`` has the voxel of a scanner and takes seven times as long.
    file_format : "mixed", "nrrd" or "nifti"
        ``mixed`` writes every other volume as NIfTI; masks of NRRD volumes are ``.seg.nrrd``.
    missing_masks, missing_labels : float, 0 to below 1
        Share of patients without a mask, and of labels left empty.
    seed : int
    workers : int, optional
        Threads; the number of processors, at most 8, if not given. The result does not depend on it.
    progress : function of (done, total), optional

    Returns
    -------
    PhantomCohort

    Notes
    -----
    A patient's images depend on the seed and on the patient's number alone, not on ``best_auc``: a control with 0.5 has
    the same images, and labels that know nothing of them. Age, BMI, menopause, family history and device are drawn
    independently of traits and labels, in the proportions of the paper's Table 2. The table's sizes are measured from
    the masks, and left empty for every other patient who has one, so that readers measure some themselves.
    """
    n = whole_number(patients, name="patients", least=8)
    choice(file_format, FORMATS, name="file_format")
    for name, share in (("missing_masks", missing_masks), ("missing_labels", missing_labels)):
        if not 0 <= share < 1:
            raise BiomarkError(f"{name} must be 0 or more and below 1, found {share!r}")
    grid = PhantomGrid() if grid is None else grid
    model = LatentModel() if model is None else model
    if best_auc is not None:
        model = model.with_best_auc(best_auc)
    home = Path(folder)
    _prepare(home)
    rng = np.random.default_rng([whole_number(seed, name="seed", least=0), 0])
    traits, labels = model.draw(n, rng)
    known = np.where(rng.random(labels.shape) < missing_labels, np.nan, labels.astype(np.float64))
    has_mask = rng.random(n) >= missing_masks
    baseline = _baseline(n, rng)
    devices = rng.choice(len(DEVICES), size=n, p=(0.6, 0.25, 0.15))

    def make(at: int) -> tuple[str, str | None, float]:
        own = np.random.default_rng([seed, 1, at])
        phantom = simulate_phantom(traits[at], rng=own, grid=grid, device=DEVICES[devices[at]])
        nifti = file_format == "nifti" or (file_format == "mixed" and at % 2 == 1)
        return _write_patient(home, at, phantom, nifti=nifti, with_mask=bool(has_mask[at]))

    made = _in_parallel(make, n, workers, progress)
    table = pd.DataFrame(
        {
            "patient_id": [f"SIM{at + 1:04d}" for at in range(n)],
            "image": [image for image, _, _ in made],
            "mask": [mask for _, mask, _ in made],
            "set": None,
            # A patient without a mask always has a size, others every second time.
            "size_mm": [
                round(size, 1) if at % 2 == 0 or not has_mask[at] else None
                for at, (_, _, size) in enumerate(made)
            ],
        }
    )
    for at, label in enumerate(model.labels):
        table[label] = pd.array(known[:, at], dtype="Float64").astype("Int64")
    table = pd.concat([table, baseline], axis=1)
    table["device"] = [DEVICES[at].name for at in devices]
    table["origin"] = "simulated"
    _write_table(home / "cohort.csv", table)
    cohort = split_cohort(read_cohort(home / "cohort.csv", labels=model.labels), rng=seed)
    cohort.write(home / "cohort.csv")
    _write_table(home / "traits.csv", _truth(model, traits, labels))
    best = model.best_auc()
    settings = _settings(model, grid, n, seed, file_format, missing_masks, missing_labels, best)
    _write_text(home / "phantom.json", json.dumps(settings, indent=2) + "\n")
    _write_text(home / "README.md", _readme(n, best, grid))
    return PhantomCohort(read_cohort(home / "cohort.csv", labels=model.labels), best, home)


def _prepare(home: Path) -> None:
    if (home / "cohort.csv").exists():
        raise BiomarkError(f"{home}: holds a cohort already; name another folder, or remove it first")
    try:
        for part in ("images", "masks"):
            (home / part).mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise BiomarkError(f"{home}: the folder cannot be made: {error.strerror}") from None


def _in_parallel(
    make: Callable[[int], tuple[str, str | None, float]],
    n: int,
    workers: int | None,
    progress: Progress | None,
) -> list[tuple[str, str | None, float]]:
    count = min(os.cpu_count() or 1, 8) if workers is None else whole_number(workers, name="workers")
    pool = ThreadPoolExecutor(count)
    try:
        tasks = [pool.submit(make, at) for at in range(n)]
        for done, task in enumerate(as_completed(tasks), start=1):
            task.result()
            if progress is not None:
                progress(done, n)
        return [task.result() for task in tasks]
    finally:
        pool.shutdown(cancel_futures=True)


def _write_patient(
    home: Path, at: int, phantom: Phantom, *, nifti: bool, with_mask: bool
) -> tuple[str, str | None, float]:
    """Write volume and mask; return their paths within the folder, and the size in mm."""
    image = f"images/SIM{at + 1:04d}" + (".nii.gz" if nifti else ".nrrd")
    grey = phantom.volume.array.astype(np.uint8)
    write_volume(home / image, phantom.volume, grey, note=NOTE)
    size = largest_diameter_mm(phantom.mask, phantom.volume.spacing)
    if not with_mask:
        return image, None, size
    mask = f"masks/SIM{at + 1:04d}" + (".nii.gz" if nifti else ".seg.nrrd")
    write_volume(home / mask, phantom.volume, phantom.mask, note=NOTE)
    return image, mask, size


def _baseline(n: int, rng: np.random.Generator) -> pd.DataFrame:
    """Return what a clinic would know, in the proportions of Table 2 of Huang et al. 2024; no label plays a part."""
    age = np.clip(np.rint(rng.normal(52, 12, n)), 24, 88).astype(int)
    after = 1 / (1 + np.exp(-(age - 51) / 2.5))
    return pd.DataFrame(
        {
            "age": age,
            "bmi": np.clip(rng.normal(23.4, 3.0, n), 16, 40).round(1),
            "menopause": (rng.random(n) < after).astype(int),
            "family_history": (rng.random(n) < 0.07).astype(int),
            "side": rng.choice(["left", "right"], size=n),
        }
    )


def _truth(model: LatentModel, traits: FloatArray, labels: NDArray[np.int64]) -> pd.DataFrame:
    table = pd.DataFrame({"patient_id": [f"SIM{at + 1:04d}" for at in range(len(traits))]})
    for at, trait in enumerate(TRAITS):
        table[trait] = traits[:, at].round(6)
    chance = model.probabilities(traits)
    for at, label in enumerate(model.labels):
        table[f"{label}_true"] = labels[:, at]
        table[f"{label}_probability"] = chance[:, at].round(6)
    return table


def _settings(
    model: LatentModel,
    grid: PhantomGrid,
    patients: int,
    seed: int,
    file_format: str,
    missing_masks: float,
    missing_labels: float,
    best: dict[str, float],
) -> dict[str, Any]:
    return {
        "note": NOTE,
        "patients": patients,
        "seed": seed,
        "best_possible_auc": best,
        "effects": {label: dict(of) for label, of in model.effects.items()},
        "strength": model.strength,
        "prevalence": dict(model.prevalence),
        "agreement": model.agreement,
        "grid": asdict(grid),
        "file_format": file_format,
        "missing_masks": missing_masks,
        "missing_labels": missing_labels,
        "devices": [asdict(device) for device in DEVICES],
    }


def _readme(n: int, best: dict[str, float], grid: PhantomGrid) -> str:
    d, h, w = grid.shape
    dz, dy, dx = grid.spacing
    rows = "\n".join(f"| {label} | {value:.3f} |" for label, value in best.items())
    return f"""# Simulated data

Everything in this folder was **simulated** by `biomark phantom`: {n} breasts that never existed, each with one mass,
as 3D ultrasound of {d} x {h} x {w} voxels of {dz:g} x {dy:g} x {dx:g} mm (slices, depth, lateral). No patient and no
measurement stands behind any of it, and nothing that a model does here says how it would do on patients.

Labels depend on the images through latent traits of known strength, so the best AUC that anyone can reach in this
population is known:

| label | best possible AUC |
|---|---|
{rows}

- `cohort.csv`: patients, volumes, masks, sets, sizes, labels, baseline columns; some masks, sizes and labels are
  missing on purpose
- `traits.csv`: the truth behind it: traits, labels without gaps, and each label's probability given the traits
- `phantom.json`: every setting
"""


def _write_table(path: Path, table: pd.DataFrame) -> None:
    _write_text(path, table.to_csv(index=False, lineterminator="\n"))


def _write_text(path: Path, text: str) -> None:
    part = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        part.write_text(text, encoding="utf-8")
        os.replace(part, path)
    except OSError as error:
        raise BiomarkError(f"{path}: cannot be written: {error.strerror}") from None
    finally:
        part.unlink(missing_ok=True)
