"""Reading a published table from YAML, or from a dictionary of the same layout."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from ..errors import BiomarkError, InputFileError, Problem
from .input_file import read_bytes
from .printed_value import PrintedEstimate, PrintedValue, printed_value
from .published_table import (
    BaselineRow,
    ClassCounts,
    PublishedComparison,
    PublishedRow,
    PublishedSampleSize,
    PublishedSet,
    PublishedTable,
    PublishedTotal,
)
from .yaml_text import load_yaml

__all__ = ["read_published_table"]

LARGEST = 2**20
# Names of metrics as papers write them, to ours.
METRIC_NAMES = {
    "auc": "auc", "auroc": "auc", "auc-roc": "auc",
    "acc": "acc", "accuracy": "acc",
    "sen": "sen", "sens": "sen", "sensitivity": "sen", "recall": "sen", "tpr": "sen",
    "spec": "spec", "spe": "spec", "specificity": "spec", "tnr": "spec",
    "ppv": "ppv", "precision": "ppv",
    "npv": "npv",
    "f1": "f1", "f1-score": "f1", "dice": "f1",
    "mcc": "mcc", "kappa": "kappa",
    "youden": "youden", "j": "youden",
    "bacc": "bacc", "balanced-accuracy": "bacc",
    "lr+": "lr+", "plr": "lr+", "lr-": "lr-", "nlr": "lr-", "dor": "dor",
}  # fmt: skip
MACRO_NAMES = {
    "auc": "auc", "acc": "acc", "accuracy": "acc", "precision": "precision", "ppv": "precision",
    "recall": "recall", "sen": "recall", "sensitivity": "recall", "spec": "spec", "specificity": "spec",
    "f1": "f1", "f1-score": "f1",
}  # fmt: skip
SAME_SET = "youden-same-set"
UNBOUNDED = ("lr+", "lr-", "dor")
T = TypeVar("T")


def read_published_table(source: str | os.PathLike[str] | Mapping[str, Any]) -> PublishedTable:
    """Read a published table from a YAML file, ``-`` for standard input, or a dictionary of the same layout.

    Parameters
    ----------
    source : path or mapping

    Returns
    -------
    PublishedTable

    Raises
    ------
    InputFileError
        With every place that cannot be read, what stands there, and what would be right.

    Examples
    --------
    >>> table = read_published_table(
    ...     {
    ...         "sets": {
    ...             "test": {
    ...                 "labels": {"ER": {"pos": 68, "neg": 20}},
    ...                 "rows": [{"model": "A", "label": "ER", "sen": ["0.662", "0.563", "0.761"]}],
    ...             }
    ...         }
    ...     }
    ... )
    >>> print(table.sets[0].rows[0].cells["sen"])
    0.662 (0.563 to 0.761)
    """
    if isinstance(source, Mapping):
        name, content = "published table", source
    else:
        read = read_bytes(source, limit=LARGEST)
        name, content = read.name, load_yaml(read.content, read.name)
    reader = _Reader()
    table = reader.table(content)
    if reader.problems:
        raise InputFileError(name, [Problem(text) for text in reader.problems])
    return table


class _Reader:
    """Reads each part, and notes what is wrong with its place instead of stopping at it."""

    def __init__(self) -> None:
        self.problems: list[str] = []

    def table(self, content: Any) -> PublishedTable:
        known = ("study", "confidence", "sets", "totals", "sample_size", "baseline")
        content = self._mapping(content, "the file", known)
        confidence = content.get("confidence", 0.95)
        if not isinstance(confidence, (int, float)) or not 0 < confidence < 1:
            self._add("confidence", f"found {confidence!r}; expected a fraction such as 0.95")
            confidence = 0.95
        sets = self._mapping(content.get("sets", {}), "sets")
        if not sets:
            self._add("sets", "found none; expected at least one set with its rows")
        baseline = self._mapping(content.get("baseline", {}), "baseline", ("groups", "whole", "rows"))
        groups = {
            str(group): count
            for group, size in self._mapping(baseline.get("groups", {}), "baseline/groups").items()
            if (count := self._count(size, f"baseline/groups/{group}")) is not None
        }
        whole = baseline.get("whole")
        if whole is not None and str(whole) not in groups:
            self._add("baseline/whole", f"found {whole!r}; expected one of {', '.join(groups)}")
        return PublishedTable(
            str(content.get("study", "")),
            float(confidence),
            tuple(self._set(str(name), part) for name, part in sets.items()),
            self._each(content.get("totals", []), "totals", self._total),
            self._each(content.get("sample_size", []), "sample_size", self._sample_size),
            groups,
            None if whole is None else str(whole),
            self._each(
                baseline.get("rows", []),
                "baseline/rows",
                lambda row, place: self._baseline_row(row, place, tuple(groups)),
            ),
        )

    def _set(self, name: str, part: Any) -> PublishedSet:
        place = f"sets/{name}"
        part = self._mapping(part, place, ("n", "labels", "rows", "macro", "comparisons", "cutoff"))
        labels = self._labels(part.get("labels", {}), f"{place}/labels")
        cutoff = part.get("cutoff")
        if cutoff not in (None, SAME_SET):
            self._add(f"{place}/cutoff", f"found {cutoff!r}; expected {SAME_SET!r}, or nothing")
        rows = self._each(
            part.get("rows", []),
            f"{place}/rows",
            lambda row, at: self._row(row, at, METRIC_NAMES, tuple(labels)),
        )
        return PublishedSet(
            name,
            self._count(part.get("n"), f"{place}/n"),
            labels,
            rows,
            self._each(
                part.get("macro", []), f"{place}/macro", lambda row, at: self._row(row, at, MACRO_NAMES, None)
            ),
            self._each(part.get("comparisons", []), f"{place}/comparisons", self._comparison),
            cutoff == SAME_SET,
        )

    def _labels(self, part: Any, place: str) -> dict[str, ClassCounts]:
        found = {}
        for label, counts in self._mapping(part, place).items():
            counts = self._mapping(counts or {}, f"{place}/{label}", ("pos", "neg"))
            found[str(label)] = ClassCounts(
                self._count(counts.get("pos"), f"{place}/{label}/pos"),
                self._count(counts.get("neg"), f"{place}/{label}/neg"),
            )
        return found

    def _row(
        self, row: Any, place: str, known: Mapping[str, str], labels: tuple[str, ...] | None
    ) -> PublishedRow:
        row = self._mapping(row, place)
        cells: dict[str, PrintedEstimate] = {}
        names: dict[str, str] = {}
        for key, printed in row.items():
            if key in ("model", "label"):
                continue
            metric = known.get(str(key).lower().replace("_", "-").removeprefix("macro-"))
            if metric is None:
                self._add(f"{place}/{key}", f"is no metric that is known here; expected {', '.join(known)}")
            elif metric in cells:
                self._add(f"{place}/{key}", f"says the same as {names[metric]!r} in this row; keep one")
            elif (cell := self._estimate(printed, f"{place}/{key}")) is not None:
                if metric not in UNBOUNDED:
                    self._fraction(cell, f"{place}/{key}")
                cells[metric], names[metric] = cell, str(key)
        label = str(row.get("label", ""))
        if labels is not None and label not in labels:
            self._add(
                f"{place}/label",
                f"found {label!r}; expected one of the labels of this set, {', '.join(labels)}",
            )
        return PublishedRow(str(row.get("model", "model")), label, cells, names)

    def _estimate(self, printed: Any, place: str) -> PrintedEstimate | None:
        parts = printed if isinstance(printed, list) else [printed]
        if len(parts) not in (1, 3):
            self._add(place, f"found {len(parts)} figures; expected a value, or [value, low, high]")
            return None
        values = [self._printed(part, place) for part in parts]
        if any(value is None for value in values):
            return None
        return PrintedEstimate(*values)  # type: ignore[arg-type]

    def _fraction(self, cell: PrintedEstimate, place: str) -> None:
        for part in (cell.value, cell.ci_low, cell.ci_high):
            # An interval may pass 1 by a little, and audits are there to see it.
            if part is not None and part.unit and part.value > (1.0 if part is cell.value else 2.0):
                self._add(place, f"found {part.text!r}; expected at most 1, or a percentage such as '73.5%'")

    def _comparison(self, part: Any, place: str) -> PublishedComparison | None:
        part = self._mapping(part, place, ("label", "models", "p"))
        models = part.get("models")
        p = self._printed(part.get("p"), f"{place}/p")
        if not isinstance(models, list) or len(models) != 2:
            self._add(f"{place}/models", f"found {models!r}; expected the two models, [A, B]")
            return None
        if p is None:
            return None
        return PublishedComparison(str(part.get("label", "")), (str(models[0]), str(models[1])), p)

    def _total(self, part: Any, place: str) -> PublishedTotal:
        part = self._mapping(part, place, ("name", "of", "n", "labels"))
        of = part.get("of", [])
        if not isinstance(of, list):
            self._add(f"{place}/of", f"found {of!r}; expected a list of sets")
            of = []
        return PublishedTotal(
            str(part.get("name", "")),
            tuple(str(name) for name in of),
            self._count(part.get("n"), f"{place}/n"),
            self._labels(part.get("labels", {}), f"{place}/labels"),
        )

    def _sample_size(self, part: Any, place: str) -> PublishedSampleSize | None:
        known = ("label", "set", "auc", "null", "power", "alpha", "total", "pos", "neg")
        if isinstance(part, Mapping) and None in part:
            # YAML reads the bare word null as its own nothing.
            part = {"null" if key is None else key: value for key, value in part.items()}
        part = self._mapping(part, place, known)
        given = {"null": "0.5", "power": "0.8", "alpha": "0.05"} | dict(part)
        printed = {
            key: self._printed(given.get(key), f"{place}/{key}") for key in ("auc", "null", "power", "alpha")
        }
        if any(value is None for value in printed.values()):
            return None
        numbers = {key: value.value for key, value in printed.items() if value is not None}
        outside = [key for key, number in numbers.items() if not 0.0 < number < 1.0]
        for key in outside:
            self._add(f"{place}/{key}", f"found {given[key]!r}; expected a fraction between 0 and 1")
        if numbers["auc"] == numbers["null"]:
            self._add(f"{place}/auc", f"found {given['auc']!r}, the null value itself; expected another AUC")
        if outside or numbers["auc"] == numbers["null"]:
            return None
        counts = {key: self._count(part.get(key), f"{place}/{key}") for key in ("total", "pos", "neg")}
        named = part.get("set")
        return PublishedSampleSize(
            str(part.get("label", "")),
            None if named is None else str(named),
            printed["auc"], printed["null"], printed["power"], printed["alpha"],  # type: ignore[arg-type]
            **counts,
        )  # fmt: skip

    def _baseline_row(self, part: Any, place: str, groups: tuple[str, ...]) -> BaselineRow:
        part = self._mapping(part, place, ("name", "mean_sd", "count", "levels", "p"))
        p = None if part.get("p") is None else self._printed(part["p"], f"{place}/p")
        levels: dict[str, Any] = {}
        if part.get("count") is not None:
            levels["yes"] = self._by_group(part["count"], f"{place}/count", groups, second=False)
        for level, counts in self._mapping(part.get("levels", {}), f"{place}/levels").items():
            levels[str(level)] = self._by_group(counts, f"{place}/levels/{level}", groups, second=False)
        mean_sd = self._by_group(part.get("mean_sd", {}), f"{place}/mean_sd", groups, second=True)
        return BaselineRow(str(part.get("name", "")), mean_sd, levels, p, part.get("count") is None)

    def _by_group(self, part: Any, place: str, groups: tuple[str, ...], *, second: bool) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for group, printed in self._mapping(part, place, groups).items():
            figures = printed if isinstance(printed, list) else [printed]
            if len(figures) not in (1, 2) or (second and len(figures) != 2):
                wanted = "[mean, standard deviation]" if second else "a count, or [count, percent]"
                self._add(f"{place}/{group}", f"found {len(figures)} figures; expected {wanted}")
                continue
            values = [self._printed(figure, f"{place}/{group}") for figure in figures]
            if all(value is not None for value in values):
                found[str(group)] = (values[0], values[1] if len(values) == 2 else None)
        return found

    def _each(self, part: Any, place: str, read: Callable[[Any, str], T | None]) -> tuple[T, ...]:
        if not isinstance(part, list):
            self._add(place, f"found {type(part).__name__}; expected a list")
            return ()
        read_parts = (read(item, f"{place}[{at}]") for at, item in enumerate(part, start=1))
        return tuple(item for item in read_parts if item is not None)

    def _mapping(self, part: Any, place: str, known: tuple[str, ...] | None = None) -> Mapping[str, Any]:
        if not isinstance(part, Mapping):
            self._add(place, f"found {type(part).__name__}; expected names with values")
            return {}
        for key in part:
            if known is not None and key not in known:
                self._add(f"{place}/{key}", f"is not known here; expected {', '.join(known) or 'nothing'}")
        return part

    def _count(self, value: Any, place: str) -> int | None:
        if value is None:
            return None
        if isinstance(value, str) and value.strip().isdigit():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 10**7:
            self._add(place, f"found {value!r}; expected a whole number of patients")
            return None
        return value

    def _printed(self, value: Any, place: str) -> PrintedValue | None:
        try:
            return printed_value(value)
        except BiomarkError as error:
            self._add(place, str(error))
            return None

    def _add(self, place: str, message: str) -> None:
        self.problems.append(f"{place}: {message}")
