"""How long an evaluation will take on this machine: measured on a part of the patients, and counted up."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from .evaluation import evaluate
from .predictions import Predictions
from .replicate_blocks import BLOCK_CELLS

__all__ = ["LARGE_TABLE", "expected_seconds"]

# Rows from which an evaluation takes seconds, so that it is worth one to say how many.
LARGE_TABLE = 200_000
# Rows and replicates of the part that is measured.
_PART, _REPLICATES = 20_000, 50


def expected_seconds(
    predictions: Predictions, *, n_boot: int = 2000, clock: Callable[[], float] = time.perf_counter
) -> float:
    """Estimate how long `evaluate` will take.

    A part of about 20,000 rows is evaluated with the fewest replicates and with 50 more: t_0 and t_1 seconds. With N
    times as many rows and R replicates, t = N (t_0 + (R - 2) (t_1 - t_0) / 48 / c), c the processors that blocks of
    replicates can keep busy.

    Parameters
    ----------
    predictions : Predictions
        Of any size; below `LARGE_TABLE` rows the answer comes no sooner than the evaluation.
    n_boot : int
    clock : callable
        Seconds that pass; for tests.

    Returns
    -------
    float
        Seconds. Reading, networks and the writing of the page come on top. The estimate is as good as the part is
        like the whole and the machine is as busy: a factor of two is within what was seen.
    """
    part, times = _part(predictions), []
    for replicates in (2, _REPLICATES):
        began = clock()
        evaluate(part, n_boot=replicates, rng=0)
        times.append(clock() - began)
    share = len(predictions.frame) / max(len(part.frame), 1)
    once = max(times[1] - times[0], 0.0) / (_REPLICATES - 2)
    largest = max(predictions.frame.groupby("set", observed=True)["patient_id"].nunique())
    busy = min(os.cpu_count() or 1, max(1, int(largest) * n_boot // BLOCK_CELLS))
    return share * (times[0] + max(n_boot - 2, 0) * once / busy)


def _part(predictions: Predictions) -> Predictions:
    """Return the rows of every k-th patient, about as many as are measured."""
    frame = predictions.frame
    step = max(1, len(frame) // _PART)
    patients = np.asarray(frame["patient_id"].unique())
    kept = frame[frame["patient_id"].isin(patients[::step])]
    return replace(predictions, frame=kept.reset_index(drop=True))
