"""A table of the page as a plain grid, for what has neither HTML's spans nor its drawings."""

from __future__ import annotations

from dataclasses import dataclass

from .page_table import Cell, Table

__all__ = ["Grid", "GridGroup", "grid"]


@dataclass(frozen=True, slots=True)
class GridGroup:
    """Rows under a common heading; every row has one cell per column.

    A cell that continues the one above it, which spans both rows, is None.
    """

    heading: str
    rows: list[list[Cell | None]]


@dataclass(frozen=True, slots=True)
class Grid:
    """A table without spans.

    Attributes
    ----------
    titles : list of str
        Of the columns.
    numeric : list of bool
        Whether a column is set to the right.
    groups : list of GridGroup
    """

    titles: list[str]
    numeric: list[bool]
    groups: list[GridGroup]


def grid(table: Table) -> Grid:
    """Return the cells of a table by row and column, without columns that hold drawings only.

    Parameters
    ----------
    table : Table

    Returns
    -------
    Grid
        Groups without rows are left out.
    """
    groups = [GridGroup(group.heading, _unfolded(group.rows)) for group in table.groups if group.rows]
    rows = [row for group in groups for row in group.rows]
    kept = [
        at
        for at, column in enumerate(table.columns)
        if not column.drawing
        or any(cell is not None and (cell.text or cell.sub) for cell in _column(rows, at))
    ]
    return Grid(
        [table.columns[at].title for at in kept],
        [table.columns[at].numeric for at in kept],
        [GridGroup(group.heading, [[row[at] for at in kept] for row in group.rows]) for group in groups],
    )


def _unfolded(rows: list[list[Cell]]) -> list[list[Cell | None]]:
    """Put None where a cell from above reaches."""
    reach: dict[int, int] = {}
    grid_rows: list[list[Cell | None]] = []
    for row in rows:
        line: list[Cell | None] = []
        waiting = iter(row)
        while True:
            at = len(line)
            if reach.get(at, 0):
                reach[at] -= 1
                line.append(None)
                continue
            cell = next(waiting, None)
            if cell is None:
                break
            reach[at] = cell.rows - 1
            line.append(cell)
        grid_rows.append(line)
    return grid_rows


def _column(rows: list[list[Cell | None]], at: int) -> list[Cell | None]:
    return [row[at] for row in rows]
