"""The figures of a report as files for the paper."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path

from .figure_export import FORMATS, PaperFigure, write_figures
from .figure_group import FigureGroup
from .file_name import file_name
from .static_export import write_drawing

__all__ = ["FIGURES", "fill_figures", "outdated_figures", "paper_figures"]

FIGURES = "figures"
"""The folder beside the report's page."""
_GROUPS = (
    "roc", "scores", "strata-forest", "strata-more-forest", "calibration", "decision", "attention", "embedding",
    "cases",
)  # fmt: skip


def paper_figures(
    groups: Mapping[str, FigureGroup], judged: str, *, simulated: bool = False
) -> dict[str, PaperFigure]:
    """Return the figures of the judged set, and of every label where labels are chosen, by file name.

    Parameters
    ----------
    groups : mapping of name to FigureGroup
    judged : str
        The set.
    simulated : bool
        Say above each figure that the patients are simulated.
    """
    figures: dict[str, PaperFigure] = {}
    note = " (simulated patients)" if simulated else ""
    for group in groups.values():
        of_labels = group.choice != "Set"
        for panel in group.panels:
            for chosen, figure in panel.figures.items():
                if not of_labels and chosen != judged:
                    continue
                heading = f"{panel.heading}, {chosen}" if of_labels else panel.heading
                name = first = f"{group.name}-{file_name(heading)}"
                at = 1
                while name in figures:  # names that differ only in what a file's name cannot hold
                    at += 1
                    name = f"{first}-{at}"
                figures[name] = PaperFigure(figure, "single", f"{heading}{note}")
    return figures


def fill_figures(
    figures: Mapping[str, PaperFigure], cases: Mapping[str, str], folder: Path, formats: Sequence[str]
) -> None:
    """Write the figures and the drawings of cases (label to SVG) into a folder, each in every format."""
    write_figures(figures, folder, formats=formats)
    for label, drawing in cases.items():
        for kind in formats:
            write_drawing(drawing, folder / f"cases-{file_name(label)}.{kind}")


def outdated_figures(path: str | os.PathLike[str]) -> list[str]:
    """Return the files in a report's folder, relative to it, that an earlier report made of its figures."""
    folder = Path(path)
    return [
        found.relative_to(folder).as_posix()
        for group in _GROUPS
        for kind in FORMATS
        for found in folder.glob(f"{FIGURES}/{group}-*.{kind}")
    ]
