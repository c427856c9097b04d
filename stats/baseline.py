"""The baseline table: who the patients of each group are, and how far the groups differ."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from ..errors import BiomarkError
from .characteristic import KINDS, Characteristic, characteristic_of
from .inputs import choice
from .results import Result

__all__ = ["BASELINE_COLUMNS", "BaselineTable", "baseline_table"]

ALL = "all patients"
BASELINE_COLUMNS = (
    "variable", "level", "summary", "rule", "group", "n", "n_missing", "mean", "sd", "median", "q1", "q3", "count",
    "share", "test", "statistic", "df", "p_value", "smd", "smd_between", "note",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class BaselineTable(Result):
    """Characteristics of patients by group.

    Attributes
    ----------
    group : str
        The column that makes the groups.
    groups : tuple of str
    sizes : tuple of int
        Patients of each group.
    characteristics : tuple of Characteristic
    unit : str
        What a row is: "patient", or "row" where no column of patients was named.
    """

    group: str
    groups: tuple[str, ...]
    sizes: tuple[int, ...]
    characteristics: tuple[Characteristic, ...]
    unit: str

    @property
    def rows(self) -> list[dict[str, Any]]:
        """One row per characteristic, level and group (all patients last), in numbers: ``BASELINE_COLUMNS``."""
        return [row for item in self.characteristics for row in _rows(item, (*self.groups, ALL))]

    def to_frame(self, *, digits: int = 1) -> pd.DataFrame:
        """Return the table as it is printed: one row per characteristic, and one below it per level.

        Parameters
        ----------
        digits : int
            Decimals of means, standard deviations, medians and quartiles.
        """
        heads = [
            f"{name} (n = {size:,})"
            for name, size in zip((*self.groups, ALL), (*self.sizes, sum(self.sizes)), strict=True)
        ]
        lines = [line for item in self.characteristics for line in _lines(item, heads, digits)]
        columns = ["characteristic", "level", *heads, "missing", "test", "p_value", "smd", "note"]
        return pd.DataFrame(lines, columns=columns)


def baseline_table(
    frame: pd.DataFrame,
    *,
    group: str,
    columns: Sequence[str] | None = None,
    patient: str | None = None,
    kinds: Mapping[str, str] | None = None,
) -> BaselineTable:
    """Describe patients by group, compare the groups, and say how far they differ.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row per patient; or several, where ``patient`` is named.
    group : str
        Column of the groups (sets, centres, arms). In a column of pandas categories their order holds, else train,
        validation and test come first, then others in order of first appearance.
    columns : sequence of str, optional
        Characteristics; by default all other columns.
    patient : str, optional
        Column that names the patient. Each patient then counts once, whose rows must not contradict each other; a
        value that is missing in some of them is taken from the others.
    kinds : mapping of column to "mean", "median" or "categorical", optional
        By default a number with more than two values is continuous: "mean" where the skewness within groups is at most
        1 in absolute value, else "median". Everything else is categorical.

    Returns
    -------
    BaselineTable

    Raises
    ------
    BiomarkError
        For a column that is not there, a patient whose rows contradict each other, a missing group, or a number that
        is infinite.

    Notes
    -----
    - "mean": mean (SD); Welch's t test of two groups, Welch's ANOVA of more.
    - "median": median [first quartile, third quartile]; Mann-Whitney test of two groups, Kruskal-Wallis test of more.
    - "categorical": n (%); chi-square test, Fisher's exact test where expected counts are small.

    Percentages, tests and differences are of the patients whose value is known; how many are not is counted. Up
    to five different whole numbers, each of four patients on the average, are taken for codes (a grade of 1 to 4) and
    are categorical; ``kinds`` overrules this.

    A large p does not prove balance: in small groups no test finds a difference that matters, and in large ones each
    finds some that do not. Where the groups were made at random any difference is chance, and p says nothing that was
    not known. The standardised difference (SMD) says how far the groups are apart. No p is corrected for the number
    of characteristics.

    References
    ----------
    Austin PC. Stat Med 2009;28:3083-3107 (standardised differences). Altman DG. Comparability of randomised groups.
    Statistician 1985;34:125-136 (tests of baseline balance).

    Examples
    --------
    >>> frame = pd.DataFrame({"set": ["train"] * 4 + ["test"] * 3, "age": [50, 61, 47, 55, 58, 66, 49],
    ...                       "menopause": ["yes", "no", "no", None, "yes", "yes", "no"]})
    >>> table = baseline_table(frame, group="set")
    >>> print(table.to_frame().iloc[:, :5].to_string(index=False))
    characteristic level train (n = 4) test (n = 3) all patients (n = 7)
               age          53.2 (6.1)   57.7 (8.5)           55.1 (7.0)
         menopause    no       2 (67%)      1 (33%)              3 (50%)
                     yes       1 (33%)      2 (67%)              3 (50%)
    """
    named = [group, *([patient] if patient is not None else []), *(columns or [])]
    for name in [*named, *(kinds or {})]:
        if name not in frame.columns:
            raise BiomarkError(
                f"no column {name!r} in the table; it has {', '.join(map(str, frame.columns))}"
            )
    if not frame.columns.is_unique:
        raise BiomarkError(
            f"column names must differ, found {frame.columns[frame.columns.duplicated()][0]!r} twice"
        )
    for name, kind in (kinds or {}).items():
        choice(kind, KINDS, name=f"kind of {name!r}")
    chosen = list(columns) if columns is not None else [c for c in frame.columns if c not in named]
    each = frame[[group, *[name for name in chosen if name != group]]].reset_index(drop=True)
    if patient is not None:
        each = _one_row_per_patient(each, frame[patient].reset_index(drop=True))
    missing = int(each[group].isna().sum())
    if missing:
        raise BiomarkError(f"column {group!r} must say the group of everybody, it is empty {missing:,} times")
    if each.empty:
        raise BiomarkError("the table has no row")
    codes, groups = _groups(each[group])
    items = tuple(
        characteristic_of(each[name], codes, groups, (kinds or {}).get(name))
        for name in chosen
        if name != group
    )
    sizes = tuple(np.bincount(codes, minlength=len(groups)).tolist())
    return BaselineTable(str(group), groups, sizes, items, "row" if patient is None else "patient")


def _groups(column: pd.Series[Any]) -> tuple[NDArray[np.intp], tuple[str, ...]]:
    if isinstance(column.dtype, pd.CategoricalDtype):
        order = [level for level in column.dtype.categories if (column == level).any()]
    else:
        seen = list(pd.unique(column))
        natural = [name for name in ("train", "validation", "test") if name in seen]
        order = natural + [name for name in seen if name not in natural]
    return pd.Index(order).get_indexer(pd.Index(column)), tuple(str(name) for name in order)


def _one_row_per_patient(each: pd.DataFrame, patient: pd.Series[Any]) -> pd.DataFrame:
    if patient.isna().any():
        raise BiomarkError(
            f"column {patient.name!r} must name every patient, it is empty in row {patient.isna().argmax()}"
        )
    at, names = pd.factorize(patient)
    kept = {}
    for name in each.columns:
        column = each[name]
        known = np.flatnonzero(column.notna().to_numpy())
        try:
            values, _ = pd.factorize(column)
        except TypeError:
            raise BiomarkError(f"column {name!r} holds values that cannot be compared") from None
        first = np.full(len(names), -1)
        first[at[known[::-1]]] = known[::-1]
        wrong = known[values[known] != values[first[at[known]]]]
        if wrong.size:
            row = int(wrong[0])
            other = column.iloc[first[at[row]]]
            raise BiomarkError(
                f"patient {names[at[row]]!r} has two values of {name!r}: {_named(other)} and {_named(column.iloc[row])}"
            )
        kept[name] = column.reindex(first).reset_index(drop=True)
    return pd.DataFrame(kept)


def _named(value: Any) -> str:
    return repr(value) if isinstance(value, str) else str(value)


def _rows(item: Characteristic, names: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    for k, level in enumerate(item.levels or ("",)):
        for g, name in enumerate(names):
            count = int(item.counts[k, g]) if item.levels else None
            yield {
                "variable": item.name, "level": level, "summary": item.kind, "rule": item.rule, "group": name,
                "n": int(item.n[g]), "n_missing": int(item.n_missing[g]), "mean": item.mean[g], "sd": item.sd[g],
                "median": item.median[g], "q1": item.q1[g], "q3": item.q3[g],
                "count": np.nan if count is None else count,
                "share": np.nan if count is None or item.n[g] == 0 else count / int(item.n[g]),
                "test": item.test.test, "statistic": item.test.statistic, "df": item.test.df,
                "p_value": item.test.p_value, "smd": item.smd, "smd_between": " - ".join(item.smd_between),
                "note": item.note,
            }  # fmt: skip


def _lines(item: Characteristic, heads: list[str], digits: int) -> Iterator[dict[str, Any]]:
    for k, level in enumerate(item.levels or ("",)):
        cells = {head: _cell(item, k, g, digits) for g, head in enumerate(heads)}
        line: dict[str, Any] = {"characteristic": item.name if k == 0 else "", "level": level, **cells}
        first = {
            "missing": int(item.n_missing[-1]), "test": item.test.test, "p_value": item.test.p_value,
            "smd": item.smd, "note": item.note,
        }  # fmt: skip
        below = {"missing": "", "test": "", "p_value": np.nan, "smd": np.nan, "note": ""}
        yield line | (first if k == 0 else below)


def _cell(item: Characteristic, k: int, g: int, digits: int) -> str:
    if item.n[g] == 0 or not item.kind:
        return "–"
    if item.levels:
        return f"{item.counts[k, g]:,} ({100.0 * item.counts[k, g] / item.n[g]:.0f}%)"
    if item.kind == "mean":
        sd = "–" if np.isnan(item.sd[g]) else f"{item.sd[g]:.{digits}f}"
        return f"{item.mean[g]:.{digits}f} ({sd})"
    return f"{item.median[g]:.{digits}f} [{item.q1[g]:.{digits}f}, {item.q3[g]:.{digits}f}]"
