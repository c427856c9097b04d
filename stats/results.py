"""What every function of ``stats`` returns: small frozen records that carry their own origin."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["Estimate", "FloatArray", "Result", "plain"]

FloatArray = NDArray[np.float64]


def plain(value: Any) -> Any:
    """Turn a result into what JSON knows: dictionaries, lists, strings, numbers, booleans, ``None``.

    NaN becomes ``None``, because JSON has no NaN and an undefined statistic is an absent one; infinities
    become the strings ``"Infinity"`` and ``"-Infinity"``, because an infinite threshold or ratio is a value.
    """
    if isinstance(value, Result):
        return value.to_dict()
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return None if np.isnan(value) else ("Infinity" if value > 0 else "-Infinity")
    return value


def _shown(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, np.ndarray):
        return f"array of shape {value.shape}"
    if isinstance(value, Estimate):
        return f"{value.value:.6g} ({value.ci_low:.6g} to {value.ci_high:.6g}), {value.method}"
    return str(value)


@dataclass(frozen=True, slots=True)
class Result:
    """Base of the results: ``to_dict()`` for scripts, a readable ``print`` for people."""

    def to_dict(self) -> dict[str, Any]:
        """Return the fields as a plain dictionary that ``json`` can write."""
        return {field.name: plain(getattr(self, field.name)) for field in fields(self)}

    def __str__(self) -> str:
        names = [field.name for field in fields(self)]
        width = max((len(name) for name in names), default=0)
        rows = [f"  {name:<{width}}  {_shown(getattr(self, name))}" for name in names]
        return "\n".join([type(self).__name__, *rows])


@dataclass(frozen=True, slots=True)
class Estimate(Result):
    """A value with its interval.

    Attributes
    ----------
    value : float
        The estimate; NaN where it is undefined (a denominator of zero).
    ci_low, ci_high : float
        Bounds of the interval; NaN where it is undefined.
    confidence : float
        Level of the interval, for instance 0.95.
    method : str
        How the interval was made.
    """

    value: float
    ci_low: float
    ci_high: float
    confidence: float
    method: str
