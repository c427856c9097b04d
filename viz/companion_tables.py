"""The page's tables beside the main ones: precision-recall, paired accuracies, all models at once, other cut-offs."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pandas as pd

from .captions import cutoff_label, digits_of, interval_level, main_cutoff, metric_name, set_heading
from .interval_mark import MarkAxis, mark_scale
from .number_format import count, number, p_value, percentage, proportion, threshold
from .page_table import (
    Cell,
    Column,
    Group,
    Table,
    by_set,
    difference_axis,
    estimate_cell,
    exact,
    mark_cell,
    model_cell,
    name_cell,
    notes_of,
    p_cells,
    parts,
    rows_of,
)
from .theme import model_styles

if TYPE_CHECKING:
    from ..stats.evaluation import Evaluation

__all__ = ["contrast_table", "other_cutoffs_table", "paired_accuracy_table", "precision_recall_table"]

_CRITERIA = {
    "youden": "largest Youden index",
    "closest-topleft": "closest to the top left corner",
    "min-sensitivity": "sensitivity of at least",
    "min-specificity": "specificity of at least",
}


def precision_recall_table(evaluation: Evaluation, *, judged: bool = True) -> Table:
    """Return average precision beside the prevalence that a useless model has: the judged set, or all others."""
    digits, styles = digits_of(evaluation), model_styles(evaluation.models)
    shown = _sets(evaluation, evaluation.main_set, judged)
    frame = _of_sets(evaluation.precision_recall, shown)
    values = [*frame["ci_low"].tolist(), *frame["ci_high"].tolist(), *frame["prevalence"].tolist()]
    axis = MarkAxis.around(values, reference=1.0, limits=(0.0, 1.0))
    groups = []
    for name in shown:
        rows = []
        for label, cells in parts(rows_of(frame, set=name), "label", evaluation.labels):
            for at, (_, row) in enumerate(cells.iterrows()):
                patients = f"{proportion(row['n_pos'], row['n'])} positive"
                line = [name_cell(label, sub=patients, rows=len(cells))] if at == 0 else []
                # The dotted line of a row is its own chance level.
                chance = float(row["prevalence"])
                own = replace(axis, reference=chance) if chance == chance else axis
                line += [
                    model_cell(row["model"], styles[row["model"]]),
                    Cell(number(row["prevalence"], digits), title=exact(row["prevalence"])),
                    mark_cell(row, "average_precision", own, styles[row["model"]]),
                    estimate_cell(row, "average_precision", digits, prefix=""),
                ]
                rows.append(line)
        groups.append(Group(set_heading(evaluation, name), rows, name=name))
    columns = [
        Column("Label", numeric=False),
        Column("Model", numeric=False),
        Column("Prevalence"),
        Column("Average precision", numeric=False, drawing=mark_scale(axis)),
        Column(f"Average precision ({interval_level(evaluation)})"),
    ]
    notes = ["Dotted line of a row: the prevalence, which a model without any skill reaches."]
    name, caption = _called("precision-recall", "Precision and recall", judged)
    return Table(name, caption, columns, groups, notes + notes_of(frame))


def paired_accuracy_table(evaluation: Evaluation, *, judged: bool = True) -> Table:
    """Return the paired differences in sensitivity and specificity: the judged set, or all others."""
    digits = digits_of(evaluation)
    shown = _sets(evaluation, evaluation.main_set, judged)
    frame = _of_sets(evaluation.paired_accuracy, shown)
    axis = difference_axis(frame)
    groups = []
    for name in shown:
        rows = []
        for label, cells in parts(rows_of(frame, set=name), "label", evaluation.labels):
            new_label = True
            for (a, b), pair in cells.groupby(["model_a", "model_b"], sort=False):
                for at, (_, row) in enumerate(pair.iterrows()):
                    line = [name_cell(label, rows=len(cells))] if new_label else []
                    new_label = False
                    line += [name_cell(f"{a} − {b}", rows=len(pair))] if at == 0 else []
                    rows.append([*line, *_paired_cells(row, axis, digits)])
        kind = main_cutoff(evaluation, name)
        at_cutoff = f"{set_heading(evaluation, name)}; cut-offs {cutoff_label(evaluation, kind)}"
        groups.append(Group(at_cutoff if rows else "", rows, name=name if rows else ""))
    columns = [
        Column("Label", numeric=False),
        Column("Models", numeric=False),
        Column("Metric", numeric=False),
        Column("Right in one only"),
        Column("Difference", numeric=False, drawing=mark_scale(axis)),
        Column(f"Difference ({interval_level(evaluation)})"),
        Column("p"),
        Column("Holm-adjusted p"),
    ]
    notes = [
        "Right in one only: patients whom the first model alone called rightly + the second alone, of those judged. "
        "p: McNemar’s exact test, with Holm’s correction over all rows of a set; it is cautious, so that an interval "
        "may exclude 0 where p is not small.",
    ]
    name, caption = _called("paired-accuracy", "Paired sensitivities and specificities", judged)
    return Table(name, caption, columns, groups, notes + notes_of(frame))


def contrast_table(evaluation: Evaluation) -> Table:
    """Return the joint test that three or more models have the same AUC."""
    frame = evaluation.contrast
    groups = []
    for name in by_set(evaluation):
        rows = [
            [
                name_cell(row["label"]),
                Cell(row["models"], numeric=False, is_name=True),
                Cell(count(row["n"])),
                Cell(number(row["chi_square"], 2), title=exact(row["chi_square"])),
                Cell(count(row["df"])),
                Cell(p_value(row["p_value"]), title=exact(row["p_value"])),
            ]
            for _, row in rows_of(frame, set=name).iterrows()
        ]
        groups.append(Group(set_heading(evaluation, name), rows, name=name))
    columns = [
        Column("Label", numeric=False),
        Column("Models", numeric=False),
        Column("Patients"),
        Column("χ²"),
        Column("df"),
        Column("p"),
    ]
    notes = ["Not corrected for the number of labels.", *notes_of(frame)]
    return Table("contrast", "All models at once: joint test of equal AUCs", columns, groups, notes)


def other_cutoffs_table(evaluation: Evaluation, *, judged: bool = True) -> Table:
    """Return the cut-offs of other criteria: on the set where cut-offs are found, or on all others."""
    digits, styles = digits_of(evaluation), model_styles(evaluation.models)
    shown = _sets(evaluation, evaluation.cutoff_set or evaluation.main_set, judged)
    frame = _of_sets(evaluation.cutoffs, shown)
    groups = []
    for name in shown:
        rows = []
        for label, cells in parts(rows_of(frame, set=name), "label", evaluation.labels):
            new_label = True
            for model, mine in parts(cells, "model", evaluation.models):
                for at, (_, row) in enumerate(mine.iterrows()):
                    line = [name_cell(label, rows=len(cells))] if new_label else []
                    new_label = False
                    line += [model_cell(model, styles[model], rows=len(mine))] if at == 0 else []
                    rows.append([*line, *_cutoff_cells(row, digits)])
        groups.append(Group(set_heading(evaluation, name), rows, name=name))
    columns = [
        Column("Label", numeric=False),
        Column("Model", numeric=False),
        Column("Criterion", numeric=False),
        Column("Cut-off"),
        Column("Sensitivity"),
        Column("Specificity"),
        Column("Youden index"),
    ]
    name, caption = _called("other-cutoffs", "Cut-offs by other criteria", judged)
    return Table(name, caption, columns, groups, notes_of(frame))


def _paired_cells(row: pd.Series[Any], axis: MarkAxis, digits: int) -> list[Cell]:
    known = row["difference"] == row["difference"]
    only = f"{count(row['only_a'])} + {count(row['only_b'])} of {count(row['n'])}" if known else "–"
    values = f"{number(row['value_a'], digits)} − {number(row['value_b'], digits)}"
    return [
        Cell(metric_name(row["metric"]), numeric=False),
        Cell(only),
        mark_cell(row, "difference", axis),
        estimate_cell(row, "difference", digits, prefix="", sub=values if known else ""),
        *p_cells(row),
    ]


def _cutoff_cells(row: pd.Series[Any], digits: int) -> list[Cell]:
    name, _, minimum = str(row["criterion"]).partition(" ")
    said = _CRITERIA.get(name, name) + (f" {percentage(float(minimum))}" if minimum else "")
    cut = float(row["threshold"])
    ties = f"lowest of {count(row['n_ties'])}" if row["n_ties"] > 1 else ""
    return [
        Cell(said, numeric=False),
        Cell(threshold(cut), sub=ties, title=exact(cut)),
        *(
            Cell(number(row[metric], digits), title=exact(row[metric]))
            for metric in ("sensitivity", "specificity", "youden")
        ),
    ]


def _sets(evaluation: Evaluation, first: str, judged: bool) -> list[str]:
    return [name for name in by_set(evaluation) if (name == first) == judged]


def _of_sets(frame: pd.DataFrame, shown: list[str]) -> pd.DataFrame:
    return frame[frame["set"].isin(shown)]


def _called(name: str, caption: str, judged: bool) -> tuple[str, str]:
    return (name, caption) if judged else (f"{name}-more", f"{caption}: the other sets")
