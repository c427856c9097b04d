"""The tables over all labels: macro and micro metrics of each model, and the differences between models."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .bootstrap import bootstrap_interval
from .multilabel import METRICS, multilabel_metrics
from .multilabel_bootstrap import multilabel_replicates
from .multilabel_jackknife import accelerations
from .replicated_difference import z_of_replicates
from .results import FloatArray

__all__ = ["OVERALL_METRICS", "OverallPerformance", "overall_performance"]

# A micro AUC sets the scores of one label against those of another, which the models of a report need not allow.
OVERALL_METRICS = tuple(name for name in METRICS if name != "micro_auc")

# These do not depend on a cut-off, so their replicates are kept by model, not by decision.
FREE_OF_CUTOFF = ("macro_auc", "weighted_auc")


@dataclass(frozen=True, slots=True)
class OverallPerformance:
    """Overall metrics of the models of one set, with replicates of whole patients that all models share.

    Attributes
    ----------
    set : str
    models, kinds : tuple of str
        ``kinds`` of cut-offs; decision ``m * len(kinds) + c`` is model m at cut-offs of kind c.
    n_patients : int
    values : dict of arrays of shape (models,) or (decisions,)
    replicates : dict of arrays of shape (n_boot, models) or (n_boot, decisions)
    accelerations : dict of arrays of shape (models,) or (decisions,)
        BCa's.
    notes : dict
        (model, kind) to why something is missing.
    """

    set: str
    models: tuple[str, ...]
    kinds: tuple[str, ...]
    n_patients: int
    values: dict[str, FloatArray]
    replicates: dict[str, FloatArray]
    accelerations: dict[str, FloatArray]
    notes: dict[tuple[str, str], str]

    def column(self, metric: str, model: int, kind: int) -> int:
        """Where a metric of a model at a kind of cut-off stands."""
        return model if metric in FREE_OF_CUTOFF else model * len(self.kinds) + kind

    def rows(self, confidence: float) -> Iterator[dict[str, Any]]:
        """Rows of the overall table: BCa intervals."""
        for m, model in enumerate(self.models):
            for c, kind in enumerate(self.kinds):
                row: dict[str, Any] = {
                    "set": self.set, "model": model, "cutoff": kind, "n_patients": self.n_patients,
                }  # fmt: skip
                for metric in OVERALL_METRICS:
                    at = self.column(metric, m, c)
                    low, high = bootstrap_interval(
                        self.replicates[metric][:, at], kind="bca", confidence=confidence,
                        estimate=float(self.values[metric][at]), acceleration=float(self.accelerations[metric][at]),
                    )  # fmt: skip
                    row |= {
                        metric: self.values[metric][at],
                        f"{metric}_ci_low": low,
                        f"{metric}_ci_high": high,
                    }
                yield row | {"note": self.notes.get((model, kind), "")}

    def difference_rows(self, confidence: float) -> Iterator[dict[str, Any]]:
        """Rows of the differences between models, on the same replicates: percentile intervals."""
        for metric in OVERALL_METRICS:
            for c, kind in enumerate(self.kinds):
                if metric in FREE_OF_CUTOFF and c > 0:
                    continue
                for a, b in combinations(range(len(self.models)), 2):
                    at_a, at_b = self.column(metric, a, c), self.column(metric, b, c)
                    drawn = self.replicates[metric][:, at_a] - self.replicates[metric][:, at_b]
                    difference = float(self.values[metric][at_a] - self.values[metric][at_b])
                    low, high = bootstrap_interval(drawn, confidence=confidence)
                    yield {
                        "set": self.set, "metric": metric,
                        "cutoff": "" if metric in FREE_OF_CUTOFF else kind,
                        "model_a": self.models[a], "model_b": self.models[b], "difference": difference,
                        "ci_low": low, "ci_high": high, "p_value": z_of_replicates(difference, drawn)[1],
                        "note": "",
                    }  # fmt: skip


def overall_performance(
    set_name: str,
    models: tuple[str, ...],
    y_true: FloatArray,
    y_score: FloatArray,
    thresholds: dict[str, FloatArray],
    *,
    n_boot: int,
    cluster: NDArray[np.intp] | None,
    rng: np.random.Generator,
    progress: Callable[[int], None] | None = None,
) -> OverallPerformance:
    """Compute the overall metrics of several models of one set.

    Parameters
    ----------
    set_name : str
    models : tuple of str
    y_true : array of shape (n, labels), 0, 1 or NaN
    y_score : array of shape (models, n, labels)
        Cells that any model lacks are left out for all, so that the models are compared on the same ones.
    thresholds : dict of arrays of shape (models, labels)
        By kind of cut-off; NaN where there is none: that label is then left out at that kind.
    n_boot : int
    cluster : array of shape (n,), codes, or None
    rng : numpy.random.Generator
    progress : callable, optional
        Told how many replicates each block has finished.
    """
    shared = ~np.isnan(y_score).any(axis=0)
    truth = np.where(shared, y_true, np.nan)
    kept = ~np.isnan(truth).all(axis=1)
    truth, scores = truth[kept], np.nan_to_num(y_score[:, kept])
    codes = None if cluster is None else np.unique(cluster[kept], return_inverse=True)[1]
    kinds = tuple(thresholds)
    notes: dict[tuple[str, str], str] = {}
    values: dict[str, list[float]] = {metric: [] for metric in OVERALL_METRICS}
    decided = np.empty((len(models) * len(kinds), *truth.shape), dtype=bool)
    for m, model in enumerate(models):
        for c, kind in enumerate(kinds):
            cuts = thresholds[kind][m]
            if np.isnan(cuts).any():
                notes[model, kind] = "a label without a cut-off counts as never positive here"
            # Nobody is called positive where there is no cut-off.
            cuts = np.where(np.isnan(cuts), np.inf, cuts)
            decided[m * len(kinds) + c] = scores[m] >= cuts
            metrics = multilabel_metrics(truth, scores[m], cuts)
            for metric in OVERALL_METRICS:
                if metric not in FREE_OF_CUTOFF or c == 0:
                    values[metric].append(getattr(metrics, metric))
    replicates = multilabel_replicates(
        truth, scores, decided, n_boot=n_boot, cluster=codes, micro_auc=False, rng=rng, progress=progress
    )
    return OverallPerformance(
        set_name, models, kinds, int(kept.sum()),
        {metric: np.array(value) for metric, value in values.items()}, replicates,
        accelerations(truth, scores, decided, codes, micro_auc=False), notes,
    )  # fmt: skip
