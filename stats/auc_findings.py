"""AUCs and their intervals that the class counts or the operating point do not allow."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from scipy import stats

from .auc_bounds import auc_range_at, delong_variance_bounds
from .finding import Finding, place
from .printed_interval import centred
from .printed_value import PrintedEstimate
from .published_table import ClassCounts, PublishedRow, PublishedSet, PublishedTable
from .solved_rows import SolvedRow

__all__ = ["auc_findings"]

NARROWER, WIDER = 0.75, 1.1


def auc_findings(table: PublishedTable, rows: list[SolvedRow]) -> list[Finding]:
    """Hold every printed AUC and its interval against the class counts and the row's operating point.

    Parameters
    ----------
    table : PublishedTable
    rows : list of SolvedRow
        From `solved_rows`, repaired by `count_findings`.

    Returns
    -------
    list of Finding
        ``invalid-interval-method`` for intervals that are too wide or too narrow for DeLong's, and
        ``impossible-counts`` for AUCs that no curve through the operating point has, or no whole number of
        pairs gives.

    Notes
    -----
    A bootstrap's interval is as wide as DeLong's but for its own noise and for the patients counted instead of the
    patients less one; scores with few values are narrower than scores without ties. Widths are called impossible
    only beyond the room that these leave (see `NARROWER`, `WIDER`).
    """
    widths = [found for part in table.sets for found in _widths(part, rows, table.confidence)]
    pairs = [found for part in table.sets for found in _pairs(part, rows)]
    return [*widths, *_operating_points(rows), *pairs]


def _widths(part: PublishedSet, rows: list[SolvedRow], confidence: float) -> Iterator[Finding]:
    z = float(stats.norm.ppf(0.5 + confidence / 2.0))
    for row in part.rows:
        printed = row.cells.get("auc")
        classes = _classes(part, row, rows)
        where = place(part.name, row.model, row.label, row.names.get("auc", "auc"))
        if printed is None or printed.ci_low is None or printed.ci_high is None:
            continue
        if classes is None or classes.pos is None or classes.neg is None or min(classes.pos, classes.neg) < 2:
            continue
        if not centred(printed):
            continue
        least = min(delong_variance_bounds(a, classes.pos, classes.neg)[0] for a in _ends(printed))
        greatest = max(delong_variance_bounds(a, classes.pos, classes.neg)[1] for a in _ends(printed))
        widest = (printed.ci_high.high - printed.ci_low.low) / 2.0
        narrowest = (printed.ci_high.low - printed.ci_low.high) / 2.0
        facts = f"{classes.pos} positives and {classes.neg} negatives"
        if widest < NARROWER * z * least**0.5:
            yield Finding(
                "invalid-interval-method", where, "narrower than any DeLong interval of untied scores",
                f"With {facts} the half-width of DeLong's interval of AUC {printed.value.text} is at least "
                f"{z * least**0.5:.4f} where scores do not tie; the printed interval {printed} has at most "
                f"{widest:.4f}.",
                "worth asking",
            )  # fmt: skip
        elif narrowest > WIDER * z * greatest**0.5:
            yield Finding(
                "invalid-interval-method", where, "wider than any DeLong interval",
                f"With {facts} the half-width of DeLong's interval of AUC {printed.value.text} is at most "
                f"{z * greatest**0.5:.4f}; the printed interval {printed} has {narrowest:.4f} at least.",
                "likely",
            )  # fmt: skip


def _ends(printed: PrintedEstimate) -> list[float]:
    return [
        float(np.clip(end, 0.0, 1.0)) for end in (printed.value.low, printed.value.value, printed.value.high)
    ]


def _operating_points(rows: list[SolvedRow]) -> Iterator[Finding]:
    for row in rows:
        printed = row.row.cells.get("auc")
        if printed is None or row.counts is None or not row.counts.possible:
            continue
        assert row.classes.pos is not None and row.classes.neg is not None
        ranges = [
            auc_range_at(tp / row.counts.pos, tn / row.counts.neg, best=row.set.youden)
            for tp, tn in zip(row.counts.tp, row.counts.tn, strict=True)
            if row.counts.pos and row.counts.neg
        ]
        if not ranges:
            continue
        low, high = min(r[0] for r in ranges), max(r[1] for r in ranges)
        if not printed.value.meets(low, high):
            yield Finding(
                "impossible-counts", row.where("auc"), "no ROC curve through the operating point has this AUC",
                f"Every ROC curve {'with' if row.set.youden else 'through'} the operating point of {row.says()}"
                f"{' as its largest Youden index' if row.set.youden else ''} has an AUC between {low:.3f} and "
                f"{high:.3f}; {printed.value.text} is printed.",
                "proven",
            )  # fmt: skip


def _pairs(part: PublishedSet, rows: list[SolvedRow]) -> Iterator[Finding]:
    for row in part.rows:
        printed, classes = row.cells.get("auc"), _classes(part, row, rows)
        if printed is None or classes is None or not classes.pos or not classes.neg or not printed.value.unit:
            continue
        # A pair counts 0, one half or 1.
        halves = 2 * classes.pos * classes.neg
        if np.floor(printed.value.high * halves + 1e-6) < np.ceil(printed.value.low * halves - 1e-6):
            yield Finding(
                "impossible-counts", place(part.name, row.model, row.label, row.names["auc"]),
                "no number of pairs gives this AUC",
                f"With {classes.pos} positives and {classes.neg} negatives an AUC is a whole number of halves "
                f"of {halves // 2} pairs; none gives {printed.value.text}.",
                "proven",
            )  # fmt: skip


def _classes(part: PublishedSet, row: PublishedRow, rows: list[SolvedRow]) -> ClassCounts | None:
    """Return the classes of a row, deduced where they are not printed."""
    solved = next((r for r in rows if r.row is row), None)
    return solved.classes if solved is not None else part.labels.get(row.label)
