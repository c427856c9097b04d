"""Labels and scores that agree with a published table: what data behind the printed figures could look like."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from ..errors import BiomarkError
from .agreement import agreement_with
from .count_findings import count_findings
from .inputs import Seed, generator
from .model_pairing import match_rankings
from .published_reader import read_published_table
from .published_table import PublishedSet, PublishedTable
from .rank_pattern import Pattern
from .results import Result, plain
from .solved_rows import SolvedRow, solved_rows
from .wished_curves import search_curves

__all__ = ["Reconstruction", "reconstruct"]

ORIGIN = "reconstruction"
LARGEST_SET = 20_000
Progress = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class Reconstruction(Result):
    """A data set that agrees with a published table, and where it cannot.

    Attributes
    ----------
    set : str
    frame : pandas.DataFrame
        A tidy predictions table; its column ``origin`` says on every row that it is a reconstruction.
    agreement : pandas.DataFrame
        One row per printed figure: ``where, figure, printed, reconstructed, agrees, note``.
    """

    set: str
    frame: pd.DataFrame = field(repr=False)
    agreement: pd.DataFrame = field(repr=False)

    @property
    def unmet(self) -> pd.DataFrame:
        """The printed figures that this data set does not give."""
        return self.agreement[~self.agreement["agrees"]]

    def to_dict(self) -> dict[str, Any]:
        """Return the agreement as a plain dictionary; the frame is for `to_csv`."""
        return {"set": self.set, "agreement": plain(self.agreement.to_dict(orient="records"))}

    def to_csv(self, path: str | os.PathLike[str]) -> None:
        """Write the predictions table; the file appears whole or not at all.

        Raises
        ------
        OSError
            If the folder cannot be written.
        """
        target = Path(path)
        handle, temporary = tempfile.mkstemp(dir=target.parent, prefix=f".{target.name}.")
        try:
            with os.fdopen(handle, "w", encoding="utf-8", newline="") as file:
                self.frame.to_csv(file, index=False, lineterminator="\n")
            os.chmod(temporary, 0o644)
            os.replace(temporary, target)
        except BaseException:
            Path(temporary).unlink(missing_ok=True)
            raise


def reconstruct(
    published: str | os.PathLike[str] | Mapping[str, Any] | PublishedTable,
    *,
    set: str | None = None,
    rng: Seed = 0,
    progress: Progress | None = None,
) -> Reconstruction:
    """Search labels and scores that agree with everything printed of one set.

    Parameters
    ----------
    published : path, dict or PublishedTable
        As `audit` takes it.
    set : str, optional
        Needed where the table has several.
    rng : seed or numpy.random.Generator
    progress : callable, optional
        Called with units done, units in all, and what is being done.

    Returns
    -------
    Reconstruction

    Raises
    ------
    BiomarkError
        For a set that is not in the table, or one without rows whose class counts are known.

    Notes
    -----
    Only the order of the scores matters. For each label and model an order of positives and negatives is searched
    that gives the printed counts at the cut-off, the AUC and both bounds of its interval by DeLong's variance;
    where the table says that the cut-off has the largest Youden index, it has. The orders of two models are matched
    within the classes until DeLong's paired test gives the printed p-value. Rows that no counts give are repaired
    as the audit repairs them.

    Many data sets agree with one table, and this is one of them. How the labels go together in one patient is not
    printed: they are shuffled independently, so that intervals of means over labels are not to be compared.

    Examples
    --------
    >>> row = {"model": "A", "label": "ER", "auc": ["0.800", "0.673", "0.927"], "sen": "0.850", "spec": "0.700"}
    >>> found = reconstruct({"sets": {"test": {"labels": {"ER": {"pos": 20, "neg": 30}}, "rows": [row]}}})
    >>> found.frame.shape, bool(found.agreement["agrees"].all())
    ((50, 7), True)
    """
    table = published if isinstance(published, PublishedTable) else read_published_table(published)
    part = _chosen(table, set)
    random = generator(rng)
    rows = solved_rows(table)
    findings = count_findings(rows)
    own = [row for row in rows if row.set is part and row.counts is not None and row.counts.possible]
    models = list(dict.fromkeys(row.row.model for row in own))
    if not own:
        raise BiomarkError(
            f"nothing of {part.name!r} can be reconstructed: no row has class counts, printed or deduced, and "
            "values that whole numbers of patients give"
        )
    largest = max((row.classes.pos or 0) + (row.classes.neg or 0) for row in own)
    if largest > LARGEST_SET:
        raise BiomarkError(f"{part.name!r} has {largest:,} patients; at most {LARGEST_SET:,} can be searched")
    curves: dict[tuple[str, str], Pattern] = {}
    for done, model in enumerate(models):
        if progress is not None:
            progress(done, len(models) + 1, f"searching curves of {model}")
        for label, found in search_curves(
            table, part, [r for r in own if r.row.model == model], random
        ).items():
            curves[label, model] = found
    if progress is not None:
        progress(len(models), len(models) + 1, "matching the models")
    frame = _frame(part, own, curves, models, random)
    return Reconstruction(part.name, frame, agreement_with(table, part, rows, findings, frame))


def _chosen(table: PublishedTable, name: str | None) -> PublishedSet:
    names = [part.name for part in table.sets]
    if name is None and len(names) == 1:
        return table.sets[0]
    if name not in names:
        found = "no set" if name is None else repr(name)
        raise BiomarkError(f"set: found {found}; the table has {', '.join(names)}")
    return table.sets[names.index(name)]


def _frame(
    part: PublishedSet,
    own: list[SolvedRow],
    curves: Mapping[tuple[str, str], Pattern],
    models: list[str],
    rng: np.random.Generator,
) -> pd.DataFrame:
    classes = {row.row.label: (row.classes.pos or 0, row.classes.neg or 0) for row in own}
    n = max([part.n or 0, *(pos + neg for pos, neg in classes.values())])
    width = len(str(n))
    frames = []
    for label, (n_pos, n_neg) in classes.items():
        present = [model for model in models if (label, model) in curves]
        wished = {}
        for comparison in part.comparisons:
            if comparison.label == label and all(model in present for model in comparison.models):
                first, second = sorted(present.index(model) for model in comparison.models)
                wished[first, second] = (max(comparison.p.low, 0.0), min(comparison.p.high, 1.0))
        scores = match_rankings([curves[label, model] for model in present], wished, rng)
        # Patients in an order of their own for each label: nothing printed says which labels go together.
        patients = rng.permutation(n)[: n_pos + n_neg]
        truth = np.repeat([1, 0], [n_pos, n_neg])
        by_patient = np.argsort(patients)
        for model, score in zip(present, scores, strict=True):
            frames.append(
                pd.DataFrame(
                    {
                        "patient_id": [f"R{patients[at] + 1:0{width}d}" for at in by_patient],
                        "set": part.name, "model": model, "label": label,
                        "y_true": truth[by_patient], "y_score": score[by_patient].round(6), "origin": ORIGIN,
                    }
                )
            )  # fmt: skip
    return pd.concat(frames, ignore_index=True)
