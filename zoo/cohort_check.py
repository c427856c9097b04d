"""Every problem of a cohort in one table, before any hour is spent: the table's own, and those of the volumes."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import InputFileError
from ..stats.inputs import whole_number
from .cohort import Cohort, parse_cohort
from .cohort_problem import CohortProblem, LookedAt
from .duplicate_volumes import duplicates
from .patient_check import look_at

__all__ = ["CohortCheck", "check_cohort"]

# Of patients, that a message names.
_NAMED = 5
# A column tells patients apart where so many entries, and such a share of them, differ; numbers from so many on are no
# measurements.
_FEWEST_ENTRIES, _DISTINCT, _LONG_NUMBER = 8, 0.9, 10_000

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
    ``unreadable`` (broken, truncated, of another kind), ``mismatch`` (a mask of another shape, or of another place,
    than its image), ``constant-image``, ``empty-mask``, ``multi-part-mask``, ``tiny-mask``, ``clipped-mask`` (the
    lesion reaches beyond the image or its edge), ``size`` (the table's differs from the mask's by more than a
    quarter), ``absurd-spacing``, ``duplicate`` (the same bytes or the same voxels under two patients), ``no-mask``,
    ``one-class``, ``missing-labels``, ``no-set``, ``identifying`` (a column that tells patients apart).
    """
    cohort, parsed, rows = parse_cohort(path, labels)
    found: list[CohortProblem] = []
    try:
        parsed.raise_if_any()
    except InputFileError as error:
        found += [CohortProblem("error", "table", p.message, p.row, column=p.column) for p in error.problems]
        more = error.total - len(error.problems)
        if more:
            found.append(CohortProblem("error", "table", f"and {more:,} more problems of the table"))
    if cohort is None:
        return CohortCheck(_table(found), 0, 0, np.empty(0))
    looked = _look_at_all(cohort, rows, workers, progress)
    for patient in looked:
        found += patient.found
    found += duplicates(cohort, rows, looked)
    found += _without_mask(cohort)
    found += _label_problems(cohort)
    found += _identifying(cohort)
    sizes = np.array([patient.size_mm for patient in looked], dtype=np.float64)
    return CohortCheck(_table(found), len(cohort), int(cohort.frame["mask"].notna().sum()), sizes)


def _look_at_all(
    cohort: Cohort, rows: NDArray[np.int64], workers: int | None, progress: Progress | None
) -> list[LookedAt]:
    count = min(os.cpu_count() or 1, 8) if workers is None else whole_number(workers, name="workers")
    pool = ThreadPoolExecutor(count)
    try:
        tasks = [pool.submit(look_at, cohort, at, int(row)) for at, row in enumerate(rows)]
        for done, _ in enumerate(as_completed(tasks), start=1):
            if progress is not None:
                progress(done, len(cohort))
        return [task.result() for task in tasks]
    finally:
        pool.shutdown(cancel_futures=True)


def _without_mask(cohort: Cohort) -> list[CohortProblem]:
    patients = cohort.frame.loc[cohort.frame["mask"].isna(), "patient_id"].dropna().tolist()
    if not patients:
        return []
    named = ", ".join(patients[:_NAMED]) + (", ..." if len(patients) > _NAMED else "")
    message = (
        f"{len(patients)} of {len(cohort)} patients have no mask ({named}): no segmentation is learned from them, and "
        "they are cropped around the breast"
    )
    return [CohortProblem("warning", "no-mask", message, column="mask")]


def _identifying(cohort: Cohort) -> list[CohortProblem]:
    """Tell columns with an entry of its own for nearly everyone: names, dates of birth, numbers of a hospital."""
    found = []
    for name in cohort.baseline:
        known = cohort.frame[name].dropna()
        numeric = known.dtype.kind in "biuf"
        if len(known) < _FEWEST_ENTRIES or known.nunique() < _DISTINCT * len(known):
            continue
        if numeric and not ((known % 1 == 0).all() and (known.abs() >= _LONG_NUMBER).all()):
            continue
        message = (
            f"has another entry for nearly every patient ({known.nunique()} in {len(known)}); predictions carry it, so "
            "take it out if it tells who somebody is"
        )
        found.append(CohortProblem("warning", "identifying", message, column=name))
    return found


def _label_problems(cohort: Cohort) -> list[CohortProblem]:
    found = []
    no_set = int(cohort.frame["set"].isna().sum())
    if no_set:
        all_or_some = "no patient has a" if no_set == len(cohort) else f"{no_set} patients have no"
        found.append(
            CohortProblem(
                "warning", "no-set", f"{all_or_some} set; make sets with biomark split", column="set"
            )
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
                found.append(CohortProblem("warning", "missing-labels", message, column=label))
            if known.size == 0 or known.min() == known.max():
                which = (
                    "no patient with a label"
                    if known.size == 0
                    else f"only the class {known[0]:g} ({known.size})"
                )
                message = f"{where} has {which} of {label}; no AUC can be computed"
                severity = "error" if where == "the cohort" else "warning"
                found.append(CohortProblem(severity, "one-class", message, column=label))
    return found


def _table(found: list[CohortProblem]) -> pd.DataFrame:
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
