"""Bootstrap replicates of many data sets at once: the same draws serve a few dozen sets of equal make-up.

A replicate says how often each patient is drawn. Patients of one class are exchangeable, so draws that do not know the
scores can be read in the order of any set's scores, and what is summed over that order is summed once for all sets.
Counts lie with patients down and replicates across, so that every step runs over replicates side by side.
"""

from __future__ import annotations

from functools import cached_property

import numpy as np
from biomark.stats.confidence_band import sensitivity_at
from biomark.stats.resampling import class_counts, resampling_counts
from curve_coverage import WIDTH

# Whole numbers up to 2^24 are exact in it; pairs of up to 6,000 decisions are fewer.
REAL = np.float32
# Cells (patients times replicates) at a time, so that what is summed stays in the cache; patients to a block of sums.
CHUNK_CELLS, BLOCK = 2**17, 16
TRIANGLE = np.tri(BLOCK, dtype=REAL)


class Ranks:
    """Where the scores of one set stand: groups of tied positives, scores descending.

    ``ends`` are the positives at or above each group, with a leading 0; ``above`` and ``upto`` the negatives above it
    and those at or above it.
    """

    @classmethod
    def of(cls, labels, score) -> Ranks:
        return cls(score[labels == 1], score[labels == 0])

    def __init__(self, of_pos, of_neg) -> None:
        self.pos_order, self.neg_order = np.argsort(-of_pos), np.argsort(-of_neg)
        pos, neg = -of_pos[self.pos_order], -of_neg[self.neg_order]
        last = np.flatnonzero(np.append(pos[1:] != pos[:-1], True))
        self.scores = -pos[last]
        self.ends = np.append(0, last + 1)
        self.above = np.searchsorted(neg, pos[last], side="left")
        self.upto = np.searchsorted(neg, pos[last], side="right")
        self.tied = self.scores.size < of_pos.size or bool((self.above < self.upto).any())
        self._descending = pos, neg

    @cached_property
    def everywhere(self):
        """Positives and negatives at or above every distinct score."""
        distinct = np.unique(np.concatenate(self._descending))
        return tuple(np.searchsorted(of_class, distinct, side="right") for of_class in self._descending)

    @cached_property
    def pos_above(self):
        """Positives above each negative, for curves read at a false positive rate."""
        return np.searchsorted(*self._descending, side="left")


class Part:
    """Some replicates of a set in the order of its scores: positives of each group, negatives before each place."""

    def __init__(self, ranks: Ranks, pos, neg_before, pos_before=None) -> None:
        self.ranks = ranks
        untied = ranks.scores.size == pos.shape[0]
        self.pos = pos if untied else np.add.reduceat(pos, ranks.ends[:-1], axis=0)
        self.neg_before, self.pos_before = neg_before, pos_before
        self.fp = neg_before[ranks.upto]
        self.n_pos, self.n_neg = self.pos.sum(axis=0), neg_before[-1]

    @property
    def tp(self):
        found = before(self.pos) if self.pos_before is None else self.pos_before[self.ranks.ends]
        return found[1:]

    def areas(self):
        if self.ranks.tied:
            above = (self.neg_before[self.ranks.above].astype(float) + self.fp) / 2.0
            won = np.einsum("gb,gb->b", self.pos, self.n_neg - above)
        else:
            won = np.einsum("gb,gb->b", self.pos, self.n_neg - self.fp)
        with np.errstate(invalid="ignore", divide="ignore"):
            return won / (self.n_pos.astype(float) * self.n_neg)

    def partial_areas(self):
        if not self.ranks.tied:
            beyond = np.maximum(WIDTH - self.fp / self.n_neg, 0.0)
        else:
            start, end = self.neg_before[self.ranks.above] / self.n_neg, self.fp / self.n_neg
            within = (np.square(np.maximum(WIDTH - x, 0.0)) / 2.0 for x in (start, end))
            width = end - start
            beyond = np.divide(
                np.subtract(*within), width, out=np.maximum(WIDTH - start, 0.0), where=width > 0.0
            )
        return np.einsum("gb,gb->b", self.pos, beyond, dtype=np.float64) / self.n_pos

    def average_precision(self):
        tp = self.tp
        called = np.maximum(tp + self.fp, 1.0)
        return np.einsum("gb,gb->b", self.pos, tp / called, dtype=np.float64) / self.n_pos

    def youden(self):
        tp = self.tp
        index = tp * self.n_neg - self.fp * self.n_pos
        # Only a score that was drawn is a cut-off, and no cut-off between two positives is better than at the lower.
        index[self.pos == 0.0] = -np.inf
        best = index.max(axis=0)
        # The lowest of the best.
        chosen = index.shape[0] - 1 - (index == best)[::-1].argmax(axis=0)
        across = np.arange(best.size)
        return np.stack([best, chosen, tp[chosen, across], self.fp[chosen, across]]).astype(float)

    def sensitivities(self, fpr: float):
        if self.ranks.tied:
            of_pos, of_neg = self.ranks.everywhere
            curve = (self.pos_before[of_pos].T.astype(float), self.neg_before[of_neg].T.astype(float))
            return sensitivity_at(*curve, np.array([fpr]))[:, 0]
        # The negative at which a replicate passes the rate.
        passed = (self.neg_before[1:] > fpr * self.n_neg + 1e-6).argmax(axis=0)
        return self.pos_before[self.ranks.pos_above[passed], np.arange(passed.size)] / self.n_pos


class Drawn:
    """All replicates of a set; each figure has shape (replicates,)."""

    def __init__(self, ranks: Ranks, parts: list[Part]) -> None:
        self.ranks, self._parts = ranks, parts

    def areas(self):
        return self._joined(Part.areas)

    def partial_areas(self):
        """Areas over specificities above 0.9: each positive adds the length of the strip beyond its own rate."""
        return self._joined(Part.partial_areas)

    def average_precision(self):
        return self._joined(Part.average_precision)

    def sensitivities(self, fpr: float):
        """Sensitivity at a false positive rate."""
        return self._joined(lambda part: part.sensitivities(fpr))

    def youden(self):
        """The cut-off of the largest index and its true and false positives; None where an index is 0."""
        best, chosen, tp, fp = self._joined(Part.youden)
        return (self.ranks.scores[chosen.astype(int)], tp, fp) if (best > 0.0).all() else None

    def _joined(self, figure):
        return np.concatenate([figure(part) for part in self._parts], axis=-1)


class Stratified:
    """Positives and negatives drawn apart."""

    def __init__(self, n_pos: int, n_neg: int, n_boot: int, rng: np.random.Generator) -> None:
        drawn = np.concatenate([np.hstack(both) for both in class_counts(n_pos, n_neg, n_boot, rng)])
        halves = [(part[:n_pos], part[n_pos:]) for part in in_chunks(drawn)]
        self._parts = [(pos, neg, before(pos), before(neg)) for pos, neg in halves]

    def of(self, ranks: Ranks) -> Drawn:
        return Drawn(ranks, [Part(ranks, pos, neg, pos_before) for pos, _, pos_before, neg in self._parts])

    def of_second(self, ranks: Ranks, second: Ranks) -> Drawn:
        """The same patients, of whom ``of(ranks)`` are the scores of another model, in the order of a second one."""
        moved = _moved(ranks.pos_order, second.pos_order), _moved(ranks.neg_order, second.neg_order)
        return Drawn(
            second, [Part(second, pos[moved[0]], before(neg[moved[1]])) for pos, neg, *_ in self._parts]
        )

    def counts(self, ranks: Ranks):
        """As the package takes them, positives first: array of shape (replicates, patients)."""
        back = [np.argsort(order) for order in (ranks.pos_order, ranks.neg_order)]
        parts = [np.concatenate([pos[back[0]], neg[back[1]]]) for pos, neg, *_ in self._parts]
        return np.concatenate(parts, axis=1).T.astype(np.uint8)


class Whole:
    """Patients drawn without regard to their classes."""

    def __init__(self, n: int, n_boot: int, rng: np.random.Generator) -> None:
        self.counts = np.concatenate(list(resampling_counts(n, n_boot, rng)))
        self._parts = in_chunks(self.counts)

    def areas(self, labels, scores):
        """AUC of each label, then that of all decisions: shape (replicates, labels + 1)."""
        patients = np.broadcast_to(np.arange(labels.shape[0])[:, None], labels.shape)
        each = [self._areas(labels[:, k] == 1, scores[:, k], patients[:, k]) for k in range(labels.shape[1])]
        return np.stack([*each, self._areas(labels == 1, scores, patients)], axis=1)

    def _areas(self, positive, score, patient):
        ranks = Ranks(score[positive], score[~positive])
        of_pos, of_neg = patient[positive][ranks.pos_order], patient[~positive][ranks.neg_order]
        parts = [
            Part(ranks, np.take(part, of_pos, axis=0), before(np.take(part, of_neg, axis=0))).areas()
            for part in self._parts
        ]
        return np.concatenate(parts)


def in_chunks(counts):
    """A few replicates at a time, patients down."""
    size = max(16, CHUNK_CELLS // counts.shape[1])
    return [
        np.ascontiguousarray(counts[start : start + size].T, dtype=REAL)
        for start in range(0, counts.shape[0], size)
    ]


def before(counts):
    """Counts before each patient and after the last: one row more.

    By blocks of patients through a matrix product, which is exact for whole numbers: NumPy's cumsum takes several
    times as long.
    """
    n, across = counts.shape
    summed = np.empty((n + 1, across), dtype=REAL)
    summed[0] = 0.0
    blocks = n // BLOCK
    if blocks:
        within = summed[1 : blocks * BLOCK + 1].reshape(blocks, BLOCK, across)
        np.matmul(TRIANGLE, counts[: blocks * BLOCK].reshape(within.shape), out=within)
        within[1:] += np.cumsum(within[:-1, -1], axis=0)[:, None]
    for row in range(blocks * BLOCK, n):
        np.add(summed[row], counts[row], out=summed[row + 1])
    return summed


def _moved(order, other):
    """Where the patients in another order stand in an order."""
    place = np.empty_like(order)
    place[order] = np.arange(order.size)
    return place[other]
