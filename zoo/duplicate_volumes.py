"""One volume, or one mask, under two rows of a cohort."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from .cohort import Cohort
from .cohort_problem import CohortProblem, LookedAt

__all__ = ["duplicates"]


def duplicates(cohort: Cohort, rows: NDArray[np.int64], looked: Sequence[LookedAt]) -> list[CohortProblem]:
    """Return the images and masks that an earlier row has too.

    Parameters
    ----------
    cohort : Cohort
    rows : array of shape (patients,)
        Of the file, from which each patient was read.
    looked : sequence of LookedAt
        One per patient.

    Returns
    -------
    list of CohortProblem
        An image is the same if its bytes are, or its voxels (one volume in two formats). A mask is told where its
        bytes are those of the mask of another image; an empty one is told for being empty.
    """
    found: list[CohortProblem] = []
    first_by_bytes: dict[str, int] = {}
    first_by_voxels: dict[str, int] = {}
    first_by_mask: dict[str, int] = {}
    for at, patient in enumerate(looked):
        if patient.image_digest is None or patient.voxels is None:
            continue
        by_bytes = first_by_bytes.setdefault(patient.image_digest, at)
        by_voxels = first_by_voxels.setdefault(patient.voxels, at)
        origin = min(by_bytes, by_voxels)
        if origin < at:
            what = "bytes" if by_bytes < at else "voxels"
            here, there = (cohort.frame["set"].iloc[one] for one in (at, origin))
            apart = ""
            if pd.notna(here) and pd.notna(there) and here != there:
                apart = f", and these are in different sets ({there} and {here}): results on {here} would be false"
            message = f"has the same {what} as the image of {_named(cohort, rows, origin)}{apart}"
            found.append(_problem(cohort, rows, at, "error", message, "image"))
        elif patient.mask_digest is not None:
            origin = first_by_mask.setdefault(patient.mask_digest, at)
            if origin < at:
                message = f"is the mask of {_named(cohort, rows, origin)} too, whose image is another"
                found.append(_problem(cohort, rows, at, "warning", message, "mask"))
    return found


def _named(cohort: Cohort, rows: NDArray[np.int64], at: int) -> str:
    return f"patient {cohort.frame['patient_id'].iloc[at]!r} in row {rows[at]}"


def _problem(
    cohort: Cohort, rows: NDArray[np.int64], at: int, severity: str, message: str, column: str
) -> CohortProblem:
    patient = cohort.frame["patient_id"].iloc[at]
    return CohortProblem(severity, "duplicate", message, int(rows[at]), patient, column)
