"""A frame as CSV: raw numbers at full precision, and text that no spreadsheet takes for a formula."""

from __future__ import annotations

import unicodedata
from typing import Any

import pandas as pd

__all__ = ["csv_text", "neutralised"]

# A spreadsheet evaluates a cell that begins with one of these, or with what its import strips or folds to one.
_STARTS_FORMULA = frozenset("=+-@\t\r\n")


def neutralised(text: str) -> str:
    """Return ``text`` with an apostrophe before it where a spreadsheet would take it for a formula.

    Full-width and other variants that fold to ``= + - @`` count as these, and so does white space before them.

    Examples
    --------
    >>> neutralised("=cmd|' /C calc'!A0"), neutralised("＝1+1"), neutralised("ER")
    ("'=cmd|' /C calc'!A0", "'＝1+1", 'ER')
    """
    folded = unicodedata.normalize("NFKC", text)
    dangerous = folded[:1] in _STARTS_FORMULA or folded.lstrip()[:1] in _STARTS_FORMULA
    return f"'{text}" if folded and dangerous else text


def csv_text(frame: pd.DataFrame) -> str:
    """Return a frame as CSV: commas, one header line, line feeds.

    Parameters
    ----------
    frame : pandas.DataFrame
        Of an evaluation.

    Returns
    -------
    str
        Numbers have the fewest digits that give the same number back; an undefined one is an empty cell, an
        infinite one ``inf``. Text is neutralised, in the header too; a negative number stays a number.

    Examples
    --------
    >>> print(csv_text(pd.DataFrame({"label": ["-ER", "PR"], "difference": [-0.5, float("nan")]})), end="")
    label,difference
    '-ER,-0.5
    PR,
    """
    safe = frame.rename(columns=lambda name: neutralised(str(name)))
    safe = safe.apply(lambda column: column.map(_safe) if not _is_numeric(column) else column)
    return str(safe.to_csv(index=False, lineterminator="\n"))


def _safe(value: Any) -> Any:
    return neutralised(value) if isinstance(value, str) else value


def _is_numeric(column: pd.Series[Any]) -> bool:
    return pd.api.types.is_numeric_dtype(column)
