"""Numbers for running text, taken from the frames of an evaluation together with where they stand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from .number_format import count, interval, number, p_equation, percentage
from .traced_text import Fragment, Traced

__all__ = [
    "counted",
    "extreme",
    "traced_count",
    "traced_estimate",
    "traced_number",
    "traced_p",
    "traced_setting",
]

# The columns that identify a row, in the order in which a reader wants them.
_KEYS = (
    "set", "set_a", "set_b", "variable", "stratum", "stratum_a", "stratum_b", "label", "metric", "model", "model_a",
    "model_b", "cutoff", "method",
)  # fmt: skip


def traced_number(frame: str, row: pd.Series[Any], column: str, digits: int) -> Traced:
    """Return a value of a row with ``digits`` decimals."""
    return Traced(number(float(row[column]), digits), frame, column, _where(row))


def traced_count(frame: str, row: pd.Series[Any], column: str) -> Traced:
    """Return a number of patients of a row."""
    return Traced(count(float(row[column])), frame, column, _where(row))


def traced_percentage(frame: str, row: pd.Series[Any], column: str) -> Traced:
    """Return a fraction of a row as a whole percentage."""
    return Traced(percentage(float(row[column])), frame, column, _where(row))


def traced_p(frame: str, row: pd.Series[Any], column: str = "p_value") -> Traced:
    """Return ``p = 0.30`` of a row."""
    return Traced(p_equation(float(row[column])), frame, column, _where(row))


def traced_estimate(
    frame: str,
    row: pd.Series[Any],
    column: str,
    digits: int,
    *,
    prefix: str | None = None,
    level: str = "",
) -> list[Fragment]:
    """Return ``0.735 (0.618 to 0.853)`` of a row, with ``level`` (``95% CI``) before the interval.

    The interval is left out where it is undefined.
    """
    prefix = f"{column}_" if prefix is None else prefix
    low, high = f"{prefix}ci_low", f"{prefix}ci_high"
    value = traced_number(frame, row, column, digits)
    if pd.isna(row[low]) or pd.isna(row[high]):
        return [value]
    bounds = interval(float(row[low]), float(row[high]), digits)
    return [
        value,
        f" ({level} " if level else " (",
        Traced(bounds, frame, f"{low}, {high}", _where(row)),
        ")",
    ]


def traced_setting(settings: Mapping[str, Any], name: str, text: str | None = None) -> Traced:
    """Return a setting in force, printed as ``text`` where its own form will not do."""
    value = settings[name]
    return Traced(
        text if text is not None else f"{value:,}" if isinstance(value, int) else f"{value:g}",
        "settings",
        name,
    )


def counted(frame: str, rows: pd.DataFrame, column: str, **where: str) -> Traced:
    """Return the number of ``rows``, which ``where`` describes."""
    return Traced(count(len(rows)), frame, column, tuple(where.items()), "count")


def extreme(
    frame: str, rows: pd.DataFrame, column: str, which: str, digits: int | None, **where: str
) -> Traced:
    """Return the ``smallest`` or ``largest`` value of a column; as a p-value where ``digits`` is None."""
    values = rows[column].dropna()
    value = float(values.min() if which == "smallest" else values.max())
    text = p_equation(value) if digits is None else number(value, digits)
    return Traced(text, frame, column, tuple(where.items()), which)


def _where(row: pd.Series[Any]) -> tuple[tuple[str, str], ...]:
    return tuple((key, str(row[key])) for key in _KEYS if key in row)
