"""One characteristic of the patients: what kind it is, and how it is summed up and compared between groups."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import stats

from ..errors import BiomarkError
from .group_tests import GroupTest, categorical_group_test, mean_group_test, rank_group_test
from .results import FloatArray, Result
from .standardized_difference import standardized_categorical_difference, standardized_mean_difference

__all__ = ["KINDS", "Characteristic", "characteristic_of"]

KINDS = ("mean", "median", "categorical")
# A text with more values than this names patients, it does not characterise them.
MOST_LEVELS = 50
# Few whole numbers, each of several patients, are codes (a grade of 1 to 4) or counts that are read like them.
MOST_CODES, PATIENTS_PER_CODE = 5, 4
# Of the values within groups; beyond it a mean and its standard deviation describe few patients well.
MOST_SKEW = 1.0


@dataclass(frozen=True, slots=True)
class Characteristic(Result):
    """A characteristic by group; g groups, then all patients together as the last entry of each array.

    Attributes
    ----------
    name : str
    kind : "mean", "median", "categorical", or "" where it cannot be summed up
    rule : str
        Why it is of this kind.
    n, n_missing : arrays of shape (g + 1,)
        Patients whose value is known, and is not.
    mean, sd, median, q1, q3 : arrays of shape (g + 1,)
        Of a continuous characteristic, whichever ``kind`` names first; NaN of others and of empty groups. Quartiles
        interpolate linearly (R's type 7).
    levels : tuple of str
        Of a categorical one; else empty.
    counts : array of shape (levels, g + 1)
    test : GroupTest
        Between the g groups, of the patients whose value is known.
    smd : float
        Standardised difference, absolute; of more than two groups the largest between any two.
    smd_between : tuple of str
        Which two.
    note : str
        What is undefined, and why.
    """

    name: str
    kind: str
    rule: str
    n: NDArray[np.int64]
    n_missing: NDArray[np.int64]
    mean: FloatArray
    sd: FloatArray
    median: FloatArray
    q1: FloatArray
    q3: FloatArray
    levels: tuple[str, ...]
    counts: NDArray[np.int64]
    test: GroupTest
    smd: float
    smd_between: tuple[str, ...]
    note: str


def characteristic_of(
    values: pd.Series[Any], codes: NDArray[np.intp], groups: tuple[str, ...], kind: str | None
) -> Characteristic:
    """Sum up one column by group.

    Parameters
    ----------
    values : series of length n
    codes : array of shape (n,)
        Group of each patient, 0..g-1.
    groups : tuple of str
    kind : one of ``KINDS``, or None to decide by the values
    """
    name = str(values.name)
    known = values.notna().to_numpy()
    each = [codes == code for code in range(len(groups))] + [np.ones(codes.size, dtype=bool)]
    n = np.array([np.count_nonzero(known & of) for of in each])
    n_missing = np.array([np.count_nonzero(~known & of) for of in each])
    held, of_held = values[known], codes[known]
    found, rule = (kind, "as given") if kind is not None else _kind(held, of_held)
    levels: tuple[str, ...] = ()
    counts = np.empty((0, len(each)), dtype=np.int64)
    summaries = np.full((5, len(each)), np.nan)
    test, smd = _no_test(""), float("nan")
    between: tuple[str, ...] = ()
    if found == "categorical":
        levels, counts = _levels(held, of_held, len(groups))
        if len(levels) > MOST_LEVELS:
            found, rule = "", f"{len(levels):,} different values, too many for levels"
            levels, counts = (), counts[:0]
        else:
            test = categorical_group_test(counts[:, :-1]) if levels else _no_test("no value is known")
            smd, between = _largest(
                groups, lambda a, b: standardized_categorical_difference(counts[:, a], counts[:, b])
            )
    elif found:
        number = _numbers(held, name)
        parts = [number[of_held == code] for code in range(len(groups))]
        summaries = np.array([_summary(part) for part in (*parts, number)]).T
        test = (mean_group_test if found == "mean" else rank_group_test)(parts)
        smd, between = _largest(groups, lambda a, b: abs(standardized_mean_difference(parts[a], parts[b])))
    mean, sd, median, q1, q3 = summaries
    return Characteristic(
        name=name, kind=found, rule=rule, n=n, n_missing=n_missing, mean=mean, sd=sd, median=median, q1=q1, q3=q3,
        levels=levels, counts=counts, test=test, smd=smd, smd_between=between,
        note=test.note if found else f"not summed up: {rule}",
    )  # fmt: skip


def _kind(held: pd.Series[Any], codes: NDArray[np.intp]) -> tuple[str, str]:
    kind = held.dtype
    if pd.api.types.is_datetime64_any_dtype(kind) or pd.api.types.is_timedelta64_dtype(kind):
        return "", "dates and durations have no summary"
    if not pd.api.types.is_numeric_dtype(kind) or pd.api.types.is_bool_dtype(kind):
        return "categorical", "no number"
    number = held.to_numpy(dtype=np.float64)
    values = np.unique(number)
    if values.size <= 2:
        return "categorical", "at most two values"
    if (
        values.size <= MOST_CODES
        and values.size * PATIENTS_PER_CODE <= number.size
        and (values % 1 == 0).all()
    ):
        return "categorical", f"whole numbers, at most {MOST_CODES} of them"
    if not np.isfinite(number).all():
        # Refused where it is summed up, with the value.
        return "mean", "number"
    _, place = np.unique(codes, return_inverse=True)
    residual = number - (np.bincount(place, weights=number) / np.bincount(place))[place]
    spread = float(np.ptp(residual))
    skew = abs(float(stats.skew(residual / spread))) if spread > 0.0 else 0.0
    side = ">" if skew > MOST_SKEW else "<="
    return "median" if skew > MOST_SKEW else "mean", f"absolute skewness {skew:.2f} {side} {MOST_SKEW:g}"


def _numbers(held: pd.Series[Any], name: str) -> FloatArray:
    try:
        number = held.to_numpy(dtype=np.float64)
    except (TypeError, ValueError):
        raise BiomarkError(f"column {name!r} must hold numbers to have a mean or a median") from None
    if not np.isfinite(number).all():
        raise BiomarkError(
            f"column {name!r} must hold finite numbers, found {number[~np.isfinite(number)][0]}"
        )
    return number


def _levels(
    held: pd.Series[Any], codes: NDArray[np.intp], g: int
) -> tuple[tuple[str, ...], NDArray[np.int64]]:
    """Levels in their own order, with counts by group and in all."""
    if isinstance(held.dtype, pd.CategoricalDtype):
        levels = [str(level) for level in held.dtype.categories]
        place = held.cat.codes.to_numpy()
    else:
        plain = held if pd.api.types.is_numeric_dtype(held.dtype) else held.map(str)
        place, values = pd.factorize(plain, sort=True)
        levels = [_shown(value) for value in values]
    counts = np.zeros((len(levels), g + 1), dtype=np.int64)
    np.add.at(counts, (place, codes), 1)
    counts[:, -1] = counts.sum(axis=1)
    seen = counts[:, -1] > 0
    return tuple(np.array(levels, dtype=object)[seen]), counts[seen]


def _shown(value: Any) -> str:
    number = isinstance(value, (float, np.floating)) and float(value).is_integer()
    return f"{value:.0f}" if number else str(value)


def _summary(values: FloatArray) -> tuple[float, float, float, float, float]:
    if values.size == 0:
        return np.nan, np.nan, np.nan, np.nan, np.nan
    q1, median, q3 = np.quantile(values, [0.25, 0.5, 0.75])
    sd = float(values.std(ddof=1)) if values.size > 1 else np.nan
    return float(values.mean()), sd, float(median), float(q1), float(q3)


def _largest(groups: tuple[str, ...], of: Callable[[int, int], float]) -> tuple[float, tuple[str, ...]]:
    """Return the largest difference between two groups; NaN where no two can be compared."""
    found: tuple[float, tuple[str, ...]] = (float("nan"), ())
    for a in range(len(groups)):
        for b in range(a + 1, len(groups)):
            value = of(a, b)
            if not np.isnan(value) and not value <= found[0]:
                found = float(value), (groups[a], groups[b])
    return found


def _no_test(note: str) -> GroupTest:
    return GroupTest("", np.nan, np.nan, np.nan, np.nan, note)
