"""Plots of the page that share their controls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import plotly.graph_objects as go

__all__ = ["FigureGroup", "Panel", "plain_figure"]


@dataclass(frozen=True, slots=True)
class Panel:
    """One plot of the page.

    Attributes
    ----------
    name : str
        Id of its element; fixed, so that the page is the same at every run.
    heading : str
        Names of the label and the model that it shows, as they stand in the file.
    figures : dict
        Plotly's JSON by set, or by what else the group lets choose.
    alternatives : dict
        The same in words.
    """

    name: str
    heading: str
    figures: dict[str, Any]
    alternatives: dict[str, str]


@dataclass(frozen=True, slots=True)
class FigureGroup:
    """Panels that share their controls.

    Attributes
    ----------
    name : str
    caption : str
    sets : tuple of str
        Sets, or what ``choice`` names, to choose from; the first is shown at first.
    has_models : bool
        Whether single models can be switched off.
    toggles : tuple of (part, title)
        The parts of the traces that can be switched off, and what the controls are called.
    panels : list of Panel
    choice : str
        What is chosen: a set, or a label.
    """

    name: str
    caption: str
    sets: tuple[str, ...]
    has_models: bool
    toggles: tuple[tuple[str, str], ...]
    panels: list[Panel]
    choice: str = "Set"


def plain_figure(figure: go.Figure) -> dict[str, Any]:
    """Return a figure as plain data, without the template that the page does not need."""
    plain: dict[str, Any] = figure.to_plotly_json()
    plain["layout"].pop("template", None)
    return plain
