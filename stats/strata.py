"""Strata of patients: by thresholds of a number, by the values of a category, by several at once."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise, product

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import BiomarkError
from .results import Result

__all__ = ["Strata", "cross_strata", "stratify"]


@dataclass(frozen=True, slots=True)
class Strata(Result):
    """Patients divided into strata.

    Attributes
    ----------
    names : tuple of str
    codes : array of shape (n,)
        Index into ``names``; -1 where the value is missing.
    rule : str
        How they were divided.
    """

    names: tuple[str, ...]
    codes: NDArray[np.intp]
    rule: str


def stratify(values: ArrayLike, *, thresholds: ArrayLike | None = None, unit: str = "") -> Strata:
    """Divide patients by thresholds of a number, or by the values of a category.

    Parameters
    ----------
    values : array of shape (n,)
        Numbers where thresholds are given, else anything that can be told apart; NaN, ``None`` or an empty
        string is missing.
    thresholds : number or array of numbers, optional
        A value equal to a threshold belongs to the stratum below it.
    unit : str
        Written into the names, for instance "mm".

    Returns
    -------
    Strata
        Ordered by value; every stratum of the thresholds is there, an empty one included.

    Raises
    ------
    BiomarkError
        For values that are no numbers where thresholds are given.

    Examples
    --------
    >>> stratify([8.0, 15.0, 22.0, float("nan")], thresholds=15, unit="mm")
    Strata(names=('≤ 15 mm', '> 15 mm'), codes=array([ 0,  0,  1, -1]), rule='by value, thresholds 15 mm')
    >>> stratify(["dense", "fatty", ""]).names
    ('dense', 'fatty')
    """
    if thresholds is None:
        texts = ["" if _absent(value) else str(value) for value in np.asarray(values, dtype=object).tolist()]
        names = tuple(sorted(set(texts) - {""}, key=_number_first))
        place = {name: k for k, name in enumerate(names)} | {"": -1}
        return Strata(names, np.array([place[text] for text in texts], dtype=np.intp), "by category")
    try:
        numbers = np.asarray(values, dtype=np.float64)
    except (TypeError, ValueError):
        raise BiomarkError("values must be numbers where thresholds are given") from None
    edges = np.unique(np.atleast_1d(np.asarray(thresholds, dtype=np.float64)))
    if edges.size == 0 or not np.isfinite(edges).all():
        raise BiomarkError("thresholds must be finite numbers")
    suffix = f" {unit}" if unit else ""
    shown = [f"{edge:g}" for edge in edges]
    names = (
        f"≤ {shown[0]}{suffix}",
        *(f"> {low} to {high}{suffix}" for low, high in pairwise(shown)),
        f"> {shown[-1]}{suffix}",
    )
    codes = np.where(np.isnan(numbers), -1, np.searchsorted(edges, numbers, side="left"))
    return Strata(names, codes.astype(np.intp), f"by value, thresholds {', '.join(shown)}{suffix}")


def cross_strata(*strata: Strata) -> Strata:
    """Divide patients by several variables at once: one stratum for each combination.

    Parameters
    ----------
    strata : Strata of the same patients, two or more

    Returns
    -------
    Strata
        Every combination of names is there, an empty one included, the last variable changing fastest; who is
        missing in one is missing.

    Raises
    ------
    BiomarkError
        For fewer than two, or different numbers of patients.

    Examples
    --------
    >>> size, density = stratify([8, 22, 30], thresholds=15), stratify(["fatty", "dense", "fatty"])
    >>> both = cross_strata(size, density)
    >>> both.names
    ('≤ 15, dense', '≤ 15, fatty', '> 15, dense', '> 15, fatty')
    >>> both.codes.tolist()
    [1, 2, 3]
    """
    if len(strata) < 2 or len({part.codes.size for part in strata}) > 1:
        sizes = ", ".join(str(part.codes.size) for part in strata) or "none"
        raise BiomarkError(f"strata must be two or more of the same patients, found {sizes}")
    codes = np.zeros(strata[0].codes.size, dtype=np.intp)
    missing = np.zeros(codes.size, dtype=bool)
    for part in strata:
        codes = codes * len(part.names) + part.codes
        missing |= part.codes < 0
    names = tuple(", ".join(names) for names in product(*(part.names for part in strata)))
    return Strata(names, np.where(missing, -1, codes), " and ".join(part.rule for part in strata))


def _number_first(text: str) -> tuple[float, str]:
    """Order names that are numbers by value, the others behind them by letter."""
    try:
        return float(text), text
    except ValueError:
        return float("inf"), text


def _absent(value: object) -> bool:
    return value is None or value == "" or (isinstance(value, float) and np.isnan(value))
