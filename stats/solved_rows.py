"""Each printed row with the whole numbers of patients that it allows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from .finding import place
from .printed_counts import COUNTED, RowCounts, row_counts
from .printed_value import PrintedEstimate
from .published_table import ClassCounts, PublishedRow, PublishedSet, PublishedTable

__all__ = ["Cells", "SolvedRow", "solved_rows"]

# Sets in which class counts that are not printed are searched.
LARGEST_DEDUCED = 2000
Cells = Mapping[str, PrintedEstimate]


@dataclass(slots=True)
class SolvedRow:
    """A printed row with the counts that it allows, after repair where one is needed.

    Attributes
    ----------
    set : PublishedSet
    row : PublishedRow
    classes : ClassCounts
        Printed, or deduced from the rows.
    deduced : bool
    counts : RowCounts or None
        None where they cannot be searched.
    """

    set: PublishedSet
    row: PublishedRow
    classes: ClassCounts
    deduced: bool
    counts: RowCounts | None
    cells: dict[str, PrintedEstimate] = field(default_factory=dict)

    @property
    def impossible(self) -> bool:
        """Whether the row was searched in vain."""
        return self.counts is not None and not self.counts.possible

    def where(self, metric: str = "") -> str:
        """Place of the row, or of one of its cells under the paper's name."""
        return place(self.set.name, self.row.model, self.row.label, self.row.names.get(metric, metric))

    def try_cells(self, cells: Cells) -> RowCounts | None:
        """Search the counts that other cells would allow."""
        assert self.classes.pos is not None and self.classes.neg is not None
        return row_counts(cells, self.classes.pos, self.classes.neg)

    def says(self) -> str:
        """Return the classes and the printed values as words."""
        values = ", ".join(
            f"{self.row.names[m]} {self.cells[m].value.text}" for m in self.cells if m in COUNTED
        )
        deduced = " (deduced)" if self.deduced else ""
        return f"{self.classes.pos} positives and {self.classes.neg} negatives{deduced}, {values}"

    def fractions(self, counts: RowCounts) -> str:
        """Return the counts of the first solution as words."""
        return f"TP {counts.tp[0]:.0f} of {counts.pos}, TN {counts.tn[0]:.0f} of {counts.neg}"

    @property
    def certain(self) -> bool:
        """Whether the row is impossible even without values that have several definitions.

        An F1, and what is called precision or recall, may have been averaged over both classes.
        """
        plain = {m: cell for m, cell in self.cells.items() if self._has_one_meaning(m)}
        counts = self.try_cells(plain)
        return counts is not None and not counts.possible

    def _has_one_meaning(self, metric: str) -> bool:
        return metric != "f1" and self.row.names.get(metric, "").lower() not in ("precision", "recall")


def solved_rows(table: PublishedTable) -> list[SolvedRow]:
    """Search the counts of every row whose classes are printed or can be deduced.

    Parameters
    ----------
    table : PublishedTable

    Returns
    -------
    list of SolvedRow
    """
    return [solved for part in table.sets for solved in _solved_rows(part)]


def _solved_rows(part: PublishedSet) -> Iterator[SolvedRow]:
    for label, classes in part.labels.items():
        rows = [row for row in part.rows if row.label == label and any(m in COUNTED for m in row.cells)]
        deduced = classes.pos is None or classes.neg is None
        if deduced:
            found = _deduced_classes(rows, part.size)
            if found is None:
                continue
            classes = found
        assert classes.pos is not None and classes.neg is not None
        for row in rows:
            counts = row_counts(row.cells, classes.pos, classes.neg)
            yield SolvedRow(part, row, classes, deduced, counts, dict(row.cells))


def _deduced_classes(rows: list[PublishedRow], n: int | None) -> ClassCounts | None:
    """Return the only class counts that suit the most rows, where at least one row decides."""
    if n is None or n > LARGEST_DEDUCED or not rows:
        return None
    suits: dict[int, int] = {}
    for pos in range(1, n):
        found = [row_counts(row.cells, pos, n - pos) for row in rows]
        suits[pos] = sum(counts is not None and counts.possible for counts in found)
    most = max(suits.values(), default=0)
    best = [pos for pos, number in suits.items() if number == most]
    return ClassCounts(best[0], n - best[0]) if most > 0 and len(best) == 1 else None
