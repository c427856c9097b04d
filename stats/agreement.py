"""Every printed figure of a set beside what a reconstructed data set gives."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pandas as pd

from .accuracy import operating_point_from_counts
from .auc_interval import auc_ci
from .confusion import confusion_counts
from .cutoff import optimal_cutoff
from .delong import delong_test
from .finding import Finding, place
from .macro_counts import macro_definitions
from .printed_counts import COUNTED, value_of
from .printed_value import PrintedEstimate, PrintedValue
from .published_table import PublishedSet, PublishedTable
from .results import FloatArray
from .solved_rows import SolvedRow

__all__ = ["agreement_with"]

Columns = dict[str, object]
INTERVAL_OF = {"acc": "accuracy", "sen": "sensitivity", "spec": "specificity", "ppv": "ppv", "npv": "npv"}


def agreement_with(
    table: PublishedTable,
    part: PublishedSet,
    rows: list[SolvedRow],
    findings: list[Finding],
    frame: pd.DataFrame,
) -> pd.DataFrame:
    """Compute every printed figure from a predictions table.

    Parameters
    ----------
    table : PublishedTable
    part : PublishedSet
    rows : list of SolvedRow
    findings : list of Finding
        What the audit says of the counts, for the notes.
    frame : pandas.DataFrame
        Tidy predictions of the set.

    Returns
    -------
    pandas.DataFrame
        ``where, figure, printed, reconstructed, agrees, note``; figures are "value", "interval" and "p". Intervals
        are DeLong's for an AUC and Wilson's on its own patients for a proportion; those of means over labels
        are left out.
    """
    said = {finding.where: finding.message for finding in findings}
    records: list[Columns] = []
    points: dict[tuple[str, str], FloatArray] = {}
    for row in rows:
        data = frame[(frame["model"] == row.row.model) & (frame["label"] == row.row.label)]
        if row.set is part and len(data):
            records += _of_row(table, row, data, said, points)
    records += _of_means(part, frame, points, said)
    records += _of_comparisons(part, frame)
    return pd.DataFrame(records, columns=["where", "figure", "printed", "reconstructed", "agrees", "note"])


def _of_row(
    table: PublishedTable,
    row: SolvedRow,
    data: pd.DataFrame,
    said: dict[str, str],
    points: dict[tuple[str, str], FloatArray],
) -> Iterator[Columns]:
    y_true, y_score = data["y_true"].to_numpy(), data["y_score"].to_numpy()
    threshold = _threshold(row, y_true, y_score)
    counts = confusion_counts(y_true, y_score, threshold)
    points[row.row.model, row.row.label] = np.array([counts.tp, counts.fn, counts.tn, counts.fp], dtype=float)
    point = operating_point_from_counts(
        counts.tp, counts.fp, counts.tn, counts.fn, interval="wilson", confidence=table.confidence
    )
    for metric, printed in row.row.cells.items():
        where = row.where(metric)
        if metric == "auc":
            found = auc_ci(y_true, y_score, confidence=table.confidence)
            yield _value(where, printed.value, found.auc, said)
            if printed.ci_low is not None and printed.ci_high is not None:
                yield _interval(where, printed, found.ci_low, found.ci_high, "DeLong's interval")
        elif metric in COUNTED:
            value = value_of(
                metric,
                np.array([counts.tp]),
                np.array([counts.tn]),
                row.classes.pos or 0,
                row.classes.neg or 0,
            )
            yield _value(where, printed.value, float(value[0]), said)
            if metric in INTERVAL_OF and printed.ci_low is not None:
                estimate = getattr(point, INTERVAL_OF[metric])
                yield _interval(where, printed, estimate.ci_low, estimate.ci_high, "Wilson's interval")


def _threshold(row: SolvedRow, y_true: FloatArray, y_score: FloatArray) -> float:
    """Return the cut-off that gives one of the row's counts: the Youden one where that does."""
    chosen = optimal_cutoff(y_true, y_score).threshold
    if row.set.youden or row.counts is None or not row.counts.possible:
        return chosen
    allowed = set(zip(row.counts.tp.astype(int).tolist(), row.counts.tn.astype(int).tolist(), strict=True))
    for threshold in (chosen, *np.append(np.unique(y_score), np.inf)):
        counts = confusion_counts(y_true, y_score, threshold)
        if (counts.tp, counts.tn) in allowed:
            return float(threshold)
    return chosen


def _of_means(
    part: PublishedSet,
    frame: pd.DataFrame,
    points: dict[tuple[str, str], FloatArray],
    said: dict[str, str],
) -> Iterator[Columns]:
    for macro in part.macro:
        have = [label for label in part.labels if (macro.model, label) in points]
        if not have or len(have) != len(part.labels):
            continue
        combination = [points[macro.model, label][:, None] for label in have]
        for metric, printed in macro.cells.items():
            where = place(part.name, macro.model, macro.names[metric])
            if metric == "auc":
                aucs = []
                for label in have:
                    data = frame[(frame["model"] == macro.model) & (frame["label"] == label)]
                    aucs.append(auc_ci(data["y_true"].to_numpy(), data["y_score"].to_numpy()).auc)
                yield _value(where, printed.value, float(np.mean(aucs)), said)
            else:
                found = [float(v[0]) for v in macro_definitions(metric, combination).values()]
                fitting = [v for v in found if printed.value.fits(v)]
                if found:
                    yield _value(where, printed.value, (fitting or found)[0], said)


def _of_comparisons(part: PublishedSet, frame: pd.DataFrame) -> Iterator[Columns]:
    for comparison in part.comparisons:
        wide = frame[frame["label"] == comparison.label].pivot(
            index="patient_id", columns="model", values="y_score"
        )
        if not all(model in wide for model in comparison.models):
            continue
        truth = frame[frame["label"] == comparison.label].groupby("patient_id")["y_true"].first()
        a, b = (wide[model].to_numpy() for model in comparison.models)
        p = delong_test(truth.to_numpy(), a, b).p_value
        where = place(part.name, "", comparison.label, "p")
        yield _record(
            where, "p", comparison.p.text, f"{p:.4f}", bool(comparison.p.fits(p)), "DeLong's paired test"
        )


def _value(where: str, printed: PrintedValue, found: float, said: dict[str, str]) -> Columns:
    return _record(
        where, "value", printed.text, f"{found:.4f}", bool(printed.fits(found)), said.get(where, "")
    )


def _interval(where: str, printed: PrintedEstimate, low: float, high: float, note: str) -> Columns:
    assert printed.ci_low is not None and printed.ci_high is not None
    agrees = bool(printed.ci_low.fits(low)) and bool(printed.ci_high.fits(high))
    text = f"{printed.ci_low.text} to {printed.ci_high.text}"
    return _record(where, "interval", text, f"{low:.4f} to {high:.4f}", agrees, note)


def _record(where: str, figure: str, printed: str, found: str, agrees: bool, note: str) -> Columns:
    return {
        "where": where, "figure": figure, "printed": printed, "reconstructed": found, "agrees": agrees, "note": note,
    }  # fmt: skip
