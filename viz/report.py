"""The report: one self-contained page, and the folder with the tables and the numbers beside it."""

from __future__ import annotations

import base64
import hashlib
import json
import os
import shlex
from functools import cache
from pathlib import PurePath
from typing import TYPE_CHECKING, Any

import jinja2
from markupsafe import Markup

from .captions import cutoff_label, main_cutoff, one_unnamed_set, set_heading, settings_in_words
from .control_characters import legible
from .figure_group import FigureGroup
from .interval_mark import line_sample
from .number_format import count
from .page_figures import page_figures
from .probability_tables import unjudged_scores
from .prose import findings, headline, manuscript
from .report_folder import replace_folder
from .tables import main_tables, possible_files, write_tables
from .theme import DARK, LIGHT, dark_counterparts, model_styles

if TYPE_CHECKING:
    from ..stats.evaluation import Evaluation

__all__ = ["report_html", "write_report"]


def write_report(
    evaluation: Evaluation,
    path: str | os.PathLike[str],
    *,
    title: str | None = None,
    figures: bool = True,
) -> None:
    """Write the report's folder: ``report.html``, ``tables/`` and ``report.json``, whole or not at all.

    Parameters
    ----------
    evaluation : Evaluation
    path : path
        The folder; it is made where it does not exist. An earlier report in it is replaced once the new one
        is complete, other files in it are left alone.
    title : str, optional
        Title of the page.
    figures : bool
        Whether the page holds the interactive figures (and with them the 4.8 MB of plotly.js).

    Raises
    ------
    BiomarkError
        If ``path`` is a file.
    OSError
        If the folder cannot be written; an earlier report is then still whole.
    """
    outdated = [f"tables/{name}" for name in possible_files(evaluation)]
    with replace_folder(path, outdated=outdated) as folder:
        page = report_html(evaluation, title=title, figures=figures)
        (folder / "report.html").write_text(page, encoding="utf-8", newline="\n")
        write_tables(evaluation, folder / "tables")
        evaluation.to_json(folder / "report.json")


def report_html(evaluation: Evaluation, *, title: str | None = None, figures: bool = True) -> str:
    """Return the report as one HTML page that needs no network.

    Parameters
    ----------
    evaluation : Evaluation
    title : str, optional
        By default the labels and the models.
    figures : bool
        Whether the page holds the interactive figures.

    Returns
    -------
    str
        The same evaluation and title give the same text; the date in it is that of the evaluation.

    Notes
    -----
    Every string from a file is escaped where it enters HTML, JSON and Plotly. A content security policy
    allows the page's own scripts by their hashes and nothing from elsewhere.
    """
    groups = page_figures(evaluation) if figures else {}
    written = manuscript(evaluation)
    scripts = {"page": _asset("report.js")}
    if groups:
        scripts["plotly"] = _plotly_js()
    data = {
        "groups": [_group_data(group) for group in groups.values()],
        "models": list(evaluation.models),
        "dark": dark_counterparts(),
        "copy": {"methods": written.methods.text, "results": written.results.text, "both": written.text},
    }
    context = {
        "title": title or _default_title(evaluation),
        "evaluation": evaluation,
        "judged": _judged(evaluation),
        "cutoffs": cutoff_label(evaluation, main_cutoff(evaluation, evaluation.main_set)),
        "tables": main_tables(evaluation),
        "unjudged": unjudged_scores(evaluation),
        "headline": headline(evaluation),
        "findings": findings(evaluation),
        "manuscript": written,
        "groups": groups,
        "keys": {model: line_sample(style) for model, style in model_styles(evaluation.models).items()},
        "command": _command(evaluation, title),
        "input_name": _input_name(evaluation),
        "settings": settings_in_words(evaluation),
        "css": Markup(_asset("report.css")),
        "light": Markup(LIGHT.css()),
        "dark": Markup(DARK.css()),
        "data": Markup(_json_for_script(data)),
        "scripts": {name: Markup(text) for name, text in scripts.items()},
        "hashes": [_csp_hash(text) for text in scripts.values()],
    }
    return _environment().get_template("report.html.j2").render(context) + "\n"


def _default_title(evaluation: Evaluation) -> str:
    labels, models = _listed(evaluation.labels, "labels"), _listed(evaluation.models, "models")
    return f"{labels} predicted by {models}"


def _judged(evaluation: Evaluation) -> str:
    heading = set_heading(evaluation, evaluation.main_set, role=False)
    return heading if one_unnamed_set(evaluation) else f"the {heading}"


def _listed(names: tuple[str, ...], called: str) -> str:
    """Return the names in a row, or how many there are where they are too long for a title."""
    text = " and ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)
    return text if len(text) <= 60 or len(names) == 1 else f"{count(len(names))} {called}"


def _input_name(evaluation: Evaluation) -> str:
    """Return the file's name without its folder, which is of no use on another machine."""
    return PurePath(str(evaluation.provenance["input"]["name"])).name


def _group_data(group: FigureGroup) -> dict[str, Any]:
    return {
        "name": group.name,
        "sets": list(group.sets),
        "panels": [
            {
                "id": panel.name,
                "figures": [panel.figures.get(name) for name in group.sets],
                "alternatives": [panel.alternatives.get(name) for name in group.sets],
            }
            for panel in group.panels
        ],
    }


def _command(evaluation: Evaluation, title: str | None) -> str:
    """Return the command line that makes the same report again."""
    settings = evaluation.settings
    words = ["biomark", "report", "--preds", _input_name(evaluation)]
    if settings["cutoff_from"] is not None:
        words += ["--cutoff-from", str(settings["cutoff_from"])]
    words += ["--size-threshold", f"{settings['size_threshold_mm']:g}"]
    for column in settings["stratify_by"]:
        words += ["--stratify-by", column]
    words += ["--n-boot", str(settings["n_boot"])]
    words += ["--seed", str(settings["seed"]), "--confidence", f"{settings['confidence']:g}"]
    words += ["--title", title] if title else []
    return shlex.join(words)


def _json_for_script(data: Any) -> str:
    """Return JSON that cannot end or change the script element that holds it."""
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return text


def _csp_hash(script: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


@cache
def _plotly_js() -> str:
    from plotly.offline import get_plotlyjs

    # What would end the script element cannot stand in it; inside a JavaScript string the two are the same.
    return str(get_plotlyjs()).replace("</script", "<\\/script").replace("\r", "")


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader(__package__, "templates"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["visible"] = legible
    return environment


def _asset(name: str) -> str:
    loader = _environment().loader
    assert loader is not None
    return loader.get_source(_environment(), name)[0]
