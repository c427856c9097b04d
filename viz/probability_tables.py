"""The page's tables of scores taken as probabilities: calibration, net benefit and its differences."""

from __future__ import annotations

from dataclasses import replace
from math import isfinite
from typing import TYPE_CHECKING

import pandas as pd

from .captions import digits_of, interval_level, set_heading
from .number_format import UNDEFINED, number, p_equation, p_value, percentage
from .page_table import (
    Cell,
    Column,
    Group,
    Table,
    estimate_cell,
    exact,
    model_cell,
    name_cell,
    notes_of,
    parts,
    rows_of,
)
from .theme import model_styles

if TYPE_CHECKING:
    from ..stats.evaluation import Evaluation

__all__ = [
    "TABLE_THRESHOLDS",
    "calibration_table",
    "net_benefit_difference_table",
    "net_benefit_table",
    "unjudged_scores",
]

# A decision curve has 99 thresholds; these are what a table prints.
TABLE_THRESHOLDS = (0.05, 0.1, 0.2, 0.3, 0.5)
# What the notes of a calibration call by its column.
_NAMES = {
    "brier_scaled": "scaled Brier score",
    "intercept_beside_slope": "intercept beside the slope",
    "observed_expected": "observed / expected",
    "in_the_large": "calibration in the large",
    "recalibration_test": "test of slope and intercept",
    "spiegelhalter_z": "Spiegelhalter’s z",
}


def calibration_table(evaluation: Evaluation) -> Table:
    """Return slope, intercept, observed over expected, Brier score and distances of each model for each label."""
    digits, styles, level = digits_of(evaluation), model_styles(evaluation.models), interval_level(evaluation)
    frame = evaluation.calibration
    judged = frame[frame["brier"].notna()]
    rows: list[list[Cell]] = []
    for label, cells in parts(judged, "label", evaluation.labels):
        for at, (_, row) in enumerate(cells.iterrows()):
            line = [name_cell(label, rows=len(cells))] if at == 0 else []
            scaled = estimate_cell(row, "brier_scaled", digits).text
            beside = "" if scaled == UNDEFINED else f"scaled {scaled}"
            line += [
                model_cell(row["model"], styles[row["model"]]),
                estimate_cell(row, "slope", 2),
                estimate_cell(row, "intercept", 2),
                estimate_cell(row, "observed_expected", 2),
                Cell(p_value(row["recalibration_p_value"]), title=exact(row["recalibration_p_value"])),
                estimate_cell(row, "brier", digits, sub=beside),
                Cell(
                    number(row["ici"], digits),
                    sub=f"E90 {number(row['e90'], digits)}" if isfinite(row["e90"]) else "",
                    title=exact(row["ici"]),
                ),
            ]
            rows.append(line)
    columns = [
        Column("Label", numeric=False),
        Column("Model", numeric=False),
        Column(f"Slope ({level})"),
        Column("Intercept"),
        Column("Observed / expected"),
        Column("Test, p"),
        Column("Brier score"),
        Column("ICI"),
    ]
    notes = [
        "Best values: slope 1, intercept 0 (slope held at 1), observed / expected 1, Brier score 0. Test: slope 1 and "
        "intercept 0 together. A slope below 1: predictions too extreme; observed / expected below 1: predictions too "
        "high. ICI and E90: mean and 90th percentile of the "
        "smooth curve’s distance from the diagonal, which chance alone lifts above 0."
    ]
    return Table(
        "calibration", _caption(evaluation, "Calibration"), columns, [Group("", rows)], notes + _why(frame)
    )


def net_benefit_table(evaluation: Evaluation) -> Table:
    """Return the net benefit of each model, and of treating all, at a few thresholds."""
    digits, styles = digits_of(evaluation), model_styles(evaluation.models)
    frame = evaluation.net_benefit
    groups = []
    for label, cells in parts(frame[frame["threshold"].notna()], "label", evaluation.labels):
        all_treated = [
            estimate_cell(row, "treat_all", digits) if row is not None else Cell(UNDEFINED)
            for row in _at_thresholds(rows_of(cells, model=cells["model"].iloc[0]))
        ]
        rows = [[Cell("treat all", numeric=False, head=True), *all_treated]]
        for model, mine in parts(cells, "model", evaluation.models):
            shown = [
                estimate_cell(row, "net_benefit", digits, prefix="") if row is not None else Cell(UNDEFINED)
                for row in _at_thresholds(mine)
            ]
            rows.append([model_cell(model, styles[model]), *shown])
        groups.append(Group(label, rows, name=label))
    notes = [
        f"{interval_level(evaluation)} in brackets. Net benefit: true positives less false positives weighted by "
        "threshold / (1 − threshold), per patient; treating none has 0. Below its smallest prediction a model treats "
        "all."
    ]
    return Table(
        "net-benefit",
        _caption(evaluation, "Net benefit at a few thresholds"),
        _threshold_columns("Model"),
        groups,
        notes + _why(frame),
    )


def net_benefit_difference_table(evaluation: Evaluation) -> Table:
    """Return the differences in net benefit between each two models at a few thresholds."""
    digits = digits_of(evaluation)
    frame = evaluation.net_benefit_differences
    groups = []
    for label, cells in parts(frame[frame["threshold"].notna()], "label", evaluation.labels):
        rows = []
        for (a, b), mine in cells.groupby(["model_a", "model_b"], sort=False):
            shown = [_difference(row, digits) for row in _at_thresholds(mine)]
            rows.append([name_cell(f"{a} − {b}"), *shown])
        groups.append(Group(label, rows, name=label))
    notes = ["Same patients, paired; not corrected for the number of thresholds, labels and models."]
    return Table(
        "net-benefit-differences",
        _caption(evaluation, "Differences in net benefit between models"),
        _threshold_columns("Models"),
        groups,
        notes + notes_of(frame),
    )


def unjudged_scores(evaluation: Evaluation) -> list[str]:
    """Say which scores could not be judged as probabilities, and why: one sentence per label and model."""
    frame = evaluation.calibration
    return notes_of(frame[frame["brier"].isna()])


def _at_thresholds(frame: pd.DataFrame) -> list[pd.Series[float] | None]:
    found: list[pd.Series[float] | None] = []
    for wanted in TABLE_THRESHOLDS:
        near = frame[(frame["threshold"] - wanted).abs() < 1e-9]
        found.append(near.iloc[0] if len(near) else None)
    return found


def _difference(row: pd.Series[float] | None, digits: int) -> Cell:
    if row is None:
        return Cell(UNDEFINED)
    cell = estimate_cell(row, "difference", digits, prefix="")
    p = float(row["p_value"])
    return replace(cell, sub=p_equation(p)) if isfinite(p) else cell


def _threshold_columns(first: str) -> list[Column]:
    at = [Column(f"at {percentage(threshold)}") for threshold in TABLE_THRESHOLDS]
    return [Column(first, numeric=False), *at]


def _caption(evaluation: Evaluation, what: str) -> str:
    return f"{what}: {set_heading(evaluation, evaluation.main_set, role=False)}"


def _why(frame: pd.DataFrame) -> list[str]:
    """Return the notes of the rows that are there in part; those that are missing stand before the table."""
    known = "brier" if "brier" in frame else "threshold"
    told = frame[frame[known].notna()]
    notes = told["note"]
    for name, called in _NAMES.items():
        notes = notes.str.replace(name, called, regex=False)
    return notes_of(told.assign(note=notes))
