"""The page's tables of differences: between models, between sets, between strata."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from .captions import (
    digits_of,
    interval_level,
    label_title,
    main_cutoff,
    metric_name,
    set_heading,
)
from .interval_mark import (
    mark_scale,
)
from .number_format import (
    count,
    number,
    p_value,
)
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
from .theme import (
    model_styles,
)

if TYPE_CHECKING:
    from ..stats.evaluation import Evaluation

__all__ = [
    "comparison_table",
    "interaction_table",
    "overall_difference_table",
    "overfitting_table",
]


def comparison_table(evaluation: Evaluation) -> Table:
    """Return the paired comparisons of models, with Holm's correction."""
    digits = digits_of(evaluation)
    frame = evaluation.comparisons
    axis = difference_axis(frame)
    groups = []
    for name in by_set(evaluation):
        rows = []
        mine = rows_of(frame, set=name)
        for label, pairs in parts(mine, "label", evaluation.labels):
            for at, (_, row) in enumerate(pairs.iterrows()):
                line = [name_cell(label, rows=len(pairs))] if at == 0 else []
                line += [
                    name_cell(f"{row['model_a']} − {row['model_b']}"),
                    Cell(f"{number(row['auc_a'], digits)} − {number(row['auc_b'], digits)}"),
                    mark_cell(row, "difference", axis),
                    estimate_cell(row, "difference", digits, prefix=""),
                    *p_cells(row),
                    Cell(count(row["n"])),
                ]
                rows.append(line)
        family = int(mine["family"].max()) if len(mine) else 0
        tests = f"; Holm’s correction over {family} comparison{'s' if family != 1 else ''}"
        groups.append(Group(set_heading(evaluation, name) + (tests if rows else ""), rows, name=name))
    columns = [
        Column("Label", numeric=False),
        Column("Models", numeric=False),
        Column("AUCs"),
        Column("Difference", numeric=False, drawing=mark_scale(axis)),
        Column(f"Difference ({interval_level(evaluation)})"),
        Column("p"),
        Column("Holm-adjusted p"),
        Column("Patients"),
    ]
    return Table("comparisons", "Pairwise comparison of AUCs", columns, groups, notes_of(frame))


def overall_difference_table(evaluation: Evaluation, family: str = "macro") -> Table:
    """Return the differences of the macro metrics, or of the others, between models in the judged set."""
    digits = digits_of(evaluation)
    frame = rows_of(evaluation.overall_differences, set=evaluation.main_set)
    frame = frame[frame["metric"].str.startswith("macro_") == (family == "macro")]
    kind = main_cutoff(evaluation, evaluation.main_set)
    frame = frame[frame["cutoff"].isin(["", kind])]
    axis = difference_axis(frame)
    rows = []
    for metric, pairs in parts(frame, "metric", list(dict.fromkeys(frame["metric"]))):
        for at, (_, row) in enumerate(pairs.iterrows()):
            line = [Cell(metric_name(metric), numeric=False, head=True, rows=len(pairs))] if at == 0 else []
            line += [
                name_cell(f"{row['model_a']} − {row['model_b']}"),
                mark_cell(row, "difference", axis),
                estimate_cell(row, "difference", digits, prefix=""),
                Cell(p_value(row["p_value"]), title=exact(row["p_value"])),
            ]
            rows.append(line)
    columns = [
        Column("Metric", numeric=False),
        Column("Models", numeric=False),
        Column("Difference", numeric=False, drawing=mark_scale(axis)),
        Column(f"Difference ({interval_level(evaluation)})"),
        Column("p"),
    ]
    caption = (
        f"Differences of the overall metrics: {set_heading(evaluation, evaluation.main_set, role=False)}"
    )
    notes = [
        "Bootstrap of whole patients, both models on the same replicates. "
        "These p-values are not corrected for the number of metrics."
    ]
    name = "overall-differences" if family == "macro" else "overall-differences-more"
    return Table(name, caption, columns, [Group("", rows)], notes + notes_of(frame))


def overfitting_table(evaluation: Evaluation) -> Table:
    """Return the comparison of each AUC between an earlier set and the judged one."""
    digits, styles = digits_of(evaluation), model_styles(evaluation.models)
    frame = evaluation.overfitting
    axis = difference_axis(frame)
    groups = []
    for earlier in dict.fromkeys(frame["set_a"]):
        rows = []
        for label, cells in parts(rows_of(frame, set_a=earlier), "label", evaluation.labels):
            for at, (_, row) in enumerate(cells.iterrows()):
                line = [name_cell(label, rows=len(cells))] if at == 0 else []
                line += [
                    model_cell(row["model"], styles[row["model"]]),
                    Cell(number(row["auc_a"], digits), title=exact(row["auc_a"])),
                    Cell(number(row["auc_b"], digits), title=exact(row["auc_b"])),
                    mark_cell(row, "difference", axis, styles[row["model"]]),
                    estimate_cell(row, "difference", digits, prefix=""),
                    *p_cells(row),
                ]
                rows.append(line)
        against = set_heading(evaluation, evaluation.main_set, role=False)
        groups.append(Group(f"{set_heading(evaluation, earlier, role=False)} against {against}", rows))
    columns = [
        Column("Label", numeric=False),
        Column("Model", numeric=False),
        Column("AUC, earlier set"),
        Column("AUC, judged set"),
        Column("Difference", numeric=False, drawing=mark_scale(axis)),
        Column(f"Difference ({interval_level(evaluation)})"),
        Column("p"),
        Column("Holm-adjusted p"),
    ]
    return Table(
        "overfitting", "AUC in the earlier sets and in the judged one", columns, groups, notes_of(frame)
    )


def interaction_table(evaluation: Evaluation, *, by_size: bool = True) -> Table:
    """Return whether AUCs, and differences of models, differ between strata of size, or of all other columns.

    Of the judged set.
    """
    digits = digits_of(evaluation)
    frame = rows_of(evaluation.interaction, set=evaluation.main_set)
    frame = frame[(frame["variable"] == "size_mm") == by_size]
    axis = difference_axis(frame)
    groups = []
    for _, contrast in frame.groupby("variable", sort=False):
        rows = []
        for label, cells in parts(contrast, "label", [*evaluation.labels, "macro"]):
            for at, (_, row) in enumerate(cells.iterrows()):
                line = [name_cell(label_title(label), rows=len(cells))] if at == 0 else []
                line += [
                    name_cell(str(row["model"]).replace(" - ", " − ")),
                    mark_cell(row, "difference", axis),
                    estimate_cell(row, "difference", digits, prefix=""),
                    *p_cells(row),
                ]
                rows.append(line)
        groups.append(Group(_contrasted(evaluation, contrast.iloc[0]), rows))
    columns = [
        Column("Label", numeric=False),
        Column("Model, or difference of models", numeric=False),
        Column("Difference", numeric=False, drawing=mark_scale(axis)),
        Column(f"Difference in AUC ({interval_level(evaluation)})"),
        Column("p for interaction"),
        Column("Holm-adjusted p"),
    ]
    caption = f"Interaction with the strata: {set_heading(evaluation, evaluation.main_set, role=False)}"
    if by_size:
        return Table("interaction", caption, columns, groups, notes_of(frame))
    notes = [
        "Holm’s correction runs within each column. Three or more strata are tested together, for the macro AUC the "
        "first less the last."
    ]
    return Table(
        "interaction-more",
        caption.replace("the strata", "further strata", 1),
        columns,
        groups,
        notes + notes_of(frame),
    )


def _contrasted(evaluation: Evaluation, row: pd.Series[Any]) -> str:
    """Return which strata are compared: the first less the second, or all together where there are more."""
    variable, strata = (
        str(row["variable"]),
        rows_of(evaluation.strata, set=row["set"], variable=row["variable"]),
    )
    names = list(dict.fromkeys(strata["stratum"]))
    if len(names) > 2:
        return f"{variable}: {', '.join(names[:-1])} and {names[-1]} together"
    if variable == "size_mm":
        return f"lesions {row['stratum_a']}, less lesions {row['stratum_b']}"
    return f"{variable}: {row['stratum_a']}, less {row['stratum_b']}"
