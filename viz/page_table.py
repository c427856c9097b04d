"""What a table of the page is made of, before it becomes HTML."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from math import isfinite
from typing import TYPE_CHECKING, Any

import pandas as pd
from markupsafe import Markup

from .captions import cutoff_tag
from .interval_mark import MarkAxis, interval_mark, line_sample
from .number_format import UNDEFINED, count, estimate, p_value, proportion, ratio, threshold
from .theme import ModelStyle

if TYPE_CHECKING:
    from ..stats.evaluation import Evaluation

__all__ = [
    "Cell",
    "Column",
    "Group",
    "Table",
    "auc_axis",
    "by_set",
    "classes",
    "classes_sum",
    "cutoff_cell",
    "difference_axis",
    "estimate_cell",
    "exact",
    "mark_cell",
    "measure_cell",
    "model_cell",
    "name_cell",
    "notes_of",
    "p_cells",
    "parts",
    "rows_of",
]


_RATIOS = ("lr_positive", "lr_negative", "odds_ratio")
_COUNTS: dict[str, Callable[[Any], tuple[float, float]]] = {
    "accuracy": lambda row: (row["tp"] + row["tn"], row["n"]),
    "sensitivity": lambda row: (row["tp"], row["tp"] + row["fn"]),
    "specificity": lambda row: (row["tn"], row["tn"] + row["fp"]),
    "ppv": lambda row: (row["tp"], row["tp"] + row["fp"]),
    "npv": lambda row: (row["tn"], row["tn"] + row["fn"]),
}


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell.

    Attributes
    ----------
    text : str
        What is shown; the template escapes it.
    sub : str
        A second, quieter line: the counts behind a proportion, a second interval.
    title : str
        The value at full precision, shown on hover.
    tag, tag_kind : str
        A small word beside the text, and which look it has.
    drawing : Markup or empty
        Marks made by ``interval_mark``.
    numeric, head, is_name : bool
        Aligned to the right; a row header; text that came from a file.
    rows : int
        Rows that the cell spans.
    """

    text: str = ""
    sub: str = ""
    title: str = ""
    tag: str = ""
    tag_kind: str = ""
    drawing: Markup | str = ""
    numeric: bool = True
    head: bool = False
    is_name: bool = False
    rows: int = 1

    def spanning(self, rows: int) -> Cell:
        """Return the cell spanning ``rows`` rows."""
        return replace(self, rows=rows)


@dataclass(frozen=True, slots=True)
class Column:
    """Head of a column: ``title``, whether it is ``numeric``, a ``drawing`` under the title."""

    title: str
    numeric: bool = True
    drawing: Markup | str = ""


@dataclass(frozen=True, slots=True)
class Group:
    """Rows under a common heading, which may be empty and start with a ``name``; ``quiet`` rows are grey."""

    heading: str
    rows: list[list[Cell]]
    quiet: tuple[int, ...] = ()
    name: str = ""


@dataclass(frozen=True, slots=True)
class Table:
    """A table of the page.

    Attributes
    ----------
    name : str
        Its id in the page.
    caption : str
    columns : list of Column
    groups : list of Group
    notes : list of str
        Printed under the table: what a cell means, why one is empty.
    """

    name: str
    caption: str
    columns: list[Column]
    groups: list[Group]
    notes: list[str] = field(default_factory=list)

    @property
    def empty(self) -> bool:
        """Whether there is nothing to show."""
        return not any(group.rows for group in self.groups)


def name_cell(text: str, *, sub: str = "", head: bool = True, rows: int = 1) -> Cell:
    """Return a row header with a name that came from a file."""
    return Cell(text, sub=sub, numeric=False, head=head, is_name=True, rows=rows)


def model_cell(model: str, style: ModelStyle | None, *, rows: int = 1) -> Cell:
    """Return a row header with a model's name and its line."""
    drawing = "" if style is None else line_sample(style)
    return Cell(model, numeric=False, head=True, is_name=True, drawing=drawing, rows=rows)


def estimate_cell(row: Any, name: str, digits: int, *, sub: str = "", prefix: str | None = None) -> Cell:
    """Return ``value (low to high)`` of the columns ``name``, ``<prefix>ci_low`` and ``<prefix>ci_high``."""
    prefix = f"{name}_" if prefix is None else prefix
    value, low, high = (float(row[column]) for column in (name, f"{prefix}ci_low", f"{prefix}ci_high"))
    shown = estimate(value, low, high, digits)
    title = "" if shown == UNDEFINED else f"{value:.10g} ({low:.10g} to {high:.10g})"
    return Cell(shown, sub=sub if shown != UNDEFINED else "", title=title)


def mark_cell(row: Any, name: str, axis: MarkAxis, style: ModelStyle | None = None, prefix: str = "") -> Cell:
    """Return the interval of a row as a drawing."""
    low, high = float(row[f"{prefix}ci_low"]), float(row[f"{prefix}ci_high"])
    return Cell(drawing=interval_mark(float(row[name]), low, high, axis, style), numeric=False)


def by_set(evaluation: Evaluation) -> list[str]:
    """Return the sets with the judged one first, then the one that gave the cut-offs."""
    first = [evaluation.main_set, *([evaluation.cutoff_set] if evaluation.cutoff_set else [])]
    return first + [name for name in evaluation.sets if name not in first]


def rows_of(frame: pd.DataFrame, **equal: str) -> pd.DataFrame:
    """Return the rows of a frame where columns equal the given values."""
    for column, value in equal.items():
        frame = frame[frame[column] == value]
    return frame


def parts(frame: pd.DataFrame, column: str, order: Any) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield the rows of each value that occurs, in the given order."""
    for value in order:
        part = frame[frame[column] == value]
        if len(part):
            yield value, part


def measure_cell(row: Any, measure: str, digits: int) -> Cell:
    """Return a measure with its interval, and the counts behind it where it is a proportion."""
    if measure in _RATIOS:
        value, low, high = (float(row[c]) for c in (measure, f"{measure}_ci_low", f"{measure}_ci_high"))
        if not value == value:  # NaN; an infinite ratio is a value
            return Cell(UNDEFINED)
        bounds = f" ({ratio(low)} to {ratio(high)})" if low == low and high == high else ""
        return Cell(f"{ratio(value)}{bounds}", title=f"{value:.10g}")
    sub = ""
    if measure in _COUNTS:
        k, n = _COUNTS[measure](row)
        sub = proportion(k, n) if isfinite(k) and isfinite(n) else ""
    return estimate_cell(row, measure, digits, sub=sub)


def cutoff_cell(evaluation: Evaluation, row: Any) -> Cell:
    """Return a cut-off and which kind it is."""
    locked = row["cutoff"] == "locked"
    shown = threshold(float(row["threshold"])) if "threshold" in row else ""
    tag, kind = cutoff_tag(evaluation, row["set"], row["cutoff"]), "locked" if locked else "flatters"
    return Cell(shown, tag=tag, tag_kind=kind, title=exact(float(row.get("threshold", float("nan")))))


def p_cells(row: Any) -> list[Cell]:
    """Return the p-value of a row and the one after Holm’s correction."""
    return [Cell(p_value(float(row[p])), title=exact(float(row[p]))) for p in ("p_value", "p_holm")]


def exact(value: float) -> str:
    """Return a value at full precision for the hover, nothing where it is undefined."""
    return f"{value:.10g}" if isfinite(value) else ""


def classes(row: Any, label: str = "") -> str:
    """Return how many positives and negatives are behind a row."""
    if not isfinite(row["n_pos"]) or not isfinite(row["n_neg"]):
        return ""
    if label == "macro":
        return f"{count(row['n'])} patients"
    return f"{count(row['n_pos'])} positive, {count(row['n_neg'])} negative"


def classes_sum(row: Any, prefix: str) -> str:
    """Return ``total (positive + negative)`` of the columns ``<prefix>pos`` and ``<prefix>neg``."""
    pos, neg = float(row[f"{prefix}pos"]), float(row[f"{prefix}neg"])
    if not isfinite(pos) or not isfinite(neg):
        return UNDEFINED
    return f"{count(pos + neg)} ({count(pos)} + {count(neg)})"


def auc_axis(frame: pd.DataFrame, low: str, high: str) -> MarkAxis:
    """Return the axis that holds all intervals of AUCs in two columns."""
    values = [*frame[low].tolist(), *frame[high].tolist()]
    return MarkAxis.around(values, reference=0.5, limits=(0.0, 1.0))


def difference_axis(frame: pd.DataFrame) -> MarkAxis:
    """Return the axis that holds all intervals of differences."""
    values = [*frame["ci_low"].tolist(), *frame["ci_high"].tolist()]
    return MarkAxis.around(values, reference=0.0, limits=(-1.0, 1.0))


def notes_of(frame: pd.DataFrame) -> list[str]:
    """Return why cells are empty, each reason once with where it holds."""
    if "note" not in frame:
        return []
    places: dict[str, list[str]] = {}
    for _, row in frame[frame["note"] != ""].iterrows():
        where = ", ".join(str(row[part]) for part in ("set", "label", "stratum", "model") if part in frame)
        places.setdefault(row["note"], []).append(where)
    return [f"{'; '.join(dict.fromkeys(where))}: {note}." for note, where in places.items()]
