"""Values that are not in the middle of their printed interval, where those around them are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .finding import Finding
from .printed_interval import IntervalMatches, centred
from .printed_value import PrintedEstimate

__all__ = ["IntervalCell", "off_centre"]

ENOUGH_OTHERS, MOST = 4, 0.8


@dataclass(frozen=True, slots=True)
class IntervalCell:
    """A printed estimate with what its interval may have been computed on."""

    where: str
    name: str
    kind: str
    printed: PrintedEstimate
    own: IntervalMatches | None
    other: IntervalMatches | None
    own_words: str


def off_centre(cells: list[IntervalCell]) -> list[Finding]:
    """Report the values that are not in the middle of their interval where those of the same kind are.

    Parameters
    ----------
    cells : list of IntervalCell
        Of one kind, of all sets.
    """
    findings: list[Finding] = []
    if cells:
        told = [(cell, centred(cell.printed)) for cell in cells]
        told = [(cell, middle) for cell, middle in told if middle is not None]
        in_middle = sum(bool(middle) and _by_plain_formula(cell) for cell, middle in told)
        for cell, middle in told:
            low, high = cell.printed.ci_low, cell.printed.ci_high
            assert low is not None and high is not None
            if not cell.printed.value.meets(low.low, high.high):
                findings.append(
                    Finding(
                        "asymmetric-interval", cell.where, "the value lies outside its own interval",
                        f"The interval of {cell.name} {cell.printed} does not hold its value.", "proven",
                    )
                )  # fmt: skip
                continue
            others = len(told) - 1
            if middle or others < ENOUGH_OTHERS or in_middle < MOST * others:
                continue
            if cell.own is not None and cell.own.found:
                continue
            if not _told_apart(told):
                continue
            centre = (low.value + high.value) / 2.0
            repairs = _centring_digits(cell.printed)
            mended = f"; {' or '.join(repairs)} would put it there" if repairs else ""
            findings.append(
                Finding(
                    "asymmetric-interval", cell.where,
                    f"the interval is centred on {centre:.4g}, not on {cell.printed.value.text}",
                    f"{in_middle} of the {others} other intervals of this kind have their value in the middle; "
                    f"that of {cell.name} {cell.printed} is centred on {centre:.4g}{mended}.",
                    "likely",
                )
            )  # fmt: skip
    return findings


def _by_plain_formula(cell: IntervalCell) -> bool:
    """Whether a proportion's interval is the normal approximation's; another one is in the middle by chance only."""
    if cell.kind != "proportion":
        return True
    matches = [found for found in (cell.own, cell.other) if found is not None]
    return any(method == "wald" for found in matches for method, _ in found.found)


def _told_apart(told: list[tuple[IntervalCell, bool | None]]) -> bool:
    """Whether intervals in the middle are so by method: skewed ones would show at the printed digits."""
    skews = []
    for cell, _ in told:
        low, high = cell.printed.ci_low, cell.printed.ci_high
        assert low is not None and high is not None
        # The logit and Wilson intervals lean towards one half by about this much.
        half = (high.value - low.value) / 2.0
        lean = half**2 * abs(0.5 - cell.printed.value.value)
        skews.append(lean / cell.printed.value.unit)
    return float(np.median(skews)) > 1.0


def _centring_digits(printed: PrintedEstimate) -> list[str]:
    low, high = printed.ci_low, printed.ci_high
    assert low is not None and high is not None
    found = []
    for bound, name in ((low, "lower"), (high, "upper")):
        for value in bound.one_digit_off():
            trial = PrintedEstimate(
                printed.value, value if name == "lower" else low, value if name == "upper" else high
            )
            if centred(trial):
                found.append(f"{name} bound {value.text}")
    return found[:3]
