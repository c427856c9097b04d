"""Plotly figures as files for a paper: SVG, PDF and PNG at the widths of journals, drawn by a browser."""

from __future__ import annotations

import base64
import json
import os
import re
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import plotly.graph_objects as go

from ..errors import BiomarkError
from ..stats.inputs import choice
from .figure_group import plain_figure
from .page_assets import asset, json_for_script, plotly_js
from .png_image import with_density
from .static_export import browser_command, write_drawing
from .theme import JOURNAL_WIDTH_MM, literal

__all__ = ["FORMATS", "PaperFigure", "read_formats", "write_figure", "write_figures"]

FORMATS = ("svg", "pdf", "png")
_POINTS = 7.5
"""Size of the figures' 13-pixel type in print."""
_SECONDS = 300
_RESULT = re.compile(r'<pre id="result">([^<]*)</pre>')


@dataclass(frozen=True, slots=True, eq=False)
class PaperFigure:
    """A figure on its way to paper.

    Attributes
    ----------
    figure : plotly.graph_objects.Figure, or its dictionary
    width : "single", "one-and-a-half" or "double"
        Column of the journal.
    title : str
        Printed above the axes, as it is written.
    """

    figure: go.Figure | Mapping[str, Any]
    width: str = "single"
    title: str = ""


def write_figure(
    figure: go.Figure | PaperFigure,
    path: str | os.PathLike[str],
    *,
    width: str = "single",
    title: str = "",
    dpi: int = 300,
) -> None:
    """Write one figure as .svg, .pdf or .png, by the ending of ``path``, at the width of a journal's column.

    Parameters
    ----------
    figure : plotly.graph_objects.Figure, or PaperFigure
    path : path
    width : "single", "one-and-a-half" or "double"
        85, 114 or 174 mm; of a plain figure.
    title : str
        Of a plain figure.
    dpi : int
        Pixels per inch of a PNG.

    Raises
    ------
    BiomarkError
        For another ending or width, or where no browser is found or it fails.
    """
    target = Path(path)
    kind = target.suffix.lower().removeprefix(".")
    if kind not in FORMATS:
        raise BiomarkError(f"a figure is written as .svg, .pdf or .png, found {target.name!r}")
    given = figure if isinstance(figure, PaperFigure) else PaperFigure(figure, width, title)
    with tempfile.TemporaryDirectory(prefix="biomark-") as folder:
        made = write_figures({"figure": given}, folder, formats=(kind,), dpi=dpi)
        target.write_bytes(made[0].read_bytes())


def write_figures(
    figures: Mapping[str, PaperFigure],
    folder: str | os.PathLike[str],
    *,
    formats: Sequence[str] = FORMATS,
    dpi: int = 300,
) -> list[Path]:
    """Write figures into a folder, ``<name>.<format>`` each; the browser is started once for all SVG and PNG.

    Parameters
    ----------
    figures : mapping of file name, without its ending, to PaperFigure
    folder : path
        Made where it does not exist.
    formats : sequence of "svg", "pdf" and "png"
    dpi : int
        Pixels per inch of PNG; journals ask for 300 at least.

    Returns
    -------
    list of Path

    Raises
    ------
    BiomarkError
        For an unknown format or width, or where no browser is found or it fails.
    """
    for kind in formats:
        choice(kind, FORMATS, name="formats")
    for one in figures.values():
        choice(one.width, tuple(JOURNAL_WIDTH_MM), name="width")
    if not 72 <= dpi <= 2400:
        raise BiomarkError(f"dpi must be 72 to 2400, found {dpi}")
    if not figures or not formats:
        return []
    target = Path(folder)
    target.mkdir(parents=True, exist_ok=True)
    jobs = [_job(one, dpi if "png" in formats else 0) for one in figures.values()]
    written = []
    for (name, job), drawn in zip(zip(figures, jobs, strict=True), _drawn(jobs), strict=True):
        svg = _in_millimetres(drawn["svg"], job)
        for kind in formats:
            path = target / f"{name}.{kind}"
            if kind == "png":
                path.write_bytes(with_density(base64.b64decode(drawn["png"].partition(",")[2]), dpi))
            else:
                write_drawing(svg, path)
            written.append(path)
    return written


def read_formats(text: str) -> tuple[str, ...]:
    """Return the formats of a list like ``svg,png``, and make sure that there is a browser to draw them.

    Raises
    ------
    BiomarkError
        For another format, or where no browser is found.
    """
    named = tuple(dict.fromkeys(part.strip().lower() for part in text.split(",") if part.strip()))
    for kind in named:
        choice(kind, FORMATS, name="figures")
    if not named:
        raise BiomarkError(f"name one or more of {', '.join(FORMATS)}")
    browser_command()
    return named


def _job(one: PaperFigure, dpi: int) -> dict[str, Any]:
    """Return what the browser has to draw: the figure in pixels, and their number per inch."""
    figure = plain_figure(one.figure) if isinstance(one.figure, go.Figure) else dict(one.figure)
    layout = dict(figure["layout"])
    # 13 pixels of type are to be 7.5 points.
    pixels_per_inch = 13.0 / (_POINTS / 72.0)
    wide = JOURNAL_WIDTH_MM[one.width] / 25.4 * pixels_per_inch
    margin = {"l": 80, "r": 80, "t": 100, "b": 80} | dict(layout.get("margin", {}))
    if one.title:
        legend = layout.get("legend") or {}
        above = bool(layout.get("showlegend", True)) and legend.get("yanchor") == "bottom"
        margin["t"] = max(margin["t"], 62 if above else 34)
        layout["title"] = {
            "text": f"<b>{literal(one.title)}</b>", "x": 0, "xref": "container", "y": 1, "yref": "container",
            "yanchor": "top", "pad": {"t": 6, "l": 4}, "font": {"size": 13},
        }  # fmt: skip
    layout["margin"] = margin
    if "scene" in layout:  # a narrow column cuts the titles of turned axes
        eye = layout["scene"]["camera"]["eye"]
        camera = layout["scene"]["camera"] | {"eye": {axis: 1.2 * value for axis, value in eye.items()}}
        layout["scene"] = layout["scene"] | {"camera": camera}
    square = bool((layout.get("meta") or {}).get("square"))
    high = (
        wide - margin["l"] - margin["r"] + margin["t"] + margin["b"] if square else layout.get("height", 450)
    )
    return {
        "data": figure["data"],
        "layout": layout,
        "mm": JOURNAL_WIDTH_MM[one.width],
        "width": round(wide),
        "height": round(float(high)),
        "scale": dpi / pixels_per_inch,
    }


def _drawn(jobs: list[dict[str, Any]]) -> list[dict[str, str]]:
    """Let the browser draw all figures; the result comes back as the text of its page."""
    with tempfile.TemporaryDirectory(prefix="biomark-") as folder:
        page = Path(folder) / "page.html"
        page.write_text(
            f"<!DOCTYPE html><meta charset='utf-8'><body><script>{plotly_js()}</script>"
            f"<script type='application/json' id='jobs'>{json_for_script(jobs)}</script>"
            f"<script>{asset('paper.js')}</script>",
            encoding="utf-8",
        )
        command = [*browser_command(folder), "--virtual-time-budget=600000", "--dump-dom", page.as_uri()]
        try:
            done = subprocess.run(command, check=False, capture_output=True, timeout=_SECONDS)
        except subprocess.TimeoutExpired:
            raise BiomarkError(f"{command[0]} did not draw the figures within {_SECONDS} s") from None
    found = _RESULT.search(done.stdout.decode("utf-8", errors="replace"))
    result: dict[str, Any] = (
        json.loads(base64.b64decode(found[1])) if found else {"error": "it gave no result"}
    )
    if "error" in result:
        raise BiomarkError(f"{command[0]} could not draw the figures: {result['error']}")
    drawn: list[dict[str, str]] = result["figures"]
    return drawn


def _in_millimetres(svg: str, job: Mapping[str, Any]) -> str:
    """Return Plotly's SVG with its size in mm instead of pixels; what it draws is scaled with it."""
    wide, high = job["mm"], job["mm"] * job["height"] / job["width"]
    start = f'width="{wide:g}mm" height="{high:.2f}mm" viewBox="0 0 {job["width"]} {job["height"]}"'
    head, rest = svg[: svg.index(">")], svg[svg.index(">") :]
    for name in ("width", "height", "viewBox"):
        head = re.sub(rf'\s{name}="[^"]*"', "", head, count=1)
    return head.replace("<svg", f"<svg {start}", 1) + rest + "\n"
