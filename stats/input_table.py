"""A table as a user gave it, before anybody trusts it, and the list of what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from numpy.typing import NDArray

from ..errors import BiomarkError, InputFileError, Problem
from .input_file import shown_name

__all__ = ["InputTable", "ProblemList", "shown", "table_from_frame"]

MOST_COLUMNS = 10_000
MOST_ROWS = 200_000_000


@dataclass(frozen=True, slots=True)
class InputTable:
    """Columns of equal length, and where each row stands in the file.

    Attributes
    ----------
    columns : mapping
        Arrow arrays by name; text files give text alone. A frame's columns stay pandas series. Those of Parquet are
        read each time they are asked for.
    rows : array of shape (n,), int64
        Row of the file as a spreadsheet counts it (the header is row 1); for a frame the position from 0.
    header_row : int or None
        Where the names stand in a text file.
    """

    columns: Mapping[str, Any]
    rows: NDArray[np.int64]
    header_row: int | None = None


class ProblemList:
    """Collects problems: all are counted, and the first of each kind are kept for the message.

    Parameters
    ----------
    name : str
        The file, as the user named it.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.total = 0
        self.order: dict[str, int] = {}
        self._kept: list[tuple[tuple[int, int], Problem]] = []

    def add(self, message: str, *, row: int | None = None, column: str | None = None) -> None:
        """Note one problem."""
        self.total += 1
        place = (-1 if row is None else row, self.order.get(column or "", -1))
        self._kept.append((place, Problem(message, row, None if column is None else shortened(column))))

    def add_rows(
        self,
        at: NDArray[np.intp],
        rows: NDArray[np.int64],
        column: str,
        message: Callable[[int], str],
    ) -> None:
        """Note a problem at each of the positions ``at``; ``message`` says what is wrong at a position."""
        for position in at[: InputFileError.shown].tolist():
            self.add(message(position), row=int(rows[position]), column=column)
        self.total += max(0, at.size - InputFileError.shown)

    def raise_if_any(self) -> None:
        """Raise InputFileError with the first problems in the order of the file, if there is any."""
        if self.total:
            self._kept.sort(key=lambda item: item[0])
            first = [problem for _, problem in self._kept[: InputFileError.shown]]
            raise InputFileError(shown_name(self.name), first, total=self.total)


def shown(value: object) -> str:
    """Return a value from a file in quotes, shortened, with control characters made visible."""
    return repr(shortened(str(value)))


def shortened(text: str, most: int = 40) -> str:
    """Return the text, or its beginning and an ellipsis."""
    return text if len(text) <= most else text[: most - 1] + "…"


def listed(names: Sequence[str], most: int = 20) -> str:
    """Return names in quotes for a message, the first ``most`` of them."""
    more = f" and {len(names) - most:,} more" if len(names) > most else ""
    return ", ".join(shown(name) for name in names[:most]) + more


def named_columns(names: Sequence[str], problems: ProblemList, *, row: int | None) -> dict[str, int]:
    """Return the position of each column by its name without surrounding blanks.

    A column without a name (the index that pandas writes, a delimiter at the end of every row) is left out; a
    name that occurs twice is a problem.
    """
    positions: dict[str, int] = {}
    seen: dict[str, list[int]] = {}
    for position, name in enumerate(name.strip() for name in names):
        if name and not name.startswith("__index_level_"):
            positions.setdefault(name, position)
            seen.setdefault(name, []).append(position + 1)
    problems.order = positions
    for name, places in seen.items():
        if len(places) > 1:
            where = " and ".join(str(place) for place in places[:5])
            problems.add(f"the name stands over columns {where}; each must be unique", row=row, column=name)
    return positions


def table_from_frame(frame: pd.DataFrame, problems: ProblemList) -> InputTable:
    """Take the columns of a pandas frame, which is left as it is; the index plays no part."""
    if not isinstance(frame, pd.DataFrame):
        raise BiomarkError(f"expected a pandas DataFrame, found {type(frame).__name__}")
    positions = named_columns([str(name) for name in frame.columns], problems, row=None)
    columns = {name: frame.iloc[:, at].reset_index(drop=True) for name, at in positions.items()}
    return InputTable(columns, np.arange(len(frame), dtype=np.int64))


def as_arrow(column: Any) -> Any:
    """Return a column as an Arrow array, missing values as nulls; values of mixed kinds as text."""
    if not isinstance(column, pd.Series):
        return column
    try:
        return pa.Array.from_pandas(column)
    except (pa.ArrowException, UnicodeEncodeError, TypeError, ValueError, OverflowError):
        return pa.array([None if _is_missing(value) else _text(value) for value in column], pa.large_string())


def _is_missing(value: object) -> bool:
    return value is None or value is pd.NA or value is pd.NaT or value != value


def _text(value: object) -> str:
    # A lone surrogate is no character; shown as its escape it is refused or carried like any other text.
    return str(value).encode("utf-8", "backslashreplace").decode()


def first_line(error: BaseException) -> str:
    """Return the first line of what an error says, shortened."""
    return shortened((str(error).strip() or type(error).__name__).splitlines()[0], 120)
