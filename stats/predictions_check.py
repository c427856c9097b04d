"""Checks of a predictions table as a whole, and its tidy form: one row per patient, set, model and label."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from ..errors import InputFileError
from .column_values import Coded, carried_values, identifiers, narrow, numbers, truths
from .input_table import InputTable, ProblemList, shown
from .predictions_layout import KEYS, OPTIONAL, WideScore, tidy_columns, wide_scores
from .results import FloatArray

__all__ = ["tidy_frame"]

DEFAULT_SET = "all"
DEFAULT_MODEL = "model"
_MOST_NAMES = 1_000
# Up to so many possible combinations of names a row, a place for each costs less than finding those that occur.
COMBINED_PER_ROW = 4

Names = tuple[str, ...]


def tidy_frame(table: InputTable, problems: ProblemList) -> tuple[pd.DataFrame, Names, Names, Names, str]:
    """Check a table of either layout and return it as a tidy frame.

    Returns
    -------
    frame : pandas.DataFrame
    labels, models, sets : tuple of str, in order of first appearance
    layout : "tidy" or "wide"

    Raises
    ------
    InputFileError
        With all that is wrong, including what ``problems`` held before.
    """
    names = tuple(table.columns)
    if table.header_row is None and not table.rows.size:
        problems.add("has no rows")
    scores = wide_scores(names, problems, row=table.header_row)
    if scores:
        return _Wide(table, problems, scores).frame()
    tidy_columns(names, problems, row=table.header_row)
    return _Tidy(table, problems).frame()


class _Checks:
    """The checks that both layouts share; each is skipped where its column is absent or cannot be read."""

    def __init__(self, table: InputTable, problems: ProblemList) -> None:
        self.table, self.problems = table, problems
        self.n = table.rows.size
        self.patient = self.names_in("patient_id")
        self.set = self.names_in("set") if "set" in table.columns else _constant(DEFAULT_SET, self.n)
        self.size: FloatArray | None = None
        if "size_mm" in self:
            self.size, self.size_valid = numbers(table, "size_mm", problems, required=False, minimum=0.0)
        self.cluster = self.names_in("cluster_id")
        self.fold = identifiers(table, "fold", problems, required=False) if "fold" in self else None

    def __contains__(self, name: str) -> bool:
        return name in self.table.columns

    def names_in(self, name: str) -> Coded | None:
        return identifiers(self.table, name, self.problems) if name in self else None

    def row(self, position: int) -> int:
        return int(self.table.rows[position])

    def same_patient(self) -> None:
        """One patient has one set, one size and one cluster; one cluster has one set."""
        patient, group = self.patient, self.set
        if patient is None:
            return
        if group is not None:

            def two_sets(at: int, first: int) -> str:
                return (
                    f"patient {shown(patient.value(at))} is in set {shown(group.value(at))} here and in set "
                    f"{shown(group.value(first))} in row {self.row(first)}; a patient belongs to one set"
                )

            self.agree("set", [patient], group.codes, two_sets, ~group.empty())
        size = self.size
        if size is not None:

            def two_sizes(at: int, first: int) -> str:
                return (
                    f"patient {shown(patient.value(at))} has {_measure(size[at])} here and {_measure(size[first])} "
                    f"in row {self.row(first)}; a patient has one size"
                )

            self.agree("size_mm", [patient], np.where(np.isnan(size), -1.0, size), two_sizes, self.size_valid)
        cluster = self.cluster
        if cluster is not None:

            def two_clusters(at: int, first: int) -> str:
                return (
                    f"patient {shown(patient.value(at))} is in cluster {shown(cluster.value(at))} here and in "
                    f"{shown(cluster.value(first))} in row {self.row(first)}; it belongs to one"
                )

            self.agree("cluster_id", [patient], cluster.codes, two_clusters, ~cluster.empty())
        if cluster is not None and group is not None:

            def split_cluster(at: int, first: int) -> str:
                return (
                    f"cluster {shown(cluster.value(at))} is in set {shown(group.value(at))} here and in set "
                    f"{shown(group.value(first))} in row {self.row(first)}; a cluster belongs to one set"
                )

            # Where a patient itself is in two sets, that was said above.
            alone = ~group.empty() & ~self._moved(patient, group)
            self.agree("cluster_id", [cluster], group.codes, split_cluster, alone)

    def _moved(self, patient: Coded, group: Coded) -> NDArray[np.bool_]:
        first = _first_positions(patient.codes)
        return np.asarray(group.codes != group.codes[first])

    def agree(
        self,
        column: str,
        within: list[Coded],
        values: NDArray[Any],
        message: Callable[[int, int], str],
        valid: NDArray[np.bool_] | bool = True,
    ) -> None:
        """Report, once per group, that rows of one group differ in a value."""
        keep = _kept(valid & ~_any_empty(within))
        groups = _combined([key.codes[keep] for key in within])
        first = _first_positions(groups)
        of_rows = values[keep]
        differs = np.flatnonzero(of_rows != of_rows[first])
        if differs.size == 0:
            return
        once = differs[~pd.Series(groups[differs]).duplicated().to_numpy()]
        rows = np.arange(self.n)[keep]
        origin = _some_pairs(rows[once], rows[first[once]])
        self.problems.add_rows(rows[once], self.table.rows, column, lambda at: message(at, origin[at]))

    def unique(self, keys: dict[str, Coded], hint: str) -> None:
        """Report every row but the first of one key."""
        keep = _kept(~_any_empty(list(keys.values())))
        groups = _combined([key.codes[keep] for key in keys.values()])
        first = _first_positions(groups)
        again = np.flatnonzero(first != np.arange(groups.size))
        if again.size == 0:
            return
        rows = np.arange(self.n)[keep]
        origin = _some_pairs(rows[again], rows[first[again]])

        def message(at: int) -> str:
            what = ", ".join(f"{name} {shown(key.value(at))}" for name, key in keys.items())
            return f"a second row for {what}; the first is row {self.row(origin[at])}{hint}"

        self.problems.add_rows(rows[again], self.table.rows, "patient_id", message)

    def few(self, column: str, found: Coded | None) -> None:
        """Refuse a column of names that holds too many of them to be one."""
        if found is not None and len(found.values) > _MOST_NAMES:
            self.problems.add(
                f"holds {len(found.values):,} different names, at most {_MOST_NAMES:,} are read; "
                "is it the right column?",
                column=column,
            )

    def optional_columns(self, repeats: int, known: frozenset[str]) -> dict[str, Any]:
        """Return size_mm, cluster_id, fold and the carried columns, each value repeated."""
        at = np.repeat(np.arange(self.n), repeats)
        columns: dict[str, Any] = {}
        if self.size is not None:
            columns["size_mm"] = self.size[at]
        for name, coded in (("cluster_id", self.cluster), ("fold", self.fold)):
            if coded is not None:
                columns[name] = coded.series(coded.codes[at])
        for name in self.table.columns:
            if name not in known and name not in columns:
                values = carried_values(self.table.columns[name])
                columns[name] = values if repeats == 1 else values.take(at).reset_index(drop=True)
        return columns


class _Tidy(_Checks):
    """A table with one row per patient, model and label."""

    def frame(self) -> tuple[pd.DataFrame, Names, Names, Names, str]:
        model = self.names_in("model") if "model" in self else _constant(DEFAULT_MODEL, self.n)
        label = self.names_in("label")
        y_score = (
            numbers(self.table, "y_score", self.problems, required=True)[0] if "y_score" in self else None
        )
        y_true, valid = truths(self.table, "y_true", self.problems) if "y_true" in self else (None, None)
        self.same_patient()
        patient, group = self.patient, self.set
        if y_true is not None and valid is not None and patient is not None and label is not None:
            self._same_truth(patient, label, y_true, valid)
        if patient is not None and group is not None and model is not None and label is not None:
            self.unique({"patient": patient, "set": group, "model": model, "label": label}, "")
        for name, found in (("set", group), ("model", model), ("label", label)):
            self.few(name, found)
        self.problems.raise_if_any()
        assert patient is not None and group is not None and model is not None and label is not None
        columns = {
            "patient_id": patient.series(),
            "set": group.categories(),
            "model": model.categories(),
            "label": label.categories(),
            "y_true": y_true,
            "y_score": y_score,
        }
        columns |= self.optional_columns(1, frozenset(KEYS))
        # Without a copy: these columns were made for it alone.
        return pd.DataFrame(columns, copy=False), label.names(), model.names(), group.names(), "tidy"

    def _same_truth(self, patient: Coded, label: Coded, y_true: FloatArray, valid: NDArray[np.bool_]) -> None:
        def message(at: int, first: int) -> str:
            return (
                f"patient {shown(patient.value(at))} has {_truth(y_true[at])} for label {shown(label.value(at))} here "
                f"and {_truth(y_true[first])} in row {self.row(first)}; a patient has one truth"
            )

        self.agree("y_true", [patient, label], np.where(np.isnan(y_true), -1.0, y_true), message, valid)


class _Wide(_Checks):
    """A table with one row per patient, and a column of scores per model and label."""

    def __init__(self, table: InputTable, problems: ProblemList, scores: tuple[WideScore, ...]) -> None:
        super().__init__(table, problems)
        scored = {score.label for score in scores}
        self.labels = tuple(name for name in table.columns if name in scored)
        self.models = tuple(dict.fromkeys(score.model for score in scores))
        self.scores = sorted(scores, key=lambda s: (self.models.index(s.model), self.labels.index(s.label)))

    def frame(self) -> tuple[pd.DataFrame, Names, Names, Names, str]:
        truth = {name: truths(self.table, name, self.problems)[0] for name in self.labels}
        y_score = [
            numbers(self.table, score.column, self.problems, required=True)[0] for score in self.scores
        ]
        self.same_patient()
        patient, group = self.patient, self.set
        if patient is not None and group is not None:
            self.unique({"patient": patient, "set": group}, "; the wide layout has one row per patient")
        self.few("set", group)
        self.problems.raise_if_any()
        assert patient is not None and group is not None
        repeats = len(self.scores)
        model = _tiled([score.model for score in self.scores], self.n)
        label = _tiled([score.label for score in self.scores], self.n)
        columns = {
            "patient_id": patient.series(np.repeat(patient.codes, repeats)),
            "set": group.categories(np.repeat(group.codes, repeats)),
            "model": model.categories(),
            "label": label.categories(),
            "y_true": np.stack([truth[score.label] for score in self.scores], axis=1).ravel(),
            "y_score": np.stack(y_score, axis=1).ravel(),
        }
        known = {*KEYS, *OPTIONAL, *self.labels, *(score.column for score in self.scores)}
        columns |= self.optional_columns(repeats, frozenset(known))
        # Without a copy: these columns were made for it alone.
        return pd.DataFrame(columns, copy=False), self.labels, self.models, group.names(), "wide"


def _constant(name: str, n: int) -> Coded:
    return Coded(np.zeros(n, dtype=np.int8), pa.array([name], pa.large_string()))


def _tiled(names: list[str], n: int) -> Coded:
    distinct = list(dict.fromkeys(names))
    codes = np.array([distinct.index(name) for name in names])
    return Coded(narrow(np.tile(codes, n), len(distinct)), pa.array(distinct, pa.large_string()))


def _any_empty(keys: list[Coded]) -> NDArray[np.bool_]:
    empty = keys[0].empty()
    for key in keys[1:]:
        empty = empty | key.empty()
    return empty


def _kept(wanted: NDArray[np.bool_]) -> slice | NDArray[np.intp]:
    """Where rows are wanted; all of them as a slice, which copies nothing."""
    return slice(None) if wanted.all() else np.flatnonzero(wanted)


def _combined(codes: list[NDArray[Any]]) -> NDArray[np.int64]:
    """Return a number for each distinct combination of codes, at most a few times as large as there are rows."""
    combined = codes[0].astype(np.int64, copy=False)
    for other in codes[1:]:
        values = int(other.max(initial=0)) + 1
        if values == 1:
            continue
        # Both factors are at most the number of rows, so the product fits.
        combined = combined * values + other
        if int(combined.max(initial=0)) >= COMBINED_PER_ROW * combined.size:
            combined = pd.factorize(combined)[0].astype(np.int64)
    return combined


def _first_positions(groups: NDArray[Any]) -> NDArray[np.signedinteger[Any]]:
    """For each row the position of the first row of its group."""
    first = np.zeros(int(groups.max(initial=-1)) + 1, dtype=np.int32 if groups.size < 2**31 else np.int64)
    # Written from the end, the first row of each group is what stays.
    first[groups[::-1]] = np.arange(groups.size, dtype=first.dtype)[::-1]
    return np.asarray(first[groups])


def _some_pairs(at: NDArray[Any], first: NDArray[Any]) -> dict[int, int]:
    """Return for each position the first of its group, for as many as a message shows."""
    shown_most = slice(InputFileError.shown)
    return dict(zip(at[shown_most].tolist(), first[shown_most].tolist(), strict=True))


def _truth(value: float) -> str:
    return "nothing" if np.isnan(value) else f"{value:g}"


def _measure(value: float) -> str:
    return "no size" if np.isnan(value) else f"{value:g} mm"
