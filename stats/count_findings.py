"""Rows whose printed values come from no whole numbers of patients, and the smallest change that would mend them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

from .finding import Finding
from .macro_counts import macro_possible
from .printed_counts import COUNTED, RowCounts, alone_possible
from .printed_value import PrintedEstimate
from .solved_rows import Cells, SolvedRow

__all__ = ["count_findings"]


def count_findings(rows: list[SolvedRow]) -> list[Finding]:
    """Explain the rows that no whole numbers of patients give.

    Parameters
    ----------
    rows : list of SolvedRow
        From `solved_rows`. Rows that can be repaired hold the repaired cells and their counts afterwards; where the
        repair is open, no counts.

    Returns
    -------
    list of Finding
        ``swapped-rows``, ``misprint`` or ``impossible-counts``.

    Notes
    -----
    Repairs are tried from the least to the most: two printed values exchanged that mend two rows at once, two
    exchanged within a row, one wrong digit. A digit can be blamed on several cells; it is blamed on one only
    if that cell alone fits no whole number, or if the means over labels or the cell's own interval decide.
    """
    findings = _exchanged_between_rows(rows)
    for row in rows:
        if row.impossible:
            findings += _exchanged_within(row) or [_wrong_digit(row, rows)]
    return findings


def _exchanged_between_rows(rows: list[SolvedRow]) -> list[Finding]:
    findings: list[Finding] = []
    # Pairs of the same set first, then of the same label.
    pairs = sorted(
        combinations(range(len(rows)), 2),
        key=lambda pair: _distance(rows[pair[0]], rows[pair[1]]),
    )
    for a, b in pairs:
        first, second = rows[a], rows[b]
        if not (first.impossible and second.impossible):
            continue
        exchanges = list(_exchanges(first, second))
        if not exchanges:
            continue
        metric, (mended_first, counts_first), (mended_second, counts_second) = exchanges[0]
        certain = len(exchanges) == 1 and first.certain and second.certain
        also = "".join(f"; so do the two values of {first.row.names[m]}" for m, *_ in exchanges[1:])
        said = (first.says(), second.says())
        texts = (first.cells[metric].value.text, second.cells[metric].value.text)
        for row, other, text, other_text in (
            (first, second, texts[0], texts[1]),
            (second, first, texts[1], texts[0]),
        ):
            findings.append(
                Finding(
                    "swapped-rows", row.where(metric),
                    f"{text} and {other_text} of {other.where(metric)} are exchanged",
                    f"No whole numbers of patients give {said[0]} ({first.where()}), nor {said[1]} "
                    f"({second.where()}); with {texts[0]} and {texts[1]} exchanged both rows fit "
                    f"({first.fractions(counts_first)}; {second.fractions(counts_second)}){also}.",
                    "proven" if certain else "likely",
                )
            )  # fmt: skip
        first.cells, second.cells = mended_first, mended_second
        first.counts, second.counts = counts_first, counts_second
    return findings


_Mended = tuple[dict[str, PrintedEstimate], RowCounts]


def _exchanges(first: SolvedRow, second: SolvedRow) -> Iterator[tuple[str, _Mended, _Mended]]:
    """Yield the metrics whose two values, exchanged, mend both rows."""
    for metric in first.cells:
        if metric not in COUNTED or metric not in second.cells:
            continue
        mended_first = {**first.cells, metric: second.cells[metric]}
        mended_second = {**second.cells, metric: first.cells[metric]}
        counts_first, counts_second = first.try_cells(mended_first), second.try_cells(mended_second)
        if counts_first and counts_first.possible and counts_second and counts_second.possible:
            yield metric, (mended_first, counts_first), (mended_second, counts_second)


def _distance(first: SolvedRow, second: SolvedRow) -> tuple[bool, bool]:
    return first.set is not second.set, first.row.label != second.row.label


def _exchanged_within(row: SolvedRow) -> list[Finding]:
    metrics = [metric for metric in row.cells if metric in COUNTED]
    for a, b in combinations(metrics, 2):
        if not _comparable(a, b):
            continue
        mended = {**row.cells, a: row.cells[b], b: row.cells[a]}
        counts = row.try_cells(mended)
        if counts is not None and counts.possible:
            evidence = (
                f"No whole numbers of patients give {row.says()}; with {row.row.names[a]} and {row.row.names[b]} "
                f"exchanged they do ({row.fractions(counts)})."
            )
            findings = [
                Finding(
                    "swapped-rows", row.where(metric),
                    f"{row.row.names[a]} and {row.row.names[b]} are exchanged", evidence, "likely",
                )
                for metric in (a, b)
            ]  # fmt: skip
            row.cells, row.counts = mended, counts
            return findings
    return []


def _comparable(a: str, b: str) -> bool:
    ratios = ("lr+", "lr-", "dor")
    return (a in ratios) == (b in ratios)


@dataclass(frozen=True, slots=True)
class _Repair:
    metric: str
    text: str
    cells: Cells
    counts: RowCounts


def _wrong_digit(row: SolvedRow, rows: list[SolvedRow]) -> Finding:
    assert row.classes.pos is not None and row.classes.neg is not None
    certain = row.certain
    metrics = [metric for metric in row.cells if metric in COUNTED]
    alone = [
        metric
        for metric in metrics
        if not alone_possible(metric, row.cells[metric].value, row.classes.pos, row.classes.neg)
    ]
    repairs = list(_repairs(row, alone if len(alone) == 1 else metrics if not alone else []))
    # With a cell that fits nothing by itself, the evidence names it; else the other tables decide.
    for decide in (_suits_macro, _suits_interval):
        if len({repair.metric for repair in repairs}) > 1:
            decided = [repair for repair in repairs if decide(repair, row, rows)]
            repairs = decided or repairs
    blamed = {repair.metric for repair in repairs}
    impossible = f"No whole numbers of patients give {row.says()}"
    if len(blamed) == 1:
        metric = blamed.pop()
        texts = sorted({repair.text for repair in repairs})
        if len(repairs) > 1 and len(texts) > 1:
            decided = [repair for repair in repairs if _suits_macro(repair, row, rows)]
            repairs = decided or repairs
            texts = sorted({repair.text for repair in repairs})
        printed = row.cells[metric].value.text
        row.cells, row.counts = dict(repairs[0].cells), repairs[0].counts if len(texts) == 1 else None
        return Finding(
            "misprint", row.where(metric), f"{printed} cannot be; {' or '.join(texts)} would fit",
            f"{impossible}; {row.row.names[metric]} {' or '.join(texts)} in place of {printed} makes the row fit "
            f"({row.fractions(repairs[0].counts)}).",
            "proven" if alone and certain else "likely",
        )  # fmt: skip
    row.counts = None
    culprit = (
        f"; {row.row.names[alone[0]]} {row.cells[alone[0]].value.text} fits none even alone" if alone else ""
    )
    if blamed:
        candidates = sorted(
            {f"{row.row.names[r.metric]} {r.text}" for r in repairs}, key=lambda text: (text.split()[0], text)
        )
        shown = ", ".join(candidates[:6]) + (", ..." if len(candidates) > 6 else "")
        culprit += f"; one digit of several cells could be wrong ({shown})"
    where = row.where(alone[0]) if len(alone) == 1 else row.where()
    return Finding(
        "impossible-counts",
        where,
        "no whole numbers of patients give these values",
        f"{impossible}{culprit}.",
        "proven" if certain else "likely",
    )


def _repairs(row: SolvedRow, metrics: list[str]) -> Iterator[_Repair]:
    for metric in metrics:
        printed = row.cells[metric]
        for value in printed.value.one_digit_off():
            cells = {**row.cells, metric: PrintedEstimate(value, printed.ci_low, printed.ci_high)}
            counts = row.try_cells(cells)
            if counts is not None and counts.possible:
                yield _Repair(metric, value.text, cells, counts)


def _suits_macro(repair: _Repair, row: SolvedRow, rows: list[SolvedRow]) -> bool:
    """Whether the repaired counts give the printed means over labels of the same model."""
    for macro in row.set.macro:
        if macro.model != row.row.model:
            continue
        labels: list[RowCounts] = []
        for label in row.set.labels:
            if label == row.row.label:
                labels.append(repair.counts)
                continue
            others = [
                r for r in rows if r.set is row.set and r.row.model == macro.model and r.row.label == label
            ]
            if len(others) != 1 or others[0].counts is None or not others[0].counts.possible:
                return False
            labels.append(others[0].counts)
        found = macro_possible(macro.cells, labels)
        if found is not None and found[0]:
            return found[1]
    return False


def _suits_interval(repair: _Repair, row: SolvedRow, rows: list[SolvedRow]) -> bool:
    """Whether the cell's interval is centred on the repaired value and not on the printed one."""
    printed, mended = row.cells[repair.metric], repair.cells[repair.metric].value
    if printed.ci_low is None or printed.ci_high is None:
        return False
    centre_low, centre_high = (
        (printed.ci_low.low + printed.ci_high.low) / 2,
        (printed.ci_low.high + printed.ci_high.high) / 2,
    )
    return mended.meets(centre_low, centre_high) and not printed.value.meets(centre_low, centre_high)
