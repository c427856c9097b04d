"""What makes one cut-off better than another: the criteria, for one curve or for many replicates at once."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..errors import BiomarkError
from .inputs import choice
from .results import FloatArray

__all__ = ["CRITERIA", "TIES", "CutoffCriterion"]

CRITERIA = ("youden", "closest-topleft", "min-sensitivity", "min-specificity", "cost")
TIES = ("sensitivity", "specificity")


@dataclass(frozen=True, slots=True)
class CutoffCriterion:
    """A criterion with its settings, checked once.

    Attributes
    ----------
    name : str
        One of ``CRITERIA``.
    minimum : float or None
        Least sensitivity or specificity of the two ``min-`` criteria.
    cost_ratio : float
    prevalence : float or None
        By default that of the patients judged, in a replicate that of the replicate.
    ties : str
        Among equally good cut-offs the lowest ("sensitivity") or the highest ("specificity").
    """

    name: str = "youden"
    minimum: float | None = None
    cost_ratio: float = 1.0
    prevalence: float | None = None
    ties: str = "sensitivity"

    def __post_init__(self) -> None:
        choice(self.name, CRITERIA, name="criterion")
        choice(self.ties, TIES, name="ties")
        if self.name.startswith("min-") and (self.minimum is None or not 0.0 <= self.minimum <= 1.0):
            raise BiomarkError(
                f"criterion {self.name!r} needs minimum between 0 and 1, found {self.minimum!r}"
            )
        if not 0.0 < self.cost_ratio < np.inf:
            raise BiomarkError(f"cost_ratio must be positive, found {self.cost_ratio!r}")
        if self.prevalence is not None and not 0.0 < self.prevalence < 1.0:
            raise BiomarkError(f"prevalence must lie strictly between 0 and 1, found {self.prevalence!r}")

    def best(
        self, tp: FloatArray, tn: FloatArray, *, offered: NDArray[np.bool_] | None = None
    ) -> NDArray[np.bool_]:
        """Mark every cut-off that is best, ties included.

        Parameters
        ----------
        tp, tn : arrays of shape (b, k), whole numbers
            True positives and true negatives of b curves at k cut-offs, among which must be those that call
            everybody and nobody positive.
        offered : boolean array of shape (b, k), optional
            Cut-offs that may be chosen; by default all.

        Returns
        -------
        boolean array of shape (b, k)

        Notes
        -----
        The Youden index and the two minima are compared as whole numbers of patients, so that rounding never
        decides; the other two count as equal what differs by rounding alone.
        """
        allowed = np.ones(tp.shape, dtype=bool) if offered is None else offered
        n_pos, n_neg = tp.max(axis=1, keepdims=True), tn.max(axis=1, keepdims=True)
        if self.name == "youden":
            return _largest(tp * n_neg + tn * n_pos, allowed)
        if self.name.startswith("min-"):
            return self._constrained(tp, tn, n_pos, n_neg, allowed)
        with np.errstate(invalid="ignore", divide="ignore"):
            missed, false_alarms = 1.0 - tp / n_pos, 1.0 - tn / n_neg
            if self.name == "closest-topleft":
                return _smallest_close(missed**2 + false_alarms**2, allowed)
            share = n_pos / (n_pos + n_neg) if self.prevalence is None else self.prevalence
            weight = self.cost_ratio * (1.0 - share) / share
        return _smallest_close(missed + weight * false_alarms, allowed)

    def _constrained(
        self, tp: FloatArray, tn: FloatArray, n_pos: FloatArray, n_neg: FloatArray, offered: NDArray[np.bool_]
    ) -> NDArray[np.bool_]:
        kept, total, other = (tp, n_pos, tn) if self.name == "min-sensitivity" else (tn, n_neg, tp)
        # The smallest count that reaches the minimum; a hair of slack, so that 0.9 of 10 is 9.
        least = np.ceil(float(self.minimum or 0.0) * total - 1e-9)
        within = _largest(other, offered & (kept >= least))
        return _largest(kept, within)


def _largest(goodness: FloatArray, allowed: NDArray[np.bool_]) -> NDArray[np.bool_]:
    offered = np.where(allowed, goodness, -1.0)
    return np.asarray(allowed & (offered == offered.max(axis=1, keepdims=True)))


def _smallest_close(badness: FloatArray, allowed: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Mark the minimum; values that differ by rounding alone count as equal."""
    offered = np.where(allowed, badness, np.inf)
    least = offered.min(axis=1, keepdims=True)
    return np.asarray(offered <= least + 8.0 * np.finfo(np.float64).eps * np.maximum(1.0, least))
