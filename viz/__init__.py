"""Pictures and pages of results that ``stats`` and ``zoo`` computed; computes no statistic of its own.

The names below load plotly and jinja2 on first use, so that ``import biomark.viz`` costs nothing.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .forest import ForestRow, forest_figure
    from .report import report_html, write_report
    from .roc import roc_figure
    from .scores import score_figure

__all__ = ["ForestRow", "forest_figure", "report_html", "roc_figure", "score_figure", "write_report"]

_HOME = {
    "ForestRow": ".forest",
    "forest_figure": ".forest",
    "report_html": ".report",
    "roc_figure": ".roc",
    "score_figure": ".scores",
    "write_report": ".report",
}


def __getattr__(name: str) -> object:
    if name in _HOME:
        return getattr(import_module(_HOME[name], __name__), name)
    raise AttributeError(f"module 'biomark.viz' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
