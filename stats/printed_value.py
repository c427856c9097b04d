"""A number as a paper prints it, with the range of numbers that would be printed so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import BiomarkError

__all__ = ["PrintedEstimate", "PrintedValue", "printed_value"]

_PRINTED = re.compile(r"([<>]=?)?(-?)(\d+)(?:\.(\d+))?(%)?")
# Lancet's raised point, the typographic minus and the signs for 'at most' and 'at least'.
_TYPOGRAPHY = str.maketrans({"·": ".", "−": "-", "–": "-"})
# Room for the rounding errors of our own arithmetic, far below any printed digit.
_SLACK = 1e-9


@dataclass(frozen=True, slots=True)
class PrintedValue:
    """A printed number.

    Attributes
    ----------
    text : str
        As printed.
    value : float
        A percentage as a fraction.
    low, high : float
        Every number in this closed range may have been printed so: half a unit of the last digit to either
        side, so that rounding half up, half down and half to even are all allowed.
    unit : float
        Worth of the last digit; 0 where only a bound is printed (``< 0.001``).
    """

    text: str
    value: float
    low: float
    high: float
    unit: float

    def fits(self, numbers: ArrayLike) -> NDArray[np.bool_]:
        """Whether each number could have been printed so; NaN never could."""
        array = np.asarray(numbers, dtype=np.float64)
        with np.errstate(invalid="ignore"):
            return np.asarray((array >= self.low - _SLACK) & (array <= self.high + _SLACK))

    def meets(self, low: float, high: float) -> bool:
        """Whether some number between ``low`` and ``high`` could have been printed so."""
        return low <= self.high + _SLACK and high >= self.low - _SLACK

    def cut_off(self) -> PrintedValue:
        """Return the same figure read as cut off after its last digit, not rounded to it."""
        low, high = (
            (self.value, self.value + self.unit)
            if self.value >= 0.0
            else (self.value - self.unit, self.value)
        )
        return replace(self, low=low, high=high) if self.unit else self

    def either_way(self) -> PrintedValue:
        """Return the same figure read as rounded to its last digit or cut off after it."""
        cut = self.cut_off()
        return replace(self, low=min(self.low, cut.low), high=max(self.high, cut.high))

    def one_digit_off(self) -> Iterator[PrintedValue]:
        """Yield what would stand here but for one wrong digit or two neighbours exchanged."""
        places = [at for at, character in enumerate(self.text) if character.isdigit()]
        texts = [
            self.text[:at] + digit + self.text[at + 1 :]
            for at in places
            for digit in "0123456789"
            if digit != self.text[at]
        ]
        for a, b in pairwise(places):
            swapped = list(self.text)
            swapped[a], swapped[b] = swapped[b], swapped[a]
            texts.append("".join(swapped))
        for text in dict.fromkeys(texts):
            if text != self.text:
                value = printed_value(text)
                yield value.cut_off() if self.unit and self.low == self.value else value


@dataclass(frozen=True, slots=True)
class PrintedEstimate:
    """A printed value, with the bounds of its interval where they are printed."""

    value: PrintedValue
    ci_low: PrintedValue | None = None
    ci_high: PrintedValue | None = None

    def __str__(self) -> str:
        if self.ci_low is None or self.ci_high is None:
            return self.value.text
        return f"{self.value.text} ({self.ci_low.text} to {self.ci_high.text})"


def printed_value(text: Any) -> PrintedValue:
    """Read a number as printed: ``0.735``, ``73.5%``, ``<0.001``, ``68``.

    Parameters
    ----------
    text : str

    Raises
    ------
    BiomarkError
        If it is no such text. A number that YAML has already read is refused, since its last zeros are lost;
        a whole number has none to lose.

    Examples
    --------
    >>> printed_value("0.750").low, printed_value("0.750").high
    (0.7495, 0.7505)
    >>> [value.text for value in printed_value("12").one_digit_off()][-3:]
    ['18', '19', '21']
    """
    if isinstance(text, int) and not isinstance(text, bool):
        text = str(text)
    if not isinstance(text, str):
        raise BiomarkError(
            f"found {text!r}; write the figure as printed, in quotes, so that its decimals are known"
        )
    match = _PRINTED.fullmatch(re.sub(r"\s", "", text.strip().translate(_TYPOGRAPHY)))
    if match is None:
        raise BiomarkError(f"found {text!r}; expected a printed number such as '0.735', '<0.001' or '68'")
    bound, sign, whole, decimals, percent = match.groups()
    scale = 0.01 if percent else 1.0
    places = len(decimals or "")
    # Through a whole number, so that 0.7495 comes out as the nearest double to it.
    digits = int(whole + (decimals or "")) * (-1 if sign else 1)
    divisor = 10**places * (100 if percent else 1)
    value = digits / divisor
    if bound:
        low, high = (-np.inf, value) if bound.startswith("<") else (value, np.inf)
        return PrintedValue(text, value, low, high, 0.0)
    return PrintedValue(
        text, value, (2 * digits - 1) / (2 * divisor), (2 * digits + 1) / (2 * divisor), scale / 10**places
    )
