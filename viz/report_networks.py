"""The report's sections on the networks behind the predictions: attention to the lesion, and the embedding."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import quote

from markupsafe import Markup

from ..stats.explanation import EXPLANATION_METRICS
from .attention import ATTENTION_CAPTION, METRIC_TITLES, attention_figure, attention_in_words
from .embedding import embedding_figure, separation_in_words
from .explanation_tables import attention_frames, attention_table, separation_frame, separation_table
from .figure_group import FigureGroup, Panel, plain_figure
from .number_format import number
from .prose import Finding
from .slices import coarse_map_warning
from .traced_cells import traced_estimate, traced_p
from .traced_text import Fragment, Name, Paragraph

if TYPE_CHECKING:
    import pandas as pd

    from .page_table import Table
    from .run_findings import RunFindings

__all__ = [
    "EMBEDDING",
    "EXPLANATION",
    "NetworkSections",
    "files_of_networks",
    "fill_networks",
    "network_frames",
    "network_record",
    "network_sections",
    "network_tables",
]

EXPLANATION, EMBEDDING = "explanation", "embedding"
"""Folders beside the report's page."""
_PICTURE = "t-SNE"


@dataclass(frozen=True, slots=True)
class NetworkSections:
    """What the page shows of the networks.

    Attributes
    ----------
    groups : dict of str to FigureGroup
        ``attention`` and ``embedding``, where there is something to draw.
    tables : dict of str to Table
        ``attention`` and ``separation``.
    cases : dict of label to Markup
        The figures of representative cases.
    viewers : list of (patient, address or nothing, what is known)
    patients, layer, resolution : str
        Who was looked at, where the maps were made, and how many voxels they have.
    coarse : str
        What must be said of the maps where they are too coarse.
    warnings : list of str
        Of the embeddings.
    finding : Finding or None
        For the first screen.
    pages : bool
        Whether the folders with the pages lie beside the report.
    embedded : bool
    """

    groups: dict[str, FigureGroup]
    tables: dict[str, Table]
    cases: dict[str, Markup]
    viewers: list[tuple[str, str, str]]
    patients: str
    layer: str
    resolution: str
    coarse: str = ""
    warnings: list[str] = field(default_factory=list)
    finding: Finding | None = None
    pages: bool = False
    embedded: bool = False


def network_sections(
    found: RunFindings,
    *,
    viewers: Mapping[str, str] | None = None,
    figures: bool = True,
    simulated: bool = False,
) -> NetworkSections:
    """Return the sections of the page.

    Parameters
    ----------
    found : RunFindings
    viewers : mapping of patient to the viewer's address in the explanation's folder, optional
        None where the page stands alone.
    figures : bool
        Whether the page holds the interactive figures.
    simulated : bool
    """
    from .explanation_folder import case_drawings

    explanation, embeddings = found.explanation, found.embeddings
    groups, warnings = [], []
    if explanation.attention:
        groups.append(_attention_group(found))
    if embeddings is not None:
        groups.append(_embedding_group(found))
        told = {
            panel.model: panel.embedding.warning
            for panel in embeddings.panels
            if panel.embedding.method == _PICTURE and panel.embedding.warning
        }
        warnings = [f"{model}: {warning}" for model, warning in told.items()]
    first = explanation.patients[0].maps[0]
    return NetworkSections(
        {group.name: group for group in groups} if figures else {},
        {table.name: table for table in network_tables(found)},
        {
            label: Markup(drawing)
            for label, drawing in case_drawings(explanation, simulated=simulated).items()
        },
        [
            (
                patient.patient_id,
                quote(f"{EXPLANATION}/{viewers[patient.patient_id]}")
                if viewers and patient.patient_id in viewers
                else "",
                "; ".join(f"{key} {value}" for key, value in patient.facts.items()),
            )
            for patient in explanation.patients
        ],
        found.patients,
        first.layer,
        "" if first.resolution is None else " × ".join(str(n) for n in first.resolution),
        coarse_map_warning(first),
        warnings,
        _finding(found),
        viewers is not None,
        embeddings is not None,
    )


def network_tables(found: RunFindings) -> list[Table]:
    """Return the tables of the sections: attention, separation; empty ones are left out."""
    explanation, embeddings = found.explanation, found.embeddings
    tables = [attention_table(explanation.attention, explanation.models)]
    if embeddings is not None:
        tables.append(separation_table(embeddings.separations, explanation.models))
    return [table for table in tables if not table.empty]


def network_frames(found: RunFindings) -> dict[str, pd.DataFrame]:
    """Return the raw numbers of the sections' tables by the name of their file."""
    frames = {}
    if found.explanation.attention:
        frames["attention"], frames["attention_differences"] = attention_frames(found.explanation.attention)
    if found.embeddings is not None:
        frames["separation"] = separation_frame(found.embeddings.separations)
    return {name: frame for name, frame in frames.items() if len(frame)}


def network_record(found: RunFindings, *, simulated: bool = False) -> dict[str, object]:
    """Return what `network_frames` holds, as rows, and what they were computed from: for ``report.json``."""
    first = found.explanation.patients[0].maps[0]
    about = {
        "runs": found.runs,
        "cohort": found.cohort,
        "simulated": simulated or found.simulated,
        "patients": [patient.patient_id for patient in found.explanation.patients],
        "layer": first.layer,
        "resolution": first.resolution,
    }
    return about | {name: frame.to_dict(orient="records") for name, frame in network_frames(found).items()}


def fill_networks(found: RunFindings, folder: Path, *, simulated: bool = False) -> dict[str, str]:
    """Write the folders of the explanation and the embedding into that of the report.

    Returns
    -------
    dict of patient to the viewer's address in the explanation's folder
    """
    from .embedding_of_runs import fill_embeddings
    from .explanation_folder import fill_explanation

    viewers = fill_explanation(
        found.explanation,
        folder / EXPLANATION,
        simulated=simulated,
        n_viewers=found.n_viewers,
        back="../report.html#look",
    )
    if found.embeddings is not None:
        note = f"Shown: {found.patients}."
        fill_embeddings(
            found.embeddings, folder / EMBEDDING, simulated=simulated, note=note, back="../report.html#learnt"
        )
    return viewers


def files_of_networks(path: str | os.PathLike[str]) -> list[str]:
    """Return the files in a report's folder, relative to it, that an earlier report made of its networks."""
    from .embedding_of_runs import FILES
    from .explanation_folder import files_of_explanation

    folder = Path(path)
    return [
        *(f"{EXPLANATION}/{name}" for name in files_of_explanation(folder / EXPLANATION)),
        *(f"{EMBEDDING}/{name}" for name in FILES),
        *(f"tables/{name}.csv" for name in ("attention", "attention_differences", "separation")),
        *(f"tables/{name}.tex" for name in ("attention", "separation")),
    ]


def _attention_group(found: RunFindings) -> FigureGroup:
    explanation = found.explanation
    panels = []
    for metric in EXPLANATION_METRICS:
        figures, alternatives = {}, {}
        for label, one in explanation.attention.items():
            figures[label] = plain_figure(attention_figure(one, models=explanation.models, metrics=(metric,)))
            alternatives[label] = " ".join(attention_in_words(one, metrics=(metric,)))
        panels.append(Panel(f"attention-{metric}", METRIC_TITLES[metric], figures, alternatives))
    labels = tuple(explanation.attention)
    return FigureGroup("attention", ATTENTION_CAPTION, labels, False, (), panels, choice="Label")


def _embedding_group(found: RunFindings) -> FigureGroup:
    assert found.embeddings is not None
    explanation = found.explanation
    panels = []
    for at, model in enumerate(explanation.models):
        figures, alternatives = {}, {}
        for panel in found.embeddings.panels:
            if panel.model != model or panel.embedding.method != _PICTURE:
                continue
            figure = embedding_figure(panel, models=explanation.models, labels=explanation.labels)
            # A turned view stays turned when the label is switched.
            figure.update_layout(uirevision=_PICTURE, height=400)
            figures[panel.label] = plain_figure(figure)
            alternatives[panel.label] = (
                f"{_PICTURE} of the features of {model}, coloured by {panel.label}. "
                f"{separation_in_words(panel.separation)}"
            )
        panels.append(Panel(f"embedding-{at}", model, figures, alternatives))
    pictures = {p.model: p.embedding for p in found.embeddings.panels if p.embedding.method == _PICTURE}
    settings = next(iter(pictures.values())).settings
    kept = [
        f"{model} {number(float(one.settings['trustworthiness']), 2)}"
        for model, one in pictures.items()
        if "trustworthiness" in one.settings
    ]
    caption = (
        "Drag to turn, point at a patient for the name. Positives are filled, negatives open. "
        f"t-SNE with perplexity {settings['perplexity']:g} and learning rate {settings['learning rate']:g}; "
        f"trustworthiness (1 is best): {', '.join(kept)}. Each model has a picture of its own: places and "
        "distances do not compare between them. t-SNE keeps neighbours and nothing else; it can draw groups into "
        "noise, so read the table below."
    )
    return FigureGroup("embedding", caption, tuple(explanation.labels), False, (), panels, choice="Label")


def _finding(found: RunFindings) -> Finding | None:
    """Say on the first screen how much of the maps' energy lies in the lesion, label by label."""
    if not found.explanation.attention:
        return None
    models, differences = attention_frames(found.explanation.attention)
    said: list[Fragment] = []
    if len(differences):
        rows = differences[differences["metric"] == "energy"]
        for (a, b), pairs in rows.groupby(["model_a", "model_b"], sort=False):
            said += ["; " if said else "", Name(str(a)), " − ", Name(str(b)), ": "]
            items: list[list[Fragment]] = []
            for _, row in pairs.iterrows():
                value = traced_estimate("attention_differences", row, "difference", 3, prefix="")
                p = traced_p("attention_differences", row, "p_holm")
                items.append([Name(str(row["label"])), " ", *value, ", adjusted ", p])
            said += _in_a_row(items)
        start = "Difference of the share of a heat map’s energy that lies in the lesion, "
    else:
        items = []
        for _, row in models[models["metric"] == "energy"].iterrows():
            value = traced_estimate("attention", row, "mean", 3, prefix="")
            items.append(
                [Name(str(row["label"])), " ", *value, ", against chance ", traced_p("attention", row)]
            )
        said = _in_a_row(items)
        start = "Share of a heat map’s energy that lies in the lesion: "
    return Finding("Attention", Paragraph((start, *said, ".")))


def _in_a_row(items: list[list[Fragment]]) -> list[Fragment]:
    joined: list[Fragment] = []
    for item in items:
        joined += ["; ", *item] if joined else item
    return joined
