"""The first page of an explanation: the attention of the models in figures and numbers, and the way to each patient."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from ..stats.explanation import EXPLANATION_METRICS
from .attention import (
    ATTENTION_CAPTION,
    METRIC_TITLES,
    Attention,
    attention_figure,
    attention_in_words,
)
from .explanation_tables import attention_table
from .figure_group import plain_figure
from .page_assets import plain_page
from .slices import coarse_map_warning
from .theme import dark_counterparts

if TYPE_CHECKING:
    from .explaining import Explanation

__all__ = ["explanation_html"]


def explanation_html(
    found: Explanation, pages: Mapping[str, str], *, title: str, simulated: bool = False, back: str = ""
) -> str:
    """Return ``index.html`` of an explanation.

    Parameters
    ----------
    found : Explanation
    pages : mapping of patient to the address of its viewer, for those who have one
    title : str
    simulated : bool
    back : str
        Address of the page that leads here.
    """
    data = {
        "figures": [
            _figure(one, found.models, metric)
            for one in found.attention.values()
            for metric in EXPLANATION_METRICS
        ],
        "dark": dark_counterparts(),
    }
    return plain_page(
        "explanation.html.j2",
        ("shown_figure.js", "figures.js", "explanation.js"),
        data,
        title=title,
        simulated=simulated,
        back=back,
        negative=found.negative,
        labels=list(found.attention),
        headings=[METRIC_TITLES[metric] for metric in EXPLANATION_METRICS],
        caption=ATTENTION_CAPTION,
        table=attention_table(found.attention, found.models),
        patients=[_patient(patient, pages.get(patient.patient_id, "")) for patient in found.patients],
        resolution=found.patients[0].maps[0].resolution,
        layer=found.patients[0].maps[0].layer,
        coarse=coarse_map_warning(found.patients[0].maps[0]),
    )


def _figure(found: Attention, models: tuple[str, ...], metric: str) -> dict[str, Any]:
    figure = plain_figure(attention_figure(found, models=models, metrics=(metric,)))
    return {"figure": figure, "alternative": " ".join(attention_in_words(found, metrics=(metric,)))}


def _patient(patient: Any, page: str) -> dict[str, Any]:
    return {
        "id": patient.patient_id,
        "page": quote(page),
        "facts": "; ".join(f"{key} {value}" for key, value in patient.facts.items()),
        "maps": [
            f"{one.model}, {one.label}: " + "; ".join(f"{key} {value}" for key, value in one.facts.items())
            for one in patient.maps
        ],
    }
