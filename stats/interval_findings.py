"""Printed intervals that were computed on the wrong patients, or by the wrong method."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Iterator

import numpy as np

from .asymmetry_findings import IntervalCell, off_centre
from .finding import Finding, place
from .printed_interval import IntervalMatches, binomial_matches, chance_of_agreement, whole_shares
from .printed_value import PrintedEstimate
from .published_table import PublishedSet, PublishedTable
from .solved_rows import SolvedRow

__all__ = ["interval_findings"]

PROPORTIONS = ("acc", "sen", "spec", "ppv", "npv")
# Coincidences rarer than this are reported, rarer than the second as proven.
LIKELY, PROVEN = 1e-3, 1e-6
# Numbers of patients as near as this (their logarithms) are not told apart: a method that is not tried here differs
# from those that are by as much.
NEAR = 0.15
# A width beyond these shares of the narrowest and the widest of the usual ones on the right patients comes from
# something else altogether, whose bounds may lie anywhere: agreement with a wrong candidate is then rarer by FAR.
WIDTH_ROOM, FAR = (0.85, 1.2), 0.4
METHOD_WORDS = {
    "wald": "the normal approximation",
    "wilson": "Wilson's formula",
    "clopper-pearson": "the exact binomial formula",
    "agresti-coull": "Agresti and Coull's formula",
    "jeffreys": "Jeffreys' formula",
}


def interval_findings(table: PublishedTable, rows: list[SolvedRow]) -> list[Finding]:
    """Judge every printed interval.

    Parameters
    ----------
    table : PublishedTable
    rows : list of SolvedRow
        From `solved_rows`, repaired by `count_findings`.

    Returns
    -------
    list of Finding
        ``wrong-denominator``, ``invalid-interval-method`` and ``asymmetric-interval``.

    Notes
    -----
    An interval that some method gives on the right patients is never called wrong. Agreement with a wrong
    candidate is reported only where coincidence is out of the question: the chance that a candidate agrees
    with so many of the set's intervals, given the printed digits, is below 1 in 1,000.
    """
    findings: list[Finding] = []
    every: dict[str, list[IntervalCell]] = {"proportion": [], "mean": [], "auc": []}
    for part in table.sets:
        cells = list(_proportion_cells(part, rows, table.confidence))
        means = list(_mean_cells(part, table.confidence))
        aucs = list(_auc_cells(part, rows, table.confidence))
        findings += _denominators(part, cells)
        findings += _binomial(
            part, means, "a mean over labels is no proportion of patients; resample whole patients"
        )
        findings += _binomial(part, aucs, "an AUC is no proportion of patients; use DeLong's variance")
        for cell in (*cells, *means, *aucs):
            every[cell.kind].append(cell)
    return findings + [finding for kind in every.values() for finding in off_centre(kind)]


def _proportion_cells(part: PublishedSet, rows: list[SolvedRow], confidence: float) -> Iterator[IntervalCell]:
    for row in rows:
        if row.set is not part:
            continue
        pos, neg = row.classes.pos or 0, row.classes.neg or 0
        called = None
        if row.counts is not None and row.counts.possible:
            called = row.counts.tp + row.counts.neg - row.counts.tn
        own: dict[str, dict[str, float]] = {
            "acc": {"all": pos + neg}, "sen": {"positives": pos}, "spec": {"negatives": neg},
        }  # fmt: skip
        if called is not None:
            own["ppv"] = {f"called positive {k:g}": float(k) for k in np.unique(called)}
            own["npv"] = {f"called negative {k:g}": float(pos + neg - k) for k in np.unique(called)}
        wrong = {"all": float(pos + neg), "positives": float(pos), "negatives": float(neg)}
        for metric, printed in row.row.cells.items():
            if metric not in PROPORTIONS or metric not in own:
                continue
            right = own[metric]
            shares = [share for n in right.values() for share in whole_shares(printed, n)]
            others = {
                name: n
                for name, n in wrong.items()
                if all(abs(math.log(n / own_n)) > NEAR for own_n in right.values() if n and own_n)
            }
            yield IntervalCell(
                row.where(metric), row.row.names[metric], "proportion", printed,
                _with_mended(row.cells[metric], printed, right, confidence),
                binomial_matches(printed, others, confidence, shares=shares),
                _patients(metric, pos, neg),
            )  # fmt: skip


def _with_mended(
    mended: PrintedEstimate, printed: PrintedEstimate, right: dict[str, float], confidence: float
) -> IntervalMatches | None:
    """Match the printed interval on the right patients, around the printed value or the one that repairs the row."""
    found = None
    for value in dict.fromkeys((printed.value, mended.value)):
        trial = PrintedEstimate(value, printed.ci_low, printed.ci_high)
        shares = [share for n in right.values() for share in whole_shares(trial, n)]
        found = binomial_matches(trial, right, confidence, shares=shares)
        if found is not None and found.found:
            break
    return found


def _patients(metric: str, pos: int, neg: int) -> str:
    return {
        "acc": f"all {pos + neg} patients", "sen": f"the {pos} positives", "spec": f"the {neg} negatives",
        "ppv": "those called positive", "npv": "those called negative",
    }[metric]  # fmt: skip


def _mean_cells(part: PublishedSet, confidence: float) -> Iterator[IntervalCell]:
    n = part.size
    if n is None:
        return
    wrong = {"all": float(n), "labels": float(n * max(1, len(part.labels)))}
    for row in part.macro:
        for metric, printed in row.cells.items():
            yield IntervalCell(
                place(part.name, row.model, row.label, row.names[metric]), row.names[metric], "mean", printed,
                None, binomial_matches(printed, wrong, confidence), "",
            )  # fmt: skip


def _auc_cells(part: PublishedSet, rows: list[SolvedRow], confidence: float) -> Iterator[IntervalCell]:
    for row in part.rows:
        printed = row.cells.get("auc")
        if printed is None:
            continue
        solved = next((r for r in rows if r.row is row), None)
        classes = solved.classes if solved is not None else part.labels.get(row.label)
        wrong: dict[str, float] = {}
        if classes is not None and classes.pos is not None and classes.neg is not None:
            wrong = {"all": classes.pos + classes.neg, "positives": classes.pos, "negatives": classes.neg}
        elif part.size is not None:
            wrong = {"all": part.size}
        yield IntervalCell(
            place(part.name, row.model, row.label, row.names["auc"]), row.names["auc"], "auc", printed,
            None, binomial_matches(printed, wrong, confidence), "",
        )  # fmt: skip


def _denominators(part: PublishedSet, cells: list[IntervalCell]) -> list[Finding]:
    open_cells = [cell for cell in cells if cell.own is not None and not cell.own.found]
    return _agreeing(
        open_cells,
        "wrong-denominator",
        lambda cell, method, on: (
            f"its interval was computed on {_words(part, on)}, not on {cell.own_words}",
            f"{METHOD_WORDS[method]} on {_words(part, on)} gives the printed interval of {cell.name} {cell.printed}",
            f"no usual method gives it on {cell.own_words}",
        ),
    )


def _binomial(part: PublishedSet, cells: list[IntervalCell], why: str) -> list[Finding]:
    return _agreeing(
        cells,
        "invalid-interval-method",
        lambda cell, method, on: (
            f"its interval is that of a proportion of {_words(part, on)}",
            f"{METHOD_WORDS[method]} for a proportion of {_words(part, on)} gives the printed interval of "
            f"{cell.name} {cell.printed}",
            why,
        ),
    )


def _words(part: PublishedSet, on: str) -> str:
    return {"all": f"all {part.size} patients", "labels": "all patients times all labels"}.get(
        on, f"the {on}"
    )


def _agreeing(
    cells: list[IntervalCell], kind: str, say: Callable[[IntervalCell, str, str], tuple[str, str, str]]
) -> list[Finding]:
    """Report the cells that agree with one wrong candidate too often for coincidence, candidate by candidate."""
    judged = [cell for cell in cells if cell.other is not None]
    findings: list[Finding] = []
    while judged:
        agreeing: dict[tuple[str, str], list[IntervalCell]] = defaultdict(list)
        for cell in judged:
            assert cell.other is not None
            for candidate in cell.other.found:
                agreeing[candidate].append(cell)
        if not agreeing:
            break
        candidate, found = max(
            agreeing.items(), key=lambda item: (len(item[1]), item[0][0] == "wald", item[0])
        )
        tried = [cell.other for cell in judged if cell.other is not None]
        chance = chance_of_agreement(
            len(found),
            len(judged),
            float(np.mean([_chance(cell) for cell in judged])),
            max(t.n_candidates for t in tried),
        )
        if chance > LIKELY:
            break
        for cell in found:
            message, evidence, why = say(cell, *candidate)
            others = (
                f", as it gives those of {len(found) - 1} other cells of this set" if len(found) > 1 else ""
            )
            findings.append(
                Finding(
                    kind, cell.where, message,
                    f"{evidence[0].upper()}{evidence[1:]}{others}; {why} (chance of such agreement {_small(chance)}).",
                    "proven" if chance < PROVEN else "likely",
                )
            )  # fmt: skip
        judged = [cell for cell in judged if cell not in found]
    return findings


def _chance(cell: IntervalCell) -> float:
    """Chance that one cell agrees with a candidate; less where its width is one that no method gives on its own."""
    assert cell.other is not None and cell.printed.ci_low is not None and cell.printed.ci_high is not None
    if cell.own is None or cell.own.widths is None:
        return cell.other.chance
    width = cell.printed.ci_high.value - cell.printed.ci_low.value
    unit = cell.printed.ci_low.unit
    narrowest, widest = cell.own.widths
    if width + unit < WIDTH_ROOM[0] * narrowest or width - unit > WIDTH_ROOM[1] * widest:
        return cell.other.chance * FAR
    return cell.other.chance


def _small(chance: float) -> str:
    return "below 1 in a million" if chance < 1e-6 else f"about {chance:.1g}"
