"""Sets of patients with the same mix of labels: train, validation and test, or folds."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import BiomarkError
from ..stats.inputs import Seed, generator, whole_number
from .cohort import Cohort

__all__ = ["PAPER_FRACTIONS", "fold_cohort", "split_cohort"]

PAPER_FRACTIONS = {"train": 0.62, "validation": 0.15, "test": 0.23}


def split_cohort(cohort: Cohort, *, fractions: Mapping[str, float] | None = None, rng: Seed = 0) -> Cohort:
    """Return the cohort with new sets, stratified over the joint pattern of the labels.

    Parameters
    ----------
    cohort : Cohort
    fractions : mapping of set to share, optional
        Positive, with the sum 1; those of the paper (0.62, 0.15, 0.23) if not given.
    rng : int or numpy.random.Generator
        The same seed and the same patients give the same sets, in whatever order the table lists them.

    Returns
    -------
    Cohort
        A ``set`` that the table had is replaced.

    Raises
    ------
    BiomarkError
        For wrong fractions, or fewer patients than sets.

    Notes
    -----
    Patients are shuffled, put in order of their label pattern (a missing label is a value of its own), and each in
    turn, from a random start around to it, goes to the set that is furthest behind its share. So the size of every set
    differs from its share by about one patient at most, and the number it gets of any one pattern by about two. Rows
    with one ``cluster_id`` are one patient, and stay together.
    """
    shares = dict(PAPER_FRACTIONS if fractions is None else fractions)
    if not shares or not all(np.isfinite(share) and share > 0 for share in shares.values()):
        raise BiomarkError(f"fractions must be positive, found {shares}")
    if abs(sum(shares.values()) - 1) > 1e-6:
        raise BiomarkError(f"fractions must have the sum 1, found {sum(shares.values()):g}")
    codes = _dealt(cohort, np.array(list(shares.values())), rng)
    names = np.array(list(shares), dtype=object)
    return cohort.with_frame(cohort.frame.assign(set=names[codes]))


def fold_cohort(cohort: Cohort, *, folds: int = 5, rng: Seed = 0, only: str | None = None) -> Cohort:
    """Return the cohort with a column ``fold`` of "1" to "k", stratified as in `split_cohort`.

    Parameters
    ----------
    cohort : Cohort
    folds : int, 2 or more
    rng : int or numpy.random.Generator
    only : str, optional
        A set whose patients get folds; others get none. All patients if not given.
    """
    k = whole_number(folds, name="folds", least=2)
    rows = np.arange(len(cohort)) if only is None else cohort.rows(only)
    codes = _dealt(cohort.take(rows), np.full(k, 1 / k), rng)
    fold = np.full(len(cohort), None, dtype=object)
    fold[rows] = [str(code + 1) for code in codes.tolist()]
    return cohort.with_frame(cohort.frame.assign(fold=pd.Series(fold, dtype=object)))


def _dealt(cohort: Cohort, shares: NDArray[np.float64], rng: Seed) -> NDArray[np.intp]:
    """Return the number of the set that each row goes to."""
    groups, patterns = _patients(cohort)
    if len(patterns) < shares.size:
        raise BiomarkError(f"{cohort.name}: {len(patterns)} patients cannot fill {shares.size} sets")
    source = generator(rng)
    shuffled = source.permutation(len(patterns)).tolist()
    order = sorted(shuffled, key=lambda patient: patterns[patient])
    # A start anywhere in the order, or a rare pattern would meet the same set with every seed.
    start = int(source.integers(len(order)))
    order = order[start:] + order[:start]
    given = np.zeros(shares.size)
    of_patient = np.empty(len(patterns), dtype=np.intp)
    for turn, patient in enumerate(order, start=1):
        chosen = int(np.argmax(shares * turn - given))
        given[chosen] += 1
        of_patient[patient] = chosen
    return of_patient[groups]


def _patients(cohort: Cohort) -> tuple[NDArray[np.intp], list[tuple[str, ...]]]:
    """Return the patient of each row, numbered in order of name, and each patient's label patterns."""
    frame = cohort.frame
    name = frame["patient_id"].astype(str)
    if "cluster_id" in frame:
        # A row without a cluster is a patient of its own, whatever clusters are called.
        name = ("cluster " + frame["cluster_id"].astype(str)).where(
            frame["cluster_id"].notna(), "row " + name
        )
    groups, names = pd.factorize(name, sort=True)
    labels = ["".join("?" if np.isnan(v) else str(int(v)) for v in row) for row in cohort.y_true]
    patterns: list[list[str]] = [[] for _ in names]
    for group, pattern in zip(groups.tolist(), labels, strict=True):
        patterns[group].append(pattern)
    return np.asarray(groups, dtype=np.intp), [tuple(sorted(rows)) for rows in patterns]
