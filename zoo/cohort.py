"""The cohort table: which patient has which volume, mask, set and labels, read from a file and checked once, here."""

from __future__ import annotations

import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import BiomarkError
from ..stats.column_values import carried_values, identifiers, numbers, truths
from ..stats.delimited_text import table_from_text
from ..stats.input_file import is_parquet, read_bytes, refuse_binary
from ..stats.input_table import InputTable, ProblemList, listed, shown
from ..stats.inputs import choice
from ..stats.origin import frame_is_simulated
from ..stats.parquet_table import table_from_parquet
from ..stats.predictions import NATURAL_ORDER
from ..stats.results import FloatArray
from .lesion_size import largest_diameter_mm
from .volume import read_mask, read_volume

__all__ = ["LABELS", "Cohort", "parse_cohort", "read_cohort"]

LABELS = ("ER", "PR", "HER2")
_TEXT = ("patient_id", "image", "mask", "set", "cluster_id", "fold")
_KNOWN = (*_TEXT, "size_mm")


@dataclass(frozen=True, slots=True, eq=False)
class Cohort:
    """Patients with their volumes and labels; made by `read_cohort`.

    Attributes
    ----------
    frame : pandas.DataFrame
        One row per patient in the order of the file, index 0..n-1: ``patient_id``, ``image`` (text), ``mask`` (text, a
        missing value where there is none), ``set`` (text, a missing value where it is empty or the table has no such
        column), ``size_mm`` (float64, NaN where unknown), one column per label (0, 1, or NaN where missing), then
        ``cluster_id`` and ``fold`` where the table has them, and the baseline characteristics.
    labels : tuple of str
    sets : tuple of str
        train, validation and test first, in this order, then others in order of first appearance.
    baseline : tuple of str
        The other columns, carried as they are.
    folder : Path
        What the paths in the table are relative to.
    name : str
        The file as the user named it.
    sha256 : str
        Digest of the file; empty for a cohort that was changed in memory.
    """

    frame: pd.DataFrame = field(repr=False)
    labels: tuple[str, ...]
    sets: tuple[str, ...]
    baseline: tuple[str, ...]
    folder: Path
    name: str
    sha256: str = ""

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def patient_id(self) -> NDArray[np.object_]:
        """Identifiers, shape (n,)."""
        return self.frame["patient_id"].to_numpy(dtype=object)

    @property
    def y_true(self) -> FloatArray:
        """Labels, shape (n, labels): 0, 1, or NaN where missing."""
        return self.frame[list(self.labels)].to_numpy(dtype=np.float64)

    @property
    def size_mm(self) -> FloatArray:
        """Largest diameters in mm, shape (n,); NaN where unknown (see `measured`)."""
        return self.frame["size_mm"].to_numpy(dtype=np.float64)

    @property
    def simulated(self) -> bool:
        """Whether a column ``origin`` says that the patients were simulated."""
        return frame_is_simulated(self.frame)

    def image_path(self, row: int) -> Path:
        """Return the path of a patient's volume."""
        return self.folder / str(self.frame["image"].iloc[row])

    def mask_path(self, row: int) -> Path | None:
        """Return the path of a patient's mask, None where there is none."""
        mask = self.frame["mask"].iloc[row]
        return None if pd.isna(mask) else self.folder / str(mask)

    def rows(self, set_name: str) -> NDArray[np.intp]:
        """Return the positions of the patients of a set.

        Raises
        ------
        BiomarkError
            For an unknown set; the message lists those there are.
        """
        if not self.sets:
            raise BiomarkError(f"{self.name}: no patient has a set; make sets first (biomark split)")
        choice(set_name, self.sets, name="set")
        return np.flatnonzero((self.frame["set"] == set_name).to_numpy(dtype=bool, na_value=False))

    def subset(self, set_name: str) -> Cohort:
        """Return the patients of a set as a cohort of their own."""
        return self.take(self.rows(set_name))

    def take(self, rows: NDArray[np.intp]) -> Cohort:
        """Return the patients at the given positions, in that order, as a cohort of their own."""
        return self.with_frame(self.frame.iloc[rows].reset_index(drop=True))

    def with_frame(self, frame: pd.DataFrame) -> Cohort:
        """Return the cohort with another frame of the same columns or more; the sets are found anew."""
        return replace(self, frame=frame, sets=_sets(frame), sha256="")

    def measured(self) -> Cohort:
        """Return the cohort with sizes measured from the masks where ``size_mm`` is empty.

        The size is the largest diameter in mm of the mask on its image's grid
        (`biomark.zoo.lesion_size.largest_diameter_mm`); patients without a size and a mask keep NaN.

        Raises
        ------
        InputFileError
            For an image or a mask that cannot be read.
        """
        size = self.size_mm.copy()
        for row in np.flatnonzero(np.isnan(size)).tolist():
            mask = self.mask_path(row)
            if mask is not None:
                volume = read_volume(self.image_path(row))
                size[row] = largest_diameter_mm(read_mask(mask, volume), volume.spacing)
        return self.with_frame(self.frame.assign(size_mm=size))

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the cohort as CSV, paths made relative to the new file's folder; complete or not at all."""
        target = Path(path)
        frame = self.frame.copy()
        for name in ("image", "mask"):
            frame[name] = [
                None if pd.isna(value) else _relative(self.folder / str(value), target.parent)
                for value in frame[name]
            ]
        for name in (*self.labels, *self.baseline):
            if frame[name].dtype == np.float64 and (frame[name].dropna() % 1 == 0).all():
                frame[name] = frame[name].astype("Int64")
        part = target.with_name(f".{target.name}.{os.getpid()}.part")
        try:
            frame.to_csv(part, index=False, lineterminator="\n")
            os.replace(part, target)
        except OSError as error:
            raise BiomarkError(f"{os.fspath(path)}: cannot be written: {error.strerror}") from None
        finally:
            part.unlink(missing_ok=True)


def read_cohort(path: str | os.PathLike[str], *, labels: tuple[str, ...] | None = None) -> Cohort:
    """Read a cohort table and check all of it but the volumes (which `biomark.zoo.check_cohort` reads).

    Parameters
    ----------
    path : str or path
        CSV or TSV in UTF-8, plain or gzip, or Parquet: ``patient_id, image, mask, set, size_mm`` and the labels, any
        other column a baseline characteristic. Paths are relative to the file. ``mask``, ``set`` and ``size_mm`` may be
        empty or left out, an empty label is a missing one. ``cluster_id`` names the patient where several rows are
        lesions of one.
    labels : tuple of str, optional
        The columns that hold labels; those of ER, PR and HER2 that the table has, if not given.

    Returns
    -------
    Cohort

    Raises
    ------
    InputFileError
        With every problem found, each with its row, its column, the value found and what would be right.
    """
    cohort, problems, _ = parse_cohort(path, labels)
    problems.raise_if_any()
    assert cohort is not None
    return cohort


def parse_cohort(
    path: str | os.PathLike[str], labels: tuple[str, ...] | None
) -> tuple[Cohort | None, ProblemList, NDArray[np.int64]]:
    """Return what could be read of a table, all that is wrong with it, and the row of the file of each patient.

    The cohort is None where there is no column of patients or of images.
    """
    data = read_bytes(path)
    problems = ProblemList(data.name)
    if is_parquet(data.content):
        table = table_from_parquet(data.content, problems)
    else:
        refuse_binary(data.name, data.content)
        table = table_from_text(data.content, problems)
    names = tuple(table.columns)
    asked = tuple(name for name in LABELS if name in names) if labels is None else tuple(labels)
    _check_header(names, asked, labels is not None, problems, table.header_row)
    if table.header_row is None and not table.rows.size:
        problems.add("has no rows")
    if "patient_id" not in names or "image" not in names:
        return None, problems, table.rows
    frame = _frame(table, asked, problems)
    if frame is None:
        return None, problems, table.rows
    baseline = tuple(str(name) for name in frame if name not in (*_KNOWN, *asked))
    folder = Path(data.name).resolve().parent if data.name != "<stdin>" else Path.cwd()
    return Cohort(frame, asked, _sets(frame), baseline, folder, data.name, data.sha256), problems, table.rows


def _check_header(
    names: tuple[str, ...], labels: tuple[str, ...], asked: bool, problems: ProblemList, row: int | None
) -> None:
    for name in ("patient_id", "image"):
        if name not in names:
            problems.add(f"the column is missing; found {listed(names)}", row=row, column=name)
    for name in labels:
        if name in _KNOWN:
            problems.add("cannot be a label: the name has a meaning of its own", row=row, column=name)
        elif name not in names:
            problems.add(f"there is no column of this label; found {listed(names)}", row=row, column=name)
    if not labels and not asked:
        problems.add(
            f"there is no column of labels ({', '.join(LABELS)}); found {listed(names)}; name the labels if they are "
            "others (--label)",
            row=row,
        )


def _frame(table: InputTable, labels: tuple[str, ...], problems: ProblemList) -> pd.DataFrame | None:
    n = table.rows.size
    columns: dict[str, Any] = {}
    for name in _TEXT:
        if name in table.columns:
            coded = identifiers(table, name, problems, required=name in ("patient_id", "image"))
            if coded is None:
                return None
            columns[name] = coded.series()
        elif name in ("mask", "set"):
            columns[name] = pd.Series([None] * n, dtype=object)
    columns["size_mm"] = np.full(n, np.nan)
    if "size_mm" in table.columns:
        columns["size_mm"] = numbers(table, "size_mm", problems, required=False, minimum=0.0)[0]
    for name in labels:
        if name in table.columns:
            columns[name] = truths(table, name, problems)[0]
    order = ["patient_id", "image", "mask", "set", "size_mm", *(name for name in labels if name in columns)]
    order += [name for name in ("cluster_id", "fold") if name in columns]
    frame = pd.DataFrame({name: columns[name] for name in order}, index=pd.RangeIndex(n))
    for name, column in table.columns.items():
        if name not in frame:
            frame[name] = carried_values(column)
    _check_patients(frame, table.rows, problems)
    return frame


def _check_patients(frame: pd.DataFrame, rows: NDArray[np.int64], problems: ProblemList) -> None:
    """One row per patient, one set per patient, and one set for all lesions of a cluster."""
    first: dict[str, int] = {}
    for at, patient in enumerate(frame["patient_id"]):
        if pd.isna(patient):
            continue
        origin = first.setdefault(patient, at)
        if origin == at:
            continue
        here, there = frame["set"].iloc[at], frame["set"].iloc[origin]
        if pd.notna(here) and pd.notna(there) and here != there:
            problems.add(
                f"patient {shown(patient)} is in set {shown(here)} here and in set {shown(there)} in row "
                f"{rows[origin]}; a patient belongs to one set",
                row=int(rows[at]),
                column="set",
            )
        problems.add(
            f"a second row for patient {shown(patient)}; the first is row {rows[origin]}. Where one patient gives "
            "several lesions, patient_id names the lesion and cluster_id the patient",
            row=int(rows[at]),
            column="patient_id",
        )
    if "cluster_id" not in frame:
        return
    origin_of: dict[str, int] = {}
    for at, (cluster, group) in enumerate(zip(frame["cluster_id"], frame["set"], strict=True)):
        if pd.isna(cluster) or pd.isna(group):
            continue
        origin = origin_of.setdefault(cluster, at)
        if frame["set"].iloc[origin] != group:
            problems.add(
                f"cluster {shown(cluster)} is in set {shown(group)} here and in set "
                f"{shown(frame['set'].iloc[origin])} in row {rows[origin]}; all lesions of a patient belong to one set",
                row=int(rows[at]),
                column="cluster_id",
            )


def _sets(frame: pd.DataFrame) -> tuple[str, ...]:
    found = list(dict.fromkeys(str(name) for name in frame["set"].dropna()))
    natural = [name for name in NATURAL_ORDER if name in found]
    return (*natural, *(name for name in found if name not in NATURAL_ORDER))


def _relative(path: Path, folder: Path) -> str:
    try:
        return Path(os.path.relpath(path, folder.resolve())).as_posix()
    except ValueError:
        return path.as_posix()
