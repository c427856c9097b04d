"""Rows of a report: each cell's cut-off and what it yields, with intervals that know that it was chosen there."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from .cutoff_interval import cutoff_ci
from .individual import Cell, replicates_for

__all__ = ["cutoff_interval_rows"]


def cutoff_interval_rows(
    cell: Cell, *, n_boot: int, rng: np.random.Generator, confidence: float, criterion: str = "youden"
) -> Iterator[dict[str, Any]]:
    """Rows of the threshold, sensitivity, specificity, Youden index and accuracy at the cell's own cut-off."""
    if cell.note:
        yield {**cell.where, "criterion": criterion, "note": cell.note}
        return
    found = cutoff_ci(
        cell.y_true, cell.y_score, criterion=criterion, cluster=cell.cluster,
        n_boot=replicates_for(cell.y_true.size, n_boot), confidence=confidence, rng=rng,
    )  # fmt: skip
    for metric in ("threshold", "sensitivity", "specificity", "youden", "accuracy"):
        estimate = getattr(found, metric)
        yield {
            **cell.where, "criterion": criterion, "metric": metric, "value": estimate.value,
            "ci_low": estimate.ci_low, "ci_high": estimate.ci_high, "n_boot": found.n_boot,
            "method": estimate.method, "note": "",
        }  # fmt: skip
