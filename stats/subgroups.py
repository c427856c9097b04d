"""The tables of strata: each model's AUC within them, and whether it differs between them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np

from ..errors import BiomarkError
from .bootstrap import bootstrap_interval
from .individual import Cell, auc_of_cell
from .interaction import interaction_test
from .multilabel_bootstrap import multilabel_replicates
from .overall import bootstrap_z_p_value
from .results import FloatArray
from .roc import auc
from .strata import Strata

__all__ = ["interaction_rows", "macro_stratum_tables", "stratum_rows"]


def stratum_rows(cell: Cell, strata: Strata, variable: str, confidence: float) -> Iterator[dict[str, Any]]:
    """Rows of one cell's AUC within each stratum."""
    codes = strata.codes[cell.patients]
    for code, name in enumerate(strata.names):
        part = cell.subset(codes == code)
        row = {
            "set": cell.set, "variable": variable, "stratum": name, "label": cell.label,
            "model": cell.model, "n": int(part.y_true.size), "n_pos": part.n_pos, "n_neg": part.n_neg,
            "note": part.note,
        }  # fmt: skip
        if not part.note:
            try:
                estimate = auc_of_cell(part, confidence)
            except BiomarkError as error:
                row["note"] = str(error)
            else:
                row |= {"auc": estimate.auc, "ci_low": estimate.ci_low, "ci_high": estimate.ci_high}
        yield row


def interaction_rows(
    cells: list[Cell], strata: Strata, variable: str, confidence: float
) -> Iterator[dict[str, Any]]:
    """Rows of one label: each model's AUC, and each pair's difference, tested for equality over the strata."""
    for cell in cells:
        yield _interaction_row(cell, None, strata, variable, confidence)
    for a, b in combinations(cells, 2):
        yield _interaction_row(a, b, strata, variable, confidence)


def _interaction_row(
    a: Cell, b: Cell | None, strata: Strata, variable: str, confidence: float
) -> dict[str, Any]:
    row: dict[str, Any] = {
        "set": a.set, "variable": variable, "label": a.label,
        "model": a.model if b is None else f"{a.model} - {b.model}",
        "stratum_a": strata.names[0], "stratum_b": strata.names[-1],
    }  # fmt: skip
    score_b = None
    if b is not None:
        _, in_a, in_b = np.intersect1d(a.patients, b.patients, return_indices=True)
        keep = np.zeros(a.patients.size, dtype=bool)
        keep[in_a] = True
        score_b = b.y_score[in_b]
        a = a.subset(keep)
    codes = strata.codes[a.patients]
    try:
        result = interaction_test(
            a.y_true, a.y_score, codes, score_b=score_b, cluster=a.cluster, confidence=confidence
        )
    except BiomarkError as error:
        return row | {"note": f"not tested: {error}"}
    undefined = result.method.partition("; ")[2] if np.isnan(result.p_value) else ""
    return row | {
        "difference": result.difference, "ci_low": result.ci_low, "ci_high": result.ci_high,
        "statistic": result.statistic, "p_value": result.p_value, "note": undefined,
    }  # fmt: skip


def macro_stratum_tables(
    set_name: str,
    models: tuple[str, ...],
    y_true: FloatArray,
    y_score: FloatArray,
    strata: Strata,
    variable: str,
    *,
    n_boot: int,
    cluster: np.ndarray | None,
    rng: np.random.Generator,
    confidence: float,
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Macro AUC within each stratum by bootstrap, and its interaction between the first and last stratum.

    Parameters
    ----------
    y_true : array of shape (n, labels), 0, 1 or NaN
    y_score : array of shape (models, n, labels)

    Returns
    -------
    stratum rows, interaction rows
    """
    shared = ~np.isnan(y_score).any(axis=0)
    truth, scores = np.where(shared, y_true, np.nan), np.nan_to_num(y_score)
    rows: list[dict[str, Any]] = []
    values: list[FloatArray] = []
    drawn: list[FloatArray] = []
    for code, name in enumerate(strata.names):
        inside = (strata.codes == code) & ~np.isnan(truth).all(axis=1)
        part, part_scores = truth[inside], scores[:, inside]
        defined = [
            k for k in range(truth.shape[1]) if (part[:, k] == 0.0).any() and (part[:, k] == 1.0).any()
        ]
        note = "" if len(defined) == truth.shape[1] else (
            f"macro AUC over {len(defined)} of {truth.shape[1]} labels: the others have one class only"
        )  # fmt: skip
        each = np.full(len(models), np.nan)
        replicates = np.full((n_boot, len(models)), np.nan)
        if defined:
            codes = None if cluster is None else np.unique(cluster[inside], return_inverse=True)[1]
            seen = [~np.isnan(part[:, k]) for k in defined]
            each = np.array(
                [
                    np.mean([auc(part[s, k], plane[s, k]) for k, s in zip(defined, seen, strict=True)])
                    for plane in part_scores
                ]
            )
            nobody = np.zeros((1, *part.shape), dtype=bool)
            replicates = multilabel_replicates(
                part, part_scores, nobody, n_boot=n_boot, cluster=codes, rng=rng
            )["macro_auc"]
        values.append(each)
        drawn.append(replicates)
        for m, model in enumerate(models):
            low, high = bootstrap_interval(replicates[:, m], confidence=confidence)
            rows.append(
                {
                    "set": set_name,
                    "variable": variable,
                    "stratum": name,
                    "label": "macro",
                    "model": model,
                    "n": int(inside.sum()),
                    "n_pos": int(np.nansum(part)),
                    "n_neg": int(np.sum(part == 0.0)),
                    "auc": each[m],
                    "ci_low": low,
                    "ci_high": high,
                    "note": note,
                }
            )
    interactions = []
    contrasts = [(model, np.eye(len(models))[m]) for m, model in enumerate(models)]
    contrasts += [
        (f"{models[a]} - {models[b]}", np.eye(len(models))[a] - np.eye(len(models))[b])
        for a, b in combinations(range(len(models)), 2)
    ]
    for name, weights in contrasts:
        difference = float((values[0] - values[-1]) @ weights)
        replicates = (drawn[0] - drawn[-1]) @ weights
        low, high = bootstrap_interval(replicates, confidence=confidence)
        interactions.append(
            {
                "set": set_name,
                "variable": variable,
                "label": "macro",
                "model": name,
                "stratum_a": strata.names[0],
                "stratum_b": strata.names[-1],
                "difference": difference,
                "ci_low": low,
                "ci_high": high,
                "p_value": bootstrap_z_p_value(difference, replicates),
                "note": "" if np.isfinite(difference) else "not tested: a stratum has no macro AUC",
            }
        )
    return rows, interactions
