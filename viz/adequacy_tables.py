"""The page's tables of strata and sample size."""

from __future__ import annotations

from math import isfinite
from typing import TYPE_CHECKING, Any

from .captions import (
    digits_of,
    interval_level,
    label_title,
    set_heading,
    stratum_title,
)
from .interval_mark import (
    mark_scale,
)
from .number_format import (
    UNDEFINED,
    number,
    power,
)
from .page_table import (
    Cell,
    Column,
    Group,
    Table,
    auc_axis,
    by_set,
    classes,
    classes_sum,
    estimate_cell,
    exact,
    mark_cell,
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
    "sample_size_table",
    "strata_table",
]

_SIZE_NOTE = "Patients in all (positive + negative); the power is that of the observed numbers."
_METHOD_NAMES = {"obuchowski": "Obuchowski", "hanley-mcneil": "Hanley–McNeil"}


def strata_table(evaluation: Evaluation, *, by_size: bool = True) -> Table:
    """Return the AUC in each stratum of lesion size, or of all other columns."""
    digits, styles = digits_of(evaluation), model_styles(evaluation.models)
    frame = evaluation.strata
    frame = frame[(frame["variable"] == "size_mm") == by_size]
    axis = auc_axis(frame, "ci_low", "ci_high")
    groups = []
    for name in by_set(evaluation):
        rows = []
        labels = [*evaluation.labels, "macro"]
        for label, cells in parts(rows_of(frame, set=name), "label", labels):
            for at_label, ((variable, stratum), models) in enumerate(
                cells.groupby(["variable", "stratum"], sort=False)
            ):
                for at, (_, row) in enumerate(models.iterrows()):
                    line = [name_cell(label_title(label), rows=len(cells))] if at_label == at == 0 else []
                    if at == 0:
                        called = stratum_title(str(variable), str(stratum))
                        line.append(name_cell(called, sub=classes(row, label), rows=len(models)))
                    line += [
                        model_cell(row["model"], styles[row["model"]]),
                        mark_cell(row, "auc", axis, styles[row["model"]]),
                        estimate_cell(row, "auc", digits, prefix=""),
                    ]
                    rows.append(line)
        groups.append(Group(set_heading(evaluation, name), rows, name=name))
    columns = [
        Column("Label", numeric=False),
        Column("Stratum", numeric=False),
        Column("Model", numeric=False),
        Column("AUC", numeric=False, drawing=mark_scale(axis)),
        Column(f"AUC ({interval_level(evaluation)})"),
    ]
    if by_size:
        return Table("strata", "AUC within strata", columns, groups, notes_of(frame))
    return Table("strata-more", "AUC within further strata", columns, groups, notes_of(frame))


def sample_size_table(evaluation: Evaluation, *, judged: bool = True) -> Table:
    """Return observed and required numbers of patients, by both methods: the judged set, or all others."""
    digits, styles = digits_of(evaluation), model_styles(evaluation.models)
    methods = list(dict.fromkeys(evaluation.sample_size["method"]))
    groups = []
    shown = [name for name in by_set(evaluation) if (name == evaluation.main_set) == judged]
    for name in shown:
        rows = []
        for label, cells in parts(rows_of(evaluation.sample_size, set=name), "label", evaluation.labels):
            new_label = True
            for model, given in parts(cells, "model", evaluation.models):
                first = given.iloc[0]
                line = [name_cell(label, rows=cells["model"].nunique())] if new_label else []
                new_label = False
                line += [
                    model_cell(model, styles[model]),
                    Cell(number(first["auc"], digits), title=exact(first["auc"])),
                    Cell(classes_sum(first, "n_")),
                ]
                for method in methods:
                    mine = rows_of(given, method=method)
                    line.append(_required(mine.iloc[0]) if len(mine) else Cell(UNDEFINED))
                rows.append(line)
        groups.append(Group(set_heading(evaluation, name), rows, name=name))
    columns = [
        Column("Label", numeric=False),
        Column("Model", numeric=False),
        Column("AUC"),
        Column("Observed"),
    ]
    for method in methods:
        called = _METHOD_NAMES.get(method, method)
        columns.append(Column(f"Required, {called}"))
    name = "sample-size" if judged else "sample-size-more"
    caption = "Patients observed and required" + ("" if judged else ": the other sets")
    frame = evaluation.sample_size[evaluation.sample_size["set"].isin(shown)]
    return Table(name, caption, columns, groups, [_SIZE_NOTE, *notes_of(frame)])


def _required(row: Any) -> Cell:
    reached = f"power {power(float(row['power']))}"
    needed = classes_sum(row, "required_")
    if needed == UNDEFINED:
        return Cell(UNDEFINED, sub=reached if isfinite(row["power"]) else "")
    enough = bool(row["adequate"])
    tag, kind = ("reached", "good") if enough else ("not reached", "bad")
    return Cell(needed, title=exact(row["power"]), tag=f"{tag}, {reached}", tag_kind=kind)
