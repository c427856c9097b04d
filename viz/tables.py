"""The tables of an evaluation for the paper: which there are, and their files."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

from . import (
    adequacy_tables,
    baseline_characteristics,
    companion_tables,
    difference_tables,
    performance_tables,
    probability_tables,
)
from .csv_table import csv_text
from .docx_tables import docx_tables
from .latex_table import latex_table
from .page_table import Table

if TYPE_CHECKING:
    from ..stats.evaluation import Evaluation

__all__ = ["labelled", "main_tables", "possible_files", "write_tables"]


def main_tables(evaluation: Evaluation, *, simulated: bool = False) -> dict[str, Table]:
    """Return the formatted tables by name, in the order of the report; empty ones are left out.

    Parameters
    ----------
    evaluation : Evaluation
    simulated : bool
        Say in each caption that the patients are simulated.
    """
    return {
        table.name: labelled(table, simulated) for table in _tables_in_order(evaluation) if not table.empty
    }


def labelled(table: Table, simulated: bool) -> Table:
    """Return a table whose caption says that its patients are simulated, where they are."""
    return replace(table, caption=f"{table.caption} (simulated patients)") if simulated else table


def _tables_in_order(evaluation: Evaluation) -> list[Table]:
    return [
        performance_tables.key_table(evaluation),
        performance_tables.cohort_table(evaluation),
        performance_tables.individual_table(evaluation),
        performance_tables.measures_table(evaluation),
        difference_tables.comparison_table(evaluation),
        performance_tables.overall_table(evaluation),
        performance_tables.overall_table(evaluation, "other"),
        difference_tables.overall_difference_table(evaluation),
        difference_tables.overall_difference_table(evaluation, "other"),
        difference_tables.overfitting_table(evaluation),
        adequacy_tables.strata_table(evaluation),
        difference_tables.interaction_table(evaluation),
        adequacy_tables.sample_size_table(evaluation),
        adequacy_tables.sample_size_table(evaluation, judged=False),
        performance_tables.optimism_table(evaluation),
        baseline_characteristics.baseline_characteristics_table(evaluation),
        probability_tables.calibration_table(evaluation),
        probability_tables.net_benefit_table(evaluation),
        probability_tables.net_benefit_difference_table(evaluation),
        companion_tables.precision_recall_table(evaluation),
        companion_tables.precision_recall_table(evaluation, judged=False),
        companion_tables.paired_accuracy_table(evaluation),
        companion_tables.paired_accuracy_table(evaluation, judged=False),
        companion_tables.contrast_table(evaluation),
        companion_tables.other_cutoffs_table(evaluation),
        companion_tables.other_cutoffs_table(evaluation, judged=False),
        adequacy_tables.strata_table(evaluation, by_size=False),
        difference_tables.interaction_table(evaluation, by_size=False),
    ]


def write_tables(
    evaluation: Evaluation,
    path: str | os.PathLike[str],
    *,
    more: Iterable[Table] = (),
    frames: Mapping[str, pd.DataFrame] | None = None,
    simulated: bool = False,
) -> None:
    """Write every table of an evaluation into a folder, for spreadsheets and for the paper.

    Parameters
    ----------
    evaluation : Evaluation
    path : path
        The folder; made where it does not exist.
    more : iterable of Table
        Further tables of the page.
    frames : mapping of file name to pandas.DataFrame
        The raw numbers of the further tables.
    simulated : bool
        Say in each caption that the patients are simulated, and in each row of raw numbers.

    Notes
    -----
    ``<frame>.csv`` holds a frame of the evaluation with raw numbers at full precision, one column each.
    ``<table>.tex`` and ``tables.docx`` hold the tables of the page, formatted as there.
    """
    folder = Path(path)
    folder.mkdir(parents=True, exist_ok=True)
    for name, value in {**vars(evaluation), **(frames or {})}.items():
        if isinstance(value, pd.DataFrame) and len(value):
            _write(folder / f"{name}.csv", csv_text(value.assign(origin="simulated") if simulated else value))
    formatted = [
        *main_tables(evaluation, simulated=simulated).values(),
        *(labelled(table, simulated) for table in more),
    ]
    for table in formatted:
        _write(folder / _latex_name(table.name), latex_table(table))
    source, date = evaluation.provenance["input"]["name"], evaluation.provenance["date"]
    document = docx_tables(
        formatted,
        title=f"Predictions of {source}",
        date=datetime.strptime(date, "%Y-%m-%d %H:%M UTC"),
    )
    (folder / "tables.docx").write_bytes(document)


def possible_files(evaluation: Evaluation) -> set[str]:
    """Return the names of all files that `write_tables` makes where no table is empty.

    Those that an earlier report left and a later one does not make anew are out of date.
    """
    frames = [name for name, value in vars(evaluation).items() if isinstance(value, pd.DataFrame)]
    tables = [table.name for table in _tables_in_order(evaluation)]
    return {f"{name}.csv" for name in frames} | {_latex_name(name) for name in tables} | {"tables.docx"}


def _latex_name(name: str) -> str:
    """Return a file name that is like that of the CSV."""
    return f"{name.replace('-', '_')}.tex"


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="")
