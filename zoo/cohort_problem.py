"""One problem of a cohort, and what reading one patient's files gave."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["CohortProblem", "LookedAt"]


@dataclass(frozen=True, slots=True)
class CohortProblem:
    """One row of the table of `biomark.zoo.check_cohort`, whose docstring names the kinds.

    Attributes
    ----------
    severity : "error" or "warning"
    kind, message : str
    row : int or None
        As a spreadsheet counts; None where the problem is one of the whole.
    patient, column : str or None
    """

    severity: str
    kind: str
    message: str
    row: int | None = None
    patient: str | None = None
    column: str | None = None


@dataclass(frozen=True, slots=True)
class LookedAt:
    """What one patient's files gave.

    Attributes
    ----------
    found : tuple of CohortProblem
    image_digest, mask_digest : str or None
        Of the files' bytes; None where they could not be read, of a mask also where it is empty.
    voxels : str or None
        Digest of the image's shape and voxels, the same for one image in two formats.
    size_mm : float
        Of the lesion; NaN without one.
    """

    found: tuple[CohortProblem, ...] = ()
    image_digest: str | None = None
    mask_digest: str | None = None
    voxels: str | None = None
    size_mm: float = float("nan")
