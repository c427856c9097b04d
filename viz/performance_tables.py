"""The page's tables of what was read and how each model performed, from the frames of an ``Evaluation``."""

from __future__ import annotations

from dataclasses import replace
from math import isfinite
from typing import TYPE_CHECKING, Any

import pandas as pd

from .captions import (
    cutoff_label,
    digits_of,
    interval_level,
    main_cutoff,
    metric_name,
    set_heading,
)
from .interval_mark import (
    mark_scale,
)
from .number_format import (
    UNDEFINED,
    count,
    estimate,
    interval,
    number,
    p_equation,
    percentage,
)
from .page_table import (
    Cell,
    Column,
    Group,
    Table,
    auc_axis,
    by_set,
    classes,
    cutoff_cell,
    estimate_cell,
    exact,
    mark_cell,
    measure_cell,
    model_cell,
    name_cell,
    notes_of,
    parts,
    rows_of,
)
from .theme import (
    model_styles,
)

if TYPE_CHECKING:
    from ..stats.evaluation import Evaluation

__all__ = [
    "cohort_table",
    "individual_table",
    "key_table",
    "measures_table",
    "optimism_table",
    "overall_table",
]


def key_table(evaluation: Evaluation) -> Table:
    """Return the first screen's table: AUC, sensitivity, specificity and difference in the judged set."""
    name, digits = evaluation.main_set, digits_of(evaluation)
    kind = main_cutoff(evaluation, name)
    styles = model_styles(evaluation.models)
    frame = rows_of(evaluation.individual, set=name, cutoff=kind)
    axis = auc_axis(frame, "auc_ci_low", "auc_ci_high")
    compared = rows_of(evaluation.comparisons, set=name)
    paired = len(evaluation.models) == 2
    groups = []
    for label, cells in parts(frame, "label", evaluation.labels):
        rows = []
        for at, (_, row) in enumerate(cells.iterrows()):
            line = [
                model_cell(row["model"], styles[row["model"]]),
                estimate_cell(row, "auc", digits),
                mark_cell(row, "auc", axis, styles[row["model"]], "auc_"),
                measure_cell(row, "sensitivity", digits),
                measure_cell(row, "specificity", digits),
            ]
            if paired and at == 0:
                line.append(_difference(rows_of(compared, label=label), digits).spanning(len(cells)))
            rows.append(line)
        groups.append(Group(f"{label}: {classes(cells.iloc[0])}", rows, name=label))
    at_cutoff = f"at the cut-off {cutoff_label(evaluation, kind)}"
    columns = [
        Column("Model", numeric=False),
        Column(f"AUC ({interval_level(evaluation)})"),
        Column("AUC", numeric=False, drawing=mark_scale(axis)),
        Column("Sensitivity"),
        Column("Specificity"),
    ]
    notes = [f"Sensitivity and specificity {at_cutoff}, with the patients behind them."]
    if paired:
        a, b = evaluation.models
        columns.append(Column("Difference in AUC"))
        notes.append(f"Difference: {a} minus {b}, DeLong’s test on the same patients.")
    caption = f"Key figures: {set_heading(evaluation, name, role=False)}"
    return Table("key-figures", caption, columns, groups, [" ".join(notes), *notes_of(frame)])


def cohort_table(evaluation: Evaluation) -> Table:
    """Return what was read: patients, events and missing labels of each set."""
    groups = []
    for name in evaluation.sets:
        rows = [
            [
                name_cell(row["label"]),
                *(
                    Cell(count(row[column]))
                    for column in ("n_patients", "n_labelled", "n_missing", "n_pos", "n_neg")
                ),
                Cell(percentage(row["prevalence"], 1), title=exact(row["prevalence"])),
            ]
            for _, row in rows_of(evaluation.cohort, set=name).iterrows()
        ]
        groups.append(Group(set_heading(evaluation, name), rows, name=name))
    columns = [Column("Label", numeric=False)] + [
        Column(title)
        for title in ("Patients", "With the label", "Missing", "Positive", "Negative", "Prevalence")
    ]
    return Table("cohort", "Patients and events", columns, groups)


def individual_table(evaluation: Evaluation) -> Table:
    """Return the performance of each model for each label, both kinds of cut-off one under the other."""
    digits, styles = digits_of(evaluation), model_styles(evaluation.models)
    groups = []
    for name in by_set(evaluation):
        rows: list[list[Cell]] = []
        quiet: list[int] = []
        for label, cells in parts(rows_of(evaluation.individual, set=name), "label", evaluation.labels):
            new_label = True
            for model, kinds in parts(cells, "model", evaluation.models):
                for at, (_, row) in enumerate(kinds.iterrows()):
                    line = []
                    if new_label:
                        line.append(name_cell(label, sub=classes(row), rows=len(cells)))
                        new_label = False
                    if at == 0:
                        line.append(model_cell(model, styles[model], rows=len(kinds)))
                        line.append(
                            estimate_cell(row, "auc", digits, sub=_logit(row, digits)).spanning(len(kinds))
                        )
                    if row["cutoff"] != main_cutoff(evaluation, name):
                        quiet.append(len(rows))
                    line.append(cutoff_cell(evaluation, row))
                    line += [measure_cell(row, m, digits) for m in ("accuracy", "sensitivity", "specificity")]
                    rows.append(line)
        groups.append(Group(set_heading(evaluation, name), rows, tuple(quiet), name))
    columns = [
        Column("Label", numeric=False),
        Column("Model", numeric=False),
        Column(f"AUC ({interval_level(evaluation)})"),
        Column("Cut-off"),
        Column("Accuracy"),
        Column("Sensitivity"),
        Column("Specificity"),
    ]
    return Table("individual", "Individual performance", columns, groups, notes_of(evaluation.individual))


def measures_table(evaluation: Evaluation) -> Table:
    """Return every other measure at the cut-off, for those who want all."""
    digits, styles = digits_of(evaluation), model_styles(evaluation.models)
    measures = [
        column
        for column in evaluation.individual.columns
        if f"{column}_ci_low" in evaluation.individual.columns
        and column not in ("auc", "auc_logit", "accuracy", "sensitivity", "specificity")
    ]
    groups = []
    for name in by_set(evaluation):
        rows: list[list[Cell]] = []
        quiet: list[int] = []
        for _, row in rows_of(evaluation.individual, set=name).iterrows():
            if row["cutoff"] != main_cutoff(evaluation, name):
                quiet.append(len(rows))
            rows.append(
                [
                    name_cell(row["label"]),
                    model_cell(row["model"], styles[row["model"]]),
                    cutoff_cell(evaluation, row),
                    Cell(_confusion(row)),
                    *(measure_cell(row, measure, digits) for measure in measures),
                ]
            )
        groups.append(Group(set_heading(evaluation, name), rows, tuple(quiet), name))
    columns = [
        Column("Label", numeric=False),
        Column("Model", numeric=False),
        Column("Cut-off"),
        Column("TP, FP, TN, FN"),
        *(Column(metric_name(measure)) for measure in measures),
    ]
    return Table("measures", "All measures at the cut-off", columns, groups)


def overall_table(evaluation: Evaluation, family: str = "macro") -> Table:
    """Return the performance over all labels: the macro metrics, or those of the other families."""
    digits, styles = digits_of(evaluation), model_styles(evaluation.models)
    frame = evaluation.overall
    metrics = [
        column
        for column in frame.columns
        if f"{column}_ci_low" in frame.columns and column.startswith("macro_") == (family == "macro")
    ]
    groups = []
    for name in by_set(evaluation):
        rows: list[list[Cell]] = []
        quiet: list[int] = []
        for model, kinds in parts(rows_of(frame, set=name), "model", evaluation.models):
            for at, (_, row) in enumerate(kinds.iterrows()):
                if row["cutoff"] != main_cutoff(evaluation, name):
                    quiet.append(len(rows))
                rows.append(
                    ([model_cell(model, styles[model], rows=len(kinds))] if at == 0 else [])
                    + [cutoff_cell(evaluation, row)]
                    + [estimate_cell(row, metric, digits) for metric in metrics]
                )
        groups.append(Group(set_heading(evaluation, name), rows, tuple(quiet), name))
    columns = [
        Column("Model", numeric=False),
        Column("Cut-offs"),
        *(Column(metric_name(metric)) for metric in metrics),
    ]
    caption = "Overall performance over all labels"
    if family != "macro":
        return Table("overall-more", f"{caption}: further averages", columns, groups)
    return Table("overall", caption, columns, groups, notes_of(frame))


def optimism_table(evaluation: Evaluation) -> Table:
    """Return what a cut-off chosen on the same set gives, and what is left of it after correction."""
    digits, styles = digits_of(evaluation), model_styles(evaluation.models)
    frame = evaluation.optimism
    metrics = list(dict.fromkeys(frame["metric"].dropna()))
    groups = []
    for name in by_set(evaluation):
        rows = []
        for label, cells in parts(rows_of(frame, set=name), "label", evaluation.labels):
            new_label = True
            for model, mine in parts(cells, "model", evaluation.models):
                line = [name_cell(label, rows=cells["model"].nunique())] if new_label else []
                new_label = False
                line.append(model_cell(model, styles[model]))
                for metric in metrics:
                    found = rows_of(mine, metric=metric)
                    line.append(_corrected(found.iloc[0], digits) if len(found) else Cell(UNDEFINED))
                rows.append(line)
        groups.append(Group(set_heading(evaluation, name), rows, name=name))
    columns = [Column("Label", numeric=False), Column("Model", numeric=False)]
    columns += [Column(f"{metric_name(metric)}, corrected") for metric in metrics]
    replicates = frame["n_boot"].dropna()
    notes = (
        [
            f"{count(replicates.max())} bootstrap replicates; intervals are Wilson’s with the variance of the optimism."
        ]
        if len(replicates)
        else []
    )
    return Table(
        "optimism", "A cut-off chosen on the same set, corrected", columns, groups, notes + notes_of(frame)
    )


def _difference(found: pd.DataFrame, digits: int) -> Cell:
    if not len(found):
        return Cell(UNDEFINED)
    row = found.iloc[0]
    cell = estimate_cell(row, "difference", digits, prefix="")
    adjusted = float(row["p_holm"])
    called = "Holm-adjusted p" if row["family"] > 1 else "p"
    return replace(cell, sub=p_equation(adjusted, called)) if isfinite(adjusted) else cell


def _logit(row: Any, digits: int) -> str:
    shown = interval(row["auc_logit_ci_low"], row["auc_logit_ci_high"], digits)
    return "" if shown == UNDEFINED else f"logit {shown}"


def _confusion(row: Any) -> str:
    return ", ".join(count(float(row[name])) for name in ("tp", "fp", "tn", "fn"))


def _corrected(row: Any, digits: int) -> Cell:
    apparent, corrected = float(row["apparent"]), float(row["corrected"])
    if not isfinite(corrected):
        return Cell(UNDEFINED)
    text = estimate(corrected, row["ci_low"], row["ci_high"], digits)
    return Cell(text, sub=f"apparent {number(apparent, digits)}", title=exact(corrected))
