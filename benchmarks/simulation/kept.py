"""Intervals and p-values of the data sets of a cell, by name, and what they come to."""

from __future__ import annotations

from typing import Any

import numpy as np
from vectorised import LEVEL, coverage


class Kept:
    """What each data set gave."""

    def __init__(self) -> None:
        self._bounds: dict[str, list[tuple[float, float]]] = {}
        self._p_values: dict[str, list[float]] = {}
        self._held: dict[str, list[float]] = {}

    @property
    def intervals(self) -> list[str]:
        """Names of those whose truth is known beforehand."""
        return list(self._bounds)

    @property
    def data_sets(self) -> int:
        """How many have been judged."""
        return max((len(values) for values in self._held.values()), default=0)

    def interval(self, name: str, found: Any) -> None:
        self.bounds(name, found.ci_low, found.ci_high)

    def bounds(self, name: str, low: float, high: float) -> None:
        self._bounds.setdefault(name, []).append((low, high))

    def test(self, name: str, p_value: float) -> None:
        self._p_values.setdefault(name, []).append(p_value)

    def held(self, name: str, inside: bool) -> None:
        """For bounds whose truth is another in each data set."""
        self._held.setdefault(name, []).append(float(inside))

    def nothing(self, name: str) -> None:
        self._held.setdefault(name, []).append(float("nan"))

    def summary(self, truths: dict[str, float]) -> dict:
        """Coverage among the defined, and the share of those without an interval; level of the tests."""
        found: dict[str, dict[str, float]] = {}
        for name, pairs in self._bounds.items():
            low, high = np.array(pairs, dtype=float).T
            defined = ~(np.isnan(low) | np.isnan(high))
            found[name] = coverage((low[defined], high[defined]), truths[name]) if defined.any() else {}
            found[name]["undefined"] = round(1.0 - float(defined.mean()), 5)
        for name, values in self._held.items():
            inside = np.array(values)
            known = ~np.isnan(inside)
            found[name] = {"coverage": round(float(inside[known].mean()), 5)} if known.any() else {}
            found[name]["undefined"] = round(1.0 - float(known.mean()), 5)
        for name, values in self._p_values.items():
            p = np.array(values, dtype=float)
            found[name] = {
                "level": round(float((np.nan_to_num(p, nan=1.0) <= LEVEL).mean()), 5),
                "undefined": round(float(np.isnan(p).mean()), 5),
            }
        return found
