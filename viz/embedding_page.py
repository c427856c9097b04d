"""The page of embeddings: the models side by side, turned by the mouse, with what can be believed under each plot."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..errors import BiomarkError
from .embedding import EmbeddingPanel, embedding_figure, separation_in_words
from .page_assets import plain_page
from .theme import LIGHT, dark_counterparts, model_styles

__all__ = ["embedding_html"]


def embedding_html(
    panels: Sequence[EmbeddingPanel],
    path: str | os.PathLike[str] | None = None,
    *,
    title: str = "What the networks have learnt to tell apart",
    simulated: bool = False,
    note: str = "",
    back: str = "",
) -> str:
    """Return a page of embeddings, one column per model, with a switch for the label and one for the method.

    Parameters
    ----------
    panels : sequence of EmbeddingPanel, at least one
        One for each model, label and method.
    path : path, optional
        Where to write the page too.
    title : str
    simulated : bool
        Say on the page that the patients are simulated.
    note : str
        What else the reader must know, for instance which set is shown.
    back : str
        Address of the page that leads here.

    Returns
    -------
    str
        HTML that needs no network; the same input gives the same text.

    Raises
    ------
    BiomarkError
        Without a panel, or for two panels of the same model, label and method.

    Notes
    -----
    At most one plot a model is alive at a time, because browsers keep only a few drawing contexts of three dimensions.
    """
    if not panels:
        raise BiomarkError("the page needs at least one embedding")
    keys = [(panel.embedding.method, panel.label, panel.model) for panel in panels]
    if len(set(keys)) < len(keys):
        raise BiomarkError(f"two panels show the same method, label and model: {keys}")
    methods, labels, models = (list(dict.fromkeys(column)) for column in zip(*keys, strict=True))
    data = {
        "models": models,
        "labels": labels,
        "methods": methods,
        "slots": [style.slot % len(LIGHT.models) for style in model_styles(models).values()],
        "panels": [_panel_data(panel, models, labels) for panel in panels],
        "dark": dark_counterparts(),
    }
    page = plain_page(
        "embedding.html.j2",
        ("shown_figure.js", "figures.js", "embedding.js"),
        data,
        title=title,
        simulated=simulated,
        back=back,
        note=note,
        models=models,
        labels=labels,
        methods=methods,
    )
    if path is not None:
        Path(path).write_text(page, encoding="utf-8", newline="\n")
    return page


def _panel_data(panel: EmbeddingPanel, models: Sequence[str], labels: Sequence[str]) -> dict[str, Any]:
    figure = embedding_figure(panel, models=models, labels=labels).to_plotly_json()
    figure["layout"].pop("template", None)
    for trace in figure["data"]:
        for axis in "xyz":
            if axis in trace:
                trace[axis] = [float(f"{value:.5g}") for value in trace[axis]]
    words = separation_in_words(panel.separation)
    return {
        "model": panel.model,
        "label": panel.label,
        "method": panel.embedding.method,
        "figure": figure,
        "separation": words,
        "caption": panel.embedding.caption,
        "warning": panel.embedding.warning,
        "alternative": f"{panel.embedding.method} of the features of {panel.model}, coloured by {panel.label}. {words}",
    }
