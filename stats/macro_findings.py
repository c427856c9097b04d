"""Means over labels that do not follow from the labels' own rows."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import replace
from itertools import combinations

from .finding import Finding, place
from .macro_counts import macro_possible
from .printed_value import PrintedValue
from .published_table import ClassCounts, PublishedRow, PublishedSet, PublishedTable
from .solved_rows import SolvedRow

__all__ = ["macro_findings"]


def macro_findings(table: PublishedTable, rows: list[SolvedRow]) -> list[Finding]:
    """Hold the printed means against the printed labels.

    Parameters
    ----------
    table : PublishedTable
    rows : list of SolvedRow
        From `solved_rows`, repaired by `count_findings`: a row with an error counts as repaired, and is left out
        where it could not be.

    Returns
    -------
    list of Finding
        ``macro-mismatch``, or ``swapped-rows`` where two models' values are exchanged.

    Notes
    -----
    Every definition in use is allowed: accuracy as the mean of TP / (TP + FP + FN) or of the accuracies, F1 as the
    mean of F1 or as the F1 of the mean precision and recall. Only models with a row for every label are judged.
    """
    return [
        finding
        for part in table.sets
        for finding in _exchanged(
            [f for macro in part.macro for f in _of_macro(part, macro, rows)], part, rows
        )
    ]


def _of_macro(part: PublishedSet, macro: PublishedRow, rows: list[SolvedRow]) -> list[Finding]:
    return [*_of_aucs(part, macro, rows), *_of_counts(part, macro, rows)]


def _exchanged(findings: list[Finding], part: PublishedSet, rows: list[SolvedRow]) -> list[Finding]:
    """Name the pairs of mismatches that exchanging two printed values mends, both at once."""
    wrong = {finding.where: finding for finding in findings}
    for first, second in combinations(part.macro, 2):
        for metric in first.cells:
            if metric not in second.cells:
                continue
            places = [place(part.name, row.model, row.names[metric]) for row in (first, second)]
            if not all(where in wrong for where in places):
                continue
            trial = (
                replace(first, cells={**first.cells, metric: second.cells[metric]}),
                replace(second, cells={**second.cells, metric: first.cells[metric]}),
            )
            if any(found.where in places for row in trial for found in _of_macro(part, row, rows)):
                continue
            texts = [row.cells[metric].value.text for row in (first, second)]
            for k, where in enumerate(places):
                wrong[where] = replace(
                    wrong[where], kind="swapped-rows",
                    message=f"{texts[k]} and {texts[1 - k]} of {places[1 - k]} are exchanged",
                    evidence=f"{wrong[where].evidence[:-1]}; with {texts[0]} and {texts[1]} of the two exchanged "
                    "both follow from the labels.",
                )  # fmt: skip
    return list(wrong.values())


def _of_aucs(part: PublishedSet, macro: PublishedRow, rows: list[SolvedRow]) -> Iterator[Finding]:
    printed = macro.cells.get("auc")
    own = [
        row for label in part.labels for row in part.rows
        if row.model == macro.model and row.label == label and "auc" in row.cells
    ]  # fmt: skip
    if printed is None or not part.labels or len(own) != len(part.labels):
        return
    classes = {(r.row.model, r.row.label): r.classes for r in rows if r.set is part} | {
        (macro.model, label): counts for label, counts in part.labels.items() if counts.pos and counts.neg
    }
    ranges = [
        whole_pairs(row.cells["auc"].value, classes.get((row.model, row.label), ClassCounts(None, None)))
        for row in own
    ]
    low, high = (sum(found[end] for found in ranges) / len(own) for end in (0, 1))
    if not printed.value.meets(low, high):
        yield Finding(
            "macro-mismatch", place(part.name, macro.model, macro.names["auc"]),
            f"{printed.value.text} is not the mean of the printed AUCs",
            f"The AUCs {', '.join(row.cells['auc'].value.text for row in own)} have a mean between {low:.4f} and "
            f"{high:.4f}; {printed.value.text} is printed.",
            "proven",
        )  # fmt: skip


def whole_pairs(printed: PrintedValue, classes: ClassCounts) -> tuple[float, float]:
    """Return the least and the greatest AUC that is printed so and a whole number of halves of the pairs.

    The printed range itself where the classes are not known, or no number of pairs fits.
    """
    if not classes.pos or not classes.neg or not printed.unit:
        return printed.low, printed.high
    halves = 2 * classes.pos * classes.neg
    first, last = math.ceil(printed.low * halves - 1e-6), math.floor(printed.high * halves + 1e-6)
    return (first / halves, last / halves) if first <= last else (printed.low, printed.high)


def _of_counts(part: PublishedSet, macro: PublishedRow, rows: list[SolvedRow]) -> list[Finding]:
    counts = []
    for label in part.labels:
        found = [r for r in rows if r.set is part and r.row.label == label and r.row.model == macro.model]
        if len(found) != 1 or found[0].counts is None or not found[0].counts.possible:
            return []
        counts.append(found[0].counts)
    judged = macro_possible(macro.cells, counts)
    if judged is None or not judged[0]:
        return []
    alone, together, ranges = judged
    repaired = any(
        r.set is part and r.row.model == macro.model and r.cells != dict(r.row.cells) for r in rows
    )  # fmt: skip
    basis = "the repaired rows of its labels" if repaired else "the rows of its labels"
    findings = [
        Finding(
            "macro-mismatch", place(part.name, macro.model, macro.names[metric]),
            f"{macro.cells[metric].value.text} does not follow from the labels",
            f"From {basis} the macro {macro.names[metric]} of {macro.model} is {_range(*ranges[metric])}; "
            f"{macro.cells[metric].value.text} is printed.",
            # 'Accuracy' of several labels has more meanings than can be told from the rows.
            "likely" if repaired or metric == "acc" else "proven",
        )
        for metric, possible in alone.items()
        if not possible and metric in ranges
    ]  # fmt: skip
    if not findings and not together:
        values = ", ".join(f"{macro.names[m]} {macro.cells[m].value.text}" for m in alone)
        findings.append(
            Finding(
                "macro-mismatch", place(part.name, macro.model),
                "the means over labels do not follow from one set of counts",
                f"Each of {values} is possible alone, but no counts that the labels' rows allow give them together.",
                "likely" if repaired else "proven",
            )
        )  # fmt: skip
    return findings


def _range(low: float, high: float) -> str:
    return f"{low:.4f}" if high - low < 5e-5 else f"between {low:.4f} and {high:.4f}"
