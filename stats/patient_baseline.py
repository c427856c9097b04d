"""The baseline table of a predictions table: labels, lesion size and every carried column, by set."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from .baseline import BaselineTable, baseline_table
from .predictions import Predictions

__all__ = ["baseline_of_predictions", "baseline_rows"]


def baseline_of_predictions(
    predictions: Predictions, *, kinds: Mapping[str, str] | None = None
) -> BaselineTable:
    """Describe the patients of a predictions table by set.

    Parameters
    ----------
    predictions : Predictions
        Characteristics are the labels ("positive" or "negative", missing where ``y_true`` is), ``size_mm``, and each
        carried column that is constant within every patient; of a name that is a label too, the label is taken.
    kinds : mapping, optional
        As in :func:`baseline_table`.

    Returns
    -------
    BaselineTable
        Where ``patient_id`` names lesions and ``cluster_id`` patients, a row is a lesion, and the tests, which take
        rows as independent, are too sure of themselves.
    """
    parts = []
    for name in predictions.sets:
        arrays = predictions.arrays(name)
        known = predictions.patient_columns(name).reset_index(drop=True)
        labels = {
            label: pd.Series(truth).map({1.0: "positive", 0.0: "negative"}).astype(object)
            for label, truth in zip(predictions.labels, arrays.y_true.T, strict=True)
        }
        labelled = pd.DataFrame(labels)
        known = known.drop(columns=[column for column in known if column in labels or column == "set"])
        parts.append(pd.concat([pd.DataFrame({"set": [name] * len(known)}), known, labelled], axis=1))
    # A column that differs within some patient of one set is no characteristic of any.
    shared = [column for column in parts[0] if all(column in part for part in parts)]
    frame = pd.concat([part[shared] for part in parts], ignore_index=True)
    frame["set"] = pd.Categorical(frame["set"], categories=list(predictions.sets))
    return baseline_table(frame, group="set", kinds=kinds)


def baseline_rows(predictions: Predictions) -> list[dict[str, Any]]:
    """Rows of the baseline table by set, ``BASELINE_COLUMNS``; ``set`` is under ``group``."""
    table = baseline_of_predictions(predictions)
    clustered = any(predictions.arrays(name).cluster is not None for name in predictions.sets)
    rows = table.rows
    if clustered:
        for row in rows:
            row["note"] = "; ".join(
                filter(None, [row["note"], "rows of one cluster were taken as independent"])
            )
    return rows
