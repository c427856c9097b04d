"""Figures of an embedding: where the patients of a label lie, and how far that can be believed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import plotly.graph_objects as go
from numpy.typing import ArrayLike

from ..errors import BiomarkError
from .neighbour_embedding import Embedding
from .number_format import number, p_equation
from .theme import LIGHT, base_layout, label_symbols, literal, model_styles, translucent

if TYPE_CHECKING:
    from ..stats.embedding import EmbeddingSeparation

__all__ = ["EmbeddingPanel", "embedding_figure", "separation_in_words"]

# Of the label's symbols, those that Plotly draws in three dimensions too.
_SOLID = ("circle", "square", "diamond")


@dataclass(frozen=True, slots=True, eq=False)
class EmbeddingPanel:
    """The features of one model in one label's colours.

    Attributes
    ----------
    model, label : str
    embedding : Embedding
    y_true : array of shape (n,)
        1, 0, or NaN where the label is missing.
    patient_id : sequence of str
    separation : EmbeddingSeparation, optional
        Of the features, not of the picture.
    """

    model: str
    label: str
    embedding: Embedding
    y_true: ArrayLike
    patient_id: Sequence[str]
    separation: EmbeddingSeparation | None = None


def embedding_figure(
    panel: EmbeddingPanel, *, models: Sequence[str] | None = None, labels: Sequence[str] | None = None
) -> go.Figure:
    """Draw one panel: positives filled in the model's colour, negatives open and grey, unknown as small crosses.

    Parameters
    ----------
    panel : EmbeddingPanel
    models, labels : sequence of str, optional
        All models and labels of the work, which fix colours and marker shapes; by default the panel's own.

    Returns
    -------
    plotly.graph_objects.Figure
        In three dimensions to be turned with the mouse, in two flat.

    Raises
    ------
    BiomarkError
        For labels or identifiers of another number than points, or other labels than 0, 1 and NaN.
    """
    points = panel.embedding.coordinates
    n, dimensions = points.shape
    y = np.asarray(panel.y_true, dtype=np.float64)
    if y.shape != (n,) or len(panel.patient_id) != n:
        raise BiomarkError(
            f"y_true and patient_id must have {n} entries like the embedding, found {y.shape} and "
            f"{len(panel.patient_id)}"
        )
    if dimensions not in (2, 3):
        raise BiomarkError(f"an embedding is drawn in two or three dimensions, found {dimensions}")
    if not np.isin(y[~np.isnan(y)], (0.0, 1.0)).all():
        raise BiomarkError("y_true must hold 0, 1 and NaN only")
    colour = model_styles(list(models or [panel.model]))[panel.model].colour
    symbol = label_symbols(list(labels or [panel.label]))[panel.label]
    if dimensions == 3 and symbol not in _SOLID:
        symbol = _SOLID[0]
    groups = [
        ("negative", y == 0.0, f"{symbol}-open", LIGHT.neutral, 5.0),
        ("positive", y == 1.0, symbol, colour, 5.0),
        # A dot in three dimensions: the crosses there are letters of a font that a machine may not have.
        ("unknown", np.isnan(y), "circle" if dimensions == 3 else "x-thin-open", LIGHT.muted, 2.5),
    ]
    figure = go.Figure(layout=_layout(dimensions, panel))
    for name, rows, marker, colour, size in groups:
        if not rows.any():
            continue
        given: dict[str, Any] = {axis: points[rows, k].tolist() for k, axis in enumerate("xyz"[:dimensions])}
        figure.add_trace(
            (go.Scatter3d if dimensions == 3 else go.Scatter)(
                **given,
                mode="markers",
                name=f"{literal(panel.label)} {name} (n = {int(rows.sum())})",
                marker={"symbol": marker, "color": colour, "size": size if dimensions == 3 else size + 3.0},
                text=[literal(str(panel.patient_id[row])) for row in np.flatnonzero(rows).tolist()],
                hovertemplate="%{text}<extra></extra>",
                meta={"part": name},
            )
        )
    return figure


def separation_in_words(separation: EmbeddingSeparation | None) -> str:
    """Return the separation of the features in one sentence each.

    Examples
    --------
    >>> separation_in_words(None)
    'Too few patients of one class to measure the separation.'
    """
    if separation is None:
        return "Too few patients of one class to measure the separation."
    return (
        f"Separation of the features themselves: silhouette {number(separation.silhouette)} (chance "
        f"{number(separation.silhouette_chance)}, {p_equation(separation.silhouette_p_value)}); AUC of the "
        f"{separation.k} nearest neighbours {number(separation.neighbour_auc)} (chance "
        f"{number(separation.neighbour_auc_chance)}, {p_equation(separation.neighbour_auc_p_value)}); "
        f"{separation.n_permutations} permutations, n = {separation.n}, {separation.n_pos} positive."
    )


def _layout(dimensions: int, panel: EmbeddingPanel) -> dict[str, Any]:
    name = "PC" if panel.embedding.method == "PCA" else panel.embedding.method
    plain: dict[str, Any] = {
        "showticklabels": False,
        "ticks": "",
        "zeroline": False,
        "showspikes": False,
        "gridcolor": LIGHT.grid,
        "linecolor": LIGHT.line,
    }
    axes = [plain | {"title": {"text": f"{name} {k + 1}", "font": {"size": 12}}} for k in range(dimensions)]
    layout = base_layout(
        height=460,
        margin={"l": 8, "r": 8, "t": 8, "b": 8},
        legend={"orientation": "h", "x": 0.0, "y": 1.0, "yanchor": "bottom", "itemsizing": "constant"},
    )
    if dimensions == 2:
        return layout | {"xaxis": axes[0] | {"scaleanchor": "y"}, "yaxis": axes[1]}
    walls = {"backgroundcolor": translucent(LIGHT.grid, 0.0), "showbackground": False}
    scene: dict[str, Any] = {
        f"{axis}axis": settings | walls for axis, settings in zip("xyz", axes, strict=True)
    }
    scene |= {
        "aspectmode": "data",
        "dragmode": "turntable",
        "camera": {"eye": {"x": 1.6, "y": 1.6, "z": 1.0}, "center": {"x": 0, "y": 0, "z": -0.12}},
    }
    return layout | {"scene": scene}
