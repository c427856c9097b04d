"""The tables of strata: each model's AUC within them, and whether it differs between them."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations
from typing import Any

import numpy as np
from numpy.typing import NDArray

from ..errors import BiomarkError
from .bootstrap import bootstrap_interval
from .individual import Cell, auc_of_cell
from .interaction import correlated_heterogeneity, interaction_test
from .multilabel_bootstrap import multilabel_replicates
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
    """Macro AUC within each stratum by bootstrap, and a joint test that it is the same in all of them.

    H0: theta_1 = ... = theta_s, theta_k the macro AUC (or the difference of two models') in stratum k.
    Q = (L theta)' (L S L')^-1 (L theta) is compared with chi-square on s - 1 degrees of freedom; S is the covariance
    of the strata's bootstrap replicates. Strata are drawn apart, so that S is diagonal but for noise; clusters are
    drawn whole from all patients, so that one with members in several strata makes S what it should be.

    Parameters
    ----------
    y_true : array of shape (n, labels), 0, 1 or NaN
    y_score : array of shape (models, n, labels)

    Returns
    -------
    stratum rows, interaction rows
        ``difference`` and its percentile interval where there are two strata; with more there is no one difference.

    References
    ----------
    Davison AC, Hinkley DV. Bootstrap Methods and their Application. Cambridge 1997, section 4.4 (a Wald statistic
    with a bootstrap variance). Cochran WG. Biometrics 1954;10:101-129 (Q).
    """
    shared = ~np.isnan(y_score).any(axis=0)
    truth, scores = np.where(shared, y_true, np.nan), np.nan_to_num(y_score)
    rows: list[dict[str, Any]] = []
    values: list[FloatArray] = []
    drawn: list[FloatArray] = []
    labelled: list[list[int]] = []
    seed = int(rng.integers(2**63))
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
            seen = [~np.isnan(part[:, k]) for k in defined]
            each = np.array(
                [
                    np.mean([auc(part[s, k], plane[s, k]) for k, s in zip(defined, seen, strict=True)])
                    for plane in part_scores
                ]
            )
            replicates = _macro_replicates(truth, part_scores, scores, inside, n_boot, cluster, rng, seed)
        labelled.append(defined)
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
    covers = [frozenset(names) for names in labelled]
    return rows, [
        {"set": set_name, "variable": variable, "label": "macro", "model": name}
        | {"stratum_a": strata.names[0], "stratum_b": strata.names[-1]}
        | _macro_interaction([v @ weights for v in values], [d @ weights for d in drawn], covers, confidence)
        for name, weights in _each_and_pairs(models)
    ]


def _each_and_pairs(models: tuple[str, ...]) -> Iterator[tuple[str, FloatArray]]:
    """Each model and each pair, as weights of the models' values."""
    own = np.eye(len(models))
    yield from zip(models, own, strict=True)
    for a, b in combinations(range(len(models)), 2):
        yield f"{models[a]} - {models[b]}", own[a] - own[b]


def _macro_replicates(
    truth: FloatArray,
    part_scores: FloatArray,
    scores: FloatArray,
    inside: NDArray[np.bool_],
    n_boot: int,
    cluster: NDArray[np.intp] | None,
    rng: np.random.Generator,
    seed: int,
) -> FloatArray:
    """Macro AUC of each model in one stratum's replicates, shape (n_boot, models)."""
    if cluster is None:
        part = truth[inside]
        nobody = np.zeros((1, *part.shape), dtype=bool)
        return multilabel_replicates(part, part_scores, nobody, n_boot=n_boot, micro_auc=False, rng=rng)[
            "macro_auc"
        ]
    # The same draws of all clusters for every stratum; the patients of the others count as unlabelled.
    masked = np.where(inside[:, None], truth, np.nan)
    nobody = np.zeros((1, *masked.shape), dtype=bool)
    drawn = multilabel_replicates(
        masked, scores, nobody, n_boot=n_boot, cluster=cluster, micro_auc=False, rng=seed
    )
    return drawn["macro_auc"]


def _macro_interaction(
    estimates: list[FloatArray], drawn: list[FloatArray], covers: list[frozenset[int]], confidence: float
) -> dict[str, Any]:
    """Wald's chi-square that a macro AUC (or a difference) is the same in all strata, its covariance bootstrapped.

    Parameters
    ----------
    estimates : list of float, one for each stratum
    drawn : list of arrays of shape (n_boot,)
        Row b of all strata is one draw.
    covers : list of frozenset
        The labels that each stratum's average is over.
    confidence : float
    """
    theta, replicates = np.array(estimates, dtype=np.float64), np.stack(drawn)
    if not np.isfinite(theta).all():
        return {"note": "not tested: a stratum has no macro AUC"}
    if len(set(covers)) > 1:
        return {"note": "not tested: the strata's macro AUC are over different labels"}
    replicates = replicates[:, np.isfinite(replicates).all(axis=0)]
    if theta.size < 2 or replicates.shape[1] < 2:
        return {"note": "not tested: too few strata or replicates"}
    result = correlated_heterogeneity(
        theta, np.cov(replicates), confidence=confidence, method="bootstrap covariance, chi-square"
    )
    low = high = float("nan")
    if theta.size == 2:
        low, high = bootstrap_interval(replicates[0] - replicates[1], confidence=confidence)
    undefined = result.method.partition("; ")[2] if np.isnan(result.p_value) else ""
    return {
        "difference": result.difference, "ci_low": low, "ci_high": high,
        "statistic": result.statistic, "p_value": result.p_value, "note": undefined,
    }  # fmt: skip
