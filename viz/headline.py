"""What stands first on the page: the AUCs found, and what the main cut-offs made of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from .captions import digits_of, interval_level, main_cutoff, one_unnamed_set
from .page_table import rows_of
from .traced_cells import counted, extreme, traced_count, traced_estimate
from .traced_text import Fragment, Name, listed

if TYPE_CHECKING:
    from ..stats.evaluation import Evaluation

__all__ = ["flattering_sentence", "headline_sentences"]


def headline_sentences(evaluation: Evaluation) -> list[Fragment]:
    """Say in two sentences how well the models discriminate, and how well the main cut-offs divide."""
    name, kind = evaluation.main_set, main_cutoff(evaluation, evaluation.main_set)
    first = rows_of(evaluation.cohort, set=name).iloc[0]
    where: list[Fragment] = ["In the ", traced_count("cohort", first, "n_patients"), " patients"]
    if not one_unnamed_set(evaluation):
        where += [" of the ", Name(name), " set"]
    judged = rows_of(evaluation.individual, set=name, cutoff=kind)
    known = judged[judged["auc"].notna()].sort_values("auc", kind="stable")
    if not len(known):
        return [*where, " no AUC could be computed."]
    if len(known) == 1:
        said = [*where, " the AUC was ", *_auc(evaluation, known.iloc[0]), ";"]
    else:
        ends = [_auc(evaluation, row) for row in (known.iloc[0], known.iloc[-1])]
        said = [*where, " AUCs ranged from ", *ends[0], " to ", *ends[1], ";"]
    return [*said, *_against_chance(known, kind), ". ", *_at_cutoffs(evaluation, judged, kind)]


def flattering_sentence(evaluation: Evaluation) -> list[Fragment]:
    """Say what cut-offs chosen on the judged set itself would have shown beside the locked ones."""
    name = evaluation.main_set
    judged = rows_of(evaluation.individual, set=name, cutoff="same-set")
    spans = _spans(evaluation, judged, "same-set")
    if main_cutoff(evaluation, name) != "locked" or not spans:
        return []
    return [
        "Cut-offs chosen on the ", Name(name), " set itself, as many papers do, show ",
        *spans, "; those have seen the answers.",
    ]  # fmt: skip


def _auc(evaluation: Evaluation, row: pd.Series[Any]) -> list[Fragment]:
    level = interval_level(evaluation)
    value = traced_estimate("individual", row, "auc", digits_of(evaluation), level=level)
    return [*value, " for ", Name(str(row["label"])), " with ", Name(str(row["model"]))]


def _against_chance(known: pd.DataFrame, kind: str) -> list[Fragment]:
    where = {"set": str(known["set"].iloc[0]), "cutoff": kind}
    above = known[known["auc_ci_low"] > 0.5]
    if len(known) == 1:
        return [" its interval lies above 0.5" if len(above) else " its interval does not lie above 0.5"]
    number = counted("individual", known, "auc_ci_low", **where)
    if len(above) == len(known):
        return [" all ", number, " intervals lie above 0.5"]
    passed = counted("individual", above, "auc_ci_low", **where, auc_ci_low="> 0.5")
    return [" ", passed, " of ", number, " intervals ", "lies" if len(above) == 1 else "lie", " above 0.5"]


def _at_cutoffs(evaluation: Evaluation, judged: pd.DataFrame, kind: str) -> list[Fragment]:
    spans = _spans(evaluation, judged, kind)
    if not spans:
        return ["No cut-off could be applied."]
    if kind == "locked":
        at: list[Fragment] = ["The cut-offs locked on the ", Name(str(evaluation.cutoff_set)), " set gave "]
        return [*at, *spans, "."]
    at = ["Cut-offs chosen on the same patients, which flatters, gave ", *spans]
    corrected = rows_of(evaluation.optimism, set=evaluation.main_set, metric="youden")
    corrected = corrected[corrected["corrected"].notna()]
    if not len(corrected):
        return [*at, "."]
    digits = digits_of(evaluation)
    where = {"set": evaluation.main_set, "metric": "youden"}
    ends = [_span("optimism", corrected, column, digits, where) for column in ("apparent", "corrected")]
    return [*at, "; the Youden index of ", *ends[0], " is ", *ends[1], " once corrected for this optimism."]


def _spans(evaluation: Evaluation, known: pd.DataFrame, kind: str) -> list[Fragment]:
    """Return ``a sensitivity of 0.91 to 0.93 and a specificity of 0.24 to 0.30``."""
    digits = digits_of(evaluation)
    where = {"set": evaluation.main_set, "cutoff": kind}
    return listed(
        [
            [f"a {metric} of ", *_span("individual", known, metric, digits, where)]
            for metric in ("sensitivity", "specificity")
            if known[metric].notna().any()
        ]
    )


def _span(frame: str, rows: pd.DataFrame, column: str, digits: int, where: dict[str, str]) -> list[Fragment]:
    ends = [extreme(frame, rows, column, which, digits, **where) for which in ("smallest", "largest")]
    return [ends[0]] if ends[0].text == ends[1].text else [ends[0], " to ", ends[1]]
