"""Every problem of a cohort in one table, before any hour is spent: the table's own, and those of the volumes."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import InputFileError
from ..stats.inputs import whole_number
from .cohort import Cohort, parse_cohort
from .content_digest import content_digest
from .lesion_size import largest_diameter_mm, lesion_parts
from .volume import Volume, read_mask, read_volume

__all__ = ["CohortCheck", "check_cohort"]

# A voxel of breast imaging measures from hundredths of a millimetre to a few; a breast some centimetres.
LEAST_SPACING_MM, MOST_SPACING_MM = 0.01, 6.0
LEAST_EXTENT_MM, MOST_EXTENT_MM = 5.0, 600.0
_SIZE_TOLERANCE = 0.25
_FEWEST_VOXELS = 8

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, eq=False)
class CohortCheck:
    """What `check_cohort` found.

    Attributes
    ----------
    problems : pandas.DataFrame
        One row per problem: ``severity`` ("error": training or evaluation would fail or be wrong; "warning": look at
        it), ``kind``, ``row`` (as a spreadsheet counts, the header is row 1; missing where the problem is one of the
        whole), ``patient_id``, ``column``, ``message``. Errors first, then in the order of the file.
    n_patients, n_masks : int
        Rows, and rows with a mask.
    size_mm : array of shape (n_patients,)
        Measured from the masks; NaN where there is none or it could not be read.
    """

    problems: pd.DataFrame = field(repr=False)
    n_patients: int
    n_masks: int
    size_mm: NDArray[np.float64] = field(repr=False)

    @property
    def n_errors(self) -> int:
        """Problems that must be solved."""
        return int((self.problems["severity"] == "error").sum())

    @property
    def n_warnings(self) -> int:
        """Problems that should be looked at."""
        return len(self.problems) - self.n_errors

    @property
    def ok(self) -> bool:
        """Whether there is no error."""
        return self.n_errors == 0

    def __str__(self) -> str:
        counted = f"{self.n_patients} patients, {self.n_masks} with a mask: "
        if not len(self.problems):
            return counted + "no problem found"
        return (
            counted
            + f"{self.n_errors} errors, {self.n_warnings} warnings\n"
            + self.problems.to_string(index=False)
        )


@dataclass(frozen=True, slots=True)
class _Found:
    severity: str
    kind: str
    message: str
    row: int | None = None
    patient: str | None = None
    column: str | None = None


@dataclass(frozen=True, slots=True)
class _Looked:
    """What one patient's files gave."""

    found: tuple[_Found, ...]
    digest: str | None
    voxels: str | None
    size_mm: float


def check_cohort(
    path: str | os.PathLike[str],
    *,
    labels: tuple[str, ...] | None = None,
    workers: int | None = None,
    progress: Progress | None = None,
) -> CohortCheck:
    """Read a cohort table and every volume and mask in it, and list all that is wrong.

    Parameters
    ----------
    path : str or path
        The table, as for `biomark.zoo.read_cohort`.
    labels : tuple of str, optional
    workers : int, optional
        Threads; the number of processors, at most 8, if not given.
    progress : function of (done, total), optional

    Returns
    -------
    CohortCheck

    Raises
    ------
    InputFileError
        Only if the table cannot be read as a table at all.

    Notes
    -----
    Kinds: ``table`` (a cell or column of the table, two rows or two sets of one patient among them), ``missing-file``,
    ``unreadable`` (broken, truncated, of another kind, of another shape than its image), ``constant-image``,
    ``empty-mask``, ``multi-part-mask``, ``tiny-mask``, ``clipped-mask`` (the lesion reaches beyond the image or its
    edge), ``size`` (the table's differs from the mask's by more than a quarter), ``absurd-spacing``, ``duplicate``
    (the same bytes or the same voxels under two patients), ``no-mask``, ``one-class``, ``missing-labels``, ``no-set``.
    """
    cohort, parsed, rows = parse_cohort(path, labels)
    found: list[_Found] = []
    try:
        parsed.raise_if_any()
    except InputFileError as error:
        found += [_Found("error", "table", p.message, p.row, column=p.column) for p in error.problems]
        more = error.total - len(error.problems)
        if more:
            found.append(_Found("error", "table", f"and {more:,} more problems of the table"))
    if cohort is None:
        return CohortCheck(_table(found), 0, 0, np.empty(0))
    looked = _look_at_all(cohort, rows, workers, progress)
    for patient in looked:
        found += patient.found
    found += _duplicates(cohort, rows, looked)
    found += _label_problems(cohort)
    sizes = np.array([patient.size_mm for patient in looked], dtype=np.float64)
    return CohortCheck(_table(found), len(cohort), int(cohort.frame["mask"].notna().sum()), sizes)


def _look_at_all(
    cohort: Cohort, rows: NDArray[np.int64], workers: int | None, progress: Progress | None
) -> list[_Looked]:
    count = min(os.cpu_count() or 1, 8) if workers is None else whole_number(workers, name="workers")
    pool = ThreadPoolExecutor(count)
    try:
        tasks = [pool.submit(_look_at, cohort, at, int(row)) for at, row in enumerate(rows)]
        for done, _ in enumerate(as_completed(tasks), start=1):
            if progress is not None:
                progress(done, len(cohort))
        return [task.result() for task in tasks]
    finally:
        pool.shutdown(cancel_futures=True)


def _look_at(cohort: Cohort, at: int, row: int) -> _Looked:
    found: list[_Found] = []
    patient = cohort.frame["patient_id"].iloc[at]

    def add(severity: str, kind: str, message: str, column: str = "image") -> None:
        found.append(_Found(severity, kind, message, row, None if pd.isna(patient) else patient, column))

    nothing = _Looked((), None, None, float("nan"))
    if pd.isna(cohort.frame["image"].iloc[at]):
        return nothing
    image, mask = cohort.image_path(at), cohort.mask_path(at)
    if mask is None:
        add(
            "warning",
            "no-mask",
            "has no mask: no segmentation is learned from it, and it is cropped otherwise",
            "mask",
        )
    elif not mask.exists():
        add("error", "missing-file", f"{mask.name}: no such file; check the name and the folder", "mask")
        mask = None
    if not image.exists():
        add("error", "missing-file", f"{image.name}: no such file; check the name and the folder")
        return _Looked(tuple(found), None, None, float("nan"))
    try:
        digest = content_digest(image)
        volume = read_volume(image)
    except InputFileError as error:
        add("error", "unreadable", _short(error, image))
        return _Looked(tuple(found), None, None, float("nan"))
    _look_at_volume(volume, add)
    size = float("nan")
    if mask is not None:
        try:
            size = _look_at_mask(mask, volume, float(cohort.size_mm[at]), add)
        except InputFileError as error:
            add("error", "unreadable", _short(error, mask), "mask")
    voxels = hashlib.blake2b(np.ascontiguousarray(volume.array).data).hexdigest() + str(volume.array.shape)
    return _Looked(tuple(found), digest, voxels, size)


def _look_at_volume(volume: Volume, add: Callable[..., None]) -> None:
    shown = " x ".join(f"{step:g}" for step in volume.spacing)
    if not all(LEAST_SPACING_MM <= step <= MOST_SPACING_MM for step in volume.spacing):
        add(
            "error",
            "absurd-spacing",
            f"its voxels measure {shown} mm; expected {LEAST_SPACING_MM:g} to {MOST_SPACING_MM:g} mm (is the unit mm?)",
        )
    elif not all(LEAST_EXTENT_MM <= side <= MOST_EXTENT_MM for side in volume.extent_mm):
        sides = " x ".join(f"{side:.4g}" for side in volume.extent_mm)
        add(
            "error",
            "absurd-spacing",
            f"it measures {sides} mm; expected {LEAST_EXTENT_MM:g} to {MOST_EXTENT_MM:g} mm a side (is the unit mm?)",
        )
    elif volume.spacing == (1.0, 1.0, 1.0):
        add(
            "warning",
            "absurd-spacing",
            "its voxels measure 1 x 1 x 1 mm, as where a file states no spacing; check it",
        )
    if volume.array.min() == volume.array.max():
        add("error", "constant-image", f"every voxel has the value {volume.array.flat[0]:g}")


def _look_at_mask(path: Path, volume: Volume, stated: float, add: Callable[..., None]) -> float:
    lesion = read_mask(path, volume)
    _, sizes = lesion_parts(lesion)
    if not sizes.size:
        add("error", "empty-mask", "holds no lesion", "mask")
        return float("nan")
    if sizes.size > 1:
        share = 100 * sizes.max() / sizes.sum()
        add(
            "warning",
            "multi-part-mask",
            f"has {sizes.size} parts that do not touch, the largest with {share:.3g}% of the voxels; "
            "the size is that of the largest",
            "mask",
        )
    if sizes.max() < _FEWEST_VOXELS:
        add("warning", "tiny-mask", f"its lesion has {sizes.max()} voxels", "mask")
    if _on_edge(lesion):
        add("warning", "clipped-mask", "its lesion touches the edge of the image", "mask")
    size = largest_diameter_mm(lesion, volume.spacing)
    if np.isfinite(stated) and abs(stated - size) > _SIZE_TOLERANCE * max(stated, size):
        add("warning", "size", f"the table says {stated:g} mm, the mask measures {size:.3g} mm", "size_mm")
    return size


def _on_edge(lesion: NDArray[np.bool_]) -> bool:
    return any(bool(np.take(lesion, (0, -1), axis=axis).any()) for axis in range(3))


def _duplicates(cohort: Cohort, rows: NDArray[np.int64], looked: list[_Looked]) -> list[_Found]:
    found = []
    first_by_bytes: dict[str, int] = {}
    first_by_voxels: dict[str, int] = {}
    for at, patient in enumerate(looked):
        if patient.digest is None or patient.voxels is None:
            continue
        by_bytes = first_by_bytes.setdefault(patient.digest, at)
        by_voxels = first_by_voxels.setdefault(patient.voxels, at)
        origin = min(by_bytes, by_voxels)
        if origin == at:
            continue
        what = "bytes" if by_bytes < at else "voxels"
        here, there = (cohort.frame["set"].iloc[one] for one in (at, origin))
        apart = ""
        if pd.notna(here) and pd.notna(there) and here != there:
            apart = (
                f", and these are in different sets ({there} and {here}): results on {here} would be false"
            )
        found.append(
            _Found(
                "error",
                "duplicate",
                f"has the same {what} as the image of patient {cohort.frame['patient_id'].iloc[origin]!r} in row "
                f"{rows[origin]}{apart}",
                int(rows[at]),
                cohort.frame["patient_id"].iloc[at],
                "image",
            )
        )
    return found


def _label_problems(cohort: Cohort) -> list[_Found]:
    found = []
    no_set = int(cohort.frame["set"].isna().sum())
    if no_set:
        all_or_some = "no patient has a" if no_set == len(cohort) else f"{no_set} patients have no"
        found.append(
            _Found("warning", "no-set", f"{all_or_some} set; make sets with biomark split", column="set")
        )
    groups: list[tuple[str, Cohort]] = [("the cohort", cohort)]
    groups += [(f"set {name!r}", cohort.subset(name)) for name in cohort.sets]
    for where, part in groups:
        for at, label in enumerate(part.labels):
            values = part.y_true[:, at]
            known = values[~np.isnan(values)]
            if where == "the cohort" and known.size < values.size:
                missing = values.size - known.size
                message = f"{missing} of {values.size} patients have no {label}; they are left out for it"
                found.append(_Found("warning", "missing-labels", message, column=label))
            if known.size == 0 or known.min() == known.max():
                which = (
                    "no patient with a label"
                    if known.size == 0
                    else f"only the class {known[0]:g} ({known.size})"
                )
                message = f"{where} has {which} of {label}; no AUC can be computed"
                severity = "error" if where == "the cohort" else "warning"
                found.append(_Found(severity, "one-class", message, column=label))
    return found


def _short(error: InputFileError, path: Path) -> str:
    return "; ".join(f"{path.name}: {problem.message}" for problem in error.problems)


def _table(found: list[_Found]) -> pd.DataFrame:
    columns = {
        "severity": [item.severity for item in found],
        "kind": [item.kind for item in found],
        "row": pd.array([item.row for item in found], dtype="Int64"),
        "patient_id": [item.patient for item in found],
        "column": [item.column for item in found],
        "message": [item.message for item in found],
    }
    frame = pd.DataFrame(columns)
    return frame.sort_values(["severity", "row"], kind="stable", na_position="first").reset_index(drop=True)
