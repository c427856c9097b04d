"""The first page of an explanation: the attention of the models in figures and numbers, and the way to each patient."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from markupsafe import Markup

from ..stats.explanation import EXPLANATION_METRICS
from .attention import METRIC_TITLES, Attention, attention_figure, attention_in_words
from .number_format import MINUS, count, estimate, number, p_value
from .page_assets import asset, csp_hash, json_for_script, packed_plotly, page_environment, plotly_js
from .theme import DARK, LIGHT, dark_counterparts

if TYPE_CHECKING:
    from .explaining import Explanation

__all__ = ["attention_rows", "explanation_html"]


def explanation_html(
    found: Explanation, pages: Mapping[str, str], *, title: str, simulated: bool = False
) -> str:
    """Return ``index.html`` of an explanation.

    Parameters
    ----------
    found : Explanation
    pages : mapping of patient to the address of its viewer
    title : str
    simulated : bool
    """
    data = {
        "figures": [_figure(one, found.models) for one in found.attention.values()],
        "dark": dark_counterparts(),
    }
    scripts = [asset("figures.js") + asset("explanation.js")]
    labels = list(found.attention)
    context = {
        "title": title,
        "simulated": simulated,
        "negative": found.negative,
        "models": found.models,
        "labels": labels,
        "attention": [(label, attention_rows(one), one) for label, one in found.attention.items()],
        "patients": [_patient(patient, quote(pages[patient.patient_id])) for patient in found.patients],
        "resolution": found.patients[0].maps[0].resolution,
        "layer": found.patients[0].maps[0].layer,
        "plotly": packed_plotly(),
        "data": Markup(json_for_script(data)),
        "script": Markup(scripts[0]),
        "css": Markup(asset("viewer.css")),
        "light": Markup(LIGHT.css()),
        "dark": Markup(DARK.css()),
        "hashes": [csp_hash(scripts[0]), csp_hash(plotly_js())],
    }
    return page_environment().get_template("explanation.html.j2").render(context) + "\n"


def attention_rows(found: Attention) -> list[tuple[str, str, str, str, str, str]]:
    """Return the table of attention: measure, model or difference, estimate, chance, p, patients."""
    rows = []
    for metric in EXPLANATION_METRICS:
        title = METRIC_TITLES[metric]
        for row in found.models.query("metric == @metric").to_dict("records"):
            rows.append(
                (
                    title,
                    str(row["model"]),
                    estimate(row["mean"], row["ci_low"], row["ci_high"]),
                    number(row["chance"]),
                    p_value(row["p_value"]),
                    count(row["n"]),
                )
            )
        if found.differences.empty:
            continue
        for row in found.differences.query("metric == @metric").to_dict("records"):
            rows.append(
                (
                    title,
                    f"{row['model_a']} {MINUS} {row['model_b']}",
                    estimate(row["difference"], row["ci_low"], row["ci_high"]),
                    "",
                    p_value(row["p_value"]),
                    count(row["n"]),
                )
            )
    return rows


def _figure(found: Attention, models: tuple[str, ...]) -> dict[str, Any]:
    figure = attention_figure(found, models=models).to_plotly_json()
    figure["layout"].pop("template", None)
    return {"figure": figure, "alternative": " ".join(attention_in_words(found))}


def _patient(patient: Any, page: str) -> dict[str, Any]:
    return {
        "id": patient.patient_id,
        "page": page,
        "facts": "; ".join(f"{key} {value}" for key, value in patient.facts.items()),
        "maps": [
            f"{one.model}, {one.label}: " + "; ".join(f"{key} {value}" for key, value in one.facts.items())
            for one in patient.maps
        ],
    }
