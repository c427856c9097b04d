"""Pictures and pages of results that ``stats`` and ``zoo`` computed; computes no statistic of its own.

The names below load plotly and jinja2 on first use, so that ``import biomark.viz`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from ..errors import MissingExtraError

if TYPE_CHECKING:
    from .attention import Attention, attention_figure, lesion_attention
    from .embedding import EmbeddingPanel, embedding_figure
    from .embedding_page import embedding_html
    from .explaining import ExplainedCase, Explanation, explain
    from .explanation_folder import write_explanation
    from .figure_export import PaperFigure, write_figure, write_figures
    from .forest import ForestRow, forest_figure
    from .gradcam import GradCam, gradcam_plus_plus
    from .layer_capture import encoder_layers
    from .neighbour_embedding import Embedding, pca, tsne, umap
    from .report import report_html, write_report
    from .representative_cases import cases_figure
    from .roc import roc_figure
    from .run_findings import RunFindings, findings_of_runs
    from .scores import score_figure
    from .slices import ViewedMap, ViewedPatient, slice_viewer
    from .static_export import write_drawing
    from .training_curves import RunHistory, curve_panels, training_figure
    from .training_page import read_run_history, training_html, write_training_page

__all__ = [
    "Attention",
    "Embedding",
    "EmbeddingPanel",
    "ExplainedCase",
    "Explanation",
    "ForestRow",
    "GradCam",
    "PaperFigure",
    "RunFindings",
    "RunHistory",
    "ViewedMap",
    "ViewedPatient",
    "attention_figure",
    "cases_figure",
    "curve_panels",
    "embedding_figure",
    "embedding_html",
    "encoder_layers",
    "explain",
    "findings_of_runs",
    "forest_figure",
    "gradcam_plus_plus",
    "lesion_attention",
    "pca",
    "read_run_history",
    "report_html",
    "roc_figure",
    "score_figure",
    "slice_viewer",
    "training_figure",
    "training_html",
    "tsne",
    "umap",
    "write_drawing",
    "write_explanation",
    "write_figure",
    "write_figures",
    "write_report",
    "write_training_page",
]

_HOME = {
    "Attention": ".attention",
    "Embedding": ".neighbour_embedding",
    "EmbeddingPanel": ".embedding",
    "ExplainedCase": ".explaining",
    "Explanation": ".explaining",
    "ForestRow": ".forest",
    "GradCam": ".gradcam",
    "PaperFigure": ".figure_export",
    "RunFindings": ".run_findings",
    "RunHistory": ".training_curves",
    "ViewedMap": ".slices",
    "ViewedPatient": ".slices",
    "attention_figure": ".attention",
    "cases_figure": ".representative_cases",
    "curve_panels": ".training_curves",
    "embedding_figure": ".embedding",
    "embedding_html": ".embedding_page",
    "encoder_layers": ".layer_capture",
    "explain": ".explaining",
    "findings_of_runs": ".run_findings",
    "forest_figure": ".forest",
    "gradcam_plus_plus": ".gradcam",
    "lesion_attention": ".attention",
    "pca": ".neighbour_embedding",
    "read_run_history": ".training_page",
    "report_html": ".report",
    "roc_figure": ".roc",
    "score_figure": ".scores",
    "slice_viewer": ".slices",
    "training_figure": ".training_curves",
    "training_html": ".training_page",
    "tsne": ".neighbour_embedding",
    "umap": ".neighbour_embedding",
    "write_drawing": ".static_export",
    "write_explanation": ".explanation_folder",
    "write_figure": ".figure_export",
    "write_figures": ".figure_export",
    "write_report": ".report",
    "write_training_page": ".training_page",
}

# What the extra brings: explaining networks needs torch, drawing does not.
_EXTRA = {"SimpleITK", "safetensors", "timm", "timm_3d", "torch", "torchvision"}


def __getattr__(name: str) -> object:
    if name in _HOME:
        try:
            return getattr(import_module(_HOME[name], __name__), name)
        except ModuleNotFoundError as error:
            if (error.name or "").partition(".")[0] not in _EXTRA:
                raise
            raise MissingExtraError(f"biomark.viz.{name}", "zoo") from None
    raise AttributeError(f"module 'biomark.viz' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
