"""True and false positives at many thresholds, tallied once for kinds of patients, so that resampling is counting."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from ..errors import BiomarkError
from .results import FloatArray

__all__ = ["DecisionTally", "decision_thresholds"]

# Numbers that one chunk of replicates may hold.
CHUNK_CELLS = 2**22


def decision_thresholds(thresholds: ArrayLike | None) -> FloatArray:
    """Return threshold probabilities as float64 of shape (t,), each in [0, 1); by default 0.01, 0.02, ..., 0.99."""
    if thresholds is None:
        return np.arange(1, 100) / 100.0
    try:
        at = np.atleast_1d(np.asarray(thresholds, dtype=np.float64))
    except (TypeError, ValueError):
        raise BiomarkError(f"thresholds must be numbers, found {thresholds!r}") from None
    if at.ndim != 1 or at.size == 0:
        raise BiomarkError(
            f"thresholds must have one dimension and at least one value, found shape {at.shape}"
        )
    wrong = ~((at >= 0.0) & (at < 1.0))
    if wrong.any():
        raise BiomarkError(
            f"thresholds must be probabilities in [0, 1), where harms can be weighed; found {at[np.argmax(wrong)]:g}"
        )
    return at


@dataclass(frozen=True, slots=True)
class DecisionTally:
    """What each resampling unit adds to the counts.

    Without clusters a unit is a kind of patients: same outcome, and the same calls at all thresholds by all models.
    With clusters it is a cluster.

    Attributes
    ----------
    times : array of shape (u,)
        How many patients (or clusters) are of this unit.
    n, n_pos : arrays of shape (u,)
        Patients and positives of one such.
    tp, fp : arrays of shape (models, u, t)
        True and false positives of one such, by model and threshold; positive is ``y_prob >= threshold``.
    """

    times: FloatArray
    n: FloatArray
    n_pos: FloatArray
    tp: FloatArray
    fp: FloatArray

    @classmethod
    def of(
        cls,
        positive: NDArray[np.bool_],
        probs: list[FloatArray],
        thresholds: FloatArray,
        cluster: NDArray[np.intp] | None,
    ) -> DecisionTally:
        """Tally patients, their predictions by one or several models, and optionally their clusters."""
        ascending = np.sort(thresholds)
        place = np.searchsorted(ascending, thresholds, side="left")
        # How many thresholds each prediction reaches.
        levels = [np.searchsorted(ascending, prob, side="right") for prob in probs]
        t = thresholds.size
        if cluster is None:
            kind = positive.astype(np.int64)
            for level in levels:
                kind = kind * (t + 1) + level
            kinds, times = _counted(kind, 2 * (t + 1) ** len(levels))
            truth, rest = np.divmod(kinds, (t + 1) ** len(levels))
            # The last model's level is the last digit of a kind.
            reached_by = [rest // (t + 1) ** m % (t + 1) for m in reversed(range(len(levels)))]
            called = np.stack([level[:, None] > place[None, :] for level in reached_by])
            truth = truth.astype(np.bool_)
            return cls(
                times.astype(np.float64), np.ones(kinds.size), truth.astype(np.float64),
                (called & truth[:, None]).astype(np.float64), (called & ~truth[:, None]).astype(np.float64),
            )  # fmt: skip
        k = int(cluster.max()) + 1
        counts = []
        for truth in (positive, ~positive):
            reached = [
                np.bincount(cluster[truth] * (t + 1) + level[truth], minlength=k * (t + 1)).reshape(k, t + 1)
                for level in levels
            ]
            # From the highest level down: reached[c, j] becomes the patients that reach more than j thresholds.
            above = np.stack([np.cumsum(r[:, ::-1], axis=1)[:, ::-1] for r in reached])
            counts.append(above[:, :, 1:][:, :, place].astype(np.float64))
        n = np.bincount(cluster).astype(np.float64)
        n_pos = np.bincount(cluster, weights=positive, minlength=k).astype(np.float64)
        return cls(np.ones(k), n, n_pos, counts[0], counts[1])

    def totals(self) -> tuple[float, float, FloatArray, FloatArray]:
        """Return patients, positives, and true and false positives of shape (models, t)."""
        return (
            float(self.times @ self.n), float(self.times @ self.n_pos),
            np.einsum("u,mut->mt", self.times, self.tp), np.einsum("u,mut->mt", self.times, self.fp),
        )  # fmt: skip

    def standard_error(self, influence: FloatArray) -> FloatArray:
        """Return the standard error of a mean over patients from its influence, summed over each unit, shape (u, t)."""
        drawn, n = float(self.times.sum()), float(self.times @ self.n)
        if drawn < 2.0:
            return np.full(influence.shape[1], np.nan)
        return np.asarray(np.sqrt(drawn / (drawn - 1.0) * (self.times @ influence**2)) / n)

    def replicates(
        self, n_boot: int, rng: np.random.Generator
    ) -> Iterator[tuple[FloatArray, FloatArray, FloatArray, FloatArray]]:
        """Draw bootstrap replicates: patients (b,), positives (b,), true and false positives (models, b, t).

        The counts of the kinds among n patients drawn with replacement are multinomial, so that patients need not
        be drawn one by one.
        """
        drawn = int(self.times.sum())
        step = max(1, CHUNK_CELLS // (self.times.size + 2 * self.tp.shape[0] * self.tp.shape[2]))
        for start in range(0, n_boot, step):
            counts = rng.multinomial(drawn, self.times / drawn, size=min(step, n_boot - start)).astype(
                np.float64
            )
            yield counts @ self.n, counts @ self.n_pos, counts @ self.tp, counts @ self.fp


def _counted(kind: NDArray[np.int64], n_kinds: int) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return the kinds that are there, ascending, and how many are of each; without a sort where few are possible."""
    if n_kinds > max(CHUNK_CELLS, kind.size):
        found, times = np.unique(kind, return_counts=True)
        return found, times.astype(np.int64)
    every = np.bincount(kind, minlength=n_kinds)
    present = np.flatnonzero(every)
    return present.astype(np.int64), every[present].astype(np.int64)
