"""What Methods and Results say of the networks behind the predictions: attention to the lesion, and the embedding."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from .explanation_tables import attention_frames, separation_frame
from .number_format import count
from .traced_cells import traced_count, traced_estimate, traced_number, traced_p
from .traced_text import Cite, Fragment, Name, listed

if TYPE_CHECKING:
    from .run_findings import RunFindings

__all__ = ["network_methods", "network_results"]


def network_methods(found: RunFindings) -> list[Fragment]:
    """Return how the networks were looked into; what was not done is not mentioned."""
    return [*_attention_methods(found), *_embedding_methods(found)]


def network_results(found: RunFindings) -> list[Fragment]:
    """Return what was found, label by label; numbers are those of the tables."""
    return [*_attention_results(found), *_separation_results(found)]


def _attention_methods(found: RunFindings) -> list[Fragment]:
    explanation = found.explanation
    if not explanation.attention:
        return []
    first = explanation.patients[0].maps[0]
    voxels = "" if first.resolution is None else f" ({' × '.join(str(n) for n in first.resolution)} voxels)"
    n = max(len(one.patient_id) for one in explanation.attention.values())
    said: list[Fragment] = [
        " Grad-CAM++ heat maps ", Cite(("grad-cam-plus-plus",)),
        " of the logit of each label were made from the layer ", Name(first.layer),
        f"{voxels} in {found.patients}; for {count(n)} of them a lesion mask was known. The agreement of a map with "
        "the mask was measured by the share of its energy in the lesion ", Cite(("energy-game",)),
        ", the pointing game ", Cite(("pointing-game",)), " and the intersection over union at "
        "matched volume, each against a map that is equal everywhere.",
    ]  # fmt: skip
    _, differences = attention_frames(explanation.attention)
    if len(differences):
        said += [
            " Models were compared on the same patients by sign-flip permutation tests, with Holm’s correction ",
            Cite(("holm",)), f" over {count(differences['family'].iloc[0])} comparisons.",
        ]  # fmt: skip
    return said


def _embedding_methods(found: RunFindings) -> list[Fragment]:
    if found.embeddings is None:
        return []
    picture = next(p.embedding for p in found.embeddings.panels if p.embedding.method == "t-SNE")
    frame = separation_frame(found.embeddings.separations)
    said: list[Fragment] = [
        " The features before the last layer were embedded in three dimensions by t-SNE ", Cite(("t-sne",)),
        f" (perplexity {picture.settings['perplexity']:g}, learning rate {picture.settings['learning rate']:g}).",
    ]  # fmt: skip
    if len(frame):
        said += [
            " How well they separate each label was measured in all features, by the silhouette ",
            Cite(("silhouette",)),
            f" and by the AUC of the {count(frame['k'].iloc[0])} nearest neighbours, with p-values from "
            f"{count(frame['n_permutations'].iloc[0])} permutations of the labels.",
        ]  # fmt: skip
    return said


def _attention_results(found: RunFindings) -> list[Fragment]:
    if not found.explanation.attention:
        return []
    models, differences = attention_frames(found.explanation.attention)
    said: list[Fragment] = []
    for label in found.explanation.attention:
        rows = _of(models, label, "energy")
        level = f"{float(rows['confidence'].iloc[0]) * 100:g}% CI"
        each: list[list[Fragment]] = [
            [
                *traced_estimate("attention", row, "mean", 3, prefix="", level=level),
                " with ",
                Name(str(row["model"])),
            ]
            for _, row in rows.iterrows()
        ]
        said += [
            " For ",
            Name(label),
            ", ",
            *listed(each),
            " of a heat map’s energy lay in the lesion (chance ",
        ]
        said += [traced_number("attention", rows.iloc[0], "chance", 3)]
        for _, row in (_of(differences, label, "energy") if len(differences) else differences).iterrows():
            said += ["; difference "]
            if len(rows) > 2:
                said += [Name(str(row["model_a"])), " − ", Name(str(row["model_b"])), " "]
            said += [
                *traced_estimate("attention_differences", row, "difference", 3, prefix=""),
                ", adjusted ",
            ]
            said += [traced_p("attention_differences", row, "p_holm")]
        said += ["; n = ", traced_count("attention", rows.iloc[0], "n"), ")."]
    return said


def _separation_results(found: RunFindings) -> list[Fragment]:
    if found.embeddings is None:
        return []
    frame = separation_frame(found.embeddings.separations)
    said: list[Fragment] = []
    for label in dict.fromkeys(frame["label"]) if len(frame) else ():
        each: list[list[Fragment]] = [
            [
                traced_number("separation", row, "neighbour_auc", 3), " with ", Name(str(row["model"])), " (",
                traced_p("separation", row, "neighbour_auc_p_value"), ")",
            ]
            for _, row in frame[frame["label"] == label].iterrows()
        ]  # fmt: skip
        said += [" In the features, the AUC of the nearest neighbours for ", Name(str(label)), " was "]
        said += [*listed(each), "."]
    return said


def _of(frame: pd.DataFrame, label: str, metric: str) -> Any:
    return frame[(frame["label"] == label) & (frame["metric"] == metric)]
