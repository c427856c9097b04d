"""The page's baseline table: who the patients of each set are, and how far the sets differ."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

import pandas as pd

from .captions import one_unnamed_set
from .number_format import UNDEFINED, count, decimal_places, number, p_value, percentage
from .page_table import Cell, Column, Group, Table, exact, name_cell, rows_of

if TYPE_CHECKING:
    from ..stats.evaluation import Evaluation

__all__ = ["baseline_characteristics_table"]

_SUMMARIES = {"mean": "mean (SD)", "median": "median [quartiles]", "categorical": "n (%)"}


def baseline_characteristics_table(evaluation: Evaluation) -> Table:
    """Return the characteristics of the patients by set, with the test named for each."""
    frame = evaluation.baseline
    several = len(evaluation.sets) > 1
    named = list(dict.fromkeys(frame["group"]))
    # All patients stand last; of one set they are the set.
    groups = named if several else named[:1]
    rows: list[list[Cell]] = []
    for variable in dict.fromkeys(frame["variable"]):
        rows += _characteristic(rows_of(frame, variable=variable), groups, several)
    columns = [Column("Characteristic", numeric=False), Column("", numeric=False)]
    columns += [Column(_heading(evaluation, group)) for group in groups]
    columns += [Column("p"), Column("SMD")] if several else []
    notes = [
        "Mean (SD), or the median where values are skewed; n (%) of those whose value is known; values that are not "
        "known are counted as missing."
    ]
    if several:
        largest = ", the largest between any two sets" if len(evaluation.sets) > 2 else ""
        notes.append(
            f"SMD: standardised mean difference{largest}; 0.1 is often called small. The p-values are not corrected "
            "for their number, and a large one does not prove balance."
        )
    notes += _notes(frame, several)
    return Table("baseline", "Baseline characteristics of the patients", columns, [Group("", rows)], notes)


def _characteristic(frame: pd.DataFrame, groups: list[str], several: bool) -> list[list[Cell]]:
    """Return the lines of one characteristic: one, or one for each level, and one of missing values."""
    summary = str(frame["summary"].iloc[0])
    if not summary:
        return []
    lines: list[list[Cell]] = []
    for level in dict.fromkeys(frame["level"]):
        cells = rows_of(frame, level=level)
        shown = Cell(str(level), numeric=False, is_name=True) if level else Cell("", numeric=False)
        lines.append([shown, *(_value(rows_of(cells, group=group), summary) for group in groups)])
    first = rows_of(frame, level=frame["level"].iloc[0])
    missing = [rows_of(first, group=group)["n_missing"].iloc[0] for group in groups]
    if any(missing):
        lines.append([Cell("missing", numeric=False), *(Cell(count(n)) for n in missing)])
    name = str(frame["variable"].iloc[0])
    called = name_cell("lesion size (mm)" if name == "size_mm" else name, sub=_SUMMARIES[summary])
    lines[0].insert(0, called.spanning(len(lines)))
    if several:
        lines[0] += [cell.spanning(len(lines)) for cell in _difference(frame.iloc[0])]
    return lines


def _value(found: pd.DataFrame, summary: str) -> Cell:
    if not len(found) or found["n"].iloc[0] == 0:
        return Cell(UNDEFINED)
    row = found.iloc[0]
    if summary == "categorical":
        return Cell(f"{count(row['count'])} ({percentage(row['share'])})", title=exact(row["share"]))
    if summary == "mean":
        digits = _decimals(row["sd"])
        return Cell(
            f"{number(row['mean'], digits)} ({number(row['sd'], digits)})",
            title=f"{exact(row['mean'])} ({exact(row['sd'])})",
        )
    quartiles = [float(row[name]) for name in ("q1", "q3")]
    whole = all(value.is_integer() for value in (float(row["median"]), *quartiles))
    digits = 0 if whole else _decimals(quartiles[1] - quartiles[0])
    low, high = (number(value, digits) for value in quartiles)
    return Cell(f"{number(row['median'], digits)} [{low}, {high}]", title=exact(row["median"]))


def _decimals(spread: float) -> int:
    return decimal_places([spread], least=0) if isfinite(spread) and spread > 0.0 else 1


def _difference(row: pd.Series[Any]) -> list[Cell]:
    p, smd = float(row["p_value"]), float(row["smd"])
    between = str(row["smd_between"]).replace(" - ", " and ")
    return [
        Cell(p_value(p), sub=str(row["test"]), title=exact(p)),
        Cell(number(smd, 2), title=f"{exact(smd)} between {between}" if isfinite(smd) else ""),
    ]


def _heading(evaluation: Evaluation, group: str) -> str:
    sizes = evaluation.cohort.drop_duplicates("set").set_index("set")["n_patients"]
    if group in sizes.index:
        called = "all patients" if one_unnamed_set(evaluation) else group
        return f"{called} (n = {count(sizes[group])})"
    return f"all (n = {count(sizes.sum())})"


def _notes(frame: pd.DataFrame, several: bool) -> list[str]:
    """Return why a characteristic is missing or has no test, each reason once; with one set no test is missed."""
    notes = frame.drop_duplicates("variable")
    told = notes[notes["note"] != ""]
    if not several:
        told = told[told["summary"] == ""]
    return [f"{row['variable']}: {row['note']}." for _, row in told.iterrows()]
