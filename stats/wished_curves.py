"""The ROC curves of one model on all its labels, chosen together so that the printed means come out as well."""

from __future__ import annotations

from dataclasses import replace
from itertools import islice, product
from math import ceil, floor

import numpy as np
from scipy import special

from .macro_counts import label_combinations, macro_definitions
from .printed_interval import centred
from .printed_value import PrintedEstimate, PrintedValue
from .published_table import PublishedRow, PublishedSet, PublishedTable
from .rank_pattern import CurveWish, Pattern, PatternFit, search_pattern
from .solved_rows import SolvedRow

__all__ = ["search_curves"]

Range = tuple[float, float]
MOST_COUNTS, MOST_AREAS, MOST_SEARCHES, BINS = 20, 40, 40, 6


def search_curves(
    table: PublishedTable, part: PublishedSet, rows: list[SolvedRow], rng: np.random.Generator
) -> dict[str, Pattern]:
    """Search a pattern for each label of one model.

    Parameters
    ----------
    table : PublishedTable
    part : PublishedSet
    rows : list of SolvedRow
        Of this model in this set, with counts.
    rng : numpy.random.Generator

    Returns
    -------
    dict of label to pattern
        The best ones found; what they do not meet is for `agreement_with` to say.
    """
    z = float(special.ndtri(0.5 + table.confidence / 2.0))
    macro = next((m for m in part.macro if m.model == rows[0].row.model), None)
    whole = macro is not None and {row.row.label for row in rows} == set(part.labels)
    counts = _count_choices(rows, macro if whole else None)
    areas = _area_choices(rows, macro if whole else None)
    searched: dict[tuple[int, tuple[int, int], Range], PatternFit] = {}
    best: tuple[float, list[PatternFit], list[CurveWish]] | None = None
    for points, ranges in product(counts, areas):
        wishes = [_wish(row, point, area, z) for row, point, area in zip(rows, points, ranges, strict=True)]
        fits = []
        for k, wish in enumerate(wishes):
            key = (k, points[k], ranges[k])
            if key not in searched:
                searched[key] = search_pattern(wish, rng)
            fits.append(searched[key])
        cost = sum(fit.cost for fit in fits)
        if best is None or cost < best[0]:
            best = (cost, fits, wishes)
        if cost == 0.0 or len(searched) >= MOST_SEARCHES:
            break
    assert best is not None
    return {
        row.row.label: (fit if fit.cost == 0.0 else _lesser(wish, fit, rng)).pattern
        for row, fit, wish in zip(rows, best[1], best[2], strict=True)
    }


def _lesser(wish: CurveWish, fit: PatternFit, rng: np.random.Generator) -> PatternFit:
    """Give up what cannot be had together, the least first."""
    for lesser in (
        replace(wish, ci_high=None), replace(wish, ci_low=None), replace(wish, best_point=False),
        replace(wish, ci_low=None, ci_high=None), replace(wish, ci_low=None, ci_high=None, best_point=False),
    ):  # fmt: skip
        found = search_pattern(lesser, rng)
        if found.cost == 0.0:
            return found
    return fit


def _wish(row: SolvedRow, point: tuple[int, int], area: Range, z: float) -> CurveWish:
    assert row.counts is not None
    printed = row.row.cells.get("auc")
    low = high = None
    if printed is not None and printed.ci_low is not None and printed.ci_high is not None:
        low, high = _bound(printed.ci_low), _bound(printed.ci_high)
        if centred(printed) is False:
            high = None
    return CurveWish(row.counts.pos, row.counts.neg, area, low, high, z, point, row.set.youden)


def _bound(printed: PrintedValue) -> Range:
    # A bound is cut at 0 and 1.
    return -np.inf if printed.low <= 0.0 else printed.low, np.inf if printed.high >= 1.0 else printed.high


def _count_choices(rows: list[SolvedRow], macro: PublishedRow | None) -> list[list[tuple[int, int]]]:
    """Choose counts of the rows, those that give the most of the printed means first."""
    solved = [row.counts for row in rows if row.counts is not None]
    combination = label_combinations(solved)
    if combination is None or macro is None:
        each = (zip(c.tp.astype(int), c.tn.astype(int), strict=True) for c in solved)
        return [[(int(tp), int(tn)) for tp, tn in points] for points in islice(product(*each), MOST_COUNTS)]
    given = np.zeros(combination[0].shape[1])
    for metric, cell in macro.cells.items():
        if definitions := macro_definitions(metric, combination):
            given += np.any([cell.value.fits(values) for values in definitions.values()], axis=0)
    first = np.argsort(-given, kind="stable")[:MOST_COUNTS]
    return [
        [(int(counts[0, at]), int(counts[2, at])) for counts in combination]
        for at in first
        if given[at] == given[first[0]]
    ]


def _area_choices(rows: list[SolvedRow], macro: PublishedRow | None) -> list[list[Range]]:
    """Choose AUCs of the rows as ranges around whole numbers of pairs, those whose mean is printed first."""
    bins = [_bins(row.row.cells.get("auc"), row) for row in rows]
    choices = list(islice(product(*bins), 5000))

    def from_middle(choice: tuple[Range, ...]) -> float:
        return sum(
            abs(sum(area) - sum(own[0]) / 2 - sum(own[-1]) / 2)
            for area, own in zip(choice, bins, strict=True)
        )

    choices.sort(key=from_middle)
    if macro is not None and "auc" in macro.cells:
        wished = macro.cells["auc"].value
        k = len(rows)
        fitting = [
            choice for choice in choices
            if sum(a[0] for a in choice) / k >= wished.low and sum(a[1] for a in choice) / k <= wished.high
        ]  # fmt: skip
        choices = fitting or choices
    return [list(choice) for choice in choices[:MOST_AREAS]]


def _bins(printed: PrintedEstimate | None, row: SolvedRow) -> list[Range]:
    assert row.counts is not None
    if printed is None:
        return [(0.0, 1.0)]
    pairs = row.counts.pos * row.counts.neg
    low, high = max(printed.value.low, 0.0), min(printed.value.high, 1.0)
    first, last = ceil(low * pairs - 1e-6), floor(high * pairs + 1e-6)
    if last < first:
        return [(low, high)]
    slack = 0.25 / pairs
    return [
        (max(int(whole[0]) / pairs - slack, low), min(int(whole[-1]) / pairs + slack, high))
        for whole in np.array_split(np.arange(first, last + 1), min(BINS, last - first + 1))
    ]
