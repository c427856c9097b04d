"""What a cut-off chosen on the same patients yields: less its optimism, with an interval."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .accuracy_intervals import square_and_add
from .effective_size import wilson_at_effective_size
from .rechosen_cutoff import Replicates, Yield
from .results import Estimate, FloatArray

__all__ = ["CHOSEN_INTERVALS", "Denominators", "chosen_yield"]

CHOSEN_INTERVALS = ("wilson", "shifted", "percentile")


class Denominators(NamedTuple):
    """Rows, and independent patients or clusters, behind each proportion."""

    sensitivity: tuple[int, int]
    specificity: tuple[int, int]
    accuracy: tuple[int, int]

    @classmethod
    def of(cls, positive: NDArray[np.bool_], cluster: NDArray[np.intp] | None) -> Denominators:
        """Count them; ``cluster`` holds codes, or is None where every row is a patient."""
        of_class = (positive, ~positive, np.ones(positive.size, dtype=bool))
        rows = [int(np.count_nonzero(chosen)) for chosen in of_class]
        if cluster is None:
            return cls(*((n, n) for n in rows))
        return cls(*((n, np.unique(cluster[chosen]).size) for n, chosen in zip(rows, of_class, strict=True)))


def chosen_yield(
    apparent: Yield, drawn: Replicates, denominators: Denominators, *, interval: str, confidence: float
) -> dict[str, tuple[float, Estimate]]:
    """Return the optimism of every measure, and its estimate.

    Parameters
    ----------
    apparent : Yield of arrays of shape (1,)
    drawn : Replicates
    denominators : Denominators
    interval : one of CHOSEN_INTERVALS
        As in `cutoff_ci`.
    confidence : float in (0, 1)
    """
    found: dict[str, tuple[float, Estimate]] = {}
    # The index last, as it is made of two others.
    for name in ("sensitivity", "specificity", "accuracy", "youden"):
        value, here = float(getattr(apparent, name)[0]), getattr(drawn.here, name)
        if here.size == 0:
            why = "undefined: no replicate has both classes"
            found[name] = (np.nan, Estimate(value, np.nan, np.nan, confidence, why))
            continue
        excess = here - getattr(drawn.in_the_data, name)
        optimism = float(excess.mean())
        if interval != "wilson":
            estimate = _percentiles(value, here, optimism, name, interval, confidence)
        elif name == "youden":
            rates = (found[part][1] for part in ("sensitivity", "specificity"))
            estimate = square_and_add(*rates, weight=1.0, offset=-1.0)
        else:
            estimate = _wilson(value - optimism, excess, getattr(denominators, name), confidence)
        found[name] = (optimism, estimate)
    return {name: found[name] for name in Yield._fields}


def _wilson(value: float, excess: FloatArray, size: tuple[int, int], confidence: float) -> Estimate:
    value = float(np.clip(value, 0.0, 1.0))
    low, high = wilson_at_effective_size(value, value, excess.var(), *size, confidence)
    return Estimate(value, float(low), float(high), confidence, "wilson, less the optimism, by its variance")


def _percentiles(
    value: float, here: FloatArray, optimism: float, name: str, interval: str, confidence: float
) -> Estimate:
    low, high = np.quantile(here, [0.5 - confidence / 2.0, 0.5 + confidence / 2.0])
    if interval == "percentile":
        return Estimate(value, float(low), float(high), confidence, "bootstrap-percentile, not corrected")
    least = -1.0 if name == "youden" else 0.0
    value, low, high = (float(np.clip(bound - optimism, least, 1.0)) for bound in (value, low, high))
    return Estimate(value, low, high, confidence, f"bootstrap-percentile less the optimism {optimism:.4g}")
