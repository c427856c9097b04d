"""The tables of predictions that are probabilities: calibration, its curves, and net benefit, cell by cell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from ..errors import BiomarkError
from .calibration import CALIBRATION_ESTIMATES, calibration_metrics
from .calibration_bins import binned_calibration
from .decision_curve import net_benefit
from .decision_curve_difference import net_benefit_difference
from .individual import Cell
from .inputs import Seed
from .results import Estimate
from .smoothed_calibration import calibration_curve

__all__ = [
    "CALIBRATION_COLUMNS",
    "NET_BENEFIT_COLUMNS",
    "NET_BENEFIT_DIFFERENCE_COLUMNS",
    "calibration_curve_of_cell",
    "calibration_rows",
    "net_benefit_difference_rows",
    "net_benefit_rows",
    "not_probabilities",
]

CALIBRATION_COLUMNS = (
    "set", "label", "model", "n", "n_pos",
    *(column for name in CALIBRATION_ESTIMATES for column in (name, f"{name}_ci_low", f"{name}_ci_high")),
    "reliability", "resolution", "uncertainty", "within_variance", "within_covariance",
    "recalibration_statistic", "recalibration_p_value", "spiegelhalter_z", "spiegelhalter_p_value",
    "n_bins", "note",
)  # fmt: skip
_BENEFIT = (
    "net_benefit", "ci_low", "ci_high", "treat_all", "treat_all_ci_low", "treat_all_ci_high", "treat_none",
    "standardized", "standardized_ci_low", "standardized_ci_high", "interventions_avoided",
    "interventions_avoided_ci_low", "interventions_avoided_ci_high", "sensitivity", "specificity",
)  # fmt: skip
NET_BENEFIT_COLUMNS = ("set", "label", "model", "n", "n_pos", "threshold", *_BENEFIT, "note")
NET_BENEFIT_DIFFERENCE_COLUMNS = (
    "set", "label", "model_a", "model_b", "n", "n_pos", "threshold", "net_benefit_a", "net_benefit_b", "difference",
    "ci_low", "ci_high", "p_value", "note",
)  # fmt: skip
_TERMS = ("reliability", "resolution", "uncertainty", "within_variance", "within_covariance")
_TESTS = (
    "recalibration_statistic", "recalibration_p_value", "spiegelhalter_z", "spiegelhalter_p_value", "n_bins",
)  # fmt: skip
# Enough to draw a curve on a page; a table prints fewer.
THRESHOLDS = tuple(k / 100.0 for k in range(1, 100))


def not_probabilities(cell: Cell) -> str:
    """Say why a cell's scores cannot be judged as probabilities; empty where they can."""
    if cell.y_true.size == 0:
        return cell.note
    outside = (cell.y_score < 0.0) | (cell.y_score > 1.0)
    if not outside.any():
        return ""
    worst = float(cell.y_score[outside][0])
    return (
        f"the scores are no probabilities: {int(outside.sum()):,} of {outside.size:,} lie outside [0, 1], for instance "
        f"{worst:.4g}"
    )


def calibration_rows(
    cell: Cell, confidence: float, *, n_boot: int = 0, rng: Seed = None
) -> Iterator[dict[str, Any]]:
    """Row of one cell's calibration, ``CALIBRATION_COLUMNS``; a note where the scores are no probabilities.

    Parameters
    ----------
    cell : Cell
    confidence : float in (0, 1)
    n_boot : int
        Replicates for the intervals of ICI, E50, E90, Emax and ECE; 0 leaves these out.
    rng : seed or numpy.random.Generator
    """
    row = {**cell.where, "n": int(cell.y_true.size), "n_pos": cell.n_pos}
    note = not_probabilities(cell)
    if note:
        yield row | {"note": note}
        return
    result = calibration_metrics(
        cell.y_true, cell.y_score, confidence=confidence, cluster=cell.cluster, n_boot=n_boot, rng=rng
    )
    for name in CALIBRATION_ESTIMATES:
        estimate: Estimate = getattr(result, name)
        row |= {name: estimate.value, f"{name}_ci_low": estimate.ci_low, f"{name}_ci_high": estimate.ci_high}
    row |= {name: getattr(result.decomposition, name) for name in _TERMS}
    row |= {name: getattr(result, name) for name in _TESTS}
    yield row | {"note": "; ".join(result.notes)}


def calibration_curve_of_cell(cell: Cell, confidence: float) -> dict[str, Any] | None:
    """Calibration curve of a cell with its band and its bins, ready to be drawn; None where impossible.

    Keys: set, label, model, n, n_pos, predicted, observed, band_low, band_high, band_method, bin_predicted,
    bin_observed, bin_low, bin_high, bin_n (ten bins of equal numbers of patients).
    """
    if not_probabilities(cell):
        return None
    curve = calibration_curve(cell.y_true, cell.y_score, confidence=confidence)
    bins = binned_calibration(cell.y_true, cell.y_score, confidence=confidence)
    note = "" if cell.cluster is None else "; takes patients as independent, these are clustered"
    return {
        **cell.where, "n": int(cell.y_true.size), "n_pos": cell.n_pos,
        "predicted": curve.predicted, "observed": curve.observed,
        "band_low": curve.ci_low, "band_high": curve.ci_high, "band_method": curve.method + note,
        "bin_predicted": bins.predicted, "bin_observed": bins.observed, "bin_low": bins.ci_low,
        "bin_high": bins.ci_high, "bin_n": bins.n,
    }  # fmt: skip


def net_benefit_rows(
    cell: Cell, confidence: float, *, thresholds: Sequence[float] = THRESHOLDS
) -> Iterator[dict[str, Any]]:
    """Rows of one cell's decision curve, ``NET_BENEFIT_COLUMNS``: one per threshold, or one with a note."""
    where = {**cell.where, "n": int(cell.y_true.size), "n_pos": cell.n_pos}
    note = not_probabilities(cell)
    if note:
        yield where | {"note": note}
        return
    frame = net_benefit(
        cell.y_true, cell.y_score, thresholds, confidence=confidence, cluster=cell.cluster
    ).to_frame()
    for at, values in zip(frame["thresholds"], frame[list(_BENEFIT)].to_dict(orient="records"), strict=True):
        yield where | {"threshold": at} | {str(name): value for name, value in values.items()} | {"note": ""}


def net_benefit_difference_rows(
    cells: list[Cell], confidence: float, *, thresholds: Sequence[float] = THRESHOLDS
) -> Iterator[dict[str, Any]]:
    """Rows of the difference between each two models for one label in one set, ``NET_BENEFIT_DIFFERENCE_COLUMNS``."""
    for a, b in combinations(cells, 2):
        both, in_a, in_b = np.intersect1d(a.patients, b.patients, return_indices=True)
        where = {"set": a.set, "label": a.label, "model_a": a.model, "model_b": b.model, "n": int(both.size)}
        where["n_pos"] = int(np.count_nonzero(a.y_true[in_a]))
        cluster = None if a.cluster is None else a.cluster[in_a]
        try:
            result = net_benefit_difference(
                a.y_true[in_a],
                a.y_score[in_a],
                b.y_score[in_b],
                thresholds,
                confidence=confidence,
                cluster=cluster,
            )
        except BiomarkError as error:
            yield where | {"note": str(error)}
            continue
        for values in result.to_frame().rename(columns={"thresholds": "threshold"}).to_dict(orient="records"):
            yield where | {str(name): value for name, value in values.items()} | {"note": ""}
