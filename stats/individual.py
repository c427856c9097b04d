"""The tables of one label at a time: AUCs, operating points, comparisons, over-fitting, sample size, curves."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BiomarkError
from .accuracy import operating_point
from .auc_interval import AucEstimate, auc_ci
from .clustered import clustered_auc_test, clustered_auc_test_unpaired
from .confidence_band import roc_band
from .cutoff import optimal_cutoff
from .delong import AucComparison, delong_test, delong_test_unpaired
from .optimism import cutoff_optimism
from .results import Estimate, FloatArray
from .roc import roc_curve
from .sample_size import auc_power, auc_sample_size

__all__ = ["Cell", "CutoffChoice"]

AT_CUTOFF = (
    "accuracy",
    "sensitivity",
    "specificity",
    "ppv",
    "npv",
    "f1",
    "balanced_accuracy",
    "youden",
    "lr_positive",
    "lr_negative",
    "odds_ratio",
    "mcc",
    "kappa",
)
SAMPLE_SIZE_METHODS = ("obuchowski", "hanley-mcneil")
# A page cannot show more points of a curve than this, nor more single scores.
CURVE_POINTS = 2000
SCORE_POINTS = 1000
HISTOGRAM_BINS = 20
# Draws times patients that a band or an optimism may cost; more patients need fewer replicates to be smooth.
DRAWS = 20_000_000
FEWEST_REPLICATES = 200


@dataclass(frozen=True, slots=True)
class Cell:
    """Labels and scores of one model for one label in one set, without the patients that lack either.

    Attributes
    ----------
    set, label, model : str
    y_true : boolean array of shape (n,)
    y_score : array of shape (n,)
    patients : array of shape (n,)
        Their positions among the set's patients.
    cluster : array of shape (n,) or None
    """

    set: str
    label: str
    model: str
    y_true: NDArray[np.bool_]
    y_score: FloatArray
    patients: NDArray[np.intp]
    cluster: NDArray[Any] | None

    @property
    def n_pos(self) -> int:
        """Number of positives."""
        return int(np.count_nonzero(self.y_true))

    @property
    def n_neg(self) -> int:
        """Number of negatives."""
        return int(self.y_true.size) - self.n_pos

    @property
    def where(self) -> dict[str, Any]:
        """Its set, label and model, as the first columns of a row."""
        return {"set": self.set, "label": self.label, "model": self.model}

    @property
    def note(self) -> str:
        """Why it has no AUC; empty where it has one."""
        if self.y_true.size == 0:
            return "no patient has both a label and a score"
        if self.n_pos == 0 or self.n_neg == 0:
            return f"one class only: {self.n_pos} positives, {self.n_neg} negatives"
        return ""

    def subset(self, keep: NDArray[np.bool_]) -> Cell:
        """Return the cell with the patients where ``keep``, of shape (n,), is true."""
        cluster = None if self.cluster is None else self.cluster[keep]
        return Cell(
            self.set, self.label, self.model, self.y_true[keep], self.y_score[keep], self.patients[keep],
            cluster,
        )  # fmt: skip


@dataclass(frozen=True, slots=True)
class CutoffChoice:
    """A cut-off applied to a cell.

    Attributes
    ----------
    kind : str
        "locked" where it was found on another set, "same-set" where on the set it is judged on.
    found_on : str
        The set it was found on.
    threshold : float
        NaN where it could not be found, then ``note`` says why.
    n_ties : int
        How many cut-offs were equally good.
    note : str
    """

    kind: str
    found_on: str
    threshold: float
    n_ties: int
    note: str


def youden_cutoff(cell: Cell, kind: str) -> CutoffChoice:
    """Find the Youden cut-off of a cell, to be used as ``kind``."""
    if cell.note:
        return CutoffChoice(kind, cell.set, float("nan"), 0, f"no cut-off from {cell.set}: {cell.note}")
    found = optimal_cutoff(cell.y_true, cell.y_score)
    return CutoffChoice(kind, cell.set, found.threshold, found.ties.size, "")


def auc_of_cell(cell: Cell, confidence: float, method: str = "delong") -> AucEstimate:
    """AUC with its interval; Obuchowski's variance where lesions are clustered in patients."""
    return auc_ci(cell.y_true, cell.y_score, method=method, confidence=confidence, cluster=cell.cluster)


def individual_row(cell: Cell, cutoff: CutoffChoice, confidence: float) -> dict[str, Any]:
    """One row of the individual table."""
    row: dict[str, Any] = {
        **cell.where, "cutoff": cutoff.kind, "cutoff_set": cutoff.found_on,
        "n": int(cell.y_true.size), "n_pos": cell.n_pos, "n_neg": cell.n_neg,
    }  # fmt: skip
    if not cell.note:
        wald = auc_of_cell(cell, confidence)
        logit = auc_of_cell(cell, confidence, "delong-logit")
        row |= {
            "auc": wald.auc, "auc_se": float(np.sqrt(wald.variance)),
            "auc_ci_low": wald.ci_low, "auc_ci_high": wald.ci_high,
            "auc_logit_ci_low": logit.ci_low, "auc_logit_ci_high": logit.ci_high,
            "auc_method": wald.method,
        }  # fmt: skip
    row["threshold"] = cutoff.threshold
    if not np.isnan(cutoff.threshold) and cell.y_true.size:
        point = operating_point(cell.y_true, cell.y_score, cutoff.threshold, confidence=confidence)
        row |= {name: getattr(point, name) for name in ("tp", "fp", "tn", "fn")}
        for name in AT_CUTOFF:
            estimate: Estimate = getattr(point, name)
            row |= {
                name: estimate.value, f"{name}_ci_low": estimate.ci_low, f"{name}_ci_high": estimate.ci_high,
            }  # fmt: skip
    return row | {"note": "; ".join(filter(None, [cell.note, cutoff.note]))}


def comparison_rows(cells: list[Cell], confidence: float) -> Iterator[dict[str, Any]]:
    """Rows of the paired comparisons of all models for one label in one set."""
    for a, b in combinations(cells, 2):
        both, in_a, in_b = np.intersect1d(a.patients, b.patients, return_indices=True)
        row: dict[str, Any] = {
            "set": a.set, "label": a.label, "model_a": a.model, "model_b": b.model, "n": int(both.size),
        }  # fmt: skip
        y_true = a.y_true[in_a]
        cluster = None if a.cluster is None else a.cluster[in_a]
        try:
            if cluster is None:
                result = delong_test(y_true, a.y_score[in_a], b.y_score[in_b], confidence=confidence)
            else:
                result = clustered_auc_test(
                    y_true, a.y_score[in_a], b.y_score[in_b], cluster, confidence=confidence
                )
        except BiomarkError as error:
            yield row | {"note": str(error)}
        else:
            yield row | _comparison_columns(result)


def overfitting_row(a: Cell, b: Cell, confidence: float) -> dict[str, Any]:
    """Row that compares one model's AUC between two sets of different patients."""
    row: dict[str, Any] = {"label": a.label, "model": a.model, "set_a": a.set, "set_b": b.set}
    try:
        if a.cluster is None or b.cluster is None:
            result = delong_test_unpaired(a.y_true, a.y_score, b.y_true, b.y_score, confidence=confidence)
        else:
            result = clustered_auc_test_unpaired(
                a.y_true, a.y_score, a.cluster, b.y_true, b.y_score, b.cluster, confidence=confidence
            )
    except BiomarkError as error:
        return row | {"note": str(error)}
    return row | _comparison_columns(result) | {"df": result.df}


def _comparison_columns(result: AucComparison) -> dict[str, Any]:
    undefined = result.method.partition("; ")[2] if np.isnan(result.p_value) else ""
    return {
        "auc_a": result.auc_a, "auc_b": result.auc_b, "difference": result.difference,
        "ci_low": result.ci_low, "ci_high": result.ci_high, "statistic": result.statistic,
        "p_value": result.p_value, "note": undefined,
    }  # fmt: skip


def sample_size_rows(cell: Cell, *, power: float, alpha: float) -> Iterator[dict[str, Any]]:
    """Observed patients against those that a test of AUC = 0.5 needs, by both methods."""
    for method in SAMPLE_SIZE_METHODS:
        row: dict[str, Any] = {
            **cell.where, "n_pos": cell.n_pos, "n_neg": cell.n_neg, "method": method, "note": cell.note,
        }  # fmt: skip
        if cell.note:
            yield row
            continue
        area = auc_of_cell(cell, 0.95).auc
        ratio = cell.n_neg / cell.n_pos
        row |= {"auc": area, "ratio": ratio}
        try:
            needed = auc_sample_size(area, ratio=ratio, power=power, alpha=alpha, method=method)
            row["power"] = auc_power(area, cell.n_pos, cell.n_neg, alpha=alpha, method=method)
        except BiomarkError as error:
            yield row | {"note": str(error)}
            continue
        yield row | {
            "required_pos": needed.n_pos, "required_neg": needed.n_neg, "required_total": needed.total,
            "adequate": cell.n_pos >= needed.n_pos and cell.n_neg >= needed.n_neg,
        }  # fmt: skip


def optimism_rows(
    cell: Cell, *, n_boot: int, rng: np.random.Generator, confidence: float
) -> Iterator[dict[str, Any]]:
    """Rows of the bootstrap-corrected performance at the cell's own Youden cut-off."""
    if cell.note:
        yield {**cell.where, "note": cell.note}
        return
    used = replicates_for(cell.y_true.size, n_boot)
    result = cutoff_optimism(
        cell.y_true, cell.y_score, n_boot=used, cluster=cell.cluster, confidence=confidence, rng=rng
    )
    for metric in ("youden", "sensitivity", "specificity", "accuracy"):
        corrected = getattr(result, metric)
        yield {
            **cell.where, "metric": metric, "apparent": corrected.apparent, "optimism": corrected.optimism,
            "corrected": corrected.corrected, "ci_low": corrected.ci_low, "ci_high": corrected.ci_high,
            "threshold": result.threshold, "threshold_ci_low": result.threshold_ci_low,
            "threshold_ci_high": result.threshold_ci_high, "n_boot": result.n_boot, "note": "",
        }  # fmt: skip


def curve_of_cell(
    cell: Cell, cutoffs: list[CutoffChoice], *, n_boot: int, rng: np.random.Generator, confidence: float
) -> dict[str, Any]:
    """ROC curve with its band and the points of the cut-offs, ready to be drawn."""
    curve = roc_curve(cell.y_true, cell.y_score)
    used = replicates_for(cell.y_true.size, n_boot)
    band = roc_band(
        cell.y_true, cell.y_score, cluster=cell.cluster, confidence=confidence, n_boot=used, rng=rng
    )
    shown = _thinned(curve.fpr.size)
    points = []
    for cutoff in cutoffs:
        if np.isnan(cutoff.threshold):
            continue
        called = cell.y_score >= cutoff.threshold
        points.append(
            {
                "cutoff": cutoff.kind,
                "threshold": cutoff.threshold,
                "sensitivity": float(np.mean(called[cell.y_true])),
                "specificity": float(np.mean(~called[~cell.y_true])),
            }
        )
    return {
        **cell.where, "auc": auc_of_cell(cell, confidence).auc, "n_pos": cell.n_pos, "n_neg": cell.n_neg,
        "fpr": curve.fpr[shown], "tpr": curve.tpr[shown], "thresholds": curve.thresholds[shown],
        "band_specificity": band.specificity, "band_low": band.ci_low, "band_high": band.ci_high,
        "band_method": band.method, "points": points,
    }  # fmt: skip


def scores_of_cell(cell: Cell, cutoffs: list[CutoffChoice]) -> dict[str, Any]:
    """Distribution of the scores by class, ready to be drawn."""
    low, high = float(cell.y_score.min()), float(cell.y_score.max())
    if 0.0 <= low and high <= 1.0:
        low, high = 0.0, 1.0
    # Halves first: the width of a range of huge scores must not overflow.
    if not high / 2.0 - low / 2.0 > 0.0 or np.isinf(high - low):
        edges = np.array([low, high]) if high > low else np.array([low - 0.5, low + 0.5])
    else:
        edges = np.linspace(low, high, HISTOGRAM_BINS + 1)
    pos, neg = cell.y_score[cell.y_true], cell.y_score[~cell.y_true]
    counted = [_counted(values, edges) for values in (pos, neg)]
    distribution: dict[str, Any] = {
        **cell.where, "edges": edges, "count_pos": counted[0], "count_neg": counted[1],
        "thresholds": {cutoff.kind: cutoff.threshold for cutoff in cutoffs},
    }  # fmt: skip
    if cell.y_true.size <= SCORE_POINTS:
        distribution |= {"pos": np.sort(pos), "neg": np.sort(neg)}
    return distribution


def replicates_for(n: int, n_boot: int) -> int:
    """Replicates for a band or an optimism of ``n`` patients: all that were asked, fewer in large sets."""
    return min(n_boot, max(FEWEST_REPLICATES, DRAWS // max(n, 1)))


def _counted(values: FloatArray, edges: FloatArray) -> NDArray[np.intp]:
    """Histogram counts by search alone, so that no width is ever computed."""
    bins = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, edges.size - 2)
    return np.bincount(bins, minlength=edges.size - 1)


def _thinned(size: int) -> NDArray[np.intp]:
    if size <= CURVE_POINTS:
        return np.arange(size)
    return np.unique(np.linspace(0, size - 1, CURVE_POINTS).round().astype(np.intp))
