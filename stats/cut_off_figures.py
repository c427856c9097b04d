"""A published table read as if its figures were cut off after their last digit, and not rounded to it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass, replace
from typing import Any, cast

from .printed_value import PrintedValue
from .published_table import PublishedTable

__all__ = ["as_cut_off"]


def as_cut_off(table: PublishedTable) -> PublishedTable:
    """Return the table with every printed figure standing for the numbers that would be cut off to it.

    Parameters
    ----------
    table : PublishedTable

    Returns
    -------
    PublishedTable
    """
    cut = cast(PublishedTable, _read(table, PrintedValue.cut_off))
    # Other tables of a paper come from other programs: there either way is allowed.
    return replace(cut, baseline=_read(table.baseline, PrintedValue.either_way))


def _read(part: Any, way: Callable[[PrintedValue], PrintedValue]) -> Any:
    if isinstance(part, PrintedValue):
        return way(part)
    if is_dataclass(part) and not isinstance(part, type):
        return replace(part, **{item.name: _read(getattr(part, item.name), way) for item in fields(part)})
    if isinstance(part, tuple):
        return tuple(_read(item, way) for item in part)
    if isinstance(part, dict):
        return {key: _read(item, way) for key, item in part.items()}
    return part
