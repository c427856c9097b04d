"""The tables of what trained networks look at and have learnt: attention to the lesion, separation of the labels."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import pandas as pd

from ..stats.embedding import EmbeddingSeparation
from ..stats.explanation import EXPLANATION_METRICS
from ..stats.tests_of_difference import holm
from .attention import METRIC_TITLES, Attention
from .number_format import MINUS, UNDEFINED, count, number, p_value
from .page_table import Cell, Column, Group, Table, estimate_cell, exact, model_cell, name_cell
from .theme import model_styles

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["attention_frames", "attention_table", "separation_frame", "separation_table"]


def attention_frames(found: Mapping[str, Attention]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows of all labels: each model against chance, and each difference with Holm's correction.

    Parameters
    ----------
    found : mapping of label to Attention

    Returns
    -------
    models, differences : pandas.DataFrame
        With a column ``label``; the differences have ``p_holm`` over all labels, measures and pairs, and ``family``,
        how many there are.
    """
    models = pd.concat([one.models.assign(label=label) for label, one in found.items()], ignore_index=True)
    parts = [one.differences.assign(label=label) for label, one in found.items() if len(one.differences)]
    if not parts:
        return models, pd.DataFrame()
    differences = pd.concat(parts, ignore_index=True)
    known = differences["p_value"].notna()
    differences["p_holm"] = float("nan")
    differences.loc[known, "p_holm"] = holm(differences.loc[known, "p_value"].to_numpy())
    return models, differences.assign(family=int(known.sum()))


def attention_table(found: Mapping[str, Attention], models: Sequence[str], *, digits: int = 3) -> Table:
    """Return the table of attention: for each label and measure the models against chance, then their differences.

    Parameters
    ----------
    found : mapping of label to Attention
    models : sequence of str
        All models of the work, which fix the colours.
    digits : int
    """
    styles = model_styles(list(models))
    against, differences = attention_frames(found) if found else (pd.DataFrame(), pd.DataFrame())
    groups, confidence, family = [], 0.95, 0
    for label in found:
        rows = []
        for metric in EXPLANATION_METRICS:
            own = [
                row for row in against.to_dict("records") if (row["label"], row["metric"]) == (label, metric)
            ]
            pairs = [
                row
                for row in differences.to_dict("records")
                if (row["label"], row["metric"]) == (label, metric)
            ]
            for at, row in enumerate([*own, *pairs]):
                head = Cell(METRIC_TITLES[metric], numeric=False, head=True, rows=len(own) + len(pairs))
                line = [head] if at == 0 else []
                confidence = float(row["confidence"])
                p = Cell(p_value(float(row["p_value"])), title=exact(float(row["p_value"])))
                if "model" in row:
                    line += [
                        model_cell(str(row["model"]), styles.get(str(row["model"]))),
                        estimate_cell(row, "mean", digits, prefix=""),
                        Cell(number(float(row["chance"]), digits)),
                        p,
                        Cell(UNDEFINED),
                    ]
                else:
                    family = int(row["family"])
                    line += [
                        name_cell(f"{row['model_a']} {MINUS} {row['model_b']}"),
                        estimate_cell(row, "difference", digits, prefix=""),
                        Cell(UNDEFINED),
                        p,
                        Cell(p_value(float(row["p_holm"])), title=exact(float(row["p_holm"]))),
                    ]
                rows.append([*line, Cell(count(row["n"]))])
        groups.append(Group(label, rows, name=label))
    columns = [
        Column("Measure", numeric=False),
        Column("Model, or difference", numeric=False),
        Column(f"Mean, or difference ({confidence * 100:g}% CI)"),
        Column("Chance"),
        Column("p"),
        Column("Holm-adjusted p"),
        Column("Patients"),
    ]
    notes = ["Chance is a map that is the same everywhere; the p-value of a model is one-sided against it."]
    if family:
        notes.append(
            f"Differences are paired, on the same patients: {differences['method'].iloc[0]}, two-sided; Holm’s "
            f"correction over {count(family)} comparison{'s' if family != 1 else ''}."
        )
    return Table("attention", "Agreement of the heat maps with the lesion", columns, groups, notes)


def separation_frame(found: Mapping[tuple[str, str], EmbeddingSeparation | None]) -> pd.DataFrame:
    """Return a row for each model and label whose separation could be measured.

    Parameters
    ----------
    found : mapping of (model, label) to EmbeddingSeparation, or None where it could not be measured
    """
    rows = [
        {"model": model, "label": label} | measured.to_dict()
        for (model, label), measured in found.items()
        if measured is not None
    ]
    return pd.DataFrame(rows)


def separation_table(
    found: Mapping[tuple[str, str], EmbeddingSeparation | None], models: Sequence[str], *, digits: int = 3
) -> Table:
    """Return the table of separations: for each label and model the silhouette and the neighbours' AUC.

    Parameters
    ----------
    found : mapping of (model, label) to EmbeddingSeparation, or None where it could not be measured
    models : sequence of str
        All models of the work, which fix the colours.
    digits : int
    """
    styles = model_styles(list(models))
    rows, notes, k, n_permutations = [], [], 0, 0
    for label in dict.fromkeys(label for _, label in found):
        of_label = {model: measured for (model, other), measured in found.items() if other == label}
        known = {model: measured for model, measured in of_label.items() if measured is not None}
        if len(known) < len(of_label):
            notes.append(f"{label}: too few patients of one class to measure the separation.")
        for at, (model, one) in enumerate(known.items()):
            k, n_permutations = one.k, one.n_permutations
            line = [name_cell(label, rows=len(known))] if at == 0 else []
            line.append(model_cell(model, styles.get(model)))
            for value, chance, p in (
                (one.silhouette, one.silhouette_chance, one.silhouette_p_value),
                (one.neighbour_auc, one.neighbour_auc_chance, one.neighbour_auc_p_value),
            ):
                line += [
                    Cell(number(value, digits), title=exact(value)),
                    Cell(number(chance, digits), title=exact(chance)),
                    Cell(p_value(p), title=exact(p)),
                ]
            rows.append([*line, Cell(f"{count(one.n_pos)} + {count(one.n - one.n_pos)}")])
    columns = [
        Column("Label", numeric=False),
        Column("Model", numeric=False),
        Column("Silhouette"),
        Column("Chance"),
        Column("p"),
        Column(f"AUC of {k} neighbours"),
        Column("Chance"),
        Column("p"),
        Column("Positive + negative"),
    ]
    notes.insert(
        0,
        "Measured in all features, not in the picture. Chance and one-sided p-values: "
        f"{count(n_permutations)} permutations of the labels, not corrected for several labels and models.",
    )
    return Table("separation", "Separation of the labels in the features", columns, [Group("", rows)], notes)
